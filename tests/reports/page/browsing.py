"""A real browser for the pages: Chromium driven by Playwright, and a report as large as a full run's."""

import copy
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reports.page import site
from tests.reports.page.conftest import EXAMPLE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CLAIMS, USUAL, MOST = 50, (16, 8), (65, 16)
"""How large the large report is: claims; quantities and violations of each, and of every tenth."""


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium; skips, saying why, where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: the pages are not tried in a browser")
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as driver:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


def written(directory: Path, report: dict[str, Any] | None = None) -> Path:
    """A directory with every page of the example, or of another report with its figures."""
    shutil.copytree(EXAMPLE / "figures", directory / "figures")
    content = report or json.loads((EXAMPLE / "report.json").read_text(encoding="utf-8"))
    (directory / "report.json").write_text(json.dumps(content), encoding="utf-8")
    site.write(directory)
    return directory


def large() -> dict[str, Any]:
    """A report of the size of a full run, made of the example's records."""
    report: dict[str, Any] = json.loads((EXAMPLE / "report.json").read_text(encoding="utf-8"))
    first = report["claims"][0]
    claims = []
    for k in range(CLAIMS):
        quantities, violations = MOST if k % 10 == 0 else USUAL
        claim = copy.deepcopy(first) | {"id": f"X{k}", "theorem": f"theorem_{k // 9}", "clauses": []}
        claim["depends"] = [f"X{j}" for j in (k // 2, k // 3) if j < k] + ["A1"] * (k % 7 == 0)
        claim["evidence"] = [_numbered(first["evidence"], "quantity", j) for j in range(quantities)]
        claim["controls"] = [_numbered(first["controls"], "violation", j) for j in range(violations)]
        claim["assumptions"] = [f"Assumption {j}" for j in range(4)]
        if k:
            claim["figures"], claim["tables"] = [], []
        claims.append(claim)
    return report | {"claims": claims}


def _numbered(records: list[dict[str, Any]], name: str, j: int) -> dict[str, Any]:
    record = copy.deepcopy(records[j % len(records)])
    module = f"theorems.demo.test_{'abcdef'[j % 6]}"
    record |= {name: f"{record[name]}, number {j}", "test": f"{module}::test_{j}", "clause": None}
    return record | {"place": f"theorems/demo/test_{'abcdef'[j % 6]}.py:{j + 1}"}
