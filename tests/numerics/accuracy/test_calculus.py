"""The rules of the calculus against 50 digits: far translates, far scales, skew isometries, unlike products.

The oracle knows the sphere, and the rules, in mpmath; the isometry meant by a matrix of doubles is its polar
factor.
"""

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest

from numerics.accuracy import EPS
from numerics.potentials import FiniteAtoms, Sphere, embed, product, rotate, scale, translate
from tests.numerics.accuracy.harness import judge, judge_with_twins

CASES = 60
MANY = 3000  # where numpy fuses multiplications and additions, products with a turn seldom err by a quarter
RADIUS = 1.5


@pytest.fixture(autouse=True)
def fifty_digits():
    with mp.workdps(50):
        yield


def _vector(x):
    return mp.matrix([mp.mpf(float(v)) for v in x])


def _length(x):
    return mp.sqrt(mp.fsum(v**2 for v in x))


class Exact:
    """The sphere of radius 1.5 in mpmath: T, prox, φ* and the envelope."""

    def transport(self, x0):
        return x0 * (RADIUS / _length(x0))

    def prox(self, z, step):
        return z * min(mp.mpf(1), RADIUS / _length(z))

    def envelope(self, z, step):
        return max(_length(z) - RADIUS, mp.mpf(0)) ** 2 / (2 * step)

    def conjugate(self, x0):
        return RADIUS * _length(x0)


class Moved:
    """x₁ = V s (base + b), in that order of operations, in mpmath."""

    def __init__(self, base, isometry=None, factor=1.0, shift=None):
        self.base, self.factor = base, mp.mpf(factor)
        self.isometry = None if isometry is None else _polar(isometry)
        self.shift = None if shift is None else _vector(shift)

    def _noise(self, x):
        return x if self.isometry is None else self.isometry.T * x

    def _data(self, x):
        return x if self.isometry is None else self.isometry * x

    def _inner(self, x):
        return x / self.factor - (0 * x if self.shift is None else self.shift)

    def _outer(self, x):
        return self._data((x + (0 * x if self.shift is None else self.shift)) * self.factor)

    def transport(self, x0):
        return self._outer(self.base.transport(self._noise(x0)))

    def prox(self, z, step):
        return self._outer(self.base.prox(self._inner(self._noise(z)), step / self.factor))

    def envelope(self, z, step):
        w = self._noise(z)
        across = _length(z - self._data(w)) ** 2 / (2 * step)
        return self.factor * self.base.envelope(self._inner(w), step / self.factor) + across

    def conjugate(self, x0):
        w = self._noise(x0)
        moved = 0 if self.shift is None else (w.T * self.shift)[0]
        return self.factor * (self.base.conjugate(w) + moved)


def _polar(matrix):
    """V(VᵀV)^{-1/2} by Newton's iteration: V is an isometry to 1e-13, so that three steps do."""
    v = mp.matrix(np.asarray(matrix, dtype=float).tolist())
    for _ in range(3):
        v = v * (3 * mp.eye(v.cols) - v.T * v) / 2
    return v


def _orthonormal(rows, columns, seed):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((rows, columns)))[0]


SKEW = _orthonormal(5, 3, 1)
LONG = SKEW * (1 + 30 * 5 * EPS)
"""As far from orthonormal as is allowed, nearly: many times what products with it round by."""
TURN = _orthonormal(3, 3, 2)
SHIFT = [3.0e5, -7.0e5, 1.1]
BASE = Sphere(3, RADIUS)
RULES = {
    "rotate": (rotate(BASE, TURN), Moved(Exact(), TURN)),
    "embed": (embed(BASE, SKEW), Moved(Exact(), SKEW)),
    "embed by long columns": (embed(BASE, LONG), Moved(Exact(), LONG)),
    "translate": (translate(BASE, SHIFT), Moved(Exact(), shift=SHIFT)),
    "scale up": (scale(BASE, 1234.567), Moved(Exact(), factor=1234.567)),
    "scale down": (scale(BASE, 1e-3), Moved(Exact(), factor=1e-3)),
    "all": (
        rotate(scale(translate(BASE, [1.0, 2.0, 0.5]), 0.3), TURN),
        Moved(Exact(), TURN, 0.3, [1.0, 2.0, 0.5]),
    ),
}


def _draws(target, seed, cases=CASES):
    """Noise, and proximal points near the data and far from them, at steps of 24 decades."""
    rng = np.random.default_rng(seed)
    x0 = rng.standard_normal((cases, target.dim)) * 10.0 ** rng.uniform(-3, 1, (cases, 1))
    step = 10.0 ** rng.uniform(-12, 12, cases)
    near = target.transport(x0) + target.scale * rng.standard_normal(x0.shape) * 10.0 ** rng.uniform(
        -6, 0, (cases, 1)
    )
    return x0, near, step


def _apart(found, exact):
    return np.array([float(_length(_vector(f) - e)) for f, e in zip(found, exact, strict=True)])


