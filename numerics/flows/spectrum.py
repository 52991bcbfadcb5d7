r"""Spectra along trajectories: Jacobians, singular values, Lyapunov exponents (docs/theory.md §3).

On an exact trajectory $DX_t = α_t I + β_t K(x_0)$, and $Dv_t(x_t)$ has the eigenvectors of K with eigenvalues
$(\dot α + \dot β κ)/(α + βκ)$ (H1). Rescaled time is τ = −log(1−t), so that 1−t = e^{−τ} is passed as
``remaining`` and nothing is lost as t → 1.

How close to t = 1 each route may go in float64, as theorems/normal_hyperbolicity/test_conditioning measures:

- from κ with its exact zeros (`stretches`): until e^{−γτ} underflows, τ ≈ 700/γ;
- from K as a matrix: until α ≈ eps·‖K‖ (`rounding_horizon`), where its rounding hides the normal directions;
- through the prox at x_t (`path_jacobians`, `complex_jacobian`): until α|x₀| ≈ eps·|x₁|, where x_t is no
  longer told from x₁; integrating the field (`qr_growth`), about as far: the offset decays linearly;
- differences of the field (`jacobian`): until α|x₀| ≈ eps·|x₁| times |x₀|α over the smallest half-step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from numerics.accuracy import EPS
from numerics.checks import as_array, as_positive, positive_number
from numerics.deprecated import renamed
from numerics.flows.exact import ExactField
from numerics.potentials.base import Potential
from numerics.schedules import Schedule

Points = Float[np.ndarray, "n d"]
Matrices = Float[np.ndarray, "n d d"]
Velocity = Callable[[Float[np.ndarray, " n"], Inexact[np.ndarray, "n d"]], Inexact[np.ndarray, "n d"]]
Derivative = Callable[[Float[np.ndarray, " n"], Points], Matrices]


# --- from K ---------------------------------------------------------------------------------------------


def stretches(potential: Potential, x0: ArrayLike) -> Points:
    """The eigenvalues κ of K(x₀) for x0 (n,d), descending: 1/eig(H) on the support's tangent, 0 off it.

    The zeros are exact: they come from the dimension m of the support, not from K as a matrix.

    Raises:
        ValueError: If H is singular somewhere (A5 fails): κ is infinite there.
    """
    x1 = potential.transport(x0)
    noise = np.broadcast_to(np.asarray(x0, dtype=float), x1.shape)
    result = np.zeros(x1.shape)
    for group in potential.manifolds(x1, noise):
        bend = np.linalg.eigvalsh(group.hessian)
        if (bend <= 0).any():
            row = int(group.rows[int(np.argmax((bend <= 0).any(axis=1)))])
            raise ValueError(f"x0: row {row} has H with eigenvalue {bend.min()}; K needs H > 0 (A5)")
        result[group.rows, : group.dimension] = 1 / bend
    return result


def path_singular_values(
    schedule: Schedule, kappa: ArrayLike, t: ArrayLike | None = None, *, remaining: ArrayLike | None = None
) -> Float[np.ndarray, "*times n d"]:
    """The singular values α + βκ of DX_t for κ (n,d) at one or k times: (n,d) or (k,n,d).

    Example:
        >>> from numerics.schedules import Linear
        >>> path_singular_values(Linear(), [[0.0, 3.0]], 0.5).tolist()  # ½ + ½κ
        [[0.5, 2.0]]
    """
    values, alpha, beta = _at(schedule.alpha, schedule.beta, kappa, t, remaining)
    return np.asarray(alpha + beta * values)


def path_eigenvalues(
    schedule: Schedule, kappa: ArrayLike, t: ArrayLike | None = None, *, remaining: ArrayLike | None = None
) -> Float[np.ndarray, "*times n d"]:
    """The eigenvalues (α̇ + β̇κ)/(α + βκ) of Dv_t(x_t) for κ (n,d) at one or k times: (n,d) or (k,n,d).

    Example:
        >>> from numerics.schedules import Linear
        >>> path_eigenvalues(Linear(), [[0.0, 1.0]], 0.5).tolist()  # −1/½ and (−1 + 1)/1
        [[-2.0, 0.0]]
    """
    values, fall, rise = _at(schedule.alpha_dot, schedule.beta_dot, kappa, t, remaining)
    return (fall + rise * values) / path_singular_values(schedule, values, t, remaining=remaining)


def _at(
    first: Callable[..., np.ndarray],
    second: Callable[..., np.ndarray],
    kappa: ArrayLike,
    t: ArrayLike | None,
    remaining: ArrayLike | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values = as_array("kappa", kappa, ndim=(1, 2))
    if (values < 0).any():
        raise ValueError(f"kappa: got {values.min()}; eigenvalues of K are at least 0")
    a, b = first(t, remaining=remaining), second(t, remaining=remaining)
    shape = a.shape + (1,) * values.ndim
    return values, a.reshape(shape), b.reshape(shape)


# --- Jacobians of any field -------------------------------------------------------------------------------


def path_jacobians(field: ExactField, x0: ArrayLike, remaining: ArrayLike) -> Float[np.ndarray, "k n d d"]:
    """Dv_t(x_t) through the prox, along the trajectories of x0 (n,d) at k times; K is not used.

    Example:
        >>> from numerics.potentials import FiniteAtoms
        >>> field = ExactField(FiniteAtoms.hypercube(1))
        >>> path_jacobians(field, [[3.0]], [0.5, 0.25]).ravel().tolist()  # −1/(1−t)
        [-2.0, -4.0]
    """
    remaining_times = np.atleast_1d(as_array("remaining", remaining, ndim=(0, 1)))
    noise = np.atleast_2d(np.asarray(x0, dtype=float))
    k, (n, d) = len(remaining_times), noise.shape
    data = field.potential.transport(noise)
    alpha, beta = (
        f(remaining=remaining_times)[:, None, None] for f in (field.schedule.alpha, field.schedule.beta)
    )
    points = (alpha * noise + beta * data).reshape(k * n, d)
    return field.jacobian(None, points, remaining=np.repeat(remaining_times, n)).reshape(k, n, d, d)


@dataclass(frozen=True)
class Derivatives:
    """Jacobians by extrapolated differences.

    Attributes:
        jacobian: (n,d,d), row = component, column = direction.
        error: (n,), the difference of the two highest orders: an estimate of the truncation that is left.
    """

    jacobian: Matrices
    error: Float[np.ndarray, " n"]


@renamed("levels", "widths")
def jacobian(
    velocity: Velocity, at: ArrayLike, x: ArrayLike, step: ArrayLike, widths: int = 4
) -> Derivatives:
    """The Jacobian of any NumPy field by central differences, extrapolated by Richardson's scheme.

    One call of the field a width does all points, times and directions.

    Args:
        velocity: (at (N,), x (N,d)) → (N,d). ``at`` is handed on as it is: t, or 1−t where that is wanted.
        at: One number or (n,).
        x: (n,d).
        step: The widest half-step, one or (n,): less than the distance to the nearest kink.
        widths: How many half-steps, step, step/2, …; the truncation is O(step^{2·widths}).

    Raises:
        ValueError: If shapes disagree or a step isn't positive.

    Example:
        >>> jacobian(lambda at, x: x**2, 0.5, [[3.0]], step=0.1).jacobian.round(9).tolist()
        [[[6.0]]]
    """
    points = np.atleast_2d(as_array("x", x, ndim=(1, 2)))
    n, d = points.shape
    times = np.broadcast_to(as_array("at", at, ndim=(0, 1)), (n,))
    widest = as_positive("step", step, n)
    spread = np.eye(d)[:, None, :]
    table: list[Matrices] = []
    before = np.zeros((n, d, d))
    for halvings in range(widths):
        h = (widest / 2**halvings)[None, :, None]
        moved = np.stack([points + h * spread, points - h * spread]).reshape(-1, d)
        ahead, behind = np.asarray(velocity(np.tile(times, 2 * d), moved)).reshape(2, d, n, d)
        row = [((ahead - behind) / (2 * h)).transpose(1, 2, 0)]
        for order, coarse in enumerate(table, start=1):
            row.append(row[-1] + (row[-1] - coarse) / (4**order - 1))
        before, table = table[-1] if table else row[-1], row
    return Derivatives(table[-1], np.abs(table[-1] - before).max(axis=(1, 2)))


def complex_jacobian(velocity: Velocity, at: ArrayLike, x: ArrayLike, tiny: float = 1e-30) -> Matrices:
    """The Jacobian of a field that is analytic and accepts complex points, to rounding: no truncation.

    Example:
        >>> complex_jacobian(lambda at, x: x**3, 0.5, [[2.0]]).tolist()
        [[[12.0]]]
    """
    points = np.atleast_2d(as_array("x", x, ndim=(1, 2)))
    n, d = points.shape
    times = np.broadcast_to(as_array("at", at, ndim=(0, 1)), (n,))
    moved = (points + 1j * tiny * np.eye(d)[:, None, :]).reshape(-1, d)
    return np.asarray(velocity(np.tile(times, d), moved).imag / tiny).reshape(d, n, d).transpose(1, 2, 0)


# --- Lyapunov exponents -----------------------------------------------------------------------------------


def slopes(log_growth: ArrayLike, tau: ArrayLike) -> Float[np.ndarray, "..."]:
    """Exponents as slopes (log σ(τ') − log σ(τ))/(τ' − τ) of log growths (k,…) at increasing τ (k,).

    The quotient log σ/τ would err by O(1/τ); the slope's error on the tangent is O(α + (1−t)|β̇|) (H4).
    """
    growth = as_array("log_growth", log_growth, ndim=(1, 2, 3))
    times = as_array("tau", tau, ndim=1)
    if len(growth) != len(times) or not (np.diff(times) > 0).all():
        raise ValueError(f"tau: got {times.tolist()} for {len(growth)} growths; need one each, increasing")
    return np.diff(growth, axis=0) / np.diff(times).reshape((-1,) + (1,) * (growth.ndim - 1))


@dataclass(frozen=True)
class Growth:
    """What `qr_growth` found at τ = 0 and the k times asked for.

    Attributes:
        tau: (k+1,).
        points: (k+1,n,d), the trajectories.
        log_growth: (k+1,n,d), the logarithms of the diagonal of R in DX_τ = QR.

    Example:
        >>> def slope(r, x):
        ...     return -np.ones((1, 1, 1)) / r
        >>> shrink = qr_growth(lambda r, x: -x / r[:, None], slope, [[4.0]], [2.0])
        >>> shrink.tau.tolist(), shrink.log_growth[:, 0, 0].round(9).tolist()  # X_τ = 4e^{−τ}
        ([0.0, 2.0], [0.0, -2.0])
    """

    tau: Float[np.ndarray, " k"]
    points: Float[np.ndarray, "k n d"]
    log_growth: Float[np.ndarray, "k n d"]


def qr_growth(
    velocity: Velocity, derivative: Derivative, x0: ArrayLike, tau: ArrayLike, *, tolerance: float = 1e-11
) -> Growth:
    r"""The continuous QR method for any field, in τ = −log(1−t), from τ = 0 and Q = I.

    With A = (1−t)Dv along the trajectory and B = QᵀAQ: Q' = QS, S skew with the lower triangle of B, and
    (log R_ii)' = B_ii. Q is made orthonormal again at every time asked for. It knows neither K nor M.

    Args:
        velocity: (remaining (n,), x (n,d)) → (n,d), in ordinary time.
        derivative: (remaining (n,), x (n,d)) → (n,d,d), such as `ExactField.jacobian` or `jacobian`.
        x0: (n,d).
        tau: (k,) positive, increasing.
        tolerance: Relative and absolute, of SciPy's DOP853.

    Raises:
        ValueError: If the times don't increase.
        RuntimeError: If the integrator fails.

    Example:
        >>> def field(remaining, x):
        ...     return -x / remaining[:, None]
        >>> def slope(remaining, x):
        ...     return -np.eye(x.shape[1]) / remaining[:, None, None]
        >>> qr_growth(field, slope, [[4.0]], [1.0, 2.0]).points[:, 0, 0].round(4).tolist()  # 4, 4/e, 4/e²
        [4.0, 1.4715, 0.5413]
    """
    noise = np.atleast_2d(as_array("x0", x0, ndim=(1, 2)))
    times = np.concatenate([[0.0], np.atleast_1d(as_array("tau", tau, ndim=(0, 1)))])
    if not (np.diff(times) > 0).all():
        raise ValueError(f"tau: got {times[1:].tolist()}; need positive, increasing times")
    positive_number("tolerance", tolerance)
    n, d = noise.shape

    def split(state: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        whole = state.reshape(n, d + 2, d)
        return whole[:, 0], whole[:, 1], whole[:, 2:]

    def right(now: float, state: np.ndarray) -> np.ndarray:
        x, _, q = split(state)
        remaining = np.full(n, np.exp(-now))
        inner = q.transpose(0, 2, 1) @ (remaining[:, None, None] * derivative(remaining, x)) @ q
        lower = np.tril(inner, -1)
        turn = q @ (lower - lower.transpose(0, 2, 1))
        drift = remaining[:, None] * velocity(remaining, x)
        grown = np.diagonal(inner, axis1=1, axis2=2)
        return np.concatenate([drift[:, None], grown[:, None], turn], axis=1).ravel()

    frame = np.broadcast_to(np.eye(d), (n, d, d))
    state = np.concatenate([noise[:, None], np.zeros((n, 1, d)), frame], axis=1).ravel()
    kept = [state]
    for start, stop in pairwise(times):
        found = solve_ivp(right, (start, stop), state, method="DOP853", rtol=tolerance, atol=tolerance)
        if not found.success:
            raise RuntimeError(f"integration from tau = {start} to {stop} failed: {found.message}")
        x, grown, q = split(found.y[:, -1])
        orthonormal, upper = np.linalg.qr(q)
        orthonormal = orthonormal * np.sign(np.diagonal(upper, axis1=1, axis2=2))[:, None, :]
        state = np.concatenate([x[:, None], grown[:, None], orthonormal], axis=1).ravel()
        kept.append(state)
    parts = [split(state) for state in kept]
    return Growth(times, np.stack([p[0] for p in parts]), np.stack([p[1] for p in parts]))


def intrinsic_dimension(exponents: ArrayLike, order: float) -> np.ndarray:
    """How many exponents (…,d) lie above −γ/2, for a schedule of terminal order γ > 0 (H7).

    Raises:
        ValueError: If γ isn't positive: without contraction the spectrum says nothing (SC).

    Example:
        >>> int(intrinsic_dimension([0.0, 0.0, -1.0], 1.0))
        2
    """
    rates = as_array("exponents", exponents, ndim=(1, 2, 3))
    return np.asarray((rates > -positive_number("order", order) / 2).sum(axis=-1))


def rounding_horizon(order: float, size: float) -> float:
    """The τ at which α = e^{−γτ} meets the rounding eps·‖K‖: as far as K as a matrix can see."""
    return float(-np.log(EPS * positive_number("size", size)) / positive_number("order", order))
