r"""Log-densities by the instantaneous change of variables (docs/theory.md F3).

Along $\dot x_t = u_t(x_t)$, $\log p_1(x_1) = \log p_0(x_0) - \int_0^1 \mathrm{div}\,u_t(x_t)\,dt$
[@chen2018neural]. The trace is taken exactly, or estimated from probes ε with independent signs,
$E[ε^\top J ε] = \mathrm{tr}\,J$ [@hutchinson1989stochastic; @grathwohl2019ffjord].
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.checks import as_array
from numerics.flows.integration import trajectory

Field = Callable[[float, Float[np.ndarray, "n d"]], Float[np.ndarray, "n d"]]
Divergence = Callable[[float, Float[np.ndarray, "n d"]], Float[np.ndarray, " n"]]
Jacobian = Callable[[float, Float[np.ndarray, "n d"]], Float[np.ndarray, "n d d"]]


@dataclass(frozen=True)
class LogDensity:
    """What integrating backwards from x₁ gives.

    Attributes:
        value: log p₁(x₁) (n,).
        error: A bound on its error (n,), of the integration.
        noise: x₀ (n,d), where the trajectory through x₁ began.
        integral: ∫₀¹ div u dt (n,), by which log p fell.

    Example:
        >>> found = log_density(lambda t, x: x, lambda t, x: np.ones(len(x)), [[0.0]])  # to N(0, e²)
        >>> bool(abs(found.value[0] + 1 + np.log(2 * np.pi) / 2) <= found.error[0])
        True
        >>> found.integral.round(9).tolist()
        [1.0]
    """

    value: Float[np.ndarray, " n"]
    error: Float[np.ndarray, " n"]
    noise: Float[np.ndarray, "n d"]
    integral: Float[np.ndarray, " n"]


@dataclass(frozen=True)
class ProbedDensity:
    """The same with the trace estimated: log p₁(x₁) (n,), with radii that all cover it at the level asked.

    Example:
        >>> def field(t, x):
        ...     return x
        >>> def slope(t, x):
        ...     return np.ones((len(x), 1, 1))
        >>> found = probed_log_density(field, slope, [[0.0]], [[1.0], [-1.0]], 0.01)  # in one dimension
        >>> found.value.round(4).tolist(), found.radius.round(9).tolist()  # −1 − ½log 2π
        ([-1.9189], [0.0])
    """

    value: Float[np.ndarray, " n"]
    radius: Float[np.ndarray, " n"]


def normal_log_density(x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
    """Log of the density of N(0,I) at x (n,d).

    Example:
        >>> normal_log_density(np.array([[0.0], [2.0]])).round(4).tolist()  # −½log 2π, and 2 less
        [-0.9189, -2.9189]
    """
    return -(x**2).sum(axis=1) / 2 - x.shape[1] * np.log(2 * np.pi) / 2


def log_density(velocity: Field, divergence: Divergence, x1: ArrayLike) -> LogDensity:
    """Log p₁(x₁) for the flow of ``velocity`` from N(0,I), by its exact divergence.

    Args:
        velocity: u, (t, (n,d)) → (n,d).
        divergence: div u, (t, (n,d)) → (n,).
        x1: (n,d).

    Raises:
        ValueError: If x1 is not (n,d) or the integration fails.

    Example:
        >>> still = log_density(lambda t, x: 0 * x, lambda t, x: np.zeros(len(x)), [[0.0]])
        >>> still.value.round(4).tolist()  # −½log 2π
        [-0.9189]
    """
    points = as_array("x1", x1, ndim=2)
    d = points.shape[1]

    def rate(t: float, state: Float[np.ndarray, "n m"]) -> Float[np.ndarray, "n m"]:
        x = state[:, :d]
        return np.column_stack([velocity(t, x), divergence(t, x)])

    path = trajectory(rate, np.column_stack([points, np.zeros(len(points))]), [1.0, 0.0])
    noise, fall, error = path.states[-1, :, :d], -path.states[-1, :, d], float(path.error[-1])
    of_noise = np.sqrt(d) * error
    slack = np.linalg.norm(noise, axis=1) * of_noise + of_noise**2 / 2 + error
    return LogDensity(normal_log_density(noise) - fall, slack, noise, fall)


def probed_log_density(
    velocity: Field, jacobian: Jacobian, x1: ArrayLike, probes: ArrayLike, level: float
) -> ProbedDensity:
    """Log p₁(x₁) with tr Du estimated by probes ε of independent signs, the same along a trajectory.

    With M = ∫Du dt along the trajectory, εᵀMε lies within Σ_{i≠j}|M_ij| of tr M whatever the signs are; so
    Hoeffding's inequality gives the radius of the mean over probes.

    Args:
        velocity: u, (t, (n,d)) → (n,d).
        jacobian: Du, (t, (n,d)) → (n,d,d); used as ε ↦ εᵀ Du ε alone, but for the radius.
        x1: (n,d).
        probes: (m,d).
        level: Probability that some radius misses.

    Raises:
        ValueError: If shapes disagree, the level isn't in (0,1), or the integration fails.

    Example:
        >>> def field(t, x):
        ...     return x @ np.diag([1.0, 2.0])
        >>> def slope(t, x):
        ...     return np.broadcast_to(np.diag([1.0, 2.0]), (len(x), 2, 2))
        >>> found = probed_log_density(field, slope, [[0.0, 0.0]], [[1.0, 1.0], [1.0, -1.0]], 0.01)
        >>> found.value.round(4).tolist()  # −3 − log 2π, whatever the signs are, as slope is diagonal
        [-4.8379]
    """
    points, signs = as_array("x1", x1, ndim=2), as_array("probes", probes, ndim=2)
    n, d = points.shape
    if signs.shape[1] != d:
        raise ValueError(f"probes: got shape {signs.shape} for points in dimension {d}")
    if not 0 < level < 1:
        raise ValueError(f"level: got {level}; it must lie in (0, 1)")

    def rate(t: float, state: Float[np.ndarray, "n m"]) -> Float[np.ndarray, "n m"]:
        x = state[:, :d]
        slopes = jacobian(t, x)
        seen = np.einsum("mi,nij,mj->n", signs, slopes, signs, optimize=True) / len(signs)
        return np.column_stack([velocity(t, x), slopes.reshape(n, -1), seen])

    start = np.column_stack([points, np.zeros((n, d * d + 1))])
    path = trajectory(rate, start, [1.0, 0.0])
    noise, matrix, seen = np.split(path.states[-1], [d, d + d * d], axis=1)
    total = np.abs(matrix.reshape(n, d, d))
    width = 2 * (total.sum(axis=(1, 2)) - np.einsum("nii->n", total))
    radius = width * np.sqrt(np.log(2 * n / level) / (2 * len(signs)))
    slack = (np.linalg.norm(noise, axis=1) * np.sqrt(d) + 1) * float(path.error[-1])
    return ProbedDensity(normal_log_density(noise) + seen[:, 0], radius + slack)
