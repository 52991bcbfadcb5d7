"""Whole runs of pytest in processes of their own: verdicts, exit statuses, what is written and when."""

import re

import pytest

from reports.schema import check
from tests.reports.house import GOOD, House

EVERY_VERDICT = """
CONTROLLED = "refuted", "swallowed", "raised", "partial", "open", "elsewhere", "silent", "xfail", "nan"

@pytest.mark.claim("A")
@given(x=st.floats(0, 1))
def test_check(evidence, x):
    evidence.on("Ball", t=x).certified("gap", x / 2, 1, "halves")

@pytest.mark.control("A", *CONTROLLED)
def test_control(evidence):
    evidence.control("wrong step", 0.25, 0.25, 1e-9, "closed form")

@pytest.mark.claim("refuted")
@given(x=st.floats(0, 1))
def test_refuted(evidence, x):
    evidence.certified("gap", x, 0.25, "made up")

@pytest.mark.claim("swallowed")
def test_swallowed(evidence):
    with pytest.raises(AssertionError):
        evidence.certified("gap", 2, 1, "made up")

@pytest.mark.claim("raised")
def test_raised(evidence):
    evidence.certified("gap", 0, 1, "made up")
    raise RuntimeError("no convergence")

@pytest.mark.claim("uncontrolled", "disagrees", "partial", "open", "elsewhere")
def test_fine(evidence):
    evidence.certified("gap", 0, 1, "made up")

@pytest.mark.control("disagrees")
def test_disagrees(evidence):
    evidence.control("wrong step", 0.25, 0.35, 1e-9, "closed form")

@pytest.mark.claim("partial")
def test_skipped(evidence):
    pytest.skip("no GPU here")

@pytest.mark.claim("silent")
def test_silent(evidence):
    pass

@pytest.mark.claim("xfail")
@pytest.mark.xfail
def test_xfail(evidence):
    evidence.certified("gap", 2, 1, "made up")

@pytest.mark.claim("nan")
def test_nan(evidence):
    evidence.certified("gap", [0.0, np.nan], 1, "made up")

@pytest.mark.control("unchecked")
def test_unchecked(evidence):
    evidence.control("wrong step", 0.25, 0.25, 1e-9, "closed form")

def test_audit(evidence):
    evidence.on("torchcfm").audit("Does it agree?", "deviates", 1.0, np.float64(2), "the closed form")
"""
EXPECTED = {
    "A": "verified",
    "refuted": "refuted",
    "swallowed": "refuted",
    "raised": "unsupported",
    "uncontrolled": "unsupported",
    "disagrees": "unsupported",
    "partial": "partial",
    "open": "open",
    "elsewhere": "partial",
    "silent": "unsupported",
    "xfail": "refuted",
    "nan": "refuted",
    "unchecked": "unsupported",
    "untested": "unsupported",
}
DECLARED = "".join(f'claim("{id}"),' for id in EXPECTED if id not in ("open", "elsewhere"))  # noqa: A001
DECLARED += 'claim("open", "open"), claim("elsewhere", modules=("theorems.demo.test_demo", "test_absent")),'


def test_every_verdict(house: House) -> None:
    house.build(EVERY_VERDICT, DECLARED)
    ran = house.run()
    verdicts = ran.verdicts
    untested = verdicts.pop("untested")
    assert untested == "not run", "a claim without any test in its modules"
    assert verdicts == {k: v for k, v in EXPECTED.items() if k != "untested"}
    assert ran.status == 1
    assert "test_silent recorded nothing: it checks silent and must leave evidence" in ran.output
    assert "5 failed" in ran.output
    check(ran.report)
    (audit,) = ran.report["audits"]
    assert (audit["subject"], audit["outcome"], audit["measured"]) == ("torchcfm", "deviates", 2.0)
    partial = next(claim for claim in ran.report["claims"] if claim["id"] == "partial")
    assert any("no GPU here" in note for note in partial["notes"])
    refuted = next(claim for claim in ran.report["claims"] if claim["id"] == "refuted")
    assert refuted["evidence"][0]["holds"] is False
    assert refuted["evidence"][0]["command"].startswith(
        "pytest --pyargs theorems.demo.test_demo::test_refuted"
    )


