"""Solved targets on disk: arrays in an npz file, no pickle, with a hash that tells damage."""

import hashlib
import struct
import zipfile
import zlib
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from numerics.transport.solution import SemidiscreteSolution

UNREADABLE = (
    *(OSError, ValueError, EOFError, KeyError, AttributeError, TypeError, SyntaxError, struct.error),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
)
"""What NumPy and zipfile raise at bytes that are no archive of arrays."""
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
    if place.exists():
        raise FileExistsError(f"{place}: exists; nothing is overwritten")
    arrays: dict[str, Any] = {
        field.name: np.asarray(getattr(solution, field.name)) for field in fields(solution)
    }
    unfinished = place.with_name(f".{place.name}.part")
    try:
        with unfinished.open("wb") as file:
            np.savez(file, format=FORMAT, digest=_digest(arrays), **arrays)
        unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)
    return place


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
    arrays = _arrays(Path(path))
    if str(arrays.pop("format", "")) != FORMAT:
        raise ValueError(f"{path}: is no solution that was saved by this version ({FORMAT})")
    kept = str(arrays.pop("digest", ""))
    names = {field.name for field in fields(SemidiscreteSolution)}
    if set(arrays) != names:
        raise ValueError(f"{path}: has arrays {sorted(arrays)}, need {sorted(names)}")
    if _digest(arrays) != kept:
        raise ValueError(f"{path}: is damaged: its arrays don't have the hash that was written with them")
    return SemidiscreteSolution(**{name: _value(array) for name, array in arrays.items()})


def _arrays(path: Path) -> dict[str, np.ndarray]:
    with path.open("rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except UNREADABLE as error:
            raise ValueError(f"{path}: cannot be read as an npz file ({error})") from None


def _value(array: np.ndarray) -> Any:
    return array if array.ndim else array.item()


def _digest(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode() + array.tobytes())
    return digest.hexdigest()
