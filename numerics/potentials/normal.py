r"""The standard normal law to a few roundings in both tails: density, tail, exponent, hazard, their inverse.

$Φ(-s) = r(s)e^{-s²/2}$ with r from its own table, `normal_series`; the square is split,
$s² = h² + (s-h)(s+h)$ with h of 20 binary places: h² is exact, and e to the rest is 1 up to 2⁻¹⁵, so that it
is added as a correction, in one rounding. For −1 < s < ¾ the tail is ½ − (Φ(s) − ½).

Accuracy, proved: the counts below follow from those of `normal_series`, one rounding for every +, −, ×, /,
and one premise: that exp, log and log1p of NumPy err by one unit in the last place, 2 roundings, as glibc and
NumPy say of theirs. tests/numerics/accuracy/test_normal.py asks that of the machine it runs on (1.2 roundings
where this was written). In roundings, relatively, where nothing underflows (|s| < 37.5):

- density: exp 2, 1/√(2π) 0.57, its product 1, the correction's sum 1: 4.58.
- tail: r 1.11, exp 2, product 1, sum 1: 5.12 for s ≥ ¾; 4.04 at most for 0 ≤ s < ¾, where the middle's 2.53
  count (½ − p)/p ≤ 1.21 times; 2.22 for s < 0.
- exponent E: for s ≥ 0 the square's 1, twice |log r| and r's 1.11 are at most 3.62 of E, the sum 1: 4.62. For
  s < 0 the log1p's 2 and the tail's, times p/((1 − p)·−log(1 − p)): 1.15 of 5.12 for s ≤ −¾, and before that
  at most 6.61 in all: 7.86.
- hazard: for s > 0 r's, 0.57 and the quotient 1, at most 4.2; else 4.58 + 2.22 + 1: 7.81.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import erfinv, ndtri

from numerics.accuracy import UNIT
from numerics.potentials.normal_series import PER_ROOT, AnyShape, from_middle, scaled_mills

CUT = 20.0
DENSITY, TAIL, EXPONENT, HAZARD = 5, 6, 8, 8  # roundings, relatively
_LOW, _HIGH = -1.0, 0.75  # between them the tail is had from the middle
_NOTHING = 64.0  # e^{−s²/2} is 0 there
_CLOSE = 2.0**-36
Values = Float[np.ndarray, " n"]
Corners = tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "n k"]]


def _decaying(factor: AnyShape | float, s: AnyShape) -> AnyShape:
    """factor·exp(−s²/2), within 4 roundings and the factor's."""
    return _times(factor, *_decay(s))


def _decay(s: AnyShape) -> tuple[AnyShape, AnyShape]:
    """Of exp(−s²/2) that of h, and by what share the rest changes it."""
    s = np.minimum(np.maximum(s, -_NOTHING), _NOTHING)  # np.clip's wrapping takes longer than both
    high = np.rint(s * 2.0**20) * 2.0**-20
    return np.exp(high * high * -0.5), np.expm1((s - high) * (s + high) * -0.5)


def _times(factor: AnyShape | float, whole: AnyShape, rest: AnyShape) -> AnyShape:
    found = factor * whole
    return np.asarray(found + found * rest)


def density(s: AnyShape) -> AnyShape:
    """The density of N(0, 1), within `DENSITY`."""
    return _decaying(PER_ROOT, s)


def tail(s: AnyShape) -> AnyShape:
    """P(N > s) = Φ(−s), within `TAIL`."""
    s = np.asarray(s, dtype=float)
    return _by_part(s, np.asarray((s > _LOW) & (s < _HIGH)), lambda s: 0.5 - from_middle(s), _tail_away)


def both_tails(s: AnyShape) -> tuple[AnyShape, AnyShape]:
    """(Φ(s), Φ(−s)), the same doubles as `tail` at −s and s: both are read off one evaluation at |s|."""
    s = np.asarray(s, dtype=float)
    away = np.abs(s)
    beyond = np.asarray(tail(away))
    rest, inner = np.asarray(1 - beyond), away < -_LOW
    if inner.any():
        rest[inner] = 0.5 + from_middle(away[inner])
    return np.where(s < 0, beyond, rest), np.where(s < 0, rest, beyond)


def _tail_away(s: AnyShape) -> AnyShape:
    away = np.abs(s)
    beyond = _decaying(scaled_mills(away), away)
    return np.where(s < 0, 1 - beyond, beyond)


