"""How long does the quick run of the theorems take, beside the code of 2026-11-22, and what does it check?

Both codes run at once, a process and a core each, so that what else the machine does slows both; and then,
one after the other, as a reviewer types it: spread over the cores now, in one process then.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.recording import Table, verdict

ROOT = Path(__file__).parents[1]
EARLIER = "3c58cf5"
"""The last commit of 2026-11-22, 44 claims: what later ones are measured against."""


@dataclass(frozen=True)
class Run:
    """One run of the theorems: seconds, those of each check, point checks, verdicts by count, exit status."""

    seconds: float
    checks: dict[str, float]
    points: int
    verdicts: str
    status: int


def run() -> Table:
    table = Table("suite", " ".join(str(__doc__).split()), ("what", "found", EARLIER, "ratio", "goal"))
    with tempfile.TemporaryDirectory() as folder:
        trees = {name: Path(folder) / name for name in ("now", "earlier")}
        for tree, commit in zip(trees.values(), ("HEAD", EARLIER), strict=True):
            # A clone of what is committed: no worktree is left behind when the benchmark is interrupted.
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(tree)], check=True)
            subprocess.run(["git", "checkout", "--quiet", commit], cwd=tree, check=True)
        with ThreadPoolExecutor(2) as pool:
            now, earlier = pool.map(lambda tree: _theorems(tree, "-n", "0"), trees.values())
        # What is installed here would spread the earlier code, too, which typed so ran in one process.
        typed = _theorems(trees["now"]).seconds
        typed_earlier = _theorems(trees["earlier"], "-n", "0").seconds
    shared = now.checks.keys() & earlier.checks.keys()
    of_now, of_earlier = (sum(run.checks[name] for name in shared) for run in (now, earlier))
    table.rows = [
        _row(f"`pytest theorems` as it is typed, on {os.cpu_count()} cores, s", typed, typed_earlier),
        _row("`pytest theorems` in one process, s", now.seconds, earlier.seconds),
        _row(
            f"the {len(shared)} checks of one name in both, whatever their parameters, s", of_now, of_earlier
        ),
        _row("point checks", now.points, earlier.points, at_least=True),
        ("claims", now.verdicts, earlier.verdicts, "", ""),
        ("exit status", now.status, earlier.status, "", "0"),
    ]
    return table


def _row(what: str, now: float, earlier: float, *, at_least: bool = False) -> tuple[object, ...]:
    ratio = now / earlier
    return what, now, earlier, ratio, verdict(ratio, 1, at_least=at_least)


def _theorems(tree: Path, *more: str) -> Run:
    """The theorems of one tree at the default seed, one thread a process, without a report."""
    times = tree / "times.xml"
    options = ["-q", "-p", "no:cacheprovider", f"--junitxml={times}", *more]
    environment = os.environ | {"PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    start = time.perf_counter()
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "theorems", *options],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    points = re.search(r"^([\d,]+) points checked", finished.stdout, re.MULTILINE)
    if points is None:
        raise RuntimeError(f"{tree.name}: pytest said\n{(finished.stdout + finished.stderr)[-4000:]}")
    found = Counter(
        re.findall(r"^[A-Z]\d+ .* (verified|open|refuted|unsupported) ", finished.stdout, re.MULTILINE)
    )
    counts = ", ".join(f"{n} {name}" for name, n in sorted(found.items()))
    checks: Counter[str] = Counter()
    for case in ElementTree.parse(times).iter("testcase"):
        checks[f"{case.get('classname')}::{str(case.get('name')).partition('[')[0]}"] += float(
            case.get("time", 0)
        )
    return Run(seconds, dict(checks), int(points[1].replace(",", "")), counts, finished.returncode)
