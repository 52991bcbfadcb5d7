r"""What the rules of the calculus share: a base asked at a moved argument (docs/theory.md §4.1).

A derived potential moves its argument into the base's coordinates, asks the base, and moves the answer back.
Three things err: the inner argument, by some ρ; the base at that argument, by what it states; the way back.
prox and ∇e are nonexpansive, so there ρ counts once; T, K and D prox move by their own change within ρ.
"""

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.accuracy import EPS, UNIT, Rounding
from numerics.checks import as_points
from numerics.geometry import norms
from numerics.potentials.base import Potential
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.solved_once import SolvedOnce
from numerics.potentials.support_geometry import Subdifferential
from numerics.potentials.traits import Traits

Points = Float[np.ndarray, "n d"]
Numbers = Float[np.ndarray, " n"]


class IsometryRounding:
    """What multiplying by V or Vᵀ errs by, against the isometry nearest to V, its polar factor.

    ‖V − V̂‖ ≤ ‖VᵀV − I‖, which is computed in extended precision; a product of D terms rounds by γ_D of the
    sum of their moduli. The polar factor is what "the isometry V" can mean for a matrix of doubles.

    Args:
        matrix: V (D,d).
    """

    def __init__(self, matrix: Float[np.ndarray, "D d"]) -> None:
        wide = matrix.astype(np.longdouble)
        gram = wide.T @ wide - np.eye(matrix.shape[1])
        slack = (len(matrix) + 2) * float(np.finfo(np.longdouble).eps) * matrix.shape[1]
        self.defect = float(np.sqrt((gram**2).sum())) + slack
        self._moduli = np.abs(matrix)

    def pulled(self, x: Float[np.ndarray, "n D"]) -> Rounding:
        """Of Vᵀx."""
        return self._product(norms(np.abs(x) @ self._moduli), len(self._moduli), norms(x))

    def pushed(self, w: Float[np.ndarray, "n d"]) -> Rounding:
        """Of Vw."""
        return self._product(norms(np.abs(w) @ self._moduli.T), self._moduli.shape[1], norms(w))

    def conjugated(self, matrices: Float[np.ndarray, "n d d"]) -> Rounding:
        """Of VMVᵀ, in Frobenius norm: two products of d terms."""
        size = np.linalg.norm(self._moduli @ np.abs(matrices) @ self._moduli.T, axis=(1, 2))
        return self._product(size, 2 * self._moduli.shape[1], 2 * np.linalg.norm(matrices, axis=(1, 2)))

    def _product(self, moduli: Numbers, terms: int, length: Numbers) -> Rounding:
        rounded = Rounding(moduli, terms, f"a product with the isometry, {terms} roundings")
        return rounded + Rounding(length, self.defect / UNIT, "the columns' departure from orthonormality")


def moved_envelope(inner: ProximalPoint, moved: Rounding) -> Rounding:
    """Of the envelope at an argument that errs by ρ: ∇e = y is 1/λ-Lipschitz, so |y|ρ + ρ²/(2λ)."""
    slope = norms(inner.dual) + moved.bound / (2 * inner.step)
    return inner.rounding.envelope + moved.amplified(slope, "the envelope's slope is the dual")


def moved_jacobian(base: Potential, inner: ProximalPoint, moved: Rounding) -> Rounding:
    """Of D prox at an argument that errs by ρ: the base's, and its change within ρ.

    That is √k at most, as 0 ≼ D prox ≼ I, and so much may it be where a kink is within ρ.
    """
    radius, most = np.broadcast_to(moved.bound, (len(inner.z),)), np.sqrt(base.dim)
    change = np.minimum(base._prox_jacobian_change(inner.z, inner.step, radius), most)
    change = np.where((inner.kink <= radius) & (radius > 0), most, change)
    return inner.rounding.jacobian + Rounding.measured(change, "D prox within the rounding of its argument")


def moved_transport(base: Potential, w: Points, moved: Rounding) -> Rounding:
    """Of T at noise that errs by ρ."""
    change = base._transport_change(w, np.broadcast_to(moved.bound, (len(w),)))
    return base._transport_rounding(w) + Rounding.measured(change, "T within the rounding of its argument")


def moved_transport_jacobian(base: Potential, w: Points, moved: Rounding) -> Rounding:
    """Of K at noise that errs by ρ."""
    change = base._transport_jacobian_change(w, np.broadcast_to(moved.bound, (len(w),)))
    stated = base._transport_jacobian_rounding(w)
    return stated + Rounding.measured(change, "K within the rounding of its argument")


def pulled_in(base: Potential, x: Points, radius: float | Numbers) -> Points:
    """The nearest points of the base's domain, where they are within ``radius``; the others stay."""
    near = base._prox(x, np.full(len(x), EPS))
    return np.where((norms(near - x) <= radius)[:, None], near, x)


class Carried(SolvedOnce):
    """A potential that asks its base, at a moved argument: envelope, Jacobian and changes are the base's.

    Attributes:
        base: The potential asked.
    """

    base: Potential
    _unit: float = 1.0

    @property
    def traits(self) -> Traits:
        """The base's: moving an argument by an isometry, a shift or a factor changes none."""
        return self.base.traits

    @property
    def finest(self) -> float:
        """The base's, in the unit of this target."""
        return self._unit * self.base.finest

    @abstractmethod
    def _inner(self, x: Points) -> Float[np.ndarray, "n k"]:
        """A point of the target in the base's coordinates."""

    def _inner_noise(self, x0: Points) -> Float[np.ndarray, "n k"]:
        """Noise in the base's coordinates."""
        return self._inner(x0)

    def _transport_change(self, x0: Points, radius: Numbers) -> Numbers:
        return self._unit * self.base._transport_change(self._inner_noise(x0), radius)

    def _transport_jacobian_change(self, x0: Points, radius: Numbers) -> Numbers:
        return self._unit * self.base._transport_jacobian_change(self._inner_noise(x0), radius)

    def _prox_jacobian_change(self, z: Points, step: Numbers, radius: Numbers) -> Numbers:
        unit = self._unit
        return self.base._prox_jacobian_change(self._inner(z), step / unit, radius / unit)


class Within(Subdifferential):
    """∂φ of a derived potential: a base set seen through a linear map of the noise.

    ``pull`` maps noise (n,D) to the base's noise (n,d), and ``free`` counts the directions it forgets;
    ``stretch`` is by how much rounding of the derived x₁ exceeds that of the base's, ``length`` the unit of
    the derived target in the base's.
    """

    def __init__(
        self,
        base: Subdifferential,
        pull: Callable[[Float[np.ndarray, "n D"]], Float[np.ndarray, "n d"]],
        dim: int,
        free: int,
        stretch: float,
        length: float = 1.0,
    ) -> None:
        self._base, self._pull, self._dim, self._free = base, pull, dim, free
        self.rounding = stretch * base.rounding + 16 * dim * EPS
        self.blur = length * base.blur

    @property
    def dimension(self) -> int:
        """The base's dimension plus the directions that the map forgets."""
        return self._base.dimension + self._free

    def distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of x0 (n,D) from the set."""
        return self._base.distance(self._pull(as_points("x0", x0, self._dim)))

    def boundary_distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of x0 (n,D) to the relative boundary."""
        return self._base.boundary_distance(self._pull(as_points("x0", x0, self._dim)))
