"""The noise of one draw, and points of it that keep apart."""

import numpy as np
from jaxtyping import Float

from numerics.geometry import norms

MOST_NUMBERS = 2**21
"""In one batch of Jacobians: 16 MB. Chosen."""


def generator(seed: int) -> np.random.Generator:
    """The noise of one draw."""
    return np.random.default_rng(seed)


def affordable(n: int, d: int) -> int:
    """How many points are asked for their (d,d) Jacobians: n, but fewer of a user's target where d is large.

    At most `MOST_NUMBERS` numbers in all, and at least 4 points. Our targets have d ≤ 64: all n are asked.
    """
    return min(n, max(4, MOST_NUMBERS // d**2))


def apart(n: int, d: int, least: float, rng: np.random.Generator) -> tuple[Float[np.ndarray, "n d"], int]:
    """N normal points, no two nearer than ``least``, and how many were left out for that.

    Of two points that are very near, stochastic Newton leaves one without mass.
    """
    points, drawn = rng.standard_normal((1, d)), 1
    while len(points) < n:
        new, drawn = rng.standard_normal(d), drawn + 1
        if norms(points - new).min() >= least:
            points = np.concatenate([points, new[None]])
    return points, drawn - n
