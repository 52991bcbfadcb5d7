"""A solve that is stopped keeps its best heights, and another can go on from them."""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.checks import as_array
from numerics.transport.archives import free, read_arrays, write_arrays

FORMAT = "otcfm-theorems heights 1"
NAMES = ("points", "weights", "heights")


class SolveInterrupted(KeyboardInterrupt):
    """Ctrl-C during `semidiscrete.solve`, with what was reached.

    Attributes:
        heights: (n,), the best so far: what `semidiscrete.solve` takes as ``start``.
        error: Their largest weight error, as the solver last measured it.

    Example:
        >>> stopped = SolveInterrupted(np.zeros(2), 0.125)
        >>> str(stopped), stopped.heights.tolist()
        ('solving was interrupted at a largest weight error of 0.125', [0.0, 0.0])
    """

    def __init__(self, heights: Float[np.ndarray, " n"], error: float) -> None:
        self.heights, self.error = heights, error
        super().__init__(f"solving was interrupted at a largest weight error of {error:.3g}")


def save_heights(path: str | Path, points: ArrayLike, weights: ArrayLike, heights: ArrayLike) -> Path:
    """Write heights with the cloud they belong to; a free name is chosen where the path is taken.

    Args:
        path: Such as ``cloud.heights.npz``; where it exists ``cloud.heights-2.npz``, and so on.
        points: (n,d).
        weights: (n,).
        heights: (n,).

    Returns:
        The path of the file.

    Example:
        >>> import tempfile
        >>> cloud = [[0.0], [1.0]], [0.5, 0.5]
        >>> with tempfile.TemporaryDirectory() as folder:  # nothing is overwritten
        ...     [save_heights(f"{folder}/two.npz", *cloud, [0.0, 0.25]).name for _ in range(2)]
        ['two.npz', 'two-2.npz']
    """
    place, arrays = free(Path(path)), zip(NAMES, (points, weights, heights), strict=True)
    return write_arrays(place, FORMAT, {name: np.asarray(value, dtype=np.float64) for name, value in arrays})


def load_heights(path: str | Path, points: ArrayLike, weights: ArrayLike) -> Float[np.ndarray, " n"]:
    """The heights that `save_heights` wrote for this very cloud.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file or damaged, or its points or weights are others.

    Example:
        >>> import tempfile
        >>> cloud = [[0.0], [1.0]], [0.5, 0.5]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     load_heights(save_heights(f"{folder}/two.npz", *cloud, [0.0, 0.25]), *cloud).tolist()
        [0.0, 0.25]
    """
    arrays = read_arrays(path, FORMAT, set(NAMES), "set of heights")
    for name, own in (("points", points), ("weights", weights)):
        if not np.array_equal(arrays[name], np.asarray(own, dtype=np.float64)):
            raise ValueError(
                f"{path}: its {name} are not those of this cloud; give the same file and options"
            )
    return np.asarray(as_array("heights", arrays["heights"], ndim=1).real)
