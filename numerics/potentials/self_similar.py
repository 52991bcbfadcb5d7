"""Laws made of smaller copies of themselves: periodic digits in rationals, and Gauss rules from moments."""

from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Float

Values = Float[np.ndarray, " n"]


def gauss_rule(moments: list[Any], n: int) -> tuple[Values, Values]:
    """Nodes and weights of the n-point Gauss rule of a measure, from its 2n moments.

    The recurrence of its orthogonal polynomials follows by Chebyshev's algorithm in the arithmetic of the
    moments, which must be exact or of many digits: about one is lost a moment.

    Args:
        moments: 2n fractions, or mpmath's numbers at the working precision of the caller.
        n: How many nodes.
    """
    before, now = [moments[0] * 0] * (2 * n), list(moments)
    alpha, beta = [moments[1] / moments[0]], [moments[0]]
    for k in range(1, n):
        after = [moments[0] * 0] * (2 * n)
        for i in range(k, 2 * n - k):
            after[i] = now[i + 1] - alpha[-1] * now[i] - (beta[-1] if k > 1 else 0) * before[i]
        alpha.append(after[k + 1] / after[k] - now[k] / now[k - 1])
        beta.append(after[k] / now[k - 1])
        before, now = now, after
    off = np.sqrt(np.array([float(b) for b in beta[1:]]))
    nodes, vectors = np.linalg.eigh(np.diag([float(a) for a in alpha]) + np.diag(off, 1) + np.diag(off, -1))
    return nodes, vectors[0] ** 2


def rational_between(name: str, value: Fraction) -> Fraction:
    """A rational in [0, 1].

    Raises:
        ValueError: If it is not in [0, 1].
    """
    rational = Fraction(value)
    if not 0 <= rational <= 1:
        raise ValueError(f"{name}: got {value}; it must be a rational number in [0, 1]")
    return rational


def periodic_digits(x: Fraction, base: int) -> tuple[list[int], int]:
    """Digits of x after the point, and how many at the end repeat for ever; 1 has the digit base − 1 only."""
    if x == 1:
        return [base - 1], 1
    digits: list[int] = []
    seen: dict[Fraction, int] = {}
    while x not in seen:
        seen[x] = len(digits)
        x *= base
        digits.append(int(x))
        x -= digits[-1]
    return digits, len(digits) - seen[x]


def from_digits(digits: list[int], period: int, base: int) -> Fraction:
    """The number with these digits after the point, the last ``period`` of them repeated for ever."""
    value = Fraction(0)
    for digit in digits:
        value = value * base + digit
    head = value / base ** len(digits)
    if not period:
        return head
    block = Fraction(0)
    for digit in digits[len(digits) - period :]:
        block = block * base + digit
    return head + block / (base**period - 1) / base ** len(digits)
