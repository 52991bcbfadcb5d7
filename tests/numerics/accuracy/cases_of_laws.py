"""Laws on the line: densities, mixtures, staircases and bits, at scales 1e±3 and up to 1e6 away from 0."""

import numpy as np
from flint import arb
from scipy import stats

from numerics.intervals.line import ExactBits, ExactCantor
from numerics.potentials import AtomAndDensity, Bits, Cantor, Quantile
from numerics.potentials.normal import quantile
from tests.numerics.accuracy.ball_oracles import (
    Oracle,
    in_balls,
    of_conjugates,
    of_images,
    of_kinks,
    of_noise,
    of_points,
    of_values,
    together,
    zero,
)
from tests.numerics.accuracy.cases_of_bodies import log_uniform
from tests.numerics.accuracy.law_oracles import (
    Exponential,
    Mixture,
    OnTheLine,
    Uniform,
    log_normal,
    noise_at,
    normal,
)


def _problems(p, rng, n):
    """Noise up to the cut; points made from pairs, and beside; steps 1e−12 to 1e12."""
    step = log_uniform(rng, -12, 12, n)
    step[: n // 2] = log_uniform(rng, -1, 6, n // 2)
    x0 = rng.standard_normal((n, 1)) * rng.choice([0.3, 1.0, 3.0, 3.0], (n, 1))
    z = p.transport(x0) + step[:, None] * x0
    far = rng.random(n) < 0.2
    z[far] += p.scale * rng.standard_normal((far.sum(), 1))
    return x0, z, step


def _of_law(p, twin, rng, n):
    oracle = Oracle(twin, twin.value, twin.prox_jacobian)
    x0, z, step = _problems(p, rng, n)
    many = np.concatenate([x0, rng.standard_normal((4 * n, 1)) * rng.choice([0.3, 1.0, 3.0], (4 * n, 1))])
    found = of_images(p, oracle, many) | of_conjugates(p, oracle, x0) | of_points(p, oracle, z, step)
    few = slice(0, min(n // 2, 8))
    return found | of_kinks(p, z[few], step[few], rng, rays=2)


@in_balls
def densities(rng):
    """φ* and φ in closed form; others in `test_line` and `test_line_prox`."""
    parts = []
    for _ in range(4):
        size, away = float(log_uniform(rng, -3, 3)), float(rng.choice([0.0, 1.0, 1e6]))
        laws = [
            (stats.norm(away * size, size), normal(away * size, size)),
            (stats.uniform(away * size, size), Mixture([], [], Uniform(away * size, size))),
            (stats.lognorm(0.5, scale=size), log_normal(0.5, size)),
            (stats.expon(away * size, size), Mixture([], [], Exponential(away * size, size))),
        ]
        for law, twin in laws:
            p = Quantile(law)
            x, n = p.transport(rng.uniform(-4, 4, (3, 1))), 10 if "expon" in repr(p) else 36
            parts.append(_of_law(p, twin, rng, n) | of_values(p, Oracle(twin, twin.value), x))
    return together(parts)


@in_balls
def mixtures(rng):
    """Atoms inside and outside of the part's support, with nearly no and nearly all of the mass."""
    parts = []
    for atoms, weights, kind in (
        ([0.25, 0.75], [0.375, 0.25], "uniform"),
        ([-1.0, 2.5], [0.2, 0.3], "uniform"),
        ([0.0, 0.25], [0.0625, 0.0625], "expon"),
        ([-0.5, 1.25, 1.5], [0.25, 0.3125, 0.1875], "expon"),
        ([0.25, 0.75], [0.3609056121188901, 0.6390943868811099], "uniform"),
        ([0.5], [1e-9], "expon"),
    ):
        for away in (0.0, 1e6):
            size = float(log_uniform(rng, -3, 3))
            places, start = size * (away + np.array(atoms)), size * away
            p = AtomAndDensity(places, weights, getattr(stats, kind)(start, size))
            part = {"uniform": Uniform, "expon": Exponential}[kind](start, size)
            twin = Mixture(places, weights, part)
            oracle = Oracle(twin, twin.value)
            n = 8 if kind == "expon" else 28
            parts += [_of_law(p, twin, rng, n), of_values(p, oracle, p.transport(rng.uniform(-2, 2, (3, 1))))]
            if kind == "expon":
                parts.append(of_images(p, oracle, rng.uniform(5, 9, (300, 1))))
    return together(parts)


@in_balls
def staircases(rng):
    """Finite laws whose masses are dyadic, so that their sum is 1; noise beside steps, and Poisson's law."""
    parts = []
    for k in range(40):
        size, count, away = float(log_uniform(rng, -3, 3)), int(rng.integers(2, 8)), 1e6 * (k % 2)
        masses = rng.multinomial(1024 - count, np.ones(count) / count) + 1
        atoms = size * (away + np.cumsum(rng.integers(1, 5, count)))
        p, twin = Quantile(stats.rv_discrete(values=(atoms, masses / 1024))), Mixture(atoms, masses / 1024)
        oracle, steps = Oracle(twin, twin.value), p.law.steps
        beside = rng.choice(steps, 40) * (1 + rng.integers(-3, 4, 40) * 2.0**-53)
        inner = atoms[:-1] + rng.uniform(0, 1, (4, count - 1)) * np.diff(atoms)
        x = np.concatenate([atoms[1:-1], inner.ravel()])[:, None]
        found = _of_law(p, twin, rng, 12), of_noise(p, oracle, beside[:, None]), of_values(p, oracle, x)
        parts += [*found, _in_jumps(p, twin, rng)]
    return together(parts)


def _in_jumps(p, twin, rng):
    """Z whose prox is between two atoms, where it is z − λs for the step s."""
    k, step = rng.integers(0, len(p.law.steps), 16), log_uniform(rng, -6, 6, 16)
    place = p.law.atoms[k] + rng.uniform(0, 1, 16) * (p.law.atoms[k + 1] - p.law.atoms[k])
    z = (place + step * p.law.steps[k])[:, None]
    return of_points(p, Oracle(twin, twin.value, twin.prox_jacobian), z, step)


@in_balls
def bits(rng):
    """T of biased bits; everything of fair ones, whose law is uniform."""
    parts = []
    for chance in (0.3, 0.0625, 0.84):
        parts.append(of_images(Bits(chance), Oracle(_rising(ExactBits(chance))), rng.uniform(-8, 8, (60, 1))))
    fair, twin = Bits(0.5), Mixture([], [], Uniform(0.0, 1.0))
    x = fair.transport(rng.uniform(-4, 4, (20, 1)))
    return together([*parts, _of_law(fair, twin, rng, 320), of_values(fair, Oracle(twin, twin.value), x)])


@in_balls
def cantor(rng):
    """T and the prox, and both at those of the jumps of T where the prox errs most; φ* in `test_cantor`."""
    twin = _rising(ExactCantor())
    p, oracle = Cantor(), Oracle(twin, jacobian=twin.prox_jacobian)
    x0, z, step = _problems(p, rng, 40)
    s, within, long = _worst_holes(p, rng, 180)
    beside = s * (1 + rng.integers(-4, 5, (180, 1)) * 2.0**-53)
    found = of_points(p, oracle, np.concatenate([z, within]), np.concatenate([step, long]))
    del found["envelope"]
    images = of_images(p, oracle, np.concatenate([x0, beside]))
    return images | found | of_kinks(p, within[:16], long[:16], rng, rays=2)


def _rising(law):
    """A law on the line in balls whose T rises by jumps alone."""
    return OnTheLine(lambda s: law.transport([s]).point[0], zero)


def _worst_holes(p, rng, n):
    """Noise at jumps of T, and z within them at long steps λ: of 2000 draws those where z − λs errs most."""
    levels = np.repeat(np.arange(1, 512) / 1024, 4)
    s, step = quantile(levels)[:, None], log_uniform(rng, 2, 6, len(levels))
    hole = (p.transport(s * (1 - 1e-12)) + p.transport(s * (1 + 1e-12))) / 2
    z = hole + step[:, None] * s
    found, exact = p.proximal_point(z, step), [noise_at(arb(v)) for v in levels[::4]]
    points = [arb(v) - arb(t) * exact[k // 4] for k, (v, t) in enumerate(zip(z[:, 0], step, strict=True))]
    off = [abs(float(x - arb(u))) for x, u in zip(points, found.point[:, 0], strict=True)]
    rows = np.argsort(off / found.rounding.point.bound)[-n:]
    return s[rows], z[rows], step[rows]
