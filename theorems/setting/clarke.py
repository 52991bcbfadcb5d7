r"""Jacobians at kinks are sets: Clarke's generalised Jacobian, the hull of the limits from all sides.

Where the rounding of z reaches a change of face nobody can say which side z lies on. A statement about
D prox(z) is then one about the set: the matrix that theory gives must lie in the hull of the Jacobians
around z.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from numerics.potentials import Potential

Array = NDArray[np.float64]


def jacobians_around(
    target: Potential, z: Array, step: float, radius: Array, rng: np.random.Generator, more: int = 16
) -> Array:
    """D prox at z and at points around it (n,k,d,d): both ways along every axis, and ``more`` at random.

    Args:
        target: Whose prox.
        z: (n,d).
        step: λ.
        radius: (n,) how far around: twice and eight times this.
        rng: For the random directions.
        more: How many random directions there are.
    """
    n, d = z.shape
    random = rng.standard_normal((more, d))
    random /= np.linalg.norm(random, axis=1)[:, None]
    ways = np.concatenate([np.eye(d), -np.eye(d), random])
    shifts = np.concatenate([np.zeros((1, d)), 2 * ways, 8 * ways])
    around = z[:, None] + radius[:, None, None] * shifts
    found = target.prox_jacobian(around.reshape(-1, d), step)
    return np.asarray(found.reshape(n, len(shifts), d, d))


def distance_to_hull(matrices: Array, wanted: Array) -> Array:
    """Distance of each wanted matrix (n,d,d) from the hull of its matrices (n,k,d,d), in Frobenius norm.

    Weights w ≥ 0 by least squares, Σw = 1 as one more equation of great weight, whose rounding that weight
    magnifies; so those that are positive are solved again with Σw = 1 eliminated. What is returned is the
    distance of one member of the hull, the nearest of these and of the matrices themselves, so never less
    than the distance itself. Matrices that differ by less than 1e−12 may stand for one another.
    """
    distances = np.empty(len(wanted))
    for i, (around, matrix) in enumerate(zip(matrices, wanted, strict=True)):
        away = (around - matrix).reshape(len(around), -1).T
        heavy = 1e3 * max(1.0, float(np.abs(away).max()))
        weights, _ = nnls(np.vstack([away, np.full(away.shape[1], heavy)]), np.append(0 * away[:, 0], heavy))
        members = [np.linalg.norm(away, axis=0).min()]
        members += [np.linalg.norm(away @ w) for w in (weights / weights.sum(), _again(away, weights > 0))]
        distances[i] = min(members)
    return distances


def _again(away: Array, used: NDArray[np.bool_]) -> Array:
    """The convex weights of the used columns whose sum is shortest, from differences to the shortest one."""
    columns = away[:, used]
    first = int(np.linalg.norm(columns, axis=0).argmin())
    others = np.delete(columns, first, axis=1)
    found = np.linalg.lstsq(others - columns[:, [first]], -columns[:, first], rcond=None)[0]
    weights = np.zeros(away.shape[1])
    weights[used] = np.maximum(np.insert(found, first, 1 - found.sum()), 0.0)
    return np.asarray(weights / weights.sum())
