r"""How far a computed face's point may be from the prox: an a-posteriori bound.

**Crude, always true.** For u = Σ w_i y_i, a slope p and G = Σ w_i (φ*(p) − ⟨p,y_i⟩ + (a/2)|y_i|²) ≥ φ(u) +
φ*(p) − ⟨u,p⟩: the primal objective at u and the dual one at p differ by G and are strongly convex and
concave, with moduli 1/λ and λ, so |u − prox(u+λp)| ≤ √(λG); and prox is nonexpansive: |z − u − λp| is
added. It is about convex combinations: by what Σ w_i is off 1, times the largest atom, u misses one, and
twice that is added. The objective at u exceeds its minimum by G + |z − u − λp|²/(2λ) at most.

**Full faces**, d + 1 atoms that hold a ball of radius r about u: let no atom be more than e below φ*(p). As
φ*(p+q) ≥ φ*(p) − e + max_i ⟨q,y_i⟩ ≥ φ*(p) − e + ⟨q,u⟩ + r|q|, the dual objective rises from p to p + q by no
more than e + (|z − u − λp| − r)|q|, so that its maximum is within e/(r − |z − u − λp|) of p, and λ times that
stands for √(λG). So it is on flats, where every point of a piece of M is level and H = 0.

**Sharp.** Let M be the matrix of the optimality conditions (`face_newton`), N its computed inverse, ρ the
residuals plus what they err by (|z|, |u|, λ|p| in the first rows; in the levels `Envelope.noise`; in the
tangential rows |p − ay| times the tangent's error, and that of p − ay). With c = |N|ρ and the change ΔM of
M when everything moves by up to 2c, and

    |N|ρ + (|N|ΔM + |I − NM|)·2c ≤ 2c   (entrywise),

the Newton map takes the box of radius 2c into itself (Krawczyk [@neumaier1990interval, ch. 5]), so the
conditions have an exact solution there; its slope is off by the first entries of the left side, and so u by λ
times them and z − u − λp. ΔM is looked up at two opposite corners of the box and doubled: M is linear in
all but the tangents and II, along which its change over so short an arc is monotone.

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
from jaxtyping import Float

from numerics.accuracy import UNIT
from numerics.geometry import norms
from numerics.potentials.chords import Chord, Envelope
from numerics.potentials.face_newton import System, system
from numerics.potentials.strata import retracted

_MOST_CONDITION_NUMBER = 1e6


@dataclass(frozen=True)
class Certificate:
    """What is known of a face.

    Attributes:
        error: Bound on |Σ w_i y_i − prox(z)|.
        sharp: Whether it is the sharp one.
        violation: φ*(p) less the level of the lowest atom, over what the comparison errs by; at most 1 if
            certified.
        highest: (r,d) the rivals, new atoms if the face is not certified.
        suboptimality: Bound on the primal objective at Σ w_i y_i less its minimum.
        below: For rivals below the level, by how much, over the distance; None if not sharp.
        change: By how much the matrix of the optimality conditions may be off; None if not sharp.
    """

    error: float
    sharp: bool
    violation: float
    highest: Float[np.ndarray, "r d"]
    suboptimality: float
    below: list[float] | None
    change: Float[np.ndarray, "q q"] | None


def certify(
    envelope: Envelope,
    chord: Chord,
    z: Float[np.ndarray, " d"],
    step: float,
    rivals: Float[np.ndarray, "r d"] | None = None,
) -> Certificate:
    """Bound the distance of a face's point from prox_{step·φ}(z); ``rivals`` where they are known."""
    if rivals is None:
        (rivals,) = rivals_of(envelope, chord.slope[None])
    k, r = len(chord.atoms), len(rivals)
    pairs = np.repeat(chord.atoms, r, axis=0), np.tile(rivals, (k, 1))
    slope = np.broadcast_to(chord.slope, pairs[0].shape)
    excess = envelope.excess(slope, *pairs).reshape(k, r)
    noise = 2 * envelope.noise(slope, *pairs).reshape(k, r)
    point, far = chord.point, norms(chord.slope) * step
    missed = norms(z - point - step * chord.slope) + UNIT * (2 * norms(z) + 3 * norms(point) + 3 * far)
    suboptimality = float(np.abs(chord.weights) @ np.maximum((excess + noise).max(axis=1, initial=0.0), 0.0))
    unbalanced = float(abs(chord.weights.sum() - 1) + k * UNIT) * float(norms(chord.atoms).max())
    fallen = float((excess + noise).max(initial=0.0))
    apart = min(float(np.sqrt(step * suboptimality)), step * _full(chord, float(missed), fallen))
    crude = float(apart + missed + 2 * unbalanced + 2 * envelope.off_set)
    # p = (z−u)/λ is known to roundings of |z|/λ, and no levels are closer than that
    blur = noise + 8 * UNIT * (norms(z) + 2 * norms(point)) / step * norms(pairs[1] - pairs[0]).reshape(k, r)
    suboptimality += float(missed) ** 2 / (2 * step)
    violation = float((excess / np.maximum(blur, np.finfo(float).tiny)).max(initial=0.0))
    sharp = _sharp(envelope, chord, z, step, rivals) if violation <= 1 and chord.weights.min() >= 0 else None
    if sharp is None or sharp[0] > crude:
        return Certificate(crude, False, violation, rivals, suboptimality, None, None)
    return Certificate(sharp[0], True, violation, rivals, suboptimality, sharp[1], sharp[2])