def test_a_good_house(house: House) -> None:
    ran = house.build().run()
    assert (ran.status, ran.verdicts) == (0, {"A": "verified"})
    assert "verified" in ran.output
    assert "report: " in ran.output
    page = (ran.directory / "claims" / "A.html").read_text()
    assert "Lemma A" in page


def test_a_test_alone_tells_what_it_measured(house: House) -> None:
    house.build()
    alone = house.run("theorems/demo/test_demo.py::test_check", where="", report=None).output
    assert "certified inequality: gap" in alone
    assert re.search(
        r"measured 0\.\d+, bound 1, share 0\.\d+; draws 20, points 20\n +worst case Ball, t=0\.\d+", alone
    )
    control = house.run("theorems/demo/test_demo.py::test_control", where="", report=None).output
    assert "measured 0.25, predicted 0.25 within 1e-09; draws 1, points 1" in control
    assert "worst case" not in house.run(report=None).output


@pytest.mark.parametrize("selection", [["-k", "check"], ["theorems/demo/test_demo.py::test_check"]])
def test_a_selection_is_partial(house: House, selection: list[str]) -> None:
    where = "" if "::" in selection[0] else "theorems"
    ran = house.build().run(*selection, where=where)
    assert (ran.status, ran.verdicts) == (0, {"A": "partial"})
    (claim,) = ran.report["claims"]
    assert claim["selected"] == 1
    assert any("test_control not selected" in note for note in claim["notes"])


def test_what_is_not_selected_is_not_run(house: House) -> None:
    more = GOOD.replace('"A"', '"B"')
    house.build(GOOD, 'claim("A"), claim("B", modules=("test_more",)),', test_more=more)
    ran = house.run(where="theorems/demo/test_more.py")
    assert (ran.status, ran.verdicts) == (0, {"A": "not run", "B": "verified"})


def test_nothing_is_written_unasked(house: House) -> None:
    house.build()
    before = sorted(house.path.rglob("*"))
    ran = house.run(report=None)
    after = [p for p in house.path.rglob("*") if not {"__pycache__", ".hypothesis"} & {*p.parts}]
    assert ran.status == 0
    assert sorted(after) == before


def test_nothing_collected_is_5_and_keeps_the_old_report(house: House) -> None:
    house.build()
    kept = house.run().report
    ran = house.run("-k", "no_such_test")
    assert ran.status == 5
    assert ran.report == kept


def test_a_collection_error_is_reported(house: House) -> None:
    house.build(
        GOOD, 'claim("A"), claim("B", modules=("test_broken",)),', test_broken="import no_such_module\n"
    )
    for arguments in ([], ["-n", "2"]):
        ran = house.run(*arguments)
        assert ran.status == 1, ran.output
        (error,) = ran.report["run"]["errors"]
        assert error["module"] == "theorems.demo.test_broken"
        assert "no_such_module" in error["message"]
        assert ran.verdicts == {"A": "verified", "B": "unsupported"}
        assert "no_such_module" in (ran.directory / "run.html").read_text()
        assert "test_broken" in (ran.directory / "index.html").read_text()


@pytest.mark.parametrize("arguments", [[], ["-n", "2"]])
def test_an_unknown_claim_fails_collection(house: House, arguments: list[str]) -> None:
    ran = house.build(GOOD.replace('claim("A")', 'claim("Z")')).run(*arguments)
    assert ran.status == 1
    assert "'Z'" in ran.report["run"]["errors"][0]["message"]
    assert "known: A" in ran.output


@pytest.mark.parametrize("mark", ["claim()", "claim(1)", "claim", 'claim(id="A")'])
def test_a_malformed_mark_fails_collection(house: House, mark: str) -> None:
    ran = house.build(GOOD.replace('claim("A")', mark)).run()
    assert ran.status == 1
    assert "write @pytest.mark.claim" in ran.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seed=-1"], "'-1'"),
        (["--seed=x"], "'x'"),
        (["--jobs=0"], "'0'"),
        (["--jobs=-2"], "'-2'"),
        (["--jobs=two"], "'two'"),
        (["--report=theorems"], "holds no report of ours"),
        (["--report=pytest.ini"], "a file"),
    ],
)
def test_bad_input_is_4_before_any_check(house: House, arguments: list[str], said: str) -> None:
    ran = house.build().run(*arguments, report=None)
    assert ran.status == 4
    assert said in ran.output
    assert "passed" not in ran.output


