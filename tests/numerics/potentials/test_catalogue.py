"""Every W₂² of the catalogue against independent draws, and against formulas written here."""

import numpy as np
import pytest

from numerics.potentials import catalogue

ENTRIES = catalogue()
LEVELS = 6.0  # standard errors: a false alarm in 5e8 for one entry


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_cost_agrees_with_independent_draws(entry):
    x0, x1 = entry.potential.sample(40_000, np.random.default_rng(5))
    cost = ((x1 - x0) ** 2).sum(axis=1)
    margin = LEVELS * cost.std() / 200 + entry.error
    assert abs(cost.mean() - entry.w2_squared) <= margin
    assert entry.error <= 0.05 * entry.w2_squared  # of use: four standard errors are within 5 %


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_margin_excludes_independent_pairs(entry):
    """The same test rejects noise paired with the wrong data: cost d + E|x₁|² − 2⟨Ex₀, Ex₁⟩."""
    x0, x1 = entry.potential.sample(40_000, np.random.default_rng(5))
    cost = ((x1[::-1] - x0) ** 2).sum(axis=1)
    assert cost.mean() - entry.w2_squared > LEVELS * cost.std() / 200 + entry.error


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_dimension_is_that_of_the_manifold(entry):
    if entry.manifold_dimension is None:
        return
    x0, x1 = entry.potential.sample(20, np.random.default_rng(6))
    groups = entry.potential.manifolds(x1, x0)
    most = max(groups, key=lambda group: len(group.rows))
    assert most.dimension == entry.manifold_dimension


def test_names_are_unique_and_the_list_is_the_same_each_time():
    names = [entry.name for entry in ENTRIES]
    assert len(set(names)) == len(names)
    assert catalogue() == ENTRIES


def test_closed_forms_written_out():
    by_name = {entry.name: entry.w2_squared for entry in ENTRIES}
    assert by_name["circle"] == pytest.approx(6 - 4 * np.sqrt(np.pi / 2))
    assert by_name["sphere"] == pytest.approx(4 - 2 * np.sqrt(8 / np.pi))
    assert by_name["cube"] == pytest.approx(16 - 16 * np.sqrt(2 / np.pi))
    angle = (np.arange(4000) + 0.5) * np.pi / 2000  # trapezoid on a period: exact to rounding
    support = np.sqrt(4 * np.cos(angle) ** 2 + np.sin(angle) ** 2).mean() * np.sqrt(np.pi / 2)
    assert by_name["ellipse"] == pytest.approx(2 + 3 - 2 * support)
