"""How soon a reader sees something: the first paint of a report's pages, from a file, in Chromium.

The report is ``reports/html`` where `make report` has written one, and else one of a full run's size that is
made of the tests' example. Needs Playwright and a Chromium.
"""

import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.recording import Table, verdict
from reports.page.picture import browser

GOAL = 0.5  # seconds
REPEATS = 7
WRITTEN = Path(__file__).parents[1] / "reports" / "html"
PAINT = """new Promise((done) => {
  const found = performance.getEntriesByName("first-contentful-paint");
  if (found.length) return done(found[0].startTime);
  new PerformanceObserver((list) => done(list.getEntriesByName("first-contentful-paint")[0].startTime))
    .observe({ type: "paint", buffered: true });
})"""


def run() -> Table:
    """First paints in seconds: the median of seven visits, and the slowest."""
    with tempfile.TemporaryDirectory() as folder:
        report, whose = (
            (WRITTEN, "a run's") if (WRITTEN / "index.html").is_file() else (_made(Path(folder)), "made up")
        )
        table = Table(
            "first_paint",
            "Is something of a report's page seen within half a second?",
            ("page", "kB", "median s", "slowest s", "goal"),
        )
        table.rows += _visited(report)
        table.notes += [
            f"From a file, each visit in a fresh context of headless Chromium; the report is {whose}."
        ]
        busy = f"{os.getloadavg()[0]:.1f}"
        table.notes += [f"Processes that wanted a core meanwhile: {busy} of {os.cpu_count()} cores."]
    return table


def _made(folder: Path) -> Path:
    from tests.reports.page import browsing

    return browsing.written(folder / "report", browsing.large())


def _visited(report: Path) -> list[tuple[Any, ...]]:
    from playwright.sync_api import sync_playwright

    claims = sorted((report / "claims").glob("*.html"), key=lambda file: file.stat().st_size)
    pages: Sequence[Path] = (report / "index.html", claims[-1], report / "print.html", report / "viewer.html")
    rows = []
    with sync_playwright() as driver:
        flags = ["--no-sandbox", "--disable-dev-shm-usage"]
        started = driver.chromium.launch(executable_path=browser(), args=flags)
        for page in pages:
            seconds = [_first_paint(started, page) for _ in range(REPEATS + 1)][1:]  # the first warms up
            median = statistics.median(seconds)
            met = verdict(median, GOAL, at_least=False)
            name = page.relative_to(report).as_posix()
            rows.append((name, page.stat().st_size / 1000, median, max(seconds), met))
        started.close()
    return rows


def _first_paint(started: Any, page: Path) -> float:
    context = started.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    tab.goto(page.as_uri())
    seconds = tab.evaluate(PAINT) / 1000
    context.close()
    return float(seconds)
