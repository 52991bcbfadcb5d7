"""Residual maps: determinants by two routes, inverses with their bound, compositions, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.accuracy import EPS
from numerics.flows.residual import Composition, ResidualMap

SEEDS = st.integers(0, 2**32 - 1)
RATIOS = st.floats(0.01, 0.97)


def draw(seed, dim, hidden, q):
    rng = np.random.default_rng(seed)
    outer, inner = rng.standard_normal((dim, hidden)), rng.standard_normal((hidden, dim))
    step = q / (np.linalg.norm(outer, 2) * np.linalg.norm(inner, 2))
    return rng, ResidualMap(outer, inner, rng.standard_normal(hidden), step)


@settings(max_examples=30)
@given(seed=SEEDS, dim=st.integers(1, 5), hidden=st.integers(1, 6), q=RATIOS)
def test_determinant_is_that_of_the_stepped_jacobian(seed, dim, hidden, q):
    rng, phi = draw(seed, dim, hidden, q)
    x = rng.standard_normal((8, dim))
    stepped = np.stack([phi(x + 1e-30j * e).imag / 1e-30 for e in np.eye(dim)], axis=2)
    np.testing.assert_allclose(phi.jacobian(x), stepped, rtol=0, atol=64 * EPS * hidden)
    np.testing.assert_allclose(
        phi.log_determinant(x), np.linalg.slogdet(stepped)[1], rtol=0, atol=64 * EPS * dim * hidden / (1 - q)
    )


@settings(max_examples=30)
@given(seed=SEEDS, dim=st.integers(1, 5), hidden=st.integers(1, 6), q=RATIOS)
def test_inverse_is_within_its_bound(seed, dim, hidden, q):
    rng, phi = draw(seed, dim, hidden, q)
    x = 3 * rng.standard_normal((8, dim))
    found = phi.inverse(phi(x))
    scale = EPS * (np.linalg.norm(x, axis=1) + phi.step * np.linalg.norm(phi.outer, 2) * np.sqrt(hidden))
    assert (
        np.linalg.norm(found.points - x, axis=1) <= found.error + 64 * dim * hidden * scale / (1 - q)
    ).all()
    assert phi.contraction == pytest.approx(q)


@settings(max_examples=30)
@given(seed=SEEDS, count=st.integers(1, 4))
def test_composition(seed, count):
    maps = [draw(seed + k, 2, 3, 0.5)[1] for k in range(count)]
    psi, x = Composition(maps), np.random.default_rng(seed).standard_normal((5, 2))
    expected, total = x, 0
    for phi in maps:
        total = total + phi.log_determinant(expected)
        expected = phi(expected)
    np.testing.assert_array_equal(psi(x), expected)
    np.testing.assert_allclose(psi.log_determinant(x), total, rtol=1e-15)
    np.testing.assert_allclose(psi.inverse(expected), x, rtol=0, atol=1e-12)
    gaussian = -(x**2).sum(axis=1) / 2 - np.log(2 * np.pi)
    np.testing.assert_allclose(psi.log_density(expected), gaussian - total, rtol=0, atol=1e-11)


def test_planar_determinant_is_one_number():
    phi = ResidualMap.planar([1.0, 2.0], [0.5, -0.25], 0.3, 0.7)
    x = np.array([[0.4, -1.0]])
    slope = 1 - np.tanh(0.5 * 0.4 + 0.25 + 0.3) ** 2
    assert phi.log_determinant(x)[0] == pytest.approx(np.log1p(0.7 * slope * (0.5 - 0.5)))
    psi = ResidualMap.planar([1.0, 2.0], [0.5, 0.25], 0.3, 0.7)
    slope = 1 - np.tanh(0.5 * 0.4 - 0.25 + 0.3) ** 2
    assert psi.log_determinant(x)[0] == pytest.approx(np.log1p(0.7 * slope))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ResidualMap([[1.0]], [[1.0, 2.0]], [0.0], 1.0), "inner, offset"),
        (lambda: ResidualMap([[1.0]], [[1.0]], [0.0], 0.0), "step"),
        (lambda: ResidualMap.planar([2.0], [1.0], 0.0, 1.0).inverse([[0.0]]), "promised only below 1"),
        (lambda: ResidualMap.planar([0.5], [1.0], 0.0, 1.0)([[0.0, 1.0]]), "x: got shape"),
        (lambda: ResidualMap.planar([0.5], [1.0], 0.0, 1.0).iterates([[0.0]], 0), "count"),
        (lambda: Composition([]), "maps"),
        (
            lambda: Composition(
                [
                    ResidualMap.planar([0.5], [1.0], 0.0, 1.0),
                    ResidualMap.planar([0.5] * 2, [0.5] * 2, 0.0, 1.0),
                ]
            ),
            "maps: got dimensions",
        ),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()
