"""Deviation bounds with explicit false-alarm levels, for statistical evidence."""

import numpy as np


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
