"""``python -m reports DIR`` writes DIR/index.html anew from the report.json and figures in DIR."""

import argparse
import sys
from pathlib import Path

from reports.html import render


def main() -> int:
    """Render; 4 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m reports", description=__doc__)
    parser.add_argument(
        "directory", type=Path, metavar="DIR", help="a directory written by pytest --report=DIR"
    )
    directory = parser.parse_args().directory
    try:
        page = render(directory)
    except (OSError, ValueError) as error:
        print(f"{directory}: {error}", file=sys.stderr)
        return 4
    (directory / "index.html").write_text(page, encoding="utf-8")
    print(directory / "index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
