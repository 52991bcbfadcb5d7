"""The viewer's data are what the library computes, and its page moves by mouse and keyboard."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reports.page import fields, viewer
from tests.reports.page import browsing

DATA: dict[str, Any] = json.loads(fields.FILE.read_text(encoding="utf-8"))
NAMES = [shown.name for shown in fields.SHOWN]


def test_every_target_ships() -> None:
    assert [target["name"] for target in DATA["targets"]] == NAMES, "run python -m reports.page.fields"
    assert DATA["times"] == fields.TIMES.round(4).tolist()


@pytest.mark.parametrize("name", NAMES)
def test_the_data_are_what_is_computed(name: str) -> None:
    """To a hundredth, which is what the data are rounded to."""
    now = json.loads(json.dumps(fields.computed(fields.SHOWN[NAMES.index(name)])))
    then = DATA["targets"][NAMES.index(name)]
    assert now.keys() == then.keys()
    apart = np.abs(np.array(now["pairs"]) - np.array(then["pairs"]))
    assert apart.max() <= 1, "run python -m reports.page.fields"
    for part in ("optimal", "independent", "jacobian"):
        new, kept = fields.unpacked(now[part]), fields.unpacked(then[part])
        assert len(new) == len(kept) == len(fields.TIMES)
        assert np.abs(new - kept).max() <= 1.001 / DATA["unit"], f"{part}: run python -m reports.page.fields"


@pytest.mark.parametrize("name", NAMES)
def test_the_exact_field_is_curl_free_and_moves_pairs(name: str) -> None:
    """On the data alone: at a place that a pair passes, the field is x₁ − x₀ as far as a grid can say."""
    target = DATA["targets"][NAMES.index(name)]
    pairs = np.array(target["pairs"]).reshape(-1, 4) / DATA["unit"]
    line = np.linspace(-DATA["reach"], DATA["reach"], DATA["side"])
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    for t, values in zip(DATA["times"][:4], fields.unpacked(target["optimal"])[:4], strict=True):
        field = values.reshape(-1, 2)
        at = (1 - t) * pairs[:, :2] + t * pairs[:, 2:]
        nearest = ((at[:, None] - grid) ** 2).sum(axis=2)
        near = nearest.min(axis=1) < 0.05**2
        assert near.any()
        error = np.abs(field[nearest.argmin(axis=1)] - (pairs[:, 2:] - pairs[:, :2]))[near].max(axis=1)
        assert np.median(error) < 0.2


def test_numbers_are_packed_to_a_hundredth() -> None:
    given = [np.array([0.0, -0.01]), np.array([1.234, 49.999]), np.array([-60.0, 1e9])]
    read = [[0, -0.01], [1.23, 50], [-50, 50]]
    turns = [k * k % 3 for k in range(len(fields.TIMES))]
    seen = fields.unpacked(fields.packed([given[k] for k in turns]))
    np.testing.assert_allclose(seen, [read[k] for k in turns], atol=1e-12)


def test_the_page_is_one_small_file() -> None:
    page = viewer.page()
    assert len(page.encode()) < 2**20
    assert not re.search(r"https?://(?!www\.w3\.org)|src=|@import|url\(|fetch|XMLHttp|innerHTML|eval", page)
    assert page.count("<script") == 2


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "viewer.html").write_text(viewer.page(), encoding="utf-8")
    with browsing.chromium() as browser:
        page = browser.new_context(viewport={"width": 1000, "height": 900}, has_touch=True).new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.goto((tmp_path / "viewer.html").as_uri())
        page.wait_for_selector("canvas", state="visible")
        yield page


def test_it_moves_by_mouse_keyboard_and_touch(tab: Any) -> None:
    def drawn() -> str:
        return str(tab.evaluate("document.querySelector('canvas').toDataURL()"))

    seen = [drawn()]
    tab.focus("input[name=t]")
    tab.keyboard.press("ArrowRight")
    assert tab.text_content("output") == "t = 0.51"
    seen.append(drawn())
    for box in ("independent", "prox", "frames"):
        tab.check(f"input[name={box}]")
        seen.append(drawn())
    for name in NAMES[1:]:
        tab.select_option("select", name)
        seen.append(drawn())
    tab.tap("input[name=t]", position={"x": 20, "y": 5})
    seen.append(drawn())
    tab.click("button")
    for _ in range(100):  # the page's policy lets no watcher in
        if float(tab.input_value("input[name=t]")) > 0.2:
            break
        tab.wait_for_timeout(50)
    assert float(tab.input_value("input[name=t]")) > 0.2
    seen.append(drawn())
    assert len(set(seen)) == len(seen)
    assert "eigenframes of Dv_t" in tab.get_attribute("canvas", "aria-label")
    assert tab.said == []


def test_without_javascript_there_is_a_strip(tab: Any) -> None:
    context = tab.context.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(tab.url)
    assert page.is_visible("svg.strip")
    assert not page.is_visible("canvas")
    assert "without it" in page.text_content("main")
