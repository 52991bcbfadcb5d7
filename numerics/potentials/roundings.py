r"""What the members of a potential err by: one view over the statements that its family makes.

Every family derives, in its docstring, a bound on |computed − exact| for the exact function of the very
doubles that went in, parameters included. `Potential.roundings` asks for them by the names of the members.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.accuracy import Rounding
from numerics.checks import as_distances, as_points

if TYPE_CHECKING:
    from numerics.potentials.base import Potential


class Roundings:
    """The statements of one potential; each method takes what the member of the same name takes.

    Every result has one bound a point, (n,), in the unit of the member's result: Euclidean length for
    points, Frobenius norm for matrices. ``moved`` (n,), where a method takes it, is by how much the argument
    itself is off: what the member makes of that is added, to first order for T, K and D prox.

    Raises:
        ValueError: As the member of the same name.

    Example:
        >>> from numerics.potentials import Sphere
        >>> bool(Sphere(3).roundings.transport([[3.0, 0.0, 4.0]]).bound[0] < 1e-14)
        True
    """

    def __init__(self, potential: "Potential") -> None:
        self._potential = potential

    def domain(self, x: ArrayLike) -> Rounding:
        """How far x may be from the point of dom φ that `value` speaks of: the domain is kept to rounding."""
        return self._potential._domain_rounding(as_points("x", x, self._potential.dim))

    def value(self, x: ArrayLike) -> Rounding:
        """Of φ(x) where it is finite, against φ at a point within ``domain`` of x."""
        return self._potential._value_rounding(as_points("x", x, self._potential.dim))

    def conjugate(self, x0: ArrayLike) -> Rounding:
        """Of φ*(x₀)."""
        return self._potential._conjugate_rounding(as_points("x0", x0, self._potential.dim))

    def transport(self, x0: ArrayLike, moved: ArrayLike = 0.0) -> Rounding:
        """Of T(x₀)."""
        p, noise = self._potential, as_points("x0", x0, self._potential.dim)
        radius = as_distances("moved", moved, len(noise))
        stated = _stated(lambda: p._transport_rounding(noise), lambda: p.transport(noise))
        return stated + _of_argument(radius, lambda: p._transport_change(noise, radius), "T")

    def transport_jacobian(self, x0: ArrayLike, moved: ArrayLike = 0.0) -> Rounding:
        """Of K(x₀)."""
        p, noise = self._potential, as_points("x0", x0, self._potential.dim)
        radius = as_distances("moved", moved, len(noise))
        stated = _stated(lambda: p._transport_jacobian_rounding(noise), lambda: p.transport_jacobian(noise))
        return stated + _of_argument(radius, lambda: p._transport_jacobian_change(noise, radius), "K")

    def prox(self, z: ArrayLike, step: ArrayLike, moved: ArrayLike = 0.0) -> Rounding:
        """Of prox_{step·φ}(z), which is nonexpansive; `proximal_point` gives it with the point."""
        found = self._potential.proximal_point(z, step)
        radius = as_distances("moved", moved, len(found.z))
        return found.rounding.point + _of_argument(radius, lambda: radius, "prox")

    def envelope(self, z: ArrayLike, step: ArrayLike, moved: ArrayLike = 0.0) -> Rounding:
        """Of the Moreau envelope, whose slope y is 1/λ-Lipschitz."""
        found = self._potential.proximal_point(z, step)
        radius = as_distances("moved", moved, len(found.z))
        slope = np.linalg.norm(found.dual, axis=1) + radius / (2 * found.step)
        return found.rounding.envelope + _of_argument(radius, lambda: slope * radius, "the envelope")

    def prox_jacobian(self, z: ArrayLike, step: ArrayLike, moved: ArrayLike = 0.0) -> Rounding:
        """Of D prox, on this side of a kink: compare ``moved`` with `ProximalPoint.kink`."""
        p, found = self._potential, self._potential.proximal_point(z, step)
        radius = as_distances("moved", moved, len(found.z))
        change = _of_argument(radius, lambda: p._prox_jacobian_change(found.z, found.step, radius), "D prox")
        return found.rounding.jacobian + change


def _stated(statement: Callable[[], Rounding], member: Callable[[], object]) -> Rounding:
    """A statement; where it is no finite number the member is asked whether it has a value at all.

    Raises:
        ValueError: As the member, which names the point; +inf is stated where it has a value, but a
            statement that is no number is refused in its own words.
    """
    try:
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            found = statement()
        known = bool(np.isfinite(found.size).all())
    except ValueError:
        member()
        raise
    if not known:
        member()
    return found


def _of_argument(
    radius: Float[np.ndarray, " n"], change: Callable[[], Float[np.ndarray, " n"]], what: str
) -> Rounding:
    if not radius.any():
        return Rounding.none()
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        moved = change()
        return Rounding.measured(moved, f"{what} within what its argument is off by")