def test_a_report_beside_foreign_files_is_not_replaced(house: House) -> None:
    ran = house.build().run()
    (ran.directory / "notes.txt").write_text("mine")
    again = house.run()
    assert again.status == 4
    assert "notes.txt" in again.output
    assert (ran.directory / "notes.txt").read_text() == "mine"


def test_a_formula_that_cannot_be_shown_keeps_the_old_report(house: House) -> None:
    kept = house.build().run().report
    ran = house.build(GOOD, 'claim("A", formula=r"\\prox_{x}"),').run()
    assert ran.status == 1
    assert r"\\prox" in ran.output
    assert ran.report == kept


def test_the_false_alarm_budget(house: House) -> None:
    spends = GOOD + '\n@pytest.mark.claim("A")\ndef test_mean(evidence):\n    for _ in range({n}):\n'
    spends += '        evidence.statistical("mean", 0, 1, 1e-7, "Hoeffding")\n'
    within, beyond = (
        house.build(spends.replace("{n}", "9")).run(),
        house.build(spends.replace("{n}", "11")).run(),
    )
    assert (within.status, beyond.status) == (0, 1)
    assert beyond.verdicts == {"A": "verified"}
    assert "exceeds its budget" in beyond.output
    assert beyond.report["run"]["level_spent"] == pytest.approx(1.1e-6)


def test_trends_spend_the_levels_of_their_intervals(house: House) -> None:
    trends = GOOD + '\n@pytest.mark.claim("A")\ndef test_slope(evidence):\n'
    for name, level in (("one", "level=6e-7"), ("two", "level=3e-7"), ("exact", "")):
        trends += f'    evidence.trend("{name}", -1, (-1.1, -0.9), -1, "interval contains theory", {level})\n'
    trends += '    evidence.trend("below", -1, (-1.1, -0.9), 0, "interval lies below theory", level=3e-7)\n'
    ran = house.build(trends).run()
    assert ran.status == 1
    assert ran.report["run"]["level_spent"] == pytest.approx(1.2e-6)
    (claim,) = ran.report["claims"]
    said = {row["quantity"]: row["because"] for row in claim["evidence"] if row["strength"] == "trend"}
    assert said["one"] == "interval contains theory and excludes 0; it misses with probability at most 6e-07"
    assert said["exact"] == "interval contains theory and excludes 0"
    demonstrated = "a demonstration: a false claim meets that with probability at most 3e-07"
    assert said["below"] == f"interval lies below theory; {demonstrated}"


def test_marks_decide_what_may_be_recorded(house: House) -> None:
    unmarked = GOOD + '\ndef test_unmarked(evidence):\n    evidence.certified("gap", 0, 1, "b")\n'
    unmarked += (
        '\n@pytest.mark.claim("A")\ndef test_wrong(evidence):\n    evidence.certified("gap", 0, 1, "b")\n'
    )
    unmarked += '    evidence.control("v", 1, 1, 0.1, "b")\n'
    ran = house.build(unmarked).run()
    assert ran.status == 1
    assert "evidence belongs to a claim" in ran.output
    assert "a control belongs to a claim" in ran.output


def test_a_crashed_worker_leaves_the_claim_unsupported(house: House) -> None:
    crash = GOOD + '\n@pytest.mark.claim("A")\ndef test_crash(evidence):\n    import os\n    os._exit(3)\n'
    ran = house.build(crash).run("-n", "2")
    assert (ran.status, ran.verdicts) == (1, {"A": "unsupported"})
    assert any("crashed" in note for note in ran.report["claims"][0]["notes"])


def test_other_peoples_marks_are_left_alone(house: House) -> None:
    house.build()
    (house.path / "test_mine.py").write_text(
        "import sys, pytest\n@pytest.mark.claim('their own')\n@pytest.mark.control(3)\ndef test_mine(): "
        "assert not [n for n in sys.modules if n.split('.')[0] in ('numpy', 'hypothesis', 'reports')]\n"
    )
    quiet = ("-p", "no:hypothesispytest", "-p", "no:jaxtyping", "-p", "no:randomly")
    ran = house.run(*quiet, "-o", "markers=claim: ours\ncontrol: ours", where="test_mine.py", report=None)
    assert ran.status == 0, ran.output
    assert "theorems" not in ran.output.replace("otcfm-theorems", "")
