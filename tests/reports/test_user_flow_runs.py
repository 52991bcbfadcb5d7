"""Whole runs with --flow: exit statuses, what is collected, and that no verdict changes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from reports.schema import check
from tests.reports.house import GOOD, House, Ran, run_audits

SQUARE = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
OURS = "theorems.normal_hyperbolicity.test_user_flow", "theorems.proximal_denoiser.test_user_flow"
SEEN = """
@pytest.mark.claim("A")
def test_more(evidence):
    evidence.certified("gap", 0.5, 1, "halves")

def test_mine(evidence, user_flow):
    evidence.audit("Is it a flow?", "deviates", 1, user_flow.velocity(0.5, [[1.0, 2.0]])[0, 1], "no reason",
                   subject=user_flow.name, kind="flow")

def test_both(evidence, user_flow, user_target):
    evidence.audit("Both?", "agrees", 1, 1, "no reason", subject=user_flow.name, kind="flow")
"""


@pytest.mark.parametrize("words", ["my_flow:shape", "absent:velocity", "my_flow:velocity"])
def test_a_bad_flow_is_4_and_nothing_is_written(house: House, modules: Path, words: str) -> None:
    """The third is good, but its dimension is not said."""
    assert house.path == modules
    arguments = [f"--flow={words}"] + (["--dim=2"] if words != "my_flow:velocity" else [])
    ran = house.build().run(*arguments)
    assert ran.status == 4
    (line,) = [line for line in ran.output.splitlines() if line.startswith("ERROR")]
    assert f"--flow={words}: " in line
    assert "passed" not in ran.output
    assert not ran.directory.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--flow=my_flow:velocity", "--dim=0"], "--dim: got '0', must be a whole number, 1 or more"),
        (["--flow=my_flow:velocity", "--dim=two"], "--dim: got 'two'"),
        (["--dim=2"], "--dim: is the dimension of --flow"),
        (["--label=1"], "--label: is the class of --flow; add --flow=MODULE:ATTR"),
        (["--flow=my_flow:velocity", "--dim=2", "--label=-1"], "--label: got '-1', must be a whole number"),
        (["--flow=my_flow:velocity", "--dim=2", "--checkpoint=a.pt"], "--checkpoint=a.pt: there is no such"),
        (["--flow=my_flow:velocity", "--dim=3", "--target=square.npz"], "the points of --target have dim"),
        (["--device=tpu"], "--device=tpu: use cpu, cuda or cuda:N"),
        (["--device=cuda:99"], "CUDA devices here; use cpu"),
        (["--mnist=absent"], "--mnist=absent: there is no such directory"),
    ],
)
def test_other_bad_options_are_4(house: House, modules: Path, arguments: list[str], words: str) -> None:
    np.savez(modules / "square.npz", points=SQUARE)
    ran = house.build().run(*arguments)
    assert ran.status == 4
    assert words in ran.output
    assert not ran.directory.exists()


def test_audits_run_with_a_flow_alone(house: House, modules: Path) -> None:
    """Not collected without --flow; with it verdicts and exit status stay, with xdist, too."""
    np.savez(modules / "square.npz", points=SQUARE)
    house.build(test_mine=SEEN)
    without = house.run()
    assert without.status == 0
    assert "3 passed" in without.output
    assert not {"deselected", "skipped"} & set(without.output.split())
    assert without.report["audits"] == []
    flow = ["--flow=my_flow:velocity", "--dim=2"]
    for arguments, count in ((flow, 4), ([*flow, "-n", "2"], 4), ([flow[0], "--target=square.npz"], 5)):
        ran = house.run(*arguments)
        assert ran.status == 0, ran.output
        assert f"{count} passed" in ran.output
        assert ran.verdicts == without.verdicts
        questions = {audit["question"]: audit for audit in ran.report["audits"]}
        assert set(questions) == {"Is it a flow?"} | ({"Both?"} if count == 5 else set())
        first = questions["Is it a flow?"]
        assert (first["kind"], first["subject"], first["measured"]) == ("flow", "my_flow:velocity", -4.0)
        assert " ".join(a for a in arguments if a[:2] == "--") in ran.report["run"]["command"].replace(
            "--target=square.npz --flow=my_flow:velocity", "--flow=my_flow:velocity --target=square.npz"
        )


ASKED = """
@pytest.mark.asks("B")
def test_flow(evidence, user_flow):
    evidence.auditing(user_flow.name, "B", "flow").certified("gap", 0.5, 1, "halves")

@pytest.mark.parametrize("claim", [pytest.param(i, marks=pytest.mark.asks(i)) for i in ("A", "B")])
def test_data(evidence, user_target, claim):
    evidence.auditing(user_target.name, claim).certified("gap", 0.5, 1, "halves")

