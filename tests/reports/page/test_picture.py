"""The picture in the README is drawn by a command, and shows the report as it is."""

from pathlib import Path

import pytest
from PIL import Image

from reports.page import picture
from reports.schema import VERSION
from tests.reports.page import browsing

SHOWN = Path(__file__).parents[3] / "docs" / "report.png"


def test_the_picture_in_the_readme_is_of_this_schema() -> None:
    said = "run python -m reports.page.picture DIR docs/report.png on a report of today"
    assert picture.schema_of(SHOWN) == VERSION, said
    with Image.open(SHOWN) as image:
        assert image.size == picture.SIZE


def test_drawing(tmp_path: Path) -> None:
    if picture.browser() is None:
        pytest.skip("no Chromium on this machine: no picture is drawn")
    (tmp_path / "report").mkdir()
    browsing.written(tmp_path / "report")
    file = tmp_path / "drawn.png"
    picture.draw(tmp_path / "report", file)
    assert picture.schema_of(file) == VERSION
    with Image.open(file) as image:
        assert image.size == picture.SIZE
        assert len(image.convert("RGB").getcolors(2**24) or ()) > 20


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no report\.json"):
        picture.draw(tmp_path, tmp_path / "drawn.png")
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_something_else_says_no_schema(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "other.png")
    assert picture.schema_of(tmp_path / "other.png") is None
