"""Atoms with heights, centred for floating point, and what is known exactly of their faces."""

from fractions import Fraction

import numpy as np
from jaxtyping import Bool, Float, Inexact, Int, Shaped
from scipy.special import ndtri

from numerics.accuracy import EPS
from numerics.factors import WIDE, WIDE_UNIT
from numerics.geometry import norms
from numerics.potentials.atom_scores import AtomScores
from numerics.solvers.best_atoms import row_blocks
from numerics.solvers.exact_active_set import ExactAtoms, ExactParabola

_MOST_FACES = 1 << 14


class AtomSet:
    """Finitely many atoms with heights.

    Args:
        points: (N,d).
        heights: (N,).
        curvature: a, where the heights are meant to be (a/2)|y|², of which they are roundings; else None.

    Attributes:
        centre: (d,) a point amid them.
        centred: (N,d) points − centre, rounded once.
        lengths: (N,) of the centred atoms.
        spread: Their largest length; 1 if it is 0.
        highest: The largest |g_i|.
        off: (N,) by how much a height may miss what it is meant to be; 0 where heights are what they are.
        scores: ⟨x₀,y_i⟩ − g_i.
        compared: The scores that tell the best atom: about the centre where that is farther from 0 than any
            atom is from it, else ``scores``, on which exact ties stay exact.
        wide, off_wide: (N,) The heights that are meant, in `WIDE`, and what these miss.
        tilt, tilted: (d,) and (N,), b and g with heights ⟨b, y−c⟩ + g but for a constant, c the centre: about
            a parabola's own centre its heights are small. Scores ⟨q−b, y−c⟩ − g err by d + 4 + ``more``
            roundings of their terms. b = 0 for others.
        exact: The same atoms as rationals, with the heights that are meant.
    """

    def __init__(
        self,
        points: Float[np.ndarray, "N d"],
        heights: Float[np.ndarray, " N"],
        curvature: float | None = None,
    ) -> None:
        self.points, self.heights, self._curvature = points, heights, curvature
        self.centre = points.mean(axis=0)
        self.centred = points - self.centre
        self.lengths = norms(self.centred)
        self.spread = float(self.lengths.max()) or 1.0
        self.highest = float(np.abs(heights).max())
        self.wide, self.exact = heights.astype(WIDE), ExactAtoms(points, heights)
        self.off, self.off_wide = np.zeros(len(points)), np.zeros(len(points))
        self.tilt, self.tilted, self.more = np.zeros(points.shape[1]), heights, 0
        if curvature is not None:
            self.wide = _wide_parabola(points, curvature)
            self.off_wide = (points.shape[1] + 2) * WIDE_UNIT * np.abs(self.wide).astype(float)
            self.off = np.abs(heights - self.wide).astype(float) * (1 + 2 * EPS) + self.off_wide
            self.exact = ExactParabola(points, heights, curvature)
            self.tilt, self.tilted = curvature * self.centre, curvature / 2 * (self.centred**2).sum(axis=1)
            self.more = 4
        self.scores = AtomScores(points, heights, np.zeros_like(self.tilt), 0.0, self.off, len(self.tilt) + 3)
        self.compared = self._centred_scores() if norms(self.centre) > self.spread else self.scores
        self._known: dict[tuple[int, ...], dict[int, bool]] = {}

    def _centred_scores(self) -> AtomScores:
        """Scores about the centre; by how much b misses a·c is measured in fractions: 0 for a power of 2."""
        off, count = np.zeros(len(self.tilt)), len(self.tilt) + 4 + self.more
        if self._curvature is not None:
            meant = [Fraction(self._curvature) * Fraction(float(c)) for c in self.centre]
            off = np.array([float(m - Fraction(float(b))) for m, b in zip(meant, self.tilt, strict=True)])
        off_tilt = float(norms(off)) * (1 + 8 * EPS)
        exact = np.zeros(len(self.points))
        return AtomScores(self.centred, self.tilted, self.tilt, off_tilt, exact, count)

    def best(self, x0: Inexact[np.ndarray, "n d"]) -> Int[np.ndarray, " n"]:
        """The atom (n,) of the largest score; of those that rounding cannot tell, the first by ``scores``."""
        if self.compared is self.scores:
            return self.scores.best(x0)
        noise = x0.real
        found = self.compared.best(noise)
        for part in row_blocks(len(noise), len(self.points)):
            rows, atoms, scores, error = self.compared.near(noise[part], np.zeros(len(noise[part])))
            least = np.full(len(noise[part]), -np.inf)
            np.maximum.at(least, rows, scores - error)
            told = scores + error >= least[rows]
            rows, atoms = rows[told], atoms[told]
            order = np.lexsort((atoms, -self.scores.of(noise[part][rows], atoms), rows))
            first = np.unique(rows[order], return_index=True)[1]
            found[part][rows[order][first]] = atoms[order][first]
        return found

    def rises(
        self, members: Int[np.ndarray, "m k"]
    ) -> tuple[Shaped[np.ndarray, "m l"], Float[np.ndarray, "m l"]]:
        """The heights of faces' atoms above their first, in `WIDE`, and what that misses but for 4 roundings.

        Of a parabola they are (a/2)⟨y_j − y_0, y_j + y_0⟩, from which nothing cancels that the edges keep.
        """
        first, rest = members[:, :1], members[:, 1:]
        if self._curvature is None:
            return self.wide[rest] - self.wide[first], np.zeros(rest.shape)
        ends = self.points[rest].astype(WIDE), self.points[first].astype(WIDE)
        terms = self._curvature / 2 * (ends[0] - ends[1]) * (ends[0] + ends[1])
        error = (self.points.shape[1] + 4) * WIDE_UNIT * np.abs(terms).sum(axis=2).astype(float)
        return terms.sum(axis=2), error

    def implied(
        self, members: Int[np.ndarray, " k"], others: Int[np.ndarray, " l"]
    ) -> Bool[np.ndarray, " l"]:
        """Which others can't exceed the members' scores where these tie: proved once a face, and kept."""
        key = tuple(sorted(int(i) for i in members))
        if len(self._known) > _MOST_FACES:
            self._known.clear()
        known = self._known.setdefault(key, {})
        new = [int(j) for j in others if int(j) not in known]
        if new:
            known.update(zip(new, self.exact.implied(list(key), new), strict=True))
        return np.array([known[int(j)] for j in others], dtype=bool)


