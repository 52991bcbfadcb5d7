"""The kernel distance: closed form against brute force, a metric, its radius covers; bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.flows.discrepancy import KernelDistance
from numerics.flows.mixtures import MixtureField

SEEDS = st.integers(0, 2**32 - 1)


def draw(seed, dim):
    rng = np.random.default_rng(seed)
    roots = rng.standard_normal((2, dim, dim)) / 2
    shapes = roots @ roots.transpose(0, 2, 1)
    shapes = (shapes + shapes.transpose(0, 2, 1)) / 2
    return rng, MixtureField(rng.standard_normal((2, dim)), shapes, [0.3, 0.7])


@settings(max_examples=30)
@given(seed=SEEDS, dim=st.integers(1, 3), width=st.floats(0.3, 3))
def test_atoms_by_brute_force(seed, dim, width):
    """Components without spread: D is a finite sum."""
    rng = np.random.default_rng(seed)
    atoms, x = rng.standard_normal((3, dim)), rng.standard_normal((4, dim))
    places, signs = np.concatenate([x, atoms]), np.array([0.25] * 4 + [-0.2, -0.3, -0.5])
    kernel = np.exp(-((places[:, None] - places) ** 2).sum(axis=2) / (2 * width**2))
    expected = signs @ kernel @ signs
    field = MixtureField(atoms, np.zeros((3, dim, dim)), [0.2, 0.3, 0.5])
    assert KernelDistance(width).to_mixture(x, field) ** 2 == pytest.approx(expected, abs=1e-13)


@settings(max_examples=30)
@given(seed=SEEDS, dim=st.integers(1, 3))
def test_radius_covers_samples_of_the_law(seed, dim):
    rng, field = draw(seed, dim)
    distance = KernelDistance(1.0)
    assert distance.to_mixture(field.sample(400, rng)[0], field) <= distance.radius(400, 1e-9)


@settings(max_examples=10)
@given(seed=SEEDS, level=st.sampled_from([0.1, 0.5]))
def test_radius_is_missed_at_most_at_its_level(seed, level):
    """For a wide law D is close to 1/√n: a radius below that would be missed nearly always."""
    rng, n, repeats = np.random.default_rng(seed), 30, 400
    wide, distance = MixtureField([np.zeros(3)], [100 * np.eye(3)], [1.0]), KernelDistance(1.0)
    found = [distance.to_mixture(wide.sample(n, rng)[0], wide) for _ in range(repeats)]
    assert np.mean(found) > 0.9 / np.sqrt(n)
    missed = np.mean(np.array(found) > distance.radius(n, level))
    assert missed <= level + np.sqrt(np.log(1e9) / (2 * repeats))


@settings(max_examples=30)
@given(seed=SEEDS, dim=st.integers(1, 3))
def test_between_is_a_metric_and_the_limit_of_samples(seed, dim):
    rng, first = draw(seed, dim)
    second, third = draw(seed + 1, dim)[1], draw(seed + 2, dim)[1]
    distance = KernelDistance(0.8)
    one, two, three = (distance.between(*p) for p in ((first, second), (second, third), (first, third)))
    assert distance.between(first, first) == pytest.approx(0, abs=1e-7)
    assert one == pytest.approx(distance.between(second, first), abs=1e-7)
    assert three <= one + two + 1e-7
    sampled = distance.to_mixture(first.sample(600, rng)[0], second)
    assert abs(sampled - one) <= distance.radius(600, 1e-9)


def test_bad_input():
    field = MixtureField([[0.0]], [[[1.0]]], [1.0])
    with pytest.raises(ValueError, match="width"):
        KernelDistance(0.0)
    with pytest.raises(ValueError, match="samples: got shape"):
        KernelDistance(1.0).to_mixture([[0.0, 1.0]], field)
    with pytest.raises(ValueError, match="second: got dimension 2"):
        KernelDistance(1.0).between(field, MixtureField([[0.0, 0.0]], [np.eye(2)], [1.0]))
