r"""The interpolant x_t = αx₀ + βx₁ of exact pairs, and what making and undoing it rounds (docs/theory.md P2).

On the optimal coupling $z = x_t/β = x_1 + λx_0$, λ = α/β, and prox_{λφ}(z) = x₁ for any λ > 0. So λ is taken
to be the double that is handed to prox, and x₁ = T(x₀) errs by what T states; z is off by that, and by
forming it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from numerics.accuracy import Rounding
from numerics.flows.exact import ExactField
from numerics.potentials import Potential
from numerics.potentials.proximal_point import ProximalPoint
from numerics.schedules import Schedule

Array = NDArray[np.float64]


def coefficients(schedule: Schedule, remaining: float) -> tuple[float, float, float, float]:
    """α, β, α̇, β̇ as numbers, at 1 − t."""
    alpha, beta, fall, rise = (float(part) for part in schedule.coefficients(remaining=remaining))
    return alpha, beta, fall, rise


@dataclass(frozen=True)
class Interpolant:
    """Exact pairs of a target at one time.

    Attributes:
        target: φ.
        schedule: (α, β).
        x0: (n,d) noise.
        remaining: 1 − t.
    """

    target: Potential
    schedule: Schedule
    x0: Array
    remaining: float

    @classmethod
    def drawn(
        cls, target: Potential, schedule: Schedule, t: float, n: int, rng: np.random.Generator
    ) -> "Interpolant":
        """The pairs of n draws of noise, at time t."""
        return cls(target, schedule, target.sample(n, rng)[0], 1 - t)

    @cached_property
    def x1(self) -> Array:
        """T(x₀) (n,d)."""
        return self.target.transport(self.x0)

    @cached_property
    def coefficients(self) -> tuple[float, float, float, float]:
        """α, β, α̇, β̇ as numbers."""
        return coefficients(self.schedule, self.remaining)

    @property
    def step(self) -> float:
        """λ = α/β."""
        return self.coefficients[0] / self.coefficients[1]

    @cached_property
    def xt(self) -> Array:
        """αx₀ + βx₁ (n,d)."""
        alpha, beta, *_ = self.coefficients
        return np.asarray(alpha * self.x0 + beta * self.x1)

    @cached_property
    def z(self) -> Array:
        """x_t/β (n,d)."""
        return np.asarray(self.xt / self.coefficients[1])

    @cached_property
    def field(self) -> ExactField:
        """The exact field of the target."""
        return ExactField(self.target, self.schedule)

    @cached_property
    def solved(self) -> ProximalPoint:
        """prox_{λφ}(z) and all that comes with it, from one solve."""
        return self.target.proximal_point(self.z, self.step)

    # --- what the numbers above are off by ----------------------------------------------------------

    @cached_property
    def of_data(self) -> Rounding:
        """Of x₁ = T(x₀)."""
        return self.target.roundings.transport(self.x0)

    @cached_property
    def of_path(self) -> Rounding:
        """Of x_t, beside αx₀ + βT(x₀): two products, a sum, and β times T's error."""
        alpha, beta, *_ = self.coefficients
        size = alpha * _length(self.x0) + beta * _length(self.x1)
        return Rounding(size, 2, "forming x_t") + self.of_data.amplified(beta)

    @cached_property
    def of_speed(self) -> Rounding:
        """Of ẋ_t = α̇x₀ + β̇x₁, formed likewise."""
        _, _, fall, rise = self.coefficients
        size = abs(fall) * _length(self.x0) + abs(rise) * _length(self.x1)
        return Rounding(size, 2, "forming ẋ_t") + self.of_data.amplified(abs(rise))

    @cached_property
    def of_forming(self) -> Rounding:
        """Of z, beside x₁ + λx₀ with the x₁ at hand: α x₀ passes 4 roundings, with λ's own, and βx₁ 3."""
        sizes = self.step * _length(self.x0), _length(self.x1)
        return Rounding(sizes[0], 4, "forming x_t/β") + Rounding(sizes[1], 3, "forming x_t/β")

    @cached_property
    def of_argument(self) -> Rounding:
        """Of z, beside the exact x₁ + λx₀."""
        return self.of_forming + self.of_data

    @cached_property
    def of_recovery(self) -> Rounding:
        """Of prox_{λφ}(z) − x₁: prox's own, z's (prox is nonexpansive), and T's."""
        return self.solved.rounding.point + self.of_argument + self.of_data

    @cached_property
    def of_noise(self) -> Rounding:
        """Of y − x₀, y = (z − prox)/λ: y's own, and z's over λ (∇e_λφ is 1/λ-Lipschitz)."""
        return self.solved.rounding.dual + self.of_argument.amplified(1 / self.step, "∇e is 1/λ-Lipschitz")


def _length(x: Array) -> Array:
    return np.asarray(np.linalg.norm(x, axis=1))
