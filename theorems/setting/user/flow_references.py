"""Marks beside the numbers of a flow's audits: what independent and minibatch coupling answer.

The field that independent pairs teach on the same target is known in closed form and smooth, so it is asked
as the flow is: same noise, same times, same measure. Fields of drawn batches are followed in fixed steps.
Every mark carries an error: of its trajectories, and where batches are drawn of these and of the steps
(`flow_batches`); a worst case is at least what was found. Of exponents, derivatives' worst cases and costs,
and beyond dimension 128, independent pairs alone are known.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import numpy as np

from numerics.flows.independent import IndependentField
from numerics.streams import stream
from theorems.setting.user import flow_batches
from theorems.setting.user.flow_audits import MOST_DIMENSIONS, TIMES, count_of, exponents_of, trajectories
from theorems.setting.user.flow_batches import Array, Drawn, Measure, number_of, scatter, scatter_of
from theorems.setting.user.flow_marks import Marks
from theorems.setting.user.flow_scale import given, own_ends, own_samples, references
from theorems.setting.user.flow_spectra import ASKED, POINTS, STEPS, VECTORS, Spectrum, is_large, spectra
from theorems.setting.user.flow_standing import name_of
from theorems.setting.user.flows import UserFlow
from theorems.setting.user.trying import said

T = TypeVar("T")
CALLS = 600
"""Of a field, while it is integrated: on targets of 30 to 100 atoms it was 500 to 580."""
MOST_EXPONENTIALS = 3e9
"""Of the independent field a mark, or fifty times as many products: about a minute. Chosen."""
MANY = f"as drawn batches are followed up to dimension {MOST_DIMENSIONS}"
LEAST_OWN = 100
"""Own samples from which they stand in for a target: chosen."""
OF_FIELDS = 200
"""Points at each time at which the fields of other couplings are asked: chosen."""
LEAST_NUMBERS = 4
"""Trajectories from which a mean has an error that means something: chosen."""


@dataclass(frozen=True)
class ClosedForm:
    """The field of independent coupling, called as a user's is."""

    field: IndependentField
    how = "in closed form"

    def velocity(self, t: float, x: Array) -> Array:
        """v_t(x)."""
        return self.field.velocity(t, x)

    def jacobian(self, t: float, x: Array) -> Array:
        """Dv_t(x)."""
        return self.field.jacobian(t, x)

    def products(self, t: float, x: Array, vectors: Array) -> tuple[Array, Array]:
        """Dv_t z, twice: it is symmetric."""
        found = self.field.product(t, x, vectors)
        return found, found


@cache
def atoms(flow: UserFlow) -> tuple[str, Array, Array]:
    """The target of --target, else the flow's own samples: its words, points (N,d) and weights (N,)."""
    if flow.target is not None:
        return flow.target.name, flow.target.points, flow.target.weights
    points = own_ends(flow)[1][0]
    return f"{len(points)} of its own samples", points, np.full(len(points), 1 / len(points))


@cache
def independent(flow: UserFlow) -> UserFlow:
    """The field of independent coupling on the same atoms, with the seed of the flow that is audited."""
    name, points, weights = atoms(flow)
    flow.say(f"flow {flow.name}: independent coupling on {name}, in closed form")
    call = ClosedForm(IndependentField(points, weights))
    return UserFlow(f"independent coupling on {name}", flow.dim, call, differentiates=True, seed=flow.seed)


@cache
def _failure(flow: UserFlow) -> str:
    """Why independent coupling is not known, where its field cannot be followed; found out once."""
    try:
        trajectories(independent(flow))
    except (ValueError, RuntimeError, np.linalg.LinAlgError) as error:
        return f"as asking it ended in {said(error)}"
    return ""


@cache
def batches(flow: UserFlow, n: int) -> Drawn | str:
    """Trajectories of the field of batches of n, from the noise of the flow's own; else why not asked."""
    known = atoms(flow)
    if flow.dim > MOST_DIMENSIONS:
        return MANY
    if len(known[1]) > flow_batches.MOST_ATOMS:
        return f"as it has more than {flow_batches.MOST_ATOMS} points"
    flow.say(
        f"flow {flow.name}: trajectories of {flow_batches.DRAWN[n][0]} drawn batches of {n} on {known[0]}"
    )
    noise = trajectories(flow).path[0, : flow_batches.TRAJECTORIES]
    return flow_batches.drawn(*known[1:], noise, n, stream(flow.seed, f"batches {n}"))


def beside(flow: UserFlow, measure: Measure, own: bool = True, jacobians: bool = True) -> Marks:
    """The number of other couplings; none where they are not asked.

    Args:
        flow: Which is audited.
        measure: The number of a flow's trajectories.
        own: Whether own samples may stand in for a target: not near t = 1, where atoms are alone.
        jacobians: Whether the measure takes whole Jacobians.
    """

    def marked() -> Marks:
        marks = Marks(atoms(flow)[0])
        for n in flow_batches.DRAWN:
            _mark(batches(flow, n), name_of(n), measure, marks)
        why = _obstacle(flow, following(flow.dim, jacobians))
        if why:
            marks.unknown[name_of(1)] = why
        else:
            whole = trajectories(independent(flow))
            marks.places[name_of(1)] = float(measure(whole)), scatter(whole, measure)
        return marks

    return _if_asked(flow, own, marked)


