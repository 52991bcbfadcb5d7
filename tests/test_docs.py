"""The documentation: its code runs as it stands, and the site builds without a warning."""

import doctest
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

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


PEER = re.compile(r"^(?:from|import) (torchcfm|flow_matching)\b", re.MULTILINE)
"""A block that imports a library which is no dependency; its other blocks run without it."""


def peers(text):
    """The peers that blocks of a page import."""
    return {name for block in FENCED.findall(text) for name in PEER.findall(block)}


def run(page, peer, folder, monkeypatch):
    """The blocks of a page follow each other: those without a peer and those with this one."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("OTCFM_CACHE", str(folder / "cache"))
    names: dict[str, object] = {"__name__": page.stem}
    text = page.read_text(encoding="utf-8")
    for printed, shorter in SHORTER:
        text = text.replace(printed, shorter)
    for number, block in enumerate(FENCED.findall(text)):
        if set(PEER.findall(block)) <= {peer}:
            exec(compile(block, f"{page.name}, block {number}", "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_of_a_page_runs_in_an_empty_folder(page, tmp_path, monkeypatch):
    run(page, None, tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("page", "peer"),
    [(page, peer) for page in PAGES for peer in sorted(peers(page.read_text(encoding="utf-8")))],
    ids=lambda value: value if isinstance(value, str) else value.stem,
)
def test_code_for_a_peer_runs_where_it_is_installed(page, peer, tmp_path, monkeypatch):
    pytest.importorskip(peer, reason=f"{peer} is a peer, not a dependency")
    run(page, peer, tmp_path, monkeypatch)


def test_blocks_for_a_peer_are_run_with_it_alone(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    blocks = (
        "done = [0]",
        "import torchcfm\ndone.append(1)",
        "from flow_matching import path\ndone.append(2)",
    )
    ended = "from pathlib import Path\nPath('done').write_text(str(done))"
    page.write_text("".join(f"```python\n{block}\n```\n\n" for block in (*blocks, ended)))
    monkeypatch.setitem(sys.modules, "torchcfm", ModuleType("torchcfm"))
    assert peers(page.read_text()) == {"torchcfm", "flow_matching"}
    for peer, expected in ((None, "[0]"), ("torchcfm", "[0, 1]")):
        run(page, peer, tmp_path, monkeypatch)
        assert (tmp_path / "done").read_text() == expected


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
