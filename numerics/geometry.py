"""Small batched pieces of linear algebra that several families share."""

import numpy as np
from jaxtyping import Float, Inexact


def norms(x: Inexact[np.ndarray, "*batch d"]) -> Inexact[np.ndarray, " *batch"]:
    """Euclidean norms along the last axis, as the analytic √Σx², so that complex steps pass."""
    return np.asarray(np.sqrt((x * x).sum(axis=-1)))


def tangent_basis(normal: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d d-1"]:
    """Orthonormal bases of the complements of unit normals (n,d): the Householder reflection of e₁.

    The reflection I − 2vvᵀ/|v|² with v = ν ± e₁ (the sign that does not cancel) sends e₁ to ∓ν, so its
    other columns span the complement of ν. As |ν| = 1, their entries are ∓ν_j on top, −ν_iν_j/(1+|ν₁|), and
    |ν₁| + Σ_{k≠1,j} ν_k²/(1+|ν₁|) on the diagonal: nothing is subtracted, and each errs by d + 4 roundings
    of itself, however small.
    """
    n, d = normal.shape
    first, rest = normal[:, :1], normal[:, 1:]
    whole = 1 + np.abs(first)
    basis = np.empty((n, d, d - 1))
    basis[:, 0] = np.where(first >= 0, -rest, rest)
    basis[:, 1:] = -rest[:, :, None] * (rest / whole)[:, None, :]
    diagonal = np.arange(d - 1)
    basis[:, diagonal + 1, diagonal] = np.abs(first) + (rest**2 @ (1 - np.eye(d - 1))) / whole
    return basis


def outer_complement(direction: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, "n d d"]:
    """The projectors I − ddᵀ for unit directions d (n,d)."""
    d = direction.shape[1]
    return np.eye(d) - direction[:, :, None] * direction[:, None, :]
