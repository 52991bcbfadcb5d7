r"""The sharp bound on how far a face's point is from the prox: Krawczyk's test on the optimality conditions.

Let M be the matrix of the optimality conditions (`face_newton`), N its computed inverse, ρ the residuals plus
what they err by (|z|, |u|, λ|p| in the first rows; in the levels `Envelope.noise`; in the tangential rows
|p − ay| times the tangent's error, and that of p − ay). With c = |N|ρ and the change ΔM of M when everything
moves by up to 2c, and

    |N|ρ + (|N|ΔM + |I − NM|)·2c ≤ 2c   (entrywise),

the Newton map takes the box of radius 2c into itself (Krawczyk [@neumaier1990interval, ch. 5]), so the
conditions have an exact solution there if N is regular, as it is where the spectral radius of |I − NM| is
below 1: a row of N that is 0 has c = 0, and passes. The solution's slope is off by the first entries of the
left side, and so u by λ times them and z − u − λp. ΔM is looked up at two opposite corners of the box and
doubled: M is linear in all but the tangents and II, along which its change over so short an arc is monotone.

That solution is the prox of z if its weights are ≥ 0 and no other point of M is above its level. A weight
that may be negative by δ, set to 0, makes an exact prox of a point that is δ·diam away, and moves u by as
much: 2δ·diam is added. Other points: within an atom's own patch, where H > 0, the atom is the highest; the
highest in every other patch are the set's `rivals`. One that lies below the level by more than the
comparison errs by has no part in the face. One that is level to ε, and r from the affine hull of the face,
moves the dual solution by at most min(√(2ε/λ), (ε/r)·√(1 + vᵀKv/λ)): the dual objective is λ-strongly
convex and rises by at most ε at the old solution; and a move by (ε/r)v, v the unit normal that leads from
the hull to the rival, restores its level and costs (λ + vᵀKv)/2 times its square, K = Σ w_i T_iH_i⁻¹T_iᵀ. λ
times that is added.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from numerics.accuracy import UNIT
from numerics.geometry import norms
from numerics.potentials.chords import Envelope, Faces
from numerics.potentials.face_newton import Systems, systems
from numerics.potentials.strata import Numbers, Points, retracted


@dataclass(frozen=True)
class Sharp:
    """What Krawczyk's test says of faces with one number of atoms.

    Attributes:
        error: Bounds on the distance from the prox; +inf where the test fails.
        below: Depths of the rivals over their distance, see `Certificate`.
        change: ΔM.
    """

    error: Float[np.ndarray, " n"]
    below: Float[np.ndarray, "n r"]
    change: Float[np.ndarray, "n q q"]


def paired(
    faces: Faces, rivals: Float[np.ndarray, "n r d"]
) -> tuple[Float[np.ndarray, "n k r d"], Float[np.ndarray, "n k r d"], Float[np.ndarray, "n k r d"]]:
    """Slope, atom and rival for every atom and every rival of a face."""
    slope, atom, rival = np.broadcast_arrays(
        faces.slope[:, None, None], faces.atoms[:, :, None], rivals[:, None]
    )
    return slope, atom, rival


def sharp_bound(
    envelope: Envelope, faces: Faces, z: Points, step: Numbers, rivals: Float[np.ndarray, "n r d"]
) -> Sharp:
    """The sharp bound where the Newton map contracts and H > 0 on the atoms' patches; +inf elsewhere."""
    at = systems(envelope, faces, z, step)
    inverse = at.inverse()
    first = _times(np.abs(inverse), np.abs(at.residual) + _noise(envelope, faces, z, step, at))
    box = 2 * first
    change, same = change_over(envelope, faces, z, step, at, box)
    missed = np.abs(np.eye(box.shape[1]) - inverse @ at.matrix)
    image = first + _times(np.abs(inverse) @ change + missed, box)
    patches = _patches(envelope, at, faces, image)
    n, k, d = faces.atoms.shape
    steady = envelope.steady(
        faces.atoms.reshape(n * k, d), np.repeat(faces.slope, k, axis=0), patches.reshape(n * k)
    )
    holds = same & (image <= box).all(axis=1) & (steady.reshape(n, k) > 0).all(axis=1)
    holds &= spectral_radius(missed) <= 0.5
    apart = norms(faces.atoms[:, :, None] - faces.atoms[:, None]).max(axis=(1, 2))
    negative = np.maximum(image[:, d : d + k] - faces.weights, 0.0).sum(axis=1)
    error = step * norms(image[:, :d]) + norms(at.residual[:, :d]) + 2 * UNIT * norms(faces.point)
    error += envelope.off_set + 2 * apart * negative
    pull, below = _pull(envelope, faces, step, at, rivals, norms(image[:, :d]), patches, holds)
    return Sharp(np.where(holds, error + pull, np.inf), below, change)


