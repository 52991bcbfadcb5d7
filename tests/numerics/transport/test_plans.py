"""Plans of unequal sizes: marginals to the last unit, optimal by other routes, pairs drawn by their law."""

from fractions import Fraction
from itertools import permutations
from math import lcm

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.stats import binomtest

from numerics.transport import plans
from numerics.transport.couplings import assignment
from numerics.transport.plans import optimal_plan

SIZES = [(1, 1), (5, 960), (960, 5), (7, 40), (40, 7), (12, 18), (30, 30), (1, 9), (9, 1)]
SMALL = [(1, 5), (5, 1), (2, 3), (3, 2), (2, 4), (6, 2), (3, 6), (4, 4)]
"""Least common multiples up to 6: as many copies have few enough permutations."""
every_size = pytest.mark.parametrize(("m", "n"), SIZES)


def _batch(m, n, d=2, seed=0):
    rng = np.random.default_rng([m, n, d, seed])
    return rng.standard_normal((m, d)), 1 + 2 * rng.standard_normal((n, d))


def _weights(count, seed=0):
    return np.random.default_rng([count, seed]).dirichlet(np.full(count, 0.5))


@every_size
@pytest.mark.parametrize("d", [1, 2, 20])
def test_uniform_marginals_are_exact(m, n, d):
    plan = optimal_plan(*_batch(m, n, d))
    total = lcm(m, n)
    assert np.array_equal(np.bincount(plan.rows, plan.units, minlength=m), np.full(m, total // m))
    assert np.array_equal(np.bincount(plan.columns, plan.units, minlength=n), np.full(n, total // n))
    assert (plan.units > 0).all()
    assert len(plan.units) <= m + n - 1
    assert (np.diff(plan.rows) >= 0).all()
    assert plan.masses.sum() == pytest.approx(1, abs=1e-14)


@every_size
@pytest.mark.parametrize("which", ["weights0", "weights1", "both", "least"])
def test_given_masses_are_kept_to_what_is_stated(m, n, which):
    own, other = _weights(m), _weights(n)
    if which == "least":  # all but one so light that a unit is more
        own = np.append(np.full(m - 1, 1e-30), 1.0)
    given = {"weights0": own, "weights1": other}
    given = given if which in ("both", "least") else {which: given[which]}
    plan = optimal_plan(*_batch(m, n), **given)
    allowed = Fraction(max(m, n), 2**50)
    for place, name, count in ((plan.rows, "weights0", m), (plan.columns, "weights1", n)):
        wanted = given.get(name, np.full(count, 1 / count))
        units = np.zeros(count, dtype=np.int64)
        np.add.at(units, place, plan.units)
        off = [Fraction(int(u), 2**50) - Fraction(float(w)) for u, w in zip(units, wanted, strict=True)]
        assert units.sum() == 2**50
        assert (units > 0).all()
        assert max(map(abs, off)) <= allowed


@pytest.mark.parametrize(("m", "n"), [(5, 60), (60, 5), (7, 12), (12, 18)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("d", [1, 2, 20])
def test_a_linear_programme_costs_the_same(m, n, weighted, d):
    """HiGHS, on the marginals as they were asked for; it and they are right to 1e−9."""
    x0, x1 = _batch(m, n, d)
    own, other = (_weights(m), _weights(n)) if weighted else (np.full(m, 1 / m), np.full(n, 1 / n))
    costs = ((x0[:, None] - x1) ** 2).sum(axis=2)
    sums = np.vstack([np.kron(np.eye(m), np.ones(n)), np.kron(np.ones(m), np.eye(n))])
    least = linprog(costs.ravel(), A_eq=sums, b_eq=np.concatenate([own, other]), method="highs-ds")
    assert least.status == 0
    plan = optimal_plan(x0, x1, **({"weights0": own, "weights1": other} if weighted else {}))
    assert plan.cost == pytest.approx(least.fun, rel=1e-9)
    assert plan.cost == pytest.approx(float(plan.masses @ costs[plan.rows, plan.columns]), rel=1e-13)


def _excess(x0, x1, plan):
    """What a plan costs beyond the least in rationals: of as many copies as make the numbers equal."""
    m, n, total = len(x0), len(x1), int(plan.units.sum())
    left, right = ([[Fraction(v) for v in row] for row in x.tolist()] for x in (x0, x1))
    costs = [[sum((a - b) ** 2 for a, b in zip(x, y, strict=True)) for y in right] for x in left]
    own = sum(int(u) * costs[i][j] for i, j, u in zip(plan.rows, plan.columns, plan.units, strict=True))
    copies = [[costs[i * m // total][j * n // total] for j in range(total)] for i in range(total)]
    least = min(sum(copies[i][j] for i, j in enumerate(p)) for p in permutations(range(total)))
    return Fraction(own - least, total)


@pytest.mark.parametrize(("m", "n"), SMALL)
@pytest.mark.parametrize("far", [1.0, 1e8, 1e16])
def test_the_gap_covers_what_the_plan_costs_too_much_in_rationals(m, n, far):
    for seed in range(4):
        x0, x1 = _batch(m, n, seed=seed)
        x1[-1] *= far
        plan = optimal_plan(x0, x1)
        assert 0 <= _excess(x0, x1, plan) <= plan.gap
        size = float((np.abs(x0).max() + np.abs(x1).max()) ** 2)
        assert plan.gap <= 1e3 * np.finfo(float).eps * size


@every_size
def test_the_gap_is_of_the_size_of_rounding(m, n):
    x0, x1 = _batch(m, n, 3)
    assert 0 <= optimal_plan(x0, x1).gap <= 1e-12
    assert 0 <= optimal_plan(x0, x1, weights1=_weights(n)).gap <= 1e-12


@pytest.mark.parametrize(("m", "n"), [(2, 3), (3, 2), (3, 6)])
def test_a_plan_that_is_not_optimal_is_told_by_its_gap(m, n, monkeypatch):
    """The independent coupling in place of what the simplex finds, with its dual variables or with none."""
    simplex = plans._simplex
    for dual in (1.0, 0.0):

        def wrong(of_noise, of_data, cost, dual=dual):
            potential = simplex(of_noise, of_data, cost)[1]
            return np.outer(of_noise, of_data).astype(float), dual * potential

        monkeypatch.setattr(plans, "_simplex", wrong)
        x0, x1 = _batch(m, n)
        plan = optimal_plan(x0, x1)
        best = plan.cost - plan.gap
        monkeypatch.setattr(plans, "_simplex", simplex)
        least = optimal_plan(x0, x1).cost
        assert best <= least < plan.cost - 0.1
        assert dual == 0.0 or best == pytest.approx(least, rel=1e-12)


@pytest.mark.parametrize("d", [1, 2, 20])
def test_of_equal_numbers_it_costs_what_the_assignment_costs(d):
    x0, x1 = _batch(30, 30, d)
    plan = optimal_plan(x0, x1)
    assert plan.cost == pytest.approx(((x0 - x1[assignment(x0, x1)]) ** 2).sum(axis=1).mean(), rel=1e-12)
    assert np.array_equal(plan.columns, assignment(x0, x1))


def test_a_translation_changes_nothing():
    x0, x1 = _batch(8, 30)
    plan = optimal_plan(x0, x1)
    for other in (optimal_plan(x0, x1 + 2.0**20), optimal_plan(x0 - 2.0**20, x1)):
        assert np.array_equal(plan.rows, other.rows)
        assert np.array_equal(plan.columns, other.columns)
        assert other.gap <= 4 * plan.gap


@pytest.mark.parametrize("weighted", [False, True])
def test_pairs_are_drawn_by_the_plan(weighted):
    """Counts of every pair are binomial: of `sample` over all pairs, of `match` given the noise."""
    m, n, draws = 4, 6, 4000
    given = {"weights0": _weights(m), "weights1": _weights(n)} if weighted else {}
    plan = optimal_plan(*_batch(m, n), **given)
    rows, columns = plan.sample(draws, 1)
    rng = np.random.default_rng(2)
    matches = np.array([plan.match(rng) for _ in range(draws)])
    of_row = np.bincount(plan.rows, plan.masses)
    assert plan.match(3).shape == (m,)
    seen = 0
    for i, j, mass in zip(plan.rows, plan.columns, plan.masses, strict=True):
        drawn = int(((rows == i) & (columns == j)).sum())
        given_noise = int((matches[:, i] == j).sum())
        assert binomtest(drawn, draws, mass).pvalue > 1e-10
        assert binomtest(given_noise, draws, min(1.0, mass / of_row[i])).pvalue > 1e-10
        seen += drawn
    assert seen == draws
    allowed = set(zip(plan.rows.tolist(), plan.columns.tolist(), strict=True))
    assert {(i, int(j)) for match in matches for i, j in enumerate(match)} <= allowed


def test_a_seed_stands_for_its_generator():
    plan = optimal_plan(*_batch(5, 960))
    for by_seed, by_generator in (
        (plan.match(7), plan.match(np.random.default_rng(7))),
        (plan.sample(9, 7), plan.sample(9, np.random.default_rng(7))),
    ):
        assert np.array_equal(by_seed, by_generator)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"x0": [1.0, 2.0]}, r"x0: got shape \(2,\)"),
        ({"x1": [[1.0], [2.0]]}, r"x1: got shape \(2, 1\) for noise of shape \(3, 2\)"),
        ({"x1": np.zeros((0, 2))}, r"x1: got shape \(0, 2\), it is empty"),
        ({"x1": [[np.nan, 0.0]]}, r"x1: entry \(0, 0\) is nan"),
        ({"x1": [[1e200, 0.0]]}, r"x1: it and x0 reach out to 1e\+200"),
        ({"x0": [[1e151, 0.0]]}, r"x1: it and x0 reach out to 1e\+151"),
        ({"weights0": [0.5, 0.5]}, "weights0: got 2 for 3 points"),
        ({"weights1": [0.5, 0.4]}, r"weights1: they sum to 0\.9"),
        ({"weights1": [1.0, 0.0]}, r"weights1: entry 1 is 0\.0"),
    ],
)
def test_bad_input_is_named(given, said):
    usual = {"x0": np.eye(3, 2), "x1": np.eye(2)}
    with pytest.raises(ValueError, match=f"^{said}"):
        optimal_plan(**(usual | given))


def test_as_far_out_as_is_allowed_costs_are_numbers():
    plan = optimal_plan(np.eye(3, 2), np.array([[9e149, 0.0], [0.0, -9e149], [1.0, 1.0], [2.0, 0.0]]))
    assert np.isfinite([plan.cost, plan.gap]).all()
    assert plan.gap <= 1e-12 * plan.cost


def test_bad_draws_are_named():
    plan = optimal_plan(np.eye(3, 2), np.eye(2))
    with pytest.raises(ValueError, match=r"^n: got 0"):
        plan.sample(0, 1)
    for draw in (plan.match, lambda rng: plan.sample(3, rng)):
        with pytest.raises(ValueError, match=r"^rng: got None"):
            draw(None)
