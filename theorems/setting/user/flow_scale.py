"""Where a user's flow stands: its distance from the exact field, beside those of batches and of no coupling.

One number for each field f, over the same points and times: D(f)² = E|f − v|²/E|v − Ev|², v the exact
OT-CFM field. It is 0 for v itself, and the same wherever the target lies. Points on a target that is given
are drawn with probabilities that grow with |v − Ev|², and weighted: a rare part of the data that lies far out
has a large share of D, and few points would miss it. Minibatch couplings of n pairs
(`numerics.flows.batches`) and independent coupling (`numerics.flows.independent`) on the same target make the
scale; where a flow stands on it is `flow_standing`'s to say.

The target is that of --target, exactly; without one it is two sets of the flow's own samples, each solved for
by semidiscrete transport, and squares are products of the deviations from the two: their scatter, which is
independent, has mean 0 in a product. What is left is told by how far the two exact fields are apart.
"""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from numerics.flows.batches import BatchField
from numerics.flows.exact import ExactField
from numerics.flows.independent import IndependentField
from numerics.potentials import Potential
from numerics.streams import stream
from numerics.transport import solve
from theorems.setting.user.flow_audits import TIMES, limited, place, tolerance
from theorems.setting.user.flow_standing import BATCHES, Scale, name_of
from theorems.setting.user.flows import UserFlow

Array = NDArray[np.float64]
ASKED = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)
"""At which times, of `TIMES`: at 0 couplings are told apart in every dimension; in large ones all fields see
which atom a point leads to soon after."""
ASKED_OWN = (0.1, 0.2, 0.3, 0.4, 0.5)
"""The same for own samples, whose spacings the exact field of atoms sees later. That it sees them from ½ on
was chosen after distances at later times had been seen; no theorem says from when."""
POINTS = 200
POOL, MOST_SCORES = 20_000, 1e9
"""Noises from which the points are chosen, and numbers that their scores may be formed of. Chosen."""
MOST_OWN, MOST_WORK = 400, 5e9
"""Own samples a set, and multiplications for solving one: 4000 n² d from dimension 4 on."""


@dataclass(frozen=True, eq=False)
class Side:
    """One target of the scale.

    Attributes:
        points: (N,d) atoms.
        weights: (N,).
        potential: Its exact potential.
    """

    points: Array
    weights: Array
    potential: Potential


@cache
def given(flow: UserFlow) -> Side:
    """The target of --target, which there is.

    Raises:
        RuntimeError: If it cannot be solved.
    """
    assert flow.target is not None
    return Side(flow.target.points, flow.target.weights, flow.target.solution.potential)


@dataclass(frozen=True, eq=False)
class References:
    """The exact field and the numbers of the couplings, at the same points.

    Attributes:
        target: Which target, in words.
        points: (t, x (n,d)) for each time.
        exact: v there, for each side and time.
        weight: (n,), of mean 1: each point's probability over that with which it was drawn.
        size: (n,), |v − Ev|² summed over times, of the first side, times the weight.
        places: D of each reference.
        errors: Its standard error over the points, and what drawn batches add.
        left_out: As of `Scale`.
    """

    target: str
    points: list[tuple[float, Array]]
    exact: list[list[Array]]
    weight: Array
    size: Array
    places: dict[str, float]
    errors: dict[str, float]
    left_out: dict[str, float]


@cache
def scale(flow: UserFlow) -> Scale:
    """Place a flow among references on the same target, at `POINTS` points of 5 times each.

    Raises:
        ValueError: If the field does, or an end of its trajectories.
        RuntimeError: If it is too rough to be integrated, or the transport cannot be solved.
    """
    sides, points, target, weight = _sides(flow)
    sizes = ", ".join(map(str, BATCHES))
    flow.say(f"flow {flow.name}: references on {target}: batches of {sizes}, independent coupling")
    return placed(flow, references(sides, points, target, flow.seed, weight))


