r"""Independent coupling on the uniform sphere in closed form, by exponentially scaled Bessel functions.

Given x_t = x the data point has the von Mises–Fisher law with concentration s = βR|x|/α², so
$E[x_1|x] = R A(s) x/|x|$ with $A = I_{d/2}/I_{d/2-1}$ and $A' = 1 - (d-1)A/s - A^2$.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ive

from numerics.schedules import Linear, Schedule
from theorems.setting.interpolant import coefficients

Array = NDArray[np.float64]


FAR = 1e6
"""From here on terms to 1/s², of A' to 1/s⁴, leave rounding (`test_independent`); `ive` ends at 1e9."""


def mean_length(dim: int, s: Array) -> Array:
    """A(s) for s > 0, to a few eps."""
    near = np.minimum(s, FAR)
    bessel = ive(dim / 2, near) / ive(dim / 2 - 1, near)
    far, second = np.maximum(s, FAR), (dim - 1) * (dim - 3) / 8
    return np.where(s < FAR, bessel, 1 - (dim - 1) / (2 * far) + second / far**2)


def mean_slope(dim: int, s: Array) -> Array:
    """A'(s): the differential equation loses eps·s² of it; beyond `FAR` the expansion loses a few eps of it.

    The Riccati equation gives the terms of A one by one: a₁ = −(d−1)/2, a₂ = a₃ = (d−1)(d−3)/8.
    """
    a, far, second = mean_length(dim, s), np.maximum(s, FAR), (dim - 1) * (dim - 3) / 8
    expansion = (dim - 1) / (2 * far**2) - 2 * second / far**3 - 3 * second / far**4
    return np.where(s < FAR, 1 - (dim - 1) * a / s - a**2, expansion)


def bracket(dim: int, s: Array) -> tuple[Array, Array]:
    """Bounds below and above A(s), for d ≥ 2 [@amos1974computation, equation 16]."""
    nu = dim / 2 - 1
    return (
        np.asarray(s / (nu + 0.5 + np.sqrt(s**2 + (nu + 1.5) ** 2))),
        np.asarray(s / (nu + 0.5 + np.sqrt(s**2 + (nu + 0.5) ** 2))),
    )


@dataclass(frozen=True)
class IndependentSphere:
    """The field of independent coupling with the uniform law on |x| = R.

    Attributes:
        dim: d ≥ 2.
        radius: R.
        schedule: The interpolant's coefficients.
    """

    dim: int
    radius: float
    schedule: Schedule = Linear()

    def velocity(self, remaining: Array, x: Array) -> Array:
        """(α̇/α)x + (β̇ − α̇β/α)·R·A(s)·x/|x| for x (n,d), remaining (n,)."""
        alpha, beta, fall, rise = (
            f(remaining=remaining)[:, None]
            for f in (
                self.schedule.alpha,
                self.schedule.beta,
                self.schedule.alpha_dot,
                self.schedule.beta_dot,
            )
        )
        length = np.linalg.norm(x, axis=1, keepdims=True)
        s = np.maximum(beta * self.radius * length / alpha**2, 1e-200)
        mean = self.radius * mean_length(self.dim, s) * x / length
        return np.asarray(fall / alpha * x + (rise - fall * beta / alpha) * mean)

    def rescaled_eigenvalues(self, remaining: float, length: Array) -> tuple[Array, Array]:
        """Tangential and normal eigenvalues of (1−t)Dv_t at |x| = length (n,)."""
        alpha, beta, fall, rise = coefficients(self.schedule, remaining)
        s = np.maximum(beta * self.radius * length / alpha**2, 1e-200)
        a, slope = mean_length(self.dim, s), mean_slope(self.dim, s)
        weight = rise - fall * beta / alpha
        across = fall / alpha + weight * self.radius * a / length
        along = fall / alpha + weight * beta * self.radius**2 / alpha**2 * slope
        return remaining * across, remaining * along
