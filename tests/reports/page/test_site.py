"""The pages say everything that report.json says, agree with each other, and load nothing from elsewhere."""

import json
import posixpath
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports.evidence.records import RECORDS
from reports.page import site
from reports.page.mathml import number
from reports.page.rows import stable_id
from tests.reports.page.conftest import EXAMPLE, Edit, Page

REPORT: dict[str, Any] = json.loads((EXAMPLE / "report.json").read_text(encoding="utf-8"))
Change = Callable[[Edit], dict[str, str]]


def shown(value: float, digits: int = 3) -> str:
    return Page(str(number(value, digits))).text


@pytest.mark.parametrize("claim", REPORT["claims"], ids=lambda claim: claim["id"])
def test_a_claims_page_says_everything_about_it(pages: dict[str, Page], claim: dict[str, Any]) -> None:
    """On it, or on that of an earlier claim to which it links."""
    page = pages[f"claims/{claim['id']}.html"]
    assert claim["verdict"] in page.text
    for record in (*claim["evidence"], *claim["controls"]):
        text = _told(pages, page, record)
        file, _, line = record["place"].rpartition(":")
        for part in (record["command"], record["worst"], file, f"line {line}"):
            assert part in text
        assert shown(record["measured"], 4 if "violation" in record else 3) in text
        assert "$" in record["because"] or record["because"] in text
        assert f"chosen: {record['chosen']}" in text or not record["chosen"]
        assert f"{record['left_out']} left out" in text or not record["left_out"]
        assert f"{record['at_kinks']} at kinks" in text or not record["at_kinks"]
    for record in claim["evidence"]:
        assert f"{record['strength']} {record['kind']}" in page.text
        text = _told(pages, page, record)
        assert record["by"] is None or f"Estimated by {record['by']}." in text
        if record["rounding"] is not None:
            assert f"Rounding, counted {shown(record['rounding_count'])}: " in text
            assert record["rounding_because"] in text
    for note in claim["notes"]:
        assert note in page.text
    for figure in claim["figures"]:
        assert figure["title"] in page.text
    for clause in claim["clauses"]:
        assert clause["name"] in page.text


def test_sources_of_rounding_are_listed_once(change: Change) -> None:
    sources = [f"the source called {letter}" for letter in "abcde"]

    def edit(report: dict[str, Any]) -> None:
        for record in report["claims"][0]["evidence"]:
            if record["rounding"] is not None:
                record["rounding_because"] = "; ".join(sources)

    text = Page(change(edit)["claims/E1.html"]).text
    assert "1–5 of the list below." in text
    assert "5 sources of rounding, by number" in text
    assert [text.count(source) for source in sources] == [1] * 5


def _told(pages: dict[str, Page], page: Page, record: dict[str, Any]) -> str:
    """The text of the page that tells a record's test whole: this one, or one that it leads to."""
    if record["command"] in page.text:
        return page.text
    role = record.get("role", "violation")
    place = stable_id("t", record["test"], role)
    (link,) = [link for link in page.links if link.endswith(f"#{place}") and not link.startswith("#")]
    return pages[f"claims/{link.partition('#')[0]}"].text


def test_what_two_claims_share_is_told_once(pages: dict[str, Page]) -> None:
    told = [record["command"] for record in REPORT["claims"][3]["evidence"]]
    assert told
    for command in set(told):
        assert [name for name, page in pages.items() if command in page.text] == ["claims/E1.html"]


def test_a_bar_is_drawn_for_errors_alone(change: Change) -> None:
    def bars(kind: str, bound: float) -> int:
        def edit(report: dict[str, Any]) -> None:
            for claim in report["claims"]:
                for record in claim["evidence"]:
                    if record["failures"] is None and record["interval"] is None:
                        record |= {"kind": kind, "bound": bound, "measured": 0.0, "share": 0.0, "holds": True}

        return sum(text.count("class=share") for text in change(edit).values())

    assert bars("error", 1.0) > 3
    assert bars("error", 0.0) == bars("inequality", 1.0) == bars("margin", 1.0) == 0


def test_the_overview_counts_and_names_what_fails_first(pages: dict[str, Page]) -> None:
    text = pages["index.html"].text
    for verdict in ("refuted", "unsupported", "partial", "verified", "open", "not run"):
        assert f"1 {verdict}" in text
    assert text.index("E2 A claim that is refuted") < text.index("How to read.") < text.index("Every claim")
    assert "step 2 λ instead of λ 0.333 0.333 0" in text.replace("2λ", "2 λ")


