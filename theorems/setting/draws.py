"""The noise of one draw."""

import numpy as np


def generator(seed: int) -> np.random.Generator:
    """The noise of one draw."""
    return np.random.default_rng(seed)
