"""Couplings of one batch: optimal against enumeration in rationals, also where one datum is very far out."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

from numerics.potentials import Sphere
from numerics.transport.couplings import assignment, estimate_cost, greedy, independent


def _costs(x0, x1):
    """−⟨x₀, x₁⟩ of every pair in rationals: half the squared distance, up to terms of one point each."""
    left, right = ([[Fraction(v) for v in row] for row in x.tolist()] for x in (x0, x1))
    return [[-sum(a * b for a, b in zip(x, y, strict=True)) for y in right] for x in left]


def _excess(x0, x1, match):
    """What a match costs beyond the least, by enumeration."""
    costs = _costs(x0, x1)
    price = lambda m: sum(costs[i][j] for i, j in enumerate(m))  # noqa: E731 - a formula, used twice
    return price(match) - min(map(price, permutations(range(len(x0)))))


@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("far", [1.0, 1e8, 1e16, 1e150])
def test_assignment_is_optimal_in_rationals(d, far):
    """A datum far out takes its noise at its own scale; the others must be optimal at theirs."""
    rng = np.random.default_rng(int(d + np.log10(far)))
    for _ in range(8):
        x0, x1 = rng.standard_normal((5, d)), rng.standard_normal((5, d))
        x1[rng.integers(5)] *= far
        match = assignment(x0, x1)
        assert sorted(match) == list(range(5))
        size = np.sort(np.abs(x0 @ x1.T).max(axis=0))[-2]  # of the costs without the far datum's
        assert _excess(x0, x1, match) <= 5 * 64 * Fraction(float(np.spacing(size)))


def test_assignment_is_optimal_beside_many_far_data():
    rng = np.random.default_rng(0)
    for _ in range(6):
        x0, x1 = rng.standard_normal((6, 2)), rng.standard_normal((6, 2))
        x1[:2] *= 1e9
        x1[2] *= 1e18
        assert _excess(x0, x1, assignment(x0, x1)) <= Fraction(1, 10**12)


def test_a_translation_of_the_data_changes_nothing():
    rng = np.random.default_rng(1)
    x0, x1 = rng.standard_normal((40, 3)), rng.standard_normal((40, 3))
    assert np.array_equal(assignment(x0, x1), assignment(x0, x1 + 2.0**20))
    assert np.array_equal(assignment(x0, x1), assignment(x0 - 2.0**20, x1))


def test_the_simplex_of_large_batches_agrees_with_the_augmenting_paths():
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(2)
    x0, x1 = rng.standard_normal((200, 2)), rng.standard_normal((200, 2))
    x1[0] *= 1e12
    own = linear_sum_assignment(((x0[:, None] - x1[None, 1:]) ** 2).sum(axis=2))[0]
    match = assignment(x0, x1)
    assert len(own) == 199
    rest = match != 0
    best = linear_sum_assignment(((x0[rest][:, None] - x1[None, 1:]) ** 2).sum(axis=2))[1] + 1
    cost = lambda pairs: ((x0[rest] - x1[pairs]) ** 2).sum()  # noqa: E731 - one line, used twice
    assert cost(match[rest]) == pytest.approx(cost(best), rel=1e-13)


def test_independent_and_greedy_are_permutations():
    rng = np.random.default_rng(3)
    x0, x1 = rng.standard_normal((30, 2)), rng.standard_normal((30, 2))
    assert np.array_equal(independent(x0, x1), np.arange(30))
    assert sorted(greedy(x0, x1)) == list(range(30))


def test_a_seed_stands_for_its_generator():
    by_seed = estimate_cost(Sphere(2), 8, 4, 5)
    by_generator = estimate_cost(Sphere(2), 8, 4, np.random.default_rng(5))
    assert np.array_equal(by_seed.values, by_generator.values)
    assert np.array_equal(Sphere(2).sample(3, 7)[1], Sphere(2).sample(3, np.random.default_rng(7))[1])


@pytest.mark.parametrize("rng", [None, -1, 1.5, True, "0", np.random.RandomState(0)])
def test_what_is_no_generator_is_refused_by_name(rng):
    with pytest.raises(ValueError, match="rng: got"):
        Sphere(2).sample(3, rng)
