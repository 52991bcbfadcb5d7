r"""Heights from which Newton can start: every cell must have mass (docs/theory.md §4.3).

A start is the values on the atoms of a strictly convex function, so that every atom is a corner of the
lower hull. How much mass each cell gets decides how well Newton does; outliers and clusters are the test:
Gaussian-affine and Voronoi starts leave their cells empty to rounding, starts from ranks do not.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from scipy.special import gammainccinv, ndtri

from numerics.transport import cells, polyhedra
from numerics.transport.diagram import Diagram, norms

FRAMES = 4


def diagrams(
    points: Float[np.ndarray, "n d"],
    weights: Float[np.ndarray, " n"],
    first: Float[np.ndarray, " n"] | None = None,
) -> Iterator[Diagram]:
    """The diagrams of the starts, the one that fails most rarely first; built only when asked for.

    ``first`` goes before them: heights that an earlier solve had reached. The constant in each is chosen so
    that most heights are small, which saves their digits. d is 2 or 3.
    """
    build = cells.build if points.shape[1] == 2 else polyhedra.build
    if first is not None:
        yield build(points, first - _median(first, weights))
    for start in (sliced, cartesian, radial):
        heights = start(points, weights)
        yield build(points, heights - _median(heights, weights))


def sliced(
    points: Float[np.ndarray, "n d"], weights: Float[np.ndarray, " n"], frames: int = FRAMES
) -> Float[np.ndarray, " n"]:
    """The mean over orthonormal frames of Σ_k φ_k(⟨y, e_k⟩), φ_k the potential of the k-th marginal.

    φ_k' is the normal quantile of the rank along e_k, so the sum is exact for a product law in its frame,
    and an outlier, however far, has the rank of the last atom and no more. The first frame is that of the
    principal axes; others are turned evenly in the plane, and in space by 45° about each axis.
    """
    _, root = _shape(points, weights)
    _, axes = np.linalg.eigh(root)
    heights = np.zeros(len(points))
    for turn in _turns(points.shape[1], frames):
        along = points @ (axes @ turn)
        for coordinate in along.T:
            heights += marginal_potential(coordinate, weights) / frames
    return heights


def _turns(d: int, frames: int) -> Iterator[Float[np.ndarray, "d d"]]:
    """The first of at most four rotations of the plane or of space."""
    for k in range(frames):
        angle = np.pi / 2 * k / frames if d == 2 else np.pi / 4 * (k > 0)
        turn = np.eye(d)
        i, j = (0, 1) if d == 2 else ((0, 1), (0, 1), (1, 2), (2, 0))[k]
        turn[[i, j], [i, j]] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        yield turn


def cartesian(points: Float[np.ndarray, "n d"], weights: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """The start `sliced` with the principal frame alone: for separate clusters in a row."""
    return sliced(points, weights, frames=1)


def radial(points: Float[np.ndarray, "n d"], weights: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """F(ρ), ρ the radius in the cloud's shape, F' such that radii of noise and data have equal ranks.

    For an elliptical law with scatter A² (A symmetric) and r = |A⁻¹(y − m)|, ∇φ = (F'/ρ)A⁻¹(y − m) with
    ρ² = ⟨y − m, A⁻¹(y − m)⟩; F' = ρ·q/r makes |∇φ| the quantile q of the rank of r in the law of the length
    of noise.
    """
    centre, root = _shape(points, weights)
    centred = points - centre
    whitened = np.linalg.solve(root, centred.T).T
    r = norms(whitened)
    rho = np.sqrt(np.maximum((centred * whitened).sum(axis=1), 0.0))
    noise = np.sqrt(2 * gammainccinv(points.shape[1] / 2, 1 - _ranks(r, weights)))
    slope = np.where(r > 0, rho / np.where(r > 0, r, 1.0), 1.0) * noise
    return _integrate(rho, slope)


def marginal_potential(
    values: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """φ at n weighted values on the line, φ' the normal quantile of the mid-rank."""
    return _integrate(values, ndtri(_ranks(values, weights)))


def _ranks(values: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Mid-ranks in (0, 1): the weight below plus half of the weight at each value."""
    distinct, group = np.unique(values, return_inverse=True)
    mass = np.bincount(group, weights, minlength=len(distinct))
    return np.clip((np.cumsum(mass) - mass / 2)[group], np.finfo(float).tiny, 1 - 2.0**-53)


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
    points: Float[np.ndarray, "n d"], weights: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, "d d"]]:
    """Centre and symmetric root A of Tyler's scatter [@tyler1987distribution], which outliers do not move."""
    d = points.shape[1]
    centre = np.array([_median(coordinate, weights) for coordinate in points.T])
    centred = points - centre
    scatter = np.eye(d)
    for _ in range(20):
        square = (centred * np.linalg.solve(scatter, centred.T).T).sum(axis=1)
        share = np.where(square > 0, weights / np.where(square > 0, square, 1.0), 0.0)
        scatter = (centred * share[:, None]).T @ centred
        scatter = scatter / np.trace(scatter) + 1e-6 * np.eye(d)
    sizes, axes = np.linalg.eigh(scatter)
    return centre, (axes * np.sqrt(sizes)) @ axes.T


def _median(values: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"]) -> float:
    """The weighted median, one of the values."""
    order = np.argsort(values, kind="stable")
    place = int(np.searchsorted(np.cumsum(weights[order]), 0.5))
    return float(values[order[min(place, len(values) - 1)]])
