"""What is stated of T, D T and D prox where the argument is off: no less than the change, and attained.

Assumed: the contract. Every check that compares at a rounded argument judges by ``moved``: by how much the
answer changes where the argument does by r, to first order. Here the argument is moved, and the change held
against the mean of what is stated at both ends: the trapezoid rule, off by O(r³). A statement that is too
large is told where no direction reaches a quarter of it at any point, or a sixty-fourth at one.
"""

import numpy as np
import pytest

from numerics.potentials import Sphere
from theorems.setting.draws import generator
from theorems.setting.instances import REPRESENTATIVES
from theorems.setting.vectors import frobenius, norm

N = 10
SHORT = 1e-5  # of the length over which a map bends
REMAINDER = 1e-6
REACHED, WIDE = 4.0, 64.0
ON_THE_LINE = Sphere(1, 2.0)  # the only one whose T is constant, though a formula in d is not


def _ways(target, n, rng):
    """Up to four axes and two random directions, of unit length (k,n,d)."""
    axes = np.eye(target.dim)[rng.permutation(target.dim)[:4]]
    turned = rng.standard_normal((2, target.dim))
    ways = np.concatenate([axes, turned / norm(turned)[:, None]])
    return np.repeat(ways[:, None], n, axis=1)


def _changes(function, stated, x, radius, ways):
    """Changes along ways (k,n,d), means of what both ends state, and what answers err by, each (k,n)."""
    shape, there = ways.shape[:2], (x + radius[:, None] * ways).reshape(-1, x.shape[1])
    here = function(x)
    change = frobenius(function(there) - np.tile(here, (len(ways), *(1,) * (here.ndim - 1))))
    mean = (stated(x, radius) + stated(there, np.tile(radius, len(ways))).reshape(shape)) / 2
    off = stated(x, np.zeros(len(x))) + stated(there, np.zeros(len(there))).reshape(shape)
    return change.reshape(shape), mean, off


def _stated(rounding):
    """The bounds of what is stated at x, whose argument is off by r (n,)."""
    return lambda x, r: np.broadcast_to(rounding(x, moved=r).bound, (len(x),))


def _of_transport(target, rng):
    x0 = rng.standard_normal((N, target.dim))
    steepest = np.linalg.eigh(target.transport_jacobian(x0))[1][None, :, :, -1]
    ways, stated = np.concatenate([steepest, _ways(target, N, rng)]), _stated(target.roundings.transport)
    return _changes(lambda x: target.transport(x)[:, :, None], stated, x0, SHORT * norm(x0), ways)


def _of_its_jacobian(target, rng):
    x0 = rng.standard_normal((N, target.dim))
    stated = _stated(target.roundings.transport_jacobian)
    return _changes(target.transport_jacobian, stated, x0, SHORT * norm(x0), _ways(target, N, rng))


def _of_prox_jacobian(target, rng):
    """On this side of a kink, on and off the data, at three steps."""
    x0, x1 = target.sample(N, rng)
    z = np.concatenate([x1 + target.scale * rng.standard_normal(x1.shape), x1 + x0])
    step = rng.choice([1e-2, 1.0, 30.0], len(z))
    radius = SHORT * np.minimum(np.minimum(target.scale, norm(z)), target.proximal_point(z, step).kink)

    def jacobian(x):
        return target.prox_jacobian(x, np.resize(step, len(x)))

    def stated(x, moved):
        return target.roundings.prox_jacobian(x, np.resize(step, len(x)), moved=moved)

    return _changes(jacobian, _stated(stated), z, radius, _ways(target, len(z), rng))


def _reached(change, mean, off):
    """The largest share of a statement that some way reaches, at each point where rounding hides none."""
    clear = mean > 64.5 * off
    shares = np.where(clear, change / np.maximum(mean, np.finfo(float).tiny), 0.0)
    return shares.max(axis=0)[clear.any(axis=0)]


def _measure(on, what, change, mean, off):
    on.estimated(
        f"change of {what} with its argument",
        change,
        mean * (1 + REMAINDER) + off / 2,
        by="the trapezoid rule, whose remainder is of third order",
        because="the mean of what is stated at both ends, and what the answers err by themselves",
        chosen=f"{REMAINDER:g} of the statement for the remainder, the square of {SHORT:g} times 10⁴",
    )
    shares = _reached(change, mean, off)
    over = 1 / np.maximum(shares, np.finfo(float).tiny)
    rest = change.shape[1] - len(shares)
    for found, where, most in (
        (over.min(initial=np.inf), "best", REACHED),
        (over.max(initial=0), "worst", WIDE),
    ):
        on.estimated(
            f"what is stated of a change of {what}, over the largest change met, at the {where} point",
            found if len(shares) else 0.0,
            most,
            by="a few directions at the drawn points",
            because="some direction reaches the norm of a derivative, or its share by the axes",
            left_out=rest,
            chosen=f"{most:g} times that; left out where no change is told from rounding",
        )


@pytest.mark.claim("P1", "P2")
def test_statements_of_the_transport_follow_its_argument(evidence):
    for target in REPRESENTATIVES:
        _measure(evidence.on(target), "T", *_of_transport(target, generator(5)))


@pytest.mark.claim("P5")
def test_statements_of_jacobians_follow_their_argument(evidence):
    for target in (*REPRESENTATIVES, ON_THE_LINE):
        on = evidence.on(target)
        _measure(on, "D T", *_of_its_jacobian(target, generator(5)))
        _measure(on, "D prox", *_of_prox_jacobian(target, generator(5)))


# --- control --------------------------------------------------------------------------------------------


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


@pytest.mark.control("P1", "P2", "P5")
@pytest.mark.parametrize("factor", [0.5, 20.0])
def test_a_misstated_change_is_told(evidence, factor):
    """Half of the change is exceeded along the steepest way, twenty times it reached by no direction."""
    for what, changes in (("T", _of_transport), ("D T", _of_its_jacobian), ("D prox", _of_prox_jacobian)):
        right, wrong = (_reached(*changes(_Misstated(f), generator(5))) for f in (1.0, factor))
        evidence.on("a sphere", factor=factor).control(
            f"a statement of the change of {what} multiplied: the share of it that is reached",
            predicted=right.max(initial=0.0) / factor,
            measured=wrong.max(initial=0.0),
            agreement=0.05 * right.max(initial=0.0) / factor,
            because="a statement is linear in it, but for the rounding beside it, 1/64 at most",
            intact=right.max(initial=0.0),
            chosen="a twentieth, beyond that rounding",
        )
        assert wrong.max(initial=0.0) > 1 + REMAINDER + 1 / 64 or wrong.max(initial=0.0) < 1 / REACHED
