"""What stands beside the evidence: controls, audits, tables and figures, checked at birth.

A `Control` is a deliberate violation that fails by a predicted amount. An `Audit` describes something that
is not ours (a library, a user's data, an equation as printed) and decides nothing: it agrees or deviates, or
that cannot be told, or it informs, where nothing was compared.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from reports.evidence.birth import finite, not_negative, probability, text
from reports.evidence.record import finite_or_none, share

AuditOutcome = Literal["agrees", "deviates", "cannot be told", "informs"]
AuditKind = Literal["data", "flow", "library", "equation"]


@dataclass(frozen=True, slots=True)
class Control:
    """A deliberate violation: it must fail by the predicted amount, to within ``agreement``.

    ``intact`` is the value that the quantity would have if nothing were violated (0 for an error, 1 for
    a probability of recovery). Agreement must be too narrow to reach it, or the control proves nothing.
    ``level`` is the probability that a correct prediction disagrees, where the agreement is statistical.
    """

    violation: str
    predicted: float
    measured: float
    agreement: float
    because: str
    intact: float = 0.0
    level: float | None = None

    def __post_init__(self) -> None:
        text("violation", self.violation)
        text("because", self.because)
        for name in ("predicted", "intact"):
            finite(name, getattr(self, name), self.violation)
        not_negative("agreement", self.agreement, self.violation)
        if self.level is not None:
            probability(self.level, self.violation)
        if not self.agreement < abs(self.predicted - self.intact):
            raise ValueError(
                f"control {self.violation!r} could pass without any violation: predicted {self.predicted}"
                f" within agreement {self.agreement} of the intact value {self.intact};"
                " narrow the agreement or choose a stronger violation"
            )

    @property
    def holds(self) -> bool:
        """Whether it was rejected as predicted."""
        return math.isfinite(self.measured) and abs(self.measured - self.predicted) <= self.agreement

    @property
    def badness(self) -> float:
        """By which the worst of many is found: the share of the agreement that the difference uses."""
        return share(abs(self.measured - self.predicted), self.agreement)

    @property
    def risk(self) -> float:
        """The probability that a correct prediction disagrees; 0 where nothing is random."""
        return self.level or 0.0

    def fields(self) -> dict[str, object]:
        """What report.json says of it."""
        return {
            "violation": self.violation,
            "predicted": self.predicted,
            "measured": finite_or_none(self.measured),
            "agreement": self.agreement,
            "intact": self.intact,
            "because": self.because,
            "level": self.level,
            "rejected": self.holds,
        }


@dataclass(frozen=True, slots=True)
class Audit:
    """What something that is not ours does, in its own words; it has no effect on any verdict."""

    subject: str
    kind: AuditKind
    question: str
    outcome: AuditOutcome
    expected: float | str
    measured: float | str
    because: str
    target: str = ""

    def __post_init__(self) -> None:
        for name in ("subject", "question", "because"):
            text(name, getattr(self, name))
        if self.outcome not in get_args(AuditOutcome):
            raise ValueError(
                f"outcome of {self.question!r}: got {self.outcome!r}, use one of {get_args(AuditOutcome)}"
            )
        if self.kind not in get_args(AuditKind):
            raise ValueError(
                f"kind of {self.question!r}: got {self.kind!r}, use one of {get_args(AuditKind)}"
            )


def tally(outcomes: Iterable[str]) -> str:
    """How many answers agree and deviate, and, where there are such, how many others there are.

    Example:
        >>> tally(["agrees", "informs", "agrees", "cannot be told"])
        '2 agree, 0 deviate, 1 cannot be told, 1 inform'
    """
    counted = Counter(outcomes)
    words = [f"{counted['agrees']} agree", f"{counted['deviates']} deviate"]
    words += [f"{counted['cannot be told']} cannot be told"] if counted["cannot be told"] else []
    return ", ".join(words + ([f"{counted['informs']} inform"] if counted["informs"] else []))


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers or words shown beside a claim, one tuple a row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[float | int | str | None, ...], ...]

    def __post_init__(self) -> None:
        text("title", self.title)
        if not self.columns or not self.rows:
            raise ValueError(f"table {self.title!r} is empty")
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"table {self.title!r}, row {number}: {len(row)} cells for {len(self.columns)} columns"
                )


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawn figure: ``alt`` says in words what it shows; ``data`` are the bytes of the image."""

    title: str
    alt: str
    format: Literal["svg", "png"]
    data: bytes

    def __post_init__(self) -> None:
        text("title", self.title)
        text("alt", self.alt)
