"""Finitely many atoms against fractions: what a certificate of the very answer states, from both sides."""

from fractions import Fraction
from itertools import chain

import numpy as np
import pytest

from numerics.accuracy import EPS
from numerics.potentials import FiniteAtoms, atom_envelope
from tests.numerics.accuracy import hostile_atoms as hostile
from tests.numerics.accuracy.harness import judge, judge_with_twins

CASES = 1000


def _distance(x, exact):
    return float(sum((Fraction(float(a)) - b) ** 2 for a, b in zip(x, exact, strict=True))) ** 0.5


@pytest.fixture(scope="module")
def solved():
    """Rows (kind, error and bound of prox, of the envelope, of D prox, whether it exists)."""
    rng, rows = np.random.default_rng(1), []
    for _ in range(CASES):
        kind, atoms, heights, z, step = hostile.draw(rng)
        found = FiniteAtoms(atoms, heights).proximal_point(z, step)
        true = hostile.prox(atoms, heights, z, step)
        exists = true.jacobian is not None
        turned = _distance(found.jacobian[0].ravel(), chain.from_iterable(true.jacobian)) if exists else 0.0
        errors = (
            _distance(found.point[0], true.point),
            abs(float(Fraction(float(found.envelope[0])) - true.envelope)),
            turned,
        )
        says = found.rounding
        bounds = (says.point.bound[0], says.envelope.bound[0], says.jacobian.bound[0])
        rows.append((kind, np.array(errors), np.array(bounds), exists))
    return rows


@pytest.mark.parametrize("kind", hostile.KINDS)
def test_prox_and_envelope(solved, kind):
    for k in range(2):
        error, bound = np.array([(e[k], b[k]) for name, e, b, _ in solved if name == kind]).T
        judge_with_twins(error, bound)


def test_prox_jacobian(solved):
    """Where it exists."""
    error, bound = np.array([(e[2], b[2]) for *_, e, b, exists in solved if exists]).T
    assert len(error) >= 0.5 * CASES
    sharp = bound < 1  # elsewhere z may be on either side of a kink: any two projectors are within √d
    assert sharp.mean() >= 0.7
    judge_with_twins(error[sharp], bound[sharp])
    judge(error, bound)


def test_value():
    """At x' = Σ w_i y_i, which is within `roundings.domain` of x: weights down to 1e−17, x beside faces."""
    rng, error, bound, off = np.random.default_rng(2), [], [], []
    for _ in range(60):
        _, atoms, heights, *_ = hostile.draw(rng)
        p = FiniteAtoms(atoms, heights)
        x = _beside_faces(rng, atoms)
        stated, beside, values = p.roundings.value(x).bound, p.roundings.domain(x).bound, p.value(x)
        inside, found = p._enveloped(x)
        assert (np.isfinite(values) == inside).all()
        for i, face in zip(np.flatnonzero(inside), found, strict=True):
            order = np.argsort(-face.weights)
            tail = hostile.fractions(face.weights[order][1:])
            weights = [1 - sum(tail), *tail]
            columns = [hostile.fractions(column) for column in atoms[face.members[order]].T]
            place = [hostile.dot(weights, column) for column in columns]
            off.append(_distance(x[i], place) / beside[i])
            true = hostile.value(atoms, heights, place)
            error.append(abs(float(Fraction(float(values[i])) - true)))
            bound.append(stated[i])
    assert max(off) <= 1
    judge_with_twins(error, bound)


def _beside_faces(rng, atoms):
    weights = 10.0 ** (rng.uniform(-17, 0) * rng.random((6, len(atoms)))) * (
        rng.random((6, len(atoms))) < 0.7
    )
    weights[~weights.any(axis=1)] = 1.0
    x = weights / weights.sum(axis=1, keepdims=True) @ atoms
    return x * (1 + (rng.random(x.shape) < 0.3) * 2.0**-52 * rng.integers(-3, 4, x.shape))


def test_no_point_of_the_hull_is_refused(monkeypatch):
    """Points that the search by proximal steps goes round at are solved in rationals; there are such."""
    solved, original = [], atom_envelope._exact_point
    monkeypatch.setattr(atom_envelope, "_exact_point", lambda *a: solved.append(1) or original(*a))
    rng = np.random.default_rng(3)
    for _ in range(100):
        _, atoms, heights, *_ = hostile.draw(rng)
        FiniteAtoms(atoms, heights).value(_beside_faces(rng, atoms))
    assert solved


def test_transport_and_conjugate():
    """Noise at ties of scores, and 1e−17 … 1e−1 beside them."""
    rng, jumps, conjugates = np.random.default_rng(4), [], []
    for _ in range(1500):
        _, atoms, heights, *_ = hostile.draw(rng)
        p = FiniteAtoms(atoms, heights)
        x0 = rng.standard_normal(p.dim) * 10.0 ** rng.uniform(-3, 3)
        if len(atoms) > 1:
            edge, rise = atoms[1] - atoms[0], heights[1] - heights[0]
            x0 += (
                edge
                * (rise - x0 @ edge)
                / (edge @ edge)
                * (1 + rng.choice([0, 1]) * 10.0 ** rng.uniform(-17, -1))
            )
        scores = [
            hostile.dot(hostile.fractions(x0), hostile.fractions(y)) - Fraction(float(g))
            for y, g in zip(atoms, heights, strict=True)
        ]
        image, says = p.transport(x0)[0], p.roundings
        best = [y for y, s in zip(atoms, scores, strict=True) if s == max(scores)]
        jumps.append((min(np.linalg.norm(image - y) for y in best), says.transport(x0).bound[0]))
        error = abs(float(Fraction(float(p.conjugate(x0)[0])) - max(scores)))
        conjugates.append((error, says.conjugate(x0).bound[0]))
    jumps = np.array(jumps)
    assert (jumps[:, 0] > 0).sum() >= 5
    judge_with_twins(jumps[:, 0], jumps[:, 1] * (1 + EPS))
    judge_with_twins(*np.array(conjugates).T)


def test_moved_noise_may_jump():
    """Within the radius of a tie the other atom is as good; farther, it is not."""
    p = FiniteAtoms([[0.0, 0.0], [3.0, 4.0]], [0.0, 0.0])
    x0 = np.array([[3.0, 4.0]]) * 1e-3
    for radius, jump in ((4.9e-3, 0.0), (5.1e-3, 5.0)):
        assert abs(p.roundings.transport(x0, moved=radius).bound[0] - jump) <= 1e-13


def test_an_atom_on_its_own_support_is_exact():
    p = FiniteAtoms(np.random.default_rng(5).standard_normal((40, 3)), np.zeros(40))
    x0, x1 = p.sample(200, np.random.default_rng(6))
    found = p.proximal_point(x1 + 0.5 * x0, 0.5)
    assert (found.point == x1).all()
    assert (found.rounding.point.bound == 0).all()
