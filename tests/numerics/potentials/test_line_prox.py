"""The prox of laws on the line: at data, anywhere, in jumps of T and beyond the support."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtri

from numerics.accuracy import EPS
from numerics.potentials.cantor import Cantor
from numerics.potentials.line import Quantile
from tests.numerics.allowances import of_interpolant, of_prox
from tests.numerics.potentials.laws_on_the_line import DISCRETE, LAWS, MIXED, every_law, generator


@every_law
@pytest.mark.parametrize("step", 10.0 ** np.arange(-6, 7, 3))
def test_prox_recovers_data(p, step):
    x0, x1 = p.sample(300, generator())
    z = x1 + step * x0
    error = np.abs(p.prox(z, step) - x1)[:, 0]
    assert (error <= of_interpolant(p, x0, step)).all()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(LAWS), st.floats(-6, 6))
def test_prox_is_optimal_anywhere(seed, p, exponent):
    """φ(v) ≥ φ(u) + (z−u)(v−u)/λ at sampled v, in the hull or not."""
    rng = np.random.default_rng(seed)
    step = 10.0**exponent
    z = p.scale * rng.standard_normal((6, 1)) * 10.0 ** rng.uniform(-2, 1, (6, 1)) + p.law.mean
    u = p.prox(z, step)
    y = (z - u) / step
    v = np.concatenate([p.transport(rng.standard_normal((4, 1))), (u[:2] + u[2:4]) / 2])
    value = p.value(u)
    assert np.isfinite(value).all()
    slack = value[:, None] + y * (v - u[:, None])[:, :, 0] - p.value(v)
    reach = np.abs(v - u[:, None])[:, :, 0] + p.scale
    error = of_prox(p, z, step)[:, None]
    allowed = error * (reach / step + np.minimum(np.abs(y), 20)) + 256 * EPS * (20 + np.abs(y)) * (
        reach + np.abs(v).max() + np.abs(u)
    )
    assert (slack <= allowed).all()


JUMPS = [
    (Cantor(), 0.0, 1 / 3, 2 / 3),
    (MIXED[1], ndtri(0.2), -1.0, 0.0),
    (Quantile(DISCRETE[4]), ndtri(0.7), 1.0, 5.0),
]


@pytest.mark.parametrize(("p", "b", "low", "high"), JUMPS, ids=["Cantor", "mixed", "atoms"])
def test_prox_inside_a_jump_is_z_minus_step_times_the_jump(p, b, low, high):
    """Where T jumps at b from x to x', every z between x + λb and x' + λb goes to z − λb, not to T(b)."""
    part = np.linspace(0.05, 0.95, 7)
    for step in (1e-3, 1.0, 1e3):
        x = low + part * (high - low)
        z = (x + step * b)[:, None]
        assert (np.abs(p.prox(z, step)[:, 0] - x) <= of_prox(p, z, step)).all()
        assert np.allclose(p.prox_jacobian(z, step), 1.0, atol=0, rtol=0)


def test_beyond_the_support_prox_stays_on_its_hull():
    p = Quantile(stats.uniform(-1, 3))
    assert np.array_equal(p.prox([[-50.0], [50.0]], 1e-3)[:, 0], [-1.0, 2.0])
    assert np.isinf(p.value([[-1.01], [2.01]])).all()
