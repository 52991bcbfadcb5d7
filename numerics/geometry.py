"""Small batched pieces of linear algebra that several families share."""

import numpy as np
from jaxtyping import Float, Inexact


def norms(x: Inexact[np.ndarray, "*batch d"]) -> Inexact[np.ndarray, " *batch"]:
    """Euclidean norms along the last axis, as the analytic √Σx², so that complex steps pass."""
    return np.asarray(np.sqrt((x * x).sum(axis=-1)))


def tangent_basis(normal: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d d-1"]:
    """Orthonormal bases of the complements of unit normals (n,d): the Householder reflection of e₁.

    The reflection I − 2vvᵀ/|v|² with v = ν ± e₁ (the sign that does not cancel) sends e₁ to ∓ν, so its
    other columns span the complement of ν.
    """
    d = normal.shape[1]
    v = normal.copy()
    v[:, 0] += np.where(normal[:, 0] >= 0, 1.0, -1.0)
    reflection = np.eye(d) - 2 * v[:, :, None] * v[:, None, :] / (v**2).sum(axis=1)[:, None, None]
    return reflection[:, :, 1:]


def outer_complement(direction: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, "n d d"]:
    """The projectors I − ddᵀ for unit directions d (n,d)."""
    d = direction.shape[1]
    return np.eye(d) - direction[:, :, None] * direction[:, None, :]
