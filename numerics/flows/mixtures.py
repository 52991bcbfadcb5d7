r"""The marginal field of a Gaussian mixture under a conditional Gaussian path (theory.md F4, F9).

With $x_1 \sim \sum_k w_k N(m_k, S_k)$ and $x_t = a_t x_1 + σ_t x_0$, noise apart from data,
$p_t = \sum_k w_k N(a m_k, C_k)$, $C_k = a^2 S_k + σ^2 I$, and the posterior average of $u_t(x|x_1)$ is
$u_t(x) = \sum_k γ_k(x) u_k(x)$, $u_k(x) = \dot a m_k + \frac12\dot C_k C_k^{-1}(x - a m_k)$, γ the posterior
of the component. Atoms are components with S = 0.
"""

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.checks import as_array, as_points, symmetric_matrix
from numerics.flows.paths import GaussianPath, OptimalTransportPath, Scalar, time_of

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
    """

    def __init__(
        self,
        means: ArrayLike,
        covariances: ArrayLike,
        weights: ArrayLike,
        path: GaussianPath | None = None,
    ) -> None:
        self.means = as_array("means", means, ndim=2).real
        blocks = as_array("covariances", covariances, ndim=3).real
        k, d = self.means.shape
        if blocks.shape != (k, d, d):
            raise ValueError(f"covariances: got shape {blocks.shape} for {k} means in dimension {d}")
        self.covariances = np.stack(
            [symmetric_matrix(f"covariances[{i}]", s, definite=False) for i, s in enumerate(blocks)]
        )
        self.weights = as_array("weights", weights, ndim=1).real
        if len(self.weights) != k:
            raise ValueError(f"weights: got {len(self.weights)} for {k} means; give one each")
        if (self.weights <= 0).any() or abs(float(self.weights.sum()) - 1) > 1e-12 * k:
            raise ValueError(f"weights: got {self.weights.tolist()}; they must be positive and sum to 1")
        self.path = path or OptimalTransportPath()

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
        values, vectors = np.linalg.eigh(self.covariances)
        roots = vectors * np.sqrt(np.maximum(values, 0))[:, None, :]
        noise = rng.standard_normal((n, self.dim))
        return self.means[labels] + np.einsum("nij,nj->ni", roots[labels], noise), labels

    # --- the law ----------------------------------------------------------------------------------

    def log_density(self, t: Scalar, x: ArrayLike) -> Inexact[np.ndarray, " n"]:
        """Log p_t(x) for x (n,d)."""
        return _log_sum(self._log_parts(*self._at(t, x)))

    def posterior(self, t: Scalar, x: ArrayLike) -> Inexact[np.ndarray, "n K"]:
        """P(component k | x_t = x) for x (n,d)."""
        return self._posterior(*self._at(t, x))

    def score(self, t: Scalar, x: ArrayLike) -> Points:
        """∇ log p_t(x) for x (n,d)."""
        time, points = self._at(t, x)
        return np.einsum("nk,nki->ni", self._posterior(time, points), self._scores(time, points))

    # --- the field --------------------------------------------------------------------------------

    def velocity(self, t: Scalar, x: ArrayLike) -> Points:
        """u_t(x) = Σ γ_k(x) u_k(x) for x (n,d)."""
        time, points = self._at(t, x)
        return np.einsum("nk,nki->ni", self._posterior(time, points), self._velocities(time, points))

    def jacobian(self, t: Scalar, x: ArrayLike) -> Inexact[np.ndarray, "n d d"]:
        """Du_t(x) = Σ γ_k(Du_k + u_k(s_k − s)ᵀ), s_k and s the scores of component and mixture; x (n,d)."""
        time, points = self._at(t, x)
        share, scores = self._posterior(time, points), self._scores(time, points)
        mean = np.einsum("nk,nki->ni", share, scores)
        speeds = self._velocities(time, points)
        return np.einsum("nk,kij->nij", share, self._rates(time)) + np.einsum(
            "nk,nki,nkj->nij", share, speeds, scores - mean[:, None]
        )

    def divergence(self, t: Scalar, x: ArrayLike) -> Inexact[np.ndarray, " n"]:
        """Div u_t(x), the trace of `jacobian`."""
        return np.einsum("nii->n", self.jacobian(t, x))

    # --- of each component ------------------------------------------------------------------------

    def _at(self, t: Scalar, x: ArrayLike) -> tuple[Scalar, Points]:
        time, points = time_of(t), as_points("x", x, self.dim)
        smallest = np.linalg.eigvalsh(self._covariances(time).real).min()
        if smallest <= 0:
            raise ValueError(f"t: got {t}, where a component's covariance is singular: p_t has no density")
        return time, points

    def _covariances(self, t: Scalar) -> Inexact[np.ndarray, "K d d"]:
        a, sigma = self.path.gain(t), self.path.deviation(t)
        return np.asarray(a**2 * self.covariances + sigma**2 * np.eye(self.dim))

    def _rates(self, t: Scalar) -> Inexact[np.ndarray, "K d d"]:
        """½ Ċ_k C_k⁻¹; both are functions of S_k and commute."""
        a, sigma = self.path.gain(t), self.path.deviation(t)
        half = a * self.path.gain_dot(t) * self.covariances + sigma * self.path.deviation_dot(t) * np.eye(
            self.dim
        )
        return np.linalg.solve(self._covariances(t), half)

    def _moved(self, t: Scalar, x: Points) -> Inexact[np.ndarray, "n K d"]:
        return np.asarray(x[:, None] - self.path.gain(t) * self.means)

    def _scores(self, t: Scalar, x: Points) -> Inexact[np.ndarray, "n K d"]:
        inverse = np.linalg.inv(self._covariances(t))
        return -np.einsum("kij,nkj->nki", inverse, self._moved(t, x))

    def _velocities(self, t: Scalar, x: Points) -> Inexact[np.ndarray, "n K d"]:
        turned = np.einsum("kij,nkj->nki", self._rates(t), self._moved(t, x))
        return np.asarray(turned + self.path.gain_dot(t) * self.means)

    def _log_parts(self, t: Scalar, x: Points) -> Inexact[np.ndarray, "n K"]:
        quadratic = np.einsum("nki,nki->nk", self._scores(t, x), self._moved(t, x)) / 2
        volume = np.log(np.linalg.det(2 * np.pi * self._covariances(t))) / 2
        return np.asarray(np.log(self.weights) + quadratic - volume)

    def _posterior(self, t: Scalar, x: Points) -> Inexact[np.ndarray, "n K"]:
        parts = self._log_parts(t, x)
        return np.exp(parts - _log_sum(parts)[:, None])


def _log_sum(parts: Inexact[np.ndarray, "n K"]) -> Inexact[np.ndarray, " n"]:
    """Log Σ exp of each row; the shift is real, so that complex steps pass."""
    top = parts.real.max(axis=1)
    return top + np.log(np.exp(parts - top[:, None]).sum(axis=1))
