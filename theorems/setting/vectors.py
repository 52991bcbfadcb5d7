"""Lengths, inner products and rotations of rows; lengths of matrices."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def norm(x: Array) -> Array:
    """Lengths of the rows."""
    return np.asarray(np.linalg.norm(x, axis=-1))


def frobenius(matrices: Array) -> Array:
    """Frobenius norms of matrices (N,n,m)."""
    return np.asarray(np.linalg.norm(matrices, axis=(1, 2)))


def dot(x: Array, y: Array) -> Array:
    """Inner products of the rows."""
    return np.asarray((x * y).sum(axis=-1))


def turn(x: NDArray[np.inexact], angle: float) -> NDArray[np.inexact]:
    """Points (n,2) turned about the origin."""
    c, s = np.cos(angle), np.sin(angle)
    return x @ np.array([[c, s], [-s, c]])
