r"""A function of noise with its derivative and by how much both err: running error analysis.

A closed form such as Fisk's $T(s) = e^{L(s)/c}$, L the logarithm of the odds, is written as it stands; what
it errs by follows step by step. Where v errs by e, f(v) errs by |f'(v)|·e and by the roundings of f itself,
and its derivative f'(v)·v' by |f''(v)|·e·|v'| + |f'(v)|·e' and by theirs. The second order is covered by
`_SECOND`: every e here is below 1e−9 of what its function's derivatives change over. Of an elementary
function it is taken that it errs by one unit in the last place, 2 roundings, as normal.py says.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from scipy.special import expit as _expit

from numerics.accuracy import UNIT
from numerics.potentials.normal import Values

_SECOND = 1 + 2.0**-20
_LARGE = 40.0  # beyond it e^−y is below what 1 resolves


@dataclass(frozen=True)
class Running:
    """v(s) at n noises.

    Attributes:
        value: (n,) v.
        error: (n,) by how much v errs, absolutely.
        slope: (n,) v'.
        slope_error: (n,) by how much v' errs.

    Example:
        >>> v = exp(Running.relative(np.array([0.5]), 1, np.array([1.0]), 0) / 3.0)
        >>> bool(abs(v.value[0] - np.cbrt(np.exp(0.5))) <= v.error[0] < 1e-15)
        True
    """

    value: Values
    error: Values
    slope: Values
    slope_error: Values

    @classmethod
    def relative(cls, value: Values, count: float, slope: Values, slope_count: float) -> "Running":
        """Of a value and a slope that err by so many roundings of their own size."""
        return cls(value, UNIT * count * np.abs(value), slope, UNIT * slope_count * np.abs(slope))

    def __add__(self, other: "Running | float") -> "Running":
        """The sum, of a number too, which is exact."""
        if not isinstance(other, Running):
            zero = np.zeros_like(self.value)
            other = Running(zero + other, zero, zero, zero)
        value, slope = self.value + other.value, self.slope + other.slope
        error = self.error + other.error + UNIT * np.abs(value)
        return Running(value, error, slope, self.slope_error + other.slope_error + UNIT * np.abs(slope))

    def __neg__(self) -> "Running":
        """−v, without a rounding."""
        return Running(-self.value, self.error, -self.slope, self.slope_error)

    def __truediv__(self, number: float) -> "Running":
        """v/number, the number exact."""
        return self.times(1 / number, 2)

    def __mul__(self, other: "Running") -> "Running":
        """The product of two."""
        value = self.value * other.value
        error = np.abs(self.value) * other.error + np.abs(other.value) * self.error + UNIT * np.abs(value)
        parts = self.slope * other.value, self.value * other.slope
        slope_error = np.abs(self.slope) * other.error + np.abs(other.value) * self.slope_error
        slope_error += np.abs(other.slope) * self.error + np.abs(self.value) * other.slope_error
        slope_error += 2 * UNIT * (np.abs(parts[0]) + np.abs(parts[1]))
        return Running(value, error, parts[0] + parts[1], slope_error)

    def times(self, number: float, count: float = 1) -> "Running":
        """v·number; the number's own roundings and that of the product are ``count``."""
        value, slope = self.value * number, self.slope * number
        size = abs(number)
        error = size * self.error + UNIT * count * np.abs(value)
        return Running(value, error, slope, size * self.slope_error + UNIT * count * np.abs(slope))

    def moved(self, error: Values) -> "Running":
        """v, known to so much less."""
        return Running(self.value, self.error + error, self.slope, self.slope_error)

    def through(
        self, value: Values, first: Values, bend: Values | float, count: float, absolute: float = 0.0
    ) -> "Running":
        """f(v) from its value and two derivatives, which err by ``count`` roundings relatively.

        Args:
            value: f at v.
            first: f' at v.
            bend: f''/f' at v.
            count: Roundings of f, relatively; f' has three more.
            absolute: Roundings of f besides, of 1.
        """
        error = _SECOND * np.abs(first) * self.error + UNIT * (count * np.abs(value) + absolute)
        slope = first * self.slope
        slope_error = _SECOND * np.abs(bend) * self.error * np.abs(slope) + np.abs(first) * self.slope_error
        return Running(value, error, slope, slope_error + UNIT * (count + 4) * np.abs(slope))


