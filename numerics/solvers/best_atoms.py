"""Best atoms max_i ⟨y,y_i⟩ − g_i of many y, a few rows of scores at a time, so that these stay in the cache.

Of 1000 points and 20,000 atoms the scores are 160 MB; written and read as one array they take longer than
the products that they hold.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Inexact, Int

_CACHED_ENTRIES = 2**17


def row_blocks(rows: int, width: int) -> Iterator[slice]:
    """Slices that part ``rows`` rows of ``width`` numbers into blocks which the cache holds, of 4 at least.

    Example:
        >>> [(part.start, part.stop) for part in row_blocks(3, 10)]
        [(0, 3)]
    """
    size = max(4, _CACHED_ENTRIES // width)
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))


def best_atoms(
    atoms: Float[np.ndarray, "N d"], heights: Float[np.ndarray, " N"], y: Float[np.ndarray, "n d"]
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """The first i of the largest ⟨y,y_i⟩ − g_i as computed, and that score, for y (n,d).

    Example:
        >>> index, score = best_atoms(np.array([[-1.0], [1.0]]), np.array([0.0, 0.5]), np.array([[2.0]]))
        >>> index.tolist(), score.tolist()
        ([1], [1.5])
    """
    index, top = np.empty(len(y), dtype=np.int64), np.empty(len(y))
    for rows in row_blocks(len(y), len(atoms)):
        scores = y[rows] @ atoms.T
        scores -= heights
        index[rows] = found = scores.argmax(axis=1)
        top[rows] = scores[np.arange(len(found)), found]
    return index, top


def rivals(
    atoms: Float[np.ndarray, "N d"],
    heights: Float[np.ndarray, " N"],
    y: Float[np.ndarray, "n d"],
    within: Float[np.ndarray, " n"],
) -> tuple[Int[np.ndarray, " p"], Int[np.ndarray, " p"]]:
    """Pairs (row, atom), row by row, of all scores that are at most ``within`` (n,) below the row's best.

    Example:
        >>> at = np.array([[-1.0], [1.0]]), np.zeros(2), np.array([[2.0], [0.0]])
        >>> [part.tolist() for part in rivals(*at, np.array([1.0, 0.0]))]
        [[0, 1, 1], [1, 0, 1]]
    """
    found = []
    for rows in row_blocks(len(y), len(atoms)):
        scores = y[rows] @ atoms.T
        scores -= heights
        near = np.flatnonzero(scores >= scores.max(axis=1, keepdims=True) - within[rows, None])
        row, atom = np.divmod(near, len(atoms))
        found.append((row + rows.start, atom))
    if not found:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    return np.concatenate([row for row, _ in found]), np.concatenate([atom for _, atom in found])


def best_single_atoms(
    atoms: Float[np.ndarray, "N d"],
    heights: Float[np.ndarray, " N"],
    z: Inexact[np.ndarray, "n d"],
    step: Float[np.ndarray, " n"],
) -> Int[np.ndarray, " n"]:
    """argmin_i g_i + |y_i − z|²/(2λ) for z (n,d), λ = step (n,): the prox if it is one atom.

    Example:
        >>> two = np.array([[-1.0], [1.0]]), np.zeros(2)
        >>> best_single_atoms(*two, np.array([[0.1], [-3.0]]), np.ones(2)).tolist()
        [1, 0]
    """
    squares, index = (atoms**2).sum(axis=1), np.empty(len(z), dtype=np.int64)
    for rows in row_blocks(len(z), len(atoms)):
        lifted = (z[rows] / -step[rows, None]) @ atoms.T
        lifted += heights
        lifted += squares / (2 * step[rows, None])
        index[rows] = lifted.argmin(axis=1)
    return index
