"""Every potential is pickled and copied, so that sweeps on other processes can have it."""

import copy
import pickle

import joblib
import numpy as np
import pytest

from numerics.potentials import Curve, NearestPoint, Quantile, Sphere
from tests.numerics.registry import INSTANCES


@pytest.mark.parametrize("target", INSTANCES, ids=lambda p: repr(p)[:60])
@pytest.mark.parametrize(
    "again", [lambda p: pickle.loads(pickle.dumps(p)), copy.deepcopy], ids=["pickle", "copy"]
)
def test_a_potential_comes_back_the_same(target, again):
    found = again(target)
    assert type(found) is type(target)
    assert repr(found) == repr(target)
    x0 = np.random.default_rng(0).standard_normal((6, target.dim))
    assert np.array_equal(found.transport(x0), target.transport(x0))
    z = target.transport(x0) + 0.5 * x0
    assert np.array_equal(found.prox(z, 0.5), target.prox(z, 0.5))


def test_what_is_copied_is_not_shared():
    weights = np.array([0.25, 0.75])
    from numerics.potentials import FiniteAtoms

    target = FiniteAtoms.on_line([0.0, 1.0], weights)
    other = copy.deepcopy(target)
    other.points[0, 0] = 5.0
    assert target.points[0, 0] == 0.0


def test_a_potential_reaches_another_process():
    targets = [NearestPoint(Curve.ellipse(2.0, 1.0), 0.7), Sphere(2)]
    x0 = np.random.default_rng(0).standard_normal((4, 2))
    found = joblib.Parallel(n_jobs=2)(joblib.delayed(_transport)(target, x0) for target in targets)
    for target, image in zip(targets, found, strict=True):
        assert np.array_equal(image, target.transport(x0))


def _transport(target, x0):
    return target.transport(x0)


def test_a_constructor_that_fails_still_says_why():
    with pytest.raises(ValueError, match="radius"):
        Sphere(2, -1.0)
    with pytest.raises(ValueError, match="distribution"):
        Quantile(None)
