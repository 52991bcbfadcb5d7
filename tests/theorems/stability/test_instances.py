"""The closed forms of the stability checks, against brute force and the library."""

from fractions import Fraction

import numpy as np
import pytest

from numerics.flows.independent import IndependentField
from numerics.flows.perturbed import euler_steps
from numerics.potentials import FiniteAtoms, Sphere
from numerics.transport.neighbours import Comb
from theorems.stability.comb import errors
from theorems.stability.euler_steps import Steps
from theorems.stability.polygon import DISC, Polygon, within
from theorems.stability.posterior import radial_steps
from theorems.stability.rational_steps import TwoAtoms


def test_rational_pair_is_the_librarys():
    law, target = TwoAtoms(Fraction(3, 2), Fraction(-1, 4)), FiniteAtoms([[0.0], [1.5]], [0.0, -0.375])
    for k in range(-20, 30):
        x, t = Fraction(k, 8), Fraction(3, 8)
        u, y = law.pair(t, x)
        assert (1 - t) * y + t * u == x
        assert float(u) == pytest.approx(target.prox([[float(x / t)]], float((1 - t) / t))[0, 0], abs=1e-12)
        assert float(law.transport(y)) == target.transport([[float(y)]])[0, 0] or y == law.tie


def test_rational_euler_without_errors_ends_at_the_transport():
    law = TwoAtoms(Fraction(2), Fraction(1, 3))
    for x0 in (Fraction(-1), Fraction(1, 2)):
        assert law.euler_steps(x0, [Fraction(0)] * 7)[-1] == law.transport(x0)


@pytest.mark.parametrize("radius", [0.9, 1.0, 1.05, 2.5])
@pytest.mark.parametrize("corners", [3, 7])
def test_polygon_suprema_by_a_dense_grid(corners, radius):
    shape, at = Polygon(corners), np.linspace(0, 2 * np.pi, 2001)
    ring = np.column_stack([np.cos(at), np.sin(at)])
    x = np.concatenate([r * ring for r in np.linspace(0.5, 1, 26) * radius])
    found = np.linalg.norm(shape.potential.prox(x, 1.0) - DISC.prox(x, 1.0), axis=1).max()
    assert found <= shape.of_maps(radius) + 1e-12
    assert found > 0.97 * shape.of_maps(radius) - 1e-3


def test_points_within_stay_within():
    x = within(np.random.default_rng(0), 2.0, 1000)
    assert np.linalg.norm(x, axis=1).max() <= 2.0 + 1e-12
    assert x.shape == (1000, 2)


def test_graph_points_are_pairs_of_the_graph():
    pairs = Polygon(5).graph(2.0, 7)
    u, y = pairs[:, :2], pairs[:, 2:]
    assert np.allclose(Polygon(5).potential.prox(u + y, 1.0), u, atol=1e-12)


def test_comb_by_sampling():
    """Both mean squares within six standard errors of a sample's."""
    comb, step, n = Comb.of(0.4, bend=0.25 / 4), 1.0, 40_000
    x0 = np.random.default_rng(1).standard_normal((n, 2))
    u, image = comb.second.transport(x0), comb.first.transport(x0)
    wrong = np.flatnonzero(np.abs(u - image)[:, 0] > 1e-9)  # elsewhere both differ by δ alone
    squares = np.full(n, comb.distance**2)
    rest = u[wrong] - comb.first.prox(u[wrong] + step * x0[wrong], step)
    squares[wrong] = (rest**2).sum(axis=1)
    for measured, closed in (
        (((u - image) ** 2).sum(axis=1), errors(comb, step)[0]),
        (squares, errors(comb, step)[1]),
    ):
        assert abs(measured.mean() - closed**2) < 6 * measured.std() / np.sqrt(n)


@pytest.mark.parametrize("steps", [2, 5])
def test_radial_steps_are_those_of_many_atoms(steps):
    field = IndependentField(FiniteAtoms.regular_polygon(200).points, np.full(200, 1 / 200))
    end, moved = radial_steps(1.0, 0.8, steps)
    ends = []
    for size in (1e-5, -1e-5):
        e = np.zeros((steps, 1, 2))
        e[:, 0, 0] = size
        ends.append(euler_steps(field.velocity, [[0.8, 0.0]], e)[-1][0, 0])
    assert np.mean(ends) == pytest.approx(end, abs=1e-8)
    assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(moved, rel=1e-6)


def test_steps_state_what_they_round():
    run = Steps(Sphere(3, 2.0), np.random.default_rng(2).standard_normal((50, 3)), np.zeros((6, 50, 3)))
    off = np.linalg.norm(run.path[-1] - run.image, axis=1)
    assert (off <= run.of_end.bound).all()
    assert (run.of_end.bound < 1e-12).all()
    given = Steps(run.target, run.x0, run.errors, given=run.path + 1.0)
    assert np.array_equal(given.path, run.path + 1.0)
