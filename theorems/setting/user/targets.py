"""A point cloud from a file, `--target=FILE.npz`: read, validated, and solved once for all audits.

Nothing of the file is believed: no pickles are loaded, and sizes are read from the headers of the arrays
before any memory is taken. What is wrong is said in one line that names the file, the array and the index.
"""

import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from numerics.checks import as_array
from numerics.transport.semidiscrete import check_weights, refuse_duplicates, solve

if TYPE_CHECKING:
    from numerics.transport.solution import SemidiscreteSolution

MOST_POINTS = 100_000
"""In dimension 1 and 2, where cells are exact; more than the benchmarks have solved."""
MOST_POINTS_IN_SPACE = 20_000
"""In dimension 3, where cells are exact too: under a minute."""
MOST_POINTS_SAMPLED, MOST_NUMBERS_SAMPLED = 5_000, 200_000
"""In dimension 4 and more, n and n·d: the noise costs 4000·n²·d multiplications."""
SECONDS_BETWEEN_LINES = 1.0
Array = NDArray[np.float64]


@dataclass(frozen=True)
class UserTarget:
    """A weighted point cloud of the user's.

    Attributes:
        name: The name of its file.
        points: (n, d), finite, no two equal.
        weights: (n,), positive, summing to 1.
        seed: Feeds the solver's noise for d ≥ 4.
        say: Called with lines of progress.
    """

    name: str
    points: Array
    weights: Array
    seed: int = 0
    say: Callable[[str], object] = str

    @cached_property
    def solution(self) -> "SemidiscreteSolution":
        """Heights for the weights, by `numerics.transport.semidiscrete.solve`.

        Raises:
            RuntimeError: If the solver's cap is reached, naming what was reached.
        """
        n, d = self.points.shape
        self.say(f"target {self.name}: solving {n} points in dimension {d}")
        spoken = time.monotonic()

        def progress(iteration: int, error: float, step: float) -> None:
            nonlocal spoken
            if time.monotonic() - spoken >= SECONDS_BETWEEN_LINES:
                spoken = time.monotonic()
                self.say(f"  step {iteration}: largest weight error {error:.2e}, step length {step:.2g}")

        found = solve(self.points, self.weights, progress=progress, seed=self.seed)
        self.say(
            f"target {self.name}: solved ({found.method}, {found.iterations} steps), largest weight error"
            f" {found.error.max():.2e}, W2² = {found.w2_squared:.6g}"
        )
        return found


def load(path: str | Path) -> tuple[Array, Array]:
    """The points and weights of a file, uniform weights where it has none.

    Args:
        path: An ``.npz`` file with ``points`` (n, d) and, optionally, ``weights`` (n,).

    Raises:
        ValueError: In one line, naming the array and the index, if there is no such file, it is no npz
            archive, ``points`` is missing, an array holds Python objects or no real numbers, has the wrong
            shape, is too large, has a NaN or an infinity, if weights are not positive or don't sum to 1,
            or if points coincide.
    """
    file = Path(path)
    if not file.is_file():
        raise ValueError("there is no such file")
    if not zipfile.is_zipfile(file):
        raise ValueError("not an .npz archive; write one with numpy.savez(FILE, points=…, weights=…)")
    with zipfile.ZipFile(file) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        if "points" not in names:
            held = ", ".join(sorted(names)) or "nothing"
            raise ValueError(f"the array `points` is missing; the file holds {held}")
        points = _array(archive, "points", 2)
        weights = _array(archive, "weights", 1) if "weights" in names else None
    n = len(points)
    checked = as_array("points", points, ndim=2).real
    refuse_duplicates(checked)
    return checked, np.full(n, 1 / n) if weights is None else check_weights(weights, n)


def _array(archive: zipfile.ZipFile, name: str, ndim: int) -> Array:
    """One array of an archive, refused by its header where it cannot be used."""
    broken = KeyError, EOFError, OSError, ValueError, RuntimeError, zipfile.BadZipFile
    try:
        with archive.open(f"{name}.npy") as stream:
            shape, dtype = _header(stream)
    except broken as error:
        raise ValueError(f"{name}: its header cannot be read ({error})") from error
    _refuse_header(name, shape, dtype, ndim)
    try:
        with archive.open(f"{name}.npy") as stream:
            return np.asarray(npy.read_array(stream, allow_pickle=False), dtype=np.float64)
    except broken as error:
        raise ValueError(f"{name}: cannot be read ({error})") from error


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    version = npy.read_magic(stream)
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read is None:
        raise OSError(f"npy format {version} is not for plain numbers")
    shape, _, dtype = read(stream)
    return shape, dtype


def _refuse_header(name: str, shape: tuple[int, ...], dtype: np.dtype[np.generic], ndim: int) -> None:
    if dtype.hasobject:
        raise ValueError(f"{name}: holds pickled Python objects, which are never loaded; save plain numbers")
    if dtype.kind not in "fiu":
        raise ValueError(f"{name}: entries are {dtype}; they must be real numbers")
    if len(shape) != ndim:
        wanted = "(n, d)" if ndim == 2 else "(n,)"
        raise ValueError(f"{name}: got shape {shape}; it must be {wanted}")
    n, d = shape[0], shape[1] if ndim == 2 else 1
    if n > MOST_POINTS:
        raise ValueError(f"{name}: got shape {shape}; at most {MOST_POINTS} points can be solved")
    if d == 3 and n > MOST_POINTS_IN_SPACE:
        raise ValueError(f"{name}: got shape {shape}; in dimension 3 at most {MOST_POINTS_IN_SPACE} points")
    if d > 3 and (n > MOST_POINTS_SAMPLED or n * d > MOST_NUMBERS_SAMPLED):
        raise ValueError(
            f"{name}: got shape {shape}, {n * d} numbers; from dimension 4 on at most {MOST_POINTS_SAMPLED}"
            f" points and {MOST_NUMBERS_SAMPLED} numbers can be solved: give a subsample"
        )
