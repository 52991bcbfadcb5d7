"""Families whose one solve gives all there is to know of a proximal problem: the members are views of it."""

from abc import abstractmethod

import numpy as np
from jaxtyping import Float

from numerics.accuracy import Rounding
from numerics.potentials.base import Potential
from numerics.potentials.proximal_point import ProximalPoint

Points = Float[np.ndarray, "n d"]
Numbers = Float[np.ndarray, " n"]


class SolvedOnce(Potential):
    """A potential that implements `_proximal_point`; the members of that are read off it."""

    @abstractmethod
    def _proximal_point(self, z: Points, step: Numbers) -> ProximalPoint: ...

    def _envelope(self, z: Points, step: Numbers) -> Numbers:
        return self._proximal_point(z, step).envelope

    def _prox_jacobian(self, z: Points, step: Numbers) -> Float[np.ndarray, "n d d"]:
        return self._proximal_point(z, step).jacobian

    def _kink(self, z: Points, step: Numbers) -> Numbers:
        return self._proximal_point(z, step).kink

    def _prox_rounding(self, z: Points, step: Numbers) -> Rounding:
        return self._proximal_point(z, step).rounding.point

    def _envelope_rounding(self, z: Points, step: Numbers) -> Rounding:
        return self._proximal_point(z, step).rounding.envelope

    def _prox_jacobian_rounding(self, z: Points, step: Numbers) -> Rounding:
        return self._proximal_point(z, step).rounding.jacobian
