"""A user's point cloud: what an auditor records of it, and whole runs with it."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from numerics.accuracy import Rounding
from numerics.transport import save_heights
from reports.evidence.auditor import Auditor
from reports.evidence.fixture import Evidence
from reports.evidence.recorder import Recorder
from reports.schema import check
from tests.reports.house import GOOD, House, Ran
from tests.theorems.setting.user.test_targets import BAD, SQUARE, write

AUDITS = """
def test_mine(evidence, user_target):
    auditor = evidence.auditing(user_target.name, "A")
    auditor.certified("error", user_target.solution.error, 64 * 2.0**-52, "rounding")
    auditor.certified("size", 2.0, 1.0, "too small a bound")
"""


# --- what an auditor records --------------------------------------------------------------------------


def test_an_auditor_keeps_the_worst_case_and_asserts_nothing() -> None:
    recorder = Recorder(takes_evidence=False, takes_controls=False)
    auditor = Evidence(recorder).auditing("cloud.npz", "P2")
    for t, error in ((0.1, [1e-17, 2e-17]), (0.5, [1e-16, 3.0]), (0.9, [0.0, 0.0])):
        auditor.on("FiniteAtoms", t=t).bounded(
            "error", error, Rounding(1.0, 4, "four roundings"), "b", left_out=2, at_kinks=1, chosen="four"
        )
    (audit,) = recorder.audits.values()
    assert (audit.subject, audit.kind, audit.outcome, audit.measured) == (
        "cloud.npz",
        "data",
        "deviates",
        3.0,
    )
    assert audit.question == "P2: is error within its bound?"
    assert audit.expected == "at most 4.44e-16"
    seen = "6 points in 3 cases, 3 of them at kinks, 6 left out, worst at t=0.5, chosen: four"
    assert seen in audit.because
    assert not recorder.evidence
    assert not recorder.beyond


def test_an_auditor_takes_every_strength_but_no_control() -> None:
    recorder = Recorder()
    auditor = Auditor(recorder, "lib", "library", "P1")
    auditor.exact("identity", [True, False], "integers")
    auditor.certified("gap", np.nan, 1.0, "strong convexity")
    auditor.bounded("error", 0.1, Rounding(1.0, 1, "one"), "nonexpansive", main=0.2)
    auditor.estimated("length", 3.0, 2.0, "two resolutions", "fourth order")
    auditor.trend("rate", -1.0, (-1.1, -0.9), -1.0, "interval contains theory")
    auditor.statistical("mean", 0.1, 0.2, 1e-9, "Hoeffding")
    auditor.ended_in(RuntimeError("no convergence"), "a step")
    found = {audit.question[4:]: (audit.outcome, audit.measured) for audit in recorder.audits.values()}
    assert found == {
        "is identity within its bound?": ("deviates", 1.0),
        "is gap within its bound?": ("deviates", "nan"),
        "is error within its bound?": ("agrees", 0.1),
        "is length within its bound?": ("deviates", 3.0),
        "is rate within its bound?": ("agrees", -1.0),
        "is mean within its bound?": ("agrees", 0.1),
        "can it be asked? (a step)": ("cannot be told", "RuntimeError: no convergence"),
    }
    assert recorder.level == 0
    with pytest.raises(TypeError, match="cannot be an audit"):
        auditor.control("violation", 1, 1, 0.1, "closed form")


# --- whole runs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["sum", "NaN"])
def test_a_bad_file_is_4_and_nothing_is_written(house: House, case: str) -> None:
    arrays, words = BAD[case]
    file = write(house.path / "cloud.npz", **arrays)
    ran = house.build().run(f"--target={file}")
    assert ran.status == 4
    (line,) = [line for line in ran.output.splitlines() if line.startswith("ERROR")]
    assert all(word in line for word in ("cloud.npz", *words)), line
    assert "passed" not in ran.output
    assert not ran.directory.exists()


def test_audits_run_with_a_target_alone(house: House) -> None:
    file = write(house.path / "cloud.npz", points=SQUARE, weights=[0.1, 0.2, 0.3, 0.4])
    house.build(GOOD, test_mine=AUDITS)
    without = house.run()
    assert without.status == 0
    assert "2 passed" in without.output
    assert "deselected" not in without.output
    assert "skipped" not in without.output
    assert without.report["audits"] == []
    for arguments in ([], ["-n", "2"]):
        ran = house.run(f"--target={file}", *arguments)
        assert ran.status == 0, ran.output
        assert "3 passed" in ran.output
        assert ("solved (newton" in ran.output) == (not arguments)
        assert ran.verdicts == without.verdicts == {"A": "verified"}
        found = {audit["question"]: audit["outcome"] for audit in ran.report["audits"]}
        assert found == {
            "A: is error within its bound?": "agrees",
            "A: is size within its bound?": "deviates",
        }
        assert f"--target={file}" in ran.report["run"]["command"]
        assert "cloud.npz (data): 2 questions, 1 agree, 1 deviate" in ran.output
        assert "deviates: A: is size within its bound?" in ran.output
        assert "2; expected at most 1" in ran.output


def test_claims_that_were_not_asked_do_not_stand_there(house: House) -> None:
    """Neither on the terminal nor on the first page: what was audited does, with counts."""
    file = write(house.path / "cloud.npz", points=SQUARE, weights=[0.1, 0.2, 0.3, 0.4])
    house.build(GOOD, 'claim("A"), claim("O", status="open"),', test_mine=AUDITS)
    ran = house.run(f"--target={file}", "-k", "mine")
    assert ran.status == 0, ran.output
    assert "no claim was asked for a verdict" in ran.output
    assert "points checked" not in ran.output
    assert "Lemma" not in ran.output
    page = (ran.directory / "index.html").read_text(encoding="utf-8")
    assert "2 questions: 1 agree, 1 deviate" in page
    assert "None of the 2 claims was asked" in page
    assert 'class="overview' not in page
    with_checks = house.run(f"--target={file}")
    assert "A      Lemma A  verified" in with_checks.output
    assert "Lemma O" not in with_checks.output
    page = (with_checks.directory / "index.html").read_text(encoding="utf-8")
    assert "href=claims/A.html" in page
    assert "href=claims/O.html" not in page


FOLDERS = ("proximal_denoiser", "minibatch_convergence", "normal_hyperbolicity", "definitions")
ASKED = {"P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9"}
ASKED |= {"M1", "M2", "M8", "N8", "H1", "H2", "H3", "H4", "H5", "H6", "H7", "D1", "D2"}
SHORT = "weights or dual or energy or ends or batch or P2 or H4 or zero"


@pytest.mark.parametrize(
    ("n", "d", "chosen", "asked"),
    [
        (7, 2, "not no_test", ASKED),
        (5, 1, SHORT, {"P1", "P2", "P6", "P7", "P9", "H4", "H7"}),
        (5, 3, SHORT, {"P1", "P2", "P6", "P7", "P9", "H4", "H7"}),
        (1, 2, SHORT, {"P1", "P2", "P6", "P7", "P9", "H4", "H7"}),
    ],
)
def test_our_claims_on_small_clouds(house: House, n: int, d: int, chosen: str, asked: set[str]) -> None:
    """The real theorems: all agrees or informs, the report follows its schema, and no verdict is touched."""
    rng = np.random.default_rng(d)
    weights = rng.uniform(0.5, 1.5, n)
    file = write(house.path / "cloud.npz", points=rng.normal(size=(n, d)), weights=weights / weights.sum())
    out = house.path / "out"
    modules = [f"theorems.{folder}.test_user_target" for folder in FOLDERS]
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--pyargs", *modules, "-k", chosen]
    done = subprocess.run(
        [*words, f"--target={file}", f"--report={out}"],
        cwd=house.path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    ran = Ran(done.returncode, done.stdout + done.stderr, out)
    assert ran.status == 0, ran.output
    check(ran.report)
    audits = ran.report["audits"]
    assert {audit["subject"] for audit in audits} == {"cloud.npz"}
    assert {audit["question"].partition(":")[0] for audit in audits} >= asked
    assert [audit["question"] for audit in audits if audit["outcome"] not in ("agrees", "informs")] == []
    informing = {audit["question"][:8] for audit in audits if audit["outcome"] == "informs"}
    assert informing == {"M8: whic"} | ({"H7: whic"} if chosen == "not no_test" else set())
    assert set(ran.verdicts.values()) <= {"not run", "open"}
    weighed = next(audit for audit in audits if re.search("P₀.cell|frequency", audit["question"]))
    assert len(weighed["tables"]) == 2
    pictures = {figure["file"] for audit in audits for figure in audit["figures"]}
    (weights,) = {figure["file"] for figure in weighed["figures"]}
    assert weights.endswith("png" if d == 2 else "svg")
    assert weights in pictures
    assert all((out / file).stat().st_size > 1000 for file in pictures)


# --- targets that were solved before ------------------------------------------------------------------

INTERRUPTED = """
def test_mine(evidence, user_target):
    import os, signal
    from theorems.setting.user import targets
    targets.WORTH_KEEPING = 0.0
    evidence.auditing(user_target.name, "A").certified("error", user_target.solution.error, 1.0, "rounding")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a run in the background inherits it ignored
    os.kill(os.getpid(), signal.SIGINT)
