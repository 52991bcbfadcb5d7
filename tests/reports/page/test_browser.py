"""The pages in a real browser: filters, links, keyboard, narrow windows, schemes, paper, accessibility."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reports.page import site
from reports.page.mathml import formula
from tests.reports.page import browsing

PAGES = (*site.PAGES, "viewer", "claims/E1", "claims/E2", "claims/E6")
UNFOLD = "document.querySelectorAll('details').forEach((d) => { d.open = true; })"
STOPS = """[...document.querySelectorAll("a[href],button,input,select,summary,[tabindex]")].filter(
  (e) => e.tabIndex >= 0 && e.checkVisibility()).length"""
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
HIGH = "document.documentElement.scrollHeight"
SHOWN = "[...document.querySelectorAll('tr[data-verdict]')].filter((r) => r.checkVisibility()).length"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsing.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return browsing.written(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return browsing.written(tmp_path_factory.mktemp("large"), browsing.large())


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    """A tab that notes what it asks for and what it complains about."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.said, page.asked = [], []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    context.close()


def go(tab: Any, report: Path, name: str, fragment: str = "") -> Any:
    tab.goto("about:blank")
    tab.goto((report / f"{name}.html").as_uri() + fragment)
    return tab


def expect_shown(tab: Any, count: int) -> None:
    """Wait for a number of rows; the page's policy lets no watcher in."""
    for _ in range(100):
        if tab.evaluate(SHOWN) == count:
            return
        tab.wait_for_timeout(20)
    assert tab.evaluate(SHOWN) == count


def test_nothing_is_said_and_nothing_asked_for_elsewhere(tab: Any, report: Path) -> None:
    for name in PAGES:
        go(tab, report, name)
    assert tab.said == []
    home = report.as_uri()
    assert [url for url in tab.asked if not url.startswith((home, "data:", "about:"))] == []


def test_filters_by_mouse(tab: Any, report: Path) -> None:
    go(tab, report, "index").select_option("select[name=verdict]", "refuted")
    assert tab.evaluate(SHOWN) == 1
    assert tab.text_content("output") == "1 of 5 claims"
    assert tab.url.endswith("#verdict=refuted")
    tab.click("button[type=reset]")
    expect_shown(tab, 5)  # E6 was not asked
    assert "#" not in tab.url
    tab.click(".tally a >> nth=0")
    expect_shown(tab, 1)


def test_finding_by_keyboard(tab: Any, report: Path) -> None:
    go(tab, report, "index").keyboard.press("/")
    tab.keyboard.type("SPHERE nonexp")
    assert tab.evaluate(SHOWN) == 0
    tab.keyboard.press("Control+A")
    tab.keyboard.type("sphere conditions")
    assert tab.evaluate(SHOWN) == 2
    tab.keyboard.press("Tab")
    tab.keyboard.press("v")  # verified, in the first list of choices
    assert tab.evaluate(SHOWN) == 1
    assert "verdict=verified" in tab.url


def test_a_filtered_overview_is_linked(tab: Any, report: Path) -> None:
    go(tab, report, "index", "#strength=trend&status=corrected&q=skipped")
    assert tab.evaluate(SHOWN) == 1
    assert tab.input_value("input[name=q]") == "skipped"
    assert tab.input_value("select[name=strength]") == "trend"


def test_a_link_opens_what_it_leads_to(tab: Any, report: Path) -> None:
    identifier = go(tab, report, "claims/E1").get_attribute("details h3[id]", "id")
    assert not tab.is_visible(f"#{identifier}")
    go(tab, report, "claims/E1", f"#{identifier}")
    assert tab.is_visible(f"#{identifier}")
    top = tab.evaluate(f"document.getElementById('{identifier}').getBoundingClientRect().top")
    assert 0 <= top < 900


def test_from_claim_to_claim_by_keyboard(tab: Any, report: Path) -> None:
    go(tab, report, "claims/E1").keyboard.press("]")
    tab.wait_for_url("**/E2.html")
    tab.keyboard.press("[")
    tab.wait_for_url("**/E1.html")


