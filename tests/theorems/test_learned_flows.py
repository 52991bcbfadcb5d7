"""What the theorems on learned flows measure with: limits and their level, growth, bounds, the moons."""

from contextlib import nullcontext
from runpy import run_path

import numpy as np
import pytest
import torch
from scipy.stats import binom

from numerics.flows.learned import LearnedField
from numerics.flows.network import VelocityNetwork
from numerics.flows.recipe import Training
from reports.run.profiles import profile_loaded
from theorems.learned_flows import circle, moons
from theorems.learned_flows.circle import in_blocks
from theorems.learned_flows.conclusions import mean_limit, ratio_limit, share_limit, size_limit
from theorems.learned_flows.learned_spectra import lipschitz, log_growth, spectra


class Known:
    """x' = Ax/(1 + t), a field with a known flow: DX_t = exp(A log(1 + t))."""

    def __init__(self, matrix):
        self.matrix = np.asarray(matrix)

    def velocity(self, t, x):
        return x @ self.matrix.T / (1 + t)

    def jacobian(self, t, x):
        return np.broadcast_to(self.matrix / (1 + t), (len(x), *self.matrix.shape))


@pytest.mark.parametrize("p", [1e-3, 0.02, 0.3, 0.7, 0.98])
@pytest.mark.parametrize("limit", ["mean", "ratio", "share"])
def test_limits_are_missed_no_more_often_than_they_say(limit, p):
    """Exactly, over all outcomes of n draws of 0 and 1; and seldom far off: they have power."""
    n, level = 80, 0.05
    ones = np.arange(n + 1)
    draws = (np.arange(n)[:, None] < ones).astype(float)
    limits = {
        "mean": lambda: mean_limit(draws, 1.0, level),
        "ratio": lambda: ratio_limit(draws, np.ones_like(draws), 1.0, level),
        "share": lambda: np.array([share_limit(one, n, level) for one in ones]),
    }[limit]()
    weights = binom.pmf(ones, n, p)
    assert weights[limits < p].sum() <= level
    assert weights @ limits <= p + 4 * np.sqrt(p * (1 - p) / n) + 8 / n


def test_a_rare_large_value_that_was_not_drawn_is_reckoned_with():
    """Values 1/p of probability p: the limit of n zeros is above their mean 1, where Student's is 0."""
    n, p, level = 8000, 3e-4, 1e-2
    assert (1 - p) ** n > level
    assert mean_limit(np.zeros(n), 1 / p, level) > 1


@pytest.mark.parametrize("sign", [1, -1])
def test_a_size_is_limited_from_both_sides(sign):
    x = sign * (0.3 + 0.1 * np.random.default_rng(2).uniform(-1, 1, (2000, 2)))
    found = size_limit(x, 1.0, 1e-9)
    assert found.shape == (2,)
    assert (np.abs(found - 0.3) < 0.05).all()
    assert (found > np.abs(x.mean(axis=0))).all()


@pytest.mark.parametrize("most", [0.5, 1.0])
def test_a_ratio_is_concluded_only_when_it_holds(most):
    rng = np.random.default_rng(1)
    whole = np.minimum(rng.exponential(0.5, size=(4000, 2)), 4)
    part = whole * [0.8 * most, 1.2 * most]
    low, high = ratio_limit(part, whole, 5.0, 1e-9)
    assert 0.8 * most < low < most < high


def test_values_beyond_what_is_stated_are_refused():
    ones = np.ones(10)
    with pytest.raises(ValueError, match="values: got 1"):
        mean_limit(ones, 0.9, 0.1)
    with pytest.raises(ValueError, match="part: got 1"):
        ratio_limit(ones, ones, 0.9, 0.1)
    with pytest.raises(ValueError, match="whole: got -1"):
        ratio_limit(ones, -ones, 1.0, 0.1)
    with pytest.raises(ValueError, match="not all 0"):
        ratio_limit(ones, 0 * ones, 1.0, 0.1)
    with pytest.raises(ValueError, match="shapes"):
        ratio_limit(ones, ones[:5], 1.0, 0.1)


def test_images_start_from_noise_that_no_training_draws():
    """Seed 0 of the run and seed 0 of the training: no number in common, at any offset."""
    from theorems.learned_flows.test_images import APART

    ours = np.random.default_rng(np.random.SeedSequence(0, spawn_key=APART)).standard_normal(25_600)
    theirs = np.random.default_rng(0)
    theirs.integers(1797, size=256)
    assert not np.isin(ours, theirs.standard_normal(100_000)).any()


