r"""Gaussians of any rank in balls: φ\* = ½⟨x₀,Sx₀⟩ + ⟨b,x₀⟩, S the root of the covariance."""

from flint import arb, arb_mat
from numpy.typing import ArrayLike

from numerics.intervals.balls import Vector, add, apply, dot, exact, exact_matrix, identity, subtract
from numerics.intervals.exact_potential import ByConjugate, Candidate


class ExactGaussian(ByConjugate):
    """N(b, S²): T(x₀) = Sx₀ + b. A point b + Sw has φ = ½⟨w,Sw⟩, whatever the rank.

    Args:
        mean: (d,), b.
        root: S, symmetric positive semidefinite.

    Raises:
        ValueError: If the root isn't d×d.
    """

    def __init__(self, mean: ArrayLike, root: arb_mat) -> None:
        self._mean, self._root = exact(mean), root
        self.dim = len(self._mean)
        if root.nrows() != self.dim or root.ncols() != self.dim:
            raise ValueError(f"root: got {root.nrows()}×{root.ncols()} for a mean of length {self.dim}")

    @classmethod
    def of_factor(cls, mean: ArrayLike, factor: ArrayLike) -> "ExactGaussian":
        """S = LLᵀ for a matrix of doubles L (d,r), of rank r at most."""
        inner = exact_matrix(factor)
        return cls(mean, inner * inner.transpose())

    @classmethod
    def in_the_plane(cls, mean: ArrayLike, covariance: ArrayLike) -> "ExactGaussian":
        """S = (Σ + √det Σ·I)/√(tr Σ + 2√det Σ), by Cayley and Hamilton; Σ (2,2) positive definite."""
        sigma = exact_matrix(covariance)
        root_det = sigma.det().sqrt()
        return cls(mean, (sigma + identity(2) * root_det) * (1 / (sigma.trace() + 2 * root_det).sqrt()))

    def _at(self, w: Vector) -> Candidate:
        image = apply(self._root, w)
        return Candidate(add(self._mean, image), dot(w, image) / 2)

    def conjugate(self, y: Vector) -> arb:
        """½⟨y,Sy⟩ + ⟨b,y⟩."""
        return dot(y, apply(self._root, y)) / 2 + dot(self._mean, y)

    def transport(self, x0: Vector) -> Candidate:
        """The point b + Sx₀."""
        return self._at(x0)

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """S."""
        return self._root

    def candidate(self, z: Vector, step: arb) -> Candidate:
        """The point b + Sw with (S + λ)w = z − b."""
        return self._at(self._resolvent(step, arb_mat(self.dim, 1, subtract(z, self._mean))).entries())

    def _resolvent(self, step: arb, right: arb_mat) -> arb_mat:
        return (self._root + identity(self.dim) * step).solve(right)

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """(S + λ)⁻¹S."""
        return self._resolvent(step, self._root)
