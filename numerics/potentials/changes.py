"""How much a matrix field changes within a ball: what the rounding of an argument costs a Jacobian."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float


def change_within(
    jacobian: Callable[[Float[np.ndarray, "k d"]], Float[np.ndarray, "k d d"]],
    x: Float[np.ndarray, "n d"],
    radius: Float[np.ndarray, " n"],
    reach: Float[np.ndarray, " n"],
) -> Float[np.ndarray, " n"]:
    """Change of a matrix field within ``radius``, from central differences along the axes.

    They are taken over 1e−4 of ``reach``, the length over which the field bends, where that is more than the
    radius; the directions' squares add (Cauchy–Schwarz), so that no direction changes it by more.
    """
    n, d = x.shape
    width = np.maximum(radius, 1e-4 * reach)
    shift = width[:, None, None] * np.eye(d)
    ends = [(x[:, None, :] + sign * shift).reshape(n * d, d) for sign in (1, -1)]
    rise = (jacobian(ends[0]) - jacobian(ends[1])).reshape(n, d, -1)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        slope = np.sqrt((rise**2).sum(axis=(1, 2))) / (2 * width)
    return np.where(radius > 0, slope * radius, 0.0)
