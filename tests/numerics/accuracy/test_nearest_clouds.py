"""The nearest point of a cloud far from 0, whose heights (a/2)|y|² round, against rationals of these."""

import numpy as np
import pytest
from flint import fmpq

from numerics.accuracy import EPS
from numerics.potentials import FiniteAtoms, NearestPoint, PointCloud
from numerics.potentials.atom_set import parabola
from numerics.solvers.exact_active_set import ExactParabola, dot, doubles, minus, rational, rationals
from tests.numerics.accuracy.harness import judge

FAR = (0.0, 1.0, 1e3, 1e6)


def _clouds(rng, far, d):
    """A cloud of extent 1e−3 … 1 at the distance ``far``."""
    n, extent = int(rng.integers(2, 7)), 10.0 ** rng.uniform(-3, 0)
    return far * rng.standard_normal(d) + extent * rng.standard_normal((n, d)), extent


def _exact(cloud, a):
    return ExactParabola(cloud, parabola(cloud, a), a)


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_prox_is_that_of_exact_heights(far, d):
    """Z such that the prox is amid the cloud, λ of all sizes; point and envelope against rationals."""
    rng, errors, stated, envelopes, stated_envelopes = np.random.default_rng(d), [], [], [], []
    for _ in range(25):
        cloud, extent = _clouds(rng, far, d)
        a, step = 10.0 ** rng.uniform(-1, 1), 10.0 ** rng.uniform(-2, 2)
        law, exact = NearestPoint(PointCloud(cloud), a), _exact(cloud, a)
        z = (1 + a * step) * (cloud.mean(axis=0) + extent * rng.uniform(-1, 1, d))
        found = law.proximal_point(z[None], step)
        answer = exact.prox(rationals(z), rational(step), [0], [fmpq(1)])
        errors.append(np.linalg.norm(doubles(minus(rationals(found.point[0]), answer.point))))
        stated.append(found.rounding.point.bound[0])
        away = minus(rationals(z), answer.point)
        envelope = answer.value + dot(away, away) / (2 * rational(step))
        envelopes.append(abs(doubles([rational(found.envelope[0]) - envelope])[0]))
        stated_envelopes.append(found.rounding.envelope.bound[0])
    judge(errors, stated)
    judge(envelopes, stated_envelopes)
    assert np.median(stated) <= 1e-13 * max(far, 1.0) * 100, "a cloud's prox is known to the rounding of z"


@pytest.mark.parametrize("far", FAR)
def test_borders_of_cells_are_as_near_as_stated(far):
    """Noise beside the border of two points: T is the nearest, or the statement is their distance."""
    rng = np.random.default_rng(3)
    unsure = 0
    for _ in range(60):
        cloud, _ = _clouds(rng, far, 2)
        cloud = cloud[:2]
        law = FiniteAtoms.nearest(cloud, 1.5)
        middle = 1.5 * cloud.mean(axis=0)
        off = (cloud[1] - cloud[0]) * rng.choice([-1, 1], (20, 1)) * 10.0 ** rng.uniform(-16, 0, (20, 1))
        x0 = middle + off
        image, said = law.transport(x0), law.roundings.transport(x0).bound
        for x, y, bound in zip(x0, image, said, strict=True):
            scores = [
                dot(rationals(x), rationals(p)) - rational(0.75) * dot(rationals(p), rationals(p))
                for p in cloud
            ]
            best = cloud[int(scores[1] > scores[0])] if scores[0] != scores[1] else y
            assert np.linalg.norm(best - y) <= bound
            unsure += bound > 0
    assert 0 < unsure < 1200


def test_values_and_conjugates_are_those_of_exact_heights():
    rng, rows = np.random.default_rng(4), []
    for far in FAR:
        for _ in range(20):
            cloud, _ = _clouds(rng, far, 2)
            law, exact = FiniteAtoms.nearest(cloud, 0.7), _exact(cloud, 0.7)
            value = rational(law.value(cloud[:1])[0]) - exact.height(0)
            x0 = 0.7 * cloud[1:2]
            best = max(dot(rationals(x0[0]), exact.row(i)) - exact.height(i) for i in range(len(cloud)))
            conjugate = rational(law.conjugate(x0)[0]) - best
            rows.append((value, law.roundings.value(cloud[:1]).bound[0]))
            rows.append((conjugate, law.roundings.conjugate(x0).bound[0]))
    judge(np.abs(doubles([row[0] for row in rows])), [row[1] for row in rows])


def test_two_points_a_millimetre_apart_at_a_thousand_kilometres():
    """Z in the middle of the segment's preimage: the prox is the middle; heights alone would give an end."""
    found = NearestPoint(PointCloud([[1e6], [1e6 + 1e-3]])).proximal_point([[2e6 + 1e-3]], 1.0)
    assert abs(found.point[0, 0] - (1e6 + 5e-4)) <= found.rounding.point.bound[0] + 1e-9
    assert found.rounding.point.bound[0] < 1e-9


@pytest.mark.parametrize("far", [1e6, 1e7, 1e8])
@pytest.mark.parametrize("a", [1.0, 0.7, None])
def test_far_from_0_the_best_atom_is_told_as_near_0(far, a):
    """T against rationals; a statement that is not 0 is due: the exact lead is within 64 of its roundings.

    Without a the heights are random. Scores about the centre round by u·|x₀ − ac||y − c|; those about 0 by
    u·far². Where a is no power of 2 the rounding of a·c, u·a·far, times |y − c| comes to that.
    """
    rng, decided = np.random.default_rng(int(far)), 0
    for _ in range(10):
        d, n = int(rng.integers(1, 6)), int(rng.integers(2, 9))
        cloud = far * rng.standard_normal(d) + rng.standard_normal((n, d))
        law = FiniteAtoms(cloud, rng.standard_normal(n)) if a is None else NearestPoint(PointCloud(cloud), a)
        heights = (
            [dot(p, p) * rational(a) / 2 for p in map(rationals, cloud)] if a else rationals(law.heights)
        )
        x0 = (a or 0.0) * cloud.mean(axis=0) + rng.standard_normal((20, d))
        if a is None:  # beside the border of two cells
            edge = cloud[1] - cloud[0]
            ahead = x0[:10] @ edge - law.heights[1] + law.heights[0]
            x0[:10] -= (ahead / (edge @ edge) - 10.0 ** rng.uniform(-10, -5, 10))[:, None] * edge
        said = law.roundings.transport(x0).bound
        scale = a * far if a == 0.7 else 0.0  # of what a·c rounds
        for x, y, bound in zip(x0, law.transport(x0), said, strict=True):
            scores = [dot(rationals(x), rationals(p)) - h for p, h in zip(cloud, heights, strict=True)]
            lead = np.sort([float(doubles([s - max(scores)])[0]) for s in scores])[-2]
            assert np.linalg.norm(cloud[scores.index(max(scores))] - y) <= bound
            assert bound == 0 or -lead <= 64 * EPS * (d + 8) * (10 + scale) * np.sqrt(d)
            decided += bound == 0
    assert decided >= 180, "nearly all noise is farther from a border than that"
