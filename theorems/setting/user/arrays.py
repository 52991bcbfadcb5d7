"""Arrays of NumPy's own files, .npz and .npy: sizes are read from headers before any memory is taken.

No pickle is loaded. What is wrong is said in one line, a `ValueError` that names the array.
"""

import math
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.lib import format as npy

from theorems.setting.user.sizes import MOST_BYTES, refuse_size

if TYPE_CHECKING:
    from numerics.transport.solution import SemidiscreteSolution

WEIGHTS = ("weight", "weights")
"""Names of an array or a column, in any case, that holds the weights."""
LIKE_WEIGHTS = re.compile(r"(\w+[_ ])?(w|wts?|wgts?|weights?)|mass(es)?|probs?|probabilit(y|ies)", re.I)
"""Names that others give to weights; taken for coordinates or left out, they would be lost silently."""
MOST_LISTED, LONGEST_NAME = 8, 40
BROKEN = (KeyError, EOFError, OSError, ValueError, RuntimeError, zipfile.BadZipFile)
"""What NumPy and zipfile raise at bytes that are no array."""


@dataclass(frozen=True)
class Read:
    """What a file holds, not yet checked.

    Attributes:
        points: (n, d).
        weights: (n,), or None.
        notes: What of the way it was read its user should know.
        solution: The target's, where it was solved before.
        start: (n,), heights to go on from, where solving was interrupted.
    """

    points: np.ndarray
    weights: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    solution: "SemidiscreteSolution | None" = None
    start: np.ndarray | None = None

    @property
    def is_ours(self) -> bool:
        """Whether it was written by this project, from a cloud that had been read before."""
        return self.solution is not None or self.start is not None


def listed(names: Sequence[str]) -> str:
    """Names in one line, of many the first ones, and how many there are.

    Example:
        >>> listed(["x", "y"]), listed([f"x{k}" for k in range(64)])
        ('x, y', 'x0, x1, x2, x3, x4, x5, x6, x7, … (64 in all)')
    """
    short = [" ".join(name.split())[:LONGEST_NAME] for name in names[:MOST_LISTED]]
    more = f", … ({len(names)} in all)" if len(names) > MOST_LISTED else ""
    return ", ".join(short) + more


def names_of(file: Path) -> list[str]:
    """The arrays of an archive.

    Raises:
        ValueError: If it is none.
    """
    if not zipfile.is_zipfile(file):
        raise ValueError("not an .npz archive; write one with numpy.savez(FILE, points=…, weights=…)")
    with zipfile.ZipFile(file) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


def refuse_large(file: Path) -> None:
    """Pass if all arrays of an archive are as large as they say, and can be read together.

    Raises:
        ValueError: If one says to be larger, or all are too large.
    """
    with zipfile.ZipFile(file) as archive:
        if sum(info.file_size for info in archive.infolist()) > MOST_BYTES:
            raise ValueError(f"its arrays take more than {MOST_BYTES} bytes")
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            shape, dtype = _header_in(archive, name)
            if dtype.hasobject:
                raise ValueError(f"{name}: holds pickled Python objects, which are never loaded")
            if math.prod(shape) * dtype.itemsize > info.file_size:
                raise ValueError(f"{name}: says shape {shape}, and holds {info.file_size} bytes")
            if name == "points":
                refuse_size(name, shape)


def read_npz(file: Path) -> Read:
    """The arrays `points` and, where there is one, `weights` or `weight` of an archive; a note names others.

    Raises:
        ValueError: If it is no archive, `points` is missing, an array cannot be used, or one that is not
            read is named nearly as weights.
    """
    names = names_of(file)
    with zipfile.ZipFile(file) as archive:
        if "points" not in names:
            held = ", ".join(sorted(names)) or "nothing"
            raise ValueError(f"the array `points` is missing; the file holds {held}")
        ours = [name for name in names if name.lower() in WEIGHTS]
        if len(ours) > 1:
            raise ValueError(f"arrays {ours[0]!r} and {ours[1]!r} are both weights; keep one")
        others = [name for name in names if name != "points" and name not in ours]
        if not ours and (like := [name for name in others if LIKE_WEIGHTS.fullmatch(name)]):
            raise ValueError(f"array {like[0]!r} looks like weights; name it `weights`, or leave it out")
        notes = (f"arrays that are not read: {listed(others)}",) if others else ()
        points = _of_archive(archive, "points", 2)
        return Read(points, _of_archive(archive, ours[0], 1) if ours else None, notes)


def read_npy(file: Path) -> Read:
    """The one array of the file, as points.

    Raises:
        ValueError: If it is no such file, or its array cannot be used.
    """
    try:
        with file.open("rb") as stream:
            header = _header(stream)
    except BROKEN as error:
        raise ValueError(f"not an .npy file, which numpy.save(FILE, points) writes ({error})") from error
    _refuse(*header, "points", 2)
    with file.open("rb") as stream:
        return Read(_body(stream, "points"))


def _of_archive(archive: zipfile.ZipFile, name: str, ndim: int) -> np.ndarray:
    """One array of an archive, refused by its header where it cannot be used."""
    _refuse(*_header_in(archive, name), name, ndim)
    try:
        with archive.open(f"{name}.npy") as stream:
            return _body(stream, name)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{name}: cannot be read ({error})") from error


def _header_in(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    try:
        with archive.open(f"{name}.npy") as stream:
            return _header(stream)
    except BROKEN as error:
        raise ValueError(f"{name}: its header cannot be read ({error})") from error


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    version = npy.read_magic(stream)
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read is None:
        raise OSError(f"npy format {version} is not for plain numbers")
    shape, _, dtype = read(stream)
    return shape, dtype


def _body(stream: IO[bytes], name: str) -> np.ndarray:
    try:
        return np.asarray(npy.read_array(stream, allow_pickle=False))
    except BROKEN as error:
        raise ValueError(f"{name}: cannot be read ({error})") from error


def _refuse(shape: tuple[int, ...], dtype: np.dtype[np.generic], name: str, ndim: int) -> None:
    if dtype.hasobject:
        raise ValueError(f"{name}: holds pickled Python objects, which are never loaded; save plain numbers")
    if dtype.kind not in "fiu":
        raise ValueError(f"{name}: entries are {dtype}; they must be real numbers")
    if len(shape) != ndim:
        wanted = "(n, d)" if ndim == 2 else "(n,)"
        raise ValueError(f"{name}: got shape {shape}; it must be {wanted}")
    refuse_size(name, shape)
