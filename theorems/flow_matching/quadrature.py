"""Quadrature for expectations under noise, grids for integrals over data, and how far such bounds go."""

from itertools import product

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def gaussian_nodes(order: int, dim: int) -> tuple[Array, Array]:
    """Nodes (n,d) and weights (n,) of Gauss–Hermite quadrature against N(0, I_d), n = order^d."""
    nodes, weights = hermegauss(order)
    places = np.array(list(product(nodes, repeat=dim)))
    shares = np.array([np.prod(w) for w in product(weights / weights.sum(), repeat=dim)])
    return places, shares


def grid(reach: float, step: float, dim: int) -> tuple[Array, float]:
    """Points (n,d) of [−reach, reach]^d and the volume of a cell, for the trapezoid rule."""
    axis = np.arange(-round(reach / step), round(reach / step) + 1) * step
    mesh = np.meshgrid(*[axis] * dim, indexing="ij")
    return np.stack([m.ravel() for m in mesh], axis=1), step**dim


def resolved(bound: ArrayLike, size: float = 1.0, share: float = 1e-6) -> Array:
    """The bound, where it is at most a share of the size.

    A larger change between two resolutions says that neither resolves the number, and would let errors of its
    own size pass.

    Raises:
        AssertionError: If the bound is larger.
    """
    found = np.asarray(bound, dtype=float)
    if not (found <= share * size).all():
        raise AssertionError(f"resolution: the bound {found.max():.3g} exceeds {share * size:.3g}")
    return found
