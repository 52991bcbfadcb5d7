"""Instances with their oracle, a parametrisation, and a way to move a point into the domain.

They are not of the one list (numerics.potentials.instances): each oracle is written from the same arrays as
its potential, and knows nothing else of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from numerics.potentials import DegenerateGaussian, Ellipsoid, FiniteAtoms, Potential, Sphere
from numerics.solvers import minimise
from tests.numerics.proximal import oracles

SHAPE = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 0.25]])
MEAN, ROOT = np.array([1.0, -1.0, 0.5]), np.array([[2.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
CORNERS = np.array([[0.0, 0.0], [2.0, 0.0], [0.5, 1.5]])
HEIGHTS = np.array([0.0, 0.3, -0.2])
CLOUD = np.random.default_rng(5).standard_normal((7, 2))
CLOUD_HEIGHTS = np.random.default_rng(6).uniform(0, 0.5, 7)


@dataclass(frozen=True)
class Target:
    potential: Potential
    oracle: Callable
    retract: Callable  # (u, p): a point of the domain near u, where p is the prox
    parametrisation: minimise.Parametrisation | None = None
    value: Callable | None = None

    def __str__(self):
        return type(self.potential).__name__ + str(self.potential.dim)


def barycentric(u):
    """φ on a triangle, where it is affine: written here, so that the minimiser meets no code of ours."""
    lifted = np.vstack([CORNERS.T, np.ones(3)])
    weights = np.linalg.solve(lifted, np.vstack([u.T, np.ones(len(u))])).T
    return np.where(weights.min(axis=1) > -1e-13, weights @ HEIGHTS, np.inf)


def _into_ellipsoid(u, _):
    size = np.sqrt(np.einsum("ni,ni->n", u, np.linalg.solve(SHAPE, u.T).T))
    return u / np.maximum(size, 1)[:, None]


def _towards_middle(points):
    return lambda _, p: 0.9 * p + 0.1 * points.mean(axis=0)


def _spans(u, _):
    u = u.copy()
    u[:, 2] = MEAN[2]
    return u


TARGETS = [
    Target(
        Sphere(2),
        lambda z, _: oracles.onto_ball(z, 1.0),
        lambda u, _: oracles.onto_ball(u, 1.0),
        minimise.ball(2, 1.0),
    ),
    Target(
        Sphere(3, 2.5),
        lambda z, _: oracles.onto_ball(z, 2.5),
        lambda u, _: oracles.onto_ball(u, 2.5),
        minimise.ball(3, 2.5),
    ),
    Target(
        Ellipsoid(SHAPE),
        lambda z, _: oracles.onto_ellipsoid(z, SHAPE),
        _into_ellipsoid,
        minimise.ellipsoid(SHAPE),
    ),
    Target(
        DegenerateGaussian(MEAN, ROOT @ ROOT),
        lambda z, s: oracles.gaussian(z, s, MEAN, ROOT),
        _spans,
        minimise.affine(MEAN, np.eye(3)[:, :2]),
    ),
    Target(
        FiniteAtoms(CORNERS, HEIGHTS),
        lambda z, s: oracles.hull(z, s, CORNERS, HEIGHTS),
        _towards_middle(CORNERS),
        minimise.hull(CORNERS),
        barycentric,
    ),
    Target(
        FiniteAtoms(CLOUD, CLOUD_HEIGHTS),
        lambda z, s: oracles.hull(z, s, CLOUD, CLOUD_HEIGHTS),
        _towards_middle(CLOUD),
    ),
]


def points(target, rng, step, support):
    """z = x₁ + λx₀ of the support, or z anywhere of the same size."""
    x0, x1 = target.potential.sample(len(step), rng)
    if not support:
        x1 = 2 * target.potential.scale * rng.standard_normal(x1.shape)
        x0 = rng.standard_normal(x1.shape)
    return x1 + step[:, None] * x0


def draw(target, rng, n, exponent, support):
    """n points with their steps around 10^exponent."""
    step = 10.0 ** (exponent + rng.uniform(-0.3, 0.3, n))
    return points(target, rng, step, support), step


def wide(target, rng, n, support):
    """n points whose steps cover twelve decades, in no order."""
    step = 10.0 ** rng.uniform(-6, 6, n)
    return points(target, rng, step, support), step
