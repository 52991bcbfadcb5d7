"""Timing, tables, and their record in RESULTS.md."""

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
PACKAGES = ("numpy", "scipy", "cvxpy", "clarabel", "daqp", "osqp", "hypothesis", "pytest")


@dataclass
class Table:
    """What a benchmark found.

    Attributes:
        name: The script.
        question: One sentence.
        columns: Headings.
        rows: Cells, text or numbers (printed to three digits).
        notes: Lines under the table.
    """

    name: str
    question: str
    columns: tuple[str, ...]
    rows: list[tuple[object, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        """The table as a section of RESULTS.md."""
        lines = [f"## {self.name}", "", self.question, ""]
        lines += ["| " + " | ".join(self.columns) + " |", "|" + "---|" * len(self.columns)]
        lines += ["| " + " | ".join(_cell(c) for c in row) + " |" for row in self.rows]
        return "\n".join([*lines, "", *(f"- {note}" for note in [*self.notes, machine()]), ""])

    def record(self) -> None:
        """Print the table and put it in RESULTS.md, in place of its last record."""
        print(self.markdown())
        sections = _sections()
        sections[self.name] = self.markdown()
        head = "# Benchmarks\n\nWritten by `python -m benchmarks`. Medians of several repetitions.\n\n"
        RESULTS.write_text(head + "\n".join(sections[name] for name in sorted(sections)), encoding="utf-8")


def _cell(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _sections() -> dict[str, str]:
    if not RESULTS.exists():
        return {}
    parts = RESULTS.read_text(encoding="utf-8").split("\n## ")[1:]
    return {part.splitlines()[0]: "## " + part.strip() + "\n" for part in parts}


def machine() -> str:
    """Cores, Python, and the versions of the libraries that were timed."""
    known = []
    for package in PACKAGES:
        try:
            known.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            known.append(f"{package} absent")
    day = time.strftime("%Y-%m-%d")
    return (
        f"{day}: {os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, "
        + ", ".join(known)
    )


def median_seconds(work: Callable[[], object], repetitions: int = 5) -> float:
    """Median wall time of ``work()``, after one run to warm up."""
    work()
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def verdict(value: float, goal: float, *, at_least: bool) -> str:
    """The goal, and whether it is met."""
    met = value >= goal if at_least else value <= goal
    return f"{'≥' if at_least else '≤'} {goal:g}: {'met' if met else 'MISSED'}"
