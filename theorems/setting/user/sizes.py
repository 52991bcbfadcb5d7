"""How large a point cloud may be, said before it is read."""

from pathlib import Path

import numpy as np

MOST_BYTES = 2**30
"""Of a file: far more than the largest cloud below takes as text."""
MOST_POINTS = 100_000
"""In dimension 1 and 2, where cells are exact; more than the benchmarks have solved."""
MOST_POINTS_IN_SPACE = 20_000
"""In dimension 3, where cells are exact too: under a minute."""
MOST_POINTS_SAMPLED, MOST_SPANNED = 5_000, 320_000
"""In dimension 4 and more, n and n·k; k = min(d, n−1) is the dimension that n points span at most."""
MOST_NUMBERS = 1_000_000
"""n·d: beyond, the audits take matrices (d, d) that do not fit."""

FARTHEST = 1e150
"""Of a coordinate: squares of distances, and sums of a million of them, are finite."""


def refuse_bytes(file: Path) -> None:
    """Pass if the file is at most `MOST_BYTES` long.

    Raises:
        ValueError: If it is longer, with its size and the limit.
    """
    found = file.stat().st_size
    if found > MOST_BYTES:
        raise ValueError(f"the file has {found} bytes; at most {MOST_BYTES} are read: give a subsample")


def refuse_size(name: str, shape: tuple[int, ...]) -> None:
    """Pass if so many points of such dimension can be solved.

    Args:
        name: Of the array, for the message.
        shape: (n, d), or (n,) of weights.

    Raises:
        ValueError: If not, with the shape and the limit.
    """
    n, d = shape[0], shape[1] if len(shape) == 2 else 1
    if n > MOST_POINTS:
        raise ValueError(f"{name}: got shape {shape}; at most {MOST_POINTS} points can be solved")
    if d == 3 and n > MOST_POINTS_IN_SPACE:
        raise ValueError(f"{name}: got shape {shape}; in dimension 3 at most {MOST_POINTS_IN_SPACE} points")
    if d > 3 and (n > MOST_POINTS_SAMPLED or n * min(d, n - 1) > MOST_SPANNED or n * d > MOST_NUMBERS):
        raise ValueError(
            f"{name}: got shape {shape}, {n * d} numbers; from dimension 4 on at most {MOST_POINTS_SAMPLED}"
            f" points, {MOST_NUMBERS} numbers and n·min(d, n−1) = {MOST_SPANNED} can be solved: give a"
            " subsample, or fewer dimensions"
        )


def refuse_far(points: np.ndarray) -> None:
    """Pass if squares of distances between points (n,d) do not overflow.

    Raises:
        ValueError: If a coordinate is beyond `FARTHEST`, naming the first.
    """
    far = np.argwhere(np.abs(points) > FARTHEST)
    if len(far):
        index = tuple(int(k) for k in far[0])
        raise ValueError(
            f"points: entry {index} is {points[index]}, beyond {FARTHEST:g}, where squares overflow: divide"
            " all by a scale"
        )
