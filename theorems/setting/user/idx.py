"""MNIST's file format, IDX: big-endian header (type, axes, lengths), then the bytes, row-major.

    0x00 0x00 0x08 AXES  LENGTH…(4 bytes each)  DATA

0x08 is unsigned bytes, the only type that MNIST uses. Files may be gzipped, as they are distributed.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
AXES = {IMAGES: 3, LABELS: 1}
"""MNIST's files and how many axes each has."""
_UNREADABLE = (OSError, EOFError, zlib.error, struct.error)


def checked(directory: Path) -> Path:
    """A directory that holds MNIST's training images and labels, by their headers and sizes.

    Raises:
        ValueError: In one line, if it is no directory, a file is no such file, or their numbers differ.
    """
    if not directory.is_dir():
        raise ValueError("there is no such directory")
    counts = {name: header(directory, name, axes)[1][0] for name, axes in AXES.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f"images and labels differ in number: {counts}")
    return directory


def header(directory: Path, name: str, axes: int) -> tuple[Path, tuple[int, ...]]:
    """The file ``name`` or ``name.gz`` of a directory, and the shape that it says its array has.

    Args:
        directory: Where the file is.
        name: Such as `IMAGES`.
        axes: How many axes it must have: 3 for images, 1 for labels.

    Raises:
        ValueError: In one line that names the file: it is missing, unreadable, of another type or number of
            axes, or, where it is not gzipped, shorter or longer than its header says.
    """
    plain, packed = directory / name, directory / f"{name}.gz"
    path = plain if plain.exists() else packed
    if not path.exists():
        raise ValueError(f"{plain}: there is no such file, nor {packed.name}")
    size = 4 + 4 * axes
    try:
        with gzip.open(path) if path == packed else path.open("rb") as stream:
            head = stream.read(size)
    except _UNREADABLE as error:
        raise ValueError(f"{path}: cannot be read ({error})") from error
    if len(head) < size or head[:4] != bytes([0, 0, 8, axes]):
        raise ValueError(
            f"{path}: begins with {head[:4].hex(' ')}; an IDX file of bytes with {axes} axes begins with "
            f"00 00 08 {axes:02x} and {axes} lengths"
        )
    shape = struct.unpack(f">{axes}I", head[4:])
    if path == plain:
        _refuse_size(path, path.stat().st_size - size, shape)
    return path, shape


def read(directory: Path, name: str, axes: int) -> NDArray[np.uint8]:
    """The array of ``name`` or ``name.gz`` in a directory.

    Args:
        directory: Where the file is.
        name: Such as `IMAGES`.
        axes: How many axes it must have: 3 for images, 1 for labels.

    Raises:
        ValueError: As `header`, and if a gzipped file is shorter or longer than its header says.
    """
    path, shape = header(directory, name, axes)
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except _UNREADABLE as error:
        raise ValueError(f"{path}: cannot be read ({error})") from error
    start = 4 + 4 * axes
    _refuse_size(path, len(content) - start, shape)
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def _refuse_size(path: Path, size: int, shape: tuple[int, ...]) -> None:
    if size != math.prod(shape):
        raise ValueError(f"{path}: holds {size} bytes; shape {shape} needs {math.prod(shape)}")
