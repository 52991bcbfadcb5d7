"""How long does the audit of a flow or of a cloud take, from the command to its report?"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from benchmarks.recording import Table, verdict

FLOW = """
import torch

torch.manual_seed(0)


class Network(torch.nn.Module):
    def __init__(self, dim, width=256):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(dim + 1, width), torch.nn.SiLU(),
            torch.nn.Linear(width, width), torch.nn.SiLU(), torch.nn.Linear(width, dim),
        )

    def forward(self, t, x):
        return self.layers(torch.cat([x, t.expand(len(x))[:, None]], dim=1))
"""
SECONDS_OF_A_FLOW, SECONDS_OF_A_CLOUD, LIMIT = 300.0, 180.0, 1800.0
COLUMNS = ("what", "n", "d", "s", "CPU s", "questions", "how it ended", "goal")


@dataclass(frozen=True)
class Case:
    """One audit: of n points, or of a network that was not trained, with them as --target or without one.

    Attributes:
        n: Points of --target; 0 for none.
        d: Their dimension.
        of: Which points.
        asks_flow: Whether a network is audited, and not the points.
    """

    n: int
    d: int
    of: str = "normal"
    asks_flow: bool = False

    @property
    def goal(self) -> float:
        """Seconds that are aimed at."""
        return SECONDS_OF_A_FLOW if self.asks_flow else SECONDS_OF_A_CLOUD

    @property
    def what(self) -> str:
        """What is audited, in words."""
        if not self.asks_flow:
            return f"cloud, {self.of}"
        return f"flow, network, on {self.of}" if self.n else "flow, network"

    def written(self, folder: Path) -> list[str]:
        """The arguments of pytest, whose files lie in the folder."""
        if self.n:
            np.save(folder / "cloud.npy", self._cloud())
        target = ["--target=cloud.npy"] if self.n else []
        if not self.asks_flow:
            return [*target, "-k", "user_target"]
        (folder / "a_flow.py").write_text(f"{FLOW}\n\nnet = Network({self.d})\n", encoding="utf-8")
        return [*target, "--flow=a_flow:net", f"--dim={self.d}", "-k", "user_flow"]

    def _cloud(self) -> np.ndarray:
        if self.of == "normal":
            return np.random.default_rng(0).standard_normal((self.n, self.d))
        return np.asarray(load_digits().data[: self.n, : self.d])


SMALL = (Case(0, 2, asks_flow=True), Case(100, 2))
FLOWS = tuple(
    Case(n, d, asks_flow=True) for n, d in ((0, 784), (0, 3072), (400, 784), (200, 3072), (20_000, 2))
)
CLOUDS = (Case(20_000, 2), Case(5_000, 64), Case(1_797, 64, "handwritten digits"), Case(100, 1_024))
CASES = (*SMALL, *FLOWS, *CLOUDS)


def run(cases: tuple[Case, ...] = CASES) -> Table:
    """Each audit in a process of its own, as a user starts it; `SMALL` alone shows that it works."""
    table = Table("audit_times", str(__doc__), COLUMNS)
    for case in cases:
        table.rows.append(_timed(case))
    table.notes.append(
        f"`pytest --pyargs theorems` with --flow or --target and a report, importing and collecting included;"
        f" stopped after {LIMIT:g} s; the network has two hidden layers of 256 units and was not trained"
    )
    table.notes.append("goals are held against CPU s, so that other work on the machine counts little")
    return table


def _timed(case: Case) -> tuple[object, ...]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs", "theorems"]
        words += [*case.written(folder), "--report=out"]
        before, start = _cpu(), time.perf_counter()
        ended, questions = _ended(words, folder)
        seconds, cpu = time.perf_counter() - start, _cpu() - before
    goal = verdict(cpu if ended == "report" else np.inf, case.goal, at_least=False)
    return case.what, case.n or "", case.d, seconds, cpu, questions, ended, goal


def _ended(words: list[str], folder: Path) -> tuple[str, int]:
    """How the run ended, and how many questions its report answers."""
    root = str(Path(__file__).parents[1])
    paths = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": paths},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "stopped", 0
    report = folder / "out" / "report.json"
    if done.returncode or not report.exists():
        return f"exit status {done.returncode}", 0
    return "report", len(json.loads(report.read_text(encoding="utf-8"))["audits"])


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
