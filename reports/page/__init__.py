"""The report as pages, written from report.json and the figures beside it, alone."""
