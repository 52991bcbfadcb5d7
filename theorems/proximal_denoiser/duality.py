"""E φ*(x₀) of planar atoms along rays from 0: the dual side of W₂², by a route that knows no cells."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

Array = NDArray[np.float64]
RAYS = 4096
_MEAN_LENGTH = np.sqrt(np.pi / 2)


def mean_conjugate(points: Array, heights: Array, rays: int = RAYS) -> tuple[float, float]:
    """E max_i(⟨x₀, y_i⟩ − g_i) for x₀ ~ N(0, I₂), and a proved bound of its error but for rounding.

    Along a ray the maximum is the upper envelope of n lines, found by walking from line to steeper line; its
    mean against r·exp(−r²/2) has a closed form. Over the angle the mean is taken by equidistant rays: each
    ⟨ru, y⟩ has second derivative ≥ −r|y| there, and so has the maximum of them. Where f'' ≥ −C, the trapezoid
    rule is at most Ch²/12 too small and the midpoint rule at most Ch²/24 too large: for a periodic function
    the two are one rule.

    Args:
        points: (n, 2).
        heights: (n,).
        rays: How many.
    """
    centred = points - points.mean(axis=0)  # E⟨x₀, c⟩ = 0
    step = 2 * np.pi / rays
    angle = step * (np.arange(rays) + 0.5)
    slopes = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ centred.T
    reach = float(np.linalg.norm(centred, axis=1).max())
    return float(_along(slopes, heights).mean()), reach * _MEAN_LENGTH * step**2 / 12


def _along(slopes: Array, heights: Array) -> Array:
    """∫ max_i(r·a_i − g_i)·r·exp(−r²/2) dr for the lines (a, g) of each row."""
    rows = np.arange(len(slopes))
    least = heights == heights.min()
    line = np.where(least, slopes, -np.inf).argmax(axis=1)
    begin, total = np.zeros(len(slopes)), np.zeros(len(slopes))
    while np.isfinite(begin).any():
        slope, height = slopes[rows, line], heights[line]
        steeper = slopes - slope[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            meets = np.where(steeper > 0, (heights - height[:, None]) / steeper, np.inf)
        meets = np.maximum(meets, begin[:, None])
        following = meets.argmin(axis=1)
        end = meets[rows, following]
        total += _segment(slope, height, end) - _segment(slope, height, begin)
        line, begin = np.where(np.isfinite(end), following, line), end
    return total


def _segment(slope: Array, height: Array, r: Array) -> Array:
    """An antiderivative of (ar − g)·r·exp(−r²/2) at r, which may be infinite."""
    weight = np.exp(-(r**2) / 2)
    size = np.where(np.isfinite(r), r, 0.0)
    return np.asarray(slope * (_MEAN_LENGTH * erf(r / np.sqrt(2)) - size * weight) + height * weight)
