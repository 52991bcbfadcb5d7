"""P2 in rational arithmetic: finite atoms, no rounding and no tolerance.

Coordinates, heights, noise and times are fractions. The Karush–Kuhn–Tucker conditions of the prox are
decided exactly: u = Σ w_i y_i with w in the simplex, and y = (z − u)/λ makes every atom with w_i > 0 maximal.
The floating-point solver only proposes the active atoms; the exact solve on them is judged by itself.
"""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.accuracy import Rounding
from numerics.potentials import FiniteAtoms
from numerics.solvers import active_set
from numerics.solvers.exact_active_set import ExactAtoms, rational, rationals
from theorems.proximal_denoiser.rational_atoms import RationalAtoms
from theorems.proximal_denoiser.rational_draws import atoms_and_points, interpolant, sixteenths_of_time
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, for_all

DOMAIN = "atoms, heights, noise in ⅛ℤ, d ≤ 3, at most 7 atoms, times k/16"


@for_all("P2", problem=atoms_and_points(), t=sixteenths_of_time)
def test_interpolant_returns_its_atom_exactly(evidence, problem, t):
    atoms, (noise,) = problem
    scores = atoms.scores(noise)
    best = scores.index(max(scores))
    xt = interpolant(1 - t, noise, t, atoms.points[best])
    weights = [Fraction(int(i == best)) for i in range(len(scores))]
    evidence.on(atoms, noise=noise, t=t).exact(
        "prox_{λφ}(x_t/β) = x₁ by its KKT conditions",
        atoms.solves(weights, [x / t for x in xt], (1 - t) / t),
        domain=DOMAIN,
        clause="recovery",
    )


@for_all("P2", problem=atoms_and_points(), t=sixteenths_of_time)
def test_inverse_exists_at_every_point_exactly(evidence, problem, t):
    """An arbitrary rational point, mostly off the support of x_t: the prox is solved and proved optimal."""
    atoms, (z,) = problem
    step = (1 - t) / t
    weights = atoms.prox_weights(z, step)
    on = evidence.on(atoms, z=z, t=t)
    on.exact(
        "prox_{λφ}(z) by its KKT conditions, z anywhere",
        atoms.solves(weights, z, step),
        DOMAIN,
        clause="inverse",
    )
    u = np.array(atoms.point(weights), dtype=float)
    target = FiniteAtoms(np.array(atoms.points, dtype=float), np.array(atoms.heights, dtype=float))
    point, rounded = np.array([z], dtype=float), float(step)
    on.bounded(
        "|prox in floating point − prox in rationals|",
        np.linalg.norm(target.prox(point, rounded) - u),
        target.roundings.prox(point, rounded)
        + Rounding(np.linalg.norm(point - u), 1, "λ is rounded to a double")
        + Rounding(np.linalg.norm(u), 1, "the rational answer is rounded"),
        because="the same prox in rationals; atoms, heights and z are exact in binary",
        clause="inverse",
    )


@for_all("P2", seed=SEEDS, scale=st.sampled_from([1.0, 0.1, 1 / 3]))
def test_every_atom_that_ties_is_found(evidence, seed, scale):
    """Corners of a box with heights of an affine function, moved far off 0: scores tie, and round apart."""
    rng, corners = generator(seed), np.array(list(product([0.0, 1.0], repeat=3)))
    points = scale * (corners + rng.integers(-40, 41, 3))
    slope, step = rng.integers(-9, 10, 3) * 0.125, 0.25
    heights = np.array(
        [float(sum(Fraction(a) * Fraction(b) for a, b in zip(y, slope, strict=True))) for y in points]
    )
    z = points[0] + np.array([0.5, 0.5, -1.0]) * scale + step * slope
    exact = ExactAtoms(points, heights)
    found = exact.prox(rationals(z), rational(step), [0], [rational(1.0)])
    dual = [Fraction(int(y.p), int(y.q)) for y in found.dual]
    scores = [
        sum((a * Fraction(b) for a, b in zip(dual, y, strict=True)), -Fraction(g))
        for y, g in zip(points, heights, strict=True)
    ]
    on = evidence.on("corners of a box", seed=seed, scale=scale)
    on.exact(
        "the tied atoms are those of the largest score, all of them",
        sorted(found.tied) == [i for i, score in enumerate(scores) if score == max(scores)],
        domain="eight corners within 40 of 0, as doubles",
    )
    on.exact("the members tie", [i in found.tied for i in found.members], domain="eight corners")


@pytest.mark.claim("P2")
@pytest.mark.parametrize("power", range(-40, -19, 4))
def test_faces_are_told_close_to_where_they_change(evidence, power):
    """Atoms 0 and 1 of heights 0 and 1, λ = 1: z = 1 + δ has the prox δ on the edge, z = 1 − δ the atom 0."""
    rest = 2.0**power
    z = np.array([[1.0 + rest], [1.0 - rest]])
    faces = active_set.solve(np.array([[0.0], [1.0]]), np.array([0.0, 1.0]), z, np.ones(2))
    found = {int(face.rows[k]): _weights_of(face, k) for face in faces for k in range(len(face.rows))}
    on = evidence.on("FiniteAtoms", z=z.tolist())
    on.exact(
        "the face found in floating point is that of the prox in rationals: the edge beyond, the atom before",
        [set(found[row]) == _face_in_rationals(z[row]) for row in (0, 1)],
        domain="indices of atoms 0 and 1, at z = 1 ± 2ᵏ as doubles, k = −40 … −20; λ = 1",
    )
    on.bounded(
        "|weight at 1 − δ|",
        abs(found[0][1] - rest),
        Rounding(1.0, 8, "differences of numbers near 1, and a sum"),
        because="u = z − λ",
    )


def _face_in_rationals(z):
    """The atoms of positive weight, decided by the KKT conditions: every face is tried, none is proposed."""
    zero, one = Fraction(0), Fraction(1)
    atoms, place = RationalAtoms(((zero,), (one,)), (zero, one)), [Fraction(float(z[0]))]
    edge = place[0] - 1  # u = z − λ, the slope of φ on [0, 1] being 1
    held = [w for w in ([one, zero], [zero, one], [1 - edge, edge]) if atoms.solves(w, place, one)]
    return {i for i in (0, 1) if held[0][i] > 0}


def _weights_of(face, k):
    """The weights of one point's members."""
    return dict(zip(face.members[k].tolist(), face.weights[k].tolist(), strict=True))


@pytest.mark.control("P2")
@pytest.mark.parametrize("factor", [Fraction(1, 2), Fraction(2)])
def test_wrong_step_breaks_the_conditions(evidence, factor):
    """Atoms 0 and 1 on a line with threshold b = ½: with step sλ the noise p is read as p/s."""
    atoms, t = RationalAtoms(((Fraction(0),), (Fraction(1),)), (Fraction(0), Fraction(1, 2))), Fraction(1, 2)
    heights = atoms.heights
    noises = [Fraction(k, 16) for k in range(-32, 33)]
    lost = 0
    for noise in noises:
        best = int(noise > heights[1])
        z = [noise + atoms.points[best][0]]
        weights = [Fraction(int(i == best)) for i in range(2)]
        lost += not atoms.solves(weights, z, factor * (1 - t) / t)
    b = heights[1]
    between = (b < p < factor * b if factor > 1 else factor * b < p <= b for p in noises)
    evidence.on("FiniteAtoms").control(
        f"step {factor}·λ: noises on a grid whose atom no longer satisfies the KKT conditions",
        predicted=sum(between),
        measured=lost,
        agreement=0,
        because="the upper atom is lost iff b < p < sb, the lower iff sb < p ≤ b",
    )
