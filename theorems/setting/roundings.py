r"""What derived quantities of the checks err by, from what the library states of its members."""

import numpy as np
from numpy.typing import NDArray

from numerics.accuracy import Rounding
from numerics.potentials import Potential

Array = NDArray[np.float64]


def dot_rounding(x: Array, y: Array) -> Rounding:
    """Of ⟨x, y⟩ by rows: d roundings of Σ|x_i y_i|."""
    return Rounding(np.abs(x * y).sum(axis=-1), x.shape[-1], "an inner product of d terms")


def length_rounding(x: Array) -> Rounding:
    """Of |x| by rows: half of d + 1 roundings, and the root's."""
    return Rounding(np.linalg.norm(x, axis=-1), x.shape[-1] / 2 + 2, "a length")


def gap_rounding(target: Potential, u: Array, y: Array) -> Rounding:
    """Of the Fenchel–Young gap φ(u) + φ*(y) − ⟨u, y⟩, against the gap at a point of dom φ beside u.

    The three terms as the library states them, two sums, and |y| times the distance from u to the point of
    the domain that φ speaks of.
    """
    stated = target.roundings
    beside = stated.domain(u).amplified(np.linalg.norm(y, axis=1), "u stands for a point of the domain")
    pairing, conjugate = (u * y).sum(axis=1), target.conjugate(y)
    sums = Rounding(np.abs(pairing) + np.abs(conjugate) + np.abs(target.value(u)), 2, "the sums of the gap")
    return stated.value(u) + stated.conjugate(y) + dot_rounding(u, y) + sums + beside


def hessian_rounding(target: Potential, x0: Array, hessian: Array) -> Rounding:
    """Of H (k,m,m) at the noise x0 (k,d), in Frobenius norm.

    H = K⁻¹ on T (H3), so an error ρ of K is one of |H|²ρ of H; H is computed to no less than what K is.
    """
    size = np.linalg.norm(hessian, axis=(1, 2))
    own = Rounding(size, 8 * max(1, hessian.shape[1]), "H is a product of m×m matrices")
    return target.roundings.transport_jacobian(x0).amplified(size**2, "H = K⁻¹ on T") + own
