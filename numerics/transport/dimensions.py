r"""The dimension of a cloud itself, at several scales, from distances of its points to their neighbours.

Let points be drawn with a density that is constant on an m-dimensional ball. Of a point with neighbours at
$r_1 < r_2 < …$ the ratio $(r_k/r_{2k})^m$ has the law Beta(k, k), whatever the density, and so

$$E \log(r_{2k}/r_k) = \frac{ψ(2k) - ψ(k)}{m}, \qquad Var = \frac{ψ'(k) - ψ'(2k)}{m^2},$$

ψ the digamma function: a mean over the points gives m. With k = 1 it is the two-neighbour estimator
[@facco2017estimating], larger k look at larger scales [@denti2022generalized]: where data are a manifold and
noise across it, small scales show the noise's dimension and larger ones the manifold's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.spatial import KDTree
from scipy.special import digamma, polygamma

from numerics.checks import as_array, positive_integer
from numerics.geometry import norms

NEIGHBOURS = (1, 2, 4, 8, 16, 32)
MOST_BY_TREE = 12
"""Dimensions up to which a tree of the points finds neighbours faster than all distances do."""
TIED = 1e-9
"""Up to which relative difference distances count as equal: far above what points on a grid round."""
_NUMBERS = 2**22


@dataclass(frozen=True)
class DimensionEstimate:
    """An estimated dimension at one scale; no theorem gives its error a level.

    Attributes:
        neighbours: k; the ratio is that of the distances to neighbours 2k and k.
        dimension: m, not rounded to an integer; infinite where all neighbours are equally far.
        standard_error: Of m where the density is constant, as if n/2k neighbourhoods were independent. What a
            changing density, curvature and an edge make of it is not in it.
        scale: The median distance to neighbour 2k.
        ties: How many points have r_k = r_2k, to `TIED`: data on a grid, for which the law above does not
            hold.

    Example:
        >>> angles = 2 * np.pi * np.arange(400) / 400
        >>> circle = np.column_stack([np.cos(angles), np.sin(angles)])
        >>> round(neighbour_dimensions(circle, [8])[0].dimension)  # a line bent in the plane
        1
    """

    neighbours: int
    dimension: float
    standard_error: float
    scale: float
    ties: int


def neighbour_dimensions(
    points: ArrayLike, neighbours: Sequence[int] = NEIGHBOURS
) -> tuple[DimensionEstimate, ...]:
    """The dimension of a cloud at the scales of its neighbours k and 2k; weights play no part.

    Args:
        points: (n,d), no two equal.
        neighbours: The k; those with 2k ≥ n are left out.

    Returns:
        An estimate for each k that is left, none for fewer than three points.

    Raises:
        ValueError: If points are malformed, a k is no positive integer, or two points coincide.

    Example:
        >>> import numpy as np
        >>> angle = np.random.default_rng(0).uniform(0, 6.283185307179586, 2000)
        >>> circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        >>> [round(found.dimension, 1) for found in neighbour_dimensions(circle, [1, 8])]
        [1.0, 1.0]
    """
    cloud = as_array("points", points, ndim=2)
    n = len(cloud)
    chosen = [k for k in (positive_integer("neighbours", k) for k in neighbours) if 2 * k < n]
    if not chosen:
        return ()
    distances = _distances(cloud, 2 * max(chosen))
    if not (distances[:, 0] > 0).all():
        raise ValueError(
            f"points: point {int(np.argmin(distances[:, 0]))} is there more than once; merge duplicates"
        )
    return tuple(_estimate(distances[:, k - 1], distances[:, 2 * k - 1], k) for k in chosen)


def _estimate(near: Float[np.ndarray, " n"], far: Float[np.ndarray, " n"], k: int) -> DimensionEstimate:
    tied = far <= near * (1 + TIED)
    mean, ties = float(np.log(np.where(tied, 1.0, far / near)).mean()), int(tied.sum())
    expected, spread = float(digamma(2 * k) - digamma(k)), float(polygamma(1, k) - polygamma(1, 2 * k))
    dimension = expected / mean if mean > 0 else float("inf")
    error = dimension * float(np.sqrt(spread * max(1, 2 * k) / len(near))) / expected
    return DimensionEstimate(k, dimension, error, float(np.median(far)), ties)


def _distances(points: Float[np.ndarray, "n d"], most: int) -> Float[np.ndarray, "n most"]:
    """Of each point to its nearest others, increasing, from differences of coordinates."""
    n, d = points.shape
    if d <= MOST_BY_TREE:
        near, _ = KDTree(points).query(points, most + 1)
        return np.asarray(near)[:, 1:]
    centred = points - points.mean(axis=0)
    square = (centred**2).sum(axis=1)
    found = []
    size = max(1, _NUMBERS // max(n, most * d))
    for begin in range(0, n, size):
        block = np.arange(begin, min(begin + size, n))
        rough = square - 2 * centred[block] @ centred.T
        rough[np.arange(len(block)), block] = -np.inf  # itself
        nearest = np.argpartition(rough, most, axis=1)[:, : most + 1]
        away = norms((centred[nearest] - centred[block, None]).reshape(-1, d)).reshape(len(block), -1)
        found.append(np.sort(away, axis=1)[:, 1:])
    return np.concatenate(found)
