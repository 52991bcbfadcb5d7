"""Points that are there more than once: refused by the solver, merged on request."""

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike

from numerics.checks import as_array

SHOWN = 4
"""Coordinates of a point that a message shows."""


def merge_duplicates(
    points: ArrayLike, weights: ArrayLike | None = None
) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"], Int[np.ndarray, " n"]]:
    """The distinct points in the order of their first appearance, with the weights of repetitions added.

    Points are equal where every coordinate is; 0 and −0 are.

    Args:
        points: (n,d), finite.
        weights: (n,); 1/n each where None.

    Returns:
        The m distinct points, their weights, and for each of the n points the place of its own among them,
        so that ``distinct[place]`` are the points given, and labels can follow.

    Raises:
        ValueError: If points or weights are malformed, or there is not one weight a point.

    Example:
        >>> distinct, weights, place = merge_duplicates([[1.0], [0.0], [1.0], [2.0]])
        >>> distinct.ravel().tolist(), weights.tolist(), place.tolist()
        ([1.0, 0.0, 2.0], [0.5, 0.25, 0.25], [0, 1, 0, 2])
    """
    cloud = as_array("points", points, ndim=2)
    n = len(cloud)
    own = np.full(n, 1 / n) if weights is None else as_array("weights", weights, ndim=1)
    if len(own) != n:
        raise ValueError(f"weights: got {len(own)} for {n} points; give one a point")
    order, same = _repetitions(cloud)
    group = np.empty(n, dtype=np.int64)
    group[order] = np.cumsum(np.concatenate([[0], ~same]))
    first = np.full(group.max() + 1, n)
    np.minimum.at(first, group, np.arange(n))
    rank = np.empty_like(first)
    rank[np.argsort(first)] = np.arange(len(first))
    place = rank[group]
    return cloud[np.sort(first)], np.bincount(place, own), place


def refuse_duplicates(points: Float[np.ndarray, "n d"]) -> None:
    """Pass if all atoms are distinct.

    Raises:
        ValueError: Naming the first two that coincide.
    """
    order, same = _repetitions(points)
    found = np.flatnonzero(same)
    if found.size:
        i, j = sorted(int(k) for k in order[found[0] : found[0] + 2])
        at = ", ".join(f"{x:.6g}" for x in points[i][:SHOWN]) + ", …" * (points.shape[1] > SHOWN)
        raise ValueError(
            f"points: atoms {i} and {j} coincide at [{at}] ({found.size} such repetitions); merge them and"
            " add their weights (merge_duplicates)"
        )


def _repetitions(points: Float[np.ndarray, "n d"]) -> tuple[Int[np.ndarray, " n"], Bool[np.ndarray, " _"]]:
    """An order in which equal points follow each other, and whether each but the first equals the one before.

    The sort is stable, so that equal points keep their order.
    """
    order = np.lexsort(points.T)
    return order, (points[order][1:] == points[order][:-1]).all(axis=1)
