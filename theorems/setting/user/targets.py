"""A point cloud from a file, `--target=FILE`: read, validated, and solved once for all audits.

Nothing of the file is believed: no pickles are loaded, and sizes are read from headers before any memory is
taken. What is wrong is said in one line that names the array or the column and the index.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from numerics.checks import as_array
from numerics.transport.archives import free
from numerics.transport.duplicates import merge_duplicates, refuse_duplicates
from numerics.transport.interruption import SolveInterrupted, save_heights
from numerics.transport.semidiscrete import check_weights, coordinates, solve
from numerics.transport.storage import save
from theorems.setting.user.arrays import Read, read_npy
from theorems.setting.user.columns import read_csv, read_parquet
from theorems.setting.user.sizes import refuse_bytes, refuse_far
from theorems.setting.user.solved import read_archive

if TYPE_CHECKING:
    from numerics.potentials import FiniteAtoms
    from numerics.transport.solution import SemidiscreteSolution

SECONDS_BETWEEN_LINES = 1.0
WORTH_KEEPING = 10.0
"""Seconds of solving from which a solution is kept when the run is interrupted later: chosen."""
MOST_DIMENSIONS = 64
"""Up to which checks are asked of the cloud where it lies; beyond, in the space that its points span."""
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
        merged: How many repetitions of points were merged when it was read.
        start: (n,), heights that an interrupted run had reached, or None.
        notes: How it was read.
        given: The solution, where the file holds it.
    """

    name: str
    points: Array
    weights: Array
    seed: int = 0
    say: Callable[[str], object] = str
    merged: int = 0
    start: Array | None = None
    notes: tuple[str, ...] = ()
    given: "SemidiscreteSolution | None" = None

    @property
    def solution(self) -> "SemidiscreteSolution":
        """Heights for the weights, of the file, or by `numerics.transport.semidiscrete.solve`, once.

        Raises:
            RuntimeError: If the solver's cap is reached, naming what was reached; the same at every call.
        """
        found = self._solved[0]
        if isinstance(found, RuntimeError):
            raise found
        return found

    @cached_property
    def asked(self) -> "FiniteAtoms":
        """The potential that the theorems' checks are asked of: the found one, or that of the span.

        N points span at most n − 1 dimensions. A turn and a move take the cloud there: T(x₀), prox and the
        field differ by their part across the span alone, which no atom touches (there T is constant). So
        beyond d = `MOST_DIMENSIONS` the same heights are asked with coordinates in the span; these are the
        points to rounding, 16·d·eps of the largest coordinate.

        Raises:
            RuntimeError: As ``solution`` does.
        """
        found, d = self.solution, self.points.shape[1]
        inside = coordinates(self.points) if d > MOST_DIMENSIONS else self.points
        if inside.shape[1] in (0, d):  # a lone point spans nothing, and most clouds in few dimensions all
            return found.potential
        from numerics.potentials import FiniteAtoms

        return FiniteAtoms(inside, found.heights)

    @property
    def seconds(self) -> float:
        """How long solving took; NaN where the file held the solution."""
        return self._solved[1]

    def keep(self) -> None:
        """Write a solution that took long into the current folder, and say how to use it; else nothing."""
        found, seconds = vars(self).get("_solved", (None, 0.0))
        if found is None or isinstance(found, RuntimeError) or not seconds >= WORTH_KEEPING:
            return
        place = save(found, free(Path(f"{Path(self.name).stem}.solved.npz")))
        self.say(f"target {self.name}: its solution is kept; --target={place} uses it without solving")

    @cached_property
    def _solved(self) -> "tuple[SemidiscreteSolution | RuntimeError, float]":
        if self.given is not None:
            return self.given, math.nan
        n, d = self.points.shape
        merged = f" ({self.merged} repetitions merged)" if self.merged else ""
        self.say(f"target {self.name}: solving {n} points{merged} in dimension {d}")
        began = spoken = time.monotonic()

        def progress(iteration: int, error: float, step: float) -> None:
            nonlocal spoken
            if time.monotonic() - spoken >= SECONDS_BETWEEN_LINES:
                spoken = time.monotonic()
                self.say(f"  step {iteration}: largest weight error {error:.2e}, step length {step:.2g}")

        try:
            found = solve(self.points, self.weights, start=self.start, progress=progress, seed=self.seed)
        except SolveInterrupted as stop:
            name = f"{Path(self.name).stem}.heights.npz"
            place = save_heights(name, self.points, self.weights, stop.heights)
            self.say(f"target {self.name}: {stop}; go on from there with --resume={place}")
            raise
        except RuntimeError as error:  # kept: to be told again costs no second solve
            return error, time.monotonic() - began
        seconds = time.monotonic() - began
        share = float((found.error / found.weights).max())
        self.say(
            f"target {self.name}: solved ({found.method}, {found.iterations} steps, {seconds:.3g} s), largest"
            f" weight error {found.error.max():.2e}, {share:.1%} of a weight, W2² = {found.w2_squared:.6g}"
        )
        return found, seconds


