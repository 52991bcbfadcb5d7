"""Small batched pieces of linear algebra that several families share."""

from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact

from numerics.accuracy import UNIT

_FEW = 16


def norms(x: Inexact[np.ndarray, "*batch d"]) -> Inexact[np.ndarray, " *batch"]:
    """Euclidean norms along the last axis, as the analytic √Σx², so that complex steps pass.

    They err by d/2 + 1 roundings of themselves, by none for d = 1, whatever their size: rows whose squares
    would leave the range of numbers are scaled by a power of two, which changes no digit. Below the normal
    numbers the unit there is one rounding more; beyond the largest number a norm is inf.

    Example:
        >>> norms(np.array([[3.0, 4.0], [3e200, 4e200], [3e-200, 4e-200]])) / [1.0, 1e200, 1e-200]
        array([5., 5., 5.])
    """
    is_complex = x.dtype.kind == "c"
    if x.shape[-1] == 1 and not is_complex:
        return np.asarray(np.abs(x[..., 0]))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if is_complex:
            squares = np.asarray((x * x).sum(axis=-1))
            size = np.abs(squares)  # may be small where they cancel; then, too, the scaled rows are as good
        else:
            size = squares = np.asarray(np.vecdot(x, x))
        found = np.asarray(np.sqrt(squares))
        least, largest = _range(squares.dtype)
        ends = _ends(size)
        if ends[0] >= least and ends[1] <= largest:
            return found
        odd = np.asarray(~((size >= least) & (size <= largest)))
        odd[odd] = x[odd].any(axis=-1)  # a row of zeros has its norm
        if odd.any():
            found[odd] = _scaled_norms(x[odd])
    return found


def _ends(size: Float[np.ndarray, "*batch"]) -> tuple[Any, Any]:
    """The least and the largest: of a few numbers, as mostly, Python finds them in half of NumPy's time."""
    if 0 < size.size <= _FEW:
        values = size.ravel().tolist()
        return min(values), max(values)
    return size.min(initial=1.0), size.max(initial=1.0)


@cache
def _range(kind: np.dtype[Any]) -> tuple[Any, Any]:
    """Between which squares keep all their digits; remembered, as norms are mostly of a few points."""
    range_ = np.finfo(kind)
    return range_.tiny / range_.eps**2, range_.max


def _scaled_norms(x: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, " n"]:
    """√Σx² of rows, by way of rows whose largest entry lies in [1/2, 1)."""
    largest = np.abs(x).max(axis=-1, initial=0.0)
    plain = ~np.isfinite(largest) | (largest == 0)
    exponent = np.where(plain, 0, np.frexp(largest)[1])
    # In two steps, as 2^1074 is no number.
    halves = np.ldexp(1.0, -(exponent // 2)), np.ldexp(1.0, -(exponent - exponent // 2))
    level = x * halves[0][:, None] * halves[1][:, None]
    return np.asarray(np.sqrt((level * level).sum(axis=-1)) / halves[0] / halves[1])


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


def widest_turn(radius: Float[np.ndarray, " n"], length: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """The largest angle between w and a w' within ``radius`` of it, |w| = ``length``: arcsin(radius/length).

    π where ``radius`` reaches 0, and where w is 0. Near a right angle a rounding of the quotient turns by the
    root of it, so the sine is taken larger by 8 roundings: of the quotient, and of |w| and w in d ≤ 3.

    Example:
        >>> widest_turn(np.array([0.5, 1.0]), np.array([1.0, 1.0])).round(12).tolist()  # π/6, and π
        [0.523598775598, 3.14159265359]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        sine = np.where(length > 0, radius / length, np.inf) * (1 + 8 * UNIT)
    return np.where(sine < 1, np.arcsin(np.minimum(sine, 1.0)), np.pi)
