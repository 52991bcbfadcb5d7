r"""What the exact field errs by, from what its potential states (docs/theory.md P2–P7).

Everything is a function of $z = x/β$ and λ = α/β, each formed by one division: z errs by u|z|, and λ by uλ,
which moves prox by at most u|z − prox| (∂prox/∂λ = −Jy with ‖J‖ ≤ 1 and y = (z − prox)/λ). α, β and their
derivatives are taken as the doubles that the schedule returns.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.accuracy import Rounding
from numerics.checks import as_distances, as_points
from numerics.flows.times import Coefficients, coefficients, proximal_problem, refuse_large_squares
from numerics.geometry import norms
from numerics.potentials.proximal_point import ProximalPoint

if TYPE_CHECKING:
    from numerics.flows.exact import ExactField

Points = Float[np.ndarray, "n d"]


@dataclass(frozen=True)
class FieldRoundings:
    """Bounds on |computed − exact| of an `ExactField`'s members, for 0 < t < 1.

    Every method takes what the member of the same name takes, and ``moved`` (n,), by how much x is off.

    Args:
        field: The field.

    Raises:
        ValueError: As the member of the same name, and at t = 0, where the members are T, K and φ*.
    """

    field: "ExactField"

    def _solved(
        self, t: ArrayLike | None, x: ArrayLike, remaining: ArrayLike | None, moved: ArrayLike
    ) -> tuple[Points, Coefficients, ProximalPoint, Float[np.ndarray, " n"]]:
        points = as_points("x", x, self.field.potential.dim)
        c = coefficients(self.field.schedule, t, remaining, len(points))
        if (c.beta <= 0).any():
            raise ValueError("t: is 0, where the field is T; ask the potential's roundings")
        off = as_distances("moved", moved, len(points))
        return points, c, self.field.potential.proximal_point(*proximal_problem(points, c)), off

    @staticmethod
    def _argument(found: ProximalPoint, c: Coefficients, off: ArrayLike) -> Rounding:
        """Of z = x/β, in which x is ``off`` by so much."""
        of_x = Rounding.measured(np.asarray(off) / c.beta, "x itself is off")
        return Rounding(norms(found.z), 1, "x is divided by β") + of_x

    def _of_prox(self, found: ProximalPoint, c: Coefficients, off: ArrayLike) -> Rounding:
        of_step = Rounding(norms(found.z - found.point), 1, "λ = α/β is divided")
        return found.rounding.point + self._argument(found, c, off) + of_step

    @staticmethod
    def _stretch(c: Coefficients) -> Float[np.ndarray, " n"]:
        """max(|α̇|/α, |β̇|/β), the Lipschitz constant of v_t (P5)."""
        return np.maximum(np.abs(c.alpha_dot) / c.alpha, np.abs(c.beta_dot) / c.beta)

    def denoise(
        self, t: ArrayLike | None, x: ArrayLike, *, remaining: ArrayLike | None = None, moved: ArrayLike = 0.0
    ) -> Rounding:
        """Of prox_{λφ}(x/β)."""
        _, c, found, off = self._solved(t, x, remaining, moved)
        return self._of_prox(found, c, off)

    def noise(
        self, t: ArrayLike | None, x: ArrayLike, *, remaining: ArrayLike | None = None, moved: ArrayLike = 0.0
    ) -> Rounding:
        """Of (x − βx₁)/α: three operations, x₁'s error times β/α, and what x is off by over α.

        The last two are one where both come of x: the noise is 1/α-Lipschitz in x.
        """
        points, c, found, off = self._solved(t, x, remaining, moved)
        alpha, beta = c.alpha, c.beta
        data = self._of_prox(found, c, 0.0).amplified(beta / alpha, "x₁ is multiplied by β/α")
        terms = (norms(points) + beta * norms(found.point)) / alpha
        of_x = Rounding.measured(off / alpha, "x itself is off")
        return data + Rounding(terms, 3, "x − βx₁ over α") + of_x

    def velocity(
        self, t: ArrayLike | None, x: ArrayLike, *, remaining: ArrayLike | None = None, moved: ArrayLike = 0.0
    ) -> Rounding:
        """Of α̇x₀ + β̇x₁ = (α̇/α)x + (β̇ − α̇β/α)x₁; v_t is max(|α̇|/α, |β̇|/β)-Lipschitz in x (P5)."""
        points, c, found, off = self._solved(t, x, remaining, moved)
        fall, rise = c.alpha_dot / c.alpha, c.beta_dot
        data = self._of_prox(found, c, 0.0).amplified(np.abs(rise - fall * c.beta), "x₁ is multiplied")
        terms = np.abs(fall) * (norms(points) + c.beta * norms(found.point)) + np.abs(rise) * norms(
            found.point
        )
        of_x = Rounding.measured(off * self._stretch(c), "x itself is off")
        return data + Rounding(terms, 5, "α̇(x − βx₁)/α + β̇x₁") + of_x

    def jacobian(
        self, t: ArrayLike | None, x: ArrayLike, *, remaining: ArrayLike | None = None, moved: ArrayLike = 0.0
    ) -> Rounding:
        """Of Dv_t = (α̇/α)(I − J) + (β̇/β)J, on this side of a kink."""
        _, c, found, off = self._solved(t, x, remaining, moved)
        fall, rise = c.alpha_dot / c.alpha, c.beta_dot / c.beta
        p = self.field.potential
        radius = self._argument(found, c, off).bound
        change = Rounding.measured(
            p._prox_jacobian_change(found.z, found.step, radius), "D prox within what its argument is off by"
        )
        of_step = Rounding(p._prox_jacobian_slope(found.z, found.step), 1, "λ = α/β is divided")
        inner = (found.rounding.jacobian + change + of_step).amplified(np.abs(rise - fall))
        root = np.sqrt(p.dim)
        return inner + Rounding((np.abs(fall) + np.abs(rise)) * root, 5, "the two terms of Dv")

    def velocity_potential(
        self, t: ArrayLike | None, x: ArrayLike, *, remaining: ArrayLike | None = None, moved: ArrayLike = 0.0
    ) -> Rounding:
        """Of V_t(x) = α̇βe + β̇(|x|²/(2β) − αe), 5 roundings of each term.

        Its slope is v_t, as computed here to what the pair errs by, and that is s-Lipschitz, s as in
        `velocity`: where x is off by r, V is by r|v| + sr²/2.
        """
        points, c, found, off = self._solved(t, x, remaining, moved)
        refuse_large_squares(found.z)
        argument = self._argument(found, c, 0.0)
        slope = norms(found.dual) + argument.bound / (2 * found.step)
        length = norms(found.dual)
        of_step = Rounding((found.step * length) * (length / 2), 1, "λ = α/β is divided; ∂e/∂λ = −|y|²/2")
        envelope = found.rounding.envelope + argument.amplified(slope, "the envelope's slope is y") + of_step
        factor = np.abs(c.alpha_dot * c.beta - c.beta_dot * c.alpha)
        squares = np.abs(c.beta_dot) * (points**2).sum(axis=1) / (2 * c.beta)
        terms = (np.abs(c.alpha_dot) * c.beta + np.abs(c.beta_dot) * c.alpha) * np.abs(
            found.envelope
        ) + squares
        speed = norms(c.alpha_dot[:, None] * found.dual + c.beta_dot[:, None] * found.point)
        of_point, of_dual = (
            found.rounding.point.bound,
            found.rounding.dual.bound + argument.bound / found.step,
        )
        speed += np.abs(c.beta_dot) * (of_point + argument.bound) + np.abs(c.alpha_dot) * of_dual
        of_x = Rounding.measured(off * (speed + self._stretch(c) * off / 2), "x itself is off")
        whole = envelope.amplified(factor) + Rounding(terms, 5, "the terms of V")
        return whole + Rounding(squares, self.field.potential.dim, "|x|² is summed") + of_x

    def flow(self, t: ArrayLike | None, x0: ArrayLike, *, remaining: ArrayLike | None = None) -> Rounding:
        """Of αx₀ + βT(x₀): T's times β, two products and a sum."""
        noise = as_points("x0", x0, self.field.potential.dim)
        alpha = np.atleast_1d(self.field.schedule.alpha(t, remaining=remaining))
        beta = np.atleast_1d(self.field.schedule.beta(t, remaining=remaining))
        image = self.field.potential.transport(noise)
        terms = alpha * norms(noise) + beta * norms(image)
        stated = self.field.potential.roundings.transport(noise).amplified(beta)
        return stated + Rounding(terms, 2, "αx₀ + βx₁")
