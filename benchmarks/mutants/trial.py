"""One fault tried: the file is changed in a copy of the tree, and the checks that touch the line run."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.mutants.contexts import ALONE
from benchmarks.mutants.population import Mutant

COPIED = ("numerics", "theorems", "reports", "tests", "benchmarks", "docs", "pyproject.toml", "README.md")
PATIENCE = 5.0
"""A check that takes so many times longer than without the fault has noticed it."""
IMPORTS = 60.0
BATCH = 12
"""Checks that one process runs; the quickest come first."""


@dataclass(frozen=True)
class Outcome:
    """What became of a fault.

    Attributes:
        mutant: The fault.
        by: The first check to fail or not to end, of the theorems if any, else of the tests; "import" if the
            code no longer loads; empty if none.
        asked: How many checks that touch the line were to be run.
        theorems: How many of them are checks of theorems: none if `pytest theorems` does not run the line.
        suites: Of which suites: a fault that the theorems let pass may be shown to the tests later.
        changed: The lines before and after.
        seconds: How long it took.
    """

    mutant: Mutant
    by: str
    asked: int
    theorems: int
    suites: tuple[str, ...]
    changed: tuple[str, str]
    seconds: float

    @property
    def noticed(self) -> bool:
        """Did any check fail?"""
        return bool(self.by)

    @property
    def in_theorems(self) -> bool:
        """Did `pytest theorems` alone notice it?"""
        return self.by == "import" or self.by.startswith("theorems/")

    def left(self, suites: Sequence[str]) -> list[str]:
        """Those of the suites that may still notice it."""
        return [] if self.noticed else [name for name in suites if name not in self.suites]


def tree(root: Path, place: Path) -> Path:
    """A copy of what the checks need, in which files may be changed."""
    for name in COPIED:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__", ".*", "html"))
        elif source.exists():
            shutil.copy(source, place / name)
    return place


def run_checks(copy: Path, checks: Sequence[str], limit: float) -> str:
    """The first of these checks to fail, "import" where none loads, "" where all pass.

    A run that exceeds ``limit`` seconds is charged to the first check.
    """
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-rfE",
        "--tb=no",
        "-p",
        "no:cacheprovider",
        *checks,
    ]
    environment = os.environ | ALONE | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ended = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{checks[0]} (no end)"
    if ended.returncode == 0:
        return ""
    found = re.search(r"^(?:FAILED|ERROR) (\S+?)(?:\[.*)?(?: - .*)?$", ended.stdout, re.MULTILINE)
    if found is None:
        return "import" if ended.returncode >= 2 else f"{checks[0]} (verdict)"
    return found.group(1) if "::" in found.group(1) else "import"


def attempt(
    root: Path, mutant: Mutant, checks: Sequence[tuple[str, float]], suites: Sequence[str], kept: Path
) -> Outcome:
    """Try one fault against checks of these suites, given with their seconds; the outcome is kept at once.

    Theorems and tests never share a process, and the theorems come first. What was kept of others counts.
    """
    start = time.perf_counter()
    source = (root / mutant.path).read_text(encoding="utf-8")
    code = mutant.code(source)
    by = ""
    with tempfile.TemporaryDirectory() as folder:
        copy = tree(root, Path(folder))
        (copy / mutant.path).write_text(code, encoding="utf-8")
        for batch in _batches(checks):
            by = run_checks(copy, [name for name, _ in batch], IMPORTS + PATIENCE * sum(s for _, s in batch))
            if by:
                break
    taken = round(time.perf_counter() - start, 1)
    place = kept / f"{mutant.key}.json"
    before = read(place) if place.exists() else None
    shown, asked, of_theorems = (
        ((), 0, 0) if before is None else (before.suites, before.asked, before.theorems)
    )
    of_theorems += sum(name.startswith("theorems/") for name, _ in checks)
    counts = asked + len(checks), of_theorems
    outcome = Outcome(mutant, by, *counts, (*shown, *suites), _changed(source, code), taken)
    kept.mkdir(parents=True, exist_ok=True)
    unfinished = kept / f".{mutant.key}.part"
    unfinished.write_text(json.dumps(asdict(outcome), indent=1), encoding="utf-8")
    unfinished.replace(place)
    return outcome


def _batches(checks: Sequence[tuple[str, float]]) -> list[Sequence[tuple[str, float]]]:
    suites = [[c for c in checks if c[0].startswith(f"{name}/")] for name in ("theorems", "tests")]
    return [suite[first : first + BATCH] for suite in suites for first in range(0, len(suite), BATCH)]


def read(path: Path) -> Outcome:
    """An outcome as it was kept."""
    found = json.loads(path.read_text(encoding="utf-8"))
    found["mutant"] = Mutant(**found["mutant"])
    found["changed"], found["suites"] = tuple(found["changed"]), tuple(found["suites"])
    return Outcome(**found)


def _changed(before: str, after: str) -> tuple[str, str]:
    old, new = before.splitlines(), after.splitlines()
    first = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
    return old[first].strip(), new[first].strip()
