r"""What mixtures' fields and residual maps err by, with every rounding counted, to first order in eps.

Of a mixture (`numerics.flows.mixtures`), for component k with $m = Q^⊤(x - aμ_k)$ along the axes Q of its
covariance, variances $v_i = a^2s_i + σ^2$, rates $r_i = \frac12\dot v_i/v_i$:

- m errs by $c_m = d\sqrt d + 2\sqrt d + 4d$ roundings of |x| + |aμ|: a product, a difference, d terms
  (√d: absolute values), and eigh's Q, orthogonal to 4d roundings;
- v is a sum of positive terms, 7 roundings; the numerator of r of terms, 8; so r 16 of their absolute size;
- the score m/v errs by $c_m$ + 8 roundings of (|x| + |aμ|)/min v, log γ by $c_m$ + d + 12 of |m|(|x| + |aμ|)
  /min v and of the logarithms (8 each);
- γ errs relatively by what its logarithm does, and log p by the γ-average of that.

Complex steps pass through the same operations; one on complex numbers is at most four on reals.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lu

from numerics.accuracy import Rounding
from numerics.flows.mixtures import MixtureField
from numerics.flows.residual import ResidualMap

Array = NDArray[np.float64]
LIBRARY = 8
"""Roundings of exp, log, tanh, Φ: 4 ulp."""
SOLVED = "the integration at two tolerances, three decades apart"
TWO_STEPS = "the trapezoid rule at two steps"
TWO_ORDERS = "Gauss quadrature at two orders"


@dataclass(frozen=True)
class MixtureRoundings:
    """Of the members of a mixture's field at t and x (n,d); matrices in Frobenius norm.

    Attributes:
        field: The mixture.
        t: A time.
        x: (n,d).
    """

    field: MixtureField
    t: float
    x: Array

    @cached_property
    def _of_argument(self) -> float:
        d = self.field.dim
        return d * np.sqrt(d) + 2 * np.sqrt(d) + 4 * d

    @cached_property
    def _sizes(self) -> tuple[Array, Array, Array, Array, Array]:
        """|x| + |aμ|, |m|, |ȧμ| (n,K), and least variance and largest rate (K,)."""
        field, path = self.field, self.field.path
        parts = (path.gain, path.deviation, path.gain_dot, path.half_variance_dot)
        a, sigma, speed, fall = (float(np.real(part(self.t))) for part in parts)
        spreads = np.maximum(np.linalg.eigvalsh(field.covariances), 0)
        variances = a**2 * spreads + sigma**2
        rates = ((abs(a * speed) * spreads + abs(fall)) / variances).max(axis=1)
        means = np.linalg.norm(field.means, axis=1)
        length = np.linalg.norm(self.x, axis=1)[:, None] + abs(a) * means
        moved = np.linalg.norm(self.x[:, None] - a * field.means, axis=2)
        carried = np.broadcast_to(abs(speed) * means, moved.shape)
        return length, moved, carried, variances.min(axis=1), rates

    @cached_property
    def _posterior(self) -> Array:
        return np.asarray(self.field.posterior(self.t, self.x))

    @cached_property
    def _log_parts(self) -> Rounding:
        """Of log w + log N (n,K)."""
        length, moved, _, least, _ = self._sizes
        d = self.field.dim
        logs = np.abs(np.log(2 * np.pi * least)) + np.abs(np.log(2 * np.pi * self._widest))
        size = moved * length / least + d * (1 + logs) + np.abs(np.log(self.field.weights))
        return Rounding(size, self._of_argument + d + 12, "exponents of a mixture")

    @cached_property
    def _widest(self) -> Array:
        a, sigma = (
            float(np.real(part(self.t))) for part in (self.field.path.gain, self.field.path.deviation)
        )
        return np.asarray(a**2 * np.linalg.eigvalsh(self.field.covariances).max(axis=1) + sigma**2)

    @cached_property
    def log_density(self) -> Rounding:
        """Of log p_t: the average of the exponents' errors, a sum of K exponentials, and a logarithm."""
        parts = self._log_parts
        average = (self._posterior * parts.size).sum(axis=1)
        whole = np.abs(self.field.log_density(self.t, self.x)) + 1 + np.log(len(self.field.weights))
        return Rounding(average, parts.count, parts.because) + Rounding(
            whole + average, len(self.field.weights) + 2 * LIBRARY + 3, "log Σ exp"
        )

    @cached_property
    def posterior(self) -> Rounding:
        """Relatively, of γ (n,K)."""
        whole = self.log_density
        both = Rounding(whole.size[:, None], whole.count, whole.because)
        return self._log_parts + both + Rounding(self._log_parts.size + both.size, LIBRARY + 1, "γ = exp")

    @cached_property
    def _speeds(self) -> tuple[Array, Rounding]:
        """|u_k| at most (n,K), and its rounding."""
        length, moved, carried, _, rates = self._sizes
        size = rates * moved + carried
        own = Rounding(rates * length + carried, 2 * self._of_argument + 18, "r·m, turned back, and ȧμ")
        return size, own

    @cached_property
    def _scores(self) -> tuple[Array, Rounding]:
        """|s_k| at most (n,K), and its rounding."""
        length, moved, _, least, _ = self._sizes
        return moved / least, Rounding(length / least, 2 * self._of_argument + 8, "m/v, turned back")

    def _averaged(self, size: Array, own: Rounding) -> Rounding:
        """Of Σγ_k f_k: that of f, f times that of γ, and K products and sums."""
        gamma = self._posterior
        total = own + self.posterior.amplified(size) + Rounding(size, len(self.field.weights) + 1, "Σγ_k")
        return Rounding((gamma * total.size).sum(axis=1), total.count, total.because)

    @cached_property
    def velocity(self) -> Rounding:
        """Of |u_t(x)|."""
        return self._averaged(*self._speeds)

    @cached_property
    def jacobian(self) -> Rounding:
        """Of Du_t = Σγ_k(Du_k + u_k(s_k − s)ᵀ), and of each entry of a sum of that form."""
        speed, of_speed = self._speeds
        score, of_score = self._scores
        mean = (self._posterior * score).sum(axis=1)[:, None]
        of_mean = self._averaged(score, of_score)
        every = Rounding(of_mean.size[:, None], of_mean.count, of_mean.because)
        own = np.sqrt(self.field.dim) * self._sizes[4] + 0 * speed
        size = own + speed * (score + mean)
        rounding = (
            Rounding(own, 2 * self._of_argument + 16, "Q r Qᵀ")
            + of_speed.amplified(score + mean)
            + (of_score + every).amplified(speed)
            + Rounding(speed * (score + mean), 3, "the products u_k(s_k − s)ᵀ")
        )
        return self._averaged(size, rounding)

    @property
    def steepness(self) -> float:
        """The largest |½Ċ_k/C_k|: a component's field is so steep."""
        return float(self._sizes[4].max())

    @cached_property
    def score_length(self) -> Array:
        """Σγ_k|s_k| (n,), at least |∇ log p|."""
        return np.asarray((self._posterior * self._scores[0]).sum(axis=1))

    @cached_property
    def speed_length(self) -> Array:
        """Σγ_k|u_k| (n,), at least |u_t|."""
        return np.asarray((self._posterior * self._speeds[0]).sum(axis=1))

    @cached_property
    def score(self) -> Rounding:
        """Of |∇ log p|."""
        return self._averaged(*self._scores)


