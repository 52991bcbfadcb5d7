r"""The exact OT-CFM field of a target with a known potential (docs/theory.md P2–P7).

On the optimal coupling $x_t = α_t x_0 + β_t x_1$ determines both ends:
$x_1 = \mathrm{prox}_{λφ}(x_t/β_t)$ and $x_0 = ∇e_λφ(x_t/β_t)$ with $λ_t = α_t/β_t$,
so the regression target $\dot α x_0 + \dot β x_1$ is a function of $x_t$: the field.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.checks import as_points
from numerics.flows.roundings import FieldRoundings
from numerics.flows.times import Coefficients, coefficients, proximal_problem, refuse_large_squares
from numerics.potentials.base import Potential
from numerics.schedules import Linear, Schedule

Points = Float[np.ndarray, "n d"]
Step = Float[np.ndarray, " n"]


@dataclass(frozen=True)
class ExactField:
    """v_t = (α̇/α)x + (β̇ − α̇β/α)·prox_{λφ}(x/β), with its denoiser, noise, Jacobian, potential and flow.

    Every method takes t (scalar or (n,), in [0, 1)) or ``remaining`` = 1 − t, and x (n,d). At t = 0 it
    takes its limit (P7). Accuracy: `roundings`. x/β is formed, so what is recovered errs by eps·|x|/β in the
    data, and by eps·|x|/α in the noise.

    Args:
        potential: The target's Aleksandrov–Brenier potential.
        schedule: The interpolant's coefficients; OT-CFM's is `Linear`.

    Raises:
        ValueError: If a time is 1 or outside [0, 1], or shapes don't agree.

    Example:
        >>> from numerics.potentials import FiniteAtoms
        >>> field = ExactField(FiniteAtoms.hypercube(1))
        >>> field.denoise(0.5, [[2.0]]).tolist(), field.noise(0.5, [[2.0]]).tolist()  # 2 = ½·3 + ½·1
        ([[1.0]], [[3.0]])
        >>> field.velocity(0.5, [[2.0]]).tolist()  # 1 − 3
        [[-2.0]]
    """

    potential: Potential
    schedule: Schedule = Linear()

    @property
    def roundings(self) -> FieldRoundings:
        """What every member errs by: ``roundings.velocity(t, x)`` speaks of ``velocity(t, x)``."""
        return FieldRoundings(self)

    def _split(
        self, t: ArrayLike | None, x: ArrayLike, remaining: ArrayLike | None
    ) -> tuple[Points, Coefficients]:
        points = as_points("x", x, self.potential.dim)
        return points, coefficients(self.schedule, t, remaining, len(points))

    def denoise(self, t: ArrayLike | None, x: ArrayLike, *, remaining: ArrayLike | None = None) -> Points:
        """The data point x₁ = prox_{λφ}(x/β) of each x; T(x) at t = 0 (P2).

        Example:
            >>> from numerics.potentials import FiniteAtoms
            >>> ExactField(FiniteAtoms.hypercube(1)).denoise(0.5, [[2.0], [-1.5]]).tolist()
            [[1.0], [-1.0]]
        """
        return self._ends(*self._split(t, x, remaining))[1]

    def noise(self, t: ArrayLike | None, x: ArrayLike, *, remaining: ArrayLike | None = None) -> Points:
        """The noise x₀ = ∇e_λφ(x/β) = (x − βx₁)/α of each x (P4).

        Example:
            >>> from numerics.potentials import FiniteAtoms
            >>> ExactField(FiniteAtoms.hypercube(1)).noise(0.5, [[2.0]]).tolist()  # 2 = ½·3 + ½·1
            [[3.0]]
        """
        return self._ends(*self._split(t, x, remaining))[0]

    def velocity(self, t: ArrayLike | None, x: ArrayLike, *, remaining: ArrayLike | None = None) -> Points:
        """v_t(x) = α̇x₀ + β̇x₁ (P3).

        Example:
            >>> from numerics.potentials import FiniteAtoms
            >>> ExactField(FiniteAtoms.hypercube(1)).velocity(0.5, [[2.0]]).tolist()  # x₁ − x₀ = 1 − 3
            [[-2.0]]
        """
        points, c = self._split(t, x, remaining)
        x0, x1 = self._ends(points, c)
        return c.alpha_dot[:, None] * x0 + c.beta_dot[:, None] * x1

    def jacobian(
        self, t: ArrayLike | None, x: ArrayLike, *, remaining: ArrayLike | None = None
    ) -> Float[np.ndarray, "n d d"]:
        """Dv_t(x) = (α̇/α)(I − J) + (β̇/β)J, J = D prox_{λφ}(x/β); α̇I + β̇K(x) at t = 0 (P5).

        Example:
            >>> from numerics.potentials import FiniteAtoms
            >>> ExactField(FiniteAtoms.hypercube(1)).jacobian(0.5, [[2.0]]).tolist()  # J = 0: −1/(1 − t)
            [[[-2.0]]]
        """
        points, c = self._split(t, x, remaining)
        eye = np.eye(self.potential.dim)
        started = c.beta > 0
        result = np.empty((len(points), self.potential.dim, self.potential.dim))
        if (~started).any():
            spread = self.potential.transport_jacobian(points[~started])
            at = c.alpha_dot[~started, None, None], c.beta_dot[~started, None, None]
            result[~started] = at[0] * eye + at[1] * spread
        if started.any():
            alpha, beta = c.alpha[started], c.beta[started]
            inner = self.potential.prox_jacobian(*proximal_problem(points[started], c.take(started)))
            fall, rise = c.alpha_dot[started] / alpha, c.beta_dot[started] / beta
            result[started] = fall[:, None, None] * (eye - inner) + rise[:, None, None] * inner
        return result

    def velocity_potential(
        self, t: ArrayLike | None, x: ArrayLike, *, remaining: ArrayLike | None = None
    ) -> Float[np.ndarray, " n"]:
        """V_t(x) = α̇β e_λφ(x/β) + β̇(|x|²/(2β) − α e_λφ(x/β)), with v_t = ∇V_t (P4); α̇|x|²/2 + β̇φ* at t = 0.

        Conditioning: the two terms in 1/β cancel as t → 0, at the price of eps·|x|²/β.

        Example:
            >>> from numerics.potentials import FiniteAtoms
            >>> field = ExactField(FiniteAtoms.hypercube(1))
            >>> low, high = field.velocity_potential(0.5, [[2.0], [2.5]])
            >>> float(((high - low) / 0.5).round(12))  # the mean of v = −2 and v = −3
            -2.5
        """
        points, c = self._split(t, x, remaining)
        squares = (points**2).sum(axis=1)
        result = c.alpha_dot * squares / 2 + c.beta_dot * self.potential.conjugate(points)
        started = c.beta > 0
        if started.any():
            alpha, beta = c.alpha[started], c.beta[started]
            z, step = proximal_problem(points[started], c.take(started))
            refuse_large_squares(z)
            envelope = self.potential.envelope(z, step)
            conjugate = squares[started] / (2 * beta) - alpha * envelope
            result[started] = c.alpha_dot[started] * beta * envelope + c.beta_dot[started] * conjugate
        return result

    def flow(self, t: ArrayLike | None, x0: ArrayLike, *, remaining: ArrayLike | None = None) -> Points:
        """X_t(x₀) = αx₀ + βT(x₀), the flow map of v (P6); t may be 1.

        Example:
            >>> from numerics.potentials import FiniteAtoms
            >>> ExactField(FiniteAtoms.hypercube(1)).flow(0.5, [[3.0]]).tolist()  # ½·3 + ½·1
            [[2.0]]
        """
        noise = as_points("x0", x0, self.potential.dim)
        alpha = np.atleast_1d(self.schedule.alpha(t, remaining=remaining))[:, None]
        if len(alpha) not in (1, len(noise)):
            raise ValueError(f"t: got {len(alpha)} times for {len(noise)} points; give one or {len(noise)}")
        beta = np.atleast_1d(self.schedule.beta(t, remaining=remaining))[:, None]
        return alpha * noise + beta * self.potential.transport(noise)

    def _ends(self, points: Points, c: Coefficients) -> tuple[Points, Points]:
        """The pair (x₀, x₁) of each point."""
        started = c.beta > 0
        x0, x1 = points.copy(), np.empty_like(points)
        if (~started).any():
            x1[~started] = self.potential.transport(points[~started])
        if started.any():
            alpha, beta = c.alpha[started, None], c.beta[started, None]
            x1[started] = self.potential.prox(*proximal_problem(points[started], c.take(started)))
            x0[started] = (points[started] - beta * x1[started]) / alpha
        return x0, x1
