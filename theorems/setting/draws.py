"""The noise of one draw, and how many points of it a target can afford."""

import numpy as np

from numerics.potentials import Potential


def generator(seed: int) -> np.random.Generator:
    """The noise of one draw."""
    return np.random.default_rng(seed)


def few(target: Potential, n: int) -> int:
    """N points, or n/10, at least 4, where faces are polished one at a time."""
    return n if target.traits.batched else max(4, n // 10)
