"""Which points a convex envelope is finite at: the atoms' hull, whatever their scales."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from numerics.potentials import FiniteAtoms

SCALES = {
    "equal": [1.0, 1.0, 1.0, 1.0],
    "unequal": [1.0, 10.0, 100.0, 1e3, 1e4],
    "in space": [1.0, 100.0, 1e4],
    "two": [1.0, 1.0, 1e5, 1e5],
}


def cloud(scales: list[float]) -> tuple[FiniteAtoms, np.random.Generator]:
    rng = np.random.default_rng(0)
    points = rng.standard_normal((60, len(scales))) * np.array(scales)
    return FiniteAtoms(points, rng.standard_normal(60) * points.std()), rng


@pytest.mark.parametrize("scales", SCALES.values(), ids=SCALES)
def test_what_lies_on_a_facet_is_inside(scales: list[float]) -> None:
    """Combinations of a facet's corners, the only points that could be taken to lie outside."""
    target, rng = cloud(scales)
    facets = ConvexHull(target.points).simplices
    chosen = facets[rng.integers(0, len(facets), 300)]
    weights = rng.dirichlet(np.full(chosen.shape[1], 0.5), 300)
    x = np.einsum("nk,nkd->nd", weights, target.points[chosen])
    value = target.value(x)
    assert np.isfinite(value).all()
    assert np.isfinite(target.roundings.value(x).bound).all()
    assert (value <= (weights * target.heights[chosen]).sum(axis=1) + 1e-9 * target.points.std()).all()


@pytest.mark.parametrize("scales", SCALES.values(), ids=SCALES)
def test_what_lies_beyond_a_facet_is_outside(scales: list[float]) -> None:
    """Twice as far from the facet as counts as inside, along its normal."""
    target, rng = cloud(scales)
    hull = ConvexHull(target.points)
    chosen = rng.integers(0, len(hull.simplices), 300)
    weights = rng.dirichlet(np.ones(hull.simplices.shape[1]), 300)
    x = np.einsum("nk,nkd->nd", weights, target.points[hull.simplices[chosen]])
    beyond = 2 * target.roundings.domain(x).bound
    assert np.isposinf(target.value(x + beyond[:, None] * hull.equations[chosen, :-1])).all()
