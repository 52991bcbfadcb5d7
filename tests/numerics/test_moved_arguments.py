"""What a statement adds where its argument is off: ``moved`` of T, D T and D prox, from both sides.

`Roundings.transport`, ``transport_jacobian`` and ``prox_jacobian`` say by how much the answer changes where
the argument does by r, to first order. Here the argument is moved, and the change is held against the mean of
what is stated at both ends: the trapezoid rule, off by O(r³). A statement that is too large is seen where no
direction reaches a quarter of it at any point.
"""

import numpy as np
import pytest

from numerics.geometry import norms
from numerics.potentials import Sphere
from tests.numerics.registry import INSTANCES, SINGULAR, label

POINTS = 10
SHORT = 1e-5  # of the length over which a map bends
THIRD_ORDER = 1e-6  # of the statement, chosen: SHORT² times 1e4, far above what third derivatives add
FLOOR = 0.25  # of a statement, which some direction must reach: Frobenius norm and axes cost up to √d


def _share(function, stated, x, reach, directions):
    """Judges the change of ``function`` along each direction by the mean of the statements at both ends.

    Returns the largest share of a statement where it exceeds the rounding 64 times, and 1 where none does, as
    a map that is constant has nothing to reach.
    """
    radius = SHORT * reach
    here, from_here, off_here = function(x), stated(x, radius), stated(x, 0.0)
    shares = []
    for direction in directions:
        there = x + radius[:, None] * direction
        off = off_here + stated(there, 0.0)
        change = np.linalg.norm((function(there) - here).reshape(len(x), -1), axis=1)
        mean = (from_here + stated(there, radius)) / 2
        beyond = change - mean * (1 + THIRD_ORDER) - off / 2
        assert (beyond <= 0).all(), f"{change[beyond.argmax()]:.3g} beyond {mean[beyond.argmax()]:.3g}"
        clear = mean > 64.5 * off
        shares += [*(change[clear] / mean[clear])]
    return max(shares, default=1.0)


def _directions(p, rng):
    """An axis and a random direction."""
    turned = rng.standard_normal(p.dim)
    return [np.eye(p.dim)[rng.integers(p.dim)], turned / np.linalg.norm(turned)]


def transport_follows(p, rng):
    """Share of |T(x₀ + rδ) − T(x₀)| ≤ ‖K‖r, reached along K's first eigenvector."""
    x0 = rng.standard_normal((POINTS, p.dim))
    steepest = np.linalg.eigh(p.transport_jacobian(x0))[1][:, :, -1]
    directions = [steepest, *_directions(p, rng)]
    return _share(p.transport, _stated(p.roundings.transport), x0, norms(x0), directions)


def transport_jacobian_follows(p, rng):
    """Share of what is stated of ‖K(x₀ + rδ) − K(x₀)‖."""
    x0 = rng.standard_normal((POINTS, p.dim))
    stated = _stated(p.roundings.transport_jacobian)
    return _share(p.transport_jacobian, stated, x0, norms(x0), _directions(p, rng))


def prox_jacobian_follows(p, rng):
    """Share of ‖D prox(z + rδ) − D prox(z)‖ on this side of a kink, on and off the data, at three steps."""
    x0, x1 = p.sample(POINTS, rng)
    z = np.concatenate([x1 + p.scale * rng.standard_normal(x1.shape), x1 + x0])
    step = rng.choice([1e-2, 1.0, 30.0], len(z))
    kink = p.proximal_point(z, step).kink
    smooth = kink > 0
    if not smooth.any():
        assert p in SINGULAR, "every point is at a kink"
        return 1.0
    z, step = z[smooth], step[smooth]
    reach = np.minimum(np.minimum(p.scale, norms(z)), kink[smooth])
    stated = _stated(lambda x, moved: p.roundings.prox_jacobian(x, step, moved=moved))
    return _share(lambda x: p.prox_jacobian(x, step), stated, z, reach, _directions(p, rng))


def _stated(rounding):
    return lambda x, radius: rounding(x, moved=radius).bound


LAWS = (transport_follows, transport_jacobian_follows, prox_jacobian_follows)
every_law = pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)


@every_law
@pytest.mark.parametrize("potential", INSTANCES, ids=label)
def test_a_statement_follows_its_argument(potential, law):
    assert law(potential, np.random.default_rng(11)) >= FLOOR


class _Misstated(Sphere):
    """A sphere that states ``factor`` times by how much its answers change."""

    def __init__(self, factor):
        super().__init__(2, 2.0)
        self._factor = factor

    def _transport_change(self, *args):
        return self._factor * super()._transport_change(*args)

    def _transport_jacobian_change(self, *args):
        return self._factor * super()._transport_jacobian_change(*args)

    def _prox_jacobian_change(self, *args):
        return self._factor * super()._prox_jacobian_change(*args)


@every_law
@pytest.mark.parametrize("factor", [0.0, 0.9, 5.0])
def test_a_misstated_change_is_rejected(law, factor):
    assert law(_Misstated(1.0), np.random.default_rng(11)) >= FLOOR
    with pytest.raises(AssertionError):
        assert law(_Misstated(factor), np.random.default_rng(11)) >= FLOOR
