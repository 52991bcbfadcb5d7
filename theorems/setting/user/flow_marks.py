"""What other couplings have where an exact field has a known number, and what that decides, in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from theorems.setting.user import flow_batches
from theorems.setting.user.flow_outcomes import ROUNDING, TOLD_APART, Rival, rival
from theorems.setting.user.flow_standing import name_of


@dataclass(frozen=True)
class Marks:
    """What other couplings have, to stand beside a flow's number.

    Attributes:
        target: On which target, in words.
        places: Number and standard error of each coupling, ascending in theory.
        unknown: Which are not known, and why.
        nothing: Why none is known, where none is.
        worst: Whether numbers are worst cases, at least what was found.
    """

    target: str = ""
    places: dict[str, tuple[float, float]] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    nothing: str = ""
    worst: bool = False

    @property
    def rival(self) -> Rival | None:
        """What an agreeing flow must not be nearer to: the smallest batches, else independent pairs."""
        return rival(self.places, name_of(min(flow_batches.DRAWN)), name_of(1))

    @property
    def best(self) -> tuple[float, float]:
        """The number of the largest batches, 0 where it is not told from that, and what it may be at most."""
        name = name_of(max(flow_batches.DRAWN))
        known, (number, error) = rival(self.places, name), self.places.get(name, (0.0, 0.0))
        return known.number if known else 0.0, number + TOLD_APART * error

    @property
    def words(self) -> str:
        """All marks, to be put after a tolerance, and what they decide."""
        if self.nothing:
            return f", where other couplings are known; here they are not, {self.nothing}"
        marks = [f"{name} {self._with_error(*place)}" for name, place in self.places.items()]
        for reason in dict.fromkeys(self.unknown.values()):
            names = [name for name, why in self.unknown.items() if why == reason]
            marks.append(f"{_listed(names)} not known, {reason}")
        errors = " (±: of trajectories or points, drawn batches and steps)" if "±" in "".join(marks) else ""
        against = self.rival
        decided = (
            f"; it must be nearer to 0 than to that of {against.name}"
            if against
            else "; none of these is told from 0, so that nothing is decided within the tolerance"
        )
        return f"; on {self.target} {', '.join(marks)}{errors}{decided}"

    def _with_error(self, number: float, error: float) -> str:
        """A number as far as it is known."""
        if number + error < ROUNDING:
            return f"below {ROUNDING:g}"
        if error == 0:
            return f"{'at least ' if self.worst else ''}{number:.3g}"
        return f"{number:.2g} ± {error:.1g}" if error <= number / 2 else f"below about {number + error:.1g}"


def _listed(names: Sequence[str]) -> str:
    """Names as a list, what they begin with said once.

    Example:
        >>> _listed(["batches of 256", "batches of 64", "batches of 16"])
        'batches of 256, 64 and 16'
    """
    ends = [names[0], *(name.removeprefix("batches of ") for name in names[1:])]
    return " and ".join(filter(None, (", ".join(ends[:-1]), ends[-1])))