"""

RESUMED = """
def test_mine(evidence, user_target):
    assert user_target.start.tolist() == [0, 1, 2, 3]
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as on Unix")
def test_a_solution_outlives_an_interrupted_run(house: House) -> None:
    """It is kept, and said; the next run uses it without solving, and needs no heights to go on from."""
    file = write(house.path / "cloud.npz", points=SQUARE, weights=[0.1, 0.2, 0.3, 0.4])
    stopped = house.build(GOOD, test_mine=INTERRUPTED).run(f"--target={file}", report=None)
    assert stopped.status == 2
    assert "its solution is kept; --target=cloud.solved.npz uses it without solving" in stopped.output
    ran = house.build(GOOD, test_mine=AUDITS).run("--target=cloud.solved.npz")
    assert ran.status == 0, ran.output
    assert "target cloud.solved.npz: it holds its solution (newton, " in ran.output
    assert "solving 4 points" not in ran.output
    assert len(ran.report["audits"]) == 2
    save_heights(house.path / "cloud.heights.npz", SQUARE, np.full(4, 0.25), np.arange(4.0))
    resumed = house.build(GOOD, test_mine=RESUMED).run("--target=cloud.heights.npz")
    assert resumed.status == 0, resumed.output
    refused = house.run("--target=cloud.solved.npz", "--resume=cloud.solved.npz")
    assert refused.status == 4
    assert "--target holds its solution; leave --resume out" in refused.output
