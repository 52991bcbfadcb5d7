"""φ* beyond a jump of T whose place is rounded: the place's error times the jump, against 50 digits."""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from numerics.potentials import AtomAndDensity, Quantile, embed, scale, translate
from tests.numerics.accuracy.harness import judge


@pytest.fixture(autouse=True)
def digits():
    """In 50 digits."""
    with mp.workdps(50):
        yield


def _noise(p):
    return -mp.sqrt(2) * mp.erfinv(1 - 2 * mp.mpf(p))


def _mixture(atoms, weights):
    """∫_0^s T of two atoms, with the rest of the mass uniform on [0, 1] between them."""
    low, high = (mp.mpf(float(a)) for a in atoms)
    first, second = (mp.mpf(float(w)) for w in weights)
    rest, starts = 1 - first - second, (_noise(first), _noise(1 - second))

    def primitive(s):
        inner = min(max(s, starts[0]), starts[1])
        part = (inner * mp.ncdf(inner) + mp.npdf(inner) - first * inner) / rest
        return part + low * min(s - starts[0], 0) + high * max(s - starts[1], 0)

    return lambda s: primitive(mp.mpf(s)) - primitive(mp.mpf(0))


def _staircase(atoms, masses):
    """∫_0^s T of atoms."""
    masses = [mp.mpf(float(m)) for m in masses]
    sums = [mp.fsum(masses[: k + 1]) for k in range(len(masses) - 1)]
    steps, points = [_noise(total) for total in sums], [mp.mpf(float(a)) for a in atoms]

    def primitive(s):
        rises = [(b - a) * max(s - z, 0) for a, b, z in zip(points, points[1:], steps, strict=False)]
        return points[0] * s + mp.fsum(rises)

    return lambda s: primitive(mp.mpf(s)) - primitive(mp.mpf(0))


def _around(law_steps, rng):
    """Beyond each step, within rounding of it on both sides, and anywhere."""
    near = np.concatenate([law_steps + k * np.spacing(law_steps) for k in range(-6, 7)])
    return np.concatenate([near, law_steps * 1.01, rng.uniform(-4, 4, 20)])


def test_mixtures():
    rng, errors, bounds = np.random.default_rng(0), [], []
    for k in range(40):
        size = 10.0 ** rng.integers(1, 7)
        atoms = size * np.array([-rng.uniform(0.5, 1), rng.uniform(0.5, 1)])
        weights = rng.dirichlet(np.ones(3))[:2] if k % 2 else np.array([0.5 - 1e-3 * rng.random(), 0.4])
        p = AtomAndDensity(atoms, weights, stats.uniform())
        s = _around(np.concatenate([p.law.stops[:1], p.law.starts[1:]]), rng)
        exact = _mixture(atoms, weights)
        errors += [
            float(abs(mp.mpf(a) - exact(r))) for a, r in zip(p.conjugate(s[:, None]), s.tolist(), strict=True)
        ]
        bounds.append(p.roundings.conjugate(s[:, None]).bound)
    judge(errors, np.concatenate(bounds))


def _turned(p, v):
    """The potential along the line of v (D,1), moved and turned in three ways."""
    return [
        (embed(p, v), 1.0, 0.0),
        (embed(scale(p, 2.0), v), 2.0, 0.0),
        (embed(translate(p, [8.0]), v), 1.0, 8.0),
    ]


def test_staircases_along_a_line_in_space():
    """Rounding of x₀ and of Vᵀx₀ carries noise across a jump: φ* has the slope of either side there."""
    rng, errors, bounds = np.random.default_rng(2), [], []
    for _ in range(25):
        v = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        atoms = np.sort(rng.uniform(-1, 1, 3)) * [1e5, 1e-3, 1.0]
        p = Quantile(stats.rv_discrete(values=(np.sort(atoms), [0.25, 0.25, 0.5])))
        exact, column = _staircase(p.distribution.xk, p.distribution.pk), mp.matrix(v[:, :1].tolist())
        inner = np.repeat(p.law.steps, 20) + 1e-13 * rng.standard_normal(20 * len(p.law.steps))
        x0 = inner[:, None] * v[:, 0] + 1e3 * rng.standard_normal((len(inner), 1)) * v[:, 1]
        for q, factor, shift in _turned(p, v[:, :1]):
            for x, found in zip(x0.tolist(), q.conjugate(x0), strict=True):
                s = (column.T * mp.matrix(x))[0] / mp.norm(column)
                errors.append(float(abs(mp.mpf(float(found)) - factor * exact(s) - shift * s)))
            bounds.append(q.roundings.conjugate(x0).bound)
    judge(errors, np.concatenate(bounds))


def test_staircases():
    """The median's step lies at 0 for some."""
    rng, errors, bounds = np.random.default_rng(1), [], []
    for k in range(80):
        count = int(rng.integers(2, 7))
        atoms = np.cumsum(10.0 ** rng.uniform(0, 6, count)) - 10.0 ** rng.uniform(0, 7)
        masses = rng.dirichlet(np.ones(count))
        if k % 3 == 0:
            masses = np.concatenate([masses[:1], masses[:1], masses[1:]])
            atoms = np.concatenate([atoms[:1] - 1e6, atoms])
            masses[0] = 0.5 + (k % 2 - 0.5) * 1e-16
            masses[1:] *= 0.5 / masses[1:].sum()
        masses /= masses.sum()
        p = Quantile(stats.rv_discrete(values=(atoms, masses)))
        s, exact = _around(p.law.steps, rng), _staircase(p.distribution.xk, p.distribution.pk)
        errors += [
            float(abs(mp.mpf(a) - exact(r))) for a, r in zip(p.conjugate(s[:, None]), s.tolist(), strict=True)
        ]
        bounds.append(p.roundings.conjugate(s[:, None]).bound)
    judge(errors, np.concatenate(bounds))
