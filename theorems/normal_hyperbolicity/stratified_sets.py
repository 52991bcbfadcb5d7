"""Sets with strata of several dimensions, and the dimension of a point's stratum from its position alone."""

import numpy as np
from numpy.typing import NDArray

from numerics.potentials import Arc, Curve

Array = NDArray[np.float64]
Dimensions = NDArray[np.int_]
ARC = Arc(1.0, 0.25, 2.5)


def bow() -> Curve:
    """The arc (cos t, sin t, 3), 0 ≤ t ≤ 2, in R³."""
    return Curve(
        lambda t: np.stack([np.cos(t), np.sin(t), 3 + 0 * t], axis=1),
        lambda t: np.stack([-np.sin(t), np.cos(t), 0 * t], axis=1),
        lambda t: np.stack([-np.cos(t), -np.sin(t), 0 * t], axis=1),
        (0.0, 2.0),
        closed=False,
        name="an arc over the torus",
    )


def at(x1: Array, *points: object) -> NDArray[np.bool_]:
    """Which rows of x1 are one of the points."""
    return np.asarray(np.min([np.linalg.norm(x1 - np.array(p), axis=1) for p in points], axis=0) < 1e-9)


def on_bow_and_torus(x1: Array) -> Dimensions:
    """2 on the torus with R = 2 and r = 1/2, 1 on `bow`, 0 at its ends."""
    tube = np.hypot(np.hypot(x1[:, 0], x1[:, 1]) - 2, x1[:, 2])
    ends = at(x1, [1.0, 0.0, 3.0], [np.cos(2), np.sin(2), 3.0])
    return np.where(np.abs(tube - 0.5) < 1e-9, 2, np.where(ends, 0, 1))


def on_arc(x1: Array) -> Dimensions:
    """1 on `ARC`, 0 at its ends."""
    return np.where(at(x1, [np.cos(0.25), np.sin(0.25)], [np.cos(2.5), np.sin(2.5)]), 0, 1)


def on_arc_and_points(x1: Array) -> Dimensions:
    """The same, with (0, −1) and (2, 0) besides."""
    return np.where(at(x1, [0.0, -1.0], [2.0, 0.0]), 0, on_arc(x1))


def on_spiral(x1: Array) -> Dimensions:
    """1 on `Curve.spiral(1)`, 0 at its ends (−1/2, 0) and (−3/2, 0)."""
    return np.where(at(x1, [-0.5, 0.0], [-1.5, 0.0]), 0, 1)
