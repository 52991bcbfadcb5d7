r"""The field of independent coupling for a target of finitely many atoms (docs/theory.md M1, P3's control).

With noise and data drawn apart, $x_t | x_1 = y_i$ is N(β_t y_i, α_t² I), so the posterior of the atom is a
softmax and the field is the posterior mean of $\dot α x_0 + \dot β x_1$.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.special import softmax

from numerics.checks import as_array, as_points
from numerics.flows.times import Coefficients, coefficients
from numerics.schedules import Linear, Schedule

_MOST_NUMBERS = 2**22
"""Points times atoms at once: 32 MiB."""


class IndependentField:
    """v_t(x) = E[α̇x₀ + β̇x₁ | x_t = x] under P₀ ⊗ P₁, P₁ = Σ w_i δ_{y_i}.

    Args:
        points: (N,d) the atoms y.
        weights: (N,) positive, summing to 1.
        schedule: The interpolant's coefficients.

    Raises:
        ValueError: If shapes disagree, a weight isn't positive or they don't sum to 1, or a time is 1 or
            outside [0, 1].

    Example:
        >>> field = IndependentField([[0.0], [4.0]], [0.25, 0.75])
        >>> field.denoise(0.0, [[7.0]]).round(12).tolist()  # noise says nothing: the mean
        [[3.0]]
        >>> field.denoise(0.5, [[1.0]]).round(12).tolist()  # halfway between ½·0 and ½·4: the mean
        [[3.0]]
    """

    def __init__(self, points: ArrayLike, weights: ArrayLike, schedule: Schedule | None = None) -> None:
        self.points = as_array("points", points, ndim=2)
        self.weights = as_array("weights", weights, ndim=1)
        if len(self.weights) != len(self.points):
            raise ValueError(f"weights: got {len(self.weights)} for {len(self.points)} points; give one each")
        total = float(self.weights.sum())
        if (self.weights <= 0).any() or abs(total - 1) > 1e-12 * len(self.weights):
            raise ValueError(f"weights: smallest is {self.weights.min()}, sum {total!r}; need > 0 and sum 1")
        self.schedule = schedule or Linear()
        self._middle = self.weights @ self.points
        self._centred = self.points - self._middle  # squares of coordinates far from 0 would cancel

    def posterior(
        self, t: ArrayLike | None, x: ArrayLike, *, remaining: ArrayLike | None = None
    ) -> Float[np.ndarray, "n N"]:
        """P(x₁ = y_i | x_t = x) ∝ w_i exp(−|x − βy_i|²/(2α²)), in the log domain, for x (n,d)."""
        points = as_points("x", x, self.points.shape[1])
        return self._posterior(coefficients(self.schedule, t, remaining, len(points)), points)

    def _posterior(self, c: Coefficients, points: np.ndarray) -> np.ndarray:
        gain = (c.beta / c.alpha**2)[:, None]
        energy = (c.beta**2 / (2 * c.alpha**2))[:, None] * (self._centred**2).sum(axis=1)
        seen = (points - c.beta[:, None] * self._middle) @ self._centred.T
        return np.asarray(softmax(np.log(self.weights) + gain * seen - energy, axis=1))

    def _blocks(self, n: int) -> list[slice]:
        """Rows of n points whose posteriors are held at once."""
        size = max(1, _MOST_NUMBERS // len(self.points))
        return [slice(k, k + size) for k in range(0, max(n, 1), size)]

    def _off_middle(self, c: Coefficients, points: np.ndarray) -> np.ndarray:
        """The posterior mean less that of all atoms, (n,d)."""
        parts = [
            self._posterior(c.take(rows), points[rows]) @ self._centred for rows in self._blocks(len(points))
        ]
        return np.concatenate(parts)

    def denoise(
        self, t: ArrayLike | None, x: ArrayLike, *, remaining: ArrayLike | None = None
    ) -> Float[np.ndarray, "n d"]:
        """The posterior mean E[x₁ | x_t = x]: a blend of atoms, no atom."""
        points = as_points("x", x, self.points.shape[1])
        c = coefficients(self.schedule, t, remaining, len(points))
        return self._middle + self._off_middle(c, points)

    def velocity(
        self, t: ArrayLike | None, x: ArrayLike, *, remaining: ArrayLike | None = None
    ) -> Float[np.ndarray, "n d"]:
        """v_t(x) = (α̇/α)x + (β̇ − α̇β/α)·E[x₁ | x_t = x].

        Example:
            >>> field = IndependentField([[0.0], [4.0]], [0.25, 0.75])
            >>> field.velocity(0.5, [[1.0]]).round(12).tolist()  # −2·1 + 2·3
            [[4.0]]
        """
        points = as_points("x", x, self.points.shape[1])
        c = coefficients(self.schedule, t, remaining, len(points))
        off = self._off_middle(c, points)
        x0 = (points - c.beta[:, None] * self._middle - c.beta[:, None] * off) / c.alpha[:, None]
        return c.alpha_dot[:, None] * x0 + c.beta_dot[:, None] * (self._middle + off)

    def product(
        self, t: ArrayLike | None, x: ArrayLike, vectors: ArrayLike, *, remaining: ArrayLike | None = None
    ) -> Float[np.ndarray, "n d"]:
        """Dv_t(x_i) z_i for vectors z (n,d), without a matrix; Dv_t is symmetric.

        Dv_t = (α̇/α)I + (β̇ − α̇β/α)·(β/α²)·Cov(x₁ | x_t = x), as the derivative of a softmax is a covariance.

        Example:
            >>> field = IndependentField([[0.0], [4.0]], [0.25, 0.75])
            >>> field.product(0.5, [[1.0]], [[1.0]]).round(12).tolist()  # −2 + 4·Var(x₁), Var(x₁) = 3
            [[10.0]]
        """
        points = as_points("x", x, self.points.shape[1])
        z = as_points("vectors", vectors, self.points.shape[1])
        if len(z) != len(points):
            raise ValueError(f"vectors: got {len(z)} for {len(points)} points x; give one each")
        return self._derivative(t, points, [z], remaining)[0]

    def jacobian(
        self, t: ArrayLike | None, x: ArrayLike, *, remaining: ArrayLike | None = None
    ) -> Float[np.ndarray, "n d d"]:
        """Dv_t (n,d,d), column by column (`product`).

        Example:
            >>> field = IndependentField([[0.0, 0.0], [4.0, 0.0]], [0.25, 0.75])
            >>> field.jacobian(0.5, [[1.0, 0.0]]).round(12).tolist()
            [[[10.0, 0.0], [0.0, -2.0]]]
        """
        points = as_points("x", x, self.points.shape[1])
        directions = [np.broadcast_to(e, points.shape) for e in np.eye(points.shape[1])]
        return np.stack(self._derivative(t, points, directions, remaining), axis=2)

    def _derivative(
        self,
        t: ArrayLike | None,
        points: np.ndarray,
        directions: list[np.ndarray],
        remaining: ArrayLike | None,
    ) -> list[np.ndarray]:
        """Dv_t along each direction (n,d), for points (n,d)."""
        c = coefficients(self.schedule, t, remaining, len(points))
        parts = [
            self._along(c.take(rows), points[rows], [z[rows] for z in directions])
            for rows in self._blocks(len(points))
        ]
        return [np.concatenate(of_direction) for of_direction in zip(*parts, strict=True)]

    def _along(self, c: Coefficients, points: np.ndarray, directions: list[np.ndarray]) -> list[np.ndarray]:
        posterior = self._posterior(c, points)
        mean = posterior @ self._centred
        gain = c.beta_dot - c.alpha_dot * c.beta / c.alpha

        def along(z: np.ndarray) -> np.ndarray:
            tilted = posterior * (z @ self._centred.T - (mean * z).sum(axis=1, keepdims=True))
            covariance = tilted @ self._centred - tilted.sum(axis=1, keepdims=True) * mean
            scaled = covariance / c.alpha[:, None] * (c.beta / c.alpha)[:, None]  # 0 where α² underflows
            return (c.alpha_dot / c.alpha)[:, None] * z + gain[:, None] * scaled

        return [along(z) for z in directions]

    def loss_floor(
        self, t: ArrayLike | None, x: ArrayLike, *, remaining: ArrayLike | None = None
    ) -> Float[np.ndarray, " n"]:
        """Var(ẋ_t | x_t = x), total variance: (β̇ − α̇β/α)² times that of x₁ under the posterior (P3)."""
        points = as_points("x", x, self.points.shape[1])
        c = coefficients(self.schedule, t, remaining, len(points))
        squares = (self._centred**2).sum(axis=1)

        def spread(rows: slice) -> np.ndarray:
            posterior = self._posterior(c.take(rows), points[rows])
            return np.asarray(posterior @ squares - ((posterior @ self._centred) ** 2).sum(axis=1))

        variance = np.concatenate([spread(rows) for rows in self._blocks(len(points))])
        return (c.beta_dot - c.alpha_dot * c.beta / c.alpha) ** 2 * np.maximum(variance, 0.0)
