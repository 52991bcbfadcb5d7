r"""Spheres and ellipsoids in balls: φ\* is the support function √⟨x₀,Ax₀⟩, φ the indicator of the body."""

from flint import arb, arb_mat
from numpy.typing import ArrayLike

from numerics.checks import positive_number
from numerics.intervals.balls import (
    UndecidedError,
    Vector,
    apply,
    column,
    dot,
    exact_matrix,
    identity,
    norm,
    outer,
    times,
)
from numerics.intervals.exact_potential import ByConjugate, Candidate


class ExactSphere(ByConjugate):
    """The sphere of radius R in R^d; Rx/|x| is on it by definition.

    Args:
        dim: d.
        radius: R > 0, a double.

    Raises:
        ValueError: If the radius is not positive and finite.
    """

    def __init__(self, dim: int, radius: float) -> None:
        self.dim, self._radius = dim, arb(positive_number("radius", radius))

    def conjugate(self, y: Vector) -> arb:
        """R|y|."""
        return self._radius * norm(y)

    def transport(self, x0: Vector) -> Candidate:
        """Rx₀/|x₀|, where φ = 0."""
        return Candidate(times(self._radius / norm(x0), x0), arb(0))

    def candidate(self, z: Vector, step: arb) -> Candidate:
        """Within the ball z itself, else Rz/|z|."""
        return Candidate(z, arb(0)) if norm(z) <= self._radius else self.transport(z)

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """(R/|x₀|)(I − nnᵀ), n = x₀/|x₀|."""
        length = norm(x0)
        across = identity(self.dim) - outer(x0, x0) * (1 / dot(x0, x0))
        return across * (self._radius / length)

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """Outside the ball, by implicit differentiation of u·|z| = Rz with |u| = R."""
        if not norm(z) > self._radius:
            raise UndecidedError("z is not proved to be outside the ball")
        u = self.transport(z).point
        return _projection_jacobian(identity(self.dim), (norm(z) / self._radius) - 1, u)


class ExactEllipsoid(ByConjugate):
    """The ellipsoid ⟨x,A⁻¹x⟩ = 1; x/√⟨x,A⁻¹x⟩ is on it by definition.

    Args:
        shape_matrix: A (d,d) of doubles, symmetric positive definite.
    """

    def __init__(self, shape_matrix: ArrayLike) -> None:
        self._matrix = exact_matrix(shape_matrix)
        self.dim = self._matrix.nrows()
        self._inverse = self._matrix.inv()

    def conjugate(self, y: Vector) -> arb:
        """√⟨y,Ay⟩."""
        square = dot(y, apply(self._matrix, y))
        return square.sqrt() if square > 0 or square.is_exact() else arb(square.abs_upper()).sqrt()

    def transport(self, x0: Vector) -> Candidate:
        """Ax₀/h."""
        return Candidate(times(1 / self.conjugate(x0), apply(self._matrix, x0)), arb(0))

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """A/h − (Ax₀)(Ax₀)ᵀ/h³."""
        image, h = apply(self._matrix, x0), self.conjugate(x0)
        return self._matrix * (1 / h) - outer(image, image) * (1 / h**3)

    def candidate(self, z: Vector, step: arb) -> Candidate:
        """Within the body z itself, else A(A+μ)⁻¹z brought to the surface."""
        if self._size(z) <= 1:
            return Candidate(z, arb(0))
        u = self._image(z, self._multiplier(z))
        return Candidate(times(1 / self._size(u).sqrt(), u), arb(0))

    def _size(self, x: Vector) -> arb:
        return dot(x, apply(self._inverse, x))

    def _shrunk(self, z: Vector, mu: arb) -> Vector:
        """(A+μ)⁻¹z."""
        return (self._matrix + identity(self.dim) * mu).solve(column(z)).entries()

    def _image(self, z: Vector, mu: arb) -> Vector:
        return apply(self._matrix, self._shrunk(z, mu))

    def _multiplier(self, z: Vector) -> arb:
        """μ > 0 with |A^{1/2}(A+μ)⁻¹z| = 1: Newton on the reciprocal, then a proved change of sign."""
        mu, floor = arb(0), arb(2) ** -400
        for _ in range(100):
            w = self._shrunk(z, mu)
            size = dot(w, apply(self._matrix, w)).sqrt()
            slope = -dot(apply(self._matrix, w), self._shrunk(w, mu)) / size
            change = ((size - size * size) / slope).mid()
            mu = (mu + change).mid()
            if abs(change) <= floor * (1 + mu):
                break
        width = (1 + mu) * arb(2) ** -380
        ends = [mu - width, mu + width]
        low, high = (self._size(self._image(z, end)) - 1 for end in ends)
        if not (low > 0 and high < 0):
            raise UndecidedError("the multiplier is not proved to be where Newton's method ended")
        return ends[0].union(ends[1])

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """Outside the body, from u + μA⁻¹u = z and ⟨u,A⁻¹u⟩ = 1."""
        if not self._size(z) > 1:
            raise UndecidedError("z is not proved to be outside the body")
        mu = self._multiplier(z)
        return _projection_jacobian(self._inverse, mu, self._image(z, mu))


def _projection_jacobian(inverse: arb_mat, mu: arb, u: Vector) -> arb_mat:
    """D of z ↦ u for u + μMu = z, ⟨u,Mu⟩ = const: (I+μM)du + Mu·dμ = dz, ⟨Mu,du⟩ = 0, solved."""
    d = len(u)
    normal = apply(inverse, u)
    system = arb_mat(d + 1, d + 1, [arb(0)] * (d + 1) ** 2)
    right = arb_mat(d + 1, d, [arb(0)] * (d + 1) * d)
    for i in range(d):
        for j in range(d):
            system[i, j] = arb(int(i == j)) + mu * inverse[i, j]
        system[i, d] = system[d, i] = normal[i]
        right[i, i] = arb(1)
    solved = system.solve(right)
    return arb_mat(d, d, [solved[i, j] for i in range(d) for j in range(d)])