# --- residual maps --------------------------------------------------------------------------------


def _hidden(phi: ResidualMap, x: Array) -> Array:
    """1 + the absolute sum that makes the argument of tanh (n,): the largest of the hidden units."""
    return np.asarray(1 + (np.abs(x) @ np.abs(phi.inner).T + np.abs(phi.offset)).max(axis=1))


def _weights(phi: ResidualMap) -> tuple[float, float, int]:
    """δ‖V‖_F√k, which |δu| never exceeds, ‖W‖_F, and k."""
    k = len(phi.offset)
    return phi.step * float(np.linalg.norm(phi.outer) * np.sqrt(k)), float(np.linalg.norm(phi.inner)), k


def of_displacement(phi: ResidualMap, x: Array) -> Rounding:
    """Of δu(x): d + 1 roundings of tanh's argument (tanh is 1-Lipschitz), tanh, k products, and δ's."""
    reach, _, k = _weights(phi)
    return Rounding(reach * _hidden(phi, x), phi.dim + 1 + LIBRARY + k + 1, "δV tanh(Wx + b)")


def of_image(phi: ResidualMap, x: Array) -> Rounding:
    """Of φ(x) (n,): δu(x)'s and a sum."""
    reach, *_ = _weights(phi)
    return of_displacement(phi, x) + Rounding(np.linalg.norm(x, axis=1) + reach, 1, "x + δu(x)")


def of_slope(phi: ResidualMap, x: Array) -> Rounding:
    """Of Dφ(x) = I + δV diag(1 − tanh²)W: tanh² changes by 0.8 of its argument at most; products and sums."""
    reach, inner, k = _weights(phi)
    products = Rounding(reach * inner * _hidden(phi, x), phi.dim + 1 + 2 * LIBRARY + k + 4, "δV diag W")
    return products + Rounding(np.sqrt(phi.dim) + reach * inner, 1, "I + δV diag W")


def bend(phi: ResidualMap) -> float:
    """A Lipschitz constant of Dφ: δ‖V‖‖W‖² times sup|tanh''| < 0.8, in Frobenius norms."""
    reach, inner, _ = _weights(phi)
    return 0.8 * reach * inner**2


def of_log_determinant(matrices: Array) -> Rounding:
    """Of log|det A| by LU, A (n,d,d): |L||U| errs by d roundings an entry, seen through A⁻¹; d logarithms.

    The computed factors are those of A + E, |E| ≤ γ_d|L||U| [@higham2002accuracy, theorem 9.3].
    """
    d = matrices.shape[-1]
    size = np.zeros(len(matrices))
    for i, a in enumerate(matrices):
        lower, upper = lu(a, permute_l=True)
        logs = np.abs(np.log(np.abs(np.diag(upper)))).sum()
        size[i] = (np.abs(np.linalg.inv(a)).T * (np.abs(lower) @ np.abs(upper))).sum() + logs
    return Rounding(size, d + LIBRARY, "LU and its logarithms")
