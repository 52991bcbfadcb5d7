"""Conditional paths: the field is the path's velocity, ends are what they say, bad input is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.accuracy import EPS
from numerics.flows.paths import OptimalTransportPath, VarianceExploding, VariancePreservingPath

PATHS = [
    OptimalTransportPath(),
    OptimalTransportPath(0.2),
    OptimalTransportPath(1.0),
    VarianceExploding(0.05, 3.0),
    VariancePreservingPath(),
    VariancePreservingPath(0.5, 0.5),
]
paths = pytest.mark.parametrize("path", PATHS, ids=repr)
TIMES = st.floats(0, 0.99)


@paths
@given(t=TIMES)
def test_rates_are_derivatives(path, t):
    h = 1e-30
    assert path.gain_dot(t) == pytest.approx(np.imag(path.gain(t + 1j * h)) / h, rel=1e-13, abs=1e-300)
    assert path.deviation_dot(t) == pytest.approx(np.imag(path.deviation(t + 1j * h)) / h, rel=1e-12)
    assert path.half_variance_dot(t) == pytest.approx(path.deviation(t) * path.deviation_dot(t), rel=1e-12)


@paths
@given(seed=st.integers(0, 2**32 - 1), t=TIMES)
def test_velocity_moves_along_the_flow(path, seed, t):
    x0, x1 = np.random.default_rng(seed).standard_normal((2, 5, 3))
    stepped = path.flow(t + 1e-30j, x0, x1).imag / 1e-30
    x = path.flow(t, x0, x1)
    size = (1 + np.abs(x0).max() + np.abs(x1).max()) * (1 + abs(path.deviation_dot(t) / path.deviation(t)))
    np.testing.assert_allclose(path.velocity(t, x, x1), stepped, rtol=0, atol=64 * EPS * size * 20)


def test_ends():
    x0, x1 = np.array([[0.5, -1.0]]), np.array([[2.0, 3.0]])
    np.testing.assert_array_equal(OptimalTransportPath().flow(0, x0, x1), x0)
    np.testing.assert_array_equal(OptimalTransportPath().flow(1, x0, x1), x1)
    np.testing.assert_array_equal(OptimalTransportPath(0.5).flow(1, x0, x1), x0 / 2 + x1)
    np.testing.assert_array_equal(VariancePreservingPath().flow(1.0, x0, x1), x1)
    np.testing.assert_allclose(VarianceExploding(0.1, 5.0).flow(0.0, x0, x1), 5 * x0 + x1, rtol=1e-15)
    gain = VariancePreservingPath(0.1, 20.0).gain(0.0)
    assert gain == pytest.approx(np.exp(-10.05 / 2), rel=1e-14)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OptimalTransportPath(-0.1), "smallest"),
        (lambda: OptimalTransportPath(1.5), "smallest"),
        (lambda: VarianceExploding(1.0, 0.5), "smallest, largest"),
        (lambda: VarianceExploding(0.0, 0.5), "smallest, largest"),
        (lambda: VariancePreservingPath(first=0.0), "first"),
        (lambda: OptimalTransportPath().flow(1.5, [[0.0]], [[1.0]]), "t: got 1.5"),
        (lambda: OptimalTransportPath().flow(0.5, [[0.0, 1.0]], [[1.0]]), "x1: got shape"),
        (lambda: OptimalTransportPath().velocity(1.0, [[0.0]], [[1.0]]), "deviation is 0"),
        (lambda: OptimalTransportPath().velocity(0.5, [[np.nan]], [[1.0]]), "x: entry"),
        (lambda: VariancePreservingPath().deviation_dot(1.0), "square root"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()
