"""Spectra against closed forms that share no code with them."""

import numpy as np
import pytest

from numerics.accuracy import EPS
from numerics.flows.exact import ExactField
from numerics.flows.spectrum import (
    complex_jacobian,
    intrinsic_dimension,
    jacobian,
    path_eigenvalues,
    path_jacobians,
    path_singular_values,
    qr_growth,
    rounding_horizon,
    slopes,
    stretches,
)
from numerics.potentials import Arc, DegenerateGaussian, NearestPoint, Quantile, Sphere, Torus
from numerics.schedules import Linear, Polynomial, Trigonometric, VariancePreserving

SCHEDULES = [Linear(), Polynomial(2.5), Trigonometric(), VariancePreserving()]


def swirl(at, x):
    """v = t·(x₁², sin x₀): not a gradient, so rows and columns are told apart."""
    return at[:, None] * np.stack([x[:, 1] ** 2, np.sin(x[:, 0])], axis=1)


def swirl_jacobian(at, x):
    zero = np.zeros(len(x))
    rows = [np.stack([zero, 2 * x[:, 1]], axis=1), np.stack([np.cos(x[:, 0]), zero], axis=1)]
    return at[:, None, None] * np.stack(rows, axis=1)


def test_stretches_of_the_sphere(rng):
    x0 = rng.standard_normal((50, 3))
    kappa = stretches(Sphere(3, 2.0), x0)
    np.testing.assert_allclose(kappa[:, 0], 2 / np.linalg.norm(x0, axis=1), rtol=1e-14)
    assert (kappa[:, 2] == 0).all()


def test_stretches_tell_strata_apart():
    arc = NearestPoint(Arc(1.0, 0.0, np.pi / 2), 1.0)
    kappa = stretches(arc, [[2.0, 2.0], [3.0, -1.0]])
    np.testing.assert_allclose(kappa, [[1 / np.sqrt(8), 0.0], [0.0, 0.0]], rtol=1e-13)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_eigenvalues_are_the_logarithmic_derivative_of_singular_values(schedule):
    """d/dt log(α+βκ), by complex-free central differences of the singular values."""
    kappa, t, h = np.array([[0.0, 0.5, 3.0]]), 0.6, 1e-4
    values = [np.log(path_singular_values(schedule, kappa, t + k * h)) for k in (-2, -1, 1, 2)]
    slope = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)
    np.testing.assert_allclose(path_eigenvalues(schedule, kappa, t), slope, rtol=1e-10)


def test_nothing_is_lost_near_the_end():
    gap = np.array([1e-200, 1e-300])
    values = path_singular_values(Linear(), [[2.0, 0.0]], remaining=gap)
    np.testing.assert_array_equal(values[:, 0, 1], gap)
    np.testing.assert_allclose(path_eigenvalues(Linear(), [[2.0, 0.0]], remaining=gap)[:, 0, 1] * gap, -1)
    rate = slopes(np.log(values), -np.log(gap))
    np.testing.assert_allclose(rate[0, 0], [0.0, -1.0], atol=1e-13)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
@pytest.mark.parametrize("target", [Sphere(3, 2.0), NearestPoint(Torus(2.0, 0.5), 1.0)], ids=repr)
def test_path_jacobians_have_the_eigenvalues_of_k(schedule, target, rng):
    x0 = rng.standard_normal((20, 3))
    gaps = np.array([0.9, 0.3, 1e-2])
    found = np.linalg.eigvalsh(path_jacobians(ExactField(target, schedule), x0, gaps))
    stated = np.sort(path_eigenvalues(schedule, stretches(target, x0), remaining=gaps), axis=-1)
    np.testing.assert_allclose(found, stated, rtol=1e-9, atol=1e-9)


def test_the_older_name_of_widths_still_answers():
    at, x = np.array([0.5]), np.array([[1.0, 2.0]])
    with pytest.warns(DeprecationWarning, match="use widths"):
        found = jacobian(swirl, at, x, 0.2, levels=2)
    assert np.array_equal(found.jacobian, jacobian(swirl, at, x, 0.2, widths=2).jacobian)
    assert not np.array_equal(found.jacobian, jacobian(swirl, at, x, 0.2).jacobian)


def test_a_keyword_and_its_older_name_are_not_both_taken():
    with pytest.raises(TypeError, match="levels is the older name of widths"):
        jacobian(swirl, 0.5, np.zeros((1, 2)), 0.2, levels=2, widths=3)


