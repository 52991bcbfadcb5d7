"""What one measurement rests on: how many points, how many were left out, and what in it is a convention."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict, get_args

from reports.evidence.birth import count, text

if TYPE_CHECKING:  # a plugin must not import numpy into other people's tests
    from numpy.typing import ArrayLike


Kind = Literal["error", "inequality", "count", "rate", "margin"]
KINDS: dict[Kind, str] = {
    "error": "an error against its budget: zero but for what the bound accounts for, so its share means much",
    "inequality": "measured ≤ bound is the statement itself: its slack is shown, and none is as good as much",
    "count": "how many instances fail: none may",
    "rate": "a fitted slope beside the theoretical one",
    "margin": "measured against something that is a convention of ours, as the row says (*chosen*)",
}
"""What kind of comparison a record is; only an error uses up a share of its bound."""


class BasisFields(TypedDict, total=False):
    """What every method of `evidence` that measures takes besides the measurement itself."""

    points: int
    left_out: int
    at_kinks: int
    chosen: str
    clause: str | None
    kind: Kind | None


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
        clause: Which clause of the claim is checked; None for the statement as a whole.
        kind: What kind of comparison it is, where the record cannot know: see `KINDS`.

    Raises:
        ValueError: If a count is no count, no point was checked, a text is blank, or the kind is unknown.
    """

    quantity: str
    points: int
    left_out: int = 0
    at_kinks: int = 0
    chosen: str = ""
    clause: str | None = None
    kind: Kind | None = None

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
        if self.clause is not None:
            text(f"clause of {self.quantity!r}", self.clause)
        if self.kind is not None and self.kind not in get_args(Kind):
            raise ValueError(f"kind of {self.quantity!r}: got {self.kind!r}, use one of {get_args(Kind)}")

    def kind_of(self, natural: Kind) -> Kind:
        """The kind as declared; else what is chosen is a margin; else what the record is by nature."""
        if self.kind is not None:
            return self.kind
        return "margin" if self.chosen and natural in ("error", "inequality") else natural

    @classmethod
    def of(cls, quantity: str, entries: int, given: BasisFields) -> "Basis":
        """The basis of an array of measurements: its entries are the points, if nothing else is given."""
        fields: BasisFields = {"points": entries, **given}
        return cls(quantity, **fields)