def beside_independent(
    flow: UserFlow,
    each: Callable[[UserFlow], Array],
    evaluations: int,
    why: str,
    *,
    over: Callable[[Array], float] = np.mean,
    more: float = 0.0,
    worst: bool = False,
) -> Marks:
    """The number of independent coupling alone, on a target that is given.

    Args:
        flow: Which is audited.
        each: What each of a flow's trajectories has, (n, …).
        evaluations: Of its field at a point, which that takes.
        why: Why batches are not asked.
        over: The number of all, whose size counts; a worst case has no scatter.
        more: What it errs by beside its scatter.
        worst: Whether it is that of the worst trajectory, at least what was found.
    """

    def marked() -> Marks:
        obstacle = _obstacle(flow, evaluations)
        if obstacle:
            return Marks(nothing=obstacle)
        numbers = each(independent(flow))
        if len(numbers) < LEAST_NUMBERS:
            return Marks(nothing=f"as {len(numbers)} trajectories tell no error")
        error = 0.0 if worst else scatter_of(numbers, over) + more
        places = {name_of(1): (abs(float(over(numbers))), error)}
        unknown = dict.fromkeys(map(name_of, flow_batches.DRAWN), why)
        return Marks(atoms(flow)[0], places, unknown, worst=worst)

    return _if_asked(flow, False, marked)


def beside_spectra(
    flow: UserFlow, measure: Callable[[Sequence[Spectrum]], float], worst: bool = False
) -> Marks:
    """The number of independent coupling alone, of spectra by products, on a target that is given.

    Args:
        flow: Which is audited.
        measure: The number of spectra at all times.
        worst: Whether it is that of the worst point, at least what was found.
    """

    def marked() -> Marks:
        products = len(ASKED) * STEPS * POINTS * VECTORS
        obstacle = _obstacle(flow, following(flow.dim) + products)
        if obstacle:
            return Marks(nothing=obstacle)
        seen = spectra(independent(flow))
        each = np.array([measure([one.at(k) for one in seen]) for k in range(POINTS)])
        error = 0.0 if worst else scatter_of(each, np.mean)
        unknown = dict.fromkeys(map(name_of, flow_batches.DRAWN), MANY)
        return Marks(atoms(flow)[0], {name_of(1): (float(measure(seen)), error)}, unknown, worst=worst)

    return _if_asked(flow, False, marked)


def beside_distance(flow: UserFlow, points: Sequence[tuple[float, Array]]) -> Marks:
    """How far the fields of other couplings are from the exact one at times and points, on a given target."""

    def marked() -> Marks:
        asked_at = [(t, x[:OF_FIELDS]) for t, x in points]
        known = references([given(flow)], asked_at, atoms(flow)[0], flow.seed)
        marks = Marks(known.target)
        for other in map(name_of, (*flow_batches.DRAWN, 1)):
            if known.left_out[other] > flow_batches.MOST_LOST:
                marks.unknown[other] = f"as no drawn batch comes by {known.left_out[other]:.0%} of the points"
            else:
                marks.places[other] = known.places[other], known.errors[other]
        return marks

    return _if_asked(flow, False, marked)


def of_independent(flow: UserFlow, what: Callable[[UserFlow], T], own: bool = True) -> tuple[T | None, str]:
    """What independent coupling has on the same target; else None and why that is not known."""
    nothing = _no_target(flow, own)
    try:
        nothing = nothing or _obstacle(flow, following(flow.dim, jacobians=not is_large(flow)))
        return (None, f"not known, {nothing}") if nothing else (what(independent(flow)), "")
    except (ValueError, RuntimeError, np.linalg.LinAlgError) as error:
        return None, f"not known, as asking it ended in {said(error)}"


def following(d: int, jacobians: bool = False) -> int:
    """Evaluations at a point of what follows trajectories, and takes the Jacobians along them.

    Example:
        >>> following(1), following(1, jacobians=True)
        (120000, 122400)
    """
    return count_of(d) * (2 * CALLS + (len(TIMES) * d if jacobians else 0))


def by_exponents(d: int) -> int:
    """Evaluations at a point of what follows a frame along each trajectory.

    Example:
        >>> by_exponents(2)
        180000
    """
    return exponents_of(d) * CALLS * (1 + d)


def _if_asked(flow: UserFlow, own: bool, marked: Callable[[], Marks]) -> Marks:
    """Marks, or why there are none: no target stands for the flow's, or asking for them ended in an error."""
    nothing = _no_target(flow, own)
    if nothing:
        return Marks(nothing=nothing)
    try:
        return marked()
    except (ValueError, RuntimeError, np.linalg.LinAlgError) as error:
        return Marks(nothing=f"as asking them ended in {said(error)}")


def _no_target(flow: UserFlow, own: bool) -> str:
    """Why nothing is known that couplings could be asked on; empty where something is."""
    if flow.target is not None:
        return ""
    if not own:
        return "as near t = 1 own samples are alone: give --target"
    few = own_samples(flow.dim) < LEAST_OWN
    return few * f"as fewer than {LEAST_OWN} own samples stand in for a target in dimension {flow.dim}"


def _obstacle(flow: UserFlow, evaluations: int) -> str:
    """Why independent coupling is not asked, too many points or a field too rough; empty where it is."""
    name, points, _ = atoms(flow)
    most = int(MOST_EXPONENTIALS / (evaluations * (1 + flow.dim / 50)))
    return f"as {name} has more than {most} points" if len(points) > most else _failure(flow)


def _mark(seen: Drawn | str, name: str, measure: Measure, marks: Marks) -> None:
    """Put a batch size's number among the known ones, or why there is none among the others."""
    if isinstance(seen, str):
        marks.unknown[name] = seen
    elif seen.lost > flow_batches.MOST_LOST:
        marks.unknown[name] = f"as {seen.lost:.0%} of its trajectories come where no drawn batch does"
    else:
        marks.places[name] = number_of(seen, measure)
