"""Accuracy by convention, for potentials that stand in tests only: 64 eps of the size of what is computed."""

import numpy as np

from numerics.accuracy import Rounding
from numerics.potentials import Potential

CONVENTION = "64 eps of the size; a convention for a test's own potential"


class ByConvention(Potential):
    """A potential in closed form, of functions with slopes and sizes of order 1."""

    def _value_rounding(self, x):
        size = self.scale * np.linalg.norm(x, axis=1) + np.abs(np.nan_to_num(self._value(x), posinf=0.0))
        return Rounding(size, 128.0 * self.dim, CONVENTION)

    def _conjugate_rounding(self, x0):
        size = self.scale * np.linalg.norm(x0, axis=1) + np.abs(self._conjugate(x0))
        return Rounding(size, 128.0 * self.dim, CONVENTION)

    def _transport_rounding(self, x0):
        return Rounding(np.linalg.norm(x0, axis=1) + self.scale, 128.0, CONVENTION)

    def _transport_jacobian_rounding(self, x0):
        return Rounding(np.ones(len(x0)), 128.0 * self.dim, CONVENTION)

    def _prox_rounding(self, z, step):
        return Rounding(2 * np.linalg.norm(z, axis=1) + self.scale, 128.0, CONVENTION)

    def _prox_jacobian_rounding(self, z, step):
        return Rounding(np.ones(len(z)), 128.0 * self.dim, CONVENTION)
