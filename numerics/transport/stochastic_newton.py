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
"""Of a step of the search, at most."""
_MEMORY = 0.1
"""Of the search for walls: what it knows weighs as much as ten passes."""
_WIDTH = 0.4
"""Of an atom's mean margin: draws that it wins by less vote for walls; a third if margins are exponential."""
_RIDGE = 0.4
"""Of the slope of an atom's mass that its mean margin lets expect; half of it is true of uniform margins."""
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
        self._searched, self._back = 0, False
        self._averaged = 0
        self._due = np.zeros(n)
        self._centred, self._weights, self._rng = centred.astype(np.float32), weights, rng
        self._search_draws = max(1, draws // 60)
        self._averaged_draws = max(1, 3 * draws // (4 * AVERAGED_PASSES))
        self._walls, self._margins = csr_array((n, n)), np.zeros((2, n))

    @property
    def done(self) -> bool:
        """Whether all averaged passes were made."""
        return self._averaged == AVERAGED_PASSES

    def begin(self, starts: list[Float[np.ndarray, " n"]]) -> None:
        """Begin with the heights that miss the weights least, brought to median 0."""
        centred = [heights - np.median(heights) for heights in starts]
        drawn = [self._drawn(heights, self._search_draws) for heights in centred]
        chosen = int(np.argmin([np.abs(self._excess(best)).sum() for best, _, _ in drawn]))
        self.heights = centred[chosen]
        self._look(*drawn[chosen], share=1.0)

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
            share = max(_MEMORY, 1 / (1 + self._searched))
        else:
            self._averaged += 1
            share, self.length = 1 / (self._averaged + 1 / _MEMORY), 1 / (self._averaged + 1)
        self._look(best, second, margin, share=share)
        self.heights = self.heights + self.length * self._newton(excess)
        self._due = np.where(excess == -self._weights, self._due + draws * self._weights, 0.0)
        self._rescue(self._due > 20, draws)
        return excess

    def _worse(self, missed: float) -> bool:
        """Whether the last search step made it half as bad again: it is taken back, the next half as long."""
        self._searched += 1
        if missed > 1.5 * min(self._missed, default=missed):
            self.heights, self.length = self._best, self.length / 2
            self._back = True
            return True
        if self._back:
            self._back = False
            return False
        self._missed.append(missed)
        self.length = min(1.25 * self.length, _LENGTH)
        if missed == min(self._missed):
            self._best = self.heights
        return False

    @property
    def _settled(self) -> bool:
        """Whether the search has ended: the total variation falls no more, or all its passes were made."""
        if self._searched == MOST_SEARCH_PASSES:
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

    def _look(
        self,
        best: Int[np.ndarray, " N"],
        second: Int[np.ndarray, " N"],
        margin: Float[np.ndarray, " N"],
        *,
        share: float,
    ) -> None:
        """What a pass tells of walls, with this share in what is known of them."""
        n = len(self._weights)
        self._margins = (1 - share) * self._margins + share * _margins(best, second, margin, n)
        self._walls = (1 - share) * self._walls + share * _walls(best, second, margin, _WIDTH * self._lead)

    @property
    def _lead(self) -> Float[np.ndarray, " n"]:
        """An atom's mean margin, as best or second; that of all if it was never met."""
        met, sums = self._margins
        return np.divide(sums, met, out=np.full(len(met), sums.sum() / met.sum()), where=sums > 0)

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
        self._due[lost] = 0.0

    def _newton(self, excess: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """L̄⁻¹(P̂ − w), by conjugate gradients, of median 0; a ridge keeps atoms with few votes in place."""
        degree: np.ndarray = np.asarray(self._walls.sum(axis=0)).ravel()
        diagonal = 1.001 * np.maximum(degree, _RIDGE * self._weights / self._lead)
        scaled = diags_array(1 / diagonal)
        move, _ = cg(diags_array(diagonal) - self._walls, excess, rtol=1e-4, maxiter=300, M=scaled)
        return np.asarray(move - np.median(move))


def _margins(
    best: Int[np.ndarray, " N"], second: Int[np.ndarray, " N"], margin: Float[np.ndarray, " N"], n: int
) -> Float[np.ndarray, "2 n"]:
    """How many of N draws have an atom as best or second, and their margins' sum, both over N."""
    atoms, margins = np.concatenate([best, second]), np.concatenate([margin, margin])
    return np.stack([np.bincount(atoms, minlength=n), np.bincount(atoms, margins, minlength=n)]) / len(best)


def _walls(
    best: Int[np.ndarray, " N"],
    second: Int[np.ndarray, " N"],
    margin: Float[np.ndarray, " N"],
    width: Float[np.ndarray, " n"],
) -> csr_array:
    """(n,n), ∂P_i/∂g_j estimated, i ≠ j: the density at 0 of the margin of i over j, by votes of both."""
    close, n = margin <= width[best], len(width)
    i, j = best[close], second[close]
    votes = csr_array((1 / (2 * width[i] * len(best)), (i, j)), shape=(n, n))
    return csr_array(votes + votes.T)


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
