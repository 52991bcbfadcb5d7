r"""New exact potentials from old, by the table of φ and φ\* alone (docs/theory.md §4.1)."""

from flint import arb, arb_mat

from numerics.intervals.balls import Vector, add, apply, dot, subtract, times, zeros
from numerics.intervals.exact_potential import ByConjugate, Candidate


class Carried(ByConjugate):
    """Rotated or embedded by an isometry V (D,d): φ*(Vᵀ·), φ(Vᵀ·) + δ_{range V}.

    Args:
        base: The potential.
        isometry: V, with VᵀV = I exactly for one matrix in the balls.
    """

    def __init__(self, base: ByConjugate, isometry: arb_mat) -> None:
        self._base, self._isometry, self.dim = base, isometry, isometry.nrows()

    def _pulled(self, x: Vector) -> Vector:
        return apply(self._isometry.transpose(), x)

    def _pushed(self, found: Candidate) -> Candidate:
        return Candidate(apply(self._isometry, found.point), found.value)

    def conjugate(self, y: Vector) -> arb:
        """φ*(Vᵀy)."""
        return self._base.conjugate(self._pulled(y))

    def transport(self, x0: Vector) -> Candidate:
        """V·T(Vᵀx₀)."""
        return self._pushed(self._base.transport(self._pulled(x0)))

    def candidate(self, z: Vector, step: arb) -> Candidate:
        """V times the base's."""
        return self._pushed(self._base.candidate(self._pulled(z), step))

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """VKVᵀ."""
        inner = self._base.transport_jacobian(self._pulled(x0))
        return self._isometry * inner * self._isometry.transpose()

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """VJVᵀ."""
        inner = self._base.prox_jacobian(self._pulled(z), step)
        return self._isometry * inner * self._isometry.transpose()


class Moved(ByConjugate):
    """Translated by b: φ* + ⟨b,·⟩, φ(·−b)."""

    def __init__(self, base: ByConjugate, shift: Vector) -> None:
        self._base, self._shift, self.dim = base, shift, len(shift)

    def _pushed(self, found: Candidate) -> Candidate:
        return Candidate(add(found.point, self._shift), found.value)

    def conjugate(self, y: Vector) -> arb:
        """φ*(y) + ⟨b,y⟩."""
        return self._base.conjugate(y) + dot(self._shift, y)

    def transport(self, x0: Vector) -> Candidate:
        """T(x₀) + b."""
        return self._pushed(self._base.transport(x0))

    def candidate(self, z: Vector, step: arb) -> Candidate:
        """The base's at z − b, moved."""
        return self._pushed(self._base.candidate(subtract(z, self._shift), step))

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """K."""
        return self._base.transport_jacobian(x0)

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """J at z − b."""
        return self._base.prox_jacobian(subtract(z, self._shift), step)


class Stretched(ByConjugate):
    """Scaled by s > 0: sφ*, sφ(·/s)."""

    def __init__(self, base: ByConjugate, factor: arb) -> None:
        self._base, self._factor, self.dim = base, factor, base.dim

    def _pushed(self, found: Candidate) -> Candidate:
        return Candidate(times(self._factor, found.point), self._factor * found.value)

    def conjugate(self, y: Vector) -> arb:
        """The base's times s."""
        return self._factor * self._base.conjugate(y)

    def transport(self, x0: Vector) -> Candidate:
        """The base's times s."""
        return self._pushed(self._base.transport(x0))

    def candidate(self, z: Vector, step: arb) -> Candidate:
        """The base's at z/s with the step λ/s, times s."""
        return self._pushed(self._base.candidate(times(1 / self._factor, z), step / self._factor))

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """The base's times s."""
        return self._base.transport_jacobian(x0) * self._factor

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """J at z/s with the step λ/s."""
        return self._base.prox_jacobian(times(1 / self._factor, z), step / self._factor)


class Paired(ByConjugate):
    """The product of two targets: φ* ⊕ ψ*, φ ⊕ ψ."""

    def __init__(self, first: ByConjugate, second: ByConjugate) -> None:
        self._first, self._second, self.dim = first, second, first.dim + second.dim

    def _split(self, x: Vector) -> tuple[Vector, Vector]:
        return x[: self._first.dim], x[self._first.dim :]

    def _joined(self, a: Candidate, b: Candidate) -> Candidate:
        return Candidate(a.point + b.point, a.value + b.value)

    def _blocks(self, upper: arb_mat, lower: arb_mat) -> arb_mat:
        whole, k = zeros(self.dim, self.dim), self._first.dim
        for i in range(self.dim):
            for j in range(self.dim):
                if i < k and j < k:
                    whole[i, j] = upper[i, j]
                elif i >= k and j >= k:
                    whole[i, j] = lower[i - k, j - k]
        return whole

    def conjugate(self, y: Vector) -> arb:
        """The sum."""
        a, b = self._split(y)
        return self._first.conjugate(a) + self._second.conjugate(b)

    def transport(self, x0: Vector) -> Candidate:
        """Block by block."""
        a, b = self._split(x0)
        return self._joined(self._first.transport(a), self._second.transport(b))

    def candidate(self, z: Vector, step: arb) -> Candidate:
        """Block by block."""
        a, b = self._split(z)
        return self._joined(self._first.candidate(a, step), self._second.candidate(b, step))

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """Block by block."""
        a, b = self._split(x0)
        return self._blocks(self._first.transport_jacobian(a), self._second.transport_jacobian(b))

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """Block by block."""
        a, b = self._split(z)
        return self._blocks(self._first.prox_jacobian(a, step), self._second.prox_jacobian(b, step))