def handed_in(report: dict[str, Any], command: str, **kinds: str) -> None:
    """A run of a user's own: two audits of each outcome a subject, and no claim asked."""
    report["run"]["command"] = command
    report["audits"] = [
        report["audits"][0]
        | {"subject": subject, "kind": kind, "outcome": outcome, "target": "", "question": question}
        for subject, kind in kinds.items()
        for outcome in ("agrees", "deviates", "cannot be told", "informs")
        for question in (f"H1: {outcome}?", f"In short (1 of 2): {outcome} in short?")
    ]


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("--target='my cloud.csv' --flow='my:net()(x, t)'", {"my cloud.csv", "my:net() of w.pt, label 3"}),
        ("--target=elsewhere/cloud.csv", set()),
        ("--flow=my:net()", {"my:net() of w.pt, label 3"}),
        ("--flow=other:net", set()),
        ("", set()),
    ],
)
def test_what_was_handed_in_comes_first(change: Change, given: str, asked: set[str]) -> None:
    """With counts and its first lines; what was not, as networks of ours, does not."""
    kinds = {"my cloud.csv": "data", "my:net() of w.pt, label 3": "flow", "torchcfm": "library"}

    def edit(report: dict[str, Any]) -> None:
        handed_in(report, f"pytest theorems {given}", **kinds)

    text = Page(change(edit)["index.html"]).text
    counted = "8 questions: 2 agree, 2 deviate, 2 cannot be told, 2 inform."
    assert text.count(counted) == len(asked)
    claims = text.index("The paper says")
    assert ("What was found of yours" in text) == bool(asked)
    for subject in asked:
        start = text.index(f"{subject} ", text.index("What was found of yours"))
        places = [
            start,
            *(text.index(told, start) for told in (counted, "agrees in short?", "H1: deviates?")),
        ]
        places += [
            text.index("1 question cannot be told", start),
            text.index("H1: cannot be told?", start),
            claims,
        ]
        assert places == sorted(places)
    assert "H1: agrees?" not in text


def test_claims_that_were_not_asked_are_no_part_of_the_first_screen(change: Change) -> None:
    def edit(report: dict[str, Any]) -> None:
        handed_in(report, "pytest theorems -k user_flow --flow=my:net", **{"my:net": "flow"})
        for claim in report["claims"]:
            claim |= {"selected": 0, "ran": 0, "verdict": "not run", "evidence": [], "controls": []}

    text = Page(change(edit)["index.html"]).text
    assert "points were checked" not in text
    assert "not run" not in text
    assert "The paper says" not in text
    assert text.index("2 cannot be told, 2 inform.") < text.index("was asked for a verdict in this run")


POWER = {
    "code": "a1b2c3d4e5f6",
    "current": True,
    "tried": 387,
    "noticed": 351,
    "interval": [0.8725, 0.9344],
    "claims": {"E1": 3, "E2": 2},
}
VERSION = {
    True: "measured on this very code, a1b2c3d4e5f6",
    False: "measured on an earlier version of the code, a1b2c3d4e5f6; not repeated since",
}


def powered(change: Change, power: dict[str, Any] | None) -> dict[str, str]:
    pages = change(lambda report: report["provenance"].update(power=power))
    return {name: Page(text).text for name, text in pages.items() if name.endswith(".html")}


@pytest.mark.parametrize("current", [True, False])
def test_the_power_of_the_checks_is_said_as_it_was_measured(change: Change, current: bool) -> None:
    text = powered(change, POWER | {"current": current})["index.html"]
    said = "Of 387 faults put into the code, its checks noticed 351: between 87.2 and 93.4 % of all such"
    assert f"{said} ({VERSION[current]})." in text
    assert VERSION[not current] not in text


def test_the_run_says_where_its_time_went(change: Change) -> None:
    claim = REPORT["claims"][0]["id"]
    pages = change(lambda report: report["provenance"].update(seconds_by_claim={claim: 12.5}))
    page = Page(pages["run.html"])
    assert f"{claim} 12.5 s" in page.text
    without = change(lambda report: report["provenance"].pop("seconds_by_claim", None))
    assert "Where the time went" not in Page(without["run.html"]).text


def test_no_power_is_said_where_none_was_measured(change: Change) -> None:
    pages = powered(change, None)
    assert "No measurement of what share of faults" in pages["index.html"]
    assert not any("to notice" in text for name, text in pages.items() if name.startswith("claims/"))
    with pytest.raises(ValueError, match="power"):
        powered(change, {"tried": 387})


