"""Spheres and ellipsoids against 50 digits: near the surface, inside, far; dense shapes to condition 1e14."""

import mpmath as mp
import numpy as np
import pytest

from numerics.potentials import Ellipsoid, Sphere
from tests.numerics.accuracy import exact
from tests.numerics.accuracy.harness import judge, judge_with_twins

CASES = 60
TINY = 1e-40  # what fifty digits themselves round


@pytest.fixture(autouse=True)
def fifty_digits():
    with mp.workdps(50):
        yield


class ExactEllipsoid:
    """T, K, prox and its Jacobian from the eigenvalues of A in 50 digits."""

    def __init__(self, shape):
        with mp.workdps(50):  # the table below is made when the module is loaded
            self.values, self.axes = mp.eigsy(exact.matrix(shape))
            self.shape = exact.matrix(shape)

    def conjugate(self, x0):
        return mp.sqrt(exact.dot(x0, self.shape * x0))

    def transport(self, x0):
        return self.shape * x0 / self.conjugate(x0)

    def transport_jacobian(self, x0):
        h, image = self.conjugate(x0), self.transport(x0)
        return (self.shape - image * image.T) / h

    def _multiplier(self, w):
        def excess(mu):
            return mp.fsum(a * (v / (a + mu)) ** 2 for a, v in zip(self.values, w, strict=True)) - 1

        if excess(mp.mpf(0)) <= 0:
            return mp.mpf(0)
        low, high = mp.mpf(0), exact.length(w) * mp.sqrt(max(self.values))
        for _ in range(190):
            middle = (low + high) / 2
            low, high = (middle, high) if excess(middle) > 0 else (low, middle)
        return low

    def prox(self, z):
        w = self.axes.T * z
        mu = self._multiplier(w)
        return self.axes * mp.matrix([a * v / (a + mu) for a, v in zip(self.values, w, strict=True)])

    def prox_jacobian(self, z):
        w = self.axes.T * z
        mu = self._multiplier(w)
        if not mu:
            return mp.eye(len(w))
        resolvent = [a / (a + mu) for a in self.values]
        normal = [v / (a + mu) for a, v in zip(self.values, w, strict=True)]
        image = mp.matrix([r * n for r, n in zip(resolvent, normal, strict=True)])
        weight = exact.dot(normal, image)
        return self.axes * (mp.diag(resolvent) - image * image.T / weight) * self.axes.T


def _dense(d, condition, seed, size=1.0):
    axes = np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]
    shape = axes * (size * np.geomspace(1, 1 / condition, d)) @ axes.T
    return (shape + shape.T) / 2


def _ball(d, radius):
    return Sphere(d, radius), ExactEllipsoid(np.eye(d)), radius


BODIES = {
    "circle": _ball(2, 2.0),
    "sphere": _ball(3, 1e-3),
    "sphere in R^6": _ball(6, 1e3),
    **{
        f"ellipsoid {name}": (Ellipsoid(shape), ExactEllipsoid(shape), 1.0)
        for name, shape in {
            "well": _dense(3, 4.0, 1),
            "1e6": _dense(2, 1e6, 2),
            "1e10": _dense(4, 1e10, 3),
            "1e14": _dense(2, 1e14, 4),
            "large": _dense(3, 30.0, 5, 1e6),
            "diagonal": np.diag([1e4, 1.0, 0.25]),
        }.items()
    },
}
named = pytest.mark.parametrize("name", BODIES)


