"""Mixtures on the line: densities and distribution functions of the marginals, apart from the library."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from numerics.accuracy import Rounding
from numerics.flows.mixtures import MixtureField

Array = NDArray[np.float64]


def normal(x: Array, mean: Array | float, deviation: Array | float) -> Array:
    """The density of N(mean, deviation²) at x."""
    return np.asarray(np.exp(-(((x - mean) / deviation) ** 2) / 2) / (deviation * np.sqrt(2 * np.pi)))


def deviations(field: MixtureField, t: float) -> Array:
    """√(a²s_k² + σ²) of each component at time t."""
    return np.sqrt(field.path.gain(t) ** 2 * field.covariances[:, 0, 0] + field.path.deviation(t) ** 2)


def distribution(field: MixtureField, t: float, x: Array) -> Array:
    """F_t(x) of the path's marginal, for x (n,)."""
    centres = field.path.gain(t) * field.means[:, 0]
    return np.asarray(ndtr((x[:, None] - centres) / deviations(field, t)) @ field.weights)


def steepest(field: MixtureField, t: float) -> float:
    """A Lipschitz constant of F_t: Σ w_k/(√(2π)·deviation_k)."""
    return float((field.weights / (deviations(field, t) * np.sqrt(2 * np.pi))).sum())


def rank_rounding(field: MixtureField, t: float) -> Rounding:
    """Of F_t(x) − Φ(x₀), x and x₀ as they are.

    The argument y = (x − am)/s of Φ errs by 8 roundings of |y|, where |y|φ(y) < ¼, and of am/s, where Φ's
    slope is at most 0.4; Φ by 4 ulp; and the weights are summed.
    """
    offset = np.abs(field.path.gain(t) * field.means[:, 0]) / deviations(field, t)
    return Rounding(
        2.25 + 0.4 * float(offset.max()), 16 + len(field.weights), "Φ at rounded arguments, weighted"
    )
