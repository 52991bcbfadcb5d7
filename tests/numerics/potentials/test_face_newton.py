"""Faces of curves by Newton: convex combinations, known to their statement at steps far below rounding."""

import numpy as np
import pytest

from numerics.accuracy import UNIT
from numerics.geometry import norms
from numerics.potentials import Curve, NearestPoint
from numerics.potentials.chords import Chord, Faces
from numerics.potentials.face_certificate import _full
from numerics.potentials.proximal_faces import faces_of_prox
from numerics.potentials.solved_faces import SolvedFaces

CURVES = [NearestPoint(Curve.spiral(1.5), 0.5), NearestPoint(Curve.trefoil(), 1.0)]


@pytest.mark.parametrize("target", CURVES, ids=repr)
@pytest.mark.parametrize("step", [1e-22, 1e-19, 2.5e-17, 1.0])
def test_prox_returns_the_data_point_within_its_statement(target, step):
    """At λ of 1e−17 least squares lost Σw = 1: the point was 8e−13 off the hull, more than was stated."""
    x0, x1 = target.sample(6, np.random.default_rng(5))
    z = x1 + step * x0
    found = target.proximal_point(z, step)
    formed = 2 * UNIT * (norms(x1) + step * norms(x0))
    allowed = found.rounding.point.bound + 2 * target.roundings.transport(x0).bound + formed
    assert (norms(found.point - x1) <= allowed).all()


@pytest.mark.parametrize("target", CURVES, ids=repr)
@pytest.mark.parametrize("step", [1e-19, 2.5e-17, 1.0])
def test_a_face_is_a_convex_combination(target, step):
    x0, x1 = target.sample(2, np.random.default_rng(6))
    for chord, _ in faces_of_prox(target._lifted, x1 + step * x0, np.full(2, step)):
        assert (chord.weights >= 0).all()
        assert abs(chord.weights.sum() - 1) <= len(chord.weights) * UNIT


@pytest.mark.parametrize("target", CURVES, ids=repr)
@pytest.mark.parametrize("step", [1e-22, 1e-19, 2.5e-17])
def test_a_step_below_rounding_costs_a_few_roundings(target, step):
    """No face is looked for, D prox says that it is not known, and the envelope's statement holds."""
    x0, x1 = target.sample(200, np.random.default_rng(7))
    z = x1 + step * x0
    found = target.proximal_point(z, step)
    sizes = 64 * UNIT * (norms(z) + norms(x1)) + 8 * target.closed_set.error
    assert (found.rounding.point.bound <= sizes).all()
    assert (norms(found.point - x1) <= found.rounding.point.bound + 2 * sizes).all()
    solved = SolvedFaces(target._lifted, z, np.full(len(z), step))
    assert solved.settled.any()
    assert not solved.chords
    assert (found.kink[solved.settled] == 0).all()
    assert (found.rounding.jacobian.bound[solved.settled] >= 1).all()
    objective = target.roundings.value(x1).bound + step * norms(x0) ** 2 / 2 + found.rounding.envelope.bound
    assert (np.abs(found.envelope - target.value(x1)) <= objective + norms(x0) * sizes).all()


@pytest.mark.parametrize("target", CURVES, ids=repr)
def test_what_a_settled_point_states(target):
    """prox(u+λau) = u and prox is nonexpansive: |z − u − λau| is stated at least, and its square over 2λ."""
    rng = np.random.default_rng(9)
    _, x1 = target.sample(200, rng)
    step = 1e-17
    z = x1 + 12 * UNIT * rng.standard_normal(x1.shape)
    solved = SolvedFaces(target._lifted, z, np.full(len(z), step))
    missed = norms(z - solved.point * (1 + target._lifted.curvature * step))[solved.settled]
    assert missed.max() > 4 * UNIT
    assert (solved.error[solved.settled] >= missed).all()
    assert (solved.envelope_error().bound[solved.settled] >= missed**2 / (2 * step)).all()


@pytest.mark.parametrize("target", CURVES, ids=repr)
def test_beyond_rounding_faces_tell_more(target):
    """At λ = 1e-12 points in doubt are not settled: a face states less than the distance to the set."""
    x0, x1 = target.sample(200, np.random.default_rng(7))
    solved = SolvedFaces(target._lifted, x1 + 1e-12 * x0, np.full(len(x0), 1e-12))
    rows = solved.on_face
    assert rows.size
    assert (solved.error[rows] < solved.missed[rows] / 4).all()


@pytest.mark.parametrize("target", CURVES, ids=repr)
def test_off_the_set_faces_are_still_looked_for(target):
    """Inside the hull and at steps of order 1 nothing is settled by being near the set."""
    x0 = np.random.default_rng(8).standard_normal((5, target.dim)) / 10
    found = target.proximal_point(x0, 1.0)
    away = norms(found.point - target.closed_set.nearest(found.point))
    assert (away > 1e-3).any()
    assert (found.rounding.point.bound < 1e-9).all()


@pytest.mark.parametrize("seed", range(5))
def test_a_full_face_holds_the_slope(seed):
    """e/(r/2 − m) for u at r from the nearest side of a triangle; inf without room or a triangle."""
    rng = np.random.default_rng(seed)
    atoms, weights = rng.standard_normal((3, 2)), rng.dirichlet(np.ones(3))
    chord = Chord(atoms, weights, np.zeros(2))
    sides = [(atoms[i], atoms[(i + 1) % 3] - atoms[i]) for i in range(3)]
    r = min(abs(np.linalg.det([side, chord.point - start])) / norms(side) for start, side in sides)

    def full(chord, missed, fallen):
        return _full(Faces.of([chord]), np.array([missed]), np.array([fallen]))[0]

    assert full(chord, r / 8, 1e-9) == pytest.approx(1e-9 / (r / 2 - r / 8), rel=1e-9)
    assert full(chord, r, 1e-9) == np.inf
    assert full(Chord(atoms[:2], weights[:2], np.zeros(2)), 0.0, 1e-9) == np.inf
    flat = Chord(atoms * [1.0, 1e-9], weights, np.zeros(2))
    assert full(flat, 0.0, 1e-9) == np.inf


DONE_FIRST = np.array([[-0.5180200308921152, -0.08881109650577602], [0.4082881184933343, 1.1237880587380555]])
"""On a spiral, with step .0034: neither is sharp at first; the first has more groupings, and ends before."""


@pytest.mark.parametrize("curve", [Curve.spiral(2.0), Curve.trefoil()], ids=repr)
def test_points_are_solved_together_as_they_are_alone(curve, rng):
    target = NearestPoint(curve, 0.75)
    x0, x1 = target.sample(12, rng)
    step = np.concatenate([np.full(2, 0.0033999621343954083), 10.0 ** rng.uniform(-4, 1, 12)])
    drawn = x1 + step[2:, None] * rng.standard_normal(x0.shape)
    z = np.concatenate([DONE_FIRST if target.dim == 2 else drawn[:2], drawn])
    together = target.proximal_point(z, step)
    for k in range(len(z)):
        alone = target.proximal_point(z[k : k + 1], step[k])
        reach = alone.rounding.point.bound[0] + together.rounding.point.bound[k]
        assert np.linalg.norm(together.point[k] - alone.point[0]) <= reach
