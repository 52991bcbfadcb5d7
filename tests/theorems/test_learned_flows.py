"""What the theorems on learned flows measure with: limits and their level, growth, bounds, the moons."""

import numpy as np
import pytest
import torch

from numerics.flows.learned import LearnedField, Training
from numerics.flows.network import VelocityNetwork
from theorems.learned_flows import moons
from theorems.learned_flows.circle import in_blocks
from theorems.learned_flows.comparison import ratio_limit, reach
from theorems.learned_flows.trajectories import lipschitz, log_growth, spectra


class Known:
    """x' = Ax/(1 + t), a field with a known flow: DX_t = exp(A log(1 + t))."""

    def __init__(self, matrix):
        self.matrix = np.asarray(matrix)

    def velocity(self, t, x):
        return x @ self.matrix.T / (1 + t)

    def jacobian(self, t, x):
        return np.broadcast_to(self.matrix / (1 + t), (len(x), *self.matrix.shape))


def test_the_limit_fails_as_often_as_it_says():
    """At level 0.1, over 2000 repetitions, within six standard errors of a frequency."""
    rng = np.random.default_rng(0)
    missed = np.mean([sample.mean() + reach(sample, 0.1) < 0 for sample in rng.standard_normal((2000, 400))])
    assert abs(missed - 0.1) < 6 * np.sqrt(0.1 * 0.9 / 2000)


@pytest.mark.parametrize("most", [0.5, 1.0])
def test_a_ratio_is_concluded_only_when_it_holds(most):
    rng = np.random.default_rng(1)
    whole = rng.exponential(2.0, size=(4000, 2))
    part = whole * [0.8 * most, 1.2 * most] + 0.01 * rng.standard_normal((4000, 2))
    low, high = ratio_limit(part, whole, most, 1e-9)
    assert 0.8 * most < low < most < high


def test_too_few_values_are_refused():
    with pytest.raises(ValueError, match="values: got 100"):
        reach(np.ones(100), 0.1)


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
    assert (moved.gap >= 0).all()
    kappa = moons.stretch(moved)
    tangent = np.empty((300, 2))
    for arc in (0, 1):
        here = moved.arc == arc
        tangent[here] = moons.moons().arcs[arc].tangent(moved.place[here])
    h = 0.15
    ahead, behind = (moons.transported(x0 + sign * h * tangent) for sign in (1, -1))
    middle = (moved.gap > 0.3) & (moved.to_end > 0.5) & (ahead.arc == behind.arc)
    slope = (ahead.place - behind.place) / (2 * h)
    assert middle.sum() > 30
    np.testing.assert_allclose(slope[middle], kappa[middle], atol=0.05)


def test_distance_to_the_moons():
    """Centre of the first moon, which the second is nearer to, a point beyond its end, one on the second."""
    arcs = moons.moons().arcs
    x = np.stack([np.zeros(2), np.array([-1.0, -0.5]), arcs[1].point(np.array([1.0]))[0]])
    far = np.array([np.sqrt(1.25) - 1, 0.5, 0.0])
    np.testing.assert_allclose(moons.distance(x), far, atol=1e-12)
