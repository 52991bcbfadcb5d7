r"""The marginal field of a Gaussian mixture under a conditional Gaussian path (docs/theory.md F4, F9).

With $x_1 \sim \sum_k w_k N(m_k, S_k)$ and $x_t = a_t x_1 + σ_t x_0$, noise apart from data,
$p_t = \sum_k w_k N(a m_k, C_k)$, $C_k = a^2 S_k + σ^2 I$, and the posterior average of $u_t(x|x_1)$ is
$u_t(x) = \sum_k γ_k(x) u_k(x)$, $u_k(x) = \dot a m_k + \frac12\dot C_k C_k^{-1}(x - a m_k)$, γ the posterior
of the component. Atoms are components with S = 0.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.checks import as_array, as_complex_points, symmetric_matrix
from numerics.flows.paths import GaussianPath, OptimalTransportPath, Scalar, time_of
from numerics.potentials.solved_once import LastSolve

Points = Inexact[np.ndarray, "n d"]


class MixtureField:
    """p_t, its score, the field u_t and Du_t, for t in [0, 1] wherever every C_k is definite.

    Complex x and t pass: derivatives by complex step are exact to rounding.

    Args:
        means: (K,d).
        covariances: (K,d,d) symmetric positive semidefinite.
        weights: (K,) positive, summing to 1.
        path: The conditional path; the notes' is `OptimalTransportPath`.

    Raises:
        ValueError: If shapes disagree, a covariance or weight is no such thing, or C_k is singular at t.

    Example:
        >>> wide = MixtureField([[0.0]], [[[4.0]]], [1.0])
        >>> wide.score(1.0, [[2.0]]).tolist()  # of N(0, 4): −2/4
        [[-0.5]]
    """

    def __init__(
        self,
        means: ArrayLike,
        covariances: ArrayLike,
        weights: ArrayLike,
        path: GaussianPath | None = None,
    ) -> None:
        self.means = as_array("means", means, ndim=2).copy()
        blocks = as_array("covariances", covariances, ndim=3)
        k, d = self.means.shape
        if blocks.shape != (k, d, d):
            raise ValueError(f"covariances: got shape {blocks.shape} for {k} means in dimension {d}")
        self.covariances = np.stack(
            [symmetric_matrix(f"covariances[{i}]", s, definite=False) for i, s in enumerate(blocks)]
        )
        values, self._axes = np.linalg.eigh(self.covariances)
        self._spreads = np.maximum(values, 0.0)
        self.weights = as_array("weights", weights, ndim=1).copy()
        if len(self.weights) != k:
            raise ValueError(f"weights: got {len(self.weights)} for {k} means; give one each")
        if (self.weights <= 0).any() or abs(float(self.weights.sum()) - 1) > 1e-12 * k:
            raise ValueError(f"weights: got {self.weights.tolist()}; they must be positive and sum to 1")
        self._path = path or OptimalTransportPath()
        for array in (self.means, self.covariances, self.weights):
            array.setflags(write=False)  # what was seen of a point is kept
        self._last_seen = LastSolve[_Seen]()

    @property
    def path(self) -> GaussianPath:
        """As given."""
        return self._path

    @property
    def dim(self) -> int:
        """The dimension d."""
        return self.means.shape[1]

    def given(self, labels: ArrayLike) -> "MixtureField":
        """The field of the data in some components alone: the field conditioned on a prompt."""
        chosen = np.atleast_1d(np.asarray(labels))
        weights = self.weights[chosen]
        return MixtureField(self.means[chosen], self.covariances[chosen], weights / weights.sum(), self.path)

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Float[np.ndarray, "n d"], np.ndarray]:
        """N data points and the components they are from."""
        labels = rng.choice(len(self.weights), size=n, p=self.weights)
        roots = self._axes * np.sqrt(self._spreads)[:, None, :]
        noise = rng.standard_normal((n, self.dim))
        return self.means[labels] + np.einsum("nij,nj->ni", roots[labels], noise), labels

    # --- the law ----------------------------------------------------------------------------------

    def log_density(self, t: Scalar, x: ArrayLike) -> Inexact[np.ndarray, " n"]:
        """Log p_t(x) for x (n,d)."""
        return _log_sum(self._seen(t, x).log_parts)

    def posterior(self, t: Scalar, x: ArrayLike) -> Inexact[np.ndarray, "n K"]:
        """P(component k | x_t = x) for x (n,d)."""
        return self._seen(t, x).posterior.copy()

    def score(self, t: Scalar, x: ArrayLike) -> Points:
        """∇ log p_t(x) for x (n,d)."""
        seen = self._seen(t, x)
        return np.asarray((seen.posterior[:, :, None] * self._turned(seen.scores)).sum(axis=1))

    # --- the field --------------------------------------------------------------------------------

    def velocity(self, t: Scalar, x: ArrayLike) -> Points:
        """u_t(x) = Σ γ_k(x) u_k(x) for x (n,d)."""
        seen = self._seen(t, x)
        return np.asarray((seen.posterior[:, :, None] * self._velocities(seen)).sum(axis=1))

    def jacobian(self, t: Scalar, x: ArrayLike) -> Inexact[np.ndarray, "n d d"]:
        """Du_t(x) = Σ γ_k(Du_k + u_k(s_k − s)ᵀ), s_k and s the scores of component and mixture; x (n,d)."""
        seen = self._seen(t, x)
        own = (self._axes * seen.rates[:, None, :]) @ self._axes.transpose(0, 2, 1)
        scores = self._turned(seen.scores)
        weighted = seen.posterior[:, :, None] * self._velocities(seen)
        apart = scores - (seen.posterior[:, :, None] * scores).sum(axis=1, keepdims=True)
        return np.tensordot(seen.posterior, own, 1) + weighted.transpose(0, 2, 1) @ apart

    def divergence(self, t: Scalar, x: ArrayLike) -> Inexact[np.ndarray, " n"]:
        """Div u_t(x) = Σ γ_k(div u_k + ⟨u_k, s_k − s⟩), the trace of `jacobian`."""
        seen = self._seen(t, x)
        scores = self._turned(seen.scores)
        apart = scores - (seen.posterior[:, :, None] * scores).sum(axis=1, keepdims=True)
        own = seen.rates.sum(axis=1) + (self._velocities(seen) * apart).sum(axis=2)
        return np.asarray((seen.posterior * own).sum(axis=1))

    # --- of each component, along the axes of its covariance --------------------------------------

    def _seen(self, t: Scalar, x: ArrayLike) -> "_Seen":
        return self._last_seen(self._see, np.asarray(time_of(t)), as_complex_points("x", x, self.dim))

    def _see(self, t: Inexact[np.ndarray, ""], points: Points) -> "_Seen":
        time: Scalar = t.item()
        a, sigma = self.path.gain(time), self.path.deviation(time)
        variances = a**2 * self._spreads + sigma**2
        if (variances.real <= 0).any():
            raise ValueError(f"t: got {time}, where a component's covariance is singular: p_t has no density")
        fall = self.path.half_variance_dot(time)
        rates = (a * self.path.gain_dot(time) * self._spreads + fall) / variances
        moved = ((points - a * self.means[:, None]) @ self._axes).transpose(1, 0, 2)
        scores = -moved / variances
        logs = (scores * moved).sum(axis=2) / 2 - np.log(2 * np.pi * variances).sum(axis=1) / 2
        log_parts = np.log(self.weights) + logs
        posterior = np.exp(log_parts - _log_sum(log_parts)[:, None])
        return _Seen(moved, scores, rates, log_parts, posterior, self.path.gain_dot(time))

    def _turned(self, along: Inexact[np.ndarray, "n K d"]) -> Inexact[np.ndarray, "n K d"]:
        return (along.transpose(1, 0, 2) @ self._axes.transpose(0, 2, 1)).transpose(1, 0, 2)

    def _velocities(self, seen: "_Seen") -> Inexact[np.ndarray, "n K d"]:
        return np.asarray(self._turned(seen.rates * seen.moved) + seen.gain_dot * self.means)


@dataclass(frozen=True)
class _Seen:
    """What x_t = x says of each component: x − am and the score along its axes, ½Ċ/C there, γ."""

    moved: Inexact[np.ndarray, "n K d"]
    scores: Inexact[np.ndarray, "n K d"]
    rates: Inexact[np.ndarray, "K d"]
    log_parts: Inexact[np.ndarray, "n K"]
    posterior: Inexact[np.ndarray, "n K"]
    gain_dot: Scalar


def _log_sum(parts: Inexact[np.ndarray, "n K"]) -> Inexact[np.ndarray, " n"]:
    """Log Σ exp of each row; the shift is real, so that complex steps pass."""
    top = parts.real.max(axis=1)
    return top + np.log(np.exp(parts - top[:, None]).sum(axis=1))
