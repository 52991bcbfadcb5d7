"""The times at which a field is evaluated: t or remaining = 1 − t, one for all points or one each."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.schedules import Schedule


@dataclass(frozen=True)
class Coefficients:
    """α, β and their derivatives at the times of n points, each (n,)."""

    alpha: Float[np.ndarray, " n"]
    beta: Float[np.ndarray, " n"]
    alpha_dot: Float[np.ndarray, " n"]
    beta_dot: Float[np.ndarray, " n"]


def coefficients(
    schedule: Schedule, t: ArrayLike | None, remaining: ArrayLike | None, n: int
) -> Coefficients:
    """Evaluate a schedule for n points, refusing t = 1, where fields have no value.

    Raises:
        ValueError: If a time is outside [0, 1), or there are neither 1 nor n of them.
    """
    parts = schedule.coefficients(t, remaining=remaining)
    alpha = parts[0]
    if alpha.ndim == 1 and len(alpha) != n:
        raise ValueError(f"t: got {len(alpha)} times for {n} points; give one or {n}")
    if not (alpha > 0).all():
        raise ValueError("t: the field has no value at t = 1; pass remaining = 1 - t > 0 to come close")
    return Coefficients(*(part if part.ndim else np.full(n, part) for part in parts))
