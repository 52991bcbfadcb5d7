"""Spheres, ellipsoids, Gaussians and the manifolds of matrices: hostile draws beside their exact twins."""

import mpmath as mp
import numpy as np
from flint import arb, arb_mat

from numerics.intervals.balls import apply, exact, subtract
from numerics.intervals.bodies import ExactEllipsoid, ExactSphere
from numerics.intervals.gaussian import ExactGaussian
from numerics.intervals.matrices import ExactGrassmannian, ExactRotations, ExactStiefel
from numerics.potentials import (
    DegenerateGaussian,
    Ellipsoid,
    Grassmannian,
    SpecialOrthogonal,
    Sphere,
    Stiefel,
)
from tests.numerics.accuracy.ball_oracles import (
    Oracle,
    in_balls,
    of_kinks,
    of_noise,
    of_points,
    of_values,
    together,
)


def log_uniform(rng, low, high, size=None):
    return 10.0 ** rng.uniform(low, high, size)


def orthogonal(d, rng):
    return np.linalg.qr(rng.standard_normal((d, d)))[0]


def _shape(d, rng):
    """Symmetric, of size 1e±3 and condition up to 1e14; diagonal in one half."""
    values = log_uniform(rng, -3, 3) * np.geomspace(1, 1 / log_uniform(rng, 0, rng.choice([1, 6, 14])), d)
    axes = orthogonal(d, rng) if rng.random() < 0.5 else np.eye(d)
    dense = axes * values @ axes.T
    return (dense + dense.T) / 2


def _of_body(p, oracle, outward, rng, n=8):
    """Noise of any length; z on both sides of the surface, from 1e−13 of its size on, and far."""
    x0 = rng.standard_normal((n, p.dim)) * log_uniform(rng, -3, 3, (n, 1))
    surface = p.transport(x0)
    away = log_uniform(rng, -13, 2, (n, 1)) * rng.choice([1.0, 1.0, -1.0], (n, 1))
    z = surface + np.maximum(away, -0.5) * p.scale * outward(surface)
    step = log_uniform(rng, -6, 6, n)
    inside = surface * rng.uniform(0, 0.9, (n, 1))
    kinks = of_kinks(p, z[:4], step[:4], rng)
    return of_noise(p, oracle, x0) | of_points(p, oracle, z, step) | of_values(p, oracle, inside) | kinks


def _unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@in_balls
def spheres(rng):
    parts = []
    for _ in range(120):
        d, radius = int(rng.integers(1, 5)), float(log_uniform(rng, -3, 3))
        parts.append(_of_body(Sphere(d, radius), Oracle(ExactSphere(d, radius)), _unit, rng))
    return together(parts)


@in_balls
def ellipsoids(rng):
    parts = []
    for _ in range(110):
        shape = _shape(int(rng.integers(1, 4)), rng)
        normal = np.linalg.inv(shape)
        oracle = Oracle(ExactEllipsoid(shape))
        parts.append(_of_body(Ellipsoid(shape), oracle, lambda x, m=normal: _unit(x @ m), rng))
    return together([*parts, *_beside_thin_ellipses(rng)])


def _beside_thin_ellipses(rng):
    """A hundredth of the length outside: D prox bends most where the multiplier is of the short size."""
    for _ in range(30):
        shape = np.diag([1.0, log_uniform(rng, -7, -5)]) * log_uniform(rng, -3, 3)
        p, oracle, n = Ellipsoid(shape), Oracle(ExactEllipsoid(shape)), 8
        surface = p.transport(rng.standard_normal((n, 2)))
        z = surface + p.scale * log_uniform(rng, -4, -1, (n, 1)) * _unit(surface @ np.linalg.inv(shape))
        yield of_points(p, oracle, z, np.ones(n))


