"""What a user's flow makes when it is sampled: up to which time to trust it, in how many steps, and how well.

The normal eigenvalue of (1−t)Dv_t is exactly −1 at all times where the data have codimension (H1, H5, κ = 0);
a network has bounded derivatives and leaves it before t = 1. From the last time at which it follows, one
straight step leads to the data. With errors e_k of the field at the steps' points, an end is off the optimal
datum by at most Σ δ_k|e_k|/t_{k+1} (N3 (5), for steps δ_k of any size: a step is a kick δ_k e_k at t_{k+1}).
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from numerics.flows.exact import ExactField
from numerics.streams import stream
from theorems.setting.user.flow_audits import CLOSE, LATE, TIMES, trajectories
from theorems.setting.user.flow_spectra import is_large, spectra
from theorems.setting.user.flows import UserFlow

Array = NDArray[np.float64]
FOLLOWS = 0.1
"""How near −1 the normal eigenvalue of (1−t)Dv_t must be: chosen."""
STEPS = (1, 2, 4, 8, 16, 32, 64)
FINE = 128
"""The number of steps that the others are held against."""
MOST_SAMPLES, LEAST_SAMPLES, NUMBERS = 200, 20, 25_600
"""Of noise; beyond d = 128 as many as have `NUMBERS` coordinates, as fields cost more there. Chosen."""


@dataclass(frozen=True, eq=False)
class Ending:
    """The end of time.

    Attributes:
        times: (k,), all of `TIMES`, or those of `flow_spectra` in a large dimension.
        normal: (k,), the median of the smallest eigenvalue of (1−t)Dv_t, NaN without codimension.
        share: Share of trajectories with a normal direction: an eigenvalue below −½ somewhere in [0.7, 0.9].
        least: The median smallest eigenvalue of (1−t)Dv_t at t = 0.9.
        t_max: The last time at which the normal eigenvalue is within `FOLLOWS` of −1; the last time asked
            where there is none, NaN where it never is.
        since: From which time on it is so at every time asked up to ``t_max``; NaN where there is none.
        whole: Whether nothing is lost: it follows to the last time. Without a normal direction that is not so
            where there is a target, whose atoms have all; else None, as its data may have none.
    """

    times: Array
    normal: Array
    share: float
    least: float
    t_max: float
    since: float
    whole: bool | None


@cache
def ending(flow: UserFlow) -> Ending:
    """Up to which time the field follows the contraction onto its data."""
    times, smallest = _smallest(flow)
    has = smallest[(times >= 0.69) & (times <= 0.91)].min(axis=0) < -0.5
    least, share = float(np.median(smallest[np.abs(times - TIMES[LATE]).argmin()])), float(has.mean())
    if share < 0.5:
        unknown = np.full(len(times), np.nan)
        return Ending(
            times, unknown, share, least, float(times[-1]), np.nan, None if flow.target is None else False
        )
    normal = np.median(smallest[:, has], axis=1)
    follows = (times >= 0.5) & (np.abs(normal + 1) <= FOLLOWS)
    if not follows.any():
        return Ending(times, normal, share, least, np.nan, np.nan, False)
    last = int(np.flatnonzero(follows)[-1])
    since = int(np.flatnonzero(~follows[: last + 1]).max(initial=-1)) + 1
    t_max = float(times[last])
    return Ending(times, normal, share, least, t_max, float(times[since]), t_max == TIMES[-1])


def _smallest(flow: UserFlow) -> tuple[Array, Array]:
    """Times, and the smallest eigenvalue of (1−t)Dv_t at each of them and each point."""
    if is_large(flow):
        seen = spectra(flow)
        return np.array([one.t for one in seen]), np.array([one.least for one in seen])
    return TIMES, (1 - TIMES)[:, None] * trajectories(flow).eigenvalues[..., -1]


@dataclass(frozen=True, eq=False)
class Sampling:
    """Samples by Euler's method to t_max, and one straight step from there.

    Attributes:
        t_max: Where the last step begins.
        samples: How many were drawn.
        lost: How far the samples of `STEPS` are from those of `FINE`, root mean square over their spread; and
            the same with two standard errors of the mean square.
        steps: The fewest of `STEPS` that lose at most `CLOSE`, these included; `FINE` where none do.
        error: With a target: root mean square of |end − T(x₀)| over that of |T(x₀) − x₀|; else NaN.
        bound: That of N3's bound, from the field's errors on the way.
        broken: How many samples were further off than N3 allows.
        why: Why the last step begins there, where nothing of the field says so.
    """

    t_max: float
    samples: int
    lost: dict[int, tuple[float, float]]
    steps: int
    error: float
    bound: float
    broken: int
    why: str = ""

    @property
    def count(self) -> int | str:
        """How many steps suffice."""
        return self.steps if self.steps < FINE else f"more than {STEPS[-1]}"


@cache
def sampling(flow: UserFlow) -> Sampling:
    """Sample the same noise in several numbers of steps."""
    t_max, why = _last(flow)
    m = samples_in(flow.dim)
    noise = stream(flow.seed, "samples").standard_normal((m, flow.dim))
    ends = {n: steps_to(flow, noise, n, t_max)[0] for n in (*STEPS, FINE)}
    lost = {n: _lost(ends[n], ends[FINE]) for n in STEPS}
    steps = next((n for n in STEPS if lost[n][1] <= CLOSE), FINE)
    if flow.target is None:
        return Sampling(t_max, m, lost, steps, np.nan, np.nan, 0, why)
    potential = flow.target.solution.potential
    data = potential.transport(noise)
    end, allowed = steps_to(flow, noise, steps, t_max, ExactField(potential))
    off, length = np.linalg.norm(end - data, axis=1), _size(data - noise)
    broken = int((off > allowed * (1 + 1e-6) + 1e-9 * (1 + np.abs(data).max())).sum())
    error, bound = _size(end - data) / length, float(np.sqrt((allowed**2).mean()) / length)
    return Sampling(t_max, m, lost, steps, error, bound, broken, why)


def samples_in(d: int) -> int:
    """How many samples are drawn in d dimensions.

    Example:
        >>> [samples_in(d) for d in (2, 128, 784, 3072)]
        [200, 200, 32, 20]
    """
    return int(np.clip(NUMBERS // d, LEAST_SAMPLES, MOST_SAMPLES))


def _lost(ends: Array, fine: Array) -> tuple[float, float]:
    """Root mean square of the distance over the spread of the fine ends, and two standard errors above."""
    spread = max(np.sqrt(fine.var(axis=0).sum()), 1e-300)
    square = ((ends - fine) ** 2).sum(axis=1)
    above = square.mean() + 2 * square.std(ddof=1) / np.sqrt(len(square))
    return float(np.sqrt(square.mean()) / spread), float(np.sqrt(above) / spread)


def _last(flow: UserFlow) -> tuple[float, str]:
    """Where to end the steps; and why at 0.9, where the normal eigenvalue never follows or is not asked."""
    try:
        t_max = ending(flow).t_max
    except ValueError as error:
        return float(TIMES[LATE]), f", chosen, as {error}"
    late = np.isnan(t_max)
    return (float(TIMES[LATE]), ", chosen, as its normal eigenvalue never follows") if late else (t_max, "")


def steps_to(
    flow: UserFlow, noise: Array, n: int, t_max: float, exact: ExactField | None = None
) -> tuple[Array, Array]:
    """Euler's n−1 equal steps to t_max and one from there to 1: the ends (n,d), and what N3 allows (n,)."""
    times = np.append(np.linspace(0.0, t_max, n), 1.0) if n > 1 else np.array([0.0, 1.0])
    x, allowed = noise, np.zeros(len(noise))
    for t, after in pairwise(times):
        v = flow.velocity(t, x)
        if exact is not None:
            allowed += (after - t) / after * np.linalg.norm(v - exact.velocity(t, x), axis=1)
        x = x + (after - t) * v
    return x, allowed


def _size(x: Array) -> float:
    return float(np.sqrt((x**2).sum(axis=1).mean()))
