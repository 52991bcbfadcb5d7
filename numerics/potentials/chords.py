r"""Faces of the convex envelope of (a/2)|·|² on a closed set M: chords, triangles, … and their points.

A face is spanned by atoms $y_i ∈ M$ that share one affine minorant of slope x₀:

    Σ w_i y_i + λx₀ = z,   Σ w_i = 1,   P_{T_i}(x₀ − a y_i) = 0,   ⟨x₀,y_i⟩ − (a/2)|y_i|² = θ for all i,

with weights $w_i ≥ 0$ and $φ^*(x_0) = θ$ as the certificate. For λ > 0 this is prox_{λφ}(z) = Σ w_i y_i, for
λ = 0 the envelope at z. A net of M gives the start (`active_set`); Newton on the atoms' displacements and on
w, x₀, θ finishes to rounding; and the nearest point of x₀/a either certifies or is a new atom.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from numerics.accuracy import EPS
from numerics.geometry import norms
from numerics.potentials.closed_sets import ClosedSet
from numerics.proximal import active_set

_ROUNDS = 30


@dataclass(frozen=True)
class Chord:
    """A face: its atoms (k,d), weights (k,), slope x₀ (d,), and how far it is from certified."""

    atoms: Float[np.ndarray, "k d"]
    weights: Float[np.ndarray, " k"]
    slope: Float[np.ndarray, " d"]
    violation: float

    @property
    def point(self) -> Float[np.ndarray, " d"]:
        """Σ w_i y_i."""
        return np.asarray(self.weights @ self.atoms)

    @property
    def condition(self) -> float:
        """Longest over shortest extent of the face; 1 for a single atom."""
        if len(self.atoms) == 1:
            return 1.0
        extents = np.linalg.svd(self.atoms[1:] - self.atoms[0], compute_uv=False)
        return float(extents[0] / max(extents[-1], np.finfo(float).tiny))


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

    def slack(self, x0: Float[np.ndarray, "n d"], y: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """φ*(x₀) − (⟨x₀,y⟩ − (a/2)|y|²) ≥ 0, zero where y is a nearest point."""
        best = self.transport(x0)
        return (x0 * (best - y)).sum(axis=1) - self.curvature / 2 * ((best - y) * (best + y)).sum(axis=1)

    def rounding(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """By how much a zero slack may be computed too large."""
        radius = self.closed_set.radius
        return 64 * EPS * radius * (norms(x0) + self.curvature * radius)

    def blur(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"], x0: Float[np.ndarray, "n d"]
    ) -> Float[np.ndarray, " n"]:
        """`rounding` for x₀ = (z − u)/λ, itself rounded."""
        radius = self.closed_set.radius
        return self.rounding(x0) + 64 * EPS * radius * (norms(z) + radius) / step

    def prox(self, z: Float[np.ndarray, " d"], step: float) -> Chord:
        """The face that holds prox_{step·φ}(z).

        Raises:
            RuntimeError: If it is not certified within 30 rounds.
        """
        pool = self.closed_set.net
        for _ in range(_ROUNDS):
            plain = self._level(pool, z, step)
            allowed = self.blur(z[None], np.array([step]), plain.slope[None])[0]
            if plain.violation <= allowed:
                return plain
            chord = self._polished(self._merged(plain), z, step)
            if chord.violation <= self.blur(z[None], np.array([step]), chord.slope[None])[0]:
                return chord
            entering = self.transport(np.stack([plain.slope, chord.slope]))
            pool = self._distinct(np.concatenate([plain.atoms, chord.atoms, entering]))
        raise RuntimeError(
            f"prox on {self.closed_set!r}: not certified at z = {z}, step = {step}; "
            f"violation {plain.violation:.3g}; is the net fine enough?"
        )

    def _level(self, pool: Float[np.ndarray, "N d"], z: Float[np.ndarray, " d"], step: float) -> Chord:
        """The prox for the atoms of the pool alone."""
        (face,) = active_set.solve(pool, self.lift(pool), z[None], np.array([step]))
        atoms, weights = pool[face.members[0]], face.weights[0]
        slope = (z - weights @ atoms) / step
        return Chord(atoms, weights, slope, float(self.slack(slope[None], atoms[:1])[0]))

    def _distinct(self, atoms: Float[np.ndarray, "k d"]) -> Float[np.ndarray, "l d"]:
        """Without those closer than 1e−6 spacings to an earlier one."""
        apart = norms(atoms[:, None] - atoms) > 1e-6 * self.closed_set.spacing
        first = [i for i in range(len(atoms)) if apart[i, :i].all()]
        return atoms[first]

    def at(self, x: Float[np.ndarray, " d"], rounding: float) -> Chord | None:
        """The face that holds x, or None off the hull: proximal points, then Newton with λ = 0."""
        nearest = self.closed_set.nearest(x[None])
        if norms(nearest - x)[0] <= rounding:
            return Chord(nearest, np.ones(1), self.curvature * nearest[0], 0.0)
        step = 1e-2 / self.curvature
        slope, missed = np.zeros_like(x), np.inf
        for _ in range(60):
            chord = self.prox(x + step * slope, step)
            slope, before, missed = chord.slope, missed, float(norms(chord.point - x))
            if missed <= rounding:
                return chord
            if missed <= self.closed_set.spacing:
                polished = self._polished(chord, x, 0.0)
                allowed = 1e3 * float(self.rounding(polished.slope[None])[0])
                off = norms(polished.point - x)
                if off <= rounding * (1 + polished.condition) and polished.violation <= allowed:
                    return polished
            if missed > before / 2:
                step /= 4
                if step < 1e-8 / self.curvature:
                    break
        return None

    def _merged(self, chord: Chord) -> Chord:
        """Neighbours in the net stand for one atom: their weighted mean, projected."""
        atoms, weights = chord.atoms, chord.weights
        label = np.arange(len(atoms))
        for i in range(len(atoms)):
            near = norms(atoms - atoms[i]) <= 1.6 * self.closed_set.spacing
            label[np.isin(label, label[near])] = label[near].min()
        groups = [label == k for k in np.unique(label)]
        total = np.array([weights[g].sum() for g in groups])
        means = np.stack([weights[g] @ atoms[g] / weights[g].sum() for g in groups])
        return Chord(self.closed_set.nearest(means), total, chord.slope, np.inf)

    def _polished(self, chord: Chord, z: Float[np.ndarray, " d"], step: float) -> Chord:
        """Newton; atoms whose weights turn negative leave."""
        atoms, weights, slope = chord.atoms, chord.weights, chord.slope
        last = np.inf
        for _ in range(20):
            displacement, d_weights, d_slope = self._newton(atoms, weights, slope, z, step)
            size = norms(displacement).max()
            damping = min(1.0, 4 * self.closed_set.spacing / size) if size > 0 else 1.0
            moved = self.closed_set.nearest(atoms + damping * displacement)
            change = max(
                float(norms(moved - atoms).max()), float(np.abs(d_weights).max()) * norms(atoms).max()
            )
            atoms, weights, slope = moved, weights + damping * d_weights, slope + damping * d_slope
            if len(atoms) > 1 and weights.min() < 0:
                kept = np.arange(len(atoms)) != weights.argmin()
                atoms, weights = (
                    atoms[kept],
                    np.maximum(weights[kept], 0.0) / np.maximum(weights[kept], 0.0).sum(),
                )
                continue
            small = change <= 1e-9 * self.closed_set.radius
            if change <= 8 * EPS * self.closed_set.radius or (small and change > last / 4):
                break
            last = change
        violation = float(self.slack(np.tile(slope, (len(atoms), 1)), atoms).max())
        return Chord(atoms, weights, slope, violation)

    def _newton(
        self,
        atoms: Float[np.ndarray, "k d"],
        weights: Float[np.ndarray, " k"],
        slope: Float[np.ndarray, " d"],
        z: Float[np.ndarray, " d"],
        step: float,
    ) -> tuple[Float[np.ndarray, "k d"], Float[np.ndarray, " k"], Float[np.ndarray, " d"]]:
        """One Newton step: tangent displacements of the atoms, changes of the weights and of x₀."""
        k, d = atoms.shape
        matrix, residual, tangents = self._system(atoms, weights, slope, z, step)
        change = _solve(matrix, -residual)
        ends = np.cumsum([0] + [tangent.shape[1] for tangent in tangents]) + d + k
        displacement = [t @ change[ends[i] : ends[i + 1]] for i, t in enumerate(tangents)]
        return np.stack(displacement), change[d : d + k], change[:d]

    def _system(
        self,
        atoms: Float[np.ndarray, "k d"],
        weights: Float[np.ndarray, " k"],
        slope: Float[np.ndarray, " d"],
        z: Float[np.ndarray, " d"],
        step: float,
    ) -> tuple[Float[np.ndarray, "q q"], Float[np.ndarray, " q"], list[Float[np.ndarray, "d m"]]]:
        """Matrix and residual of the optimality conditions in (x₀, w, displacements, θ), and the tangents."""
        k, d = atoms.shape
        frames = self._frames(atoms, slope)
        sizes = [tangent.shape[1] for tangent, _ in frames]
        offsets = np.concatenate([[0], np.cumsum(sizes)]) + d + k
        matrix = np.zeros((offsets[-1] + 1, offsets[-1] + 1))
        residual = np.zeros(len(matrix))
        matrix[:d, :d], matrix[:d, d : d + k] = step * np.eye(d), atoms.T
        matrix[d : d + k, :d], matrix[d : d + k, -1], matrix[-1, d : d + k] = atoms, -1.0, -1.0
        level = atoms @ slope - self.lift(atoms)
        residual[:d] = weights @ atoms + step * slope - z
        residual[d : d + k], residual[-1] = level - level.mean(), 1 - weights.sum()
        for i, (tangent, hessian) in enumerate(frames):
            part = slice(offsets[i], offsets[i + 1])
            matrix[:d, part] = weights[i] * tangent
            matrix[part, :d], matrix[part, part] = tangent.T, -hessian
            residual[part] = tangent.T @ (slope - self.curvature * atoms[i])
            matrix[d + i, part] = residual[part]
        return matrix, residual, [tangent for tangent, _ in frames]

    def face_jacobian(self, chord: Chord, step: float) -> Float[np.ndarray, "d d"]:
        """D prox on the interior of a face: I − λ ∂x₀/∂z from the same linear system."""
        matrix, _, _ = self._system(chord.atoms, chord.weights, chord.slope, chord.point, step)
        d = chord.atoms.shape[1]
        right = np.zeros((len(matrix), d))
        right[:d] = np.eye(d)
        return np.asarray(np.eye(d) - step * _solve(matrix, right)[:d])

    def _frames(
        self, atoms: Float[np.ndarray, "k d"], slope: Float[np.ndarray, " d"]
    ) -> list[tuple[Float[np.ndarray, "d m"], Float[np.ndarray, "m m"]]]:
        """Tangents and H = aI − ⟨x₀ − a y, II⟩ at every atom."""
        frames: list[tuple[Float[np.ndarray, "d m"], Float[np.ndarray, "m m"]]] = [None] * len(atoms)  # type: ignore[list-item]
        for stratum in self.closed_set.strata(atoms):
            hessian = self.hessians(
                atoms[stratum.rows], np.tile(slope, (len(stratum.rows), 1)), stratum.second
            )
            for j, i in enumerate(stratum.rows):
                frames[i] = stratum.tangent[j], hessian[j]
        return frames

    def hessians(
        self, y: Float[np.ndarray, "n d"], x0: Float[np.ndarray, "n d"], second: Float[np.ndarray, "n m m d"]
    ) -> Float[np.ndarray, "n m m"]:
        """H = aI − ⟨x₀ − ay, II⟩."""
        bend = np.einsum("nijd,nd->nij", second, x0 - self.curvature * y)
        return self.curvature * np.eye(second.shape[1]) - bend


def _solve(matrix: Float[np.ndarray, "q q"], right: Float[np.ndarray, "q ..."]) -> Float[np.ndarray, "q ..."]:
    """Least squares, rows brought to one size: faces with more level atoms than they need are singular."""
    size = 1 / np.maximum(np.abs(matrix).max(axis=1), np.finfo(float).tiny)
    scaled = right * (size if right.ndim == 1 else size[:, None])
    return np.asarray(np.linalg.lstsq(size[:, None] * matrix, scaled, rcond=1e-13)[0])
