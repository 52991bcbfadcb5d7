"""Streams of random numbers for what the library draws by itself, from a seed that its user may have used."""

from zlib import crc32

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """A generator that is independent of ``default_rng(seed)`` and of those of other names.

    Data are often drawn by ``default_rng(0)``. Noise of the same stream would be these very data.

    Args:
        seed: At least 0.
        name: Of what is drawn.

    Raises:
        ValueError: If the seed is negative, by NumPy.

    Example:
        >>> bool(stream(0, "noise").random() == np.random.default_rng(0).random())
        False
        >>> stream(0, "noise").random() == stream(0, "noise").random()
        True
    """
    return np.random.default_rng([seed, crc32(name.encode())])