Formula = Callable[..., Running]


def either(first: Bool[np.ndarray, " n"], one: Running, other: Running) -> Running:
    """``one`` where ``first``, else ``other``."""
    return Running(
        np.where(first, one.value, other.value),
        np.where(first, one.error, other.error),
        np.where(first, one.slope, other.slope),
        np.where(first, one.slope_error, other.slope_error),
    )


def odd(s: Values, of_size: Running) -> Running:
    """The odd function that is ``of_size``, a function of |s|, for s > 0: its derivative is even."""
    value = np.where(s < 0, -of_size.value, of_size.value)
    return Running(value, of_size.error, of_size.slope, of_size.slope_error)


def exp(v: Running) -> Running:
    """e^v."""
    power = np.exp(v.value)
    return v.through(power, power, 1.0, 2)


def expm1(v: Running) -> Running:
    """e^v − 1."""
    power = np.exp(v.value)
    return v.through(np.expm1(v.value), power, 1.0, 3)


def log(v: Running) -> Running:
    """Logarithm of v."""
    return v.through(np.log(v.value), 1 / v.value, -1 / v.value, 2)


def log1p(v: Running) -> Running:
    """log(1 + v)."""
    first = 1 / (1 + v.value)
    return v.through(np.log1p(v.value), first, -first, 2)


def sqrt(v: Running) -> Running:
    """√v."""
    root = np.sqrt(v.value)
    return v.through(root, 1 / (2 * root), -1 / (2 * v.value), 1)


def sinh(v: Running) -> Running:
    """Hyperbolic sine."""
    return v.through(np.sinh(v.value), np.cosh(v.value), np.tanh(v.value), 4)


def asinh(v: Running) -> Running:
    """Its inverse."""
    first = 1 / np.hypot(1.0, v.value)
    return v.through(np.arcsinh(v.value), first, -v.value * first**2, 4)


def expit(v: Running) -> Running:
    """1/(1 + e^−v)."""
    value, rest = _expit(v.value), _expit(-v.value)
    return v.through(value, value * rest, rest - value, 4)


def tan(v: Running) -> Running:
    """Tangent."""
    value = np.tan(v.value)
    return v.through(value, 1 + value**2, 2 * value, 4)


def arcsin(v: Running) -> Running:
    """Inverse sine, |v| < 1."""
    first = 1 / np.sqrt((1 - v.value) * (1 + v.value))
    return v.through(np.arcsin(v.value), first, v.value * first**2, 4)


def log_expm1(v: Running) -> Running:
    """log(e^v − 1), v > 0: nothing overflows, and 0 is met within a rounding of 1."""
    small = np.minimum(v.value, 1.0)
    large = np.maximum(v.value, 1.0)
    value = np.where(v.value < 1, np.log(np.expm1(small)), large + np.log1p(-np.exp(-large)))
    first = -1 / np.expm1(-v.value)
    return v.through(value, first, 1 - first, 3, 3)


def log1m_exp(v: Running) -> Running:
    """log(1 − e^−v), v > 0."""
    small, large = np.minimum(v.value, 0.5), np.maximum(v.value, 0.5)
    value = np.where(v.value < 0.5, np.log(-np.expm1(-small)), np.log1p(-np.exp(-large)))
    first = np.exp(-v.value) / -np.expm1(-v.value)
    return v.through(value, first, -(1 + first), 5)


def log_of_log(v: Running) -> Running:
    """log(−log(1 − e^−v)), v > 0: the last logarithm of a probability's complement, −v far out."""
    near = np.minimum(v.value, _LARGE)
    small, large = np.minimum(near, 0.5), np.maximum(near, 0.5)
    inner = np.where(near < 0.5, -np.log(-np.expm1(-small)), -np.log1p(-np.exp(-large)))
    value = np.where(v.value < _LARGE, np.log(inner), -v.value)
    first = np.where(v.value < _LARGE, -1 / (np.expm1(near) * inner), -1.0)
    rise = 1 / -np.expm1(-near)  # e^v/(e^v − 1)
    bend = np.where(v.value < _LARGE, -rise - first, 0.0)
    return v.through(value, first, bend, 3, 4)
