"""Batch sizes of a solved cloud: beside exact laws, limits that hold, answers that follow the rows."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from numerics.potentials import FiniteAtoms
from numerics.transport import BatchEstimate, BatchSize, BatchSizes, batch_sizes, solve, two_atom_law
from numerics.transport.batch_sizes import _diameter, _Pool
from numerics.transport.sampled import Budget

LEVEL = 1e-9
PLACES = [[0.0, 0.0], [1.2, 1.6]]


@pytest.mark.parametrize("seed", [0, 1, 2, 12345])
def test_means_and_limits_hold_the_exact_excess_of_two_atoms(seed):
    """Seven standard errors of 512 to 4096 batches; limits at 1e-9; the exact law by quadrature."""
    found = batch_sizes(solve(PLACES, [0.3, 0.7]), [2, 8, 32], rng=seed, pool=2**14, level=LEVEL)
    assert found.level == LEVEL
    for row in found.rows:
        exact = two_atom_law(PLACES, 0.3, row.n).cost_excess()
        assert abs(row.bound - exact.value) <= 7 * row.excess.standard_error + exact.error
        assert row.limit >= exact.value
        assert row.loss.mean <= 2 * row.excess.mean
    assert found.rows[0].limit <= 1.6 * found.rows[0].bound
    once = two_atom_law(PLACES, 0.3, 1).cost_excess().value
    assert found.independent == pytest.approx(2 * once / found.w2_squared, rel=1e-10)


def test_the_loss_of_two_atoms_is_that_of_the_plan():
    """Pairs drawn one by one from π_n, whose law given the noise is known (M6), in place of assignments."""
    rng = np.random.default_rng(5)
    n, batches, target = 4, 20_000, FiniteAtoms.two(*PLACES, 0.3)
    noise, u = rng.standard_normal((batches * n, 2)), rng.uniform(size=batches * n)
    law = two_atom_law(PLACES, 0.3, n)
    first = u < law.probability(noise @ law.direction)
    data = np.where(first[:, None], PLACES[0], PLACES[1])
    exact = 4 * ((data - target.prox(noise + data, 1.0)) ** 2).sum(axis=1)
    found = batch_sizes(solve(PLACES, [0.3, 0.7]), [n], rng=1, pool=2**15).rows[0].loss
    spread = np.hypot(exact.std() / np.sqrt(len(exact)), found.standard_error)
    assert abs(found.mean - exact.mean()) <= 7 * spread


@pytest.mark.parametrize("seed", [0, 7])
def test_the_line_is_exact_and_batches_agree(seed):
    points = np.random.default_rng(seed).normal(size=(20, 1))
    found = batch_sizes(solve(points), [2, 16, 64], rng=seed, pool=2**15)
    assert found.level == 0
    for row in found.rows:
        value, error = row.exact
        assert 0 < error < 1e-12
        assert row.bound == value
        assert value <= row.limit <= value + error
        assert abs(row.excess.mean - value) <= 7 * row.excess.standard_error


def test_wrong_heights_make_the_excess_larger_and_the_bound_stays():
    """Weak duality: data come with the weights asked for, so a shifted height can only add."""
    points = np.random.default_rng(3).normal(size=(30, 2))
    right = solve(points)
    wrong = FiniteAtoms(points, right.heights + 0.3 * (np.arange(30) < 9))
    good, bad = (_pool_with(right, potential).row(8, 2000, LEVEL) for potential in (right.potential, wrong))
    assert bad.excess.mean > good.excess.mean + 5 * good.excess.standard_error
    for row in (good, bad):
        assert (row.loss.values <= 2 * row.excess.values[: len(row.loss.values)] * (1 + 1e-12)).all()


def _pool_with(solution, potential):
    return _Pool(replace(solution, heights=potential.heights), 16_000, np.random.default_rng(0))


def test_sampled_solutions_are_taken():
    points = np.random.default_rng(0).normal(size=(40, 5))
    solution = solve(points, budget=Budget(draws=300, held_out=300))
    found = batch_sizes(solution, [4, 16], pool=2**14, level=LEVEL)
    assert found.rows[1].bound < found.rows[0].bound < found.independent * found.w2_squared / 2
    assert all(row.limit >= row.bound for row in found.rows)


@pytest.mark.parametrize("far", [1e4, 1e8, 1e12])
@pytest.mark.parametrize(("n", "d"), [(2, 2), (40, 3), (300, 1), (2500, 2), (2100, 4)])
def test_the_diameter_of_a_cloud_far_from_0(n, d, far):
    """Squares of the distance from 0 would hide it."""
    points = far + np.random.default_rng(n).normal(size=(n, d))
    largest = pdist(points).max()
    assert largest <= _diameter(points) <= 2.001 * largest


@pytest.mark.parametrize(("n", "d"), [(1, 2), (2, 3), (3000, 2), (3000, 3), (2500, 5), (2500, 1)])
def test_the_diameter_is_not_below_the_largest_distance(n, d):
    points = np.random.default_rng(n).normal(size=(n, d))
    largest = pdist(points).max() if n > 1 else 0.0
    assert largest <= _diameter(points) <= 2.001 * largest + 1e-12
    flat = np.concatenate([points[:, :1], 0 * points[:, 1:]], axis=1)
    assert _diameter(flat) >= (pdist(flat).max() if n > 1 else 0.0)


def _study(shares):
    estimate = lambda n, mean: BatchEstimate(n, np.array([mean, mean]))  # noqa: E731
    rows = [
        BatchSize(n, estimate(n, share / 2), None, share, estimate(n, share / 2), 1e-3)
        for n, share in shares.items()
    ]
    return BatchSizes(tuple(rows), 1.0, 0.0, 2.0, LEVEL, 1e-6)


def test_the_smallest_size_holds_from_there_on():
    found = _study({4: 0.5, 8: 0.09, 16: 0.11, 32: 0.1, 64: 0.04})
    assert found.smallest(0.1) == 32
    assert found.smallest(0.05) == 64
    assert found.smallest(0.01) is None
    assert found.smallest(0.6) == 4
    assert found.smallest(0.1, "loss") == 8  # half of the bound here: 0.25, 0.045, 0.055, …
    assert found.smallest(0.1, "guaranteed") == 64  # twice the limit


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ({"sizes": [4, 4]}, "sizes: got"),
        ({"sizes": []}, "sizes: got"),
        ({"sizes": [0]}, "sizes"),
        ({"level": 1.0}, "level: got 1.0"),
        ({"pool": 0}, "pool"),
        ({"rng": -1}, "rng: got -1"),
    ],
)
def test_bad_arguments_are_named(words, match):
    with pytest.raises(ValueError, match=match):
        batch_sizes(solve([[0.0], [1.0]]), **words)


def test_a_tolerance_must_be_positive():
    with pytest.raises(ValueError, match="tolerance"):
        _study({4: 0.5}).smallest(0.0)


def test_the_same_seed_gives_the_same_numbers():
    solution = solve(np.random.default_rng(0).normal(size=(12, 2)))
    first, again, other = (
        batch_sizes(solution, [4], rng=seed, pool=512).rows[0].excess.values for seed in (3, 3, 4)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_lipschitz_constant_of_a_batch_is_attained():
    """Nearly all noise belongs to the atom D and all data are the other: Y = 2Dx̄ + const, of deviation σ."""
    far, n = 3.0, 16
    solution = solve([[0.0], [far]], [1e-9, 1 - 1e-9])
    pool = _Pool(solution, 4000 * n, np.random.default_rng(0))
    mean = 2 * pool.conjugate.reshape(-1, n).mean(axis=1)
    assert mean.std() == pytest.approx(pool._lipschitz(n), rel=0.05)  # four standard errors


def test_a_limit_scales_with_what_it_limits():
    """The range of the values enters Maurer and Pontil's inequality as their deviation does."""
    pool = _Pool(solve([[0.0], [3.0]]), 64, np.random.default_rng(0))
    values = np.random.default_rng(1).uniform(0, 1, 40)
    one = pool._limit(BatchEstimate(4, values), 1e-3)
    pool.mean, pool.diameter = 1e6 * pool.mean, 1e6 * pool.diameter
    assert pool._limit(BatchEstimate(4, 1e6 * values), 1e-3) == pytest.approx(1e6 * one, rel=1e-9)


def test_the_older_name_of_the_error_still_answers():
    solution = solve(PLACES, [0.3, 0.7])
    for result in (solution, batch_sizes(solution, [2], rng=0, pool=2**8)):
        with pytest.warns(DeprecationWarning, match="use w2_error"):
            assert result.w2_uncertainty == result.w2_error
