"""Stochastic Newton on the semi-dual of semidiscrete transport: the passes of the method in `sampled`."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import cg

from numerics.transport.starts import marginal_potential

MOST_SEARCH_PASSES, AVERAGED_PASSES = 60, 25
_PATIENCE, _SETTLED, _NEAR = 5, 0.95, 2.0
"""The search ends once five passes have not brought the total variation below 0.95 of the least before, and
that is at most twice what exact heights would show on as much noise."""
_LENGTH = 0.7
"""Of a step of the search, at most. Its move is clipped to twice an atom's mean margin; in averaged passes
only the step is: moves of neighbours are alike and may be many margins, and for what is cut off the first,
long step later short ones hardly make up."""
_WIDTH = 0.4
"""Of an atom's median margin: a draw that it wins by less votes for a wall; a quarter of them if margins are
exponential."""
_BLOCK = 2**18
"""Scores held at a time: few enough to stay in the cache, which makes sampling four times as fast."""


def starts(
    centred: Float[np.ndarray, "n d"], weights: Float[np.ndarray, " n"]
) -> list[Float[np.ndarray, " n"]]:
    """Σ_k φ_k(⟨y, e_k⟩) over principal axes, φ_k a marginal's potential, as `starts.cartesian`; and 0."""
    _, axes = np.linalg.eigh((centred * weights[:, None]).T @ centred)
    heights = np.zeros(len(weights))
    for axis in axes.T:
        heights += marginal_potential(centred @ axis, weights)
    return [heights, np.zeros(len(weights))]


