"""One run of the theorems: gathers what was collected and what happened, and judges it."""

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import pytest

from reports.run.collection import Collection, Test, same_module
from reports.run.outcome import Outcome
from reports.run.verdict import Happened, Verdict, exit_status, verdict

if TYPE_CHECKING:
    from theorems.claim import Claim, Coverage


@dataclass
class Run:
    """The state of a run in the process that reports it.

    Attributes:
        seed: Feeds every generator.
        profile: The Hypothesis profile of the theorems.
        collection: The tests found.
        outcomes: What happened to those that ran, by name.
        errors: What could not be collected: module and message.
        interrupted: Whether the user stopped the run.
        started: When it began, in seconds since 1970.
    """

    seed: int
    profile: str
    collection: Collection = field(default_factory=Collection.empty)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False
    started: float = field(default_factory=time.time)

    @cached_property
    def claims(self) -> "tuple[Claim, ...]":
        """All claims, whatever is selected."""
        from theorems.claim import all_claims

        return all_claims()

    @cached_property
    def coverage(self) -> "tuple[Coverage, ...]":
        """All rows of coverage."""
        from theorems.claim import all_coverage

        return all_coverage()

    @cached_property
    def hypotheses(self) -> dict[str, str]:
        """What claims may depend on besides each other."""
        from theorems.claim import HYPOTHESES

        return dict(HYPOTHESES)

    @property
    def concerns_theorems(self) -> bool:
        """Whether any test of the theorems is selected, or should have been but could not be collected."""
        return bool(self.collection.selected or self.errors)

    @property
    def level_spent(self) -> float:
        """The sum of all levels: of false alarms and, for demonstrations, of accepting what is false."""
        return sum(sorted(outcome.level for outcome in self.outcomes.values()))

    def tests_of(self, claim: "Claim") -> list[Test]:
        """The checks and controls of a claim, selected or not, by name."""
        tests = [self.collection.declared[name] for name in sorted(self.collection.declared)]
        return [test for test in tests if claim.id in (*test.checks, *test.controls)]

    def clauses_of(self, test: Test) -> frozenset[str]:
        """Names of the clauses of all claims that a test is marked with."""
        marked = {*test.checks, *test.controls}
        return frozenset(clause.name for c in self.claims if c.id in marked for clause in c.clauses)

    def unchecked(self, claim: "Claim") -> list[str]:
        """Names of the clauses of a claim that no evidence of its checks names."""
        outcomes = [self.outcomes.get(test.name) for test in self.tests_of(claim) if claim.id in test.checks]
        named = {record["clause"] for outcome in outcomes if outcome for record in outcome.evidence}
        return [clause.name for clause in claim.clauses if clause.name not in named]

    def happened(self, claim: "Claim", test: Test) -> Happened:
        """What happened to a test, as far as this claim is concerned."""
        check, control = claim.id in test.checks, claim.id in test.controls
        if test.name not in self.collection.selected:
            return Happened(check, control, "not selected")
        outcome = self.outcomes.get(test.name)
        if outcome is None:
            return Happened(check, control, "not reached")
        evidence = len(outcome.evidence)
        return Happened(check, control, outcome.state, outcome.beyond, evidence, outcome.rejections)

    def verdict(self, claim: "Claim") -> Verdict:
        """The verdict on a claim."""
        return verdict(
            [self.happened(claim, test) for test in self.tests_of(claim)],
            is_open=claim.status == "open",
            all_collected=not self.modules_missing(claim),
            broken=any(same_module(name, module) for name in claim.modules for module in self.errors),
            clauses_checked=not self.unchecked(claim),
        )

    def modules_missing(self, claim: "Claim") -> list[str]:
        """Modules that the claim names and that were not collected."""
        return [name for name in claim.modules if not self.collection.module_collected(name)]

    def exit_status(self, status: int) -> int:
        """The exit status of the run, given the one that pytest found."""
        if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not self.errors:
            return status
        return exit_status(
            [self.verdict(claim) for claim in self.claims],
            failed=status != pytest.ExitCode.OK or bool(self.errors),
            collected=True,
            level_spent=self.level_spent,
        )