def parabola(points: Float[np.ndarray, "N d"], curvature: float) -> Float[np.ndarray, " N"]:
    """(a/2)|y|² (N,), summed in `WIDE` and rounded once."""
    return _wide_parabola(points, curvature).astype(float)


def _wide_parabola(points: Float[np.ndarray, "N d"], curvature: float) -> Shaped[np.ndarray, " N"]:
    blocks = row_blocks(len(points), points.shape[1])
    parts = [(points[rows].astype(WIDE) ** 2).sum(axis=1) for rows in blocks]
    return np.asarray(curvature * np.concatenate(parts) / 2)


def refuse_duplicates(points: Float[np.ndarray, "N d"]) -> None:
    """Raise a ValueError that names two atoms which are the same."""
    order = np.lexsort(points.T)
    same = (np.diff(points[order], axis=0) == 0).all(axis=1)
    if same.any():
        first = int(np.argmax(same))
        i, j = sorted((int(order[first]), int(order[first + 1])))
        raise ValueError(f"points: rows {i} and {j} are the same atom; merge them and add their weights")


def check_weights(name: str, weights: Float[np.ndarray, " N"]) -> None:
    """Raise a ValueError that names an entry which is no weight, or a sum that is not 1."""
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise ValueError(f"{name}: got {weights.min()}; every weight must be greater than 0 and less than 1")
    total = float(weights.sum())
    if abs(total - 1) > 1e-12 * len(weights):
        raise ValueError(f"{name}: sum to {total!r}, not 1; divide by the sum if that is meant")


def line_heights(y: Float[np.ndarray, " N"], w: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Heights for weights w on increasing y: g_{i+1} − g_i = Φ⁻¹(W_i)(y_{i+1} − y_i)."""
    below, above = np.cumsum(w)[:-1], np.cumsum(w[::-1])[-2::-1]
    slopes = np.where(below < 0.5, ndtri(below), -ndtri(above))
    return np.concatenate([[0.0], np.cumsum(slopes * np.diff(y))])
