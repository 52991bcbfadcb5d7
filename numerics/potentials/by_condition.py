"""A convention in place of statements: 64 eps times the condition numbers that a potential names.

Nothing proves it. No family that derives its statements uses this; `Rounding.because` tells the reader.
"""

import numpy as np
from jaxtyping import Float

from numerics.accuracy import Rounding
from numerics.geometry import norms
from numerics.potentials.base import Potential

CONVENTION = "64 eps times the condition number that the family states; no derivation"


class ByCondition(Potential):
    """A potential whose members are taken to err by 64 eps times their condition numbers."""

    def _value_rounding(self, x: Float[np.ndarray, "n d"]) -> Rounding:
        size = self.scale * np.linalg.norm(x, axis=1) + np.abs(np.nan_to_num(self._value(x), posinf=0.0))
        return Rounding(size, 128.0 * self.dim, CONVENTION)

    def _conjugate_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        size = self.scale * np.linalg.norm(x0, axis=1) + np.abs(self._conjugate(x0))
        return Rounding(size, 128.0 * self.dim, CONVENTION)

    def _transport_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        return Rounding(self.transport_condition(x0), 128.0, CONVENTION)

    def _transport_jacobian_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        return Rounding(self.transport_jacobian_condition(x0), 128.0 * self.dim, CONVENTION)

    def _prox_rounding(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> Rounding:
        return Rounding(self._prox_condition(z, step), 128.0, CONVENTION)

    def _prox_jacobian_rounding(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> Rounding:
        u = self._prox(z, step)
        bend = np.minimum(self.scale, norms(z - u) + 1e-3 * self.scale)
        return Rounding(self._prox_condition(z, step) / bend, 128.0 * self.dim, CONVENTION)
