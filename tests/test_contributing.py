"""The pages for contributors, followed step by step in a copy of the tree; and with each step left out."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
LEFT = shutil.ignore_patterns("*-pytest-*", "*.pyc.*", "html", "_build", "generated")
"""Not what else is compiled, which holds where the file is not changed: pytest's names its source."""
DECLARED = "tests/theorems/setting/test_declared.py"
BLOCK = re.compile(r"^```(py|diff)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`([\w/]+\.py)`")


@dataclass(frozen=True)
class Step:
    """One block of a page: a file to write, or lines to add to one."""

    path: str
    kind: str
    text: str

    def take(self, tree: Path) -> None:
        """Do what the block says."""
        file = tree / self.path
        if self.kind == "py":
            file.parent.mkdir(exist_ok=True)
            file.write_text(self.text, encoding="utf-8")
            return
        lines = self.text.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] == " ")
        after = "".join(line[1:] for line in lines)
        source = file.read_text(encoding="utf-8")
        assert source.count(before) >= 1, f"{self.path} does not hold what the page shows:\n{before}"
        file.write_text(source.replace(before, after, 1), encoding="utf-8")


def steps(page: str) -> list[Step]:
    """The blocks of a page, each for the last file named before it."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(text):
        path = FILE.findall(text[: match.start()])[-1]
        found.append(Step(path, match[1], match[2]))
    return found


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what a contribution touches and of what tests it."""
    for folder in ("numerics", "theorems", "tests", "reports", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=LEFT)
    for file in ("pyproject.toml", "references.bib", "README.md", "Makefile"):
        shutil.copy(ROOT / file, tmp_path)
    return tmp_path


def ran(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "HYPOTHESIS"))}
    command = [sys.executable, "-m", *words]
    path = {"PYTHONPATH": str(tree), "JAXTYPING_DISABLE": "1"}  # shapes are checked elsewhere
    return subprocess.run(
        command, cwd=tree, env=environment | path, capture_output=True, text=True, timeout=300, check=False
    )


def declared(tree: Path, about: str) -> subprocess.CompletedProcess[str]:
    """The tests of declarations, those about families or about one theorem."""
    return ran(tree, "pytest", "-q", "-p", "no:cacheprovider", DECLARED, "-k", about)


def taken(tree: Path, page: str, left_out: str = "", kind: str = "") -> list[Step]:
    """Take all steps of a page but those on one file, or of one kind on it."""
    todo = [s for s in steps(page) if not (s.path == left_out and kind in ("", s.kind))]
    for step in todo:
        step.take(tree)
    return todo


# --- a potential ----------------------------------------------------------------------------------------

FAMILY = "add-a-potential.md"
ITS_FILE, EXPORT, INSTANCES, STRATEGIES, ITS_CASES, CASES = (
    "numerics/potentials/point_mass.py",
    "numerics/potentials/__init__.py",
    "numerics/potentials/instances.py",
    "theorems/setting/families.py",
    "tests/numerics/accuracy/cases_of_points.py",
    "tests/numerics/accuracy/every_case.py",
)
STATEMENTS = "tests/numerics/accuracy/test_every_statement.py"


def test_a_family_touches_its_file_the_export_one_instance_one_strategy_and_cases(tree: Path) -> None:
    touched = [step.path for step in taken(tree, FAMILY)]
    assert list(dict.fromkeys(touched)) == [ITS_FILE, EXPORT, INSTANCES, STRATEGIES, ITS_CASES, CASES]
    done = declared(tree, "family")
    assert done.returncode == 0, done.stdout[-3000:]
    laws = "tests/numerics/test_potential_laws.py", "tests/numerics/test_traits.py"
    done = ran(tree, "pytest", "-q", "-p", "no:cacheprovider", *laws, "-k", "PointMass")
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) >= 16  # fourteen laws, and traits
    done = ran(tree, "pytest", "-q", "-p", "no:cacheprovider", STATEMENTS, "-k", "PointMass or lists")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "2 passed" in done.stdout
    checks = "theorems/proximal_denoiser/test_prox.py", "theorems/definitions/test_prox_boundedness.py"
    done = ran(tree, "pytest", "-q", "-p", "no:cacheprovider", *checks, "-k", "data_point or attained")
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        (EXPORT, "point_mass.py defines PointMass, which numerics/potentials/__init__.py does not export"),
        (INSTANCES, "PointMass has no instance with Use.LAW: add one to numerics/potentials/instances.py"),
        (STRATEGIES, "PointMass is drawn by nothing: add a strategy to theorems/setting/families.py"),
    ],
)
def test_a_step_of_a_family_left_out_is_named(tree: Path, left_out: str, said: str) -> None:
    if left_out == EXPORT:
        steps(FAMILY)[0].take(tree)  # nothing else can import what is not exported
    else:
        taken(tree, FAMILY, left_out)
    done = declared(tree, "family")
    assert done.returncode == 1
    assert said in done.stdout


