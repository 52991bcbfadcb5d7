r"""The standard normal law to a few roundings in both tails: density, tail, hazard, and their inverse.

$Φ(-s) = \tfrac12\mathrm{erfcx}(s/√2)\,e^{-s²/2}$ for s > 0, the square split: $s² = h² + (s-h)(s+h)$ with h
of 25 bits, so that its rounding is not amplified by s². Every statement is relative, in units of UNIT, for
|s| ≤ 30: measured, for what it rests on are SciPy's erfcx, ndtr and ndtri, and held against 50 digits by
tests/numerics/accuracy/test_normal.py.
"""

import numpy as np
from jaxtyping import Float
from scipy.special import erfcx, ndtr, ndtri

from numerics.accuracy import UNIT

CUT = 20.0
DENSITY, TAIL, EXPONENT, HAZARD = 5, 8, 8, 8  # roundings, relatively
Values = Float[np.ndarray, " n"]
Corners = tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "n k"]]
_ROOT_TWO, _ROOT_TWO_PI = np.sqrt(2.0), np.sqrt(2 * np.pi)


def _decay(s: Values) -> Values:
    """Of s: exp(−s²/2), by a square in two parts: h² is exact, and e^a·e^b errs by 3 roundings."""
    high = np.rint(s * 2.0**20) / 2.0**20
    return np.asarray(np.exp(-(high**2) / 2) * np.exp(-((s - high) * (s + high)) / 2))


def density(s: Values) -> Values:
    """The density of N(0, 1), within `DENSITY`."""
    return _decay(s) / _ROOT_TWO_PI


def tail(s: Values) -> Values:
    """P(N > s) = Φ(−s), within `TAIL`."""
    s = np.asarray(s, dtype=float)
    found, far = np.asarray(ndtr(-s)), s >= 1
    if far.any():
        away = s[far]
        found[far] = erfcx(away / _ROOT_TWO) * _decay(away) / 2
    return found


def exponent(s: Values) -> Values:
    """−log Φ(−s), within `EXPONENT`: by log1p in the body, by erfcx in the tail."""
    s = np.asarray(s, dtype=float)
    found, far, low = np.empty_like(s), s > 1, s <= 0
    near = ~(far | low)
    found[far] = s[far] ** 2 / 2 - np.log(erfcx(s[far] / _ROOT_TWO) / 2)
    found[near] = -np.log(tail(s[near]))
    found[low] = -np.log1p(-tail(-s[low]))
    return found


def hazard(s: Values) -> Values:
    """Density over tail, φ(s)/Φ(−s), within `HAZARD`; it never underflows for s > 0."""
    away, near = np.maximum(s, 1.0), np.minimum(s, 1.0)
    return np.where(s > 1, 2 / _ROOT_TWO_PI / erfcx(away / _ROOT_TWO), density(near) / tail(near))


def mills(s: Values) -> Values:
    """Mills' ratio Φ(−|s|)/φ(s): by how much noise moves when its tail probability does relatively."""
    return 1 / hazard(np.abs(s))


def noise_of(below: Values, above: Values) -> Values:
    """Φ⁻¹ of a probability given with its complement: the smaller one is used. Cut at ±20."""
    s = ndtri(np.minimum(np.where(below < above, below, above), 0.5))
    return np.clip(np.where(below < above, s, -s), -CUT, CUT)


def noise_error(s: Values) -> Values:
    """By how much `noise_of` errs where it gives s: 4 UNIT·(|s| + 0.6), measured against 50 digits."""
    return 4 * UNIT * (np.abs(s) + 0.6)
