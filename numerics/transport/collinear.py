r"""Semidiscrete transport in closed form: atoms on a line, any dimension (docs/theory.md §4.2, family 1).

At positions $t_1 < … < t_n$ along the line the cells are the strips between consecutive normal quantiles:
$g_{i+1} - g_i = Φ^{-1}(W_i)(t_{i+1} - t_i)$, $W_i$ the cumulative weights. Heights round, and what they round
is divided by $t_{i+1} - t_i$: masses, uncertainties and costs are those of the heights that are returned.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import isotonic_regression
from scipy.special import ndtr, ndtri

from numerics.accuracy import EPS, UNIT
from numerics.factors import WIDE, WIDE_UNIT
from numerics.transport.hulls import principal_axes
from numerics.transport.solution import SemidiscreteSolution

_PEAK = 1 / float(np.sqrt(2 * np.pi))
_LEAST = 1e-322  # what subnormal numbers round


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


@dataclass(frozen=True)
class _Line:
    """The line of the atoms, in their order along it.

    Attributes:
        order: (n,), indices of the atoms.
        gaps: (n−1,), distances along the line.
        aside: A bound on how far atoms lie beside the line.
    """

    order: Int[np.ndarray, " n"]
    gaps: Float[np.ndarray, " m"]
    aside: float

    @classmethod
    def through(cls, points: Float[np.ndarray, "n d"], places: Float[np.ndarray, " n"]) -> "_Line":
        """The line from the first atom to the last; subtractions and products of doubles in `WIDE`."""
        first, last = places.argmin(), places.argmax()
        away = points.astype(WIDE) - points[first]
        leading = np.abs(away[last]).argmax()
        whole = away[last, leading] or WIDE(1)
        slope = (away[last] / whole).astype(float)
        slope[leading] = 1.0  # exactly, also where there is one atom
        beside = away - away[:, leading, None] * slope
        noise = 4 * WIDE_UNIT * np.abs(away[:, leading, None] * slope)
        noise[:, leading] = 0.0
        along = (away @ slope) / np.sqrt((slope.astype(WIDE) ** 2).sum())
        order = np.argsort(along, kind="stable")
        return cls(
            order,
            np.diff(along[order]).astype(float),
            float(np.sqrt(((np.abs(beside) + noise) ** 2).sum(axis=1)).max() * (1 + EPS)),
        )

    def turns(self) -> Float[np.ndarray, " m"]:
        """By how much a step from atom to atom may be turned against the line, at most; +inf for no step."""
        with np.errstate(divide="ignore"):
            return np.where(self.aside > 0, 2 * self.aside / np.maximum(self.gaps, 0.0), 0.0)


def solve_collinear(
    points: Float[np.ndarray, "n d"], weights: Float[np.ndarray, " n"], places: Float[np.ndarray, " n"]
) -> SemidiscreteSolution:
    """The closed form, also in the tails, where the smaller of W and 1 − W is inverted.

    Heights are summed in `WIDE` and rounded once. Atoms whose masses they miss are marked as ``stalled``.
    """
    line = _Line.through(points, places)
    order, gaps = line.order, line.gaps
    n, d = points.shape
    w = weights[order].astype(WIDE)
    below, above = np.cumsum(w)[:-1].astype(float), np.cumsum(w[::-1])[::-1][1:].astype(float)
    wished = np.where(below < above, ndtri(below), -ndtri(above))
    rising = np.concatenate([[WIDE(0)], np.cumsum(wished * gaps.astype(WIDE))])
    heights = np.empty(n)
    heights[order] = (rising - rising[np.argmax(weights[order])]).astype(float)
    cuts = _cuts(heights[order], gaps, wished)
    masses, uncertainty = np.empty(n), np.empty(n)
    masses[order] = _between(np.append(-np.inf, cuts), np.append(cuts, np.inf))
    uncertainty[order] = _uncertainty(cuts, line, d)
    # E⟨x₀, T⟩ = Σ φ(cut)·(jump at the cut), by Stein's formula.
    correlation = float(_density(cuts) @ gaps)
    square = (points**2).sum(axis=1)
    missed = np.abs(masses - weights)
    return SemidiscreteSolution(
        points=points,
        weights=weights,
        heights=heights,
        masses=masses,
        uncertainty=uncertainty,
        level=0.0,
        stalled=missed > np.maximum(1e-12 * weights, 8 * EPS),
        w2_squared=d + float(masses @ square) - 2 * correlation,
        w2_dual=d + float(weights @ square) - 2 * (correlation + float((weights - masses) @ heights)),
        w2_error=16 * EPS * (d + float(weights @ (square + np.abs(heights))))
        + float((missed + uncertainty) @ np.abs(square - 2 * heights))
        + 4 * float(np.sqrt(d)) * line.aside,
        iterations=0,
        diagrams=0,
        draws=0,
        method="collinear",
    )


def _cuts(
    heights: Float[np.ndarray, " n"], gaps: Float[np.ndarray, " m"], wished: Float[np.ndarray, " m"]
) -> Float[np.ndarray, " m"]:
    """Where the cells of these very heights meet: the slopes of their lower convex envelope.

    An atom above the envelope has no cell: the cuts on both sides of it are one. Where a gap is 0 the cut is
    taken as wished; `_uncertainty` then says that nothing is known. Slopes of joined gaps round each for
    itself, so that what falls by rounding is raised.
    """
    if not gaps.size:
        return wished
    with np.errstate(divide="ignore", invalid="ignore"):
        cuts = np.where(gaps > 0, np.diff(heights) / gaps, wished)
    if (np.diff(cuts) >= 0).all():
        return cuts
    ends = isotonic_regression(cuts, weights=np.maximum(gaps, np.finfo(float).tiny)).blocks
    wide = np.concatenate([[0.0], np.cumsum(gaps.astype(WIDE))])
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.diff(heights[ends].astype(WIDE)) / np.diff(wide[ends])
    pooled = np.where(np.diff(wide[ends]) > 0, slopes, wished[ends[:-1]])
    return np.maximum.accumulate(np.repeat(pooled.astype(float), np.diff(ends)))


def _uncertainty(cuts: Float[np.ndarray, " m"], line: _Line, d: int) -> Float[np.ndarray, " n"]:
    """What the masses err by: at both ends of a strip.

    A cut c errs by 3 roundings of itself and a fraction, which count by φ(c); Φ in its tail by (8 + 3c²)u
    relatively, as its exp(−c²/2) does. Atoms beside the line by a at most: at the distance w ~ N(0, I_{d−1})
    from the line the cut of atoms i < k moves by |w|·2a/(t_k − t_i) ≤ |w|θ, θ = 2a over the gap, and as the
    cuts increase the cell's ends move by no more. E|w| ≤ √(d−1), and where |c|θ√d ≤ 0.1 the density there is
    φ(c) times exp(|cwθ|) at most: 1.12φ(c) in the mean, by Cauchy–Schwarz and concentration of |w|.
    """
    density, tails = _density(cuts), ndtr(-np.abs(cuts))
    own = UNIT * ((8 + 3 * cuts**2) * tails + 4 * np.abs(cuts) * density) + _LEAST
    turns = line.turns()
    with np.errstate(invalid="ignore", over="ignore"):
        small = np.abs(cuts) * turns * np.sqrt(d) <= 0.1
        aside = np.sqrt(d - 1) * turns * np.where(small, 1.12 * density, _PEAK)
    ends = np.concatenate([[0.0], own + (aside if d > 1 else 0.0), [0.0]])
    start, stop = np.append(-np.inf, cuts), np.append(cuts, np.inf)
    rounded = np.where((start <= 0) & (stop > 0), 1.0, _between(start, stop))
    return np.minimum(ends[:-1] + ends[1:] + UNIT * rounded, 1.0)


def _density(cuts: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    return np.asarray(np.exp(-(cuts**2) / 2) * _PEAK)


def _between(start: Float[np.ndarray, " n"], stop: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Φ(stop) − Φ(start) from the tails: that where both lie, or 1 less both."""
    upper, lower = ndtr(-start) - ndtr(-stop), ndtr(stop) - ndtr(start)
    across = 1 - ndtr(start) - ndtr(-stop)
    return np.where(start > 0, upper, np.where(stop <= 0, lower, across))
