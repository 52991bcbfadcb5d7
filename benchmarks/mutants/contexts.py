"""Which checks touch which line, and how long each takes: measured once for a version of the code."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from coverage import Coverage, CoverageData
from tqdm import tqdm

from benchmarks.mutants.population import PLACES

ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Watch:
    """A pytest plugin: names the running check to coverage, and writes how long each took."""

    def __init__(self, times: Path) -> None:
        self.times = times
        self.seconds: dict[str, float] = {}

    def pytest_runtest_protocol(self, item: Any) -> None:
        """What runs from now on belongs to this check."""
        running = Coverage.current()
        if running is not None:
            running.switch_context(item.nodeid.split("[")[0])

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Adds set-up, call and teardown."""
        name = report.nodeid.split("[")[0]
        self.seconds[name] = self.seconds.get(name, 0.0) + report.duration

    def pytest_sessionfinish(self) -> None:
        """Keeps the times."""
        self.times.write_text(json.dumps(self.seconds), encoding="utf-8")


@dataclass(frozen=True)
class Contexts:
    """What a baseline run found.

    Attributes:
        touching: path → line → the checks that ran it; the empty name stands for imports.
        seconds: check → how long it takes, without coverage's own cost taken off.
    """

    touching: dict[str, dict[int, list[str]]]
    seconds: dict[str, float]

    def checks(self, path: str, line: int, suites: Iterable[str]) -> list[str]:
        """The checks of these suites that touch a line, quickest first; those of the file for an import."""
        lines = self.touching.get(path, {})
        found = {name for name in lines.get(line, []) if name}
        if not found and "" in lines.get(line, []):
            found = {name for names in lines.values() for name in names if name}
        chosen = [name for name in found if name.split("/")[0] in suites]
        return sorted(chosen, key=lambda name: (self.seconds.get(name, np.inf), name))


def record(root: Path, files: Sequence[str], kept: Path, jobs: int) -> Contexts:
    """Run each file of checks once under coverage; what is there is not run again."""
    kept.mkdir(parents=True, exist_ok=True)
    missing = [name for name in files if not _times(kept, name).exists()]
    tasks = (joblib.delayed(_run)(root, name, kept) for name in missing)
    done = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(tasks)
    for name, code in tqdm(done, total=len(missing), unit="file", desc="which check touches which line"):
        if code not in (0, 5):
            raise RuntimeError(f"{name}: exit {code} without any fault; mend that first")
    return _read(root, files, kept)


def _stem(name: str) -> str:
    return name.replace("/", ".")


def _times(kept: Path, name: str) -> Path:
    return kept / f"{_stem(name)}.json"


def _run(root: Path, name: str, kept: Path) -> tuple[str, int]:
    watched = ",".join(str(root / place) for place in PLACES)
    data = kept / f"{_stem(name)}.coverage"
    script = (
        "import sys, pytest; from pathlib import Path; from benchmarks.mutants.contexts import Watch; "
        f"sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', '-p', 'no:xdist', {name!r}], "
        f"plugins=[Watch(Path({str(_times(kept, name))!r}))]))"
    )
    runner = kept / f"{_stem(name)}.py"
    runner.write_text(script, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "coverage",
        "run",
        f"--data-file={data}",
        f"--source={watched}",
        str(runner),
    ]
    environment = os.environ | ALONE | {"PYTHONPATH": str(root)}
    ended = subprocess.run(command, cwd=root, env=environment, capture_output=True, check=False)
    return name, ended.returncode


def _read(root: Path, files: Sequence[str], kept: Path) -> Contexts:
    touching: dict[str, dict[int, set[str]]] = {}
    seconds: dict[str, float] = {}
    for name in files:
        seconds |= json.loads(_times(kept, name).read_text(encoding="utf-8"))
        data = CoverageData(basename=str(kept / f"{_stem(name)}.coverage"))
        data.read()
        for file in data.measured_files():
            lines = touching.setdefault(Path(file).relative_to(root).as_posix(), {})
            for line, names in data.contexts_by_lineno(file).items():
                lines.setdefault(line, set()).update(names)
    listed = {path: {n: sorted(names) for n, names in lines.items()} for path, lines in touching.items()}
    return Contexts(listed, seconds)