@pytest.mark.asks("A")
def test_library(evidence):
    evidence.auditing("theirs", "A", "library").certified("gap", 0.5, 1, "halves")

def test_of_nothing(evidence):
    evidence.audit("Of no claim?", "agrees", 1, 1, "no reason")
"""


@pytest.mark.parametrize(
    ("chosen", "given", "passed", "asked", "workers"),
    [
        ("A", ["--target"], 4, {("square.npz", "A"), ("theirs", "A")}, []),
        ("B", ["--flow", "--target"], 2, {("my_flow:velocity", "B"), ("square.npz", "B")}, []),
        ("B", ["--flow"], 1, {("my_flow:velocity", "B")}, ["-n", "2"]),
        ("A", [], 3, {("theirs", "A")}, []),
    ],
)
def test_chosen_claims_are_asked_of_what_is_given_and_no_others(
    house: House,
    modules: Path,
    chosen: str,
    given: list[str],
    passed: int,
    asked: set[tuple[str, str]],
    workers: list[str],
) -> None:
    """With --claim come its checks, its controls and the audits that are about it, and nothing else."""
    np.savez(modules / "square.npz", points=SQUARE)
    words = {"--target": "--target=square.npz", "--flow": "--flow=my_flow:velocity"}
    ran = house.build(GOOD, 'claim("A"), claim("B", status="open"),', test_asked=ASKED).run(
        f"--claim={chosen}", *(words[g] for g in given), *(["--dim=2"] if "--flow" in given else []), *workers
    )
    assert ran.status == 0, ran.output
    assert f"{passed} passed" in ran.output
    assert {(audit["subject"], audit["question"][0]) for audit in ran.report["audits"]} == asked
    assert ran.verdicts["A"] == ("verified" if "A" in chosen else "not run")


def test_an_audit_that_is_not_declared_fails_and_says_what_to_write(house: House) -> None:
    """Of a claim of ours: of others, and of what its test checks anyway, nothing is to be declared."""
    silent = """
def test_mine(evidence):
    evidence.auditing("theirs", "A1", "library").certified("gap", 0.5, 1, "halves")
"""
    ran = house.build(GOOD.replace('"A"', '"A1"'), 'claim("A1"),', test_silent=silent).run()
    assert ran.status == 1
    assert 'test_mine audits A1 unmarked: write @pytest.mark.asks("A1")' in ran.output
    declared = silent.replace("def test_mine", '@pytest.mark.asks("A1")\ndef test_mine')
    ran = house.build(GOOD.replace('"A"', '"A1"'), 'claim("A1"),', test_silent=declared).run()
    assert ran.status == 0, ran.output
    unknown = declared.replace('asks("A1")', 'asks("A2")')
    ran = house.build(GOOD.replace('"A"', '"A1"'), 'claim("A1"),', test_silent=unknown).run()
    assert ran.status == 1
    assert "@pytest.mark.asks names 'A2', which no claims.py declares" in ran.output


def test_a_factory_with_a_checkpoint_and_a_label(house: House, modules: Path) -> None:
    """In every process of xdist, too; the report says which weights and which class were asked."""
    conditional = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.centres = torch.nn.Parameter(torch.zeros(3, 2))
    def forward(self, x, t, labels):
        return self.centres[labels] - x
"""
    (modules / "my_classes.py").write_text(conditional, encoding="utf-8")
    torch.save({"centres": torch.tensor([[0.0, 0.0], [0.0, 5.0], [0.0, 0.0]])}, modules / "w.pt")
    given = ["--flow=my_classes:Net()", "--dim=2", "--checkpoint=w.pt", "--label=1"]
    for workers in ([], ["-n", "2"]):
        ran = house.build(test_mine=SEEN).run(*given, *workers)
        assert ran.status == 0, ran.output
        (audit,) = ran.report["audits"]
        assert audit["subject"] == "my_classes:Net() of w.pt, label 1"
        assert audit["measured"] == 3.0
        assert all(word.partition("=")[2] in ran.report["run"]["command"] for word in given)


def test_our_audits_about_chosen_claims(modules: Path) -> None:
    """Every audit of a flow and of data that comes with --claim is about it."""
    np.savez(modules / "square.npz", points=SQUARE)
    given = ["theorems.normal_hyperbolicity.test_user_target", "theorems.stability.test_user_flow"]
    given += ["theorems.proximal_denoiser.test_user_target", "--flow=my_flow:velocity", "--target=square.npz"]
    ran = run_audits(modules, *OURS, *given, "--claim=P4,H7")
    assert ran.status == 0, ran.output
    audits = ran.report["audits"]
    about = {(a["kind"], re.sub(r"^In short \(2 of 4\)", "H7", a["question"])[:2]) for a in audits}
    assert about == {("flow", "P4"), ("flow", "H7"), ("data", "P4"), ("data", "H7")}


