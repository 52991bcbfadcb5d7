"""Linear algebra in mpmath that the oracles of accuracy share; nothing of the library is imported."""

import mpmath as mp
import numpy as np


def vector(x):
    """A row of doubles, exactly."""
    return mp.matrix([mp.mpf(float(v)) for v in x])


def matrix(x):
    """A matrix of doubles, exactly."""
    return mp.matrix(np.asarray(x, dtype=float).tolist())


def length(x):
    """Euclidean length."""
    return mp.sqrt(mp.fsum(v**2 for v in x))


def dot(x, y):
    """Inner product."""
    return mp.fsum(a * b for a, b in zip(x, y, strict=True))


def apart(found, exact):
    """(n,) distances of rows of doubles from exact vectors."""
    return np.array([float(length(vector(f) - e)) for f, e in zip(found, exact, strict=True)])


def matrices_apart(found, exact):
    """(n,) Frobenius distances of matrices of doubles from exact ones."""
    return np.array([float(length(list(matrix(f) - e))) for f, e in zip(found, exact, strict=True)])


def numbers_apart(found, exact):
    """(n,) distances of doubles from exact numbers."""
    return np.array([float(abs(mp.mpf(float(f)) - e)) for f, e in zip(found, exact, strict=True)])
