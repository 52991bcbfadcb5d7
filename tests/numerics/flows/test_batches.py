"""The field of minibatch coupling from drawn batches: heights by brute force, values by two laws."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from numerics.flows.batches import BatchField, losses
from numerics.flows.independent import IndependentField
from numerics.transport.two_atoms import TwoAtomLaw


def brute(noise, data):
    """Which datum the last noise gets."""
    return linear_sum_assignment(noise @ data.T, maximize=True)[1][-1]


@pytest.mark.parametrize(("n", "d"), [(2, 1), (5, 2), (20, 3), (40, 2)])
def test_one_more_noise_gets_the_datum_of_the_power_diagram(rng, n, d):
    others, data = rng.standard_normal((n - 1, d)), rng.standard_normal((n, d))
    heights = losses(others @ data.T)
    assert heights.min() == 0
    for noise in 2 * rng.standard_normal((60, d)):
        assert (data @ noise - heights).argmax() == brute(np.vstack([others, noise]), data)


@pytest.mark.parametrize("atoms", [5, 12, 40])
@pytest.mark.parametrize("t", [0.0, 0.3, 0.8])
def test_at_most_one_noise_of_a_batch_comes_by_and_is_found(rng, t, atoms):
    """Against all data of the batch: x = (1−t)x₀ + ty with y the datum of x₀ is found, and nothing else.

    Few atoms stand in every batch, at the cost ∞ where they were not drawn; of many those that were drawn.
    """
    points = rng.standard_normal((atoms, 2)) * 2
    field = BatchField(points, np.full(atoms, 1 / atoms), 8, 1, 3)
    assert field.index.shape[1] == (8 if atoms == 40 else atoms)
    drawn = np.isfinite(field.loss[0])
    assert drawn.sum() <= 8
    index, loss = field.index[0][drawn], field.loss[0][drawn]
    x = (1 - t) * rng.standard_normal((400, 2)) + t * points[rng.choice(index, size=400)]
    found = field.velocity(t, x)
    reached = 0
    for row, value in zip(x, found, strict=True):
        noises = (row - t * points[index]) / (1 - t)
        own = (noises @ points[index].T - loss).argmax(axis=1)
        here = {index[j] for j in range(len(index)) if index[own[j]] == index[j]}
        assert len(here) <= 1
        reached += len(here)
        if here:
            np.testing.assert_allclose(value, (points[here.pop()] - row) / (1 - t), atol=1e-12)
        else:
            assert np.isnan(value).all()
    assert reached == 400 if t == 0 else 20 < reached < 400


@pytest.mark.parametrize("n", [1, 4, 32])
@pytest.mark.parametrize("t", [0.02, 0.5])
def test_two_atoms_have_a_law(n, t):
    """The shares of the labels are means of 0 and 1 over batches, so by Hoeffding within 1e−9 of these."""
    points, weight, batches = np.array([[0.0, 0.0], [1.2, 1.6]]), 0.3, 4000
    law = TwoAtomLaw(points, weight, n)
    field = BatchField(points, [weight, 1 - weight], n, batches, n)
    scatter = np.sqrt(np.log(2 / 1e-9) / (2 * batches))
    x = np.random.default_rng(1).standard_normal((50, 2)) + t * points.mean(axis=0)
    noise = (x[:, None] - t * points) / (1 - t)
    density = np.exp(-(noise**2).sum(axis=2) / 2)
    first = law.probability(noise[:, 0] @ law.direction), law.probability(noise[:, 1] @ law.direction)
    share = np.stack([first[0], 1 - first[1]], axis=1)
    low, high = np.clip(share - scatter, 0, 1), np.clip(share + scatter, 0, 1)
    most = density[:, 1] * high[:, 1] / (density[:, 0] * low[:, 0] + density[:, 1] * high[:, 1])
    least = density[:, 1] * low[:, 1] / (density[:, 0] * high[:, 0] + density[:, 1] * low[:, 1])
    found = ((1 - t) * field.velocity(t, x) + x) @ points[1] / 4
    known = np.isfinite(found)
    assert known.mean() > 0.9
    assert (found[known] <= most[known] + 1e-12).all()
    assert (found[known] >= least[known] - 1e-12).all()
    middle = ((1 - t) * law.velocity(t, x) + x) @ points[1] / 4
    assert np.abs(found - middle)[known].max() < 3 * np.abs(most - least)[known].max()


def test_batches_of_one_are_independent_coupling():
    points = np.random.default_rng(2).standard_normal((6, 3))
    exact = IndependentField(points, np.full(6, 1 / 6))
    field = BatchField(points, np.full(6, 1 / 6), 1, 60_000, 0)
    x = np.random.default_rng(3).standard_normal((20, 3))
    for t in (0.0, 0.6):
        np.testing.assert_allclose(field.velocity(t, x), exact.velocity(t, x), atol=0.06 / (1 - t))
    halves = field.estimates(0.6, x)
    assert np.abs(halves[0] - halves[1]).max() > 0
    np.testing.assert_allclose(halves.mean(axis=0), field.velocity(0.6, x), atol=0.02)


@pytest.mark.parametrize("n", [2, 16])
@pytest.mark.parametrize("t", [0.02, 0.3, 0.45])
def test_slopes_of_two_atoms_are_those_of_their_law(n, t):
    """Entries of Dv from 16 parts of the batches; their mean is off by less than 7 of its standard errors."""
    points, weights = np.array([[0.0, 0.0], [1.2, 1.6]]), [0.3, 0.7]
    law, h = TwoAtomLaw(points, 0.3, n), 1e-4
    x = 0.6 * np.random.default_rng(1).standard_normal((12, 2)) + t * points.mean(axis=0)
    exact = np.stack(
        [(law.velocity(t, x + h * e) - law.velocity(t, x - h * e)) / (2 * h) for e in np.eye(2)], axis=2
    )
    field = BatchField(points, weights, n, 2000, n, shifts=4)
    parts = np.stack([part.jacobian(t, x) for part in field.split(16)])
    reached = np.isfinite(parts).all(axis=(0, 2, 3))
    across = np.array([-law.direction[1], law.direction[0]])  # data move along one line alone, in every draw
    np.testing.assert_allclose(
        across @ parts[:, reached], np.broadcast_to(-across / (1 - t), (16, reached.sum(), 2))
    )
    assert reached.sum() >= 9
    parts, exact = parts[:, reached], exact[reached]
    error = parts.std(axis=0, ddof=1) / 4
    assert (np.abs(parts.mean(axis=0) - exact) <= 7 * error + 0.02 * np.abs(exact).max()).all()
    assert error.max() < 0.1 * np.abs(exact).max()  # a dropped term would be seen


def test_slopes_and_values_are_those_of_whole_batches_of_pairs():
    """Another route: a pair of a batch, given the rest of it but its mean noise, is N(x̃₀, I/n) ⊗ δ_y.

    So x_t is a mixture of normal laws, whose posterior mean and its derivative are closed. Both routes are
    taken in 16 parts, whose scatter says what they err by.
    """
    rng, n, t = np.random.default_rng(5), 4, 0.4
    points = np.array([[1.0, 0.2], [-0.5, 1.0], [0.0, -1.2], [2.0, 2.0]])
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    x = (1 - t) * rng.standard_normal((6, 2)) + t * points[rng.choice(4, 6, p=weights)]
    pairs = [_by_pairs(points, weights, n, t, x, rng) for _ in range(16)]
    field = BatchField(points, weights, n, 8000, 1, shifts=2)
    draws = [(part.velocity(t, x), part.jacobian(t, x)) for part in field.split(16)]
    for k in (0, 1):
        ours, theirs = (np.stack([part[k] for part in route]) for route in (draws, pairs))
        error = np.sqrt((ours.var(axis=0, ddof=1) + theirs.var(axis=0, ddof=1)) / 16)
        apart = np.abs(ours.mean(axis=0) - theirs.mean(axis=0))
        assert (apart <= 7 * error + 0.01 * np.abs(theirs).mean()).all()
        assert error.max() < 0.1 * np.abs(theirs.mean(axis=0)).max()


def _by_pairs(points, weights, n, t, x, rng):
    """The field and its derivative from the pairs of 500 whole batches."""
    noise, data = rng.standard_normal((500, n, 2)), rng.choice(len(points), (500, n), p=weights)
    for one, drawn in zip(noise, data, strict=True):
        drawn[:] = drawn[linear_sum_assignment(one @ points[drawn].T, maximize=True)[1]]
    noise -= noise.mean(axis=1, keepdims=True)
    y = points[data.ravel()]
    centre, width = (1 - t) * noise.reshape(-1, 2) + t * y, (1 - t) ** 2 / n
    weight = np.exp(-((x[:, None] - centre) ** 2).sum(axis=2) / (2 * width))
    weight /= weight.sum(axis=1, keepdims=True)
    middle = weight @ y
    slope = np.einsum("km,kmi,mj->kij", weight, y - middle[:, None], centre) / width
    return (middle - x) / (1 - t), (slope - np.eye(2)) / (1 - t)


def test_slopes_of_batches_of_one_are_posterior_covariances():
    points = np.random.default_rng(2).standard_normal((6, 3))
    exact = IndependentField(points, np.full(6, 1 / 6))
    x, t, h = np.random.default_rng(3).standard_normal((10, 3)), 0.4, 1e-4
    slopes = np.stack(
        [(exact.velocity(t, x + h * e) - exact.velocity(t, x - h * e)) / (2 * h) for e in np.eye(3)], axis=2
    )
    found = BatchField(points, np.full(6, 1 / 6), 1, 20_000, 0).jacobian(t, x)
    np.testing.assert_allclose(found, slopes, atol=0.1)


def test_a_split_shares_the_batches_out():
    field = BatchField([[0.0], [1.0]], [0.5, 0.5], 3, 7, 0, shifts=2)
    first, second = field.split()
    assert [len(part.index) for part in (first, second)] == [4, 3]
    x = np.linspace(-2, 2, 9)[:, None]
    np.testing.assert_array_equal(
        np.stack([first.velocity(0.4, x), second.velocity(0.4, x)]), field.estimates(0.4, x)
    )
    with pytest.raises(ValueError, match="parts: got 8 for 7 batches"):
        field.split(8)
    with pytest.raises(ValueError, match=r"t: got 1.0; it must be in \[0, 1\)"):
        field.jacobian(1.0, x)
    with pytest.raises(ValueError, match="shifts: "):
        BatchField([[0.0], [1.0]], [0.5, 0.5], 3, 7, 0, shifts=0)


def test_what_is_refused():
    with pytest.raises(ValueError, match="weights: got 1 for 2 points"):
        BatchField([[0.0], [1.0]], [1.0], 2)
    with pytest.raises(ValueError, match=r"weights: they sum to 1\.5"):
        BatchField([[0.0], [1.0]], [0.5, 1.0], 2)
    with pytest.raises(ValueError, match="rng: "):
        BatchField([[0.0], [1.0]], [0.5, 0.5], 2, 4, rng="seed")
    with pytest.raises(ValueError, match="one noise fewer"):
        losses(np.zeros((2, 2)))
    field = BatchField([[0.0], [1.0]], [0.5, 0.5], 2, 4)
    with pytest.raises(ValueError, match=r"t: got 1.0; it must be in \[0, 1\)"):
        field.velocity(1.0, [[0.0]])
    with pytest.raises(ValueError, match="parts: got 5 for 4 batches"):
        field.estimates(0.5, [[0.0]], 5)
