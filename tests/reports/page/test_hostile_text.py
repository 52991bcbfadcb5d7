"""Pages show text as text: whatever a report holds, none of it runs where it is read."""

import copy
import json
import os
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from reports.page import site
from reports.page.comparison import compare

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "tests" / "reports" / "example"
HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'--><b>"


class Active(HTMLParser):
    """What of a page could run: scripts, handlers, and links that are none."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.inside = tag if tag in ("script", "style") else ""
        if tag in ("iframe", "object", "embed", "base"):
            self.found.add((tag, ""))
        for name, value in attrs:
            if name.startswith("on") or (value or "").lstrip().lower().startswith("javascript:"):
                self.found.add((name, value or ""))
            if tag == "img" and name == "src":
                self.found |= {("img", "x")} if value == "x" else set()

    def handle_data(self, data):
        if self.inside == "script" and "alert(" in data:
            self.found.add(("script", data))


def _texts(node, path=()):
    """Where strings stand in a report, places in lists left out."""
    if isinstance(node, str):
        yield path
    for key, value in node.items() if isinstance(node, dict) else ():
        yield from _texts(value, (*path, key))
    for value in node if isinstance(node, list) else ():
        yield from _texts(value, (*path, "*"))


def _replaced(node, path):
    """The report with the text at these places made hostile."""
    if not path:
        return node + HOSTILE
    if path[0] == "*":
        return [_replaced(value, path[1:]) if _reaches(value, path[1:]) else value for value in node]
    return node | {path[0]: _replaced(node[path[0]], path[1:])}


def _reaches(node, path):
    return path in set(_texts(node))


REPORT = json.loads((EXAMPLE / "report.json").read_text(encoding="utf-8"))
PLACES = sorted(set(_texts(REPORT)))
REFUSABLE = {"verdict", "strength", "kind", "role", "outcome", "status", "file", "place", "commit", "formula"}
"""Words and patterns of the schema, files that must be there, and formulas that must be shown."""


@pytest.fixture
def hostile(tmp_path):
    """The report with one kind of text made hostile, as a directory."""

    def made(path):
        folder = tmp_path / "report"
        folder.mkdir()
        content = _replaced(copy.deepcopy(REPORT), path)
        (folder / "report.json").write_text(json.dumps(content), encoding="utf-8")
        shutil.copytree(EXAMPLE / "figures", folder / "figures")
        return folder

    return made


@pytest.mark.parametrize("path", PLACES, ids=".".join)
def test_hostile_text_anywhere_in_a_report_is_shown_as_text_or_refused(hostile, path):
    folder = hostile(path)
    try:
        pages = site.render(folder)
    except ValueError:
        assert path[-1] in REFUSABLE, f"{path} is refused, not shown"
        return
    for name, text in pages.items():
        assert (folder / name).resolve().is_relative_to(folder.resolve()), name
        if name.endswith(".html"):
            assert not Active(text).found, name


def test_hostile_text_is_seen_where_it_is_not_escaped():
    assert len(Active(f"<p>{HOSTILE}</p>").found) >= 2
    assert not Active("<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>").found


def test_two_hostile_runs_are_compared_as_text():
    after = copy.deepcopy(REPORT)
    for claim in after["claims"]:
        claim["id"] += HOSTILE
        for record in claim["evidence"]:
            record["quantity"] += HOSTILE
            record["target"] += HOSTILE
    after["run"]["command"] += HOSTILE
    page = compare(REPORT, after).page()
    assert "alert" in page
    assert not Active(page).found


def test_a_hostile_name_of_a_file_reaches_the_pages_as_text(tmp_path):
    """From the command line to the page: the file of --target is named like a tag."""
    name = "<img src=x onerror=alert(1)>.npz"
    np.savez(tmp_path / name, points=np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    command = [sys.executable, "-m", "pytest", "--pyargs", "theorems.definitions.test_user_target", "-q"]
    options = [f"--target={name}", "--report=out", "-p", "no:cacheprovider"]
    ended = subprocess.run(
        [*command, *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    pages = [path.read_text(encoding="utf-8") for path in (tmp_path / "out").rglob("*.html")]
    assert any("onerror=alert" in page for page in pages), "the name is shown"
    assert not [found for page in pages if (found := Active(page).found)]
