"""What the pages weigh, page by page and record by record, so that a report cannot grow unseen.

A whole report is to stay below 4 MB. The limits here are what the pages of a made report weigh today and a
twentieth more: whoever needs more says why and raises them.
"""

from pathlib import Path
from typing import Any

import pytest

from reports.page import site
from reports.page.markup import shorter
from tests.reports.page import browsing

FIXED = {"viewer": 104_300, "guide": 9_300, "run": 3_500}
"""Bytes of pages that do not depend on how many claims there are."""
A_CLAIM = {"index": 1_850, "graph": 510, "print": 1_710}
"""Bytes a claim of pages that list them all."""
PAGE, WHOLE, ELSEWHERE = 11_300, 620, 400
"""Bytes of a claim's page without records, of a record told whole, and of one told with another claim."""
MORE = 1.05


@pytest.fixture(scope="module")
def large() -> dict[str, Any]:
    return browsing.large()


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory, large: dict[str, Any]) -> dict[str, int]:
    directory: Path = browsing.written(tmp_path_factory.mktemp("large"), large)
    pages = (path for path in directory.rglob("*") if path.suffix in (".html", ".css", ".js"))
    return {path.relative_to(directory).as_posix(): path.stat().st_size for path in pages}


def test_pages_of_all_claims_stay_small(sizes: dict[str, int], large: dict[str, Any]) -> None:
    for name, limit in FIXED.items():
        assert sizes[f"{name}.html"] <= MORE * limit, name
    for name, limit in A_CLAIM.items():
        assert sizes[f"{name}.html"] <= MORE * limit * len(large["claims"]), name
    assert sizes["assets/report.css"] <= 92_000
    assert sizes["assets/report.js"] <= 20_000


def test_a_claims_page_stays_small(sizes: dict[str, int], large: dict[str, Any]) -> None:
    for place, claim in enumerate(large["claims"]):
        records = len(claim["evidence"]) + len(claim["controls"])
        limit = PAGE + (ELSEWHERE if place else WHOLE) * records
        assert sizes[f"claims/{claim['id']}.html"] <= MORE * limit, claim["id"]


def test_the_limits_notice_pages_that_are_not_shortened(
    tmp_path: Path, large: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the tests before: full end tags and quotes alone are beyond the limits."""
    monkeypatch.setattr(site, "shorter", lambda page: page)
    directory = browsing.written(tmp_path, large | {"claims": large["claims"][:1]})
    page = (directory / "claims" / "X0.html").read_text(encoding="utf-8")
    records = len(large["claims"][0]["evidence"]) + len(large["claims"][0]["controls"])
    limit = MORE * (PAGE + WHOLE * records)
    assert len(shorter(page).encode()) <= limit < len(page.encode())
