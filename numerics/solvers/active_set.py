r"""Prox of the convex envelope of finitely many atoms, by a batched active-set method.

For atoms $y_i$ with heights $g_i$ and φ their convex envelope,

    prox_{λφ}(z) = Σ w_i y_i,   w = argmin over the simplex of Σ w_i g_i + |Σ w_i y_i − z|²/(2λ).

This is Wolfe's method [@wolfe1976finding] with a linear term. A point keeps
affinely independent active atoms with positive weights, at the optimum of their affine hull; the atom that
violates dual feasibility most enters, and atoms whose weights reach zero leave. The objective falls at every
pivot, so it ends; the last step solves the face's equations afresh by QR, so the answer is good to rounding
and carries no trace of the path. Points that share the size of their active set are solved together.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Inexact, Int

from numerics.accuracy import EPS
from numerics.deprecated import goes
from numerics.geometry import norms
from numerics.solvers.best_atoms import best_atoms, best_single_atoms

_BLOCK_ENTRIES = 8_000_000
_NEGLIGIBLE_WEIGHT = 4 * EPS
_IN_THE_HULL = 64 * EPS
"""Chosen, a coordinate: an atom so near a face's affine hull is taken to lie in it. That picks the next step
of the search; what an answer errs by is stated by its own certificate."""


@dataclass(frozen=True)
class Face:
    """Points of a batch whose prox lies in the relative interior of faces with k atoms.

    Attributes:
        rows: (m,) which points of the batch.
        members: (m,k) their active atoms, affinely independent.
        weights: (m,k) positive, rows summing to 1: prox = Σ weights·atoms.
    """

    rows: Int[np.ndarray, " m"]
    members: Int[np.ndarray, "m k"]
    weights: Float[np.ndarray, "m k"]


@dataclass(frozen=True)
class FaceSolution:
    """Optimum over the affine hulls of faces: the point u, its coordinates, and what it was solved with."""

    point: Inexact[np.ndarray, "m d"]
    weights: Inexact[np.ndarray, "m k"]
    dual: Inexact[np.ndarray, "m d"]
    basis: Float[np.ndarray, "m d k-1"]
    condition_number: Float[np.ndarray, " m"]

    @property
    def condition(self) -> Float[np.ndarray, " m"]:
        """The older name of ``condition_number``, which goes with the next version."""
        goes("condition", "condition_number")
        return self.condition_number


def solve(
    atoms: Float[np.ndarray, "N d"],
    heights: Float[np.ndarray, " N"],
    z: Float[np.ndarray, "n d"],
    step: Float[np.ndarray, " n"],
) -> list[Face]:
    """Find the active faces of prox_{step·φ}(z) for every row of z (n,d), step (n,).

    Raises:
        RuntimeError: If a point is not settled within the pivot limit, naming it and its violation.
    """
    block = max(1, _BLOCK_ENTRIES // len(atoms))
    faces: list[Face] = []
    for start in range(0, len(z), block):
        rows = np.arange(start, min(start + block, len(z)))
        found = _solve_block(atoms, heights, z[rows], step[rows])
        faces += [Face(rows[face.rows], face.members, face.weights) for face in found]
    return faces


def on_face(
    atoms: Float[np.ndarray, "N d"],
    heights: Float[np.ndarray, " N"],
    members: Int[np.ndarray, "m k"],
    z: Inexact[np.ndarray, "m d"],
    step: Float[np.ndarray, " m"],
) -> FaceSolution:
    r"""Minimise the objective over the affine hull of each face's atoms.

    With B the differences to the first atom, Bᵀ = QR and h = R⁻ᵀ(differences of heights):
    u = y₀ + Q(Qᵀ(z−y₀) − λh) and y = (z−u)/λ = (I−QQᵀ)(z−y₀)/λ + Qh, which divides nothing small by λ
    along the face.
    """
    origin = atoms[members[:, 0]]
    offset = z - origin
    if members.shape[1] == 1:
        m, d = origin.shape
        weights = np.ones((m, 1))
        dual = offset / step[:, None]
        return FaceSolution(origin + 0 * z, weights, dual, np.zeros((m, d, 0)), np.ones(m))
    differences = atoms[members[:, 1:]] - origin[:, None]
    basis, triangle = np.linalg.qr(differences.transpose(0, 2, 1))
    rises = heights[members[:, 1:]] - heights[members[:, :1]]
    slope = np.linalg.solve(triangle.transpose(0, 2, 1), rises[:, :, None])
    along = basis.transpose(0, 2, 1) @ offset[:, :, None]
    inside = along - step[:, None, None] * slope
    tail = np.linalg.solve(triangle, inside)[:, :, 0]
    displacement = (basis @ inside)[:, :, 0]
    across = offset - (basis @ along)[:, :, 0]
    return FaceSolution(
        origin + displacement,
        np.concatenate([1 - tail.sum(axis=1, keepdims=True), tail], axis=1),
        across / step[:, None] + (basis @ slope)[:, :, 0],
        basis,
        _condition_number(triangle),
    )


def _condition_number(triangle: Float[np.ndarray, "m k k"]) -> Float[np.ndarray, " m"]:
    """A cheap lower estimate of cond(R): the ratio of its extreme diagonal entries."""
    diagonal = np.abs(np.diagonal(triangle, axis1=1, axis2=2))
    return np.asarray(diagonal.max(axis=1) / np.maximum(diagonal.min(axis=1), np.finfo(float).tiny))


def _solve_block(
    atoms: Float[np.ndarray, "N d"],
    heights: Float[np.ndarray, " N"],
    z: Float[np.ndarray, "n d"],
    step: Float[np.ndarray, " n"],
) -> list[Face]:
    n = len(z)
    members = [best_single_atoms(atoms, heights, z, step)[:, None]]
    weights = [np.ones((n, 1))]
    open_rows = [np.arange(n)]
    done: list[Face] = []
    sizes = float(norms(atoms).max()), float(np.abs(heights).max())
    limit = 50 + 20 * min(len(atoms), atoms.shape[1] + 1)
    for _ in range(limit):
        following: list[Face] = []
        for rows, active, w in zip(open_rows, members, weights, strict=True):
            settled, moved = _pivot(atoms, heights, z[rows], step[rows], Face(rows, active, w), sizes)
            done += settled
            following += moved
        if not following:
            return _merge(done)
        merged = _merge(following)
        open_rows = [face.rows for face in merged]
        members = [face.members for face in merged]
        weights = [face.weights for face in merged]
    left = np.concatenate(open_rows)
    raise RuntimeError(
        f"active set: {len(left)} of {n} points not settled after {limit} pivots; first z = {z[left[0]]}, "
        f"step = {step[left[0]]}; are atoms nearly duplicate?"
    )


def _pivot(
    atoms: Float[np.ndarray, "N d"],
    heights: Float[np.ndarray, " N"],
    z: Float[np.ndarray, "m d"],
    step: Float[np.ndarray, " m"],
    face: Face,
    sizes: tuple[float, float],
) -> tuple[list[Face], list[Face]]:
    """One step for points with active sets of one size: settle, enter an atom, or let atoms leave."""
    solution = on_face(atoms, heights, face.members, z, step)
    inside = (solution.weights > _NEGLIGIBLE_WEIGHT).all(axis=1) | (face.members.shape[1] == 1)
    moved: list[Face] = []
    rows: slice | np.ndarray = slice(None)  # all, mostly: then nothing is copied
    if not inside.all():
        moved += _leave(face, solution.weights, ~inside)
        rows = np.flatnonzero(inside)
        if not rows.size:
            return [], moved
    at = Face(face.rows[rows], face.members[rows], solution.weights[rows])
    dual = solution.dual[rows]
    entering, best = best_atoms(atoms, heights, dual)
    held = (np.einsum("md,mkd->mk", dual, atoms[at.members]) - heights[at.members]).max(axis=1)
    violation = best - held
    entered = (at.members == entering[:, None]).any(axis=1)
    offset = norms(z[rows] - atoms[at.members[:, 0]])
    noise = _noise(sizes, offset / step[rows], dual)
    settled = (violation <= solution.condition_number[rows] * noise) | entered
    if settled.all():
        return [at], moved
    go = np.flatnonzero(~settled)
    grown = Face(at.rows[go], at.members[go], at.weights[go])
    gain = step[rows][go] * violation[go]
    idle, entered_faces = _enter(atoms, grown, entering[go], gain, solution.basis[rows][go])
    settled[go[idle]] = True
    moved += entered_faces
    keep = np.flatnonzero(settled)
    return [Face(at.rows[keep], at.members[keep], at.weights[keep])] if keep.size else [], moved


def _noise(
    sizes: tuple[float, float],
    of_dual: Float[np.ndarray, " m"],
    dual: Float[np.ndarray, "m d"],
) -> Float[np.ndarray, " m"]:
    """Rounding in the scores ⟨y, y_i⟩ − g_i: of the product, and of y, a difference of size |z − y₀|/λ.

    ``sizes`` are the largest |y_i| and |g_i|.
    """
    product = sizes[0] * (norms(dual) + of_dual) + sizes[1]
    return 4 * EPS * (dual.shape[1] + 2) * product


def _enter(
    atoms: Float[np.ndarray, "N d"],
    face: Face,
    entering: Int[np.ndarray, " m"],
    gain: Float[np.ndarray, " m"],
    basis: Float[np.ndarray, "m d r"],
) -> tuple[np.ndarray, list[Face]]:
    """Move along the direction that brings an atom in: it gains τ, the face's atoms lose τ·c.

    c are the entering atom's coordinates in the face's affine hull and r its distance from it. The face is
    optimal, so the objective along τ is −violation·τ + |r|²τ²/(2λ): minimal at λ·violation/|r|², ``gain``
    over |r|², unless a weight reaches zero before. With r = 0 (an atom in the hull) the fall is linear and a
    weight must go. An atom that would gain no more than rounding stays out: its point is settled (``idle``).
    """
    coordinates, residual = _coordinates(atoms, face.members, entering, basis)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(coordinates > 0, face.weights / coordinates, np.inf)
        best = np.where(residual > 0, gain / residual**2, np.inf)
    reach = ratios.min(axis=1)
    tau = np.minimum(best, reach)
    weights = np.concatenate([face.weights - tau[:, None] * coordinates, tau[:, None]], axis=1)
    blocked = reach <= best
    leaver = ratios.argmin(axis=1)
    weights[blocked, leaver[blocked]] = 0.0
    members = np.concatenate([face.members, entering[:, None]], axis=1)
    idle = best <= 4 * _NEGLIGIBLE_WEIGHT
    return idle, list(_drop(face.rows[~idle], members[~idle], weights[~idle]))


def _coordinates(
    atoms: Float[np.ndarray, "N d"],
    members: Int[np.ndarray, "m k"],
    entering: Int[np.ndarray, " m"],
    basis: Float[np.ndarray, "m d k-1"],
) -> tuple[Float[np.ndarray, "m k"], Float[np.ndarray, " m"]]:
    """Affine coordinates of the entering atom's projection on each face's hull, and its distance from it."""
    origin = atoms[members[:, 0]]
    offset = atoms[entering] - origin
    if members.shape[1] == 1:
        return np.ones((len(members), 1)), np.linalg.norm(offset, axis=1)
    along = basis.transpose(0, 2, 1) @ offset[:, :, None]
    residual = np.linalg.norm(offset - (basis @ along)[:, :, 0], axis=1)
    residual[residual <= _IN_THE_HULL * atoms.shape[1] * np.linalg.norm(offset, axis=1)] = 0.0
    differences = (atoms[members[:, 1:]] - origin[:, None]).transpose(0, 2, 1)
    triangle = basis.transpose(0, 2, 1) @ differences
    tail = np.linalg.solve(triangle, along)[:, :, 0]
    return np.concatenate([1 - tail.sum(axis=1, keepdims=True), tail], axis=1), residual


def _leave(face: Face, target: Float[np.ndarray, "m k"], rows: np.ndarray) -> Iterator[Face]:
    """Move from the current weights towards the optimum of the affine hull until a weight reaches zero."""
    if not rows.any():
        return iter(())
    weights, target = face.weights[rows], target[rows]
    fall = weights - target
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(target <= _NEGLIGIBLE_WEIGHT, weights / np.where(fall > 0, fall, np.inf), np.inf)
        ratios = np.where((target <= _NEGLIGIBLE_WEIGHT) & (fall <= 0), 0.0, ratios)
    theta = np.minimum(ratios.min(axis=1), 1.0)
    weights = weights - theta[:, None] * fall
    weights[np.arange(len(weights)), ratios.argmin(axis=1)] = 0.0
    return _drop(face.rows[rows], face.members[rows], weights)


def _drop(
    rows: Int[np.ndarray, " m"], members: Int[np.ndarray, "m k"], weights: Float[np.ndarray, "m k"]
) -> Iterator[Face]:
    """Remove the atoms of negligible weight and regroup by the size of what is left."""
    kept = weights > _NEGLIGIBLE_WEIGHT
    order = np.argsort(~kept, axis=1, kind="stable")
    members, weights = np.take_along_axis(members, order, 1), np.take_along_axis(weights, order, 1)
    sizes = kept.sum(axis=1)
    for size in np.unique(sizes):
        same = sizes == size
        w = weights[same, :size]
        yield Face(rows[same], members[same, :size], w / w.sum(axis=1, keepdims=True))


def _merge(faces: list[Face]) -> list[Face]:
    """Join faces of equal size, so that each size is one batch."""
    if len(faces) == 1:
        return faces
    sizes = sorted({face.members.shape[1] for face in faces})
    groups = [[face for face in faces if face.members.shape[1] == size] for size in sizes]
    return [
        Face(
            np.concatenate([face.rows for face in group]),
            np.concatenate([face.members for face in group]),
            np.concatenate([face.weights for face in group]),
        )
        for group in groups
    ]
