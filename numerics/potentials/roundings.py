r"""What the members of a potential err by: one view over the statements that its family makes.

Every family derives, in its docstring, a bound on |computed − exact| for the exact function of the very
doubles that went in, parameters included. `Potential.roundings` asks for them by the names of the members.
"""

from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from numerics.accuracy import Rounding
from numerics.checks import as_points

if TYPE_CHECKING:
    from numerics.potentials.base import Potential


class Roundings:
    """The statements of one potential; each method takes what the member of the same name takes.

    Every result has one bound a point, (n,), in the unit of the member's result: Euclidean length for points,
    Frobenius norm for matrices.

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
        return self._potential._domain_rounding(as_points("x", x, self._potential.dim).real)

    def value(self, x: ArrayLike) -> Rounding:
        """Of φ(x) where it is finite, against φ at a point within ``domain`` of x."""
        return self._potential._value_rounding(as_points("x", x, self._potential.dim).real)

    def conjugate(self, x0: ArrayLike) -> Rounding:
        """Of φ*(x₀)."""
        return self._potential._conjugate_rounding(as_points("x0", x0, self._potential.dim).real)

    def transport(self, x0: ArrayLike) -> Rounding:
        """Of T(x₀)."""
        return self._potential._transport_rounding(as_points("x0", x0, self._potential.dim).real)

    def transport_jacobian(self, x0: ArrayLike) -> Rounding:
        """Of K(x₀)."""
        return self._potential._transport_jacobian_rounding(as_points("x0", x0, self._potential.dim).real)

    def prox(self, z: ArrayLike, step: ArrayLike) -> Rounding:
        """Of prox_{step·φ}(z); `proximal_point` gives it with the point, from one solve."""
        return self._potential.proximal_point(z, step).rounding.point

    def envelope(self, z: ArrayLike, step: ArrayLike) -> Rounding:
        """Of the Moreau envelope."""
        return self._potential.proximal_point(z, step).rounding.envelope

    def prox_jacobian(self, z: ArrayLike, step: ArrayLike) -> Rounding:
        """Of D prox."""
        return self._potential.proximal_point(z, step).rounding.jacobian