def _draws(target, seed):
    """Noise of many lengths; z at, near, inside and far from the surface."""
    rng = np.random.default_rng(seed)
    x0 = rng.standard_normal((CASES, target.dim)) * 10.0 ** rng.uniform(-3, 2, (CASES, 1))
    away = 10.0 ** rng.uniform(-13, 1, (CASES, 1)) * rng.choice([-1.0, 1.0], (CASES, 1))
    surface = target.transport(x0)
    z = surface + away * target.scale * rng.standard_normal(x0.shape)
    z[: CASES // 4] = surface[: CASES // 4] * (1 + np.maximum(away[: CASES // 4], -1))
    return x0, z, 10.0 ** rng.uniform(-6, 6, CASES)


def _scaled(true, radius):
    """The unit ball's oracle, stretched: exact for radius · unit."""
    r = mp.mpf(radius)
    return {
        "conjugate": lambda x0: r * true.conjugate(x0),
        "transport": lambda x0: r * true.transport(x0),
        "transport_jacobian": lambda x0: r * true.transport_jacobian(x0),
        "prox": lambda z: r * true.prox(z / r),
        "prox_jacobian": lambda z: true.prox_jacobian(z / r),
    }


@named
def test_transport_and_conjugate(name):
    target, true, radius = BODIES[name]
    x0, *_ = _draws(target, 1)
    of = _scaled(true, radius)
    rows = [exact.vector(x) for x in x0]
    sharp = judge_with_twins if isinstance(target, Sphere) else judge
    sharp(
        exact.apart(target.transport(x0), [of["transport"](x) for x in rows]),
        target.roundings.transport(x0).bound,
    )
    judge(
        exact.numbers_apart(target.conjugate(x0), [of["conjugate"](x) for x in rows]),
        target.roundings.conjugate(x0).bound,
    )


@named
def test_prox_and_envelope(name):
    target, true, radius = BODIES[name]
    _, z, step = _draws(target, 2)
    found, of = target.proximal_point(z, step), _scaled(true, radius)
    wanted = [of["prox"](exact.vector(x)) for x in z]
    sharp = judge_with_twins if isinstance(target, Sphere) and target.dim < 6 else judge
    sharp(exact.apart(found.point, wanted), found.rounding.point.bound + TINY)
    away = [exact.length(exact.vector(x) - u) for x, u in zip(z, wanted, strict=True)]
    envelope = [a**2 / (2 * mp.mpf(float(s))) for a, s in zip(away, step, strict=True)]
    judge(exact.numbers_apart(found.envelope, envelope), found.rounding.envelope.bound + TINY)
    outside = np.array([a > mp.mpf(10) ** -40 for a in away])
    assert (found.kink[outside] <= np.array([float(a) for a in away])[outside]).all()


@named
def test_kinks_inside_are_no_farther_than_the_surface(name):
    target = BODIES[name][0]
    rng = np.random.default_rng(3)
    x0, *_ = _draws(target, 3)
    z = target.transport(x0) * rng.uniform(0, 1, (CASES, 1))
    kink = target.proximal_point(z, 1.0).kink
    unit = rng.standard_normal((40, target.dim))
    unit /= np.linalg.norm(unit, axis=1)[:, None]
    for point, reach in zip(z, kink, strict=True):
        ball = point + 0.999 * reach * unit
        assert np.abs(target.prox(ball, 1.0) - ball).max() <= 1e-13 * target.scale


@named
def test_jacobians(name):
    target, true, radius = BODIES[name]
    x0, z, step = _draws(target, 4)
    of = _scaled(true, radius)
    x0, z, step = x0[:20], z[::3], step[::3]
    judge(
        exact.matrices_apart(
            target.transport_jacobian(x0), [of["transport_jacobian"](exact.vector(x)) for x in x0]
        ),
        target.roundings.transport_jacobian(x0).bound,
    )
    found = target.proximal_point(z, step)
    clear = found.kink > 1e-15 * target.scale
    wanted = [of["prox_jacobian"](exact.vector(x)) for x in z[clear]]
    judge(exact.matrices_apart(found.jacobian[clear], wanted), found.rounding.jacobian.bound[clear])


@pytest.mark.parametrize("kind", ["dense", "diagonal"])
def test_random_ellipsoids(kind):
    """Eighty shapes to condition 1e14.5 and order 6, of size 1e-3 to 1e3; noise along short axes, too."""
    rng = np.random.default_rng(22)
    seen = {}
    for _ in range(80):
        d, condition = int(rng.integers(1, 7)), 10 ** rng.uniform(0, rng.choice([1, 6, 14.5]))
        shape = _dense(d, condition, int(rng.integers(1 << 30)), 10 ** rng.uniform(-3, 3))
        shape = shape if kind == "dense" else np.diag(np.diagonal(shape))
        target, true = Ellipsoid(shape), ExactEllipsoid(shape)
        x0, z, step = _draws(target, int(rng.integers(1 << 30)))
        x0 = np.concatenate([x0[:2], np.linalg.solve(shape, x0[2:4].T).T])
        for member, case in _members(target, true, x0, z[[0, 1, -2, -1]], step[:4]).items():
            seen.setdefault(member, []).append(case)
    for member, cases in seen.items():
        error, bound = (np.concatenate(part) for part in zip(*cases, strict=True))
        error = np.where(error > TINY, error, 0.0)
        twins = kind == "diagonal" and member in ("transport", "conjugate", "envelope")
        sharp = judge_with_twins if twins else judge
        sharp(error, bound)


def _members(target, true, x0, z, step):
    """(error, bound) of every member."""
    found, says = target.proximal_point(z, step), target.roundings
    noise, points = [exact.vector(x) for x in x0], [exact.vector(x) for x in z]
    images = [true.prox(x) for x in points]
    away = [exact.length(x - u) for x, u in zip(points, images, strict=True)]
    envelope = [a**2 / (2 * mp.mpf(float(s))) for a, s in zip(away, step, strict=True)]
    of_t = exact.apart(target.transport(x0), map(true.transport, noise))
    of_prox = exact.apart(found.point, images)
    return {
        "transport": (of_t, says.transport(x0).bound),
        "conjugate": (
            exact.numbers_apart(target.conjugate(x0), map(true.conjugate, noise)),
            says.conjugate(x0).bound,
        ),
        "transport_jacobian": (
            exact.matrices_apart(target.transport_jacobian(x0), map(true.transport_jacobian, noise)),
            says.transport_jacobian(x0).bound,
        ),
        "prox": (of_prox, found.rounding.point.bound),
        "envelope": (exact.numbers_apart(found.envelope, envelope), found.rounding.envelope.bound),
        "prox_jacobian": (
            exact.matrices_apart(found.jacobian, map(true.prox_jacobian, points)),
            found.rounding.jacobian.bound,
        ),
    }


@pytest.mark.parametrize("condition", [1e6, 1e8, 1e10, 1e12])
def test_the_case_files_dense_shapes(condition):
    """Turned by 0.7, with noise along the short axis: prox at 3T erred 1e4 times what was stated."""
    c, s = np.cos(0.7), np.sin(0.7)
    turn = np.array([[c, -s], [s, c]])
    shape = turn @ np.diag([1, 1 / condition]) @ turn.T
    shape = (shape + shape.T) / 2
    target, true = Ellipsoid(shape), ExactEllipsoid(shape)
    root = [mp.sqrt(v) for v in true.values]
    image = true.axes * mp.diag(root) * true.axes.T * exact.vector([-s, c])
    z = np.array([[float(3 * v) for v in image]])
    found = target.proximal_point(z, 1.0)
    error = exact.apart(found.point, [true.prox(exact.vector(z[0]))])
    assert error[0] <= found.rounding.point.bound[0] <= 1e-15 * condition**0.5


def test_kinks_inside_are_near_the_surface_along_the_least_axis():
    """On an axis the distance to the surface is known: the bound is all of it on the shortest."""
    target = Ellipsoid(np.diag([4.0, 1.0]))
    kink = target.proximal_point([[0.0, 0.5], [0.0, 0.9], [0.0, 3.0], [5.0, 0.0]], 1.0).kink
    assert (np.abs(kink - [0.5, 0.1, 2.0, 3.0]) <= 1e-14).all()
    assert (kink <= [0.5, 0.1, 2.0, 3.0]).all()


@pytest.mark.parametrize("pair", [Sphere(1, 3.0), Ellipsoid([[9.0]])], ids=repr)
def test_on_the_line_slopes_are_0_and_known_to_be(pair):
    """T is constant on both sides of 0, and prox outside: K and D prox are 0, exactly."""
    x0 = np.random.default_rng(6).standard_normal((50, 1)) * 10.0 ** np.linspace(-100, 100, 50)[:, None]
    assert (pair.transport_jacobian(x0) == 0).all()
    assert (pair.roundings.transport_jacobian(x0).bound == 0).all()
    away = np.copysign(3.5 + np.abs(x0), x0)
    found = pair.proximal_point(away, 1.0)
    assert (found.jacobian <= found.rounding.jacobian.bound[:, None, None]).all()
    assert (found.rounding.jacobian.bound <= 1e-14).all()


def test_shapes_that_are_not_definite_are_refused():
    with pytest.raises(ValueError, match="positive definite"):
        Ellipsoid([[4.0, 2.0], [2.0, 1.0]])