def _full(chord: Chord, missed: float, fallen: float) -> float:
    """A bound on |p* − p| on a face of d + 1 atoms; inf on others, and where they nearly lie in a plane.

    ``missed`` is |z − u − λp|, ``fallen`` is e, by how much an atom may be below φ*(p).

    The distance of u from the facet across from an atom is its weight over the length of its barycentric
    coordinate's gradient. Of r half is taken, as the gradients are known to eps times the condition number.
    """
    k, d = chord.atoms.shape
    if k != d + 1 or chord.weights.min() <= 0:
        return float("inf")
    edges = (chord.atoms[1:] - chord.atoms[0]).T
    if np.linalg.cond(edges) > _MOST_CONDITION_NUMBER:
        return float("inf")
    gradients = np.linalg.inv(edges)
    gradients = np.concatenate([-gradients.sum(axis=0, keepdims=True), gradients])
    room = float((chord.weights / norms(gradients)).min()) / 2 - missed
    return fallen / room if room > 0 else float("inf")


def rivals_of(envelope: Envelope, slopes: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n r d"]:
    """The highest points for every slope: the nearest to p/a, and the nearest of every part of the set."""
    images = slopes / envelope.curvature
    nearest = envelope.closed_set.nearest(images)[:, None]
    return np.concatenate([nearest, envelope.closed_set.rivals(images)], axis=1)


def _noise(
    envelope: Envelope, chord: Chord, z: Float[np.ndarray, " d"], step: float, at: System
) -> Float[np.ndarray, " q"]:
    """What the residuals of `system` err by."""
    k, d = chord.atoms.shape
    noise = np.zeros(len(at.residual))
    sizes = np.abs(z) + (k + 2) * np.abs(chord.weights) @ np.abs(chord.atoms) + 2 * step * np.abs(chord.slope)
    noise[:d] = UNIT * sizes + envelope.off_set
    noise[d] = k * UNIT
    slope = np.broadcast_to(chord.slope, (k, d))
    first = np.broadcast_to(chord.atoms[0], (k, d))
    noise[d + 1 : d + k] = envelope.noise(slope, first, chord.atoms)[1:]
    away = norms(slope - envelope.curvature * chord.atoms)
    size = norms(slope) + envelope.curvature * norms(chord.atoms)
    for i in range(k):
        noise[at.part(i)] = (
            (d + 14) * UNIT * away[i] + 2 * UNIT * size[i] + envelope.curvature * envelope.off_set
        )
    return noise


def _sharp(
    envelope: Envelope,
    chord: Chord,
    z: Float[np.ndarray, " d"],
    step: float,
    rivals: Float[np.ndarray, "r d"],
) -> tuple[float, list[float], Float[np.ndarray, "q q"]] | None:
    """The sharp bound, the rivals' depths and ΔM; None unless the Newton map contracts and H > 0."""
    k, d = chord.atoms.shape
    at = system(envelope, chord, z, step)
    inverse = at.solve(np.eye(len(at.matrix)))
    first = np.abs(inverse) @ (np.abs(at.residual) + _noise(envelope, chord, z, step, at))
    box = 2 * first
    change = _change(envelope, chord, z, step, at, box)
    if change is None:
        return None
    defect = np.abs(inverse) @ change + np.abs(np.eye(len(at.matrix)) - inverse @ at.matrix)
    image = first + defect @ box
    if not (image <= box).all():
        return None
    patches = _patches(envelope, at, chord, image)
    slopes = np.broadcast_to(chord.slope, (k, d))
    if not (envelope.steady(chord.atoms, slopes, patches) > 0).all():
        return None
    diameter = float(norms(chord.atoms[:, None] - chord.atoms).max())
    error = (
        step * float(norms(image[:d]))
        + float(norms(at.residual[:d]))
        + 2 * UNIT * float(norms(chord.point))
        + envelope.off_set
    )
    error += 2 * diameter * float(np.maximum(image[d : d + k] - chord.weights, 0.0).sum())
    pull, near = _pull(envelope, chord, step, at, rivals, image, patches)
    return error + pull, near, change


def _change(
    envelope: Envelope,
    chord: Chord,
    z: Float[np.ndarray, " d"],
    step: float,
    at: System,
    box: Float[np.ndarray, " q"],
) -> Float[np.ndarray, "q q"] | None:
    """Twice the change of the matrix at two opposite corners of the box; None if the box leaves a stratum."""
    k, d = chord.atoms.shape
    change = np.zeros_like(at.matrix)
    for sign in (1.0, -1.0):
        moves = np.stack([t @ (sign * box[at.part(i)]) for i, t in enumerate(at.tangents)])
        atoms = retracted(envelope.closed_set, chord.atoms, moves)
        corner = Chord(atoms, chord.weights + sign * box[d : d + k], chord.slope + sign * box[:d])
        there = system(envelope, corner, z, step)
        if there.offsets != at.offsets:
            return None
        signs = _alignment(at, there)
        change = np.maximum(change, np.abs(there.matrix * signs[:, None] * signs - at.matrix))
    return 2 * change


def _alignment(at: System, there: System) -> Float[np.ndarray, " q"]:
    """Signs that make the tangents of one system those of the other."""
    signs = np.ones(len(at.matrix))
    for i, (old, new) in enumerate(zip(at.tangents, there.tangents, strict=True)):
        signs[at.part(i)] = np.where((old * new).sum(axis=0) < 0, -1.0, 1.0)
    return signs


def _pull(
    envelope: Envelope,
    chord: Chord,
    step: float,
    at: System,
    rivals: Float[np.ndarray, "r d"],
    image: Float[np.ndarray, " q"],
    patches: Float[np.ndarray, " k"],
) -> tuple[float, list[float]]:
    """What rivals level to rounding add, and how far below the others are, over |y_r − y_0|."""
    d = chord.atoms.shape[1]
    moved = norms(image[:d])
    pull, below = 0.0, []
    slope = np.broadcast_to(chord.slope, chord.atoms.shape)
    for rival in rivals:
        apart = norms(chord.atoms - rival)
        if (apart <= patches).any():
            continue
        there = np.broadcast_to(rival, chord.atoms.shape)
        margin = -float(envelope.excess(slope, chord.atoms, there).max())
        doubt = float((2 * envelope.noise(slope, chord.atoms, there) + 2 * moved * apart).max())
        if margin > doubt:
            below.append((margin - doubt) / float(apart.max()))
        else:
            pull += step * _move(chord, at, step, rival, max(doubt - margin, 0.0), patches)
    return pull, below


def _patches(
    envelope: Envelope, at: System, chord: Chord, image: Float[np.ndarray, " q"]
) -> Float[np.ndarray, " k"]:
    """Where H is steady, a stationary point of the same slope within this distance is the atom itself."""
    patches = np.full(len(chord.atoms), 2 * envelope.off_set)
    for i, atom in enumerate(chord.atoms):
        part = at.part(i)
        if part.start == part.stop:
            continue
        least = max(float(np.linalg.eigvalsh(-at.matrix[part, part])[0]), np.finfo(float).tiny)
        size = float(norms(chord.slope)) + envelope.curvature * float(norms(atom))
        noise = 40 * UNIT * size + envelope.curvature * envelope.off_set
        residual = float(norms(at.residual[part]))
        patches[i] += 4 * (residual + noise) / least + 2 * float(norms(image[part]))
    return np.minimum(patches, envelope.closed_set.radius)


def _move(
    chord: Chord,
    at: System,
    step: float,
    rival: Float[np.ndarray, " d"],
    doubt: float,
    patches: Float[np.ndarray, " k"],
) -> float:
    """min(√(2ε/λ), (ε/r)·√(1 + vᵀKv/λ)), the second where the atoms stay where H is steady."""
    crude = float(np.sqrt(2 * doubt / step))
    edges = (chord.atoms[1:] - chord.atoms[0]).T
    offset = rival - chord.atoms[0]
    if edges.shape[1]:
        offset = offset - edges @ np.linalg.lstsq(edges, offset, rcond=1e-13)[0]
    reach = float(norms(offset))
    if reach <= 1e-8 * float(norms(rival - chord.atoms[0])):
        return crude
    v = offset / reach
    bend = 0.0
    for i, tangent in enumerate(at.tangents):
        if tangent.shape[1]:
            along = tangent.T @ v
            shift = np.linalg.solve(-at.matrix[at.part(i), at.part(i)], along)
            bend += chord.weights[i] * float(along @ shift)
            if doubt / reach * norms(shift) > patches[i]:
                return crude
    return min(crude, doubt / reach * float(np.sqrt(1 + bend / step)))


def kink_of(
    envelope: Envelope, chord: Chord, found: Certificate, z: Float[np.ndarray, " d"], step: float
) -> float:
    """A bound below on how far z is from where the face changes; 0 without the sharp certificate.

    While z moves by δ the unknowns move by |N_z|δ at most to first order, twice that while |N|ΔM < 1/2 over
    a box of that size, in units of a·radius, 1 and radius: quartered until that holds. Until then no weight
    vanishes if δ ≤ w_i/(2|∂w_i/∂z|), and no rival comes level if its depth is more than |δp||y_r − y_i|,
    with |δp| ≤ δ/λ as z ↦ λp is nonexpansive.
    """
    if found.below is None:
        return 0.0
    k, d = chord.atoms.shape
    at = system(envelope, chord, z, step)
    inverse = at.solve(np.eye(len(at.matrix)))
    rates = norms(inverse[:, :d])
    limits = [envelope.closed_set.radius, *(step * depth / 2 for depth in found.below)]
    if k > 1:
        limits.append(float((chord.weights / np.maximum(rates[d : d + k], np.finfo(float).tiny)).min()) / 2)
    reach, radius = min(limits), envelope.closed_set.radius
    units = np.concatenate(
        [np.full(d, envelope.curvature * radius), np.ones(k), np.full(len(rates) - d - k, radius)]
    )
    for _ in range(30):
        change = _change(envelope, chord, z, step, at, 2 * rates * reach)
        if change is not None and (np.abs(inverse) @ change @ units <= units / 2).all():
            return reach
        reach /= 4
    return 0.0
