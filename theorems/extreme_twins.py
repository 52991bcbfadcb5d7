"""Noise and steps of many sizes for targets with a twin in ball arithmetic (`exact_twins`).

Where |x₀| and λ are about 1 one term of what a family states outweighs the others. Here both are drawn over
decades, independently: x₁ + λx₀ is so near to the data that it can hardly be told from them, or so far that
they are a point beside it.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np
from flint import arb
from numpy.typing import NDArray

from numerics.intervals.balls import UndecidedError, Vector, above, dot, doubles, exact, subtract, times
from numerics.intervals.exact_potential import ByConjugate, ExactPotential, interpolant
from numerics.potentials import Arc, NearestPoint
from theorems.exact_twins import TWINS, Twins

Array = NDArray[np.float64]
Place = TypeVar("Place")
Found = TypeVar("Found")

SMALLEST, LARGEST = -40.0, 2.0
"""log₂ of what noise is multiplied by."""
STEPS = 30
"""λ is a power of 2 from 2⁻³⁰ to 2³⁰."""


def _ties_at_0(twins: Twins) -> bool:
    """Arcs about 0 are all as near to small noise: that no other maximum is higher takes seconds to prove."""
    if not isinstance(twins.target, NearestPoint):
        return False
    closed_set = twins.target.closed_set
    return any(isinstance(part, Arc) for part in getattr(closed_set, "parts", (closed_set,)))


EXTREME = tuple(twins for twins in TWINS if not twins.misfit and not _ties_at_0(twins))
"""The twins that are asked: those of the very matrix that the library holds."""


def noise_of_many_sizes(twins: Twins, n: int, rng: np.random.Generator) -> Array:
    """(n,d), each row normal times a power of 2 of its own."""
    sizes = 2.0 ** rng.uniform(SMALLEST, LARGEST, n)
    return np.asarray(sizes[:, None] * rng.standard_normal((n, twins.target.dim)))


def steps_of_many_sizes(n: int, rng: np.random.Generator) -> list[float]:
    """Powers of 2."""
    return [float(step) for step in 2.0 ** rng.integers(-STEPS, STEPS + 1, n)]


def beside(potential: ExactPotential, noise: Array, step: float) -> Array:
    """(d,), the doubles nearest to x₁ + λx₀."""
    x0 = exact(noise)
    return doubles(interpolant(potential.transport(x0).point, x0, arb(step)))


def envelope(potential: ByConjugate, z: Vector, step: arb) -> arb:
    """A ball that holds e_λφ(z): its primal at the candidate u, its dual at y = (z − u)/λ."""
    u = potential.candidate(z, step)
    away = subtract(z, u.point)
    y = times(1 / step, away)
    most = u.value + dot(away, away) / (2 * step)
    return most.union(dot(z, y) - potential.conjugate(y) - step * dot(y, y) / 2)


def off(value: float, proved: arb) -> float:
    """A proved upper bound of |value − x| for every x in the ball; of a length squares would widen it."""
    return above(abs(proved - arb(float(value))))


def decided(
    places: Iterable[Place], enclose: Callable[[Place], Found]
) -> tuple[list[tuple[Place, Found]], int]:
    """Each place with what is enclosed there, and at how many nothing is: ties that balls do not decide."""
    found, undecided = [], 0
    for place in places:
        try:
            found.append((place, enclose(place)))
        except UndecidedError:
            undecided += 1
    return found, undecided