def test_a_place_shows_its_link_under_the_pointer(tab: Any, report: Path) -> None:
    name = go(tab, report, "claims/E1").get_attribute("tr[id] >> nth=0", "id")
    assert tab.locator("a.anchor").count() == 0
    tab.hover(f"tr[id='{name}'] th")
    assert tab.get_attribute("a.anchor", "href") == f"#{name}"
    tab.hover("#controls h2")
    assert tab.evaluate("[...document.querySelectorAll('a.anchor')].map((a) => a.hash)") == ["#controls"]
    tab.click("a.anchor")
    assert tab.url.endswith("#controls")


def test_rows_are_walked_by_arrows(tab: Any, large: Path) -> None:
    focused = "document.activeElement.textContent"
    go(tab, large, "index").focus("table.walked a >> nth=0")
    assert tab.evaluate(focused) == "X0"
    for key, name in (("ArrowDown", "X1"), ("ArrowDown", "X2"), ("ArrowUp", "X1"), ("Tab", "X9")):
        tab.keyboard.press(key)
        assert tab.evaluate(focused) == name, key
    tab.keyboard.press("Shift+Tab")
    assert tab.evaluate(focused) == "X1"  # a group is entered where it was left
    tab.fill("input[name=q]", "x4")
    tab.focus("table.walked tr:not([hidden]) a >> nth=0")
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate(focused).startswith("X4")


def test_formulas_are_set_in_the_font_that_comes_along(tab: Any, report: Path) -> None:
    go(tab, report, "claims/E1").evaluate("document.fonts.ready.then(() => true)")
    assert tab.evaluate("[...document.fonts].map((f) => [f.family, f.status])") == [["Report Math", "loaded"]]
    below = """() => {
      const box = document.querySelector("main .formula");
      box.innerHTML = MATH;
      const [lim, limit] = box.querySelector("munder").children;
      return limit.getBoundingClientRect().top - lim.getBoundingClientRect().bottom;
    }"""
    math = json.dumps(str(formula(r"\lim_{t\to0} x_t", "block")))
    assert tab.evaluate(below.replace("MATH", math)) > -8


def test_without_javascript_everything_is_there(browser: Any, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((report / "index.html").as_uri())
    assert not page.is_visible("form.filter")
    assert page.locator("tr[data-verdict]:visible").count() == 5
    page.goto((report / "claims" / "E1.html").as_uri())
    page.click("#evidence summary >> nth=0")
    assert page.is_visible("#evidence details pre >> nth=0")
    context.close()


@pytest.mark.parametrize("width", [320, 360, 768, 1280, 1920])
def test_no_page_scrolls_sideways(tab: Any, report: Path, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 800})
    for name in PAGES:
        assert go(tab, report, name).evaluate(WIDE) <= 0, name
        tab.evaluate(UNFOLD)
        assert tab.evaluate(WIDE) <= 0, f"{name}, unfolded"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(tab: Any, report: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    tab.emulate_media(color_scheme=scheme)
    for name in PAGES:
        go(tab, report, name).evaluate(UNFOLD)
        found = axe.run(tab).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == [], name


def test_html_is_parsed_without_complaint(report: Path) -> None:
    html5lib = pytest.importorskip("html5lib", reason="html5lib is not installed")
    for file in report.rglob("*.html"):
        html5lib.HTMLParser(strict=True).parse(file.read_text(encoding="utf-8"))


def test_a_full_report_stays_small_and_short(tab: Any, large: Path) -> None:
    pages = [file for file in large.rglob("*") if file.is_file() and file.name != "report.json"]
    records = sum(len(c["evidence"]) + len(c["controls"]) for c in browsing.large()["claims"])
    assert sum(file.stat().st_size for file in pages) < 400_000 + 850 * records
    assert (large / "index.html").stat().st_size < 300_000
    assert go(tab, large, "index").evaluate(HIGH) <= 2 * 900
    assert tab.evaluate(STOPS) < 40
    for name in ("graph", "coverage"):
        assert go(tab, large, name).evaluate(STOPS) < 40
    for claim in ("X1", "X30"):
        assert go(tab, large, f"claims/{claim}").evaluate(HIGH) <= 4 * 900
        assert tab.evaluate(STOPS) <= 40
    assert tab.said == []


def test_all_claims_on_paper(tab: Any, report: Path) -> None:
    pdf = go(tab, report, "print").pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 4
