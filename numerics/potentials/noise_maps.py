"""Laws whose transport from noise is a building block of others: Laplace, logistic, half-normal.

What they err by follows from the counts and the premise of normal.py. With m = Φ(|s|) − ½, which errs by 3,
and p = 2m: log1p errs by 2 and counts its argument's error p/((1 − p)·−log(1 − p)) ≤ 1.88 times, so Laplace's
by 7.61 up to |s| = 1; beyond, the exponent's 3.34 of 1.85 and log 2, of 1.14 together, by 6.6. Logistic's
log1p(2p/(1 − p)) moves by at most 1.54 times what p does, with two roundings more by 7.56; beyond by 5.5.
"""

import numpy as np

from numerics.accuracy import UNIT
from numerics.potentials.normal import (
    TAIL,
    Values,
    exponent,
    mills,
    noise_error,
    noise_from_middle,
    quantile,
    tail,
)
from numerics.potentials.normal_series import from_middle

LAPLACE = LOGISTIC = 8  # roundings, relatively


def laplace(s: Values) -> Values:
    """−log(2Φ(−|s|)) with the sign of s, within `LAPLACE`."""
    away = np.abs(s)
    near = -np.log1p(-2 * from_middle(np.minimum(away, 1.0)))
    return np.copysign(np.where(away < 1, near, exponent(away) - np.log(2)), s)


def logistic(s: Values) -> Values:
    """log(Φ(s)/Φ(−s)), within `LOGISTIC`."""
    away = np.abs(s)
    part = 2 * from_middle(np.minimum(away, 1.0))
    near = np.log1p(2 * part / (1 - part))
    return np.copysign(np.where(away < 1, near, exponent(away) - exponent(-away)), s)


def half_normal(s: Values) -> Values:
    """Where P(|N| > x) = Φ(−s)."""
    lower = noise_from_middle(tail(np.maximum(-s, 0.0)) / 2)
    return np.where(s <= 0, lower, -quantile(tail(np.maximum(s, 0.0)) / 2))


def half_normal_error(s: Values, x: Values) -> Values:
    """In roundings: relative below the median; above it Φ⁻¹'s, and the tail's, by Mills' ratio.

    Below, Φ⁻¹'s 4, and the tail's times (Φ(x) − ½)/(xφ(x)), at most 1.17.
    """
    return np.where(s <= 0, (1.17 * TAIL + 4) * x, noise_error(x) / UNIT + TAIL * mills(x))
