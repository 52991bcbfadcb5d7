"""Solved targets on disk: arrays in an npz file, no pickle, with hashes of data and of the solving code."""

import logging
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from numerics.fingerprint import fingerprint
from numerics.transport.archives import read_arrays, write_arrays
from numerics.transport.solution import SemidiscreteSolution

FORMAT = "otcfm-theorems semidiscrete solution 1"
LATER = {"solved_by": ""}
"""Fields that files of this format did not have at first, and what their absence means."""
_log = logging.getLogger(__name__)


def save(solution: SemidiscreteSolution, path: str | Path) -> Path:
    """Write a solution to ``path`` (.npz); an unfinished file never stands under that name.

    With the solution go a hash of its arrays, which tells damage, and `SemidiscreteSolution.solved_by`: the
    version and a hash of the code that solved it.

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
        ...     load(place).solved_by == fingerprint()
        True
        True
    """
    place = Path(path)
    place = place if place.suffix == ".npz" else place.with_name(place.name + ".npz")
    return write_arrays(
        place, FORMAT, {field.name: np.asarray(getattr(solution, field.name)) for field in fields(solution)}
    )


def load(path: str | Path) -> SemidiscreteSolution:
    """Read what `save` wrote.

    That other code solved it is no error, as a solution states what it errs by itself: the log says so, in a
    warning that names both, and ``solved_by`` stays as it was.

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
    arrays = read_arrays(path, FORMAT, names, "solution", later=LATER.keys())
    solution = SemidiscreteSolution(**LATER | {name: _value(array) for name, array in arrays.items()})
    if solution.solved_by != fingerprint():
        by = solution.solved_by or "an earlier version, which did not say"
        _log.warning("%s: solved by %s; this is %s, which may find other heights", path, by, fingerprint())
    return solution


def _value(array: np.ndarray) -> Any:
    return array if array.ndim else array.item()
