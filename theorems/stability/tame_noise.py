"""Where noise moved by a small step is a small error: judged by T itself, not by the K that is under test."""

import numpy as np
from numpy.typing import NDArray

from numerics.geometry import norms
from numerics.potentials import Potential

Array = NDArray[np.float64]
WIDTHS = (1e-2, 1e-4)
STEEPEST, SHORTEST = 30.0, 0.2
CHOSEN = "left out where T changes by more than 30 scale·h over h = 1e−2 or 1e−4, or |x₀| < 0.2"
"""The words for what is left out."""


def tame(target: Potential, x0: Array) -> NDArray[np.bool_]:
    """Which noise (n,d) is tame: T is neither steep nor broken within 1e−2 along the axes, and |x₀| > 0.2.

    Kinks, ties and focal points that are nearer show as differences of T that are too large; of K, of which
    the responses are made, nothing is asked.
    """
    eye, steepest = np.eye(target.dim), np.zeros(len(x0))
    for width in WIDTHS:
        ends = [(x0[:, None] + sign * width * eye).reshape(-1, target.dim) for sign in (1, -1)]
        rise = (target.transport(ends[0]) - target.transport(ends[1])) / (2 * width)
        steepest = np.maximum(steepest, norms(rise.reshape(len(x0), -1)))
    return np.asarray((steepest < STEEPEST * target.scale) & (norms(x0) > SHORTEST))