def test_a_family_without_cases_of_what_it_states_is_named(tree: Path) -> None:
    taken(tree, FAMILY, CASES)
    done = ran(tree, "pytest", "-q", "-p", "no:cacheprovider", STATEMENTS, "-k", "PointMass")
    assert done.returncode == 1
    assert "PointMass states what it errs by, and no oracle is known: add its cases" in done.stdout


# --- a theorem ------------------------------------------------------------------------------------------

THEOREM = "add-a-theorem.md"


def test_a_theorem_touches_one_folder_and_the_reading_order(tree: Path) -> None:
    touched = {step.path for step in taken(tree, THEOREM)}
    assert {path.rpartition("/")[0] for path in touched} == {"theorems/chords", "theorems"}
    assert {path for path in touched if not path.startswith("theorems/chords/")} == {"theorems/claim.py"}
    assert ran(tree, "theorems.table").returncode == 0
    done = declared(tree, "chords or reading")
    assert done.returncode == 0, done.stdout[-3000:]
    cloud = tree / "cloud.npz"
    np.savez(cloud, points=np.random.default_rng(0).normal(size=(5, 2)))
    done = ran(tree, "pytest", "-q", "theorems/chords", f"--target={cloud}", "--report=out")
    assert done.returncode == 0, done.stdout[-3000:]
    report = json.loads((tree / "out" / "report.json").read_text(encoding="utf-8"))
    (claim,) = [claim for claim in report["claims"] if claim["id"] == "Z1"]
    assert claim["verdict"] == "verified"
    assert {audit["outcome"] for audit in report["audits"]} == {"agrees"}
    documents = "tests/test_documents.py", "-k", "claims or modules"
    pages = ran(tree, "pytest", "-q", "-p", "no:cacheprovider", *documents)
    assert pages.returncode == 0, pages.stdout[-3000:]


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        ("theorems/claim.py", "theorems/chords is not in READING_ORDER of theorems/claim.py"),
        ("theorems/chords/claims.py", "theorems/chords has no claims.py"),
        ("theorems/chords/test_user_target.py", "theorems/chords has no test_user_target.py"),
    ],
)
def test_a_step_of_a_theorem_left_out_is_named(tree: Path, left_out: str, said: str) -> None:
    taken(tree, THEOREM, left_out)
    done = declared(tree, "chords or reading")
    assert done.returncode == 1
    assert said in done.stdout


def test_a_theorem_without_its_control_is_unsupported(tree: Path) -> None:
    taken(tree, THEOREM)
    file = tree / "theorems" / "chords" / "test_chords.py"
    source = file.read_text(encoding="utf-8")
    file.write_text(source.partition("@pytest.mark.control")[0], encoding="utf-8")
    done = ran(tree, "pytest", "-q", "theorems/chords")
    assert done.returncode == 1
    assert re.search(r"Z1 .*unsupported", done.stdout)


# --- an audit -------------------------------------------------------------------------------------------


def test_an_audit_is_one_test_and_decides_nothing(tree: Path) -> None:
    (step,) = taken(tree, "add-an-audit.md")
    done = ran(tree, "pytest", "-q", step.path, "--report=out")
    assert done.returncode == 0, done.stdout[-3000:]
    report = json.loads((tree / "out" / "report.json").read_text(encoding="utf-8"))
    assert [(audit["subject"], audit["outcome"]) for audit in report["audits"]] == [("scipy", "agrees")]
    assert {claim["verdict"] for claim in report["claims"]} <= {"not run", "open"}
