r"""What derived quantities of the checks err by, from what the library states of its members."""

import numpy as np
from numpy.typing import NDArray

from numerics.accuracy import EPS, Rounding
from numerics.potentials import Potential
from numerics.proximal import certificate

Array = NDArray[np.float64]


def dot_rounding(x: Array, y: Array) -> Rounding:
    """Of ⟨x, y⟩ by rows: d roundings of Σ|x_i y_i|."""
    return Rounding(np.abs(x * y).sum(axis=-1), x.shape[-1], "an inner product of d terms")


def length_rounding(x: Array) -> Rounding:
    """Of |x| by rows: half of d + 1 roundings, and the root's."""
    return Rounding(np.linalg.norm(x, axis=-1), x.shape[-1] / 2 + 2, "a length")


def gap_rounding(
    target: Potential, u: Array, y: Array, value: Array | None = None, conjugate: Array | None = None
) -> Rounding:
    """Of the Fenchel–Young gap φ(u) + φ*(y) − ⟨u, y⟩, against the gap at a point of dom φ beside u.

    ``value`` and ``conjugate`` are φ(u) and φ*(y), where they are known.
    """
    value = target.value(u) if value is None else value
    return certificate.gap_rounding(
        target, u, y, value, target.conjugate(y) if conjugate is None else conjugate
    )


def hessian_rounding(target: Potential, x0: Array, hessian: Array) -> Rounding:
    """Of H (k,m,m) at the noise x0 (k,d), in Frobenius norm.

    H = K⁻¹ on T (H3), and the computed Ĥ is the inverse of a K that is off by E, |E| ≤ ρ, what K states; H is
    computed to no less. So H − Ĥ = HEĤ and `inverse_rounding` bounds it; and by the products' own.
    """
    own = Rounding(
        np.linalg.norm(hessian, axis=(1, 2)), 8 * max(1, hessian.shape[1]), "H is a product of m×m"
    )
    return inverse_rounding(hessian, target.roundings.transport_jacobian(x0)) + own


def inverse_rounding(inverse: Array, of_matrix: Rounding) -> Rounding:
    """By how much the exact inverse of a matrix may be off ``inverse`` (k,m,m), that of one ρ away from it.

    With Â⁻¹ − A⁻¹ = A⁻¹(A − Â)Â⁻¹, and |A⁻¹| ≤ |Â⁻¹|/(1 − |Â⁻¹|ρ): at most |Â⁻¹|²ρ/(1 − |Â⁻¹|ρ), and +inf
    where |Â⁻¹|ρ ≥ 1, as A may be singular.
    """
    size = np.linalg.norm(inverse, axis=(1, 2))
    left = 1 - size * of_matrix.bound * (1 + 8 * EPS)
    growth = size**2 / np.where(left > 0, left, 1.0)
    return of_matrix.amplified(np.where(left > 0, growth, np.inf), "an inverse")
