"""The kept example as a directory of its own, changed and rendered, and pages as a test reads them."""

import json
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from reports.page import site

EXAMPLE = Path(__file__).parents[1] / "example"
VOID = {"meta", "link", "br", "img", "input"}
OPEN_ENDED = {"td", "th", "tr", "li", "thead", "tbody", "option", "dt", "dd"}
"""Elements whose end tags HTML leaves out as it likes; html5lib holds the pages against its rules."""
Edit = Callable[[dict[str, Any]], object]


class Page(HTMLParser):
    """Text, identifiers, links and unbalanced tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.attributes: set[str] = set()
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.words += " " if tag in ("td", "th", "li", "p", "dd", "br", "tr") else ""
        self.attributes |= set(given)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if tag == "a" and "href" in given else []
        self.loaded += [given[name] or "" for name in ("src",) if name in given]
        self.loaded += [given["href"] or ""] if tag == "link" else []
        self.images += [given] if tag == "img" else []
        if tag not in VOID | OPEN_ENDED:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID | OPEN_ENDED:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID | OPEN_ENDED:
            assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.words += data

    @property
    def text(self) -> str:
        return " ".join(self.words.split())


@pytest.fixture(scope="session")
def pages() -> dict[str, Page]:
    """The pages of the kept example."""
    rendered = site.render(EXAMPLE)
    return {name: Page(text) for name, text in rendered.items() if name.endswith(".html")}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "report"))


@pytest.fixture
def change(copy: Path) -> Callable[[Edit], dict[str, str]]:
    """Render the example after an edit of its report.json."""

    def changed(edit: Edit) -> dict[str, str]:
        report = json.loads((copy / "report.json").read_text(encoding="utf-8"))
        edit(report)
        (copy / "report.json").write_text(json.dumps(report), encoding="utf-8")
        return site.render(copy)

    return changed