READERS: dict[str, Callable[[Path], Read]] = {
    ".npz": read_archive,
    ".npy": read_npy,
    ".csv": read_csv,
    ".parquet": read_parquet,
}


def load(path: str | Path, *, merge: bool = False, **fields: Any) -> UserTarget:
    """The weighted point cloud of a file, with uniform weights where it has none.

    Args:
        path: ``.npz`` with ``points`` (n, d) and, optionally, ``weights`` (n,), or what
            `numerics.transport.save` wrote, whose solution is used; ``.npy`` with the points; ``.csv`` or
            ``.parquet`` with a point a row, and, optionally, a column ``weights``.
        merge: Whether the weights of repeated points are added (``--merge-duplicates``), rather than
            repetitions refused.
        **fields: ``seed`` and ``say`` of the `UserTarget`.

    Returns:
        The cloud; how it was read is said, a line for each of its notes.

    Raises:
        ValueError: In one line, naming the array or the column and the index, if there is no such file, it
            is of another kind or damaged, ``points`` is missing, an entry is no real number, a shape is
            wrong, the file or an array is too large, has a NaN, an infinity or numbers that overflow, if
            weights are not positive or don't sum to 1, or if points coincide and are not to be merged.
    """
    file = Path(path)
    if not file.is_file():
        raise ValueError("it is no file" if file.exists() else "there is no such file")
    refuse_bytes(file)
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        kinds = ", ".join(READERS)
        raise ValueError(f"cannot be read: its name ends in {file.suffix!r}; give one of {kinds}")
    read = reader(file)
    points = as_array("points", read.points, ndim=2)
    refuse_far(points)
    n = len(points)
    if read.weights is not None:
        as_array("weights", read.weights, ndim=1)
    weights = np.full(n, 1 / n) if read.weights is None else check_weights(read.weights, n)
    if read.is_ours and read.weights is not None:  # they were divided by their sum before
        weights = read.weights
    elif merge:
        points, weights, _ = merge_duplicates(points, weights)
    try:
        refuse_duplicates(points)
    except ValueError as error:
        raise ValueError(f"{str(error).replace('merge_duplicates', '--merge-duplicates')}") from None
    notes = read.notes + _normalised(read.weights)
    fields |= {"merged": n - len(points), "start": read.start, "notes": notes, "given": read.solution}
    target = UserTarget(file.name, points, weights, **fields)
    for note in target.notes:
        target.say(f"target {target.name}: {note}")
    return target


def _normalised(weights: np.ndarray | None) -> tuple[str, ...]:
    """What should be known of weights that were divided by their sum: more than the rounding of doubles."""
    if weights is None:
        return ()
    total = float(weights.astype(np.float64).sum())
    if abs(total - 1) <= 8 * max(len(weights), 8) * np.finfo(np.float64).eps:
        return ()
    return (f"its weights are {weights.dtype} and sum to {total!r}; they were divided by that",)