def _by_part(
    s: AnyShape,
    chosen: Bool[np.ndarray, "..."],
    inside: Callable[[AnyShape], AnyShape],
    outside: Callable[[AnyShape], AnyShape],
) -> AnyShape:
    """One rule where chosen, another elsewhere; neither is asked of nothing, which would cost a call, too."""
    count = np.count_nonzero(chosen)
    if count == chosen.size:
        return np.asarray(inside(s))
    if not count:
        return np.asarray(outside(s))
    found = np.empty_like(s)
    found[chosen], found[~chosen] = inside(s[chosen]), outside(s[~chosen])
    return found


def exponent(s: AnyShape) -> AnyShape:
    """−log Φ(−s), within `EXPONENT`: by log1p below the median, by r beyond it."""
    s = np.asarray(s, dtype=float)
    return _by_part(
        s, np.asarray(s < 0), lambda s: -np.log1p(-tail(-s)), lambda s: s**2 / 2 - np.log(scaled_mills(s))
    )


def hazard(s: AnyShape) -> AnyShape:
    """Density over tail, φ(s)/Φ(−s), within `HAZARD`; it never underflows for s > 0."""
    s = np.asarray(s, dtype=float)
    return _by_part(
        s, np.asarray(s <= 0), lambda s: density(s) / tail(s), lambda s: PER_ROOT / scaled_mills(s)
    )


def mills(s: AnyShape) -> AnyShape:
    """Mills' ratio Φ(−|s|)/φ(s): by how much noise moves when its tail probability does relatively."""
    return scaled_mills(np.abs(s)) / PER_ROOT


def noise_of(below: AnyShape, above: AnyShape) -> AnyShape:
    """Φ⁻¹ of a probability given with its complement: the smaller one is used. Cut at ±20."""
    s = quantile(np.minimum(np.where(below < above, below, above), 0.5))
    return np.clip(np.where(below < above, s, -s), -CUT, CUT)


def noise_error(s: AnyShape) -> AnyShape:
    """By how much `noise_of` and `quantile` err where they give s, absolutely.

    In UNIT, 4|s| for |s| < ⅔, as `noise_from_middle`; else |s| + 4: the last sum, and the tail's count times
    Mills' ratio, which is at most 4.04·0.79 up to ¾ and 5.12·0.76 from there on.
    """
    away = np.abs(s)
    return UNIT * np.where(away < 2 / 3, 4 * away, away + 4)


def quantile(p: AnyShape) -> AnyShape:
    """Φ⁻¹(p) for p ≤ ½, within `noise_error`; what lies below −21 is −21.

    Args:
        p: (n,) from 0 to ½; NaN gives NaN.

    Example:
        >>> quantile(np.array([0.5, 0.25])).round(12).tolist()
        [-0.0, -0.674489750196]
    """
    p = np.asarray(p, dtype=float)
    in_middle = np.asarray(p > 0.25)  # there ½ − p is exact
    return _by_part(p, in_middle, lambda p: -noise_from_middle(0.5 - p), _quantile_away)


def _quantile_away(p: AnyShape) -> AnyShape:
    goal = np.maximum(p, _LEAST)
    return _polished(np.maximum(ndtri(goal), -CUT - 1), lambda s: _step_away(s, goal))


def _step_away(s: AnyShape, goal: AnyShape) -> AnyShape:
    """Newton's to Φ(s) = goal, by `tail` at −s and the density, which share an exponential; s < −⅔."""
    away, decay = -s, _decay(s)
    found, inner = _times(scaled_mills(away), *decay), away < _HIGH
    if inner.any():
        found[inner] = 0.5 - from_middle(away[inner])
    return (found - goal) / _times(PER_ROOT, *decay)


def noise_from_middle(q: AnyShape) -> AnyShape:
    """The s with Φ(s) − ½ = q, 0 ≤ q ≤ ¼, relatively within 4 roundings.

    The middle's 2.41 times its share of s·φ(s), at most 1.17, and the last sum.
    """
    return _polished(np.sqrt(2) * erfinv(2 * q), lambda s: (from_middle(s) - q) / density(s))


_LEAST = float(tail(np.array([CUT + 1]))[0])
"""The probability of what `quantile` gives up on."""


def _polished(s: AnyShape, newton: Callable[[AnyShape], AnyShape]) -> AnyShape:
    """Newton's steps on Φ(s) − p until one is below 2⁻³⁶|s|, of which half of s times its square is left."""
    while True:
        step = newton(s)
        s = s - step
        if not (np.abs(step) > _CLOSE * np.abs(s)).any():
            return s
