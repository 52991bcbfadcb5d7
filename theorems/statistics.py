"""Deviation bounds with explicit false-alarm levels, for statistical evidence."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2


def gaussian_lipschitz(n: int, lipschitz: float, level: float) -> float:
    """How far the mean of n values f(x₀) may stray from E f, with probability at most ``level``.

    f is ``lipschitz``-Lipschitz and x₀ ~ N(0, I): the mean is (L/√n)-Lipschitz in all the noise, and
    P(|mean − E| > s) ≤ 2 exp(−n s²/(2L²)) [@boucheron2013concentration, theorem 5.6].
    """
    return float(lipschitz * np.sqrt(2 * np.log(2 / level) / n))


def hoeffding(n: int, width: float, level: float) -> float:
    """The same for the mean of n independent values in an interval of the given width."""
    return float(width * np.sqrt(np.log(2 / level) / (2 * n)))


def dkw(n: int, level: float) -> float:
    """Kolmogorov distance of n draws from their law, exceeded with probability at most ``level``.

    Dvoretzky–Kiefer–Wolfowitz with Massart's constant: P(sup|F_n − F| > s) ≤ 2 exp(−2ns²)
    [@massart1990tight].
    """
    return float(np.sqrt(np.log(2 / level) / (2 * n)))


def hoeffding_sum(widths: ArrayLike, level: float) -> float:
    """The same for a sum of independent values in intervals of these widths, not for its mean."""
    spread = float((np.asarray(widths, dtype=float) ** 2).sum())
    return float(np.sqrt(spread * np.log(2 / level) / 2))


def bernstein(n: int, variance: float, reach: float, level: float) -> float:
    """The same for the mean of n independent values of known variance, at most ``reach`` from their mean.

    P(|mean − E| ≥ s) ≤ 2 exp(−ns²/(2σ² + 2Rs/3)) [@boucheron2013concentration, corollary 2.11].
    """
    log = np.log(2 / level) / n
    third = reach * log / 3
    return float(third + np.sqrt(third**2 + 2 * variance * log))


def random_signs(sizes: ArrayLike, level: float) -> float:
    """How far Σ ε_k s_k may stray from 0 for signs ε_k that are fair and independent given the sizes s_k.

    P(|Σ ε_k s_k| > t‖s‖) ≤ 2 exp(−t²/2) (Hoeffding): nothing is asked of the sizes, which may be measured.
    """
    return float(np.linalg.norm(np.asarray(sizes, dtype=float).ravel()) * np.sqrt(2 * np.log(2 / level)))


def mean_of_squares(n: int, level: float) -> float:
    """How far the mean of n squares of independent N(0,1) may stray from 1: exact χ², either side."""
    low, high = chi2.ppf(level / 2, n) / n, chi2.isf(level / 2, n) / n
    return float(max(1 - low, high - 1))


def mean_square_interval(root: float, lipschitz: float, level: float) -> tuple[float, float]:
    """An interval for E R² from one value of R, a ``lipschitz``-Lipschitz function of Gaussian noise.

    |R − E R| ≤ s = L√(2 log(2/level)) but for the level (as `gaussian_lipschitz`), and
    (E R)² ≤ E R² ≤ (E R)² + L² [@boucheron2013concentration, theorems 3.20 and 5.6].
    """
    reach = gaussian_lipschitz(1, lipschitz, level)
    return max(root - reach, 0.0) ** 2, (root + reach) ** 2 + lipschitz**2
