"""The times at which a field is evaluated: t or remaining = 1 − t, one for all points or one each."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.schedules import Schedule

_LEAST = float(np.finfo(float).tiny)


@dataclass(frozen=True)
class Coefficients:
    """α, β and their derivatives at the times of n points, each (n,)."""

    alpha: Float[np.ndarray, " n"]
    beta: Float[np.ndarray, " n"]
    alpha_dot: Float[np.ndarray, " n"]
    beta_dot: Float[np.ndarray, " n"]

    def take(self, rows: np.ndarray | slice) -> "Coefficients":
        """Those of some of the points."""
        return Coefficients(self.alpha[rows], self.beta[rows], self.alpha_dot[rows], self.beta_dot[rows])


def coefficients(
    schedule: Schedule, t: ArrayLike | None, remaining: ArrayLike | None, n: int
) -> Coefficients:
    """Evaluate a schedule for n points, refusing t = 1, where fields have no value.

    Raises:
        ValueError: If a time is outside [0, 1), so near to an end that α or β is no normal number, or there
            are neither 1 nor n of them.
    """
    parts = schedule.coefficients(t, remaining=remaining)
    alpha = parts[0]
    if alpha.ndim == 1 and len(alpha) != n:
        raise ValueError(f"t: got {len(alpha)} times for {n} points; give one or {n}")
    if not (alpha > 0).all():
        raise ValueError("t: the field has no value at t = 1; pass remaining = 1 - t > 0 to come close")
    if (alpha < _LEAST).any():
        raise ValueError(f"t: alpha is {float(alpha.min())} at a time so near to 1 that 1/alpha overflows")
    beta = parts[1]
    if ((beta > 0) & (beta < _LEAST)).any():
        least = float(beta[beta > 0].min())
        raise ValueError(f"t: beta is {least} at a time so near to 0 that 1/beta overflows; take t = 0")
    return Coefficients(*(part if part.ndim else np.full(n, part) for part in parts))


def proximal_problem(
    points: Float[np.ndarray, "n d"], c: Coefficients
) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, " n"]]:
    """(z, λ) = (x/β, α/β) (n,d), (n,), of which prox_{λφ}(z) is x₁; β > 0.

    Raises:
        ValueError: If x/β overflows.
    """
    with np.errstate(over="ignore"):
        z = points / c.beta[:, None]
    if not np.isfinite(z).all():
        row = int(np.flatnonzero(~np.isfinite(z).all(axis=1))[0])
        raise ValueError(f"t: x/beta overflows in row {row}, where beta is {float(c.beta[row])}; take t = 0")
    return z, c.alpha / c.beta


def refuse_large_squares(z: Float[np.ndarray, "n d"]) -> None:
    """Raise a ValueError where |z|², z = x/β, is no number, or nearly: envelopes are squares of lengths."""
    with np.errstate(over="ignore"):
        large = np.flatnonzero(~np.isfinite(4 * (z * z).sum(axis=1)))
    if large.size:
        row, entry = int(large[0]), float(np.abs(z[large[0]]).max())
        raise ValueError(
            f"t: |x/beta|² overflows in row {row}, where x/beta has an entry {entry}; take t = 0"
        )
