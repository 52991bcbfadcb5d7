r"""Faces of the convex envelope of (a/2)|·|² on a closed set M: chords, triangles, … and their points.

A face is spanned by atoms $y_i ∈ M$ that share one affine minorant of slope p:

    Σ w_i y_i + λp = z,   Σ w_i = 1,   P_{T_i}(p − a y_i) = 0,   ⟨p,y_i⟩ − (a/2)|y_i|² = θ for all i,

with weights $w_i ≥ 0$ and $φ^*(p) = θ$ as the certificate. For λ > 0 this is prox_{λφ}(z) = Σ w_i y_i, for
λ = 0 the envelope at z. A net of M gives the start (`active_set`); Newton on the atoms' displacements and on
w, p, θ finishes to rounding (`face_newton`); the nearest points to p/a are new atoms; and the answer is the
one whose certificate (`face_certificate`) is best, once no round improves it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from numerics.accuracy import UNIT
from numerics.geometry import norms
from numerics.potentials.strata import ClosedSet, retracted


@dataclass(frozen=True)
class Chord:
    """A face: its atoms (k,d), weights (k,) and slope p (d,), infinite where ∂φ is empty (`steep_faces`)."""

    atoms: Float[np.ndarray, "k d"]
    weights: Float[np.ndarray, " k"]
    slope: Float[np.ndarray, " d"]

    @property
    def point(self) -> Float[np.ndarray, " d"]:
        """Σ w_i y_i."""
        return np.asarray(self.weights @ self.atoms)

    def convex(self) -> "Chord":
        """Weights cut at 0, of sum 1; equal ones if none is positive, or one is infinite."""
        weights = np.maximum(self.weights, 0.0)
        total = weights.sum()
        weights = weights / total if 0 < total < np.inf else np.full(len(weights), 1 / len(weights))
        return Chord(self.atoms, weights, self.slope)

    def drawn_to(self, other: "Chord", share: float, reach: float) -> "Chord":
        """At ``share`` of the way from another face's point to this one's.

        The other's atoms within ``reach`` of one of these are taken for it.
        """
        atoms, weights = [*self.atoms], [*(share * self.weights)]
        for atom, weight in zip(other.atoms, (1 - share) * other.weights, strict=True):
            away = norms(self.atoms - atom)
            if away.min() <= reach:
                weights[away.argmin()] += weight
            else:
                atoms.append(atom)
                weights.append(weight)
        return Chord(np.array(atoms), np.array(weights), self.slope)

    def without_least(self) -> "Chord":
        """The face without the atom of the least weight."""
        kept = np.arange(len(self.atoms)) != self.weights.argmin()
        return Chord(self.atoms[kept], self.weights[kept], self.slope).convex()


@dataclass(frozen=True)
class Faces:
    """Faces with the same number of atoms."""

    atoms: Float[np.ndarray, "n k d"]
    weights: Float[np.ndarray, "n k"]
    slope: Float[np.ndarray, "n d"]

    @classmethod
    def of(cls, chords: Sequence[Chord]) -> "Faces":
        """Chords of one length, at least one."""
        return cls(
            np.stack([chord.atoms for chord in chords]),
            np.stack([chord.weights for chord in chords]),
            np.stack([chord.slope for chord in chords]),
        )

    def __getitem__(self, rows: np.ndarray) -> "Faces":
        return Faces(self.atoms[rows], self.weights[rows], self.slope[rows])

    @property
    def point(self) -> Float[np.ndarray, "n d"]:
        """Σ w_i y_i of each."""
        return np.einsum("nk,nkd->nd", self.weights, self.atoms)


def by_atoms(chords: Sequence[Chord]) -> Iterator[tuple[Int[np.ndarray, " m"], Faces]]:
    """Chords by their number of atoms: which they are, and the faces."""
    counts = np.array([len(chord.atoms) for chord in chords], dtype=int)
    for k in np.unique(counts):
        rows = np.flatnonzero(counts == k)
        yield rows, Faces.of([chords[i] for i in rows.tolist()])


@dataclass(frozen=True)
class Ends:
    """The ends of a set's curves, beyond whose normal cones T leaves them along the curve.

    Attributes:
        places: (k,d), the ends.
        inward: (k,d), the unit tangent into the curve.
        second: (k,d), II of the curve on its unit tangent: drawn on from two points inside, 1e−6 and 2e−6 of
            the net's spacing away.
    """

    places: Float[np.ndarray, "k d"]
    inward: Float[np.ndarray, "k d"]
    second: Float[np.ndarray, "k d"]

    @classmethod
    def of(cls, closed_set: ClosedSet) -> "Ends":
        """Those among the points of the net, of each part of a union: at a corner several."""
        if parts := getattr(closed_set, "parts", ()):
            ends = [cls.of(part) for part in parts]
            names = ("places", "inward", "second")
            return cls(*(np.concatenate([getattr(each, name) for each in ends]) for name in names))
        net, none = closed_set.net, np.zeros((0, closed_set.dim))
        for stratum in closed_set.strata(net):
            rows = np.flatnonzero(norms(stratum.inward) > 0)
            if not stratum.dimension and rows.size:
                places, inward = net[stratum.rows[rows]], stratum.inward[rows]
                near, far = (_second(closed_set, places, k * 1e-6 * inward) for k in (1, 2))
                return cls(places, inward, 2 * near - far)
        return cls(none, none, none)


def _second(
    closed_set: ClosedSet, places: Float[np.ndarray, "k d"], moves: Float[np.ndarray, "k d"]
) -> Float[np.ndarray, "k d"]:
    """II on the unit tangent of a curve, so many spacings away from points of it."""
    second = np.zeros_like(places)
    for curve in closed_set.strata(retracted(closed_set, places, closed_set.spacing * moves)):
        second[curve.rows] = curve.second[:, 0, 0]
    return second


@dataclass(frozen=True)
class Envelope:
    """The convex envelope of (a/2)|·|² on a closed set, a = curvature."""

    closed_set: ClosedSet
    curvature: float

    def lift(self, y: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """(a/2)|y|², the heights of atoms."""
        return self.curvature / 2 * (y**2).sum(axis=1)

    def transport(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """The nearest point to x₀/a."""
        return self.closed_set.nearest(x0 / self.curvature)

    def excess(
        self, x0: Float[np.ndarray, "*n d"], y: Float[np.ndarray, "*n d"], other: Float[np.ndarray, "*n d"]
    ) -> Float[np.ndarray, "*n"]:
        """By how much ⟨x₀,·⟩ − (a/2)|·|² rises from y to ``other``: ⟨x₀ − (a/2)(y+other), other − y⟩."""
        return ((x0 - self.curvature / 2 * (y + other)) * (other - y)).sum(axis=-1)

    def slack(self, x0: Float[np.ndarray, "n d"], y: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """φ*(x₀) − (⟨x₀,y⟩ − (a/2)|y|²) ≥ 0, zero where y is a nearest point."""
        return self.excess(x0, y, self.transport(x0))

    @cached_property
    def most(self) -> int:
        """The largest dimension of a stratum."""
        return max(stratum.dimension for stratum in self.closed_set.strata(self.closed_set.net))

    @cached_property
    def ends(self) -> "Ends":
        """Those of the curves in the set."""
        return Ends.of(self.closed_set)

    def with_curvature(self, curvature: float) -> "Envelope":
        """That of (curvature/2)|·|² on the same set, whose net is not asked again."""
        other = Envelope(self.closed_set, curvature)
        vars(other)["most"], vars(other)["ends"] = self.most, self.ends
        return other

    @property
    def off_set(self) -> float:
        """How far a computed point of M may be off it."""
        return self.closed_set.error

    def noise(
        self, x0: Float[np.ndarray, "*n d"], y: Float[np.ndarray, "*n d"], other: Float[np.ndarray, "*n d"]
    ) -> Float[np.ndarray, "*n"]:
        """What `excess` errs by.

        Both points are off M by ``off_set``, where the slopes are |x₀−ay|; d + 5 roundings of the product,
        of which the difference x₀ − (a/2)(y+other) takes 3 of its terms' sizes.
        """
        a, d = self.curvature, self.closed_set.dim
        slopes = norms(x0 - a * y) + norms(x0 - a * other)
        sizes = norms(x0) + a / 2 * (norms(y) + norms(other))
        return slopes * self.off_set + (d + 5) * UNIT * sizes * norms(other - y)

    def rounding(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """By how much a zero slack may be computed too large: `noise` for points as far apart as can be."""
        radius, d = self.closed_set.radius, self.closed_set.dim
        size = norms(x0) + self.curvature * radius
        return (2 * self.off_set + (d + 5) * UNIT * 2 * radius) * size

    def is_level(self, chord: Chord, slope: Float[np.ndarray, " d"], flat: float = 0.0) -> bool:
        """Whether no point of M is above the chord at ``slope`` by more than rounding and ``flat``."""
        slopes = np.tile(slope, (len(chord.atoms), 1))
        return bool((self.slack(slopes, chord.atoms) <= 4 * self.rounding(slopes) + flat).all())

    def hessians(
        self, y: Float[np.ndarray, "n d"], x0: Float[np.ndarray, "n d"], second: Float[np.ndarray, "n m m d"]
    ) -> Float[np.ndarray, "n m m"]:
        """H = aI − ⟨x₀ − ay, II⟩."""
        bend = np.einsum("nijd,nd->nij", second, x0 - self.curvature * y)
        return self.curvature * np.eye(second.shape[1]) - bend

    def steady(
        self, y: Float[np.ndarray, "n d"], x0: Float[np.ndarray, "n d"], reach: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """The least eigenvalue of H at y, or 0 where it changes by a factor 2 within ``reach``.

        Looked up on both sides along the tangents, on the same stratum; +inf at ends and isolated points.

        Between y and there H is then taken to be positive: near the end of the medial axis, where a second
        maximum may be close, H is much larger beyond the two.
        """
        least = np.full(len(y), np.inf)
        for stratum in self.closed_set.strata(y):
            if not stratum.dimension:
                continue
            rows, m = stratum.rows, stratum.dimension
            least[rows] = self._least(y[rows], x0[rows], m)
            for j in range(m):
                for sign in (1.0, -1.0):
                    moves = sign * reach[rows, None] * stratum.tangent[:, :, j]
                    there = self._least(retracted(self.closed_set, y[rows], moves), x0[rows], m)
                    same = (there >= least[rows] / 2) & (there <= 2 * least[rows])
                    least[rows] = np.where(same, least[rows], 0.0)
        return np.maximum(least, 0.0)

    def _least(
        self, y: Float[np.ndarray, "n d"], x0: Float[np.ndarray, "n d"], m: int
    ) -> Float[np.ndarray, " n"]:
        """The least eigenvalue of H; −inf on strata of another dimension than m."""
        least = np.full(len(y), -np.inf)
        for stratum in self.closed_set.strata(y):
            if stratum.dimension == m:
                rows = stratum.rows
                least[rows] = np.linalg.eigvalsh(self.hessians(y[rows], x0[rows], stratum.second))[:, 0]
        return least
