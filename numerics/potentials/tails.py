r"""Both tails of a standard law on the line, and their inverse by a bracketed Newton iteration.

`Tails` is what a solved law knows: P(X ≤ x) and P(X > x), each accurate relatively, the density, a first
guess of the quantile, and by how much its probabilities err. None of this is proved: the special laws say it
by a count of roundings that was measured, and that tests/numerics/accuracy/test_line.py holds against
40 digits; of any other law of SciPy it is measured at birth (density_tails.py, scipy_tails.py). `OF_SCIPY`
is what statements that rest on it say.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath  # type: ignore[import-untyped]
import numpy as np
from scipy.special import (
    betainc,
    betaincc,
    betainccinv,
    betaincinv,
    gammainc,
    gammaincc,
    gammainccinv,
    gammaincinv,
    gammaln,
    stdtr,
    stdtrit,
)

from numerics.accuracy import UNIT
from numerics.potentials.normal import Values, tail
from numerics.solvers.doubles import middle, place

_STEPS = 100
_SERIES, _BESIDE_HALF = 350.0, 700.0
"""gammaincc's series for small shapes cancels: 280 roundings were seen, and 850 with shapes beside ½, where
it leaves off the logarithm of Γ early."""
Form = Callable[..., Any]
OF_SCIPY = "tails by SciPy, measured"


@dataclass(frozen=True)
class Tails:
    """A standard law.

    Attributes:
        ends: Of the support; may be infinite.
        lower, upper: P(X ≤ x) and P(X > x).
        density: Of X.
        guess: A quantile from (p, which), a tail probability and whether it is the upper one.
        count: Relative roundings of the tail probability at noise s.
        density_count: Relative roundings of the density, from x.
    """

    ends: tuple[float, float]
    lower: Form
    upper: Form
    density: Form
    guess: Form
    count: Form
    density_count: Form

    def probability(self, x: Values, is_upper: np.ndarray) -> Values:
        """The probability of the tail that each x is asked for."""
        p = np.empty_like(x)
        p[is_upper], p[~is_upper] = self.upper(x[is_upper]), self.lower(x[~is_upper])
        return np.nan_to_num(p, nan=0.0)  # far out some laws of SciPy have no probability

    def quantile(self, s: Values) -> Values:
        """Q(Φ(s)): the guess where its tail probability is right to rounding, else solved."""
        is_upper = s > 0
        p = tail(np.abs(s))
        x = np.clip(self.guess(p, is_upper), *self.ends)
        allowed = UNIT * self.count(s)
        wrong = ~(np.abs(self.probability(x, is_upper) - p) <= allowed * p)
        if wrong.any():
            x[wrong] = self._solved(x[wrong], p[wrong], is_upper[wrong], allowed[wrong])
        return x

    def _solved(self, x: Values, p: Values, is_upper: np.ndarray, allowed: Values) -> Values:
        """Newton's step on the logarithm, else on the probability, else halving between neighbouring doubles.

        The bracket is kept in the order of doubles, of which 64 halvings reach neighbours from anywhere; what
        is returned has a tail probability right to ``allowed``, or is one of two neighbours that enclose it.
        """
        low, high = np.full_like(x, self.ends[0]), np.full_like(x, self.ends[1])
        x = np.where(np.isfinite(x), x, middle(low, high))
        best, least = x.copy(), np.full_like(x, np.inf)
        rows = np.arange(len(x))
        for _ in range(_STEPS):
            at, up, goal = x[rows], is_upper[rows], p[rows]
            found = self.probability(at, up)
            miss = np.abs(found - goal) / goal
            better = miss < least[rows]
            best[rows[better]], least[rows[better]] = at[better], miss[better]
            right = np.where(up, found < goal, found > goal)
            high[rows[right]], low[rows[~right]] = at[right], at[~right]
            apart = place(low[rows]) + 1 < place(high[rows])
            going = (miss > allowed[rows]) & apart
            if not going.any():
                break
            rows, at, up = rows[going], at[going], up[going]
            x[rows] = self._step(at, up, found[going], p[rows], low[rows], high[rows])
        return best

    def _step(
        self, x: Values, is_upper: np.ndarray, found: Values, goal: Values, low: Values, high: Values
    ) -> Values:
        sign = np.where(is_upper, 1.0, -1.0)
        with np.errstate(all="ignore"):
            ratio = sign / self.density(x)
            steps = [x + ratio * found * np.log(found / goal), x + ratio * (found - goal)]
            close = np.abs(steps[1] - x) <= np.spacing(np.abs(x))
            neighbour = np.nextafter(x, np.where(sign * (found - goal) > 0, np.inf, -np.inf))
        new = middle(low, high)
        for step in (steps[1], steps[0], np.where(close, neighbour, np.nan)):
            new = np.where((step > low) & (step < high), step, new)
        return new


def _either(lower: Form, upper: Form) -> Form:
    """Two inverses as one, each asked for its own side."""

    def guess(p: Values, is_upper: np.ndarray) -> Values:
        x = np.empty_like(p)
        x[is_upper], x[~is_upper] = upper(p[is_upper]), lower(p[~is_upper])
        return x

    return guess


def gamma_tails(a: float) -> Tails:
    """Of the gamma law of shape a."""

    def density(x: Values) -> Values:
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(np.exp((a - 1) * np.log(x) - x - gammaln(a)))

    def density_count(x: Values) -> Values:
        terms = np.abs((a - 1) * np.log(np.maximum(x, 1e-300))) + x + abs(gammaln(a))
        return np.asarray(3 * terms + 8)

    series = (_SERIES if a < 1.1 else 0.0) + (_BESIDE_HALF if abs(a - 0.5) < 0.05 else 0.0)
    return Tails(
        (0.0, np.inf),
        lambda x: gammainc(a, x),
        lambda x: gammaincc(a, x),
        density,
        _either(lambda p: gammaincinv(a, p), lambda p: gammainccinv(a, p)),
        lambda s: 32 + 2 * s**2 + 10 * a + series * (s > 0),
        density_count,
    )


def beta_tails(a: float, b: float) -> Tails:
    """Of the beta law of shapes a, b; log B(a, b) in 50 digits, for logarithms of Γ cancel in it."""
    with mpmath.workdps(50):
        constant = float(mpmath.log(mpmath.beta(a, b)))

    def density(x: Values) -> Values:
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            return np.asarray(np.exp((a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - constant))

    def density_count(x: Values) -> Values:
        inner = np.clip(x, 1e-300, 1 - UNIT)
        terms = np.abs((a - 1) * np.log(inner)) + np.abs((b - 1) * np.log1p(-inner))
        return np.asarray(3 * (terms + abs(constant)) + 8)

    return Tails(
        (0.0, 1.0),
        lambda x: betainc(a, b, x),
        lambda x: betaincc(a, b, x),
        density,
        _either(lambda p: betaincinv(a, b, p), lambda p: betainccinv(a, b, p)),
        lambda s: 16 + 2 * s**2 + 4 * (a + b),
        density_count,
    )


def student_tails(n: float) -> Tails:
    """Of Student's law with n degrees of freedom."""
    constant = gammaln((n + 1) / 2) - gammaln(n / 2) - np.log(n * np.pi) / 2

    def density(x: Values) -> Values:
        return np.asarray(np.exp(constant - (n + 1) / 2 * np.log1p(x**2 / n)))

    def density_count(x: Values) -> Values:
        parts = abs(gammaln((n + 1) / 2)) + abs(gammaln(n / 2)) + np.log(n * np.pi)
        bent = np.log1p(x**2 / n) + 3 * np.minimum(x**2 / n, 1.0)
        return np.asarray(3 * (parts + (n + 1) / 2 * bent) + 8)

    return Tails(
        (-np.inf, np.inf),
        lambda x: stdtr(n, x),
        lambda x: stdtr(n, -x),
        density,
        _either(lambda p: stdtrit(n, p), lambda p: -stdtrit(n, p)),
        lambda s: 16 + 2 * s**2 + 2 * n,
        density_count,
    )
