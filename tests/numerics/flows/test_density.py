"""Log-densities of linear flows against determinants; probes against the exact trace; bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from numerics.flows.density import log_density, normal_log_density, probed_log_density

SEEDS = st.integers(0, 2**32 - 1)


def linear(seed, dim):
    """ẋ = Bx: x₁ = e^B x₀ has covariance e^B e^{Bᵀ}."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((dim, dim)) / dim
    return rng, matrix, expm(matrix)


@settings(max_examples=15)
@given(seed=SEEDS, dim=st.integers(1, 4))
def test_linear_flow(seed, dim):
    rng, matrix, grown = linear(seed, dim)
    x1 = rng.standard_normal((5, dim))
    found = log_density(lambda _, x: x @ matrix.T, lambda _, x: np.full(len(x), np.trace(matrix)), x1)
    noise = x1 @ np.linalg.inv(grown).T
    exact = normal_log_density(noise) - np.trace(matrix)
    assert (np.abs(found.value - exact) <= found.error + 1e-12 * (1 + np.abs(exact))).all()
    np.testing.assert_allclose(found.noise, noise, atol=1e-8)
    np.testing.assert_allclose(found.integral, np.trace(matrix), atol=1e-8)


@settings(max_examples=15)
@given(seed=SEEDS, dim=st.integers(1, 4))
def test_probes_of_signs(seed, dim):
    rng, matrix, _ = linear(seed, dim)
    x1 = rng.standard_normal((5, dim))
    jacobian = np.broadcast_to(matrix, (5, dim, dim))
    exact = log_density(lambda _, x: x @ matrix.T, lambda _, x: np.full(len(x), np.trace(matrix)), x1)
    probes = rng.choice([-1.0, 1.0], (300, dim))
    found = probed_log_density(lambda _, x: x @ matrix.T, lambda *_: jacobian, x1, probes, 1e-9)
    assert (np.abs(found.value - exact.value) <= found.radius).all()
    every = np.array(np.meshgrid(*[[-1.0, 1.0]] * dim)).reshape(dim, -1).T
    mean = probed_log_density(lambda _, x: x @ matrix.T, lambda *_: jacobian, x1, every, 1e-9)
    np.testing.assert_allclose(mean.value, exact.value, atol=1e-8)


@pytest.mark.parametrize(
    ("x1", "probes", "level", "message"),
    [
        ([[0.0, 1.0]], [[1.0]], 0.1, "probes: got shape"),
        ([[0.0]], [[1.0]], 0.0, "level"),
        ([0.0], [[1.0]], 0.1, "x1: got shape"),
        ([[np.nan]], [[1.0]], 0.1, "x1: entry"),
    ],
)
def test_bad_input(x1, probes, level, message):
    with pytest.raises(ValueError, match=message):
        probed_log_density(lambda _, x: x, lambda _, x: np.ones((len(x), 1, 1)), x1, probes, level)
