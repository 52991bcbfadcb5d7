r"""The contract that every Aleksandrov–Brenier potential answers (docs/theory.md §0, §4).

The data law $P_1$ has the potential φ, proper lsc convex, with conjugate φ*; the optimal transport
from noise $P_0 = N(0, I_d)$ to data is $T = ∇φ^*$. Public methods take anything array-like, validate
it, and hand float64 arrays to the underscored methods that a family implements.

Conventions: first axis = points; φ is +inf off its domain, and the domain is kept to rounding: a point
counts as inside when it misses the constraint by at most ``16·dim·eps·scale``.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.accuracy import EPS, Rounding
from numerics.checks import (
    as_complex_points,
    as_generator,
    as_points,
    as_positive,
    finite_rows,
    positive_integer,
)
from numerics.geometry import norms
from numerics.potentials.changes import change_within
from numerics.potentials.older_names import OlderNames
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.roundings import Roundings
from numerics.potentials.support_geometry import Manifold, ManifoldGroup, Subdifferential
from numerics.potentials.traits import Traits
from numerics.rebuilt import Rebuilt


class Potential(Rebuilt, OlderNames, ABC):
    """An Aleksandrov–Brenier potential φ with its transport, prox and geometry (design.md).

    A family sets ``dim`` (ambient dimension d) and ``scale`` (the size of its data, which sets what
    "to rounding" means), declares ``_traits`` where they are not the usual ones, and implements the
    underscored methods. ``repr`` is a constructor call that can be pasted.

    Example:
        >>> from numerics.potentials import Sphere
        >>> potential, x0 = Sphere(2, 2.0), [[3.0, 4.0]]
        >>> potential.transport(x0).round(12).tolist()  # 2·x₀/|x₀|
        [[1.2, 1.6]]
        >>> potential.conjugate(x0).tolist()  # 2·|x₀|
        [10.0]
        >>> potential.prox([[0.5, 0.5], [0.0, 9.0]], step=1.0).tolist()  # the projection on the ball
        [[0.5, 0.5], [0.0, 2.0]]
    """

    dim: int
    scale: float
    _traits: ClassVar[Traits] = Traits()

    @property
    def traits(self) -> Traits:
        """What kind of potential it is: whether complex steps pass, A1 can hold, prox takes batches."""
        return self._traits

    @property
    def finest(self) -> float:
        """The size of the smallest block of the data: below ``scale`` where blocks of a product differ."""
        return self.scale

    # --- values -------------------------------------------------------------------------------

    def value(self, x: ArrayLike) -> Float[np.ndarray, " n"]:
        """φ(x) for x (n,d): real, or +inf off the domain.

        Example:
            >>> from numerics.potentials import Sphere
            >>> Sphere(2, 2.0).value([[1.0, 0.0], [3.0, 0.0]]).tolist()  # the indicator of the ball
            [0.0, inf]
        """
        return self._value(as_points("x", x, self.dim))

    def conjugate(self, x0: ArrayLike) -> Inexact[np.ndarray, " n"]:
        """φ*(x₀) = sup_x ⟨x₀, x⟩ − φ(x) for x0 (n,d).

        Example:
            >>> from numerics.potentials import Sphere
            >>> Sphere(2, 2.0).conjugate([[3.0, 4.0]]).tolist()  # 2·|x₀|
            [10.0]
        """
        return self._conjugate(as_complex_points("x0", x0, self.dim))

    # --- transport ----------------------------------------------------------------------------

    def transport(self, x0: ArrayLike) -> Inexact[np.ndarray, "n d"]:
        """T(x₀) = ∇φ*(x₀), noise to data, for x0 (n,d).

        Example:
            >>> from numerics.potentials import Sphere
            >>> Sphere(2, 2.0).transport([[3.0, 4.0]]).round(12).tolist()  # 2·x₀/|x₀|
            [[1.2, 1.6]]
        """
        return self._transport(as_complex_points("x0", x0, self.dim))

    def transport_jacobian(self, x0: ArrayLike) -> Float[np.ndarray, "n d d"]:
        """K(x₀) = D²φ*(x₀), symmetric positive semidefinite, for x0 (n,d), where it exists.

        Example:
            >>> from numerics.potentials import Sphere
            >>> Sphere(2, 2.0).transport_jacobian([[0.0, 4.0]]).tolist()  # 2/|x₀| along the circle, 0 across
            [[[0.5, 0.0], [0.0, 0.0]]]

        Raises:
            ValueError: If x0 isn't finite or of that shape, or K has no value at a row or is no number there.
        """
        noise = as_points("x0", x0, self.dim)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            found = self._transport_jacobian(noise)
        return finite_rows("x0", found, "K")

    def sample(
        self, n: int, rng: np.random.Generator | int
    ) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "n d"]]:
        """Draw n exact optimal pairs (x₀, x₁ = T(x₀)), x₀ ~ N(0, I), from a generator or a seed.

        Raises:
            ValueError: If n is not a positive integer, or rng neither a generator nor a seed.

        Example:
            >>> from numerics.potentials import Sphere
            >>> x0, x1 = Sphere(2, 2.0).sample(3, rng=0)
            >>> np.linalg.norm(x1, axis=1).round(12).tolist()
            [2.0, 2.0, 2.0]
        """
        x0 = as_generator("rng", rng).standard_normal((positive_integer("n", n), self.dim))
        return x0, self._transport(x0)

    # --- proximal maps ------------------------------------------------------------------------

    def prox(self, z: ArrayLike, step: ArrayLike) -> Inexact[np.ndarray, "n d"]:
        """prox_{step·φ}(z) = argmin_u φ(u) + |u−z|²/(2·step), for z (n,d), step > 0 scalar or (n,).

        Example:
            >>> from numerics.potentials import Sphere
            >>> Sphere(2, 2.0).prox([[3.0, 4.0], [1.0, 0.0]], step=0.5).round(12).tolist()  # the projection
            [[1.2, 1.6], [1.0, 0.0]]
        """
        points = as_complex_points("z", z, self.dim)
        return self._prox(points, as_positive("step", step, len(points)))

    def proximal_point(self, z: ArrayLike, step: ArrayLike) -> ProximalPoint:
        """Everything about prox_{step·φ}(z) from one solve, for z (n,d), step > 0 scalar or (n,).

        Point, dual, envelope, Jacobian, distance to the nearest kink, and what each errs by; `prox`,
        `envelope` and `prox_jacobian` are views of it.

        Raises:
            ValueError: If z or step is malformed.

        Example:
            >>> from numerics.potentials import Sphere
            >>> found = Sphere(2).proximal_point([[3.0, 4.0]], 1.0)
            >>> bool(abs(found.point - [0.6, 0.8]).max() <= found.rounding.point.bound[0])
            True
        """
        points = as_points("z", z, self.dim)
        return self._proximal_point(points, as_positive("step", step, len(points)))

    @property
    def roundings(self) -> Roundings:
        """What every member errs by: ``roundings.transport(x0)`` is the statement about ``transport(x0)``."""
        return Roundings(self)

    def prox_jacobian(self, z: ArrayLike, step: ArrayLike) -> Float[np.ndarray, "n d d"]:
        """D prox_{step·φ}(z), symmetric with spectrum in [0, 1], where it exists (P5).

        Example:
            >>> from numerics.potentials import Sphere
            >>> Sphere(2, 2.0).prox_jacobian([[0.0, 4.0]], step=0.5).tolist()  # 2/|z| along the circle
            [[[0.5, 0.0], [0.0, 0.0]]]
        """
        points = as_points("z", z, self.dim)
        return self._prox_jacobian(points, as_positive("step", step, len(points)))

    def envelope(self, z: ArrayLike, step: ArrayLike) -> Float[np.ndarray, " n"]:
        """Moreau envelope e_{step}φ(z) = min_u φ(u) + |u−z|²/(2·step), for z (n,d).

        Example:
            >>> from numerics.potentials import Sphere
            >>> Sphere(2, 2.0).envelope([[0.0, 4.0]], step=0.5).tolist()  # (|z| − 2)²/(2·step)
            [4.0]
        """
        points = as_points("z", z, self.dim)
        return self._envelope(points, as_positive("step", step, len(points)))

    def _stretch(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """‖K(x₀)‖, the spectral norm."""
        return np.linalg.norm(self._transport_jacobian(x0), ord=2, axis=(1, 2))

    # --- geometry -----------------------------------------------------------------------------

    def subdifferential(self, x1: ArrayLike) -> Subdifferential:
        """∂φ(x₁) at one point x1 (d,) of the domain.

        Raises:
            ValueError: If x1 is not one point of the domain.

        Example:
            >>> from numerics.potentials import Sphere
            >>> outwards = Sphere(2, 2.0).subdifferential([0.0, 2.0])  # the ray along the normal
            >>> outwards.contains([[0.0, 3.0], [1.0, 3.0]]).tolist()
            [True, False]
        """
        return self._subdifferential_alone(as_points("x1", x1, self.dim)[0])

    def subdifferentials(self, x1: ArrayLike) -> Iterator[Subdifferential]:
        """`subdifferential` at each row of x1 (n,d), in turn: atoms seek the faces of all at once.

        Raises:
            ValueError: If a row of x1 is not a point of the domain.

        Example:
            >>> from numerics.potentials import FiniteAtoms
            >>> cells = FiniteAtoms.hypercube(1).subdifferentials([[1.0], [-1.0]])  # half-lines from 0
            >>> [cell.boundary_distance([[3.0]]).tolist() for cell in cells]
            [[3.0], [0.0]]
        """
        return self._subdifferentials(as_points("x1", x1, self.dim))

    def manifold(self, x1: ArrayLike, x0: ArrayLike) -> Manifold:
        """The support's manifold M at one point x1 (d,), and H for the noise x0 (d,) in ∂φ(x1).

        Example:
            >>> from numerics.potentials import Sphere
            >>> circle = Sphere(2, 2.0).manifold([0.0, 2.0], [0.0, 3.0])
            >>> circle.tangent.shape, circle.hessian.round(12).tolist()  # |x₀|/|x₁| along the circle
            ((2, 1), [[1.5]])
        """
        group = self._manifolds(as_points("x1", x1, self.dim), as_points("x0", x0, self.dim))[0]
        return Manifold(group.tangent[0], group.hessian[0])

    def manifolds(self, x1: ArrayLike, x0: ArrayLike) -> Sequence[ManifoldGroup]:
        """`manifold` for a batch x1, x0 (n,d), grouped by the dimension m."""
        points, noise = as_points("x1", x1, self.dim), as_points("x0", x0, self.dim)
        if points.shape != noise.shape:
            raise ValueError(f"x1 and x0: got shapes {points.shape} and {noise.shape}; they must agree")
        return self._manifolds(points, noise)

    def conic(self, u: Any) -> tuple[Any, list[Any]] | None:
        """φ as a disciplined convex program, or None where there is no such form.

        Args:
            u: A cvxpy Variable of shape (N, d).

        Returns:
            The cvxpy expression (N,) and the constraints of the rows' domain.
        """
        return None

    def conic_conjugate(self, y: Any) -> tuple[Any, list[Any]] | None:
        """φ* in the same form, where prox is better solved through Moreau's identity; None otherwise."""
        return None

    # --- what a family implements ---------------------------------------------------------------

    @abstractmethod
    def _value(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]: ...

    @abstractmethod
    def _conjugate(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, " n"]: ...

    @abstractmethod
    def _transport(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, "n d"]: ...

    @abstractmethod
    def _transport_jacobian(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d d"]: ...

    @abstractmethod
    def _prox(
        self, z: Inexact[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Inexact[np.ndarray, "n d"]: ...

    @abstractmethod
    def _prox_jacobian(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n d d"]: ...

    @abstractmethod
    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> Subdifferential: ...

    @abstractmethod
    def _manifolds(
        self, x1: Float[np.ndarray, "n d"], x0: Float[np.ndarray, "n d"]
    ) -> Sequence[ManifoldGroup]: ...

    def _subdifferentials(self, x1: Float[np.ndarray, "n d"]) -> Iterator[Subdifferential]:
        return map(self._subdifferential_alone, x1)

    def _subdifferential_alone(self, x1: Float[np.ndarray, " d"]) -> Subdifferential:
        """∂φ at a point, which is in the domain alone if it is in a batch, where sums may round otherwise.

        Two orders of a sum of d products differ by 2d·u of its terms' sizes at most; a point may miss the
        domain by 32d·u of `scale`, so an eighth of that covers terms of twice the scale.
        """
        try:
            return self._subdifferential(x1)
        except ValueError:
            return self._within(self._coarseness + self._rounding / 8)._subdifferential(x1)

    def _envelope(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        u = self._prox(z, step)
        return self._value(u) + ((u - z) ** 2).sum(axis=1) / (2 * step)

    # --- accuracy: what a family states (numerics.accuracy) -----------------------------------------

    @abstractmethod
    def _value_rounding(self, x: Float[np.ndarray, "n d"]) -> Rounding: ...

    @abstractmethod
    def _conjugate_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding: ...

    @abstractmethod
    def _transport_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding: ...

    @abstractmethod
    def _transport_jacobian_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding: ...

    @abstractmethod
    def _prox_rounding(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> Rounding: ...

    @abstractmethod
    def _prox_jacobian_rounding(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Rounding: ...

    def _proximal_point(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> ProximalPoint:
        """From the separate members, for families whose prox is in closed form."""
        return ProximalPoint(
            z,
            step,
            self._prox(z, step),
            envelope=lambda: self._envelope(z, step),
            jacobian=lambda: self._prox_jacobian(z, step),
            kink=lambda: self._kink(z, step),
            errors=(
                lambda: self._prox_rounding(z, step),
                lambda: self._envelope_rounding(z, step),
                lambda: self._prox_jacobian_rounding(z, step),
            ),
        )

    def _kink(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Distance of z to the nearest change of face; 0, the trivial bound, where a family says no more."""
        return np.zeros(len(z))

    def _domain_rounding(self, x: Float[np.ndarray, "n d"]) -> Rounding:
        """How far from x the point of dom φ may be that φ is evaluated at: "domain to rounding"."""
        return Rounding(self.scale + norms(x), 32.0 * self.dim, "so near the domain counts as inside")

    def _conjugate_slope(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """A bound on the slope of φ* around x₀: |T(x₀)|; a family with bounded data gives their size."""
        return norms(self._transport(x0))

    def _conjugate_slope_within(
        self, x0: Float[np.ndarray, "n d"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """The same within ``radius`` of x₀, where T may jump; to first order where it does not."""
        return self._conjugate_slope(x0)

    def _transport_change(
        self, x0: Float[np.ndarray, "n d"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """By how much T moves when x₀ does by ``radius``, to first order: ‖K‖·radius.

        A family whose T jumps answers with the jump where ``radius`` reaches it.
        """
        return self._stretch(x0) * radius

    def _transport_jacobian_change(
        self, x0: Float[np.ndarray, "n d"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """By how much K moves when x₀ does by ``radius``, to first order.

        It bends over its distance from where T jumps, about the target's size over ‖K‖, or over |x₀|.
        """
        stretch = self._stretch(x0)
        with np.errstate(divide="ignore", over="ignore"):
            bends = self.scale / stretch
        return change_within(self._transport_jacobian, x0, radius, np.minimum(norms(x0), bends))

    def _prox_jacobian_change(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """By how much D prox moves when z does by ``radius``, to first order, on this side of a kink."""
        reach = np.minimum(np.minimum(self.scale, norms(z)), self._kink(z, step))
        return change_within(
            lambda x: self._prox_jacobian(x, np.repeat(step, len(x) // len(step))), z, radius, reach
        )

    def _prox_jacobian_slope(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """|λ·∂(D prox)/∂λ| in Frobenius norm, by a difference over 1e−4 of λ."""
        ends = [self._prox_jacobian(z, (1 + h) * step) for h in (1e-4, -1e-4)]
        return np.linalg.norm(ends[0] - ends[1], axis=(1, 2)) / 2e-4

    def _envelope_rounding(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> Rounding:
        """φ's own, the sum's, and what the prox's error δ makes of |z−u|²/(2λ): (|z−u| + δ)δ/λ."""
        u = self._prox(z, step)
        away, value = norms(z - u), np.abs(self._value(u))
        moved = Rounding(away**2 / (2 * step), self.dim + 4.0, "|z−u|²/(2λ): d products and sums")
        slip = self._prox_rounding(z, step)
        second = Rounding.measured(slip.bound * (away + slip.bound) / step, "the prox's error, times |z−u|/λ")
        return self._value_rounding(u) + moved + second + Rounding(value, 1, "φ in the sum")

    @property
    def _rounding(self) -> float:
        """By how much a computed point of the domain may miss it."""
        return 16 * self.dim * EPS * self.scale + self._coarseness

    _coarseness = 0.0

    def _within(self, blur: float) -> "Potential":
        """This potential for points that are off by ``blur`` more than its own size explains.

        What moves it asks so for ∂φ and the support: far away, data of a small body are off by eps·distance.
        """
        if blur <= self._coarseness:
            return self
        coarse: Potential = object.__new__(type(self))
        coarse.__dict__.update(self.__dict__)
        coarse._coarseness = blur
        return coarse
