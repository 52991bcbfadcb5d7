"""Samples of a flow: Euler's method, as in the notes' algorithm 2, and an adaptive one (docs/theory.md F8).

Any field velocity(t, x) with t a number and x (n,d) will do: exact, independent, learned, or a user's.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from numerics.checks import as_array, positive_integer, positive_number

Points = Float[np.ndarray, "n d"]
Velocity = Callable[[float, np.ndarray], np.ndarray]


def euler(
    velocity: Velocity, x0: ArrayLike, steps: int, *, start: float = 0.0, stop: float = 1.0
) -> Float[np.ndarray, "k n d"]:
    """x_{t+δ} = x_t + δ·v(t, x_t) from x0 (n,d) in equal steps: the path (steps+1,n,d).

    The field is never asked at ``stop``. The error is O(δ) for a smooth field, and 0 for an exact OT-CFM
    field with the linear schedule, whose trajectories are straight at constant speed (P6).

    Raises:
        ValueError: If an argument is out of range, or the field returns another shape.

    Example:
        >>> euler(lambda t, x: x, [[1.0]], steps=2)[:, 0, 0].tolist()
        [1.0, 1.5, 2.25]
    """
    path = [_noise(x0)]
    times = _interval(start, stop, positive_integer("steps", steps))
    for t, after in pairwise(times):
        path.append(path[-1] + (after - t) * _asked(velocity, float(t), path[-1]))
    return np.stack(path)


def integrate(
    velocity: Velocity, x0: ArrayLike, times: ArrayLike, *, tolerance: float = 1e-6, start: float = 0.0
) -> Float[np.ndarray, "k n d"]:
    """The flow of x0 (n,d) at the times asked for (k,), by SciPy's DOP853 with step control: (k,n,d).

    The whole batch takes the same steps; ``tolerance`` (relative and absolute) bounds the root mean square of
    the local error over it, so that one point of n may err √n times more.

    Raises:
        ValueError: If times don't increase within [start, 1], or the field returns another shape.
        RuntimeError: If the integrator fails.

    Example:
        >>> round(float(integrate(lambda t, x: x, [[1.0]], [1.0], tolerance=1e-10)[0, 0, 0]), 8)  # e
        2.71828183
    """
    noise = _noise(x0)
    wanted = np.atleast_1d(as_array("times", times, ndim=(0, 1)))
    if wanted[0] < start or wanted[-1] > 1 or (np.diff(wanted) <= 0).any():
        raise ValueError(f"times: got {wanted.tolist()}; need increasing times in [{start}, 1]")

    def right(t: float, state: np.ndarray) -> np.ndarray:
        return _asked(velocity, t, state.reshape(noise.shape)).ravel()

    tol = positive_number("tolerance", tolerance)
    found = solve_ivp(
        right, (start, wanted[-1]), noise.ravel(), method="DOP853", t_eval=wanted, rtol=tol, atol=tol
    )
    if not found.success:
        raise RuntimeError(f"integration from t = {start} to {wanted[-1]} failed: {found.message}")
    return np.asarray(found.y.T.reshape(-1, *noise.shape))


def _noise(x0: ArrayLike) -> Points:
    return np.asarray(as_array("x0", x0, ndim=2), dtype=np.float64)


def _interval(start: float, stop: float, steps: int) -> Float[np.ndarray, " k"]:
    if not 0 <= start < stop <= 1:
        raise ValueError(f"stop: got {stop} after start = {start}; need 0 ≤ start < stop ≤ 1")
    return np.linspace(start, stop, steps + 1)


def _asked(velocity: Velocity, t: float, x: Points) -> Points:
    value = np.asarray(velocity(t, x))
    if value.shape != x.shape:
        raise ValueError(f"velocity: got shape {value.shape} for x of shape {x.shape} at t = {t}")
    return value
