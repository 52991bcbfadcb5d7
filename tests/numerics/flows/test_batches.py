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


@pytest.mark.parametrize("t", [0.0, 0.3, 0.8])
def test_at_most_one_noise_of_a_batch_comes_by_and_is_found(rng, t):
    """Against all data of the batch: x = (1−t)x₀ + ty with y the datum of x₀ is found, and nothing else."""
    points = rng.standard_normal((12, 2)) * 2
    field = BatchField(points, np.full(12, 1 / 12), 8, 1, 3)
    (index,), (loss,) = field.index, field.loss
    x = (1 - t) * rng.standard_normal((200, 2)) + t * points[rng.integers(12, size=200)]
    found = field.velocity(t, x)
    reached = 0
    for row, value in zip(x, found, strict=True):
        noises = (row - t * points[index]) / (1 - t)
        own = (noises @ points[index].T - loss).argmax(axis=1)
        here = {index[j] for j in range(8) if index[own[j]] == index[j]}
        assert len(here) <= 1
        reached += len(here)
        if here:
            np.testing.assert_allclose(value, (points[here.pop()] - row) / (1 - t), atol=1e-12)
        else:
            assert np.isnan(value).all()
    assert reached == 200 if t == 0 else 20 < reached <= 200


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
