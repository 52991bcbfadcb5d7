"""Atoms with heights, centred for floating point, and what is known exactly of their faces."""

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import ndtri

from numerics.geometry import norms
from numerics.solvers.exact_active_set import ExactAtoms

_MOST_FACES = 1 << 14


class AtomSet:
    """Finitely many atoms with heights.

    Args:
        points: (N,d).
        heights: (N,).

    Attributes:
        centre: (d,) a point amid them.
        centred: (N,d) points − centre, rounded once.
        lengths: (N,) of the centred atoms.
        spread: Their largest length; 1 if it is 0.
        farthest, highest: The largest |y_i| and |g_i|.
        exact: The same atoms as rationals.
    """

    def __init__(self, points: Float[np.ndarray, "N d"], heights: Float[np.ndarray, " N"]) -> None:
        self.points, self.heights = points, heights
        self.centre = points.mean(axis=0)
        self.centred = points - self.centre
        self.lengths = norms(self.centred)
        self.spread = float(self.lengths.max()) or 1.0
        self.farthest, self.highest = float(norms(points).max()), float(np.abs(heights).max())
        self.exact = ExactAtoms(points, heights)
        self._known: dict[tuple[int, ...], dict[int, bool]] = {}

    def implied(
        self, members: Int[np.ndarray, " k"], others: Int[np.ndarray, " l"]
    ) -> Bool[np.ndarray, " l"]:
        """Which others can't exceed the members' scores where these tie: proved once a face, and kept."""
        key = tuple(sorted(int(i) for i in members))
        if len(self._known) > _MOST_FACES:
            self._known.clear()
        known = self._known.setdefault(key, {})
        for j in map(int, others):
            if j not in known:
                known[j] = self.exact.implied(list(key), j)
        return np.array([known[int(j)] for j in others], dtype=bool)


def refuse_duplicates(points: Float[np.ndarray, "N d"]) -> None:
    """Raise a ValueError that names two atoms which are the same."""
    order = np.lexsort(points.T)
    same = (np.diff(points[order], axis=0) == 0).all(axis=1)
    if same.any():
        first = int(np.argmax(same))
        i, j = sorted((int(order[first]), int(order[first + 1])))
        raise ValueError(f"points: rows {i} and {j} are the same atom; merge them and add their weights")


def check_weights(name: str, weights: Float[np.ndarray, " N"]) -> None:
    """Raise a ValueError that names an entry which is no weight, or a sum that is not 1."""
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise ValueError(f"{name}: got {weights.min()}; every weight must be greater than 0 and less than 1")
    total = float(weights.sum())
    if abs(total - 1) > 1e-12 * len(weights):
        raise ValueError(f"{name}: sum to {total!r}, not 1; divide by the sum if that is meant")


def line_heights(y: Float[np.ndarray, " N"], w: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Heights for weights w on increasing y: g_{i+1} − g_i = Φ⁻¹(W_i)(y_{i+1} − y_i)."""
    below, above = np.cumsum(w)[:-1], np.cumsum(w[::-1])[-2::-1]
    slopes = np.where(below < 0.5, ndtri(below), -ndtri(above))
    return np.concatenate([[0.0], np.cumsum(slopes * np.diff(y))])