def test_jacobians_of_a_field_with_curl(rng):
    at, x = rng.uniform(0.5, 1, 30), rng.standard_normal((30, 2))
    exact = swirl_jacobian(at, x)
    found = jacobian(swirl, at, x, 0.2)
    assert (np.abs(found.jacobian - exact).max(axis=(1, 2)) <= found.error + 1e-13).all()
    assert found.error.max() < 1e-8
    np.testing.assert_allclose(complex_jacobian(swirl, at, x), exact, rtol=1e-15, atol=1e-15)


def test_extrapolation_has_its_order():
    """Truncation O(h^{2·levels}): halving the step divides it by 4^levels."""
    at, x = np.ones(1), np.array([[0.7, 0.3]])
    for levels in (1, 2, 3):
        errors = [
            np.abs(jacobian(swirl, at, x, h, levels).jacobian - swirl_jacobian(at, x)).max()
            for h in (0.8, 0.4)
        ]
        assert np.log2(errors[0] / errors[1]) == pytest.approx(2 * levels, abs=0.1)


def test_qr_on_a_rotating_saddle():
    """x' = (1−t)⁻¹Mx in t is x' = Mx in τ: exponents are the real parts of the eigenvalues of M."""
    matrix = np.array([[0.3, 5.0, 0.0], [-5.0, 0.3, 1.0], [0.0, 0.0, -2.0]])
    found = qr_growth(
        lambda gap, x: (x @ matrix.T) / gap[:, None],
        lambda gap, _: matrix / gap[:, None, None],
        [[1.0, 0.0, 1.0], [0.0, 2.0, 0.5]],
        [2.0, 4.0],
    )
    from scipy.linalg import expm

    for k, tau in enumerate(found.tau):
        diagonal = np.abs(np.diagonal(np.linalg.qr(expm(tau * matrix))[1]))
        np.testing.assert_allclose(found.log_growth[k], np.log([diagonal] * 2), atol=1e-8)


def test_qr_agrees_with_k(rng):
    target = DegenerateGaussian([1.0, 0.0], [[4.0, 2.0], [2.0, 1.0]])
    field = ExactField(target, VariancePreserving())
    x0 = rng.standard_normal((3, 2))
    found = qr_growth(
        lambda gap, x: field.velocity(None, x, remaining=gap),
        lambda gap, x: field.jacobian(None, x, remaining=gap),
        x0,
        [3.0, 6.0],
    )
    gap = np.exp(-found.tau)[1:, None, None, None]
    alpha, beta = (np.asarray(f(remaining=gap.ravel())) for f in (field.schedule.alpha, field.schedule.beta))
    whole = alpha.reshape(gap.shape) * np.eye(2) + beta.reshape(gap.shape) * target.transport_jacobian(x0)
    diagonal = np.abs(np.diagonal(np.linalg.qr(whole)[1], axis1=-2, axis2=-1))
    np.testing.assert_allclose(found.log_growth[1:], np.log(diagonal), atol=1e-8)


def test_intrinsic_dimension():
    assert intrinsic_dimension([[0.0, -1.0, -0.9], [-0.4, 0.1, -1.0]], 1.0).tolist() == [1, 2]
    with pytest.raises(ValueError, match="order"):
        intrinsic_dimension([0.0], 0.0)


def test_bad_input():
    with pytest.raises(ValueError, match="kappa"):
        path_singular_values(Linear(), [-1.0], 0.5)
    with pytest.raises(ValueError, match="tau"):
        slopes([[0.0], [1.0]], [1.0, 1.0])
    with pytest.raises(ValueError, match="step"):
        jacobian(swirl, 0.5, [[0.0, 0.0]], 0.0)
    for tau in ([2.0, 1.5], [1.0, 1.0], [0.0, 1.0], [-0.5, 1.0]):
        with pytest.raises(ValueError, match="tau"):
            qr_growth(swirl, swirl_jacobian, [[0.0, 0.0]], tau)


def test_horizon():
    assert np.exp(-2 * rounding_horizon(2.0, 3.0)) == pytest.approx(3 * EPS)


def test_stretches_refuse_a_flat_potential():
    """The law of x₀^{1/3} has H = 0 at 0 (A5); here a law whose density vanishes there."""
    from scipy import stats

    law = stats.beta(2.0, 1.0)
    assert stretches(Quantile(law), [[0.5]]) > 0
