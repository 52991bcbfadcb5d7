"""What one measurement rests on: how many points, how many were left out, and what in it is a convention."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypedDict

from reports.birth import count, text

if TYPE_CHECKING:  # a plugin must not import numpy into other people's tests
    from numpy.typing import ArrayLike


class BasisFields(TypedDict, total=False):
    """What every method of `evidence` that measures takes besides the measurement itself."""

    points: int
    left_out: int
    at_kinks: int
    chosen: str


class StatedRounding(Protocol):
    """What a library states that a number errs by: `numerics.accuracy.Rounding`, or anything like it."""

    @property
    def bound(self) -> "ArrayLike":
        """One bound, or one for each measurement."""

    @property
    def count(self) -> float:
        """How many roundings there are at most."""

    @property
    def because(self) -> str:
        """Where they come from."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What stands behind one call, and what does not.

    Attributes:
        quantity: What was measured.
        points: How many points were checked, at least one.
        left_out: How many were drawn but left out by a filter of the check.
        at_kinks: For how many of the points the formula is set-valued and both sides were compared.
        chosen: What is a convention (a threshold, a count, a margin); empty where nothing is.

    Raises:
        ValueError: If a count is no count, no point was checked, or ``chosen`` is blank.
    """

    quantity: str
    points: int
    left_out: int = 0
    at_kinks: int = 0
    chosen: str = ""

    def __post_init__(self) -> None:
        for name in ("points", "left_out", "at_kinks"):
            object.__setattr__(self, name, count(name, getattr(self, name), self.quantity))
        if self.points < 1:
            raise ValueError(f"points of {self.quantity!r}: got {self.points}, a check must check something")
        if self.at_kinks > self.points:
            raise ValueError(
                f"at_kinks of {self.quantity!r}: got {self.at_kinks} of {self.points} points;"
                " count points at kinks among the points checked"
            )
        if self.chosen != "":
            text(f"chosen of {self.quantity!r}", self.chosen)

    @classmethod
    def of(cls, quantity: str, entries: int, given: BasisFields) -> "Basis":
        """The basis of an array of measurements: its entries are the points, if nothing else is given."""
        fields: BasisFields = {"points": entries, **given}
        return cls(quantity, **fields)
