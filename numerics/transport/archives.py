"""Arrays on disk: an npz file without pickle, with the name of its kind and a hash that tells damage."""

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

import numpy as np

UNREADABLE = (
    *(OSError, ValueError, EOFError, KeyError, AttributeError, TypeError, SyntaxError, struct.error),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
)
"""What NumPy and zipfile raise at bytes that are no archive of arrays."""


def free(path: Path) -> Path:
    """A path at which there is nothing yet: the one given, or with a number.

    Args:
        path: Such as ``cloud.npz``; where it exists ``cloud-2.npz``, and so on.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     (Path(folder) / "a.npz").touch()
        ...     free(Path(folder) / "a.npz").name
        'a-2.npz'
    """
    place, number = path, 2
    while place.exists():
        place = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return place


def write_arrays(place: Path, kind: str, arrays: Mapping[str, Any]) -> Path:
    """Write arrays to a file that does not exist; an unfinished one never stands under that name.

    Raises:
        FileExistsError: If the file exists: nothing is overwritten.
        FileNotFoundError: If its folder doesn't exist.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     place = write_arrays(Path(folder) / "a.npz", "example 1", {"x": np.array([1.0])})
        ...     read_arrays(place, "example 1", {"x"}, "example")["x"].tolist()
        [1.0]
    """
    if place.exists():
        raise FileExistsError(f"{place}: exists; nothing is overwritten")
    unfinished = place.with_name(f".{place.name}.part")
    try:
        with unfinished.open("wb") as file:
            np.savez(file, format=kind, digest=_digest(arrays), **arrays)
        unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)
    return place


def read_arrays(
    path: str | Path, kind: str, names: Set[str], what: str, *, later: Set[str] = frozenset()
) -> dict[str, np.ndarray]:
    """Read what `write_arrays` wrote.

    Args:
        path: The file.
        kind: As it was written.
        names: Of the arrays that it must hold.
        what: What such a file holds, for messages.
        later: Those of the names that may be absent, as they were not written at first.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is of another kind, holds other arrays or is damaged, naming the file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     place = write_arrays(Path(folder) / "a.npz", "example 1", {"x": np.array([1.0])})
        ...     try:
        ...         read_arrays(place, "example 2", {"x"}, "example")
        ...     except ValueError as error:
        ...         print(str(error).removeprefix(f"{place}: "))
        holds no example that was saved by this version (example 2)
    """
    arrays = _read(Path(path))
    if str(arrays.pop("format", "")) != kind:
        raise ValueError(f"{path}: holds no {what} that was saved by this version ({kind})")
    kept = str(arrays.pop("digest", ""))
    if not names - later <= set(arrays) <= names:
        raise ValueError(f"{path}: has arrays {sorted(arrays)}, need {sorted(names)}")
    if _digest(arrays) != kept:
        raise ValueError(f"{path}: is damaged: its arrays don't have the hash that was written with them")
    return arrays


def _read(path: Path) -> dict[str, np.ndarray]:
    with path.open("rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except UNREADABLE as error:
            raise ValueError(f"{path}: cannot be read as an npz file ({error})") from None


def _digest(arrays: Mapping[str, Any]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode() + array.tobytes())
    return digest.hexdigest()