@pytest.mark.parametrize("name", RULES)
def test_transport(name):
    target, exact = RULES[name]
    x0, _, _ = _draws(target, 3)
    error = _apart(target.transport(x0), [exact.transport(_vector(x)) for x in x0])
    # A quarter may pass: VᵀV misses I by twice what V is off, and Vᵀ's share along x moves no sphere's point.
    sharp = judge if name in ("rotate", "embed", "embed by long columns", "all") else judge_with_twins
    sharp(error, target.roundings.transport(x0).bound)


@pytest.mark.parametrize("name", RULES)
def test_conjugate(name):
    target, exact = RULES[name]
    x0, _, _ = _draws(target, 4)
    true = [exact.conjugate(_vector(x)) for x in x0]
    error = [abs(float(mp.mpf(float(f)) - e)) for f, e in zip(target.conjugate(x0), true, strict=True)]
    judge(error, target.roundings.conjugate(x0).bound)


@pytest.mark.parametrize("name", RULES)
def test_prox(name):
    target, exact = RULES[name]
    _, z, step = _draws(target, 5, MANY)
    found = target.proximal_point(z, step)
    true = [exact.prox(_vector(x), mp.mpf(float(s))) for x, s in zip(z, step, strict=True)]
    judge_with_twins(_apart(found.point, true), found.rounding.point.bound)
    assert (found.point == target.prox(z, step)).all()


@pytest.mark.parametrize("name", RULES)
def test_envelope(name):
    target, exact = RULES[name]
    _, z, step = _draws(target, 6)
    found = target.proximal_point(z, step)
    true = [exact.envelope(_vector(x), mp.mpf(float(s))) for x, s in zip(z, step, strict=True)]
    error = [abs(float(mp.mpf(float(f)) - e)) for f, e in zip(found.envelope, true, strict=True)]
    judge(error, found.rounding.envelope.bound)


def test_the_sum_of_the_two_parts_of_an_envelope_rounds():
    """φ = 1000 at one atom, z some units off it and 1e-5 off the line: the sum rounds more than its parts."""
    p, rng = embed(FiniteAtoms([[0.0]], [1000.0]), [[1.0], [0.0]]), np.random.default_rng(10)
    z = rng.integers(1, 2**20, (500, 2)) * [2.0**-10, 2.0**-34]  # so that both parts are exact
    step = 2.0 ** rng.integers(-3, 4, 500)
    found = p.proximal_point(z, step)
    exact = [
        1000 + sum(Fraction(float(v)) ** 2 for v in x) / (2 * Fraction(float(s)))
        for x, s in zip(z, step, strict=True)
    ]
    error = [float(abs(Fraction(float(e)) - x)) for e, x in zip(found.envelope, exact, strict=True)]
    judge(error, found.rounding.envelope.bound)


def test_blocks_of_a_product_keep_their_own_accuracy():
    """A block of size 1e-6 beside one of 1e6: its error is its own, and the lengths combine as legs."""
    small, large = scale(BASE, 1e-6), scale(BASE, 1e6)
    both = product(small, large)
    rng = np.random.default_rng(8)
    x0 = rng.standard_normal((CASES, 6))
    stated = both.roundings.transport(x0).bound
    legs = small.roundings.transport(x0[:, :3]).bound, large.roundings.transport(x0[:, 3:]).bound
    assert stated == pytest.approx(np.hypot(*legs), rel=1e-12)
    exact = [Moved(Exact(), factor=f) for f in (1e-6, 1e6)]
    true = [
        mp.matrix(list(exact[0].transport(_vector(x[:3]))) + list(exact[1].transport(_vector(x[3:]))))
        for x in x0
    ]
    judge_with_twins(_apart(both.transport(x0), true), stated)


@pytest.mark.parametrize("name", RULES)
def test_kinks_are_carried(name):
    """The face changes at the stated distance: straight towards the sphere prox is smooth short of it."""
    target, exact = RULES[name]
    _, z, step = _draws(target, 9)
    kink = target.proximal_point(z, step).kink
    true = [abs(_length(exact._inner(exact._noise(_vector(x)))) - RADIUS) * exact.factor for x in z]
    assert (kink <= np.array([float(k) for k in true]) + 1e-300).all()


def test_d_prox_of_an_embedding_where_rounding_reaches_a_kink():
    """Far off the range Vᵀz errs by 1e−11, and so near the sphere it may lie on the other side."""
    rng, wrong = np.random.default_rng(0), 0
    target, normal = embed(BASE, SKEW), np.linalg.qr(SKEW, mode="complete")[0][:, 4]
    isometry = _polar(SKEW)
    for off in np.repeat([1e-11, 1e-12, 1e-13], 40) * rng.choice([-1, 1], 120):
        direction = rng.standard_normal(3)
        z = SKEW @ direction * (RADIUS * (1 + off) / np.linalg.norm(direction)) + 1e5 * normal
        w = isometry.T * _vector(z)
        away = _length(w)
        inner = mp.eye(3) if away < RADIUS else (mp.eye(3) - w * w.T / away**2) * (mp.mpf(RADIUS) / away)
        exact = isometry * inner * isometry.T
        solved = target.proximal_point(z[None], 1.0)
        error = np.linalg.norm(solved.jacobian[0] - np.array(exact.tolist(), dtype=float))
        assert error <= solved.rounding.jacobian.bound[0]
        wrong += error > 0.5
    assert wrong >= 5
