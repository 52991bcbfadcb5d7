r"""The rotated coupling on the circle, $x_1 = R\,Q_θ\,x_0/|x_0|$: right marginals, wrong plan.

For |θ| ≤ 90° the interpolant still determines both ends, so the loss of this coupling is zero too; what
gives it away is its cost and the curl of its field. With r = |x₀|, ρ = |x_t| and linear schedule,
ρ² = α²r² + 2αβRr cos θ + β²R², and x₁ is x_t/ρ turned by ω, sin ω = αr sin θ/ρ.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theorems.setting.vectors import turn

Array = NDArray[np.inexact]


@dataclass(frozen=True)
class RotatedCircle:
    """The coupling, its field and its curl, for the linear schedule.

    Attributes:
        radius: R.
        theta: The angle θ in radians.
    """

    radius: float
    theta: float

    def couple(self, x0: Array) -> Array:
        """x₁ of each noise (n,2)."""
        return self.radius * turn(x0 / np.linalg.norm(x0, axis=1, keepdims=True), self.theta)

    def noise_radius(self, t: float, rho: Array) -> Array:
        """Noise length r of each |x_t|: the only positive root where |θ| ≤ 90°."""
        alpha, shift = 1 - t, t * self.radius
        return (-shift * np.cos(self.theta) + np.sqrt(rho**2 - (shift * np.sin(self.theta)) ** 2)) / alpha

    def velocity(self, t: float, x: Array) -> Array:
        """v_t(x) = (x₁(x) − x)/(1 − t) for x (n,2); analytic, so that complex steps pass."""
        rho = np.sqrt((x * x).sum(axis=1))
        r, alpha = self.noise_radius(t, rho), 1 - t
        cosine = (alpha * r * np.cos(self.theta) + t * self.radius) / rho
        sine = alpha * r * np.sin(self.theta) / rho
        unit = x / rho[:, None]
        data = self.radius * np.stack(
            [cosine * unit[:, 0] - sine * unit[:, 1], sine * unit[:, 0] + cosine * unit[:, 1]], axis=1
        )
        return (data - x) / alpha

    def curl(self, t: float, r: Array) -> Array:
        """∂₁v₂ − ∂₂v₁ = R sin θ / (α(αr + βR cos θ)) at the interpolants of noise of length r."""
        alpha = 1 - t
        return self.radius * np.sin(self.theta) / (alpha * (alpha * r + t * self.radius * np.cos(self.theta)))
