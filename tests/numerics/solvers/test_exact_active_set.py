"""The prox and the envelope in rationals, against brute force over all faces in fractions."""

from fractions import Fraction

import numpy as np
from flint import fmpq

from numerics.solvers.exact_active_set import ExactAtoms, rational, rationals
from tests.numerics.accuracy import hostile_atoms as hostile


def _fractions(values):
    return [Fraction(int(v.p), int(v.q)) for v in values]


def test_prox_is_the_exact_one_from_any_start():
    rng = np.random.default_rng(1)
    for _ in range(150):
        _, points, heights, z, step = hostile.draw(rng)
        atoms = ExactAtoms(points, heights)
        start = list(map(int, rng.permutation(len(points))[: rng.integers(1, len(points) + 1)]))
        found = atoms.prox(rationals(z), rational(step), start, [fmpq(1, len(start))] * len(start))
        true = hostile.prox(points, heights, z, step)
        assert _fractions(found.point) == true.point
        assert min(found.weights) > 0
        assert set(found.members) <= set(found.tied)


def test_subgradients_are_exact():
    """With weights down to 1e−30: φ(x) = ⟨x,y⟩ − φ*(y), and is the least over all simplices."""
    rng = np.random.default_rng(2)
    for _ in range(60):
        _, points, heights, *_ = hostile.draw(rng)
        atoms = ExactAtoms(points, heights)
        raw = rationals(10.0 ** (-30 * rng.random(len(points))))
        x = atoms.combine(list(range(len(points))), [w / sum(raw, fmpq(0)) for w in raw])
        found = atoms.subgradient(x, rationals(rng.standard_normal(points.shape[1])))
        _, top = atoms.best(found.dual)
        assert found.value == sum((a * b for a, b in zip(x, found.dual, strict=True)), fmpq(0)) - top
        assert _fractions([found.value])[0] == hostile.value(points, heights, _fractions(x))


def test_the_projection_on_the_hull_is_exact():
    atoms = ExactAtoms(np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]]), np.array([5.0, -1.0, 2.0]))
    assert atoms.projection([fmpq(4), fmpq(3)]) == [fmpq(4 * 16, 25), fmpq(3 * 9, 25)]
    assert atoms.projection([fmpq(1), fmpq(1)]) == [fmpq(1), fmpq(1)]


def test_scores_that_can_never_be_best_where_others_tie():
    """All at once as each by its barycentric coordinates: of grids, where many lie in a face's hull."""
    rng = np.random.default_rng(3)
    found = set()
    for _ in range(200):
        points = rng.integers(0, 3, (8, int(rng.integers(1, 4)))).astype(float)
        atoms = ExactAtoms(points, rng.integers(0, 2, 8) / 2)
        members = list(map(int, rng.permutation(8)[: rng.integers(1, 4)]))
        if atoms.rank(members) < len(members) - 1:
            continue
        others = [i for i in range(8) if i not in members]
        for j, implied in zip(others, atoms.implied(members, others), strict=True):
            weights, on = atoms.projected(members, atoms.row(j))
            level = sum((w * atoms.height(i) for w, i in zip(weights, members, strict=True)), fmpq(0))
            assert implied == (on and atoms.height(j) >= level)
            found.add((len(members), on, implied))
    assert {
        (k, on, on and implied) for k in (1, 2, 3) for on in (False, True) for implied in (False, True)
    } == found