def spectral_radius(matrices: Float[np.ndarray, "n q q"]) -> Numbers:
    """The largest modulus of an eigenvalue; +inf where an entry is not finite."""
    known = np.isfinite(matrices).all(axis=(1, 2))
    values = np.linalg.eigvals(np.where(known[:, None, None], matrices, 0.0))
    return np.where(known, np.abs(values).max(axis=1), np.inf)


def _times(matrix: Float[np.ndarray, "n q q"], vector: Float[np.ndarray, "n q"]) -> Float[np.ndarray, "n q"]:
    return np.asarray((matrix @ vector[:, :, None])[:, :, 0])


def _noise(
    envelope: Envelope, faces: Faces, z: Points, step: Numbers, at: Systems
) -> Float[np.ndarray, "n q"]:
    """What the residuals of `systems` err by."""
    n, k, d = faces.atoms.shape
    noise = np.zeros_like(at.residual)
    sizes = (k + 2) * np.einsum("nk,nkd->nd", np.abs(faces.weights), np.abs(faces.atoms))
    noise[:, :d] = UNIT * (np.abs(z) + sizes + 2 * step[:, None] * np.abs(faces.slope)) + envelope.off_set
    noise[:, d] = k * UNIT
    slope, first, atoms = np.broadcast_arrays(faces.slope[:, None], faces.atoms[:, :1], faces.atoms)
    noise[:, d + 1 : d + k] = envelope.noise(slope, first, atoms)[:, 1:]
    away = norms(slope - envelope.curvature * atoms)
    size = norms(slope) + envelope.curvature * norms(atoms)
    tilts = (d + 14) * UNIT * away + 2 * UNIT * size + envelope.curvature * envelope.off_set
    noise[:, d + k :] = np.where(at.free, tilts[:, :, None], 0.0).reshape(n, -1)
    return noise


def change_over(
    envelope: Envelope, faces: Faces, z: Points, step: Numbers, at: Systems, box: Float[np.ndarray, "n q"]
) -> tuple[Float[np.ndarray, "n q q"], Bool[np.ndarray, " n"]]:
    """Twice the change of the matrix at two opposite corners of the box, and if the box keeps the strata."""
    n, k, d = faces.atoms.shape
    change, same = np.zeros_like(at.matrix), np.isfinite(box).all(axis=1)
    box = np.where(same[:, None], box, 0.0)
    for sign in (1.0, -1.0):
        moves = at.moves(sign * box).reshape(n * k, d)
        atoms = retracted(envelope.closed_set, faces.atoms.reshape(n * k, d), moves).reshape(n, k, d)
        corner = Faces(atoms, faces.weights + sign * box[:, d : d + k], faces.slope + sign * box[:, :d])
        there = systems(envelope, corner, z, step)
        same &= (there.free == at.free).all(axis=(1, 2))
        signs = _alignment(at, there)
        turned = there.matrix * signs[:, :, None] * signs[:, None]
        change = np.maximum(change, np.abs(turned - at.matrix))
    return 2 * change, same


def _alignment(at: Systems, there: Systems) -> Float[np.ndarray, "n q"]:
    """Signs that make the tangents of one system those of the other."""
    n, k, d, _ = at.tangent.shape
    signs = np.ones_like(at.residual)
    turned = (at.tangent * there.tangent).sum(axis=2) < 0
    signs[:, d + k :] = np.where(turned, -1.0, 1.0).reshape(n, -1)
    return signs