class Passes:
    """The state of the stochastic Newton iteration.

    Attributes:
        heights: (n,), after the last pass.
        length: Of the last step.
        count: Passes so far.
    """

    def __init__(
        self,
        centred: Float[np.ndarray, "n d"],
        weights: Float[np.ndarray, " n"],
        draws: int,
        rng: np.random.Generator,
    ) -> None:
        n = len(weights)
        self.heights, self.length, self.count = np.zeros(n), _LENGTH, 0
        self._best = self.heights
        self._missed: list[float] = []
        self._averaged = 0
        self._centred, self._weights, self._rng = centred.astype(np.float32), weights, rng
        self._search_draws = max(1, draws // 60)
        self._averaged_draws = max(1, 3 * draws // (4 * AVERAGED_PASSES))
        self._walls = csr_array((n, n))

    @property
    def done(self) -> bool:
        """Whether all averaged passes were made."""
        return self._averaged == AVERAGED_PASSES

    def begin(self, starts: list[Float[np.ndarray, " n"]]) -> None:
        """Begin with the heights that miss the weights least, brought to median 0."""
        centred = [heights - np.median(heights) for heights in starts]
        drawn = [self._drawn(heights, self._search_draws)[0] for heights in centred]
        self.heights = centred[int(np.argmin([np.abs(self._excess(best)).sum() for best in drawn]))]

    def step(self) -> Float[np.ndarray, " n"]:
        """One pass; returns P̂ − w before the step."""
        searching = not self._averaged and not self._settled
        draws = self._search_draws if searching else self._averaged_draws
        best, second, margin = self._drawn(self.heights, draws)
        excess = self._excess(best)
        self.count += 1
        if searching and self._worse(float(np.abs(excess).sum() / 2)):
            return excess
        if searching:
            share = 0.5 if self._walls.nnz else 1.0
        else:
            self._averaged += 1
            share, self.length = 1 / (self._averaged + 1), 1 / self._averaged
        middle, leads = _leads(best, second, margin, len(excess))
        self._walls = (1 - share) * self._walls + share * _walls(best, second, margin, _WIDTH * middle)
        most = 2 * leads / (1 if searching else self.length)
        self.heights = self.heights + self.length * np.clip(self._newton(excess, leads), -most, most)
        self._rescue((excess == -self._weights) & (draws * self._weights > 20), draws)
        return excess

    def _worse(self, missed: float) -> bool:
        """Whether the last search step made it half as bad again: it is taken back, the next half as long."""
        least = min(self._missed, default=missed)
        self._missed.append(missed)
        if missed > 1.5 * least:
            self.heights, self.length = self._best, self.length / 2
            return True
        self.length = min(1.25 * self.length, _LENGTH)
        if missed <= least:
            self._best = self.heights
        return False

    @property
    def _settled(self) -> bool:
        """Whether the search has ended: the total variation falls no more, or all its passes were made."""
        if len(self._missed) == MOST_SEARCH_PASSES:
            return True
        before, lately = self._missed[:-_PATIENCE], self._missed[-_PATIENCE:]
        exact = np.sqrt(2 * self._weights / (np.pi * self._search_draws)).sum() / 2
        return bool(before) and _NEAR * exact > min(lately) > _SETTLED * min(before)

    def _drawn(
        self, heights: Float[np.ndarray, " n"], draws: int
    ) -> tuple[Int[np.ndarray, " N"], Int[np.ndarray, " N"], Float[np.ndarray, " N"]]:
        return _two_best(self._centred, heights.astype(np.float32), draws, self._rng)

    def _excess(self, best: Int[np.ndarray, " N"]) -> Float[np.ndarray, " n"]:
        return np.bincount(best, minlength=len(self._weights)) / len(best) - self._weights

    def _rescue(self, lost: Bool[np.ndarray, " n"], draws: int) -> None:
        """Lower atoms that no draw met, though many were due: they have no walls to steer by.

        Each is lowered by its least distance from being best over as much noise again, which gives it the
        mass of about one draw.
        """
        if not lost.any():
            return
        nearest = np.full(int(lost.sum()), np.inf)
        heights = self.heights.astype(np.float32)
        for x in noise(draws, self._centred, self._rng):
            score = x @ self._centred.T - heights
            nearest = np.minimum(nearest, (score.max(axis=1)[:, None] - score[:, lost]).min(axis=0))
        self.heights[lost] -= nearest

    def _newton(
        self, excess: Float[np.ndarray, " n"], leads: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """L̄⁻¹(P̂ − w) of median 0; a ridge keeps atoms with few votes in place."""
        degree: np.ndarray = np.asarray(self._walls.sum(axis=0)).ravel()
        diagonal = 1.001 * np.maximum(degree, 0.2 * self._weights / leads)
        scaled = diags_array(1 / diagonal)
        move, _ = cg(diags_array(diagonal) - self._walls, excess, rtol=1e-4, maxiter=300, M=scaled)
        return np.asarray(move - np.median(move))


def _two_best(
    points: Float[np.ndarray, "n d"], heights: Float[np.ndarray, " n"], draws: int, rng: np.random.Generator
) -> tuple[Int[np.ndarray, " N"], Int[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """For fresh noise: the atom of the highest score ⟨x₀, y⟩ − g, that of the second, and their margin."""
    parts = []
    for x in noise(draws, points, rng):
        score = x @ points.T
        score -= heights
        rows = np.arange(len(x))
        best = score.argmax(axis=1)
        top = score[rows, best]
        score[rows, best] = -np.inf
        second = score.argmax(axis=1)
        parts.append((best, second, (top - score[rows, second]).astype(float)))
    best, second, margin = (np.concatenate(part) for part in zip(*parts, strict=True))
    return best, second, margin


def noise(
    draws: int, points: Float[np.ndarray, "n d"], rng: np.random.Generator
) -> Iterator[Float[np.ndarray, "k d"]]:
    """Blocks of normal noise, ``draws`` rows in all, in the dtype and dimension of the points."""
    n, d = points.shape
    size = max(1, _BLOCK // n)
    for begin in range(0, draws, size):
        yield rng.standard_normal((min(size, draws - begin), d), dtype=points.dtype)


def _leads(
    best: Int[np.ndarray, " N"], second: Int[np.ndarray, " N"], margin: Float[np.ndarray, " N"], n: int
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Median and mean margin of draws of which an atom is first or second; the median of all if of none."""
    atoms, margins = np.concatenate([best, second]), np.concatenate([margin, margin])
    margins = np.maximum(margins, float(np.finfo(np.float32).tiny))
    count = np.bincount(atoms, minlength=n)
    met, last = count > 0, np.cumsum(count)
    medians = np.full(n, np.median(margins))
    means = medians.copy()
    ordered = margins[np.lexsort((margins, atoms))]
    medians[met] = ordered[last[met] - 1 - count[met] // 2]
    means[met] = np.bincount(atoms, margins, minlength=n)[met] / count[met]
    return medians, means


def _walls(
    best: Int[np.ndarray, " N"],
    second: Int[np.ndarray, " N"],
    margin: Float[np.ndarray, " N"],
    width: Float[np.ndarray, " n"],
) -> csr_array:
    """(n,n), ∂P_i/∂g_j estimated, i ≠ j: the density at 0 of the margin of i over j, by the votes of both."""
    n = len(width)
    close = margin <= width[best]
    i, j = best[close], second[close]
    votes = csr_array((1 / (2 * width[i] * len(best)), (i, j)), shape=(n, n))
    return votes + votes.T
