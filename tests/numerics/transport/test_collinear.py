"""Atoms on a line: masses of the heights that are returned, against proofs, and W₂² against 60 digits."""

import mpmath as mp
import numpy as np
import pytest
from scipy.special import ndtri

from numerics.accuracy import EPS
from numerics.transport.certify import certify
from numerics.transport.semidiscrete import solve
from tests.numerics.accuracy.harness import judge
from tests.numerics.transport.clouds import spread_weights


def _places(rng):
    """Distinct places: gaps of ordinary size and down to rounding, about 0 and far from it."""
    n = int(rng.integers(2, 12))
    gaps = np.where(rng.random(n) < 0.5, rng.uniform(0.1, 1, n), 10.0 ** rng.uniform(-14, 0, n))
    return np.unique(np.cumsum(gaps) + rng.choice([0.0, -3.0, 1e3]))


def _case(rng, d):
    """Places on the line, and as points of the plane: on an axis, or on a line that rounds."""
    places = _places(rng)
    angle = rng.choice([0.0, rng.uniform(0, 6.28)]) if d == 2 else 0.0
    direction = np.array([np.cos(angle), np.sin(angle)])[:d]
    points = np.unique(places[:, None] * direction, axis=0)
    return points, spread_weights(len(points), rng.choice([0.0, 3.0, 12.0]), rng)


def _missed(points, heights, masses):
    """How far the masses lie from the proved intervals."""
    plane = np.column_stack([points, np.zeros(len(points))]) if points.shape[1] == 1 else points
    proved = certify(plane, heights)
    return np.maximum(np.maximum(proved.low - masses, masses - proved.high), 0.0)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_masses_are_those_of_the_heights(seed, d):
    rng = np.random.default_rng(seed)
    errors, stated, stalled = [], [], 0
    for _ in range(60):
        points, weights = _case(rng, d)
        found = solve(points, weights)
        if found.method != "collinear":
            continue
        errors.append(_missed(points, found.heights, found.masses))
        stated.append(found.uncertainty)
        stalled += found.stalled.any()
        assert ((found.error > np.maximum(1e-12 * weights, 8 * EPS)) == found.stalled).all()
    errors, stated = np.concatenate(errors), np.concatenate(stated)
    assert stalled > 10
    judge(errors, stated)
    small = stated < 1e-19  # of small atoms in the tails
    if d == 1:
        assert small.sum() > 5
        judge(errors[small], stated[small])


def test_atoms_close_together_get_the_mass_that_their_heights_give():
    """A gap of 1e−10: one rounding of a height moves the cut by 1e−7 there, and 8e−8 of the mass."""
    found = solve([[0.0], [1.0], [1.0 + 1e-10]])
    assert found.stalled.any()
    assert 1e-10 < found.error.max() < 1e-6
    assert (_missed(found.points, found.heights, found.masses) <= found.uncertainty).all()


def test_an_atom_that_rounding_hides_has_no_mass():
    """Gaps of one ulp at 1e3: heights on a grid as coarse as the gaps; their envelope has the masses."""
    rng = np.random.default_rng(5)
    hidden = 0
    for _ in range(20):
        places = 1e3 + np.unique(rng.integers(0, 40, 12)) * 2.0**-43
        found = solve(np.append(places, [0.0, 2e3])[:, None])
        assert (_missed(found.points, found.heights, found.masses) <= found.uncertainty).all()
        hidden += int((found.masses == 0).sum())
    assert hidden > 5


def _exact_w2(points, weights):
    """(W₂², its size) on the line in 60 digits: 1 + Σ w y² − 2Σ φ(Φ⁻¹(W))·gap."""
    y, w = ([mp.mpf(float(v)) for v in part] for part in (points[:, 0], weights))
    total = 1 + mp.fsum(a * b**2 for a, b in zip(w, y, strict=True))
    below = mp.mpf(0)
    for i in range(len(y) - 1):
        below += w[i]
        smaller = min(below, mp.fsum(w) - below)
        start = float(ndtri(float(smaller)))
        cut = mp.findroot(lambda x, level=smaller: mp.ncdf(x) / level - 1, start)
        total -= 2 * mp.npdf(cut) * (y[i + 1] - y[i])
    return total


def test_costs_are_as_near_as_stated():
    rng = np.random.default_rng(4)
    with mp.workdps(60):
        rows = []
        for _ in range(60):
            points, weights = _case(rng, 1)
            found = solve(points, weights)
            exact = _exact_w2(points, found.weights)
            off = [float(abs(mp.mpf(float(v)) - exact)) for v in (found.w2_squared, found.w2_dual)]
            rows.append([*off, found.w2_error])
    plan, dual, stated = np.array(rows).T
    judge(np.maximum(plan, dual), stated)


def test_two_atoms_at_one_place_of_the_line():
    """One lies beside the line by less than is told apart; a gap of 0 that is joined with none had 0/0."""
    first = float.fromhex("0x1.c3882cd71cac7p-2")
    points = [[7.47770786e-13, 0.0], [first, float.fromhex("0x1.1555002e449c0p-61")], [first, 0.0]]
    points += [[4.42233322e-01, -3.52523323e-19], [4.42233322e-01 + 7.7715611723760958e-16, -2.92439245e-19]]
    weights = np.array([3.14236066e-09, 1.04846437e-11, 5.20700892e-01, 5.11101363e-06, 4.79293994e-01])
    found = solve(points, weights / weights.sum())
    assert np.isfinite(found.masses).all()
    assert np.isfinite([found.w2_squared, found.w2_error]).all()
    assert (found.masses >= 0).all()
    assert abs(found.masses.sum() - 1) <= 1e-15 * len(points)


def test_masses_are_not_negative_at_gaps_of_any_scale(rng):
    for _ in range(300):
        gaps = 10.0 ** rng.uniform(-16, 0, 6)
        line = np.concatenate([[0.0], np.cumsum(gaps)])
        line = np.unique(line)
        weights = rng.dirichlet(np.full(len(line), 0.3)) + 1e-12
        assert (solve(line[:, None], weights / weights.sum()).masses >= 0).all()
