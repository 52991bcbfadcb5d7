r"""What N2 predicts of the field of batches in the gap: the place of its step, what moves it, and its slope.

On the line, with atoms at ``places`` (weight w of the first) and z_i = (x − βy_i)/α, u_i = Φ(z_i):
b(u) = √(uw) + √((1−u)(1−w)) and D = log b(u₀) − log b(u₁). In the gap u₁ < w < u₀.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import ndtri
from scipy.stats import norm

from numerics.accuracy import Rounding
from numerics.potentials.normal import tail
from numerics.schedules import Linear, Schedule
from numerics.transport.two_atoms import TwoAtomLaw

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """Two atoms on the line at one time.

    Attributes:
        places: y₀ < y₁.
        w: The weight of y₀.
        t: The time, in (0,1).
        schedule: The interpolant's coefficients.
    """

    places: tuple[float, float] = (0.0, 2.0)
    w: float = 0.3
    t: float = 0.5
    schedule: Schedule = Linear()

    def law(self, n: int | None) -> TwoAtomLaw:
        """π_n and its field."""
        return TwoAtomLaw([[y] for y in self.places], self.w, n, self.schedule)

    @cached_property
    def coefficients(self) -> tuple[float, float, float, float]:
        """α, β, α̇, β̇."""
        s = self.schedule
        alpha, beta, fall, rise = (float(f(self.t)) for f in (s.alpha, s.beta, s.alpha_dot, s.beta_dot))
        return alpha, beta, fall, rise

    @property
    def height(self) -> float:
        """J = (β̇ − α̇β/α)Δ: how far apart the labels' velocities are."""
        alpha, beta, fall, rise = self.coefficients
        return (rise - fall * beta / alpha) * (self.places[1] - self.places[0])

    @property
    def gap(self) -> tuple[float, float]:
        """Where no population interpolant lies: αb + βy₀ to αb + βy₁, b = Φ⁻¹(w)."""
        alpha, beta, *_ = self.coefficients
        low, high = (alpha * float(ndtri(self.w)) + beta * y for y in self.places)
        return low, high

    def noise(self, x: ArrayLike) -> Array:
        """z₀ and z₁ (2,k)."""
        alpha, beta, *_ = self.coefficients
        return (np.atleast_1d(np.asarray(x, dtype=float)) - beta * np.array(self.places)[:, None]) / alpha

    def ranks(self, x: ArrayLike) -> tuple[Array, Array]:
        """u_i and 1 − u_i, each (2,k)."""
        z = self.noise(x)
        return tail(-z.ravel()).reshape(z.shape), tail(z.ravel()).reshape(z.shape)

    def log_b(self, x: ArrayLike) -> Array:
        """Log b(u₀) and log b(u₁) (2,k), by b² = 1 − (√(u(1−w)) − √(w(1−u)))²."""
        u, rest = self.ranks(x)
        sine = np.sqrt(u * (1 - self.w)) - np.sqrt(self.w * rest)
        return np.asarray(np.log1p(-np.minimum(sine**2, 1 - 1e-300)) / 2)

    def difference(self, x: ArrayLike) -> Array:
        """D (k,)."""
        first, second = self.log_b(x)
        return np.asarray(first - second)

    @cached_property
    def place(self) -> float:
        """x*, where D = 0: D falls across the gap."""
        low, high = self.gap
        near = 1e-9 * (high - low)
        return float(brentq(lambda x: self.difference(x)[0], low + near, high - near, xtol=1e-15, rtol=1e-15))

    @property
    def share(self) -> float:
        """q*, the place of the tie as a share of the gap's width."""
        low, high = self.gap
        return (self.place - low) / (high - low)

    @cached_property
    def fall(self) -> float:
        """D'(x*) = Σ ± φ_N(z_i)/α · b'(u_i)/b(u_i), b'(u) = ½(√(w/u) − √((1−w)/(1−u)))."""
        u, rest = (part[:, 0] for part in self.ranks(self.place))
        slope = (np.sqrt(self.w / u) - np.sqrt((1 - self.w) / rest)) / 2
        rate = norm.pdf(self.noise(self.place)[:, 0]) / self.coefficients[0]
        rate *= slope / np.exp(self.log_b(self.place)[:, 0])
        return float(rate[0] - rate[1])

    def smooth(self, x: ArrayLike) -> Array:
        """Of the log-odds what does not depend on n: log φ_N(z₀)/φ_N(z₁) + ½log (1−u₁)/(1−u₀)."""
        z, rest = self.noise(x), self.ranks(x)[1]
        return np.asarray((z[1] ** 2 - z[0] ** 2) / 2 + np.log(rest[1] / rest[0]) / 2)

    def tilted(self, x: ArrayLike) -> tuple[Array, Array]:
        """p_i = √(u_iw)/b and ρ_i = √(u_i(1−w)/(w(1−u_i))), each (2,k)."""
        u, rest = self.ranks(x)
        p = np.sqrt(u * self.w) / (np.sqrt(u * self.w) + np.sqrt(rest * (1 - self.w)))
        return p, np.sqrt(u * (1 - self.w) / (self.w * rest))

    @property
    def constant(self) -> float:
        """c: log-odds = 2nD + c + o(1) at x*, by the local limit theorem for A − B."""
        p, rho = (part[:, 0] for part in self.tilted(self.place))
        spread = p * (1 - p)
        return float(
            self.smooth(self.place)[0]
            - np.log(rho[0] - 1)
            + np.log(1 - rho[1])
            + np.log(spread[1] / spread[0]) / 2
        )

    @property
    def shift(self) -> float:
        """−c/(2D'(x*)), to which n(switch − x*) tends."""
        return -self.constant / (2 * self.fall)

    @property
    def slope(self) -> float:
        """J|D'(x*)|/2, to which the slope of the step over n tends."""
        return self.height * abs(self.fall) / 2

    def switch(self, n: int) -> float:
        """Where the odds of the labels are even: they fall along the line."""
        law, (low, high) = self.law(n), self.gap
        reach = 30 * self.coefficients[0]
        return float(
            brentq(
                lambda x: law.log_odds(self.t, [[x]])[0], low - reach, high + reach, xtol=1e-15, rtol=1e-15
            )
        )

    def bounds(self, x: ArrayLike, n: int) -> tuple[Array, Array, Rounding]:
        """Log-odds at x in the gap lie between these, for every n; and what the two err by.

        E[ρ^{A−B}1{A<B}] is at most 1/ρ₀ and at least P(B = A+1)/ρ₀, P(B = A+1) ≥ p·P(A = A') ≥ p/n, as n
        squares of sum 1 are at least 1/n; likewise (1−p₁)/n ≤ E[ρ₁^{A−B}1{A≥B}] ≤ 1.
        """
        p, rho = self.tilted(x)
        middle = (2 * n - 1) * self.difference(x) + self.smooth(x) - np.log(rho[0])
        low, high = middle + np.log(p[0] / n), middle - np.log((1 - p[1]) / n)
        return low, high, self.bounds_rounding(x, n, np.maximum(np.abs(low), np.abs(high)))

    def bounds_rounding(self, x: ArrayLike, n: int, size: Array) -> Rounding:
        """Of 2n−1 times log b(u_i), of densities, and of logarithms of p_i, ρ_i and 1 − u_i.

        z_i errs by 3ν, ν = (|x| + β|y_i|)/α; log min(u, 1−u) by 8 and (|z| + 1) times that, log b by half of
        it (its derivative in log u is ½(p − (1−p)u/(1−u))); and by 5|sine|/b² as b² = 1 − sine² is formed.
        """
        alpha, beta, *_ = self.coefficients
        places = np.array(self.places)[:, None]
        reach = (np.abs(np.atleast_1d(np.asarray(x, dtype=float))) + beta * np.abs(places)) / alpha
        logs = self.log_b(x)
        ranks = 8 + 3 * reach * (np.abs(self.noise(x)) + 1)
        sine = np.sqrt(-np.expm1(2 * logs))
        each = (
            (2 * n - 1) * (5 * sine / np.exp(2 * logs) + np.abs(logs) + ranks / 2) + 8 * reach**2 + 4 * ranks
        )
        return Rounding(each.sum(axis=0) + 4 * size, 1, "z, Φ(z), D, densities and logarithms")
