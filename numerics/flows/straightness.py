r"""How far trajectories are from straight lines at constant speed (docs/theory.md P6, F7).

$S = \int_0^1 |\dot x_t - (x_1 - x_0)|^2\,dt = \int_0^1 |\dot x_t|^2\,dt - |x_1 - x_0|^2$, averaged over
trajectories the straightness number of [@liu2023flow]. It is 0 exactly where speed is constant, too: a path
that is geometrically straight but speeds up has S > 0.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.checks import as_array


def straightness(t: ArrayLike, path: ArrayLike, velocity: ArrayLike | None = None) -> Float[np.ndarray, " n"]:
    r"""$\int_a^b |\dot x_t - (x_b - x_a)/(b - a)|^2\,dt$ of each trajectory, a and b its first and last time.

    Without velocities it is exact for the polygon through the points, and so, by Jensen's inequality, at most
    that of the curve: it misses about $\frac{1}{12}\int h^2|\ddot x|^2\,dt$ for steps h. With velocities it
    is exact for the cubic Hermite spline, whose error is $O(h^4)$.

    Args:
        t: (k,) increasing, k ≥ 2.
        path: (k,n,d), the trajectories at these times; with two times and no velocities S is 0.
        velocity: (k,n,d), their velocities at these times.

    Returns:
        (n,) numbers, at least 0 but for rounding of the squares; average them for E.

    Raises:
        ValueError: If times do not increase, or shapes disagree.
    """
    times = as_array("t", t, ndim=1)
    points = as_array("path", path, ndim=3)
    if len(times) != len(points) or len(times) < 2:
        raise ValueError(
            f"path: got {len(points)} points a trajectory for {len(times)} times, need k ≥ 2 each"
        )
    step = np.diff(times)[:, None, None]
    if (step <= 0).any():
        raise ValueError(f"t: got {times.tolist()}; times must increase")
    mean = (points[-1] - points[0]) / (times[-1] - times[0])
    slope = np.diff(points, axis=0) / step
    result = (step * (slope - mean) ** 2).sum(axis=(0, 2))
    if velocity is not None:
        speed = as_array("velocity", velocity, ndim=3)
        if speed.shape != points.shape:
            raise ValueError(f"velocity: got shape {speed.shape} for a path of shape {points.shape}")
        before, after = speed[:-1] - slope, speed[1:] - slope
        bend = 2 * before**2 - before * after + 2 * after**2
        result = result + (step * bend).sum(axis=(0, 2)) / 15
    return np.asarray(result)
