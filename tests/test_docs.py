"""The documentation: its code runs as it stands, and the site builds without a warning."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from numerics import potentials
from numerics.potentials.instances import instances

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
FENCED = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHORTER = (("range(2000)", "range(20)"), ("steps=400", "steps=20"))
"""Training takes minutes; its code runs as it stands but for the number of steps."""
PROMPT = re.compile(r"^```pycon\n(.*?)^```", re.MULTILINE | re.DOTALL)
LOADED = re.compile(r"""<(?:script|link|img|iframe)[^>]*(?:src|href)=["'](?:https?:)?//""")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_of_a_page_runs_in_an_empty_folder(page, tmp_path, monkeypatch):
    """Blocks of one page follow each other."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OTCFM_CACHE", str(tmp_path / "cache"))
    names: dict[str, object] = {"__name__": page.stem}
    text = page.read_text(encoding="utf-8")
    for printed, run in SHORTER:
        text = text.replace(printed, run)
    for number, block in enumerate(FENCED.findall(text)):
        exec(compile(block, f"{page.name}, block {number}", "exec"), names)


def test_gallery_has_a_card_of_every_family_and_rule_that_does_what_it_shows(tmp_path, monkeypatch):
    """The cards' sessions are run from what is printed: the reprs are calls, and the prox finds the data."""
    monkeypatch.syspath_prepend(str(DOCS))
    from gallery import gallery

    page = gallery(tmp_path)
    families = {type(instance.potential).__name__ for instance in instances()}
    assert set(re.findall(r"^## (\w+)$", page, re.MULTILINE)) == families
    assert {path.stem for path in tmp_path.glob("*.png")} == families
    assert page.count("W₂² from noise: ") == len(families)
    sessions = PROMPT.findall(page)
    assert len(sessions) == len(families)
    names = {"np": np, "stats": stats, "array": np.array} | {
        name: getattr(potentials, name) for name in potentials.__all__
    }
    runner = doctest.DocTestRunner(verbose=False)
    for session in sessions:
        assert session.rstrip().endswith("True")
        example = doctest.DocTestParser().get_doctest(session, dict(names), "gallery", "gallery.md", 0)
        printed: list[str] = []
        assert runner.run(example, out=printed.append).failed == 0, "".join(printed)


def test_the_site_builds_without_warnings_and_loads_nothing_from_elsewhere(tmp_path):
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-b",
        "html",
        str(DOCS),
        str(tmp_path),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > len(PAGES)
    for page in pages:
        assert not LOADED.search(page.read_text(encoding="utf-8")), page
    assert "<math" in (tmp_path / "tutorial.html").read_text(encoding="utf-8")
