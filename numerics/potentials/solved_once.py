"""Families whose one solve gives all there is to know of a proximal problem: the members are views of it."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np
from jaxtyping import Float, Inexact

from numerics.accuracy import Rounding
from numerics.potentials.base import Potential
from numerics.potentials.proximal_point import ProximalPoint

Points = Float[np.ndarray, "n d"]
Numbers = Float[np.ndarray, " n"]


Solution = TypeVar("Solution")


class LastSolve(Generic[Solution]):
    """The last solution, for whoever asks for the same: prox, envelope, Jacobian and statements do.

    It is solved for copies, so that a caller who writes into what was given spoils nothing; what is returned
    is the kept one, and not to be written into.
    """

    def __init__(self) -> None:
        self._kept: tuple[object, Solution] | None = None

    def __call__(self, solve: Callable[..., Solution], *given: Inexact[np.ndarray, "..."]) -> Solution:
        """``solve(*given)``, or the solution that is kept of it."""
        key, kept = [(part.dtype, part.shape, part.tobytes()) for part in given], self._kept
        if kept is None or kept[0] != key:
            self._kept = kept = key, solve(*(part.copy() for part in given))
        return kept[1]


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
