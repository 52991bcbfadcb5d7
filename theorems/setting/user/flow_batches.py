"""What a number of a flow's audits is for minibatch coupling on the same target, and how well that is known.

The field of drawn batches (`numerics.flows.batches`) is a sum of steps, so it is followed by Heun's method in
fixed steps, and its Jacobians are those of the coupling, estimated by scores. It errs by O(1/√batches) at a
point. What a number makes of this is told by asking it of two halves of the batches, too, with steps twice as
long: a bias of order 1/batches in its square, which is what noise leaves, is extrapolated away and counted as
error, and so are how far the halves are apart, and what so few trajectories err by: the standard error over
groups of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.flows.batches import BatchField
from theorems.setting.user.flow_audits import TIMES, Trajectories

Array = NDArray[np.float64]
Measure = Callable[[Trajectories], float]
DRAWN = {256: (128, 4), 64: (512, 4), 16: (2048, 2)}
"""Pairs a batch; how many batches are drawn, and how many shifts of each in a Jacobian."""
MOST_ATOMS = 2000
"""Of a target: a few drawn batches then hold each of them. Chosen."""
TRAJECTORIES = 30
GROUPS = 5
"""Of trajectories, whose numbers tell what the number of all errs by. Chosen."""
MOST_LOST = 0.1
"""Share of the trajectories that may come where no drawn batch does: chosen."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """Trajectories of one batch size.

    Attributes:
        n: Pairs a batch.
        whole: Of all batches, those that came where no batch does left out.
        halves: Of half the batches each, with steps twice as long.
        lost: The largest share of the trajectories that was left out.
    """

    n: int
    whole: Trajectories
    halves: tuple[Trajectories, Trajectories]
    lost: float


def drawn(points: Array, weights: Array, noise: Array, n: int, rng: np.random.Generator | int) -> Drawn:
    """Follow the field of batches of n from the same noise (m,d): all batches, and two halves."""
    batches, shifts = DRAWN[n]
    field = BatchField(points, weights, n, batches, rng, shifts)
    whole, kept = followed(field, noise, 2)
    first, second = (followed(half, noise, 1) for half in field.split())
    lost = 1 - min(kept, first[1], second[1]) / len(noise)
    return Drawn(n, whole, (first[0], second[0]), lost)


def followed(field: BatchField, noise: Array, steps: int) -> tuple[Trajectories, int]:
    """Trajectories at `TIMES`, Heun's method with so many steps between, and how many were kept."""
    x, path = noise, [noise]
    for before, after in pairwise(TIMES):
        h = (after - before) / steps
        for k in range(steps):
            t = before + k * h
            first = _velocity(field, t, x)
            x = x + h / 2 * (first + _velocity(field, t + h, x + h * first))
        path.append(x)
    velocity = np.stack([_velocity(field, t, x) for t, x in zip(TIMES, path, strict=True)])
    kept = np.isfinite(velocity).all(axis=(0, 2))
    where = np.stack(path)[:, kept]
    error = np.zeros((len(TIMES), 2 * where.shape[1]))
    return Trajectories(where, where, velocity[:, kept], error, field.jacobian), kept.sum()


def _velocity(field: BatchField, t: float, x: Array) -> Array:
    """The field, NaN where no batch comes by, and from there on."""
    known = np.isfinite(x).all(axis=1)
    value = np.full(x.shape, np.nan)
    if known.any():
        value[known] = field.velocity(float(t), x[known])
    return value


def number_of(seen: Drawn, measure: Measure) -> tuple[float, float]:
    """A number of the coupling, and its estimated error.

    Args:
        seen: The trajectories.
        measure: The number of trajectories, ≥ 0.
    """
    number, error = extrapolated(*(measure(one) for one in (seen.whole, *seen.halves)))
    return number, error + scatter(seen.whole, measure)


def extrapolated(whole: float, first: float, second: float) -> tuple[float, float]:
    """A number in the limit of many batches, by those of all batches and of two halves; and its error."""
    square = 2 * whole**2 - (first**2 + second**2) / 2
    number = float(np.sqrt(max(square, 0.0)))
    return number, abs(number - whole) + abs(first - second)


def scatter(whole: Trajectories, measure: Measure) -> float:
    """Standard error of a number over its trajectories (`scatter_of`)."""
    return scatter_of(np.arange(whole.path.shape[1]), lambda rows: measure(whole.part(rows)))


def scatter_of(each: NDArray[Any], over: Callable[[Any], float]) -> float:
    """Standard error of a number over what n trajectories have: deviation of `GROUPS` groups over the root.

    Infinite where there is one trajectory.
    """
    if len(each) < 2:
        return np.inf
    numbers = [over(group) for group in np.array_split(each, min(GROUPS, len(each)))]
    return float(np.std(numbers, ddof=1) / np.sqrt(len(numbers)))
