"""The rules of the calculus over Gaussians on dyadic axes and spheres, beside the same rules in balls.

Far translates, far scales, skew isometries. φ is asked where the rule's argument does not round.
"""

import numpy as np
from flint import arb, arb_mat

from numerics.intervals import calculus
from numerics.intervals.balls import (
    apply,
    diagonal,
    exact,
    exact_matrix,
    identity,
    subtract,
    times,
)
from numerics.intervals.bodies import ExactSphere
from numerics.intervals.gaussian import ExactGaussian
from numerics.potentials import DegenerateGaussian, Sphere, embed, product, rotate, scale, translate
from tests.numerics.accuracy.ball_oracles import (
    Oracle,
    in_balls,
    of_kinks,
    of_noise,
    of_points,
    of_values,
    together,
    zero,
)
from tests.numerics.accuracy.cases_of_bodies import log_uniform, orthogonal


def _gaussian(d, rng, plain=True):
    """Variances that are powers of 4 and a mean of halves, so that T rounds little of its own; or any."""
    variances = 4.0 ** rng.integers(-2, 3, d) if plain else rng.uniform(0.25, 4, d)
    mean = rng.integers(-4, 5, d) / 2 if plain else rng.standard_normal(d)
    balls = [v.sqrt() for v in exact(variances)]

    def value(x):
        away = subtract(x, exact(mean))
        return sum((w * w / s for w, s in zip(away, balls, strict=True)), arb(0)) / 2

    return DegenerateGaussian(mean, np.diag(variances)), ExactGaussian(mean, diagonal(balls)), value


def _sphere(d, rng):
    radius = 2.0 ** int(rng.integers(-2, 3))
    return Sphere(d, radius), ExactSphere(d, radius), zero


def _polar(matrix):
    """The isometry that a matrix of doubles means: Newton's iteration, from 1e−15 away."""
    v = exact_matrix(matrix)
    for _ in range(6):
        step = v * (identity(v.ncols()) * 3 - v.transpose() * v) * arb(0.5)
        v = arb_mat(v.nrows(), v.ncols(), [x.mid() for x in step.entries()])
    return v


def _carried(rule, matrix, base):
    p, twin, value = base
    isometry = _polar(matrix)
    return rule(p, matrix), calculus.Carried(twin, isometry), lambda x: value(apply(isometry.transpose(), x))


def _isometric(d, base, rng):
    """A rotation or an embedding."""
    if rng.random() < 0.5:
        return _carried(rotate, orthogonal(d, rng), base)
    return _carried(embed, orthogonal(d + 1, rng)[:, :d], base)


def _scaled(_, base, rng):
    p, twin, value = base
    factor = float(log_uniform(rng, -3, 3))
    ball = arb(factor)
    return scale(p, factor), calculus.Stretched(twin, ball), lambda x: ball * value(times(1 / ball, x))


def _translated(d, base, rng):
    p, twin, value = base
    shift = rng.standard_normal(d) * log_uniform(rng, 0, 6)
    return translate(p, shift), calculus.Moved(twin, exact(shift)), lambda x: value(subtract(x, exact(shift)))


def _product(d, base, rng):
    """With a law of another size, 1e±6 times as large."""
    p, twin, value = base
    factor = float(log_uniform(rng, -6, 6))
    ball, (q, other, height) = arb(factor), _gaussian(1, rng)
    both = calculus.Paired(twin, calculus.Stretched(other, ball))
    return product(p, scale(q, factor)), both, lambda x: value(x[:d]) + ball * height(times(1 / ball, x[d:]))


RULES = {"Isometric": _isometric, "Scaled": _scaled, "Translated": _translated, "Product": _product}


def rule(name):
    @in_balls
    def drawn(rng):
        parts, n = [], 4
        for k in range(140):
            d, base = int(rng.integers(1, 4)), (_gaussian, _sphere)[k % 2]
            p, twin, value = RULES[name](d, base(d, rng), rng)
            oracle = Oracle(twin, value)
            x0 = rng.standard_normal((n, p.dim)) * log_uniform(rng, -1, 1, (n, 1))
            step, x1 = log_uniform(rng, -6, 6, n), p.transport(x0)
            z = x1 + p.scale * rng.standard_normal((n, p.dim)) * log_uniform(rng, -6, 0, (n, 1))
            parts.append(of_noise(p, oracle, x0) | of_points(p, oracle, z, step))
            if base is _sphere:
                parts.append(of_kinks(p, z[:2], step[:2], rng))
            parts.append(_values(name, 1 + k % 2, rng))
        return together(parts)

    return drawn


def _values(name, d, rng):
    """φ at points whose images under the rule are doubles: moved by halves, stretched by 3, permuted."""
    x = rng.integers(-(2**16), 2**16, (12, d)) / 2**12
    p, _, value = _gaussian(d, rng, plain=False)
    if name == "Translated":
        shift = rng.integers(-(2**20), 2**20, d) / 2
        return of_values(
            translate(p, shift), Oracle(None, lambda v: value(subtract(v, exact(shift)))), x + shift
        )
    if name == "Scaled":
        return of_values(scale(p, 3.0), Oracle(None, lambda v: 3 * value(times(1 / arb(3), v))), 3 * x)
    if name == "Product":
        q, _, height = _gaussian(1, rng, plain=False)
        both = np.concatenate([x, rng.integers(-(2**16), 2**16, (12, 1)) / 2**12], axis=1)
        return of_values(product(p, q), Oracle(None, lambda v: value(v[:d]) + height(v[d:])), both)
    turn = np.eye(d + 1)[:, rng.permutation(d + 1)[:d]] * rng.choice([-1.0, 1.0], d)
    inner = exact_matrix(turn).transpose()
    return of_values(embed(p, turn), Oracle(None, lambda v: value(apply(inner, v))), x @ turn.T)