@pytest.mark.parametrize("current", [True, False])
def test_a_claim_says_how_many_faults_its_checks_noticed_first(change: Change, current: bool) -> None:
    pages = powered(change, POWER | {"current": current})
    head = "Of 387 faults put into the code, its checks and controls were the first to notice"
    tail = f"; only the first to fail is counted, so that this is the least ({VERSION[current]})."
    assert f"{head} 3{tail}" in pages["claims/E1.html"]
    assert f"{head} 2, fewer than 3{tail}" in pages["claims/E2.html"]
    assert head not in pages["claims/E3.html"]  # a claim that was not there then
    assert "noticed first by the checks and controls of E2; only the first" in pages["run.html"]


def test_audits_are_told_apart_and_can_be_repeated(pages: dict[str, Page]) -> None:
    (audit,) = REPORT["audits"]
    text = pages["audits.html"].text
    for part in ("subject", "question", "outcome", "because", "target", "command"):
        assert audit[part] in text
    assert f"{shown(audit['expected'])} {shown(audit['measured'])}" in text


def test_what_is_in_short_stands_first_and_what_is_obvious_nowhere(change: Change) -> None:
    questions = ("H1: what is asked?", "In short (1 of 4): how OT-like?")

    def audited(target: str) -> str:
        def add(report: dict[str, Any]) -> None:
            audit = report["audits"][0] | {"subject": f"net {target}", "target": target}
            report["audits"] += [audit | {"question": question} for question in questions]

        text = Page(change(add)["audits.html"]).text
        return text[text.index(f"net {target}") :]

    text = audited("net elsewhere")
    assert text.index("In short") < text.index("H1: what")
    assert "Question On Answer Expected" in text
    assert "Question Answer Expected" in audited("")


def test_the_run_and_the_guide(pages: dict[str, Page]) -> None:
    run, guide = pages["run.html"].text, pages["guide.html"].text
    made = REPORT["provenance"]
    assert made["commit"] in run
    assert made["processor"] in run
    assert REPORT["run"]["command"] in run
    assert all(test["reason"] in run for test in made["skipped"])
    for record in RECORDS:
        assert record.meaning[1:].replace("*", "") in guide


def test_pages_are_well_formed_and_links_lead_somewhere(pages: dict[str, Page]) -> None:
    data = {"report.json", "report.schema.json"}
    for name, page in pages.items():
        assert page.open == [], name
        assert len(page.ids) == len(set(page.ids)), name
        assert "style" not in page.attributes, name
        assert not {a for a in page.attributes if a.startswith("on")}, name
        for link in page.links:
            if link.startswith("https://"):
                assert re.match(r"https://(doi|arxiv)\.org/", link)
                continue
            file, _, place = link.partition("#")
            file = posixpath.normpath(posixpath.join(posixpath.dirname(name), file)) if file else name
            assert file in pages or file in data, (name, link)
            assert not place or "=" in place or place in pages[file].ids, (name, link)


def test_nothing_is_loaded_from_elsewhere(pages: dict[str, Page]) -> None:
    rendered = site.render(EXAMPLE)
    for name, page in pages.items():
        assert "default-src 'none'" in rendered[name]
        for loaded in page.loaded:
            file = posixpath.normpath(posixpath.join(posixpath.dirname(name), loaded))
            assert loaded == "data:," or file in rendered or (EXAMPLE / file).is_file(), (name, loaded)
    style, script = (rendered[f"assets/report.{kind}"] for kind in ("css", "js"))
    assert not re.search(r"@import|url\((?!data:font/woff;base64,|\"data:image/svg\+xml,|%23m\))", style)
    assert not re.search(r"fetch|XMLHttpRequest|import\(|innerHTML|eval", script)
    assert len(script) < 20_000


def test_the_same_report_gives_the_same_pages() -> None:
    assert site.render(EXAMPLE) == site.render(EXAMPLE)


FREE = ("because", "worst", "command", "test", "target", "chosen", "subject", "quantity", "violation", "by")
"""Members of records whose text is whatever a user's files, modules and checks are called."""


