"""Families of the grammar with their random parameters: matrices, laws on the line, closed curves.

Parameters are small fractions, for the reasons given in `theorems.targets`.
"""

import numpy as np
from hypothesis import strategies as st
from scipy import stats

from numerics.potentials import (
    Arc,
    Curve,
    Grassmannian,
    NearestPoint,
    PointCloud,
    Potential,
    Quantile,
    SpecialOrthogonal,
    Stiefel,
    Torus,
    Union,
)

positive_quarters = st.integers(1, 8).map(lambda k: k / 4)
signed_quarters = st.integers(-8, 8).map(lambda k: k / 4)


def matrix_manifolds() -> st.SearchStrategy[Potential]:
    """Stiefel with n ≤ 4, Grassmannian with n ≤ 4, and SO(3)."""
    pairs = st.integers(1, 4).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n)))
    return st.one_of(
        pairs.map(lambda pair: Stiefel(*pair)),
        pairs.map(lambda pair: Grassmannian(*pair)),
        st.builds(SpecialOrthogonal),
    )


def quantiles() -> st.SearchStrategy[Quantile]:
    """Laws on the line, with and without a density, bounded and not, heavy tails (t with 3 degrees) too."""
    return st.one_of(
        st.builds(lambda m, s: Quantile(stats.norm(m, s)), signed_quarters, positive_quarters),
        st.builds(lambda s: Quantile(stats.expon(scale=s)), positive_quarters),
        st.builds(lambda a: Quantile(stats.gamma(a + 0.5)), positive_quarters),
        st.builds(lambda a, w: Quantile(stats.uniform(a, w)), signed_quarters, positive_quarters),
        st.integers(3, 9).map(lambda k: Quantile(stats.t(float(k)))),
        st.integers(1, 4).map(lambda k: Quantile(stats.lognorm(k / 4))),
        positive_quarters.map(lambda m: Quantile(stats.poisson(m))),
        st.integers(1, 9).map(lambda k: Quantile(stats.binom(k, 0.375))),
    )


def _arcs() -> st.SearchStrategy[Arc]:
    radius, start, length = positive_quarters, signed_quarters, st.integers(1, 20).map(lambda k: k / 4)
    return st.builds(lambda r, a, w: Arc(r, a, a + w), radius, start, length)


def closed_sets() -> st.SearchStrategy[object]:
    """Arcs, ellipses, spirals, tori, and an arc with isolated points."""
    isolated = st.lists(st.tuples(signed_quarters, signed_quarters), min_size=1, max_size=3, unique=True)
    return st.one_of(
        _arcs(),
        st.builds(Curve.ellipse, positive_quarters, positive_quarters),
        positive_quarters.map(Curve.spiral),
        st.integers(1, 3).map(lambda k: Torus(2.0, k / 4)),
        st.builds(lambda arc, points: Union(arc, PointCloud(np.array(points))), _arcs(), isolated),
    )


def curved_sets() -> st.SearchStrategy[NearestPoint]:
    """Nearest-point potentials of curved sets."""
    return st.builds(NearestPoint, closed_sets(), positive_quarters)
