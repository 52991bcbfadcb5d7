"""The picture of the report in the README: ``python -m reports.page.picture DIR docs/report.png``.

A headless Chromium draws the first screen of DIR/index.html; the picture carries the schema of its report,
so that a test notices when the report has moved on.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from reports.page.loading import load

SIZE = (1280, 900)
KEY = "report-schema"
NAMES = ("chromium", "chromium-browser", "google-chrome")


def browser() -> str | None:
    """The path of a Chromium; None where there is none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def draw(directory: Path, file: Path) -> None:
    """Draw the first screen of a report into a PNG file.

    Args:
        directory: Holds report.json and its pages.
        file: Where the picture goes.

    Raises:
        ValueError: If the directory holds no report, or there is no browser that draws it.
    """
    schema = load(directory)["schema"]
    program = browser()
    if program is None:
        raise ValueError(f"no browser is found to draw it; install one of {', '.join(NAMES)}")
    flags = "--headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run"
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder) / "drawn.png"
        words = [program, *flags.split(), f"--user-data-dir={folder}/profile", f"--screenshot={drawn}"]
        page = (directory.resolve() / "index.html").as_uri()
        size = f"--window-size={SIZE[0]},{SIZE[1]}"
        subprocess.run([*words, size, page], capture_output=True, timeout=120, check=False)
        if not drawn.is_file():
            raise ValueError(f"{program} drew nothing")
        marks = PngInfo()
        marks.add_text(KEY, str(schema))
        with Image.open(drawn) as image:
            image.convert("RGB").quantize(255).save(file, optimize=True, pnginfo=marks)


def schema_of(file: Path) -> int | None:
    """The schema of the report that a picture shows; None if it does not say."""
    with Image.open(file) as image:
        said = str(image.info.get(KEY, ""))
    return int(said) if said.isdecimal() else None


def main() -> int:
    """Draw; 4 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m reports.page.picture", description=__doc__)
    parser.add_argument("directory", type=Path, metavar="DIR", help="written by pytest --report=DIR")
    parser.add_argument("file", type=Path, metavar="FILE.png")
    given = parser.parse_args()
    try:
        draw(given.directory, given.file)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"{given.directory}: {error}", file=sys.stderr)
        return 4
    print(given.file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
