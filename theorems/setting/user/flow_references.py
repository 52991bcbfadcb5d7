"""Marks beside the numbers of a flow's audits: what independent and minibatch coupling answer.

An exact OT-CFM field answers 0. The field that independent pairs teach on the same target is known in closed
form and smooth, so it is asked as the flow is: same noise, same times, same measure. Fields of drawn batches
are followed in fixed steps. Every mark carries an error: of its trajectories, and where batches are drawn of
these and of the steps (`flow_batches`).
"""

from dataclasses import dataclass, field
from functools import cache

import numpy as np

from numerics.flows.independent import IndependentField
from theorems.setting.user import flow_batches
from theorems.setting.user.flow_audits import MOST_DIMENSIONS, trajectories
from theorems.setting.user.flow_batches import Array, Drawn, Measure, number_of, scatter
from theorems.setting.user.flow_outcomes import Rival, rival
from theorems.setting.user.flow_scale import name_of, own_ends, own_samples
from theorems.setting.user.flows import UserFlow
from theorems.setting.user.trying import NumpyField, said

MOST_NUMBERS = 20_000
"""Points times dimensions of a target up to which it is asked: its field costs so many operations a point."""
ROUNDING = 1e-6
"""Below which a number of drawn batches is not told from 0."""
LEAST_OWN = 100
"""Own samples from which they stand in for a target: chosen."""


@dataclass(frozen=True)
class Marks:
    """What other couplings have, to stand beside a flow's number.

    Attributes:
        target: On which target, in words.
        places: Number and standard error of each coupling, ascending in theory.
        unknown: Which are not known, and why.
        nothing: Why none is known, where none is.
    """

    target: str = ""
    places: dict[str, tuple[float, float]] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    nothing: str = ""

    @property
    def rival(self) -> Rival | None:
        """What an agreeing flow must not be nearer to: the smallest batches, else independent pairs."""
        known = {name: place for name, place in self.places.items() if sum(place) >= ROUNDING}
        return rival(known, name_of(min(flow_batches.DRAWN)), name_of(1))

    @property
    def words(self) -> str:
        """All marks, to be put after a tolerance, and what they decide."""
        if self.nothing:
            return f", where other couplings are known; here they are not, {self.nothing}"
        marks = [f"{name} {_with_error(*place)}" for name, place in self.places.items()]
        marks += [f"{name} not known, {why}" for name, why in self.unknown.items()]
        errors = " (±: of trajectories, drawn batches and steps)" if self.places else ""
        against = self.rival
        decided = (
            f"; it must be nearer to 0 than to that of {against.name}"
            if against
            else "; none of these is told from 0, so that nothing is decided below it"
        )
        return f"; on {self.target} {', '.join(marks)}{errors}{decided}"


def _with_error(number: float, error: float) -> str:
    """A number as far as it is known."""
    if error == 0:
        return f"{number:.3g}"
    if number + error < ROUNDING:
        return f"below {ROUNDING:g}"
    return f"{number:.2g} ± {error:.1g}" if error <= number / 2 else f"below about {number + error:.1g}"


@cache
def atoms(flow: UserFlow) -> tuple[str, Array, Array] | None:
    """The target of --target, else the flow's own samples: its words, points (N,d) and weights (N,).

    Returns:
        None where the target is too large, or own samples are too few.
    """
    if flow.dim > MOST_DIMENSIONS:
        return None
    if flow.target is not None:
        points, weights = flow.target.points, flow.target.weights
        return None if points.size > MOST_NUMBERS else (flow.target.name, points, weights)
    if own_samples(flow.dim) < LEAST_OWN:
        return None
    points = own_ends(flow)[1][0]
    return f"{len(points)} of its own samples", points, np.full(len(points), 1 / len(points))


@cache
def independent(flow: UserFlow) -> UserFlow | None:
    """The field of independent coupling on the same atoms, with the seed of the flow that is audited."""
    known = atoms(flow)
    if known is None:
        return None
    name, points, weights = known
    call = NumpyField(IndependentField(points, weights).velocity)
    return UserFlow(f"independent coupling on {name}", flow.dim, call, seed=flow.seed)


@cache
def batches(flow: UserFlow, n: int) -> Drawn | None:
    """Trajectories of the field of batches of n, from the noise of the flow's own; None where not asked."""
    known = atoms(flow)
    if known is None or len(known[1]) > flow_batches.MOST_ATOMS:
        return None
    flow.say(
        f"flow {flow.name}: trajectories of {flow_batches.DRAWN[n][0]} drawn batches of {n} on {known[0]}"
    )
    noise = trajectories(flow).path[0, : flow_batches.TRAJECTORIES]
    return flow_batches.drawn(*known[1:], noise, n, flow.seed + 20 * n)


def beside(flow: UserFlow, measure: Measure, own: bool = True) -> Marks:
    """The number of other couplings; none where they are not asked.

    Args:
        flow: Which is audited.
        measure: The number of a flow's trajectories, 0 for an exact field.
        own: Whether own samples may stand in for a target: not near t = 1, where atoms are alone.
    """
    if flow.target is None and not own:
        return Marks(nothing="as near t = 1 own samples are alone: give --target")
    try:
        known, other = atoms(flow), independent(flow)
        if known is None or other is None:
            return Marks(nothing=_why_no_atoms(flow))
        places: dict[str, tuple[float, float]] = {}
        unknown: dict[str, str] = {}
        for n in flow_batches.DRAWN:
            _mark(batches(flow, n), name_of(n), measure, places, unknown)
        whole = trajectories(other)
        places[name_of(1)] = float(measure(whole)), scatter(whole, measure)
        return Marks(known[0], places, unknown)
    except (ValueError, RuntimeError, np.linalg.LinAlgError) as error:  # own samples may end so
        return Marks(nothing=f"as asking them ended in {said(error)}")


def unasked(flow: UserFlow) -> Marks:
    """No marks, where asking for them takes whole Jacobians that do not fit."""
    return Marks(nothing=_why_no_atoms(flow))


def _why_no_atoms(flow: UserFlow) -> str:
    if flow.dim > MOST_DIMENSIONS:
        return f"as they are asked up to dimension {MOST_DIMENSIONS}"
    if flow.target is None:
        return f"as fewer than {LEAST_OWN} own samples stand in for a target in dimension {flow.dim}"
    return f"as {flow.target.name} has more than {MOST_NUMBERS} numbers"


def _mark(
    seen: Drawn | None,
    name: str,
    measure: Measure,
    places: dict[str, tuple[float, float]],
    unknown: dict[str, str],
) -> None:
    """Put a batch size's number among the known ones, or why there is none among the others."""
    if seen is None:
        unknown[name] = f"as it has more than {flow_batches.MOST_ATOMS} points"
    elif seen.lost > flow_batches.MOST_LOST:
        unknown[name] = f"as {seen.lost:.0%} of its trajectories come where no drawn batch does"
    else:
        places[name] = number_of(seen, measure)
