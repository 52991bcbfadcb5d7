"""Condition numbers, which stated accuracy before `Potential.roundings`; they go with the next version."""

from typing import TYPE_CHECKING, cast

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.accuracy import EPS
from numerics.checks import as_points
from numerics.deprecated import goes
from numerics.geometry import norms

if TYPE_CHECKING:
    from numerics.potentials.base import Potential

_MULTIPLE = 64 * EPS  # in units of which the statements count


class OlderNames:
    """Each is what a rounding of the input costs, per eps, and what the statement is in units of 64 eps."""

    def prox_condition(self, z: ArrayLike, step: ArrayLike) -> Float[np.ndarray, " n"]:
        """|z| + |z − u| + scale + (what u errs by)/(64 eps); use ``roundings.prox``."""
        goes("prox_condition", "roundings.prox")
        p = cast("Potential", self)
        found = p.proximal_point(z, step)
        inputs = norms(found.z) + norms(found.z - found.point) + p.scale
        return np.asarray(inputs + found.rounding.point.bound / _MULTIPLE)

    def transport_condition(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """T's change when x₀ moves by eps·|x₀|, per eps, + scale + (what T errs by)/(64 eps).

        Use ``roundings.transport``.
        """
        goes("transport_condition", "roundings.transport")
        return _transport_condition(cast("Potential", self), x0)

    def transport_jacobian_condition(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """(``transport_condition``)²/(scale·|x₀|) + (what K errs by)/(64 eps).

        K is a difference quotient of T over the length |x₀|, times how much rounding x₀ stretches it. Use
        ``roundings.transport_jacobian``.
        """
        goes("transport_jacobian_condition", "roundings.transport_jacobian")
        p, noise = cast("Potential", self), as_points("x0", x0, cast("Potential", self).dim)
        stated = p.roundings.transport_jacobian(noise).bound
        return np.asarray(_transport_condition(p, noise) ** 2 / (p.scale * norms(noise)) + stated / _MULTIPLE)


def _transport_condition(p: "Potential", x0: ArrayLike) -> Float[np.ndarray, " n"]:
    noise = as_points("x0", x0, p.dim)
    moved = p._transport_change(noise, EPS * norms(noise)) / EPS
    return np.asarray(moved + p.scale + p.roundings.transport(noise).bound / _MULTIPLE)