def test_budgets_are_long_by_the_name_of_the_profile_alone():
    """Many examples under another name, as in these tests, train no longer."""
    longest = {}
    for name in ("unit", "quick", "thorough", "exhaustive"):
        with nullcontext() if name == "unit" else profile_loaded(name):
            longest[name] = run_path(circle.__file__)["LONG"]
    assert longest["unit"] == longest["quick"] < longest["thorough"] == longest["exhaustive"]


def test_growth_of_a_known_flow():
    known, x0 = Known([[1.0, 0.0], [0.0, -2.0]]), np.random.default_rng(0).standard_normal((6, 2))
    times = np.array([0.25, 0.5, 1.0])
    expected = np.log1p(times)[:, None, None] * np.array([1.0, -2.0])
    np.testing.assert_allclose(log_growth(known, x0, times), np.tile(expected, (1, 6, 1)), atol=1e-4)


def test_spectra_are_of_the_symmetric_part_times_what_remains():
    known, x0 = Known([[1.0, 5.0], [-5.0, -2.0]]), np.ones((3, 2))
    times = np.array([0.25, 0.5])
    expected = ((1 - times) / (1 + times))[:, None, None] * np.array([-2.0, 1.0])
    np.testing.assert_allclose(spectra(known, x0, times), np.tile(expected, (1, 3, 1)), atol=1e-12)


def test_no_slope_exceeds_the_bound():
    """Random networks with large weights, at points far and near; one layer's slope is met."""
    rng = np.random.default_rng(0)
    for depth in (1, 2, 4):
        module = VelocityNetwork(3, 5, depth, seed=depth).double().requires_grad_(False)
        for parameter in module.parameters():
            parameter.mul_(3)
        field = LearnedField(module, 3, Training(), np.zeros(1))
        x = rng.standard_normal((200, 3)) * rng.choice([0.1, 1, 10], size=(200, 1))
        slopes = np.linalg.norm(field.jacobian(rng.random(200), x), 2, axis=(1, 2))
        assert slopes.max() <= lipschitz(field)
    assert slopes.max() > 0


def test_slope_of_silu_is_below_its_bound():
    z = torch.linspace(-20, 20, 400_001, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(torch.nn.functional.silu(z).sum(), z)
    assert 1.0998 < slope.max() < 1.1


def test_blocks_keep_the_batch_and_the_plan():
    def drawn(n, rng):
        x = rng.standard_normal((n, 2))
        return x, np.full((n, 2), n, dtype=float)

    x0, x1 = in_blocks(drawn, 4)(12, np.random.default_rng(0))
    assert x0.shape == x1.shape == (12, 2)
    assert (x1 == 4).all()


def test_moons_transport_to_the_nearest_piece_of_the_potential():
    """By the potential's own transport; κ by differences of the curve's place along the noise."""
    x0 = np.random.default_rng(0).standard_normal((300, 2))
    moved = moons.transported(x0)
    np.testing.assert_array_equal(moved.x1, moons.moons().fine.potential.transport(x0))
    np.testing.assert_allclose(moons.distance(moved.x1), 0, atol=1e-12)
    assert (moved.lead >= 0).all()
    kappa = moons.stretch(moved)
    tangent = np.empty((300, 2))
    for arc in (0, 1):
        here = moved.arc == arc
        tangent[here] = moons.moons().arcs[arc].tangent(moved.place[here])
    h = 0.15
    ahead, behind = (moons.transported(x0 + sign * h * tangent) for sign in (1, -1))
    middle = (moved.lead > 0.3) & (moved.to_end > 0.5) & (ahead.arc == behind.arc)
    slope = (ahead.place - behind.place) / (2 * h)
    assert middle.sum() > 30
    np.testing.assert_allclose(slope[middle], kappa[middle], atol=0.05)


def test_distance_to_the_moons():
    """Centre of the first moon, which the second is nearer to, a point beyond its end, one on the second."""
    arcs = moons.moons().arcs
    x = np.stack([np.zeros(2), np.array([-1.0, -0.5]), arcs[1].point(np.array([1.0]))[0]])
    far = np.array([np.sqrt(1.25) - 1, 0.5, 0.0])
    np.testing.assert_allclose(moons.distance(x), far, atol=1e-12)
