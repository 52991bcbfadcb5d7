"""What a test measures and leaves behind: records, the fixture that keeps them, audits and figures."""
