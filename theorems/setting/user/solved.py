"""Targets that were solved before: what `numerics.transport.save` and `save_heights` wrote, as --target.

Neither is solved from the beginning: a solution is used as it is, and from kept heights solving goes on. Both
carry a hash, and a damaged file is refused; of a forged one shapes and numbers are looked at, and what its
heights induce is asked by the audits, as of every solution.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from numerics.checks import as_array
from numerics.transport import load, load_heights
from theorems.setting.user.arrays import Read, names_of, read_npz, refuse_large

KEPT = {"points", "weights", "heights"}
SIGNED = {"format", "digest"}
"""Arrays that both kinds have, and those that no other archive has beside these."""
OF_POINTS = ("heights", "masses", "uncertainty", "stalled")
T = TypeVar("T")


def read_archive(file: Path) -> Read:
    """An .npz: solved, with heights to go on from, or points and weights.

    Raises:
        ValueError: If it is none of these, or damaged.
    """
    names = set(names_of(file))
    if names >= KEPT and names & SIGNED:
        refuse_large(file)
        return _solution(file) if "masses" in names else _heights(file)
    return read_npz(file)


def _solution(file: Path) -> Read:
    found = _named(file, lambda: load(file))
    n = len(as_array("points", found.points, ndim=2))
    for name in OF_POINTS:
        _refuse_other_shape(name, getattr(found, name), n)
    how = f"{found.method}, {found.iterations} steps"
    note = f"it holds its solution ({how}), which is used as it is: nothing is solved"
    return Read(found.points, found.weights, (note,), solution=found)


def _heights(file: Path) -> Read:
    read = read_npz(file)
    assert read.weights is not None
    points, weights = read.points, read.weights
    start = _named(file, lambda: load_heights(file, points, weights))
    _refuse_other_shape("heights", start, len(points))
    note = "it holds heights that an earlier run had reached: solving goes on from there"
    return Read(points, weights, (note,), start=start)


def _refuse_other_shape(name: str, array: np.ndarray, n: int) -> None:
    if len(as_array(name, array, ndim=1)) != n:
        raise ValueError(f"{name}: got {len(array)} for {n} points")


def _named(file: Path, read: Callable[[], T]) -> T:
    """What is wrong, without the path, which the option says."""
    try:
        return read()
    except ValueError as error:
        raise ValueError(str(error).removeprefix(f"{file}: ")) from None