def placed(flow: UserFlow, known: References) -> Scale:
    """The scale, with the flow on it."""
    values = [flow.velocity(t, x) for t, x in known.points]
    found, error, _ = _distance([values] * len(known.exact), known.exact, known.size, known.weight)
    between = sum(
        known.weight @ ((a - b) ** 2).sum(axis=1)
        for a, b in zip(known.exact[0], known.exact[-1], strict=True)
    )
    apart = float(np.sqrt(between / known.size.sum() / 2))
    times = tuple(float(t) for t, _ in known.points)
    apart_at = zip(values, known.exact[0], strict=True)
    wrong = np.array([known.weight * ((v - e) ** 2).sum(axis=1) for v, e in apart_at])
    largest = np.sort(wrong.ravel())[-max(1, wrong.size // 10) :]
    share = float(largest.sum() / max(wrong.sum(), 1e-300))
    k, i = np.unravel_index(wrong.argmax(), wrong.shape)
    where = times[k], known.points[k][1][i]
    marks = known.places, known.errors, apart, known.left_out
    return Scale(known.target, times, found, error, *marks, share, *where)


def references(
    sides: list[Side],
    points: list[tuple[float, Array]],
    target: str,
    seed: int,
    weight: Array | None = None,
) -> References:
    """The numbers of the references: of drawn batches, and of independent coupling in closed form."""
    exact = [[field(t, x) for t, x in points] for field in (ExactField(s.potential).velocity for s in sides)]
    weight = np.ones(len(points[0][1])) if weight is None else weight
    mean = sides[0].weights @ sides[0].points  # Ev at every time, as noise has the mean 0
    size = weight * np.sum([((v - mean) ** 2).sum(axis=1) for v in exact[0]], axis=0)
    exactly = "the exact field"
    places, errors, left = {exactly: 0.0}, {exactly: 0.0}, {exactly: 0.0}
    for n, batches in BATCHES.items():
        fields = [_drawn(side, n, batches, seed, k) for k, side in enumerate(sides)]
        name = name_of(n)
        places[name], errors[name], left[name] = _distance(_estimates(fields, points), exact, size, weight)
        errors[name] += _of_draws(fields, points, exact, size, weight)
    apart = [IndependentField(s.points, s.weights).velocity for s in sides]
    alone = name_of(1)
    places[alone], errors[alone], left[alone] = _distance(
        [[f(t, x) for t, x in points] for f in apart], exact, size, weight
    )
    return References(target, points, exact, weight, size, places, errors, left)


@lru_cache(2 * len(BATCHES))
def _drawn(side: Side, n: int, batches: int, seed: int, k: int) -> BatchField:
    """Batches of n, the same whoever asks."""
    return BatchField(side.points, side.weights, n, batches, stream(seed, f"scale {n} {k}"))


def _of_draws(
    fields: list[BatchField],
    points: list[tuple[float, Array]],
    exact: list[list[Array]],
    size: Array,
    weight: Array,
) -> float:
    """What D errs by as batches are drawn: half of what it differs by between two halves of them."""
    quarters = [np.concatenate([f.estimates(t, x, 4 // len(fields)) for f in fields]) for t, x in points]
    pairs = ((0, 2), (1, 3))
    halves = ([[at[k] for at in quarters] for k in pair] for pair in pairs)
    first, second = (_distance(half, exact, size, weight)[0] for half in halves)
    return abs(first - second) / 2


def _estimates(fields: list[BatchField], points: list[tuple[float, Array]]) -> list[list[Array]]:
    """Two independent values at every point: of two sides, or of two halves of the batches."""
    if len(fields) == 2:
        return [[field.velocity(t, x) for t, x in points] for field in fields]
    halves = [fields[0].estimates(t, x) for t, x in points]
    return [[pair[k] for pair in halves] for k in (0, 1)]


def _distance(
    values: list[list[Array]], exact: list[list[Array]], size: Array, weight: Array
) -> tuple[float, float, float]:
    """D, its standard error, and the share of points without a value.

    Two deviations a point and time are multiplied; where there is one, it is squared.
    """
    wrong, missing = np.zeros(len(size)), 0.0
    for k in range(len(exact[0])):
        first = values[0][k] - exact[0][k]
        second = values[-1][k] - exact[-1][k]
        product = weight * (first * second).sum(axis=1)
        known = np.isfinite(product)
        missing += (~known).mean() / len(exact[0])
        wrong += np.where(known, product, product[known].mean() if known.any() else 0.0)
    square = wrong.sum() / size.sum()
    scatter = (wrong - square * size).std() / np.sqrt(len(size)) / size.mean()
    number = np.sqrt(max(square, 0.0))
    return float(number), float(scatter / (2 * max(number, np.sqrt(scatter), 1e-300))), float(missing)


# --- the target ------------------------------------------------------------------------------------------


def _sides(flow: UserFlow) -> tuple[list[Side], list[tuple[float, Array]], str, Array | None]:
    """The target, or two that are the flow's own samples; the points that are asked about; their weights."""
    if flow.target is not None:
        side = given(flow)
        noise, data, weight = _chosen(side, flow)
        points = [(TIMES[k], (1 - TIMES[k]) * noise + TIMES[k] * data) for k in map(place, ASKED)]
        return [side], points, flow.target.name, weight
    path, ends = own_ends(flow)
    points = [(TIMES[k], path[k]) for k in map(place, ASKED_OWN)]
    return (
        [_solved(part, flow.seed) for part in ends],
        points,
        f"two sets of {len(ends[0])} of its own samples",
        None,
    )


def _chosen(side: Side, flow: UserFlow) -> tuple[Array, Array, Array]:
    """`POINTS` noises, their data and weights: half as drawn, half by the square of how far they move."""
    n = int(np.clip(MOST_SCORES / side.points.size, POINTS, POOL))
    rng = stream(flow.seed, "scale")
    noise = rng.standard_normal((n, flow.dim))
    data = side.potential.transport(noise)
    moved = data - noise
    square = ((moved - moved.mean(axis=0)) ** 2).sum(axis=1)
    chance = (1 + square / square.mean()) / (2 * n)
    rows = np.searchsorted(np.cumsum(chance), (np.arange(POINTS) + rng.random()) / POINTS)
    rows = rng.permutation(np.minimum(rows, n - 1))
    return noise[rows], data[rows], 1 / (n * chance[rows])


@cache
def own_ends(flow: UserFlow) -> tuple[Array, tuple[Array, Array]]:
    """Trajectories (k,`POINTS`,d) at `TIMES`, and the ends of others: two sets of own samples (n,d)."""
    n = own_samples(flow.dim)
    flow.say(f"flow {flow.name}: two sets of {n} own samples stand in for the target")
    noise, more = _noise(flow), stream(flow.seed, "own samples").standard_normal((2 * n, flow.dim))
    path = limited(flow, np.concatenate([noise, more]), 100 * tolerance(flow))
    end = path[-1] + (1 - TIMES[-1]) * flow.velocity(TIMES[-1], path[-1])
    return path[:, :POINTS], (end[POINTS : POINTS + n], end[POINTS + n :])


def _noise(flow: UserFlow) -> Array:
    return stream(flow.seed, "scale").standard_normal((POINTS, flow.dim))


def _solved(samples: Array, seed: int) -> Side:
    """The exact potential of samples; those closer than a thousandth of their spread are one atom."""
    grid = 1e-3 * max(float(samples.std(axis=0).max()), 1e-300)
    _, which, counts = np.unique(np.round(samples / grid), axis=0, return_inverse=True, return_counts=True)
    points = np.zeros((len(counts), samples.shape[1]))
    np.add.at(points, which.ravel(), samples)
    solution = solve(points / counts[:, None], counts / counts.sum(), seed=seed)
    return Side(points / counts[:, None], counts / counts.sum(), solution.potential)


def own_samples(d: int) -> int:
    """How many own samples a set holds."""
    return MOST_OWN if d < 4 else int(max(16, min(MOST_OWN, np.sqrt(MOST_WORK / (4000 * d)))))
