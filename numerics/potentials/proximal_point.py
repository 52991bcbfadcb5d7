r"""What one solve of a proximal problem gives: the point, and everything that is read off the same face.

$u = \mathrm{prox}_{λφ}(z)$, the dual $y = (z-u)/λ ∈ ∂φ(u)$, the Moreau envelope $φ(u) + |z-u|^2/(2λ)$, the
Jacobian $D\mathrm{prox}$, the distance of z to the nearest kink, and what each of them errs by.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from jaxtyping import Float

from numerics.accuracy import Rounding
from numerics.geometry import norms

Points = Float[np.ndarray, "n d"]
Numbers = Float[np.ndarray, " n"]


class ProximalPoint:
    """The solution of min_u φ(u) + |u − z|²/(2·step) for a batch; what is not asked for is not computed.

    Args:
        z: (n,d).
        step: (n,).
        point: (n,d), the prox as computed.
        envelope: Gives (n,).
        jacobian: Gives (n,d,d).
        kink: Gives (n,).
        errors: Gives the statements about ``point``, ``envelope`` and ``jacobian``.

    Attributes:
        z, step, point: As above.
    """

    def __init__(
        self,
        z: Points,
        step: Numbers,
        point: Points,
        *,
        envelope: Callable[[], Numbers],
        jacobian: Callable[[], Float[np.ndarray, "n d d"]],
        kink: Callable[[], Numbers],
        errors: tuple[Callable[[], Rounding], Callable[[], Rounding], Callable[[], Rounding]],
    ) -> None:
        self.z, self.step, self.point = z, step, point
        self._envelope, self._jacobian, self._kink, self._errors = envelope, jacobian, kink, errors

    @cached_property
    def dual(self) -> Points:
        """The dual y = (z − u)/step (n,d), a subgradient of φ at u: the noise recovered."""
        return np.asarray((self.z - self.point) / self.step[:, None])

    @cached_property
    def envelope(self) -> Numbers:
        """Moreau envelope (n,)."""
        return self._envelope()

    @cached_property
    def jacobian(self) -> Float[np.ndarray, "n d d"]:
        """D prox (n,d,d), where it exists; one of Clarke's Jacobians on a kink."""
        return self._jacobian()

    @cached_property
    def kink(self) -> Numbers:
        """(n,) distance of z to the nearest change of face, where prox has no derivative, or a lower bound.

        +inf where there is none. Jacobians of points closer to a kink than z is known are sets, not matrices.
        """
        return self._kink()

    @cached_property
    def rounding(self) -> "ProximalRounding":
        """What each member errs by."""
        return ProximalRounding(self, *self._errors)

    def copied(self) -> "ProximalPoint":
        """The same solution with arrays of its own, for a caller who may write into them."""
        return ProximalPoint(
            self.z.copy(),
            self.step.copy(),
            self.point.copy(),
            envelope=lambda: self.envelope.copy(),
            jacobian=lambda: self.jacobian.copy(),
            kink=lambda: self.kink.copy(),
            errors=(
                lambda: self.rounding.point,
                lambda: self.rounding.envelope,
                lambda: self.rounding.jacobian,
            ),
        )


class ProximalRounding:
    """What the members of a `ProximalPoint` err by, against exact arithmetic on the same doubles."""

    def __init__(
        self,
        solution: ProximalPoint,
        point: Callable[[], Rounding],
        envelope: Callable[[], Rounding],
        jacobian: Callable[[], Rounding],
    ) -> None:
        self._solution, self._point, self._envelope, self._jacobian = solution, point, envelope, jacobian

    @cached_property
    def point(self) -> Rounding:
        """Of the prox, in Euclidean length."""
        return self._point()

    @cached_property
    def dual(self) -> Rounding:
        """Of y = (z − u)/step: the prox's over the step, one subtraction, one division."""
        s = self._solution
        formed = Rounding(norms(s.dual), 2.0, "y = (z−u)/λ is subtracted and divided")
        return self.point.amplified(1 / s.step) + formed

    @cached_property
    def envelope(self) -> Rounding:
        """Of the envelope."""
        return self._envelope()

    @cached_property
    def jacobian(self) -> Rounding:
        """Of D prox, in Frobenius norm, at this very z: not on the other side of a kink."""
        return self._jacobian()
