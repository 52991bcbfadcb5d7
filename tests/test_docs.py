"""The documentation: its code runs as it stands, and the site builds without a warning."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
FENCED = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHORTER = (("range(2000)", "range(20)"), ("steps=400", "steps=20"))
"""Training takes minutes; its code runs as it stands but for the number of steps."""
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
