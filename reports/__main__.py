"""``python -m reports DIR`` writes the pages of DIR anew from the report.json and figures in it.

``python -m reports diff A B [--page=FILE]`` compares the reports in two directories.
"""

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Run one of the two; 4 for bad input, and 1 where a comparison finds a verdict that got worse."""
    words = sys.argv[1:] if arguments is None else arguments
    return _diff(words[1:]) if words[:1] == ["diff"] else _render(words)


def _render(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m reports", description=__doc__)
    parser.add_argument("directory", type=Path, metavar="DIR", help="written by pytest --report=DIR")
    directory = parser.parse_args(words).directory
    from reports.page import site

    try:
        site.write(directory)
    except (OSError, ValueError) as error:
        return _refused(directory, error)
    print(directory / "index.html")
    return 0


def _diff(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m reports diff")
    for name in ("before", "after"):
        parser.add_argument(name, type=Path, metavar=name.upper(), help="written by pytest --report=DIR")
    parser.add_argument("--page", type=Path, metavar="FILE.html", help="write the comparison as a page, too")
    given = parser.parse_args(words)
    from reports.page import comparison
    from reports.page.loading import load

    reports = []
    for directory in (given.before, given.after):
        try:
            reports.append(load(directory))
        except (OSError, ValueError) as error:
            return _refused(directory, error)
    found = comparison.compare(*reports)
    print(found.text())
    if given.page:
        try:
            given.page.write_text(found.page(), encoding="utf-8")
        except OSError as error:
            return _refused(given.page, error)
    return 1 if found.worse else 0


def _refused(what: Path, error: Exception) -> int:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    print(f"{what}: {lines[0]}", file=sys.stderr)
    return 4


if __name__ == "__main__":
    sys.exit(main())