def _pull(
    envelope: Envelope,
    faces: Faces,
    step: Numbers,
    at: Systems,
    rivals: Float[np.ndarray, "n r d"],
    moved: Numbers,
    patches: Float[np.ndarray, "n k"],
    asked: Bool[np.ndarray, " n"],
) -> tuple[Numbers, Float[np.ndarray, "n r"]]:
    """What rivals level to rounding add, where asked; and how far all are below, over |y_r − y_0|.

    Those that are level are 0 below, those within an atom's patch +inf.
    """
    pairs = paired(faces, rivals)
    apart = norms(pairs[2] - pairs[1])
    other = ~(apart <= patches[:, :, None]).any(axis=1)
    margin = -envelope.excess(*pairs).max(axis=1)
    doubt = (2 * envelope.noise(*pairs) + 2 * moved[:, None, None] * apart).max(axis=1)
    lower = other & (margin > doubt)
    with np.errstate(divide="ignore", invalid="ignore"):
        below = np.where(lower, (margin - doubt) / apart.max(axis=1), np.where(other, 0.0, np.inf))
    pull = np.zeros(len(step))
    for i, j in zip(*np.nonzero(other & ~lower & asked[:, None]), strict=True):
        rise = max(float(doubt[i, j] - margin[i, j]), 0.0)
        one = np.array([i])
        pull[i] += step[i] * _move(faces[one], at[one], float(step[i]), rivals[i, j], rise, patches[i])
    return pull, below


def _patches(
    envelope: Envelope, at: Systems, faces: Faces, image: Float[np.ndarray, "n q"]
) -> Float[np.ndarray, "n k"]:
    """Where H is steady, a stationary point of the same slope within this distance is the atom itself."""
    hessian = at.hessians()
    room = np.abs(hessian).sum(axis=(2, 3)) + 1.0
    diagonal = np.einsum("nkmm->nkm", hessian)
    diagonal[~at.free] = np.broadcast_to(room[:, :, None], at.free.shape)[~at.free]
    known = np.isfinite(hessian).all(axis=(2, 3))
    least = np.linalg.eigvalsh(np.where(known[:, :, None, None], hessian, 0.0)).min(axis=2, initial=np.inf)
    size = norms(faces.slope)[:, None] + envelope.curvature * norms(faces.atoms)
    noise = 40 * UNIT * size + envelope.curvature * envelope.off_set
    missed = norms(at.displacements(at.residual)) + noise
    with np.errstate(over="ignore"):  # no patch is larger than the set
        reach = 4 * missed / np.maximum(least, np.finfo(float).tiny) + 2 * norms(at.displacements(image))
    reach = np.where(at.free.any(axis=2), reach, 0.0) + 2 * envelope.off_set
    return np.minimum(np.nan_to_num(reach, nan=np.inf), envelope.closed_set.radius)


def _move(
    face: Faces,
    at: Systems,
    step: float,
    rival: Float[np.ndarray, " d"],
    rise: float,
    patches: Float[np.ndarray, " k"],
) -> float:
    """min(√(2ε/λ), (ε/r)·√(1 + vᵀKv/λ)) for one face, the second where the atoms stay where H is steady."""
    crude = float(np.sqrt(2 * rise / step))
    atoms, offset = face.atoms[0], rival - face.atoms[0, 0]
    edges = (atoms[1:] - atoms[0]).T
    if edges.shape[1]:
        offset = offset - edges @ np.linalg.lstsq(edges, offset, rcond=1e-13)[0]
    reach = float(norms(offset))
    if reach <= 1e-8 * float(norms(rival - atoms[0])):
        return crude
    along = np.einsum("kdm,d->km", at.tangent[0], offset / reach)
    bend = 0.0
    for hessian, weight, tilt, free, patch in zip(
        at.hessians()[0], face.weights[0], along, at.free[0], patches, strict=True
    ):
        shift = np.linalg.solve(hessian[np.ix_(free, free)], tilt[free])
        bend += weight * float(tilt[free] @ shift)
        if rise / reach * norms(shift) > patch:
            return crude
    return min(crude, rise / reach * float(np.sqrt(1 + bend / step)))
