"""∂φ on the faces between atoms, by the prox alone: its dimension, its border, and what lies outside.

u is the data of z = u + λx₀ exactly while x₀ ∈ ∂φ(u). On a face of m dimensions D prox projects on the face,
so that ∂φ(u) has d − m; along the directions across the face x₀ leaves ∂φ(u) where prox leaves u, and the
border that is stated is where that happens first: no nearer and no farther. Faces that are long and thin have
the same dimension as others. Control: a border √2 times as far is told.
"""

import numpy as np
import pytest

from numerics.potentials import DegenerateGaussian, FiniteAtoms, Sphere, embed, product, scale, translate
from theorems.setting.draws import generator
from theorems.setting.exits import first_exits
from theorems.setting.vectors import norm

ANGLES, HALVINGS, FACES, SHARP = 180, 24, 3, 0.01
LEAVES = 1e-9
"""u is left where prox is farther from it than this share of the data's size, far above its rounding."""
DRAWS = 300
THIN = FiniteAtoms([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0], [4.0, 0.5, 0.0], [4.0, 0.0, 3.0]], [0.0, 0.3, 0.1, 0.2])
# Not of the one list: small ones whose faces have every dimension, at most two directions across.
TARGETS = (
    FiniteAtoms([[0.0, 0.0], [3.0, 0.0], [0.0, 2.0], [1.0, 1.0]], [0.0, 0.4, 0.3, 0.1]),
    FiniteAtoms([[0.0, 0.0], [9.0, 0.0], [4.0, 0.01]], [0.0, 0.3, 0.1]),
    FiniteAtoms.hypercube(3),
    FiniteAtoms.cross_polytope(3),
    THIN,
    scale(FiniteAtoms.regular_polygon(5), 3.0),
    translate(THIN, [1.0, -2.0, 0.5]),
    product(FiniteAtoms.two([0.0], [1.0], 0.2), FiniteAtoms.regular_polygon(3)),
    embed(FiniteAtoms.on_line([0.0, 1.0, 3.0], [0.2, 0.3, 0.5]), [[0.6], [0.8]]),
)


def faces(target, step, rng):
    """Points u of faces of each dimension, some x₀ ∈ ∂φ(u), and D prox at u + λx₀: row by row."""
    drawn = target.scale * rng.standard_normal((DRAWS, target.dim))
    found = target.proximal_point(drawn + step * rng.standard_normal(drawn.shape), step)
    rank = np.rint(np.trace(found.jacobian, axis1=1, axis2=2))
    inside = found.kink > 1e-6 * target.scale
    rows = np.concatenate([np.flatnonzero(inside & (rank == m))[:FACES] for m in range(1, target.dim)])
    return found.point[rows], found.dual[rows], found.jacobian[rows]


def exits(target, step, u, x0, across, far):
    """The least way (d − m directions) along which prox(u + λ(x₀ + h)) leaves u; inf if none does."""
    angles = 2 * np.pi / ANGLES * np.arange(ANGLES)
    ways = (
        np.array([[1.0], [-1.0]]) if across.shape[1] == 1 else np.stack([np.cos(angles), np.sin(angles)], 1)
    )
    ways = ways @ across.T

    def leaves(s):
        there = target.prox(u + step * (x0 + s[:, None] * ways), step)
        return norm(there - u) > LEAVES * target.scale

    return float(first_exits(leaves, len(ways), far, HALVINGS).min())


def _borders(target, step, rng):
    """(stated, found, dimension stated, d − rank of D prox) at points of faces."""
    rows = []
    for u, x0, jacobian in zip(*faces(target, step, rng), strict=True):
        cell = target.subdifferential(u)
        values, frame = np.linalg.eigh(jacobian)
        across = frame[:, values < 0.5]
        stated = float(cell.boundary_distance(x0[None])[0])
        far = 20 * (stated if np.isfinite(stated) else 1 + float(norm(x0[None])[0]))
        rows.append((stated, exits(target, step, u, x0, across, far), cell.dimension, across.shape[1]))
    return np.array(rows).reshape(-1, 4).T


@pytest.mark.claim("P2")
@pytest.mark.parametrize("step", [0.25, 2.0])
def test_normal_sets_of_faces_end_where_prox_leaves_the_point(evidence, step):
    for target in TARGETS:
        stated, found, dimension, across = _borders(target, step, generator(11))
        on = evidence.on(target, step=step)
        on.exact("dimension of ∂φ(u) and of the face make up the space", dimension == across, "integers")
        with np.errstate(invalid="ignore"):
            apart = np.where(stated == found, 0.0, np.abs(found / stated - 1))  # both may be infinite
        on.estimated(
            "|the least way out of ∂φ(u) by prox over the border that is stated − 1|",
            apart,
            SHARP,
            by=f"{ANGLES} directions across the face, halved {HALVINGS} times",
            because="prox(u + λ(x₀ + h)) = u exactly while x₀ + h ∈ ∂φ(u)",
            chosen="one in a hundred",
        )


# Not of the one list: of each kind of ∂φ a ray, a cell, a fibre, a product and one seen through a rotation.
MEMBERS = (
    Sphere(3, 2.0),
    FiniteAtoms.regular_polygon(5),
    DegenerateGaussian([1.0, 2.0], [[4.0, 0.0], [0.0, 0.0]]),
    product(Sphere(2, 1.0), FiniteAtoms.two([0.0], [1.0], 0.2)),
    scale(FiniteAtoms.hypercube(2), 3.0),
)
OUTSIDE = 1e-9


@pytest.mark.claim("P2")
@pytest.mark.parametrize("target", MEMBERS, ids=repr)
def test_what_is_beside_a_normal_set_is_no_member(evidence, target):
    """T sends x₀ to x₁; noise that is off ∂φ(x₁) by 1e−9 is sent elsewhere, and is not contained."""
    x0, x1 = target.sample(6, generator(12))
    members, others = [], []
    for noise, data in zip(x0, x1, strict=True):
        cell, ways = target.subdifferential(data), generator(13).standard_normal((8, target.dim))
        members.append(bool(cell.contains(noise[None])[0]))
        moved = noise + 2.0 ** -np.arange(-3, 40)[:, None, None] * ways
        beside = moved.reshape(-1, target.dim)
        others.append(cell.contains(beside[cell.distance(beside) > OUTSIDE]).any())
    on = evidence.on(target)
    on.exact("noise that T sends to x₁ is a member of ∂φ(x₁)", members, "to the set's own rounding")
    on.exact(
        "noise 1e−9 beside ∂φ(x₁) is none",
        [not other for other in others],
        "membership",
        chosen="1e−9, millions of roundings",
    )


# --- control --------------------------------------------------------------------------------------------


@pytest.mark.control("P2")
def test_a_border_of_another_length_is_told(evidence):
    """The search knows nothing of what is stated: of faces of a long, thin cloud."""
    stated, found, _, _ = _borders(THIN, 0.25, generator(11))
    known = np.isfinite(stated) & np.isfinite(found)
    evidence.on(THIN).control(
        "the border √2 times as far: its ratio to the least way out",
        predicted=np.sqrt(2),
        measured=np.sqrt(2) * stated[known] / found[known],
        agreement=SHARP * np.sqrt(2),
        because="the way out does not depend on what is stated",
        intact=1.0,
        left_out=int((~known).sum()),
    )
