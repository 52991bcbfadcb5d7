r"""The proximal point of an indicator function, from a projection that says what it errs by.

φ(u) = 0, so that the envelope is $|z-u|^2/(2λ)$. An error δ of u changes it by at most $(|z-u| + δ)δ/λ$; the
differences, squares, their sum and the division take d + 4 roundings.
"""

from abc import ABC, abstractmethod

import numpy as np
from jaxtyping import Float, Inexact

from numerics.accuracy import Rounding
from numerics.geometry import norms
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.solved_once import SolvedOnce


class Projection(ABC):
    """Projections ``point`` (N,d) on a closed convex set, with their Jacobians, kinks and errors."""

    point: Float[np.ndarray, "N d"]

    @property
    @abstractmethod
    def point_rounding(self) -> Rounding:
        """Of ``point``."""

    @property
    @abstractmethod
    def jacobian(self) -> Float[np.ndarray, "N d d"]:
        """Of the projection."""

    @property
    @abstractmethod
    def jacobian_rounding(self) -> Rounding:
        """Of ``jacobian``."""

    @property
    @abstractmethod
    def kink(self) -> Float[np.ndarray, " N"]:
        """The distance to the nearest point where the projection has no derivative, or less."""


def projected(found: Projection, z: Float[np.ndarray, "N d"], step: Float[np.ndarray, " N"]) -> ProximalPoint:
    """The proximal point for the projections ``found`` of z (N,d) and the steps (N,)."""
    away = z - found.point

    def envelope() -> Float[np.ndarray, " N"]:
        return np.asarray((away**2).sum(axis=1) / (2 * step))

    def envelope_rounding() -> Rounding:
        slip, length = found.point_rounding.bound, norms(away)
        formed = Rounding(envelope(), z.shape[1] + 4.0, "|z−u|²/(2λ) is summed and divided")
        return formed + Rounding.measured(slip * (length + slip) / step, "the prox's error, times |z−u|/λ")

    return ProximalPoint(
        z,
        step,
        found.point,
        envelope=envelope,
        jacobian=lambda: found.jacobian,
        kink=lambda: found.kink,
        errors=(lambda: found.point_rounding, envelope_rounding, lambda: found.jacobian_rounding),
    )


class HullIndicator(SolvedOnce):
    """A potential φ that is 0 on a compact convex set and +inf off it: everything is read off projections."""

    @abstractmethod
    def _projection(self, z: Inexact[np.ndarray, "N d"]) -> Projection: ...

    def _proximal_point(self, z: Float[np.ndarray, "N d"], step: Float[np.ndarray, " N"]) -> ProximalPoint:
        return projected(self._projection(z), z, step)

    def _prox(self, z: Inexact[np.ndarray, "N d"], step: Float[np.ndarray, " N"]) -> Float[np.ndarray, "N d"]:
        return self._projection(z).point

    def _value_rounding(self, x: Float[np.ndarray, "N d"]) -> Rounding:
        return Rounding.none("φ is 0 or +inf")
