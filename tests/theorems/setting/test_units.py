"""A law in another unit of length is c·x₁, and is built with its parameters in that unit where it has any."""

import numpy as np
import pytest
from scipy import stats

from numerics.potentials import (
    Arc,
    AtomAndDensity,
    Curve,
    FiniteAtoms,
    NearestPoint,
    PointCloud,
    Quantile,
    Sphere,
    Stiefel,
    Torus,
    Union,
    product,
    scale,
    translate,
)
from numerics.potentials.scaled import Scaled
from theorems.setting.instances import REPRESENTATIVES
from theorems.setting.units import in_both_units, in_unit


@pytest.mark.parametrize("target", REPRESENTATIVES, ids=repr)
@pytest.mark.parametrize("unit", [3.0, 0.75])
def test_it_is_a_multiple_of_the_law(target, unit, rng):
    """By any factor, within what both state."""
    other, noise = in_unit(target, unit), rng.standard_normal((20, target.dim))
    apart = np.linalg.norm(other.transport(noise) - unit * target.transport(noise), axis=1)
    stated = other.roundings.transport(noise).bound + unit * target.roundings.transport(noise).bound
    assert (apart <= 2 * stated + 8 * np.finfo(float).eps * other.scale).all()


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Sphere(3, 0.5), Sphere(3, 2.0)),
        (NearestPoint(Arc(1.0, 0.5, 2.0), 2.0), NearestPoint(Arc(4.0, 0.5, 2.0), 0.5)),
        (NearestPoint(Torus(2.0, 0.5), 1.0), NearestPoint(Torus(8.0, 2.0), 0.25)),
        (NearestPoint(Curve.ellipse(2.0, 1.0)), NearestPoint(Curve.ellipse(8.0, 4.0), 0.25)),
        (Quantile(stats.norm(1.0, 2.0)), Quantile(stats.norm(loc=4.0, scale=8.0))),
        (translate(Sphere(2), [1.0, 0.0]), translate(Sphere(2, 4.0), [4.0, 0.0])),
        (product(Sphere(2), Stiefel(2, 1)), product(Sphere(2, 4.0), scale(Stiefel(2, 1), 4.0))),
        (Quantile(stats.poisson(2.0)), scale(Quantile(stats.poisson(2.0)), 4.0)),
        (NearestPoint(Curve.trefoil()), scale(NearestPoint(Curve.trefoil()), 4.0)),
    ],
    ids=lambda target: repr(target)[:40],
)
def test_what_has_parameters_is_built_with_them(target, expected):
    assert repr(in_unit(target, 4.0)) == repr(expected)


def test_a_union_is_stretched_and_a_density_is_given_its_scale():
    union = NearestPoint(Union(Arc(1.0, 0.5, 2.0), PointCloud([[3.0, 0.0]])), 1.0)
    assert isinstance(in_unit(union, 4.0), Scaled)
    mixture = AtomAndDensity([1.0], [0.25], stats.expon(2.0))
    assert repr(in_unit(mixture, 2.0)) == repr(AtomAndDensity([2.0], [0.25], stats.expon(loc=4.0, scale=2.0)))


@pytest.mark.parametrize("unit", [2.0**20, 2.0**-20])
def test_a_length_that_is_a_number_is_seen(unit, monkeypatch):
    target, noise = FiniteAtoms.regular_polygon(5), np.array([[0.5, 1.0], [-2.0, 0.25]])
    both = in_both_units(target, unit, noise, np.array([0.5, 1.0]))
    assert all((expected == found).all() for expected, found in both.values())
    monkeypatch.setattr(FiniteAtoms, "_conjugate", lambda _, x0: np.full(len(x0), 1.0))
    expected, found = in_both_units(target, unit, noise, np.array([0.5, 1.0]))["φ*"]
    assert (found / expected == 1 / unit).all()
