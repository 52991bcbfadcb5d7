"""Laws whose transport from noise is a building block of others: Laplace, logistic, half-normal."""

import numpy as np
from scipy.special import erf, erfinv, ndtri

from numerics.accuracy import UNIT
from numerics.potentials.normal import TAIL, Values, exponent, mills, noise_error, tail


def laplace(s: Values) -> Values:
    """−log(2Φ(−|s|)) with the sign of s, within 16 roundings."""
    away = np.abs(s)
    size = np.where(away < 1, -np.log1p(-erf(np.minimum(away, 1.0) / np.sqrt(2))), exponent(away) - np.log(2))
    return np.copysign(size, s)


def logistic(s: Values) -> Values:
    """log(Φ(s)/Φ(−s)), within 16 roundings."""
    away = np.abs(s)
    near = 2 * np.arctanh(erf(np.minimum(away, 1.0) / np.sqrt(2)))
    return np.copysign(np.where(away < 1, near, exponent(away) - exponent(-away)), s)


def half_normal(s: Values) -> Values:
    """Where P(|N| > x) = Φ(−s)."""
    lower = np.sqrt(2) * erfinv(tail(np.maximum(-s, 0.0)))
    return np.where(s <= 0, lower, -ndtri(tail(np.maximum(s, 0.0)) / 2))


def half_normal_error(s: Values, x: Values) -> Values:
    """In roundings: relative below the median; above it ndtri's, and the tail's, by Mills' ratio."""
    return np.where(s <= 0, (1.2 * TAIL + 6) * x, noise_error(x) / UNIT + (TAIL + 1) * mills(x))
