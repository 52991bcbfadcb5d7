"""Trajectories with a measured error, forwards or backwards: the same integration at two tolerances.

`numerics.flows.sampling` integrates once, for samples; here the error is part of the answer.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from numerics.checks import as_array

Rate = Callable[[float, Float[np.ndarray, "n m"]], Float[np.ndarray, "n m"]]
_FINE, _COARSE = 1e-12, 1e-9


@dataclass(frozen=True)
class Trajectory:
    """States (k,n,m) at k times, and a bound on their error (k,).

    The error is the largest move of any entry from the coarse tolerance to the fine one, which is three
    decades sharper, and sixteen times the fine tolerance, for where the two happen to meet: a bound for the
    fine solution while the coarse one is resolved at all.

    Example:
        >>> grown = trajectory(lambda t, z: z, [[1.0]], [0.0, 1.0])
        >>> bool(abs(grown.states[-1, 0, 0] - np.e) <= grown.error[-1])
        True
    """

    states: Float[np.ndarray, "k n m"]
    error: Float[np.ndarray, " k"]


def trajectory(rate: Rate, start: ArrayLike, times: ArrayLike) -> Trajectory:
    """Solve dz/dt = rate(t, z) from z(times[0]) = start, with z(times[k]) at every time.

    Runge–Kutta of order 8 with adaptive steps [@dormand1980family].

    Args:
        rate: The right-hand side, (t, (n,m)) → (n,m).
        start: (n,m).
        times: (k,) monotone, k ≥ 2; decreasing times integrate backwards.

    Raises:
        ValueError: If there are fewer than two times, they aren't strictly monotone, or no step succeeds.

    Example:
        >>> found = trajectory(lambda t, z: 0 * z + 2 * t, [[1.0]], [0.0, 1.0, 3.0])
        >>> found.states[:, 0, 0].round(12).tolist()  # 1 + t²
        [1.0, 2.0, 10.0]
    """
    first = as_array("start", start, ndim=2)
    at = as_array("times", times, ndim=1)
    steps = np.diff(at)
    if len(at) < 2 or not ((steps > 0).all() or (steps < 0).all()):
        raise ValueError(f"times: got {at.tolist()}; need two or more, all rising or all falling")
    fine, coarse = (_solved(rate, first, at, tolerance) for tolerance in (_FINE, _COARSE))
    least = 16 * _FINE * (1 + np.abs(fine).max(axis=(1, 2)))
    return Trajectory(fine, np.abs(fine - coarse).max(axis=(1, 2)) + least)


def _solved(
    rate: Rate, start: Float[np.ndarray, "n m"], times: Float[np.ndarray, " k"], tolerance: float
) -> Float[np.ndarray, "k n m"]:
    solution = solve_ivp(
        lambda t, z: rate(t, z.reshape(start.shape)).ravel(),
        (times[0], times[-1]),
        start.ravel(),
        method="DOP853",
        t_eval=times,
        rtol=tolerance,
        atol=tolerance,
    )
    if not solution.success:
        raise ValueError(f"rate: could not be integrated to t = {times[-1]} ({solution.message})")
    return solution.y.T.reshape(len(times), *start.shape)