def _root(covariance):
    """S = Σ^{1/2} in balls, its axes and what S is on them; what 40 digits cannot tell from 0 is 0."""
    with mp.workdps(70):
        values, axes = mp.eigsy(mp.matrix(covariance.tolist()))
        top = max(abs(v) for v in values)
        sigma = [mp.sqrt(v) if v > top * mp.mpf(10) ** -40 else mp.mpf(0) for v in values]
        root = axes * mp.diag(sigma) * axes.T
        return ball_matrix(root), ball_matrix(axes), [ball(s) for s in sigma]


def ball(number):
    return arb(mp.nstr(number, 65))


def ball_matrix(matrix):
    return arb_mat(matrix.rows, matrix.cols, [ball(v) for v in matrix])


def _covariance(rng):
    d = int(rng.integers(1, 4))
    if rng.random() < 0.25:
        factor = rng.integers(-8, 9, (d, max(1, d - 1))) / 4
        return factor @ factor.T
    if rng.random() < 0.25:
        return np.diag(log_uniform(rng, -6, 6, d) * (rng.random(d) < 0.8))
    return _shape(d, rng)


@in_balls
def gaussians(rng):
    """Of every rank, with means up to 1e3 deviations away; φ at points of the support."""
    parts, n = [], 6
    for _ in range(100):
        covariance = _covariance(rng)
        d, size = len(covariance), np.sqrt(np.abs(covariance).max()) + 1e-9
        mean = rng.standard_normal(d) * size * log_uniform(rng, -1, 3) * rng.choice([0, 1])
        p, (root, axes, sigma) = DegenerateGaussian(mean, covariance), _root(covariance)
        twin = ExactGaussian(mean, root)

        def value(x, mean=mean, axes=axes, sigma=sigma):
            w = apply(axes.transpose(), subtract(x, exact(mean)))
            return sum((a * a / s for a, s in zip(w, sigma, strict=True) if s > 0), arb(0)) / 2

        oracle = Oracle(twin, value, twin.prox_jacobian)
        x0 = rng.standard_normal((n, d)) * log_uniform(rng, -2, 1, (n, 1))
        x1 = p.transport(x0)
        z = x1 + p.scale * rng.standard_normal((n, d)) * log_uniform(rng, -8, 1, (n, 1))
        step = log_uniform(rng, -9, 9, n)
        found = of_noise(p, oracle, x0) | of_points(p, oracle, z, step) | of_values(p, oracle, x1)
        parts.append(found | of_kinks(p, z[:1], step[:1], rng))
    return together(parts)


# Not of the one list: the sizes at which thousands of cases can be paid for.
MATRICES = {
    Stiefel: [
        (Stiefel(1, 1), ExactStiefel(1, 1)),
        (Stiefel(2, 1), ExactStiefel(2, 1)),
        (Stiefel(2, 2), ExactStiefel(2, 2)),
        (Stiefel(3, 2), ExactStiefel(3, 2)),
    ],
    Grassmannian: [
        (Grassmannian(2, 1), ExactGrassmannian(2, 1)),
        (Grassmannian(3, 1), ExactGrassmannian(3, 1)),
        (Grassmannian(4, 2), ExactGrassmannian(4, 2)),
    ],
    SpecialOrthogonal: [(SpecialOrthogonal(), ExactRotations())],
}


def matrices(family):
    @in_balls
    def drawn(rng):
        parts, n = [], 32 if len(MATRICES[family]) > 1 else 96
        for p, twin in MATRICES[family]:
            oracle = Oracle(twin)
            x0 = rng.standard_normal((n, p.dim)) * log_uniform(rng, -3, 3, (n, 1))
            step = log_uniform(rng, -4, 4, n)
            x1 = p.transport(x0)
            z = x1 + step[:, None] * x0
            z[::2] = rng.standard_normal(z[::2].shape) * log_uniform(rng, -1, 2, (len(z[::2]), 1))
            kinks = of_kinks(p, z[:16], step[:16], rng)
            points = of_points(p, oracle, z, step)
            parts.append(of_noise(p, oracle, x0) | points | of_values(p, oracle, p.prox(z, step)) | kinks)
        return together(parts)

    return drawn
