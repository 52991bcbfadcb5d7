"""A line a claim while the run goes on: printed on a terminal as soon as the claim's last test has ended."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from reports.run.state import Run

COLOUR: dict[str, str] = {"verified": "green", "partial": "yellow", "open": "blue", "not run": "light"}


def wanted(config: pytest.Config) -> bool:
    """Whether anyone watches: a terminal, without ``-q``, in the process that reports."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    reports = not hasattr(config, "workerinput")
    return bool(terminal and reports and terminal.isatty and config.get_verbosity() == 0)


class Progress:
    """Follows which claims still have tests to run."""

    def __init__(self, run: "Run") -> None:
        self.run = run
        self.told: set[str] = set()

    def lines(self) -> list[tuple[str, str]]:
        """One line, and its colour, for every claim that has just been completed."""
        told = []
        for claim in self.run.claims:
            tests = [t.name for t in self.run.tests_of(claim) if t.name in self.run.collection.selected]
            if claim.id in self.told or not tests or not self.run.outcomes.keys() >= set(tests):
                continue
            self.told.add(claim.id)
            records = [r for name in tests for r in self.run.outcomes[name].evidence]
            points = sum(record["points"] for record in records)
            verdict = self.run.verdict(claim)
            line = f"{claim.id} {claim.label}: {verdict}, {points:,} points"
            told.append((line, COLOUR.get(verdict, "red")))
        return told
