"""A density for a law of SciPy that gives its probabilities alone: differences of the smaller tail.

SciPy takes differences of F with one step, 1e−5: where 1 − F is small they are rounding, negative half of the
time. Of the tail on the side of x, over steps of that tail's own size, they are relatively accurate.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import rv_continuous

from numerics.accuracy import UNIT
from numerics.potentials.normal import Values

FLAT, LOGARITHM = 64.0, 4.0  # roundings of a density, and of its logarithm
_STEP = 1e-4
_WEIGHTS = np.array([1.0, -8.0, 0.0, 8.0, -1.0]) / 12


def gives_density(distribution: Any) -> bool:
    """Whether a frozen law's family defines its density, or the logarithm of it."""
    family = type(distribution.dist)
    return family._pdf is not rv_continuous._pdf or family._logpdf is not rv_continuous._logpdf


def density_of(distribution: Any) -> tuple[Callable[[Values], Values], Callable[[Values], Values]]:
    """The density of a frozen law, and how many roundings it errs by.

    SciPy's own where the family defines it, or its logarithm, of which SciPy makes nothing; it is taken to
    err by `FLAT` roundings and by `LOGARITHM` of its logarithm. Else differences.
    """
    if not gives_density(distribution):
        differences = DifferencedDensity(distribution)
        return differences, differences.count

    def by_logarithm(x: Values) -> Values:
        return np.exp(distribution.logpdf(x))

    is_own = type(distribution.dist)._pdf is not rv_continuous._pdf
    density = distribution.pdf if is_own else by_logarithm

    def count(x: Values) -> Values:
        size = np.clip(density(x), 1e-300, 1e300)
        return FLAT + LOGARITHM * np.abs(np.log(np.nan_to_num(size, nan=1.0)))

    return density, count


class DifferencedDensity:
    """f from F and 1 − F at five places, which are 1e−4 of |x − median| + the quartiles' deviation apart.

    Accuracy: the rule is of order 4, so that twice the steps err 16 times as much: the change over 15 and 64
    roundings of a tail over the step are stated, not proved.

    Args:
        distribution: A frozen law.
    """

    def __init__(self, distribution: Any) -> None:
        self._distribution = distribution
        low, self._middle, high = (float(distribution.ppf(q)) for q in (0.25, 0.5, 0.75))
        self._spread = (high - low) / 2

    def __call__(self, x: Values) -> Values:
        """f(x), 0 or more."""
        return self._differences(x, 1.0)

    def count(self, x: Values) -> Values:
        """In roundings, by what f errs."""
        once, twice = self._differences(x, 1.0), self._differences(x, 2.0)
        with np.errstate(all="ignore"):
            changed = np.abs(twice - once) / (15 * UNIT * once)
        return 64 / _STEP + np.nan_to_num(changed, nan=0.0, posinf=1 / UNIT)

    def _differences(self, x: Values, stretch: float) -> Values:
        step = stretch * _STEP * (self._spread + np.abs(x - self._middle))
        places = x[..., None] + step[..., None] * np.arange(-2, 3)
        is_upper = (x > self._middle)[..., None]
        with np.errstate(all="ignore"):
            rising = np.where(is_upper, -self._distribution.sf(places), self._distribution.cdf(places))
            return np.asarray(np.maximum(rising @ _WEIGHTS / step, 0.0))
