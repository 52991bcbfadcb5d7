"""The page says everything that report.json says, needs nothing from elsewhere, and fits a phone."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from reports.evidence import RECORDS
from reports.html import render
from reports.mathml import number

EXAMPLE = Path(__file__).parent / "example"
VOID = {"meta", "link", "br", "img", "circle", "path", "mspace"}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "report"))


@pytest.fixture
def change(copy: Path) -> Callable[[Callable[[dict[str, Any]], None]], str]:
    def changed(edit: Callable[[dict[str, Any]], None]) -> str:
        report = json.loads((copy / "report.json").read_text())
        edit(report)
        (copy / "report.json").write_text(json.dumps(report))
        return render(copy)

    return changed


class Page(HTMLParser):
    """Text, identifiers, links and unbalanced tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.ids += [given["id"]] if given.get("id") else []
        self.links += [given["href"]] if tag == "a" and given.get("href") else []
        self.images += [given] if tag == "img" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.words += data


def shown(value: float) -> str:
    return " ".join(Page(str(number(value))).words.split())


def test_everything_appears() -> None:
    page = Page(render(EXAMPLE))
    report = json.loads((EXAMPLE / "report.json").read_text())
    words = " ".join(page.words.split())
    for claim in report["claims"]:
        assert f"claim-{claim['id']}" in page.ids
        assert claim["verdict"] in words
        for record in (*claim["evidence"], *claim["controls"]):
            assert record["command"] in words
            assert record["worst"] in words
            assert "$" in record["because"] or record["because"] in words
            assert f"chosen: {record['chosen']}" in words or not record["chosen"]
            assert f"{record['left_out']} left out" in words or not record["left_out"]
            assert f"{record['at_kinks']} at kinks" in words or not record["at_kinks"]
        for record in claim["evidence"]:
            if record["by"] is not None:
                assert f"Estimated by {record['by']}." in words
            if record["rounding"] is not None:
                assert f"main {shown(record['main'])}" in words
                assert f"rounding {shown(record['rounding'])}" in words
                counted = f"Rounding, counted {shown(record['rounding_count'])}: "
                assert counted + record["rounding_because"] in words
        for note in claim["notes"]:
            assert note in words
        for figure in claim["figures"]:
            assert figure["alt"] in [image["alt"] for image in page.images]
    for audit in report["audits"]:
        assert audit["question"] in words
        assert f"It {audit['outcome']}." in words
    for record in RECORDS:
        assert record.meaning[1:].replace("*", "") in words
    assert page.tags.count("math") >= len(report["claims"])
    assert report["run"]["command"] in words


def test_the_page_is_well_formed() -> None:
    page = Page(render(EXAMPLE))
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert all(image["alt"] for image in page.images)


def test_nothing_comes_from_elsewhere() -> None:
    page = render(EXAMPLE)
    assert not re.search(r"https?://", page)
    assert not re.search(r"<script|@import|url\(", page)
    assert set(re.findall(r'src="([^":]*:)', page)) == {"data:"}


def test_the_same_report_gives_the_same_page() -> None:
    assert render(EXAMPLE) == render(EXAMPLE)


def test_text_is_escaped(change: Callable[[Callable[[dict[str, Any]], None]], str]) -> None:
    def edit(report: dict[str, Any]) -> None:
        report["claims"][0]["evidence"][0]["because"] = "<script>alert(1)</script> & so on"
        report["claims"][0]["evidence"][0]["worst"] = "<b>Ball</b>"
        report["claims"][0]["notes"] = ["<i>note</i>"]

    page = change(edit)
    assert "<script>" not in page
    assert "<b>Ball" not in page
    assert "<i>note" not in page


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda r: r["claims"][0].update(formula=r"\prox(x)"), "prox"),
        (lambda r: r["claims"][0].update(statement="a lone $ sign"), "lone"),
        (lambda r: r["claims"][0].update(verdict="fine"), "fine"),
        (lambda r: r["claims"][0]["figures"][0].update(file="figures/absent.svg"), "absent"),
        (lambda r: r["claims"][0]["figures"][0].update(file="figures/../../x.svg"), "figures"),
        (lambda r: r.update(schema=1), "schema"),
    ],
)
def test_what_cannot_be_shown_is_named(
    change: Callable[[Callable[[dict[str, Any]], None]], str], edit: Any, named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        change(edit)


def test_rendering_anew_from_the_command_line(copy: Path) -> None:
    words = [sys.executable, "-m", "reports"]
    done = subprocess.run([*words, str(copy)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (copy / "index.html").read_text() == render(EXAMPLE)
    (copy / "report.json").write_text("{}")
    done = subprocess.run([*words, str(copy)], capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "report.json" in done.stderr


MEASURE = """<!doctype html><body style="margin:0">
<iframe id="f" style="width:{width}px;height:900px;border:0"></iframe>
<p id="answer"></p><script>
const frame = document.getElementById("f");
frame.onload = () => {{
  const page = frame.contentDocument, wide = page.documentElement.scrollWidth, loose = [];
  for (const e of page.querySelectorAll("body *")) {{
    if (e.getBoundingClientRect().right > {width} + 1 && !e.closest(".scroll") && !e.closest("math"))
      loose.push(e.tagName + "." + e.className);
  }}
  document.getElementById("answer").textContent = "wide=" + wide + " loose=[" + loose.slice(0, 5) + "]";
}};
frame.srcdoc = {page};
</script></body>"""


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_page_fits_its_window(tmp_path: Path, width: int) -> None:
    """Wide tables and formulas scroll inside their own boxes; the page itself never scrolls sideways."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    source = json.dumps(render(EXAMPLE)).replace("</", "<\\/")
    harness = tmp_path / "measure.html"
    harness.write_text(MEASURE.format(width=width, page=source), encoding="utf-8")
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    )
    flags += (
        " --disable-component-update --disable-sync --hide-scrollbars --virtual-time-budget=5000 --dump-dom"
    )
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    words = [
        chromium,
        *flags.split(),
        profile,
        f"--window-size={max(width, 500) + 20},1000",
        harness.as_uri(),
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    answer = re.search(r'<p id="answer">(.*?)</p>', done.stdout)
    assert answer, done.stderr[-2000:]
    assert answer[1] == f"wide={width} loose=[]"
