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


def read(directory: Path, name: str, axes: int) -> NDArray[np.uint8]:
    """The array of ``name`` or ``name.gz`` in a directory.

    Args:
        directory: Where the file is.
        name: Such as ``"train-images-idx3-ubyte"``.
        axes: How many axes it must have: 3 for images, 1 for labels.

    Raises:
        ValueError: In one line that names the file: it is missing, unreadable, of another type or number of
            axes, or shorter or longer than its header says.
    """
    plain, packed = directory / name, directory / f"{name}.gz"
    path = plain if plain.exists() else packed
    if not path.exists():
        raise ValueError(f"{plain}: there is no such file, nor {packed.name}")
    try:
        content = gzip.decompress(path.read_bytes()) if path == packed else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from error
    head = 4 + 4 * axes
    if len(content) < head or content[:4] != bytes([0, 0, 8, axes]):
        raise ValueError(
            f"{path}: begins with {content[:4].hex(' ')}; an IDX file of bytes with {axes} axes begins with "
            f"00 00 08 {axes:02x} and {axes} lengths"
        )
    shape = struct.unpack(f">{axes}I", content[4:head])
    if len(content) - head != math.prod(shape):
        raise ValueError(f"{path}: holds {len(content) - head} bytes; shape {shape} needs {math.prod(shape)}")
    return np.frombuffer(content, dtype=np.uint8, offset=head).reshape(shape)
