r"""Heights from which Newton can start: every cell must have mass (theory.md §4.3).

A start is the values on the atoms of a strictly convex function, so that every atom is a corner of the
lower hull. How much mass each cell gets decides how well Newton does; outliers and clusters are the test.
"""

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri

from numerics.transport.cells import LaguerreDiagram, build


def radial(points: Float[np.ndarray, "n 2"], weights: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """F(ρ), ρ the radius in the cloud's shape, with F' such that the radii of noise and data have equal ranks.

    For an elliptical law with scatter A² (A symmetric) and r = |A⁻¹(y − m)|, ∇φ = (F'/ρ)A⁻¹(y − m) with
    ρ² = ⟨y − m, A⁻¹(y − m)⟩; F' = ρ·q/r makes |∇φ| the Rayleigh quantile q of the rank of r.
    """
    centre, root = _shape(points, weights)
    centred = points - centre
    whitened = np.linalg.solve(root, centred.T).T
    r = np.hypot(*whitened.T)
    rho = np.sqrt(np.maximum((centred * whitened).sum(axis=1), 0.0))
    noise = np.sqrt(-2 * np.log1p(-_ranks(r, weights)))
    slope = np.where(r > 0, rho / np.where(r > 0, r, 1.0), 1.0) * noise
    return _integrate(rho, slope)


def cartesian(points: Float[np.ndarray, "n 2"], weights: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """φ₁(⟨y, e₁⟩) + φ₂(⟨y, e₂⟩) along the principal axes, φ_k' the normal quantile of the rank."""
    _, root = _shape(points, weights)
    _, axes = np.linalg.eigh(root)
    along = points @ axes
    return sum(_integrate(along[:, k], ndtri(_ranks(along[:, k], weights))) for k in range(2))


def _ranks(values: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Mid-ranks in (0, 1): the weight below plus half of the weight at each value."""
    distinct, group = np.unique(values, return_inverse=True)
    mass = np.bincount(group, weights, minlength=len(distinct))
    return np.clip((np.cumsum(mass) - mass / 2)[group], 1e-300, 1 - 2.0**-53)


def _integrate(
    positions: Float[np.ndarray, " n"], slopes: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """A convex function of the positions whose slopes are the given ones, sorted into increasing order."""
    order = np.argsort(positions, kind="stable")
    x, slope = positions[order], np.sort(slopes)
    rise = np.diff(x) * (slope[1:] + slope[:-1]) / 2
    out = np.empty_like(x)
    out[order] = np.concatenate([[0.0], np.cumsum(rise)])
    return out


def _shape(
    points: Float[np.ndarray, "n 2"], weights: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " 2"], Float[np.ndarray, "2 2"]]:
    """Centre and symmetric root A of Tyler's scatter, which outliers do not move."""
    centre = np.array([_median(points[:, k], weights) for k in range(2)])
    centred = points - centre
    scatter = np.eye(2)
    for _ in range(20):
        square = (centred * np.linalg.solve(scatter, centred.T).T).sum(axis=1)
        share = np.where(square > 0, weights / np.where(square > 0, square, 1.0), 0.0)
        scatter = (centred * share[:, None]).T @ centred
        scatter = scatter / np.trace(scatter) + 1e-6 * np.eye(2)
    sizes, axes = np.linalg.eigh(scatter)
    return centre, (axes * np.sqrt(sizes)) @ axes.T


def _median(values: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"]) -> float:
    order = np.argsort(values, kind="stable")
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), 0.5)])


def ranked(points: Float[np.ndarray, "n 2"], weights: Float[np.ndarray, " n"]) -> list[LaguerreDiagram]:
    """The diagrams of all starts, the most promising first: least relative entropy Σ w log(w/P) of its masses."""
    diagrams = [_centred(points, weights, start(points, weights)) for start in (radial, cartesian)]
    return sorted(diagrams, key=lambda d: float(weights @ np.log(weights / np.maximum(d.masses, 1e-300))))


def _centred(
    points: Float[np.ndarray, "n 2"], weights: Float[np.ndarray, " n"], heights: Float[np.ndarray, " n"]
) -> LaguerreDiagram:
    """The diagram with the constant chosen so that most heights are small and keep their digits."""
    return build(points, heights - _median(heights, weights))
