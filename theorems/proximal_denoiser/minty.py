r"""Minty's decomposition x = α_s y + β_s u with u ∈ ∂φ*(y), and the flow of the field on all of R^d (N4).

For every x and every s in (0,1) there is one such pair: u = prox_{λφ}(x/β_s), y = ∇e_λφ(x/β_s), λ = α_s/β_s.
The field at x is α̇y + β̇u, so the solution through x at time s is α_t y + β_t u, wherever x lies.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from numerics.accuracy import Rounding
from numerics.geometry import norms
from numerics.potentials import Potential
from numerics.potentials.proximal_point import ProximalPoint
from numerics.schedules import Schedule

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Minty:
    """Points of R^d at one time, decomposed.

    Attributes:
        target: φ.
        schedule: (α, β).
        s: The time, in (0,1).
        x: (n,d) any points, on the support of x_s or off it.
    """

    target: Potential
    schedule: Schedule
    s: float
    x: Array

    def weights(self, t: float) -> tuple[float, float]:
        """α_t and β_t."""
        return float(self.schedule.alpha(remaining=1 - t)), float(self.schedule.beta(remaining=1 - t))

    @cached_property
    def solved(self) -> ProximalPoint:
        """The prox at time s, from one solve."""
        alpha, beta = self.weights(self.s)
        return self.target.proximal_point(self.x / beta, alpha / beta)

    @property
    def u(self) -> Array:
        """The data end of each point (n,d)."""
        return self.solved.point

    @cached_property
    def y(self) -> Array:
        """The noise end of each point (n,d), (x − βu)/α."""
        alpha, beta = self.weights(self.s)
        return np.asarray((self.x - beta * self.u) / alpha)

    def at(self, t: float) -> Array:
        """X_{s→t}(x) = α_t y + β_t u (n,d), as (α_t/α_s)x + b·u."""
        return np.asarray(self._coefficient(t)[0] * self.x + self._coefficient(t)[1] * self.u)

    def _coefficient(self, t: float) -> tuple[float, float]:
        (alpha, beta), (later_alpha, later_beta) = self.weights(self.s), self.weights(t)
        return later_alpha / alpha, later_beta - later_alpha * beta / alpha

    # --- what these are off by ------------------------------------------------------------------------

    @cached_property
    def of_data(self) -> Rounding:
        """Of u: prox's own, and what dividing x and α by β moves it by (prox is nonexpansive)."""
        formed = Rounding(norms(self.solved.z) + norms(self.solved.z - self.u), 1, "x/β and λ are divided")
        return self.solved.rounding.point + formed

    def of_flow(self, t: float) -> Rounding:
        """Of X_{s→t}(x): u's times |b|, and forming the sum."""
        (alpha, beta), (later_alpha, later_beta) = self.weights(self.s), self.weights(t)
        first, second = self._coefficient(t)
        size = first * norms(self.x) + (later_beta + later_alpha * beta / alpha) * norms(self.u)
        return self.of_data.amplified(abs(second)) + Rounding(size, 5, "(α_t/α_s)x + b·u is formed")

    def stretch(self, t: float) -> tuple[float, float]:
        """The constants between which X_{s→t} stretches distances: α_t/α_s and β_t/β_s, the smaller first.

        The smaller is α_t/α_s where λ_t ≤ λ_s, so for s ≤ t wherever α/β does not increase.
        """
        (alpha, beta), (later_alpha, later_beta) = self.weights(self.s), self.weights(t)
        low, high = sorted([later_alpha / alpha, later_beta / beta])
        return low, high
