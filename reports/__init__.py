"""Evidence, verdicts, and the report that a reviewer reads."""
