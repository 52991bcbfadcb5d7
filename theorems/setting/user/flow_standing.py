"""Where a flow stands among the couplings of its target, and what that decides."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theorems.setting.user.flow_audits import CLOSE
from theorems.setting.user.flow_batches import MOST_LOST
from theorems.setting.user.flow_outcomes import TOLD_APART, Outcome, Rival, outcome, rival

Array = NDArray[np.float64]
BATCHES = {256: 128, 64: 256, 16: 512}
"""Pairs a batch, and how many batches are drawn."""
UNRESOLVED = 0.5
"""From which distance of two exact fields on own samples nothing is decided, or from half of independent
coupling's. Both are chosen, after distances of flows of known kind had been seen: half of what is to be told
apart, and the smaller of the two, so that less is decided."""


def name_of(n: int) -> str:
    """What a reference is called."""
    return "independent coupling" if n == 1 else f"batches of {n}"


@dataclass(frozen=True, eq=False)
class Scale:
    """Distances D from the exact field.

    Attributes:
        target: Which target, in words.
        times: At which it was asked.
        found: D of the user's flow.
        error: Its standard error over the points.
        places: D of each reference, by name, ascending in theory.
        errors: What these err by.
        apart: D between two exact fields on own samples, over √2; 0 with --target.
        left_out: Share of points that no drawn batch reached, by reference.
        share: Of the flow's squared error, what the worst tenth of the points and times holds.
        when: The time of the largest error.
        worst: (d,), the point of the largest error.
    """

    target: str
    times: tuple[float, ...]
    found: float
    error: float
    places: dict[str, float]
    errors: dict[str, float]
    apart: float
    left_out: dict[str, float]
    share: float
    when: float
    worst: Array

    @property
    def resolved(self) -> bool:
        """Whether the target is known well enough: it tells independent coupling from the exact field."""
        return self.apart == 0 or self.apart < min(UNRESOLVED, self.places.get(name_of(1), np.inf) / 2)

    @property
    def known(self) -> dict[str, float]:
        """The places of references that were met at nearly all points."""
        return {n: at for n, at in self.places.items() if self.left_out.get(n, 0.0) <= MOST_LOST}

    @property
    def best(self) -> float:
        """What the largest batches have at most; 0 where they are not known."""
        name = name_of(max(BATCHES))
        return self.known[name] + TOLD_APART * self.errors.get(name, 0.0) if name in self.known else 0.0

    @property
    def allowed(self) -> float:
        """Up to where a flow agrees: `CLOSE`, the mark of the largest batches, what own samples resolve."""
        return max(CLOSE, self.known.get(name_of(max(BATCHES)), 0.0), self.apart)

    @property
    def rival(self) -> Rival | None:
        """What an agreeing flow must not be nearer to: the smallest batches, else independent pairs.

        On own samples that do not tell the smallest batches from the exact field it is none: what counts
        as near there may be any coupling.
        """
        places = {n: (at, max(self.apart, self.errors.get(n, 0.0))) for n, at in self.known.items()}
        names = (name_of(min(BATCHES)), name_of(1))
        return rival(places, *names[: 1 if self.apart else 2])

    @property
    def outcome(self) -> Outcome:
        """Whether the flow agrees; where the target is not known well enough it cannot be told."""
        if not self.resolved:
            return "cannot be told"
        unsure, error = max(0.0, self.best - self.allowed), TOLD_APART * self.error
        return outcome(self.found, self.allowed, self.rival, unsure, best=self.best, error=error)

    @property
    def place(self) -> str:
        """Between which references the flow stands, in words."""
        below = [name for name, number in self.places.items() if number <= self.found]
        above = [name for name, number in self.places.items() if number > self.found]
        if not above:
            return f"beyond {below[-1]}"
        return f"between {below[-1]} and {above[0]}" if below else f"at {above[0]}"

    @property
    def pairs(self) -> float:
        """The batch size whose field is as far off, interpolated in logarithms; inf beyond all that are told.

        Marks that are 0 to rounding are left out, and those that exceed one of smaller batches count as that.
        """
        marks = [(n, self.known.get(name_of(n), 0.0)) for n in (1, *sorted(BATCHES))]
        told = [(n, at) for n, at in marks if at > 0]
        if self.found <= 0 or not told:
            return np.inf
        sizes = np.log([n for n, _ in told])
        numbers = np.minimum.accumulate([at for _, at in told])
        return float(np.exp(np.interp(-np.log(self.found), -np.log(numbers), sizes, right=np.inf)))
