r"""Semidiscrete transport in closed form: atoms on a line, any dimension (docs/theory.md §4.2, family 1).

At positions $t_1 < … < t_n$ along the line the cells are the strips between consecutive normal quantiles:
$g_{i+1} - g_i = Φ^{-1}(W_i)(t_{i+1} - t_i)$, $W_i$ the cumulative weights.
"""

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri

from numerics.accuracy import EPS
from numerics.transport.hulls import principal_axes
from numerics.transport.solution import SemidiscreteSolution


def positions(points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"] | None:
    """(n,), places of collinear atoms along their line; None where the atoms span more than a line.

    Atoms count as collinear when they miss a line by at most 16·d·eps times their largest coordinate.
    """
    if points.shape[1] == 1:
        return points[:, 0]
    if len(points) == 1:
        return np.zeros(1)
    along, width = principal_axes(points)
    return None if (width[1:] > 0).any() else along[:, 0]


def solve_collinear(
    points: Float[np.ndarray, "n d"], weights: Float[np.ndarray, " n"], places: Float[np.ndarray, " n"]
) -> SemidiscreteSolution:
    """The closed form, exact to rounding, also in the tails: the smaller of W and 1 − W is inverted."""
    order = np.argsort(places, kind="stable")
    n, d = points.shape
    w, t = weights[order], places[order]
    below, above = np.cumsum(w)[:-1], np.cumsum(w[::-1])[::-1][1:]
    cuts = np.where(below < above, ndtri(below), -ndtri(above))
    heights = np.empty(n)
    heights[order] = np.concatenate([[0.0], np.cumsum(cuts * np.diff(t))])
    heights -= heights[np.argmax(weights)]
    masses = np.empty(n)
    masses[order] = _between(np.append(-np.inf, cuts), np.append(cuts, np.inf))
    # E⟨x₀, T⟩ = Σ φ(cut)·(jump at the cut), by Stein's formula.
    correlation = float(np.exp(-(cuts**2) / 2) @ np.diff(t)) / float(np.sqrt(2 * np.pi))
    square = (points**2).sum(axis=1)
    return SemidiscreteSolution(
        points=points,
        weights=weights,
        heights=heights,
        masses=masses,
        uncertainty=np.full(n, 8 * EPS),
        level=0.0,
        stalled=np.zeros(n, dtype=bool),
        w2_squared=d + float(masses @ square) - 2 * correlation,
        w2_dual=d + float(weights @ square) - 2 * (correlation + float((weights - masses) @ heights)),
        w2_error=16 * EPS * (d + float(weights @ square)),
        iterations=0,
        diagrams=0,
        draws=0,
        method="collinear",
    )


def _between(start: Float[np.ndarray, " n"], stop: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Φ(stop) − Φ(start) in the tail where both lie."""
    upper = start > 0
    return np.where(upper, ndtr(-start) - ndtr(-stop), ndtr(stop) - ndtr(start))
