"""What every record of a measurement answers, and how much of its bound a measurement uses."""

import math
from typing import TYPE_CHECKING, ClassVar

from reports.evidence.basis import Kind
from reports.evidence.birth import finite, text


def share(measured: float, bound: float) -> float:
    """How much of its bound a measurement uses: 1 is the bound itself, more is beyond it.

    For a positive bound this is measured/bound; for a negative one 1 + (measured − bound)/|bound|; for
    a bound of zero 0 or infinity. A measurement that is not a finite number uses infinitely much.
    """
    if not math.isfinite(measured):
        return math.inf
    if bound > 0:
        return measured / bound
    if bound < 0:
        return 2 - measured / bound
    return 0.0 if measured <= 0 else math.inf


def finite_or_none(number: float | None) -> float | None:
    """The number as report.json writes it: None where it is not finite."""
    return number if number is None or math.isfinite(number) else None


class Record:
    """What every measurement answers, whatever its strength: measured ≤ bound, because of something.

    Attributes:
        strength: The name of its strength.
        meaning: What this strength says, one sentence without a full stop.
        parts: The members of a record in report.json that this strength alone fills.
        kind: What kind of comparison it is: see `reports.evidence.basis.KINDS`.
        quantity: What was measured.
    """

    __slots__ = ()
    strength: ClassVar[str]
    meaning: ClassVar[str]
    parts: ClassVar[tuple[str, ...]] = ()

    @property
    def kind(self) -> Kind:
        """What kind of comparison it is, if the check says nothing else."""
        return "inequality"

    if TYPE_CHECKING:  # fields of some strengths, properties of others

        @property
        def quantity(self) -> str: ...  # noqa: D102
        @property
        def measured(self) -> float: ...  # noqa: D102
        @property
        def bound(self) -> float: ...  # noqa: D102
        @property
        def because(self) -> str: ...  # noqa: D102

    @property
    def holds(self) -> bool:
        """Whether the measurement is a finite number within its bound."""
        return math.isfinite(self.measured) and bool(self.measured <= self.bound)

    @property
    def share(self) -> float | None:
        """How much of its bound it uses; None where there is no bound to use a part of."""
        return share(self.measured, self.bound)

    @property
    def badness(self) -> float:
        """By which the worst of many is found: its share, or else 0 if it holds and infinity if not."""
        if self.share is not None:
            return self.share
        return 0.0 if self.holds else math.inf

    @property
    def risk(self) -> float:
        """The probability that it misleads: a false alarm or, of a demonstration, a false claim accepted."""
        return 0.0

    @property
    def expected(self) -> str:
        """What was expected, in words."""
        return f"at most {self.bound:.3g}"

    def fields(self) -> dict[str, object]:
        """What report.json says of it, without the parts of other strengths."""
        return {
            "quantity": self.quantity,
            "strength": self.strength,
            "measured": finite_or_none(self.measured),
            "bound": self.bound,
            "share": finite_or_none(self.share),
            "because": self.because,
            **{part: getattr(self, part) for part in self.parts},
            "holds": self.holds,
        }

    def _check(self) -> None:
        text("quantity", self.quantity)
        text("because", self.because)
        finite("bound", self.bound, self.quantity)
