r"""Proximal points proved by the Fenchel–Young inequality: who found the candidate does not matter.

Let u be a point with φ(u) ≤ v, and y = (z−u)/λ. For every w, φ(w) ≥ ⟨w,y⟩ − φ*(y), and so

$$φ(w) + \frac{|w-z|^2}{2λ} ≥ φ(u) + \frac{|u-z|^2}{2λ} - \mathrm{gap} + \frac{|w-u|^2}{2λ},\quad
\mathrm{gap} = v + φ^*(y) - ⟨u,y⟩,$$

as ⟨w,y⟩ + |w−z|²/(2λ) is minimal at u. At w = prox(z) this, and strong convexity of the left side, which is
$|u-w|^2/(2λ)$ above its minimum at u, give $|u - \mathrm{prox}_{λφ}(z)|^2 ≤ λ·\mathrm{gap}$. Every
term is enclosed in balls, so the bound is proved from the definitions of φ and φ* alone. A gap proved to be
positive proves that u is not the prox.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from flint import arb, arb_mat
from numpy.typing import ArrayLike

from numerics.intervals.balls import Vector, above, add, dot, exact, norm, subtract, times


class Candidate(NamedTuple):
    """A point of the domain of φ.

    Attributes:
        point: (d,) balls that hold one point of the domain, defined exactly.
        value: A ball whose upper end bounds φ at that point.
    """

    point: Vector
    value: arb


@dataclass(frozen=True)
class Enclosure:
    """Where prox(z) is proved to be: within ``radius`` of the point that ``centre`` holds."""

    centre: Vector
    radius: arb

    def distance(self, computed: ArrayLike) -> float:
        """A proved upper bound of |computed − prox(z)|."""
        return self.distance_of(exact(computed))

    def distance_of(self, x: Vector) -> float:
        """A proved upper bound of |x − prox(z)| for every x in the balls."""
        return above(norm(subtract(self.centre, x)) + self.radius)

    def width(self) -> float:
        """A proved upper bound of the distance of two points of the enclosure."""
        return above(2 * (norm([arb(c.rad()) for c in self.centre]) + self.radius))


class ExactPotential(Protocol):
    """An Aleksandrov–Brenier potential with exact data, answered in balls.

    Attributes:
        dim: Dimension d.
    """

    dim: int

    def transport(self, x0: Vector) -> Candidate:
        """T(x₀), and φ there where the proofs ask for it."""

    def enclose(self, z: Vector, step: arb) -> Enclosure:
        """prox_{step·φ}(z), proved."""


@runtime_checkable
class Differentiable(ExactPotential, Protocol):
    """One with Jacobians: a support that is a manifold."""

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """K(x₀) = DT(x₀)."""

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """D prox_{step·φ}(z) at and around z = x₁ + step·x₀."""


class ByConjugate(ABC):
    """The proofs of a potential whose conjugate φ* is known, and which proposes candidates."""

    dim: int

    @abstractmethod
    def transport(self, x0: Vector) -> Candidate:
        """T(x₀) and φ(T(x₀))."""

    @abstractmethod
    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """K(x₀)."""

    @abstractmethod
    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """D prox_{step·φ}(z) at and around z = x₁ + step·x₀."""

    @abstractmethod
    def conjugate(self, y: Vector) -> arb:
        """φ*(y), or a ball whose upper end bounds it."""

    @abstractmethod
    def candidate(self, z: Vector, step: arb) -> Candidate:
        """A proposal for prox_{step·φ}(z); nothing rests on its being right."""

    def gap(self, candidate: Candidate, y: Vector) -> arb:
        """φ(u) + φ*(y) − ⟨u, y⟩."""
        return candidate.value + self.conjugate(y) - dot(candidate.point, y)

    def enclose(self, z: Vector, step: arb) -> Enclosure:
        """The candidate, with √(λ·gap)."""
        found = self.candidate(z, step)
        dual = times(1 / step, subtract(z, found.point))
        return Enclosure(found.point, slip(self.gap(found, dual), step))


def slip(gap: arb, step: arb) -> arb:
    """√(λ·gap), of the gap's upper end.

    Raises:
        ArithmeticError: If the gap is proved to be negative: φ and φ* are not conjugate.
    """
    if gap < 0:
        raise ArithmeticError(f"the Fenchel–Young gap {gap} is negative: φ and φ* are not conjugate")
    return (step * arb(gap.abs_upper())).sqrt()


def interpolant(x1: Vector, x0: Vector, step: arb) -> Vector:
    """x_t/β_t = x₁ + λ_t x₀."""
    return add(x1, times(step, x0))
