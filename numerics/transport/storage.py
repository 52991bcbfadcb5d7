"""Solved targets on disk: arrays in an npz file, no pickle, with a hash that tells damage."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from numerics.transport.archives import read_arrays, write_arrays
from numerics.transport.solution import SemidiscreteSolution

FORMAT = "otcfm-theorems semidiscrete solution 1"


def save(solution: SemidiscreteSolution, path: str | Path) -> Path:
    """Write a solution to ``path`` (.npz); an unfinished file never stands under that name.

    Args:
        solution: What `semidiscrete.solve` returned.
        path: Where to; ``.npz`` is added where it is missing.

    Returns:
        The path of the file.

    Raises:
        FileExistsError: If the file exists: nothing is overwritten.
        FileNotFoundError: If its folder doesn't exist.

    Example:
        >>> import tempfile
        >>> from numerics.transport import solve
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     place = save(solve([[0.0], [1.0]]), folder + "/two")
        ...     bool(np.array_equal(load(place).heights, solve([[0.0], [1.0]]).heights))
        True
    """
    place = Path(path)
    place = place if place.suffix == ".npz" else place.with_name(place.name + ".npz")
    return write_arrays(
        place, FORMAT, {field.name: np.asarray(getattr(solution, field.name)) for field in fields(solution)}
    )


def load(path: str | Path) -> SemidiscreteSolution:
    """Read what `save` wrote.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file, or damaged, or of another format,
            naming the file and what is wrong.

    Example:
        >>> import tempfile
        >>> from numerics.transport import save, solve
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     load(save(solve([[0.0], [1.0]]), folder + "/two")).masses.tolist()
        [0.5, 0.5]
    """
    names = {field.name for field in fields(SemidiscreteSolution)}
    arrays = read_arrays(path, FORMAT, names, "solution")
    return SemidiscreteSolution(**{name: _value(array) for name, array in arrays.items()})


def _value(array: np.ndarray) -> Any:
    return array if array.ndim else array.item()
