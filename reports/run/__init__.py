"""One run of pytest: what is collected and how it ends, the verdicts, and what report.json says."""
