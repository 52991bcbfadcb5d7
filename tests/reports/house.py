"""A small house of theorems in a temporary folder, and runs of pytest inside it."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import theorems

CLAIMS = r"""
from theorems.claim import Claim, Clause, Coverage


def claim(id, status="stated", modules=("theorems.demo.test_demo",), **changes):
    fields = dict(
        label=f"Lemma {id}", title="A title with $x_t$", statement="For $t < 1$ it holds.",
        formula=r"x_1 = T(x_0)",
        assumptions=(r"$\beta_t > 0$",), source="Paper2026", status=status, modules=modules,
    )
    return Claim(id, **(fields | changes))


CLAIMS = ({claims})
COVERAGE = (Coverage("Paper2026", "Lemma A", "A", "in full"),)
"""
ALONE = {"PYTEST_XDIST_AUTO_NUM_WORKERS": "1"}  # a run of all theorems would spread over the cores
INI = """[pytest]
addopts = --strict-markers --strict-config -p no:cacheprovider
filterwarnings = error
"""
IMPORTS = "import numpy as np\nimport pytest\nfrom hypothesis import given, strategies as st\n\n"
GOOD = """
@pytest.mark.claim("A")
@given(x=st.floats(0, 1))
def test_check(evidence, x):
    evidence.on("Ball", t=x).certified("gap", x / 2, 1, "halves are below one")


@pytest.mark.control("A")
def test_control(evidence):
    evidence.control("wrong step", 0.25, 0.25, 1e-9, "closed form")
"""


@dataclass
class Ran:
    """A finished run of pytest."""

    status: int
    output: str
    directory: Path

    @property
    def report(self) -> dict[str, Any]:
        return json.loads((self.directory / "report.json").read_text(encoding="utf-8"))

    @property
    def verdicts(self) -> dict[str, str]:
        return {claim["id"]: claim["verdict"] for claim in self.report["claims"]}


@dataclass
class House:
    """A package `theorems` of its own, which shadows the installed one in runs from its folder."""

    path: Path
    python: str = sys.executable
    environment: dict[str, str] = field(default_factory=dict)

    def build(self, tests: str = GOOD, claims: str = 'claim("A"),', **more: str) -> "House":
        """Write the claims, ``test_demo.py`` and more test modules by name."""
        demo = self.path / "theorems" / "demo"
        demo.mkdir(parents=True, exist_ok=True)
        ours = Path(theorems.__path__[0])
        inputs = sorted((ours / "setting" / "user").glob("*.py"))
        for source in (ours / "__init__.py", ours / "claim.py", ours / "setting" / "__init__.py", *inputs):
            copy = demo.parent / source.relative_to(ours)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
        (demo / "__init__.py").touch()
        (demo / "claims.py").write_text(CLAIMS.replace("{claims}", claims))
        for name, text in {"test_demo": tests, **more}.items():
            (demo / f"{name}.py").write_text(IMPORTS + text, encoding="utf-8")
        (self.path / "pytest.ini").write_text(INI)
        return self

    def run(self, *arguments: str, report: str | None = "out", where: str = "theorems") -> Ran:
        """Run pytest in a process of its own."""
        words = [self.python, "-m", "pytest", *([where] if where else []), *arguments]
        directory = self.path / (report or "none")
        if report:
            words.append(f"--report={directory}")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "HYPOTHESIS", "COV_"))}
        done = subprocess.run(
            words,
            cwd=self.path,
            env=kept | ALONE | self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Ran(done.returncode, done.stdout + done.stderr, directory)


def run_audits(folder: Path, *arguments: str, console: bool = False) -> Ran:
    """The real audits, run in a user's folder; ``console``: by `pytest`, which imports nothing there."""
    python = Path(sys.executable)
    words = [str(python.with_name("pytest"))] if console else [str(python), "-m", "pytest"]
    words += ["-p", "no:cacheprovider", "--pyargs", *arguments, f"--report={folder / 'out'}"]
    alone = os.environ | {"OMP_NUM_THREADS": "1"}  # threads that wait for each other take longest
    done = subprocess.run(
        words, cwd=folder, env=alone, capture_output=True, text=True, timeout=300, check=False
    )
    return Ran(done.returncode, done.stdout + done.stderr, folder / "out")


def without_seconds(report: dict[str, Any]) -> str:
    """A report as text, without what may differ between equal runs."""
    comparable = {name: part for name, part in report.items() if name != "provenance"}
    return re.sub(r'"seconds": [0-9.e-]+', '"seconds": 0', json.dumps(comparable, indent=1))
