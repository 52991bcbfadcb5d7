r"""The exact flow with errors injected, and what they do to where it ends (docs/theory.md N3).

Along the exact field the data point $u = \mathrm{prox}_{λφ}(x/β)$ and the noise $y = (x - βu)/α$ of a point
do not change. So a path that is pushed by impulses is a sequence of pairs (y, u), one prox an impulse, and
between impulses nothing is integrated: no step size errs. Euler's steps of the linear schedule are such a
path; an integrator that knows the field alone is beside it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from numerics.accuracy import Rounding
from numerics.checks import as_array, as_points
from numerics.flows.exact import ExactField
from numerics.geometry import norms
from numerics.schedules import Linear, Schedule

Points = Float[np.ndarray, "n d"]
Errors = Float[np.ndarray, "m n d"]
Velocity = Callable[[float, Points], Points]


def between(field: ExactField, s: float, t: float, x: ArrayLike) -> Points:
    """X_{s→t}(x) = α_t y + β_t u, the exact flow from any point x (n,d) of the space; t may be 0 or 1.

    Raises:
        ValueError: If s is not in (0, 1), t not in [0, 1], or x is malformed.

    Example:
        >>> from numerics.potentials import FiniteAtoms
        >>> field = ExactField(FiniteAtoms.hypercube(1))
        >>> between(field, 0.5, 1.0, [[0.25]]).tolist()  # between 0.5·(−1) and 0.5·1 the flow fans out
        [[0.5]]
    """
    _inside("s", s)
    alpha, beta = float(field.schedule.alpha(t)), float(field.schedule.beta(t))
    return np.asarray(alpha * field.noise(s, x) + beta * field.denoise(s, x))


@dataclass(frozen=True)
class Kicked:
    """A path pushed by m impulses: its pairs before the first and after each.

    Attributes:
        data: (m+1,n,d), u.
        noise: (m+1,n,d), y.
        slips: (m,n), a bound on what rounds in forming the point at each impulse: a further impulse.
        of_data: (m+1,n), a bound on the rounding of u.
        of_noise: (m+1,n), that of y.
    """

    data: Float[np.ndarray, "k n d"]
    noise: Float[np.ndarray, "k n d"]
    slips: Float[np.ndarray, "m n"]
    of_data: Float[np.ndarray, "k n"]
    of_noise: Float[np.ndarray, "k n"]


def kicked(field: ExactField, s: float, x: ArrayLike, times: Sequence[float], kicks: ArrayLike) -> Kicked:
    """The exact flow from x (n,d) at time s, with kicks[j] (n,d) added at times[j].

    The computed path is exactly a path with impulses ``kicks + slips``: what rounds is counted as an error
    of the field, to which the same theorem applies.

    Args:
        field: The exact field.
        s: Start, in (0, 1).
        x: (n,d).
        times: m times, not decreasing, in [s, 1).
        kicks: (m,n,d).

    Raises:
        ValueError: If a time is out of range or order, or shapes disagree.

    Example:
        >>> from numerics.potentials import FiniteAtoms
        >>> field = ExactField(FiniteAtoms.hypercube(1))
        >>> kicked(field, 0.25, [[0.0]], [0.5], [[[0.25]]]).data[:, 0, 0].tolist()  # u moves by kick/β
        [0.0, 0.5]
    """
    start, pushes = as_points("x", x, field.potential.dim), _errors("kicks", kicks, x)
    if len(times) != len(pushes):
        raise ValueError(f"times: got {len(times)} for {len(pushes)} kicks; give one each")
    if (np.diff([s, *times]) < 0).any():
        raise ValueError(f"times: got {list(times)} after s = {s}; they must not decrease")
    pairs = [pair_of(field, s, start)]
    slips = []
    for t, push in zip(times, pushes, strict=True):
        alpha, beta = float(field.schedule.alpha(t)), float(field.schedule.beta(t))
        y, u, of_y, of_u = pairs[-1]
        at = alpha * y + beta * u + push
        size = alpha * norms(y) + beta * norms(u) + norms(push)
        slips.append(alpha * of_y + beta * of_u + Rounding(size, 3, "αy + βu + kick").bound)
        pairs.append(pair_of(field, t, at))
    noise, data, of_noise, of_data = (np.array(part) for part in zip(*pairs, strict=True))
    return Kicked(data, noise, np.array(slips).reshape(len(pushes), len(start)), of_data, of_noise)


def pair_of(field: ExactField, t: float, x: Points) -> tuple[np.ndarray, ...]:
    """(y, u, of_y, of_u): noise and data (n,d) of points, and what they round (n,), from one solve.

    The bounds are those of `FieldRoundings`.

    Raises:
        ValueError: If t is not in (0, 1).

    Example:
        >>> from numerics.flows import ExactField
        >>> from numerics.potentials import FiniteAtoms
        >>> field = ExactField(FiniteAtoms.hypercube(1))
        >>> noise, data, of_noise, of_data = pair_of(field, 0.5, np.array([[2.0]]))
        >>> noise.tolist(), data.tolist()  # 2 = ½·3 + ½·1
        ([[3.0]], [[1.0]])
    """
    _inside("times", t)
    alpha, beta = float(field.schedule.alpha(t)), float(field.schedule.beta(t))
    found = field.potential.proximal_point(x / beta, alpha / beta)
    u = found.point
    formed = Rounding(norms(found.z) + norms(found.z - u), 1, "x/β and α/β")
    of_u = found.rounding.point + formed
    of_y = of_u.amplified(beta / alpha) + Rounding((norms(x) + beta * norms(u)) / alpha, 3, "x − βu over α")
    return (x - beta * u) / alpha, u, of_y.bound, of_u.bound


def kick_bound(betas: ArrayLike, sizes: ArrayLike) -> Float[np.ndarray, " n"]:
    """Σ_j |k_j|/β_j (n,), the most by which u moves (N3 (2)), for betas (m,) and sizes (m,n) ≥ 0.

    Example:
        >>> kick_bound([0.5, 1.0], [[0.25], [0.25]]).tolist()
        [0.75]
    """
    return np.asarray((np.asarray(sizes) / np.asarray(betas, dtype=float)[:, None]).sum(axis=0))


def euler_steps(velocity: Velocity, x0: ArrayLike, errors: ArrayLike) -> Float[np.ndarray, "k n d"]:
    """Euler's steps x_{k+1} = x_k + (v(k/m, x_k) + e_k)/m from 0 to 1: all m+1 positions.

    Args:
        velocity: v(t, x), x (n,d).
        x0: (n,d).
        errors: (m,n,d), e.

    Raises:
        ValueError: If shapes disagree.

    Example:
        >>> euler_steps(lambda t, x: x, [[1.0]], [[[0.0]], [[1.0]]])[:, 0, 0].tolist()  # the last adds ½
        [1.0, 1.5, 2.75]
    """
    e = _errors("errors", errors, x0)
    path = [np.asarray(x0, dtype=float)]
    for k, error in enumerate(e):
        path.append(path[-1] + (velocity(k / len(e), path[-1]) + error) / len(e))
    return np.array(path)


def euler_bound(sizes: ArrayLike) -> Float[np.ndarray, " n"]:
    """Σ_{k≤m−2} |e_k|/(k+1) + |e_{m−1}|/m (n,), the most by which Euler's end is off T(x₀) (N3 (5)).

    Args:
        sizes: (m,n), |e_k|.

    Example:
        >>> euler_bound([[1.0], [1.0], [3.0]]).tolist()  # 1/1 + 1/2 + 3/3
        [2.5]
    """
    lengths = as_array("sizes", sizes, ndim=2)
    steps = np.append(np.arange(1, len(lengths)), len(lengths)).astype(float)
    return np.asarray((lengths / steps[:, None]).sum(axis=0))


def response(
    spread: ArrayLike, schedule: Schedule, times: ArrayLike, errors: ArrayLike, weights: ArrayLike
) -> Points:
    """Σ_j w_j K(α_j I + β_j K)⁻¹ e_j (n,d), to first order what errors do to the end (N3 (4)).

    In the eigenvectors of K a component is multiplied by κ/(α + βκ): by 0 where κ = 0.

    Args:
        spread: (n,d,d), K(x₀), symmetric and positive semidefinite.
        schedule: (α, β).
        times: (m,), in (0, 1].
        errors: (m,n,d).
        weights: (m,), of a quadrature rule, or 1 for impulses.

    Raises:
        ValueError: If shapes disagree.

    Example:
        >>> from numerics.schedules import Linear
        >>> response([[[3.0]]], Linear(), [0.5], [[[1.0]]], [1.0]).tolist()  # 3/(½ + ½·3)
        [[1.5]]
    """
    kappa, frame = np.linalg.eigh(np.asarray(spread, dtype=float))
    kappa = np.maximum(kappa, 0.0)
    e = _errors("errors", errors, frame[:, 0])
    alpha, beta = (np.atleast_1d(part(np.asarray(times))) for part in (schedule.alpha, schedule.beta))
    if not len(alpha) == len(e) == len(np.atleast_1d(weights)):
        raise ValueError(f"times: got {len(alpha)} for {len(e)} errors; give one each, and a weight")
    within = np.einsum("nij,mni->mnj", frame, e)
    floor = alpha[:, None, None] + beta[:, None, None] * kappa
    gain = np.divide(kappa, floor, out=np.zeros_like(floor), where=kappa > 0)
    total = np.einsum("m,mnj,mnj->nj", np.atleast_1d(np.asarray(weights, dtype=float)), gain, within)
    return np.asarray(np.einsum("nij,nj->ni", frame, total))


def euler_response(spread: ArrayLike, errors: ArrayLike) -> Points:
    """The same of Euler's steps: (1/m)Σ_{k≤m−2} K(αI+βK)⁻¹|_{(k+1)/m} e_k + e_{m−1}/m (N3 (5)).

    Example:
        >>> euler_response([[[1.0]]], [[[1.0]], [[1.0]]]).tolist()  # K = 1: ½·1 + ½·1
        [[1.0]]
    """
    e = np.asarray(errors, dtype=float)
    m = len(e)
    earlier = response(spread, Linear(), np.arange(1, m) / m, e[:-1], np.full(m - 1, 1 / m)) if m > 1 else 0.0
    return np.asarray(earlier + e[-1] / m)


def solved_end(
    field: ExactField,
    s: float,
    x: ArrayLike,
    error: Velocity,
    *,
    remaining: float = 1e-8,
    tolerance: float = 1e-10,
) -> Points:
    """Where x' = v_t(x) + e(t, x) from x (n,d) at time s is heading at 1 − ``remaining``: u there.

    By DOP853 from the field alone, in τ = −log(1−t), in which v, of slope up to 1/(1−t), is not stiff. What
    is left moves u by at most ∫|e|/β over the rest (N3 (2)), and the position by more: (1−t)|v|.

    Args:
        field: The exact field.
        s: Start, in (0, 1).
        x: (n,d).
        error: e(t, x), (n,d).
        remaining: 1 − t at the end, in (0, 1−s).
        tolerance: Relative, and absolute in units of the largest entry of x and the data.

    Raises:
        RuntimeError: If the integrator gives up, with its words.

    Example:
        >>> from numerics.flows import ExactField
        >>> from numerics.potentials import FiniteAtoms
        >>> field = ExactField(FiniteAtoms.hypercube(1))
        >>> solved_end(field, 0.5, [[0.25]], lambda t, x: 0 * x).round(7).tolist()  # 0.25/0.5, in the fan
        [[0.5]]
    """
    _inside("s", s)
    start = as_points("x", x, field.potential.dim)
    shape, size = start.shape, float(np.abs(start).max()) + field.potential.scale

    def slope(tau: float, flat: np.ndarray) -> np.ndarray:
        left, at = float(np.exp(-tau)), flat.reshape(shape)
        full = field.velocity(None, at, remaining=left) + error(1 - left, at)
        return np.asarray(left * full.ravel())

    span = (-np.log1p(-s), -np.log(remaining))
    found = solve_ivp(slope, span, start.ravel(), "DOP853", rtol=tolerance, atol=tolerance * size)
    if not found.success:
        raise RuntimeError(f"integration from {s}: {found.message}")
    return field.denoise(None, found.y[:, -1].reshape(shape), remaining=remaining)


def _inside(name: str, t: float) -> None:
    if not 0 < t < 1:
        raise ValueError(f"{name}: got {t}; it must be in (0, 1)")


def _errors(name: str, errors: ArrayLike, points: ArrayLike) -> Errors:
    """The errors (m,n,d), m ≥ 1, one for each of the points."""
    e, like = as_array(name, errors, ndim=3), np.shape(np.atleast_2d(points))
    if not len(e) or e.shape[1:] != like:
        raise ValueError(f"{name}: got shape {e.shape}; need (m, {', '.join(map(str, like))}) with m ≥ 1")
    return e
