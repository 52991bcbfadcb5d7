"""`python -m benchmarks.mutants`: try faults, go on where it was, write POWER.md and POWER.json."""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import joblib
from tqdm import tqdm

from benchmarks.mutants.contexts import ALONE, Contexts, record
from benchmarks.mutants.population import Mutant, population, sample
from benchmarks.mutants.power import claims_of, equivalents, markdown, score
from benchmarks.mutants.trial import Outcome, attempt, read
from benchmarks.seeds import backend, code_hash
from reports.run.power import NAME

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).parents[1] / ".mutants"
RECORD = Path(__file__).parents[1] / "POWER.md"
EQUIVALENT = Path(__file__).with_name("equivalent.txt")
SUITES = (["theorems"], ["theorems", "tests"])
"""Never tests alone: what they notice would not be shown to the theorems, whose share is the result."""


def files(root: Path, suites: Sequence[str]) -> list[str]:
    """The files of checks, in the order of the tree."""
    found = [p.relative_to(root).as_posix() for s in suites for p in sorted((root / s).rglob("test_*.py"))]
    return [name for name in found if not name.startswith("tests/test_power")]


def baseline(root: Path, kept: Path) -> dict[str, list[str]]:
    """Check → claims, from one report of the code without a fault."""
    report = kept / "report" / "report.json"
    if not report.exists():
        command = [
            sys.executable,
            "-m",
            "pytest",
            "theorems",
            "-q",
            f"--report={report.parent}",
            "-n",
            "auto",
        ]
        subprocess.run(command, cwd=root, env=os.environ | ALONE, capture_output=True, check=True)
    return claims_of(json.loads(report.read_text(encoding="utf-8")))


def sweep(
    chosen: Sequence[Mutant], contexts: Contexts, suites: Sequence[str], kept: Path, jobs: int, minutes: float
) -> list[Outcome]:
    """Show each fault to the suites that it has not met yet, until the time is over; all that is found."""
    found = kept / "found"
    left = [(m, _left(found / f"{m.key}.json", suites)) for m in chosen]
    missing = [(m, names) for m, names in left if names]
    ends = time.monotonic() + 60 * minutes

    def tasks() -> Iterator[Any]:
        for mutant, names in missing:
            if time.monotonic() > ends:
                return
            checks = contexts.checks(mutant.path, mutant.line, names)
            timed = [(name, contexts.seconds.get(name, 1.0)) for name in checks]
            yield joblib.delayed(attempt)(ROOT, mutant, timed, names, found)

    with tqdm(total=len(missing), unit="fault", desc=f"{len(chosen) - len(missing)} kept") as progress:
        for _ in joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(tasks()):
            progress.update()
    return [read(path) for m in chosen if (path := found / f"{m.key}.json").exists()]


def _left(place: Path, suites: Sequence[str]) -> list[str]:
    return read(place).left(suites) if place.exists() else list(suites)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit status is 0 however many survive: the number is the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=__doc__)
    parser.add_argument("--size", type=int, default=400, help="faults to draw; 400 by default")
    parser.add_argument("--seed", type=int, default=0, help="of the sample; 0 by default")
    parser.add_argument("--minutes", type=float, default=60.0, help="stop starting new ones after these")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at once")
    parser.add_argument("--suites", default="theorems,tests", help="theorems, or theorems,tests")
    parser.add_argument("--cluster", help="address of a Dask scheduler")
    given = parser.parse_args(arguments)
    suites = given.suites.split(",")
    if given.size < 1 or given.jobs < 1 or given.minutes <= 0 or suites not in SUITES:
        parser.error("size, jobs and minutes are positive; suites are theorems, or theorems,tests")
    code = code_hash()
    kept = KEPT / code
    everything = population(ROOT)
    chosen = sample(everything, given.size, given.seed)
    try:
        with backend(given.cluster):
            contexts = record(ROOT, files(ROOT, suites), kept / "contexts", given.jobs)
            outcomes = sweep(chosen, contexts, suites, kept, given.jobs, given.minutes)
    except ConnectionError as error:
        parser.error(str(error))
    if code_hash() != code:
        print("the code changed meanwhile: what was found belongs to no one version; run again")
        return 1
    drawn = {"seed": given.seed, "sample": given.size, "population": len(everything)}
    claims, equivalent = baseline(ROOT, kept), equivalents(EQUIVALENT)
    RECORD.write_text(markdown(outcomes, drawn, equivalent, claims), encoding="utf-8")
    said = json.dumps(score(outcomes, equivalent, code, claims), indent=1)
    RECORD.with_name(NAME).write_text(f"{said}\n", encoding="utf-8")
    hits, both = sum(o.in_theorems for o in outcomes), sum(o.noticed for o in outcomes)
    tests = f"{both} with tests" if "tests" in suites else "tests not tried"
    print(f"{hits} of {len(outcomes)} noticed by the theorems, {tests}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
