"""The mixture field against SciPy, complex steps, the atoms' field, and simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from numerics.flows.independent import IndependentField
from numerics.flows.mixtures import MixtureField
from numerics.flows.paths import OptimalTransportPath, VarianceExploding, VariancePreservingPath

SEEDS = st.integers(0, 2**32 - 1)
PATHS = st.sampled_from(
    [OptimalTransportPath(), OptimalTransportPath(0.3), VarianceExploding(0.2, 3.0), VariancePreservingPath()]
)
TIMES = st.integers(0, 8).map(lambda k: k / 8)


def draw(seed, dim, parts, path):
    rng = np.random.default_rng(seed)
    roots = rng.standard_normal((parts, dim, dim))
    shapes = roots @ roots.transpose(0, 2, 1) / dim + 0.2 * np.eye(dim)
    weights = rng.uniform(0.2, 1.0, parts)
    field = MixtureField(
        rng.standard_normal((parts, dim)),
        (shapes + shapes.transpose(0, 2, 1)) / 2,
        weights / weights.sum(),
        path,
    )
    return rng, field


@settings(max_examples=30)
@given(seed=SEEDS, dim=st.integers(1, 4), parts=st.integers(1, 4), path=PATHS, t=TIMES)
def test_density_is_scipys(seed, dim, parts, path, t):
    rng, field = draw(seed, dim, parts, path)
    x = rng.standard_normal((6, dim))
    a, s = path.gain(t), path.deviation(t)
    logs = [
        np.log(w) + np.atleast_1d(multivariate_normal(a * m, a**2 * c + s**2 * np.eye(dim)).logpdf(x))
        for w, m, c in zip(field.weights, field.means, field.covariances, strict=True)
    ]
    expected = logsumexp(logs, axis=0)
    np.testing.assert_allclose(
        field.log_density(t, x), expected, rtol=0, atol=1e-10 * (1 + np.abs(logs).max())
    )
    posterior = np.exp(np.array(logs) - expected).T
    np.testing.assert_allclose(
        field.posterior(t, x), posterior, rtol=0, atol=1e-10 * (1 + np.abs(logs).max())
    )


@settings(max_examples=30)
@given(seed=SEEDS, dim=st.integers(1, 4), parts=st.integers(1, 4), path=PATHS, t=TIMES)
def test_derivatives_are_complex_steps(seed, dim, parts, path, t):
    rng, field = draw(seed, dim, parts, path)
    x = rng.standard_normal((6, dim))
    steps = [x + 1e-30j * e for e in np.eye(dim)]
    score = np.stack([field.log_density(t, z).imag / 1e-30 for z in steps], axis=1)
    slopes = np.stack([field.velocity(t, z).imag / 1e-30 for z in steps], axis=2)
    size = 1 + np.abs(slopes).max() + np.abs(score).max() ** 2
    np.testing.assert_allclose(field.score(t, x), score, rtol=0, atol=1e-11 * size)
    np.testing.assert_allclose(field.jacobian(t, x), slopes, rtol=0, atol=1e-11 * size)
    np.testing.assert_allclose(
        field.divergence(t, x), np.einsum("nii->n", slopes), rtol=0, atol=1e-11 * dim * size
    )


@settings(max_examples=30)
@given(seed=SEEDS, t=st.integers(0, 15).map(lambda k: k / 16))
def test_atoms_have_the_independent_field(seed, t):
    rng = np.random.default_rng(seed)
    points, weights, x = rng.standard_normal((3, 2)), np.array([0.2, 0.3, 0.5]), rng.standard_normal((6, 2))
    mine = MixtureField(points, np.zeros((3, 2, 2)), weights).velocity(t, x)
    theirs = IndependentField(points, weights).velocity(t, x)
    np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-10 / (1 - t) ** 3)


def test_velocity_is_the_regression_on_simulated_pairs():
    """E[(ẋ − u)h(x_t)] = 0 for test functions h, within 5 standard errors."""
    _, field = draw(5, 2, 3, OptimalTransportPath(0.1))
    rng, n, t = np.random.default_rng(6), 100_000, 0.6
    data, labels = field.sample(n, rng)
    noise = rng.standard_normal((n, 2))
    x = field.path.flow(t, noise, data)
    missed = field.path.velocity(t, x, data) - field.velocity(t, x)
    for h in (np.ones(n), np.cos(x[:, 0]), x[:, 1], np.tanh(x.sum(axis=1))):
        values = missed * h[:, None]
        assert (np.abs(values.mean(axis=0)) < 5 * values.std(axis=0) / np.sqrt(n)).all()
    np.testing.assert_allclose(np.bincount(labels) / n, field.weights, atol=5 / np.sqrt(n))


def test_given_keeps_the_chosen_components():
    _, field = draw(1, 2, 4, OptimalTransportPath(0.3))
    own = field.given([2, 0])
    np.testing.assert_array_equal(own.means, field.means[[2, 0]])
    assert own.weights.sum() == pytest.approx(1)
    assert own.weights[0] / own.weights[1] == pytest.approx(field.weights[2] / field.weights[0])
    assert own.path == field.path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MixtureField([[0.0]], [[[1.0]], [[1.0]]], [1.0]), "covariances: got shape"),
        (lambda: MixtureField([[0.0]], [[[-1.0]]], [1.0]), r"covariances\[0\]: smallest eigenvalue"),
        (lambda: MixtureField([[0.0, 1.0]], [[[1.0, 2.0], [0.0, 1.0]]], [1.0]), r"covariances\[0\]: differs"),
        (lambda: MixtureField([[0.0]], [[[1.0]]], [0.5, 0.5]), "weights: got 2"),
        (lambda: MixtureField([[0.0], [1.0]], [[[1.0]]] * 2, [0.5, 0.6]), "sum to 1"),
        (lambda: MixtureField([[0.0], [1.0]], [[[1.0]]] * 2, [0.0, 1.0]), "positive"),
        (lambda: MixtureField([[0.0]], [[[0.0]]], [1.0]).velocity(1.0, [[0.0]]), "singular"),
        (lambda: MixtureField([[0.0]], [[[1.0]]], [1.0]).velocity(-0.1, [[0.0]]), "t: got -0.1"),
        (lambda: MixtureField([[0.0]], [[[1.0]]], [1.0]).velocity(0.5, [[0.0, 1.0]]), "x: got shape"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_is_returned_is_the_callers_own():
    """A field keeps what it has seen of its last points: writing into an answer changes no later one."""
    rng, field = draw(5, 2, 3, OptimalTransportPath())
    x = rng.standard_normal((4, 2))
    asked = (
        field.posterior,
        field.velocity,
        field.score,
        field.jacobian,
        field.divergence,
        field.log_density,
    )
    first = [ask(0.5, x).copy() for ask in asked]
    for ask in asked:
        ask(0.5, x)[:] = np.nan
    for ask, expected in zip(asked, first, strict=True):
        np.testing.assert_array_equal(ask(0.5, x), expected)


@given(seed=SEEDS, dim=st.integers(1, 4), parts=st.integers(1, 4), path=PATHS)
def test_divergence_is_the_trace(seed, dim, parts, path):
    rng, field = draw(seed, dim, parts, path)
    x = rng.standard_normal((6, dim))
    trace = np.einsum("nii->n", field.jacobian(0.5, x))
    size = np.abs(field.jacobian(0.5, x)).sum(axis=(1, 2)) + 1
    np.testing.assert_allclose(field.divergence(0.5, x) / size, trace / size, rtol=0, atol=1e-13)


def test_what_a_field_is_made_of_cannot_be_changed_under_it():
    """It would answer of its last points as it was, and of others as it is."""
    means, weights = np.zeros((2, 1)), np.array([0.5, 0.5])
    field = MixtureField(means, np.ones((2, 1, 1)), weights)
    means[:], weights[:] = 5.0, [0.1, 0.9]
    assert field.means.tolist() == [[0.0], [0.0]]
    assert field.weights.tolist() == [0.5, 0.5]
    for array in (field.means, field.covariances, field.weights):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0
    with pytest.raises(AttributeError):
        field.path = OptimalTransportPath(0.3)
