r"""Conditional Gaussian paths $p_t(x|x_1) = N(a_t x_1, σ_t^2 I)$ and their fields (docs/theory.md F4, F6).

The path is the law of $ψ_t(x_0|x_1) = σ_t x_0 + a_t x_1$ with $x_0 \sim N(0, I)$, and
$u_t(x|x_1) = \frac{\dotσ_t}{σ_t}(x - a_t x_1) + \dot a_t x_1$ is its velocity [@lipman2023flow, theorem 3].
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from jaxtyping import Inexact
from numpy.typing import ArrayLike

from numerics.checks import as_complex_array, positive_number

Points = Inexact[np.ndarray, "n d"]
Scalar = complex | float | int


class GaussianPath(ABC):
    """The coefficients a_t (of the data) and σ_t (of the noise), t in [0, 1]; analytic: complex t pass.

    Example:
        >>> path: GaussianPath = OptimalTransportPath()
        >>> float(path.gain(0.25)), float(path.deviation(0.25))  # x_t = ¼x₁ + ¾x₀
        (0.25, 0.75)
    """

    @abstractmethod
    def gain(self, t: Scalar) -> Scalar:
        """a_t."""

    @abstractmethod
    def gain_dot(self, t: Scalar) -> Scalar:
        """da/dt."""

    @abstractmethod
    def deviation(self, t: Scalar) -> Scalar:
        """σ_t."""

    @abstractmethod
    def deviation_dot(self, t: Scalar) -> Scalar:
        """dσ/dt."""

    def half_variance_dot(self, t: Scalar) -> Scalar:
        """σ·dσ/dt, half the rate of the variance; finite where σ = 0, too."""
        return self.deviation(t) * self.deviation_dot(t)

    def flow(self, t: Scalar, x0: ArrayLike, x1: ArrayLike) -> Points:
        """ψ_t(x₀|x₁) = σ_t x₀ + a_t x₁ for x₀ (n,d), x₁ (n,d) or (1,d)."""
        time, noise, data = _checked(t, "x0", x0, x1)
        return np.asarray(self.deviation(time) * noise + self.gain(time) * data)

    def velocity(self, t: Scalar, x: ArrayLike, x1: ArrayLike) -> Points:
        """u_t(x|x₁) = (σ̇/σ)(x − a x₁) + ȧ x₁ for x (n,d), x₁ (n,d) or (1,d).

        Raises:
            ValueError: If σ_t = 0, where the path is a point, or shapes or times are wrong.
        """
        time, points, data = _checked(t, "x", x, x1)
        deviation = self.deviation(time)
        if deviation == 0:
            raise ValueError(f"t: got {t}, where the deviation is 0: the field has no value there")
        rate = self.deviation_dot(time) / deviation
        return np.asarray(rate * (points - self.gain(time) * data) + self.gain_dot(time) * data)


@dataclass(frozen=True)
class OptimalTransportPath(GaussianPath):
    """a = t, σ = 1 − (1 − σ_min)t.

    Args:
        smallest: σ_min in [0, 1], the deviation at t = 1.

    Raises:
        ValueError: If it lies outside [0, 1].

    Example:
        >>> float(OptimalTransportPath(0.5).deviation(1.0)), float(OptimalTransportPath(0.5).deviation(0.0))
        (0.5, 1.0)
    """

    smallest: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.smallest <= 1:
            raise ValueError(f"smallest: got {self.smallest}; it must lie in [0, 1]")

    def gain(self, t: Scalar) -> Scalar:
        """a_t = t."""
        return t

    def gain_dot(self, t: Scalar) -> Scalar:
        """1."""
        return 1.0

    def deviation(self, t: Scalar) -> Scalar:
        """σ_t = (1−t) + tσ_min."""
        return (1 - t) + t * self.smallest

    def deviation_dot(self, t: Scalar) -> Scalar:
        """σ_min − 1."""
        return self.smallest - 1


@dataclass(frozen=True)
class VarianceExploding(GaussianPath):
    """a = 1, σ_t = smallest·(largest/smallest)^{1−t}: geometric from largest to smallest [@song2021score].

    Args:
        smallest: σ at t = 1.
        largest: σ at t = 0, greater.

    Raises:
        ValueError: Unless 0 < smallest < largest.

    Example:
        >>> round(float(VarianceExploding(0.1, 10.0).deviation(0.5)), 12)  # the geometric mean
        1.0
    """

    smallest: float
    largest: float

    def __post_init__(self) -> None:
        if not 0 < self.smallest < self.largest < np.inf:
            raise ValueError(
                f"smallest, largest: got {self.smallest}, {self.largest}; need 0 < first < second"
            )

    def gain(self, t: Scalar) -> Scalar:
        """1."""
        return 1.0

    def gain_dot(self, t: Scalar) -> Scalar:
        """0."""
        return 0.0

    def deviation(self, t: Scalar) -> Scalar:
        """σ_t."""
        return self.smallest * (self.largest / self.smallest) ** (1 - t)

    def deviation_dot(self, t: Scalar) -> Scalar:
        """−log(largest/smallest)·σ_t."""
        return -np.log(self.largest / self.smallest) * self.deviation(t)


@dataclass(frozen=True)
class VariancePreservingPath(GaussianPath):
    """a = e^{−T(1−t)/2}, σ = √(1 − a²), T(s) = first·s + (last − first)s²/2 [@song2021score].

    Args:
        first: Rate of noise at the data's end, T'(0).
        last: Rate of noise at the noise's end, T'(1).

    Raises:
        ValueError: Unless both are positive.

    Example:
        >>> path = VariancePreservingPath(2.0, 2.0)
        >>> round(float(path.gain(0.0)), 4)  # 1/e
        0.3679
        >>> round(float(path.gain(0.5) ** 2 + path.deviation(0.5) ** 2), 12)
        1.0
    """

    first: float = 0.1
    last: float = 20.0

    def __post_init__(self) -> None:
        positive_number("first", self.first)
        positive_number("last", self.last)

    def gain(self, t: Scalar) -> Scalar:
        """a_t."""
        return np.exp(-self._spent(t) / 2)

    def gain_dot(self, t: Scalar) -> Scalar:
        """½T'(1−t)·a_t."""
        return self._rate(t) / 2 * self.gain(t)

    def deviation(self, t: Scalar) -> Scalar:
        """σ_t, without cancellation near t = 1."""
        return np.sqrt(-np.expm1(-self._spent(t)))

    def deviation_dot(self, t: Scalar) -> Scalar:
        """−½T'(1−t)·a_t²/σ_t for t < 1.

        Raises:
            ValueError: At t = 1, where σ falls like a square root.
        """
        deviation = self.deviation(t)
        if deviation == 0:
            raise ValueError(f"t: got {t}, where σ falls to 0 like a square root; use half_variance_dot")
        return self.half_variance_dot(t) / deviation

    def half_variance_dot(self, t: Scalar) -> Scalar:
        """−½T'(1−t)·a_t²."""
        return -self._rate(t) / 2 * self.gain(t) ** 2

    def _spent(self, t: Scalar) -> Scalar:
        s = 1 - t
        return self.first * s + (self.last - self.first) * s**2 / 2

    def _rate(self, t: Scalar) -> Scalar:
        return self.first + (self.last - self.first) * (1 - t)


def time_of(t: Scalar) -> Scalar:
    """A single time, its real part in [0, 1].

    Raises:
        ValueError: If it isn't one.
    """
    value = as_complex_array("t", t, ndim=0)
    if not 0 <= value.real <= 1:
        raise ValueError(f"t: got {t}; it must lie in [0, 1]")
    return complex(value) if np.iscomplexobj(value) else float(value)


def _checked(t: Scalar, name: str, x: ArrayLike, x1: ArrayLike) -> tuple[Scalar, Points, Points]:
    points, data = as_complex_array(name, x, ndim=2), as_complex_array("x1", x1, ndim=2)
    if data.shape[1] != points.shape[1] or len(data) not in (1, len(points)):
        raise ValueError(
            f"x1: got shape {data.shape} for {name} of shape {points.shape}; need equal, or one row"
        )
    return time_of(t), points, data
