r"""Schedules $x_t = α_t x_0 + β_t x_1$ of the interpolant (docs/theory.md §0).

α falls from 1 to 0 and β rises from 0 to 1. The terminal order γ ≥ 0 is defined by
$(1-t)\dot α_t/α_t → -γ$, with $(1-t)\dot β_t/β_t → 0$ (assumption SC of theorem 4.4).

Near t = 1 the time itself has lost the digits that matter: every method therefore also takes
``remaining = 1 − t``, and evaluates α and its derivative from it without subtracting.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.checks import as_array, positive_number

__all__ = [
    "Linear",
    "Logarithmic",
    "Polynomial",
    "Schedule",
    "Trigonometric",
    "VariancePreserving",
]

Array = NDArray[np.float64]


class Schedule(ABC):
    """The pair (α, β) and its derivatives, as functions of t in [0, 1] or of ``remaining`` = 1 − t.

    Every method takes a scalar or (n,) array and returns the same shape, and raises `ValueError` when
    a time lies outside [0, 1], or when not exactly one of ``t`` and ``remaining`` is given.

    Example:
        >>> schedule: Schedule = Linear()
        >>> float(schedule.alpha(0.25)), float(schedule.beta(0.25)), float(schedule.step(0.25))
        (0.75, 0.25, 3.0)
        >>> float(schedule.alpha(remaining=1e-30))  # where 1 − t would be lost
        1e-30
    """

    @property
    @abstractmethod
    def terminal_order(self) -> float:
        """γ = −lim (1−t)·dα/dt / α as t → 1."""

    @abstractmethod
    def _alpha(self, t: Array, r: Array) -> Array: ...

    @abstractmethod
    def _alpha_dot(self, t: Array, r: Array) -> Array: ...

    @abstractmethod
    def _beta(self, t: Array, r: Array) -> Array: ...

    @abstractmethod
    def _beta_dot(self, t: Array, r: Array) -> Array: ...

    def alpha(self, t: ArrayLike | None = None, *, remaining: ArrayLike | None = None) -> Array:
        """Weight α_t of the noise, in [0, 1]."""
        return self._at(self._alpha, t, remaining)

    def beta(self, t: ArrayLike | None = None, *, remaining: ArrayLike | None = None) -> Array:
        """Weight β_t of the data, in [0, 1]."""
        return self._at(self._beta, t, remaining)

    def alpha_dot(self, t: ArrayLike | None = None, *, remaining: ArrayLike | None = None) -> Array:
        """Time derivative of α; −inf at t = 1 where it has no finite limit."""
        with np.errstate(divide="ignore", over="ignore"):
            return self._at(self._alpha_dot, t, remaining)

    def beta_dot(self, t: ArrayLike | None = None, *, remaining: ArrayLike | None = None) -> Array:
        """Time derivative of β; +inf at t = 1 where it has no finite limit."""
        with np.errstate(divide="ignore", over="ignore"):
            return self._at(self._beta_dot, t, remaining)

    def step(self, t: ArrayLike | None = None, *, remaining: ArrayLike | None = None) -> Array:
        """The proximal step λ_t = α_t/β_t (P2); +inf at t = 0."""
        with np.errstate(divide="ignore", over="ignore"):
            return self._at(lambda t, r: np.divide(self._alpha(t, r), self._beta(t, r)), t, remaining)

    def coefficients(
        self, t: ArrayLike | None = None, *, remaining: ArrayLike | None = None
    ) -> tuple[Array, Array, Array, Array]:
        """α, β and their time derivatives at times that are looked at once.

        Example:
            >>> [float(part) for part in Linear().coefficients(0.25)]
            [0.75, 0.25, -1.0, 1.0]
        """
        times, left = _times(t, remaining)
        flat, rest = np.atleast_1d(times), np.atleast_1d(left)
        with np.errstate(divide="ignore", over="ignore"):
            alpha, beta, alpha_dot, beta_dot = (
                part(flat, rest).reshape(times.shape)
                for part in (self._alpha, self._beta, self._alpha_dot, self._beta_dot)
            )
        return alpha, beta, alpha_dot, beta_dot

    @staticmethod
    def _at(part: Callable[[Array, Array], Array], t: ArrayLike | None, remaining: ArrayLike | None) -> Array:
        """One function at the times given, in their shape; itself it sees arrays (n,) alone."""
        times, left = _times(t, remaining)
        return part(np.atleast_1d(times), np.atleast_1d(left)).reshape(times.shape)


def _times(t: ArrayLike | None, remaining: ArrayLike | None) -> tuple[Array, Array]:
    if (t is None) == (remaining is None):
        raise ValueError("time: give exactly one of t and remaining (= 1 - t)")
    name, given = ("t", t) if remaining is None else ("remaining", remaining)
    assert given is not None
    values = np.asarray(as_array(name, given, ndim=(0, 1)), dtype=np.float64)
    ends = (values.item(),) * 2 if values.size == 1 else (values.min(), values.max())
    if ends[0] < 0 or ends[1] > 1:
        flat = np.atleast_1d(values)
        worst = flat[int(np.argmax(np.abs(flat - 0.5)))]
        raise ValueError(f"{name}: got {worst}; it must lie in [0, 1]")
    other = np.asarray(1 - values)
    return (values, other) if remaining is None else (other, values)


@dataclass(frozen=True)
class Linear(Schedule):
    """OT-CFM's schedule: α = 1−t, β = t; γ = 1.

    Example:
        >>> float(Linear().alpha(0.25)), float(Linear().beta(0.25)), float(Linear().alpha_dot(0.25))
        (0.75, 0.25, -1.0)
    """

    terminal_order = 1.0

    def _alpha(self, t: Array, r: Array) -> Array:
        return r

    def _alpha_dot(self, t: Array, r: Array) -> Array:
        return np.full_like(t, -1.0)

    def _beta(self, t: Array, r: Array) -> Array:
        return t

    def _beta_dot(self, t: Array, r: Array) -> Array:
        return np.ones_like(t)


@dataclass(frozen=True)
class Polynomial(Schedule):
    """α = (1−t)^p, β = t; γ = p.

    Args:
        p: The power, greater than 0. For p ≤ 1/2 the kinetic energy of the flow is infinite (P6).

    Example:
        >>> schedule = Polynomial(2.0)
        >>> float(schedule.alpha(0.5)), float(schedule.alpha_dot(0.5)), schedule.terminal_order
        (0.25, -1.0, 2.0)
    """

    p: float

    def __post_init__(self) -> None:
        positive_number("p", self.p)

    @property
    def terminal_order(self) -> float:
        """γ = p."""
        return float(self.p)

    def _alpha(self, t: Array, r: Array) -> Array:
        return r**self.p

    def _alpha_dot(self, t: Array, r: Array) -> Array:
        return -self.p * r ** (self.p - 1)

    def _beta(self, t: Array, r: Array) -> Array:
        return t

    def _beta_dot(self, t: Array, r: Array) -> Array:
        return np.ones_like(t)


@dataclass(frozen=True)
class Trigonometric(Schedule):
    """α = cos(πt/2), β = sin(πt/2); γ = 1. Evaluated from 1 − t in the second half: α = sin(π(1−t)/2).

    Example:
        >>> float(Trigonometric().alpha(1.0)), float(Trigonometric().beta(1.0))
        (0.0, 1.0)
        >>> round(float(Trigonometric().alpha(0.5)), 12)  # 1/√2
        0.707106781187
    """

    terminal_order = 1.0

    def _alpha(self, t: Array, r: Array) -> Array:
        return np.where(t < 0.5, np.cos(np.pi / 2 * t), np.sin(np.pi / 2 * r))

    def _alpha_dot(self, t: Array, r: Array) -> Array:
        return -np.pi / 2 * self._beta(t, r)

    def _beta(self, t: Array, r: Array) -> Array:
        return np.where(t < 0.5, np.sin(np.pi / 2 * t), np.cos(np.pi / 2 * r))

    def _beta_dot(self, t: Array, r: Array) -> Array:
        return np.pi / 2 * self._alpha(t, r)


@dataclass(frozen=True)
class VariancePreserving(Schedule):
    """α = √(1−t²), β = t; γ = 1/2. Its kinetic energy is infinite (P6).

    Example:
        >>> round(float(VariancePreserving().alpha(0.6)), 12), float(VariancePreserving().beta(0.6))
        (0.8, 0.6)
    """

    terminal_order = 0.5

    def _alpha(self, t: Array, r: Array) -> Array:
        return np.sqrt(r * (1 + t))

    def _alpha_dot(self, t: Array, r: Array) -> Array:
        return np.asarray(-np.divide(t, self._alpha(t, r)))

    def _beta(self, t: Array, r: Array) -> Array:
        return t

    def _beta_dot(self, t: Array, r: Array) -> Array:
        return np.ones_like(t)


@dataclass(frozen=True)
class Logarithmic(Schedule):
    """α = 1/(1 − log(1−t)), β = 1 − α; γ = 0: it violates γ > 0 of assumption SC, and is a control.

    Example:
        >>> round(float(Logarithmic().alpha(remaining=np.exp(-3.0))), 12)  # 1/(1 + 3)
        0.25
    """

    terminal_order = 0.0

    def _alpha(self, t: Array, r: Array) -> Array:
        return 1 / (1 + self._tau(t, r))

    def _alpha_dot(self, t: Array, r: Array) -> Array:
        alpha = self._alpha(t, r)
        tiny = np.maximum(r, np.finfo(np.float64).tiny)
        return np.where(r > 0, -(alpha**2) / tiny, -np.inf)

    def _beta(self, t: Array, r: Array) -> Array:
        tau = self._tau(t, r)
        finite = np.where(np.isfinite(tau), tau, 0.0)
        return np.where(np.isfinite(tau), finite / (1 + finite), 1.0)

    def _beta_dot(self, t: Array, r: Array) -> Array:
        return -self._alpha_dot(t, r)

    @staticmethod
    def _tau(t: Array, r: Array) -> Array:
        with np.errstate(divide="ignore", over="ignore"):
            return np.where(t < 0.5, -np.log1p(-t), -np.log(r))
