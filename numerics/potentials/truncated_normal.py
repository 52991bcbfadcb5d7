r"""The normal law cut to a window [a, b]: masses without cancellation, however narrow or far out it is.

Relative to the density at r, the point of the window nearest 0, the mass of [l, u] with 0 ≤ l < u is
$e^{-(l-r)(l+r)/2}M(l, u)$, where $M = \int_0^{u-l}e^{-lw-w²/2}dw$: by Gauss–Legendre where (u²−l²)/2 ≤ ½, by
a difference of two Mills' ratios of which the second is less than 0.61 of the first elsewhere. A window
across 0 has two such parts, which add.
"""

import numpy as np
from scipy.special import ndtr

from numerics.potentials.normal import Values, noise_of
from numerics.potentials.normal_series import PER_ROOT, scaled_mills
from numerics.potentials.tails import Tails

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)


def truncated_normal_tails(a: float, b: float) -> Tails:
    """Of ``scipy.stats.truncnorm(a, b)``, with probabilities right to 60 + 2s² roundings."""
    centre = min(max(0.0, a), b)

    def mass(low: Values, high: Values) -> Values:
        """Of [low, high] relative to the density at the centre."""
        right = _part(np.maximum(low, 0.0), np.maximum(high, 0.0), centre)
        left = _part(np.maximum(-high, 0.0), np.maximum(-low, 0.0), -centre)
        return right + left

    whole = mass(np.array([a]), np.array([b]))[0]

    def density(x: Values) -> Values:
        return np.exp(-(x - centre) * (x + centre) / 2) / whole

    def guess(p: Values, is_upper: np.ndarray) -> Values:
        ends = np.array([a, b])
        below, above = ndtr(ends), ndtr(-ends)
        share = p * (below[1] - below[0] if a < 0 else above[0] - above[1])
        lower = noise_of(np.minimum(below[0] + share, 1.0), np.maximum(above[0] - share, 0.0))
        upper = noise_of(np.maximum(below[1] - share, 0.0), np.minimum(above[1] + share, 1.0))
        return np.clip(np.where(is_upper, upper, lower), a, b)

    return Tails(
        (a, b),
        lambda x: mass(np.full_like(x, a), x) / whole,
        lambda x: mass(x, np.full_like(x, b)) / whole,
        density,
        guess,
        lambda s: 60 + 2 * s**2,
        lambda x: 40 + 3 * np.abs((x - centre) * (x + centre)) / 2,
    )


def _part(low: Values, high: Values, centre: float) -> Values:
    """∫ over [low, high], 0 ≤ low ≤ high, of exp((centre² − x²)/2)."""
    length = np.where(high > low, high - low, 0.0)
    with np.errstate(invalid="ignore", over="ignore"):  # an end at infinity
        fall = np.where(length > 0, length * (high + low) / 2, 0.0)
    near = fall <= 0.5
    w = np.where(near, length, 0.0)[:, None] * (1 + _NODES) / 2
    by_nodes = np.where(near, length, 0.0) / 2 * (np.exp(-w * (low[:, None] + w / 2)) @ _WEIGHTS)
    by_tails = (scaled_mills(low) - np.exp(-fall) * scaled_mills(high)) / PER_ROOT
    base = np.maximum(centre, 0.0)
    return np.exp(-(low - base) * (low + base) / 2) * np.where(near, by_nodes, by_tails)