def hostile(report: dict[str, Any]) -> None:
    """Put a script into every text that a report takes from elsewhere; each says where it stands."""

    def script(place: str) -> str:
        return f'<script>{place}</script> & "so" on'

    claim = report["claims"][0]
    for record in (*claim["evidence"], *claim["controls"], *report["audits"]):
        record |= {name: script(name) for name in FREE if isinstance(record.get(name), str)}
    claim |= {name: script(name) for name in ("title", "id", "theorem", "source", "label", "statement")}
    claim |= {"notes": [script("notes")], "assumptions": [script("assumptions")]}
    claim["clauses"][0] |= {"text": script("text")}
    claim["tables"][0] |= {
        "title": script("table"),
        "columns": [script("column")],
        "rows": [[script("cell")]],
    }
    claim["figures"][0] |= {"alt": script("alt"), "title": script("figure")}
    report["claims"][1]["depends"] = [script("depends")]
    report["run"]["command"], report["provenance"]["processor"] = script("run"), script("processor")


def scripts(pages: dict[str, str]) -> set[str]:
    """Where a script of ours has become one of the page."""
    written = [text for name, text in pages.items() if name.endswith(".html") and name != "viewer.html"]
    return {place for text in written for place in re.findall(r"<script>(\w+)</script>", text)}


def test_text_is_escaped(change: Change) -> None:
    pages = change(hostile)
    assert scripts(pages) == set()
    for name, text in pages.items():
        if name.endswith(".html") and name != "viewer.html":  # which holds no text of a report
            assert Page(text).tags.count("script") == 1, name
    assert sum(text.count("&lt;script&gt;") for text in pages.values()) > 40
    assert all(".." not in name and "<" not in name for name in pages)


def test_without_escaping_the_same_texts_are_scripts(change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test before: the very same report in templates that do not escape."""
    made = site.Environment
    monkeypatch.setattr(site, "Environment", lambda **words: made(**words | {"autoescape": False}))
    site.environment.cache_clear()
    try:
        found = scripts(change(hostile))
    finally:
        site.environment.cache_clear()
    assert found >= {
        "worst",
        "command",
        "subject",
        "id",
        "theorem",
        "notes",
        "alt",
        "depends",
        "run",
        "processor",
    }


def test_the_place_of_a_test_is_no_free_text(change: Change) -> None:
    with pytest.raises(ValueError, match="place"):
        change(lambda report: report["claims"][0]["evidence"][0].update(place="<script>"))


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda r: r["claims"][0].update(formula=r"\prox(x)"), "prox"),
        (lambda r: r["claims"][0].update(statement="a lone $ sign"), "lone"),
        (lambda r: r["claims"][0].update(verdict="fine"), "fine"),
        (lambda r: r["claims"][0]["figures"][0].update(file="figures/absent.svg"), "absent"),
        (lambda r: r["claims"][0]["figures"][0].update(file="figures/../../x.svg"), "figures"),
        (lambda r: r.update(schema=1), "schema 1"),
    ],
)
def test_what_cannot_be_shown_is_named(change: Change, edit: Edit, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        change(edit)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reports", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_rendering_anew_from_the_command_line(copy: Path) -> None:
    done = run(str(copy))
    assert done.returncode == 0, done.stderr
    for name, text in site.render(EXAMPLE).items():
        assert (copy / name).read_text(encoding="utf-8") == text


DAMAGED = {
    "cut off": (b'{"schema": 2, "run"', "damaged"),
    "empty": (b"", "damaged"),
    "not UTF-8": (b"\xff\xfe{}", "no UTF-8 at byte 0"),
    "NaN": (b'{"schema": 2, "run": NaN}', "NaN"),
    "nested": (b"[" * 100_000, "damaged"),
    "another project's": (b'{"tests": []}', "no report of this project"),
    "a list": (b"[1]", "no report of this project"),
    "an earlier schema": (b'{"schema": 1, "claims": [], "run": {}}', "schema 1"),
    "a later schema": (b'{"schema": 3, "claims": [], "run": {}}', "schema 3"),
    "incomplete": (b'{"schema": 2}', "required property"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_bad_report_gets_one_line_and_writes_nothing(tmp_path: Path, kind: str) -> None:
    content, said = DAMAGED[kind]
    (tmp_path / "report.json").write_bytes(content)
    for words in (
        [str(tmp_path)],
        ["diff", str(tmp_path), str(EXAMPLE)],
        ["diff", str(EXAMPLE), str(tmp_path)],
    ):
        done = run(*words)
        assert done.returncode == 4
        assert done.stdout == ""
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
        assert str(tmp_path) in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.parametrize("name", ["absent", "file"])
def test_no_report_at_all(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("words", encoding="utf-8")
    done = run(str(tmp_path / name))
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
