"""From what happened to a claim's tests to the verdict on the claim, and from verdicts to an exit status.

| what happened | verdict |
|---|---|
| the claim is open | open, whatever the evidence |
| none of its tests were selected, or none of its checks ran | not run |
| some check recorded a measurement beyond its bound | refuted |
| a check or control ended in any other exception, or recorded nothing | unsupported |
| a control was not rejected as predicted, or no control or no check exists | unsupported |
| all of it ran and passed, but a clause that the claim declares was named by no evidence | unsupported |
| all of it ran and passed | verified |
| what ran passed, and part was deselected, skipped or not reached | partial |
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

Verdict = Literal["refuted", "unsupported", "not run", "open", "partial", "verified"]
State = Literal["passed", "failed", "skipped", "not selected", "not reached"]

LEVEL_BUDGET = 1e-6
"""The largest sum of levels (false alarms, false acceptance by demonstrations) that a run may have."""


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened to one test of a claim.

    Attributes:
        check: Whether the test is a check of the claim.
        control: Whether it is a control of the claim.
        state: How it ended.
        beyond: Whether it recorded a measurement beyond its bound.
        evidence: The number of its evidence records.
        rejections: The number of its control records, if all were rejected as predicted; else 0.
    """

    check: bool
    control: bool
    state: State
    beyond: bool = False
    evidence: int = 0
    rejections: int = 0

    @property
    def refutes(self) -> bool:
        """Whether a check measured something beyond its bound, however the test ended after that."""
        return self.check and self.beyond

    @property
    def fails(self) -> bool:
        """Whether it leaves the claim unsupported."""
        if self.state == "failed" or self.beyond:
            return True
        if self.state != "passed":
            return False
        return (self.check and not self.evidence) or (self.control and not self.rejections)


def verdict(
    tests: Sequence[Happened],
    *,
    is_open: bool,
    all_collected: bool,
    broken: bool,
    clauses_checked: bool = True,
) -> Verdict:
    """The verdict on a claim.

    Args:
        tests: What happened to each of its tests.
        is_open: Whether the claim's status is *open*.
        all_collected: Whether every module that the claim names was collected.
        broken: Whether one of these modules failed to be collected.
        clauses_checked: Whether every clause that it declares was named by some evidence.
    """
    ran = [test for test in tests if test.state in ("passed", "failed", "skipped")]
    if is_open:
        return "open"
    if any(test.refutes for test in tests):
        return "refuted"
    if broken or any(test.fails for test in tests):
        return "unsupported"
    if not ran:
        return "not run"
    has_check, has_control = any(test.check for test in tests), any(test.control for test in tests)
    if all_collected and not (has_check and has_control):
        return "unsupported"
    if not any(test.check and test.state == "passed" for test in tests):
        return "not run"
    complete = all_collected and all(test.state == "passed" for test in tests)
    if not complete:
        return "partial"
    return "verified" if clauses_checked else "unsupported"


class Exit(IntEnum):
    """The exit statuses of a run."""

    OK = 0
    FAILED = 1
    USAGE = 4
    NOTHING_COLLECTED = 5


def exit_status(verdicts: Iterable[Verdict], *, failed: bool, collected: bool, level_spent: float) -> Exit:
    """The exit status of a run that got as far as collecting (bad input has already ended in ``USAGE``).

    Args:
        verdicts: The verdicts of all claims.
        failed: Whether any test failed or any module could not be collected.
        collected: Whether any test was collected.
        level_spent: The sum of all levels.
    """
    if failed or level_spent > LEVEL_BUDGET or {"refuted", "unsupported"} & set(verdicts):
        return Exit.FAILED
    return Exit.OK if collected else Exit.NOTHING_COLLECTED
