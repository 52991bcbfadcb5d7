"""Couplings of one batch: optimal against enumeration, also where one datum is very far out; exact costs."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import linear_sum_assignment

from numerics.flows.exact import ExactField
from numerics.potentials import FiniteAtoms, Sphere
from numerics.transport.couplings import (
    assignment,
    estimate_cost,
    estimate_excess,
    estimate_loss,
    greedy,
    independent,
)
from numerics.transport.minibatch import expected_cost


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


@pytest.mark.parametrize("d", [1, 2, 3])
def test_assignment_is_the_best_permutation(d):
    rng = np.random.default_rng(d)
    for _ in range(20):
        x0, x1 = rng.standard_normal((6, d)), rng.standard_normal((6, d))
        best = min(((x0 - x1[list(p)]) ** 2).sum() for p in permutations(range(6)))
        assert ((x0 - x1[assignment(x0, x1)]) ** 2).sum() == pytest.approx(best, rel=1e-12)


@pytest.mark.parametrize(("n", "d"), [(129, 1), (128, 2), (129, 2), (300, 4), (300, 5)])
@pytest.mark.parametrize("atomic", [False, True])
def test_routes_of_the_assignment_cost_the_same(n, d, atomic):
    rng = np.random.default_rng(n + d)
    x0, x1 = rng.standard_normal((n, d)), rng.standard_normal((n, d))
    x1 = np.sign(x1) if atomic else x1
    match = assignment(x0, x1)
    best = linear_sum_assignment(((x0[:, None] - x1) ** 2).sum(axis=2))[1]
    assert sorted(match) == list(range(n))
    assert ((x0 - x1[match]) ** 2).sum() == pytest.approx(((x0 - x1[best]) ** 2).sum(), rel=1e-12)


def test_greedy_takes_the_nearest_pair_first():
    assert greedy([[0.0], [1.0]], [[1.1], [5.0]]).tolist() == [1, 0]
    assert independent([[0.0], [1.0]], [[1.1], [5.0]]).tolist() == [0, 1]


def test_estimates_meet_the_exact_cost():
    target, rng = FiniteAtoms.two([0.0], [2.0], 0.3), np.random.default_rng(0)
    exact = expected_cost(target, 16)
    excess = estimate_excess(target, 16, 4000, rng)
    cost = estimate_cost(target, 16, 4000, rng)
    low, high = excess.interval(1e-6)
    assert low <= exact.excess <= high
    assert high - low < 0.05
    low, high = cost.interval(1e-6)
    assert low <= exact.cost <= high


@pytest.mark.parametrize(
    ("target", "n"),
    [
        (FiniteAtoms.on_line([0.0, 1.0, 3.0], [0.2, 0.3, 0.5]), 5),
        (Sphere(3), 1),
        (Sphere(3), 2),
        (Sphere(6), 9),
        (Sphere(2), 140),  # by the simplex
        (FiniteAtoms.two([0.0, 0.0], [1e9, 0.0], 0.1), 6),  # far points first
    ],
    ids=str,
)
def test_batches_at_once_are_matched_as_one_by_one(target, n):
    def one_by_one(x0, x1):
        return assignment(x0, x1)

    at_once = estimate_cost(target, n, 20, 3)
    assert (at_once.values == estimate_cost(target, n, 20, 3, coupling=one_by_one).values).all()


@pytest.mark.parametrize("t", [0.2, 0.7])
def test_loss_of_the_population_is_that_of_its_field(t):
    """Two atoms, batches of one: E|ẋ − v_t(x_t)|² by quadrature of the exact field over noise and atoms."""
    target, exact = FiniteAtoms.two([0.0], [2.0], 0.3), ExactField(FiniteAtoms.two([0.0], [2.0], 0.3))
    z = np.linspace(-9, 9, 20_001)[:, None]
    mass = stats.norm.pdf(z[:, 0]) * (z[1, 0] - z[0, 0])
    loss = sum(
        w * mass @ ((y - z - exact.velocity(t, (1 - t) * z + t * y)) ** 2)[:, 0]
        for w, y in ((0.3, 0.0), (0.7, 2.0))
    )
    found = estimate_loss(target, 1, 20_000, np.random.default_rng(0), t=t)
    low, high = found.interval(1e-9)
    assert low <= loss <= high
    assert high - low < 0.5
    with pytest.raises(ValueError, match="t: got 1"):
        estimate_loss(target, 1, 2, np.random.default_rng(0), t=1)


def test_excess_of_the_independent_coupling():
    """On the circle 2E⟨x₀, T(x₀)⟩ = 2√(π/2)."""
    rng = np.random.default_rng(0)
    low, high = estimate_excess(Sphere(2), 8, 2000, rng, independent).interval(1e-6)
    assert low <= np.sqrt(2 * np.pi) <= high


@pytest.mark.parametrize("rng", [None, -1, 1.5, True, "0", np.random.RandomState(0)])
def test_what_is_no_generator_is_refused_by_name(rng):
    with pytest.raises(ValueError, match="rng: got"):
        Sphere(2).sample(3, rng)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"x1: got shape.*optimal_plan"):
        assignment([[0.0], [1.0]], [[0.0]])
