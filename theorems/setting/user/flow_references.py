"""Marks beside the numbers of a flow's audits: what independent and minibatch coupling answer.

An exact OT-CFM field answers 0. The field that independent pairs teach on the same target is known in closed
form and smooth, so it is asked as the flow is: same noise, same times, same measure. Fields of drawn batches
are followed in fixed steps. Every mark carries an error: of its trajectories, and where batches are drawn of
these and of the steps (`flow_batches`). Of exponents, worst cases and costs
independent pairs alone are known.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from numerics.flows.independent import IndependentField
from theorems.setting.user import flow_batches
from theorems.setting.user.flow_audits import MOST_DIMENSIONS, count_of, trajectories
from theorems.setting.user.flow_batches import Array, Drawn, Measure, number_of, scatter, scatter_of
from theorems.setting.user.flow_outcomes import Rival, rival
from theorems.setting.user.flow_scale import name_of, own_ends, own_samples
from theorems.setting.user.flow_spectra import POINTS, VECTORS, Spectrum, spectra
from theorems.setting.user.flows import UserFlow
from theorems.setting.user.trying import said

MOST_WORK = 5e6
"""Exponentials a call of the independent field, or fifty times as many products: seconds a mark. Chosen."""
ROUNDING = 1e-6
"""Below which a number of drawn batches is not told from 0."""
FEW = f"as drawn batches are followed up to dimension {MOST_DIMENSIONS}"
LEAST_OWN = 100
"""Own samples from which they stand in for a target: chosen."""


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
        for reason in dict.fromkeys(self.unknown.values()):
            names = [name for name, why in self.unknown.items() if why == reason]
            marks.append(f"{' and '.join(names)} not known, {reason}")
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
    call = ClosedForm(IndependentField(points, weights))
    return UserFlow(
        f"independent coupling on {name}", flow.dim, call, differentiates=True, seed=flow.seed, say=flow.say
    )


@cache
def batches(flow: UserFlow, n: int) -> Drawn | str:
    """Trajectories of the field of batches of n, from the noise of the flow's own; else why not asked."""
    known = atoms(flow)
    if flow.dim > MOST_DIMENSIONS:
        return FEW
    if len(known[1]) > flow_batches.MOST_ATOMS:
        return f"as it has more than {flow_batches.MOST_ATOMS} points"
    flow.say(
        f"flow {flow.name}: trajectories of {flow_batches.DRAWN[n][0]} drawn batches of {n} on {known[0]}"
    )
    noise = trajectories(flow).path[0, : flow_batches.TRAJECTORIES]
    return flow_batches.drawn(*known[1:], noise, n, flow.seed + 20 * n)


def beside(flow: UserFlow, measure: Measure, own: bool = True, jacobians: bool = True) -> Marks:
    """The number of other couplings; none where they are not asked.

    Args:
        flow: Which is audited.
        measure: The number of a flow's trajectories, 0 for an exact field.
        own: Whether own samples may stand in for a target: not near t = 1, where atoms are alone.
        jacobians: Whether the measure takes whole Jacobians.
    """

    def marked() -> Marks:
        marks = Marks(atoms(flow)[0])
        for n in flow_batches.DRAWN:
            _mark(batches(flow, n), name_of(n), measure, marks)
        whole = trajectories(independent(flow))
        marks.places[name_of(1)] = float(measure(whole)), scatter(whole, measure)
        return marks

    return _if_asked(flow, own, 0 if jacobians else 2 * count_of(flow.dim), marked)


def beside_independent(
    flow: UserFlow,
    each: Callable[[UserFlow], Array],
    over: Callable[[Array], float],
    why: str,
    rows: int = 0,
) -> Marks:
    """The number of independent coupling alone, on a target that is given.

    Args:
        flow: Which is audited.
        each: What each of a flow's trajectories has, (n,), 0 for an exact field.
        over: The number of all: a mean, which has a standard error, or `np.max`, which is known to be at
            least what was found.
        why: Why batches are not asked.
        rows: At how many points at once its field is asked; 0 where whole Jacobians are.
    """

    def marked() -> Marks:
        numbers = each(independent(flow))
        error = 0.0 if over is np.max else scatter_of(numbers, over)
        places = {name_of(1): (float(over(numbers)), error)}
        return Marks(atoms(flow)[0], places, dict.fromkeys(map(name_of, flow_batches.DRAWN), why))

    return _if_asked(flow, False, rows, marked)


def beside_spectra(
    flow: UserFlow, measure: Callable[[Sequence[Spectrum]], float], worst: bool = False
) -> Marks:
    """The number of independent coupling alone, of spectra by products, on a target that is given.

    Args:
        flow: Which is audited.
        measure: The number of spectra at all times.
        worst: Whether it is that of the worst point: at least what was found.
    """

    def marked() -> Marks:
        seen = spectra(independent(flow))
        each = np.array([measure([one.at(k) for one in seen]) for k in range(len(seen[0].least))])
        error = 0.0 if worst else scatter_of(each, np.mean)
        places = {name_of(1): (float(measure(seen)), error)}
        return Marks(atoms(flow)[0], places, dict.fromkeys(map(name_of, flow_batches.DRAWN), FEW))

    return _if_asked(flow, False, POINTS * VECTORS, marked)


def _if_asked(flow: UserFlow, own: bool, rows: int, marked: Callable[[], Marks]) -> Marks:
    """Marks, or why there are none: they would cost too much, or asking for them ended in an error."""
    obstacle = _obstacle(flow, own, rows)
    if obstacle:
        return Marks(nothing=obstacle)
    try:
        return marked()
    except (ValueError, RuntimeError, np.linalg.LinAlgError) as error:  # own samples may end so
        return Marks(nothing=f"as asking them ended in {said(error)}")


def _obstacle(flow: UserFlow, own: bool, rows: int) -> str:
    """Why other couplings are not asked; empty where they are."""
    d = flow.dim
    if flow.target is None and not own:
        return "as near t = 1 own samples are alone: give --target"
    if not rows and d > MOST_DIMENSIONS:
        return f"as they are asked up to dimension {MOST_DIMENSIONS}"
    if flow.target is None:
        few = own_samples(d) < LEAST_OWN
        return few * f"as fewer than {LEAST_OWN} own samples stand in for a target in dimension {d}"
    most = int(MOST_WORK / ((rows or count_of(d) * d) * (1 + d / 50)))
    return (len(flow.target.points) > most) * f"as {flow.target.name} has more than {most} points"


def _mark(seen: Drawn | str, name: str, measure: Measure, marks: Marks) -> None:
    """Put a batch size's number among the known ones, or why there is none among the others."""
    if isinstance(seen, str):
        marks.unknown[name] = seen
    elif seen.lost > flow_batches.MOST_LOST:
        marks.unknown[name] = f"as {seen.lost:.0%} of its trajectories come where no drawn batch does"
    else:
        marks.places[name] = number_of(seen, measure)
