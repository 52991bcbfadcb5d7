"""∂φ at a point of the line."""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.accuracy import UNIT
from numerics.checks import as_points
from numerics.potentials.support_geometry import Subdifferential


class Interval(Subdifferential):
    """∂φ(x₁) on the line: [low, high].

    Args:
        low: −inf at the lower end of the support.
        high: +inf at the upper end.
        spread: By how much the ends err, x₁ being itself off by what T errs by. A member and its distance are
            rounded once each besides.
        blur: How far x₁ is from the point whose set this is.
    """

    def __init__(self, low: float, high: float, spread: float, blur: float) -> None:
        self.low, self.high, self.blur = low, high, blur
        self.rounding = 2 * UNIT + spread

    @property
    def dimension(self) -> int:
        """1 at atoms and ends of the support, 0 elsewhere."""
        return int(self.high > self.low)

    def distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of x0 (n,1) from the interval."""
        s = as_points("x0", x0, 1)[:, 0]
        return np.maximum(np.maximum(self.low - s, s - self.high), 0.0)

    def boundary_distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of a member x0 (n,1) from the nearer end; +inf for a single point."""
        s = as_points("x0", x0, 1)[:, 0]
        if not self.dimension:
            return np.full(len(s), np.inf)
        return np.maximum(np.minimum(s - self.low, self.high - s), 0.0)
