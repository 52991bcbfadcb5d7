"""index.html from report.json and the figure files beside it, alone."""

from pathlib import Path


def render(directory: Path) -> str:
    """The page."""
    return f"<!doctype html><title>{directory.name}</title>"