def test_our_audits_in_a_whole_run(modules: Path) -> None:
    """From another folder by the console script: none deviates, with figures, and no verdict is touched."""
    ran = run_audits(modules, *OURS, "--flow=my_flow:velocity", "--dim=2", console=True)
    assert ran.status == 0, ran.output
    check(ran.report)
    audits = ran.report["audits"]
    assert {audit["question"][:2] for audit in audits} == {"H1", "H4", "H5", "H7", "P4", "P5", "P6"}
    agreeing = {audit["question"][:2] for audit in audits if audit["outcome"] == "agrees"}
    assert {audit["outcome"] for audit in audits} == {"agrees", "cannot be told"}
    assert agreeing == {"P6"}, "of the others no coupling's number is known without --target"
    assert f"{len(audits)} questions, 1 agree, 0 deviate, {len(audits) - 1} cannot be told" in ran.output
    assert "  cannot be told: H1: do the eigenvalues" in ran.output
    assert {(audit["subject"], audit["kind"]) for audit in audits} == {("my_flow:velocity", "flow")}
    figures = {figure["file"] for audit in audits for figure in audit["figures"]}
    scales = {file for file in figures if "/my-flow-velocity-p" in file}
    assert len(scales) == 3, "of P4 and P6, with what independent and batch couplings have"
    assert len(figures) == 3 + 3, "and spectra, samples, the field at a time"
    assert all((ran.directory / file).stat().st_size > 1000 for file in figures)
    assert sum(len(audit["tables"]) for audit in audits) == 4
    assert set(ran.verdicts.values()) <= {"not run", "open"}


def test_a_deviating_flow_changes_no_exit_status_under_xdist(modules: Path) -> None:
    """With two processes the same audits of two claims as with one, to the last digit."""
    np.savez(modules / "square.npz", points=SQUARE)
    arguments = ["--flow=my_flow:spins", "--target=square.npz", "--claim=P4,P6"]
    alone, together = (run_audits(modules, *OURS, *arguments, *more) for more in ([], ["-n", "2"]))
    assert (alone.status, together.status) == (0, 0), together.output
    assert alone.report["audits"] == together.report["audits"]
    wrong = {a["question"][:2] for a in alone.report["audits"] if a["outcome"] == "deviates"}
    assert wrong == {"P4", "P6"}
    assert set(alone.verdicts.values()) <= {"not run", "open"}


def test_the_example_of_the_documentation(tmp_path: Path) -> None:
    """Its command runs as printed, in an otherwise empty folder, and begins with the lines it lists.

    Of its code only the number of steps is another.
    """
    section = (Path(__file__).parents[2] / "docs" / "audit-your-flow.md").read_text(encoding="utf-8")
    source = section.partition("```python\n")[2].partition("```")[0]
    (command,) = re.findall(r"^    (pytest .*--flow=my_flow:velocity .*)$", section, re.M)
    assert "range(2000)" in source
    (tmp_path / "my_flow.py").write_text(source.replace("range(2000)", "range(40)"), encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    words = {"cwd": tmp_path, "env": os.environ | {"PATH": path}, "timeout": 300, "check": False}
    done = subprocess.run(command, shell=True, capture_output=True, text=True, **words)
    ran = Ran(done.returncode, done.stdout + done.stderr, tmp_path / "out")
    assert ran.status == 0, ran.output
    assert {audit["subject"] for audit in ran.report["audits"]} == {"my_flow:velocity"}
    said = [
        audit["question"].partition(": ")[2]
        for audit in ran.report["audits"]
        if audit["question"][:2] == "In"
    ]
    promised = re.findall(r"^- \*\*(.*)\*\*", section, re.M)
    assert said == promised
    shown = (ran.directory / "index.html").read_text(encoding="utf-8")
    for place, question in enumerate(promised, 1):
        assert f"  In short ({place} of {len(promised)}): {question}\n" in ran.output
        assert question in shown
    first = next(audit for audit in ran.report["audits"] if promised[0] in audit["question"])
    (scale,) = first["figures"]
    assert re.search(f"<img src=.?{re.escape(scale['file'])}", shown), (
        "its place on the scale is looked at, not read"
    )
    assert "read as velocity(t, x), t a scalar, by the names of its parameters" in ran.output
