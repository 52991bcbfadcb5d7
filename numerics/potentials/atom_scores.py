r"""Scores of finitely many atoms, which tell the best one, and what they err by.

$⟨x_0-b, p_i⟩ - h_i$ are the scores $⟨x_0,y_i⟩ - g_i$ but for a term that is the same for all i: with b = 0,
p = y, h = g, or about a centre c with $p_i = y_i - c$ (`AtomSet.tilt`). Far from 0 the former round by
u|x₀||y|, the latter by u|x₀ − b||y − c|.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Inexact, Int

from numerics.accuracy import EPS, UNIT
from numerics.geometry import norms
from numerics.solvers.best_atoms import best_atoms, rivals

Pairs = tuple[Int[np.ndarray, " p"], Int[np.ndarray, " p"], Float[np.ndarray, " p"], Float[np.ndarray, " p"]]


@dataclass(frozen=True)
class AtomScores:
    """Scores as computed, and what they err by.

    A score errs by ``count`` roundings of its terms. With b = 0 and exact p, h these are d products and sums,
    and the difference. About a centre x₀ − b and y − c add one each; heights (a/2)|p|² take d + 3, two of
    which are those of y − c.

    Attributes:
        points, heights: (N,d) and (N,), p and h.
        tilt, off_tilt: (d,) b, and how far it may be from the one that is meant.
        off: (N,) by how much h may miss what it is meant to be.
        count: Roundings of a score.
    """

    points: Float[np.ndarray, "N d"]
    heights: Float[np.ndarray, " N"]
    tilt: Float[np.ndarray, " d"]
    off_tilt: float
    off: Float[np.ndarray, " N"]
    count: int

    @cached_property
    def _lengths(self) -> Float[np.ndarray, " N"]:
        return norms(self.points) * (1 + 8 * EPS)

    def best(self, x0: Inexact[np.ndarray, "n d"]) -> Int[np.ndarray, " n"]:
        """The first atom (n,) of the largest score."""
        return best_atoms(self.points, self.heights, x0.real - self.tilt)[0]

    def of(self, x0: Float[np.ndarray, "p d"], atoms: Int[np.ndarray, " p"]) -> Float[np.ndarray, " p"]:
        """The scores of p pairs."""
        return np.asarray(((x0 - self.tilt) * self.points[atoms]).sum(axis=1) - self.heights[atoms])

    def error(self, x0: Float[np.ndarray, "p d"], atoms: Int[np.ndarray, " p"]) -> Float[np.ndarray, " p"]:
        """What the scores of p pairs err by."""
        terms = (np.abs(x0 - self.tilt) * np.abs(self.points[atoms])).sum(axis=1)
        rounded = self.count * UNIT * (terms + np.abs(self.heights[atoms])) * (1 + (self.count + 2) * EPS)
        return np.asarray(rounded + self.off[atoms] + self.off_tilt * self._lengths[atoms])

    def near(self, x0: Float[np.ndarray, "n d"], within: Float[np.ndarray, " n"]) -> Pairs:
        """Pairs (row, atom) whose score may be within so much of the best, scores, and what they err by.

        Rows in order, and within a row atoms.
        """
        longest = float(self._lengths.max())
        most = norms(x0 - self.tilt) * longest + float(np.abs(self.heights).max())
        most *= self.count * UNIT * (1 + (self.count + 8) * EPS)
        most += self.off.max() + self.off_tilt * longest
        rows, atoms = rivals(self.points, self.heights, x0 - self.tilt, 2 * most + within)
        return rows, atoms, self.of(x0[rows], atoms), self.error(x0[rows], atoms)
