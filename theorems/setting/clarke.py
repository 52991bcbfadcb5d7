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

    Weights w ≥ 0 by least squares, Σw = 1 as one more equation of great weight, then normalised: what is
    returned is the distance of one member of the hull, so never less than the distance itself.
    """
    distances = np.empty(len(wanted))
    for i, (around, matrix) in enumerate(zip(matrices, wanted, strict=True)):
        columns = around.reshape(len(around), -1).T
        heavy = 1e3 * max(1.0, float(np.abs(columns).max()))
        weights, _ = nnls(
            np.vstack([columns, np.full(columns.shape[1], heavy)]), np.append(matrix.ravel(), heavy)
        )
        distances[i] = np.linalg.norm(columns @ (weights / weights.sum()) - matrix.ravel())
    return distances
