r"""Jacobians at kinks are sets: Clarke's generalised Jacobian, the hull of the limits from all sides.

Where the rounding of z reaches a change of face nobody can say which side z lies on. A statement about
D prox(z) is then one about the set: the matrix that theory gives must lie in the hull of the Jacobians
around z.

Where λx₀ is below the spacing of doubles at x₁, so is all of the piece on which x₁ + λx₀ lies, if ∂φ(x₁) is
bounded: no double around z may be on it. There the exact Jacobian is had from a larger step.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from numerics.accuracy import Rounding
from numerics.potentials import Potential
from theorems.setting.vectors import norm

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


def through_larger_step(
    target: Potential, x0: Array, x1: Array, step: float, least: float = 1.0
) -> tuple[Array, Array]:
    """D prox_λ (n,d,d) at the exact z = x₁ + λx₀, from one of another step, and what it errs by.

    J_λ = J(J + κ(I−J))⁻¹, κ = λ/μ, with J = D prox_μ at x₁ + μx₀: along u + μy, y ∈ ∂φ(u), du = J dz and
    μ dy = (I−J) dz, so that d(u + λy) = (J + κ(I−J)) dz. μ is the first of λ, 16λ, 256λ, …, times
    ``least``, at which rounding reaches no kink; +inf is stated where there is none. J errs κ|A⁻¹|² ≤ 1/κ
    times as much there, as J_λ = (I − κA⁻¹)/(1−κ), A = κI + (1−κ)J ≥ κ.
    """
    n, d = x0.shape
    found, bound = np.zeros((n, d, d)), np.full(n, np.inf)
    of_data, larger = np.broadcast_to(target.roundings.transport(x0).bound, (n,)), least * step
    rows = np.arange(n)
    while len(rows) and larger <= 16 * max(target.scale, step):
        z = x1[rows] + larger * x0[rows]
        formed = Rounding(norm(x1[rows]) + larger * norm(x0[rows]), 3, "z is formed").bound
        off = of_data[rows] + formed
        told = target.proximal_point(z, larger).kink > 2 * off
        if told.any():
            found[rows[told]], bound[rows[told]] = _at_smaller_step(
                target, z[told], larger, step / larger, off[told]
            )
        rows, larger = rows[~told], 16 * larger
    return found, bound


def _at_smaller_step(
    target: Potential, z: Array, step: float, ratio: float, off: Array
) -> tuple[Array, Array]:
    """J(J + κ(I−J))⁻¹ for J = D prox(z), and what it errs by where z is off by ``off``."""
    jacobian = target.prox_jacobian(z, step)
    values, axes = np.linalg.eigh(jacobian)
    values = np.clip(values, 0.0, 1.0)
    values = values / (values + ratio * (1 - values))
    stated = target.roundings.prox_jacobian(z, step, moved=off) + Rounding(
        1.0, 16.0 * z.shape[1], "eigenvectors"
    )
    smaller = (axes * values[:, None, :]) @ axes.transpose(0, 2, 1)
    return smaller, np.broadcast_to(stated.amplified(1 / ratio).bound, (len(z),))


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
