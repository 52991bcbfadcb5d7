"""Degenerate Gaussians against 60 digits: dense and ill-conditioned, of every rank, at far scales."""

import mpmath as mp
import numpy as np
import pytest

from numerics.potentials import DegenerateGaussian
from tests.numerics.accuracy import exact
from tests.numerics.accuracy.harness import judge, judge_with_twins

CASES = 40
TINY = 1e-40  # what sixty digits themselves round


@pytest.fixture(autouse=True)
def sixty_digits():
    with mp.workdps(60):
        yield


class Exact:
    """N(b, Σ) by the eigenvalues of Σ in 60 digits; what 40 digits cannot tell from 0 is 0."""

    def __init__(self, mean, covariance):
        values, self.axes = mp.eigsy(exact.matrix(covariance))
        top = max(abs(v) for v in values)
        self.sigma = [mp.sqrt(v) if v > top * mp.mpf(10) ** -40 else mp.mpf(0) for v in values]
        self.mean = exact.vector(mean)

    def function(self, f):
        """V diag(f(σ)) Vᵀ."""
        return self.axes * mp.diag([f(s) for s in self.sigma]) * self.axes.T

    def transport(self, x0):
        return self.function(lambda s: s) * x0 + self.mean

    def prox(self, z, step):
        return self.function(lambda s: s / (s + step)) * (z - self.mean) + self.mean

    def envelope(self, z, step):
        c = z - self.mean
        return exact.dot(c, self.function(lambda s: 1 / (s + step)) * c) / 2

    def conjugate(self, x0):
        return exact.dot(x0, self.function(lambda s: s) * x0) / 2 + exact.dot(x0, self.mean)


def _turn(d, seed):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]


def _covariance(d, condition, seed, size=1.0):
    """Dense, symmetric, of the given condition number."""
    axes = _turn(d, seed)
    values = size * np.geomspace(1, 1 / condition, d)
    dense = axes * values @ axes.T
    return (dense + dense.T) / 2


def _low_rank(d, rank, seed):
    """LLᵀ with L of small fractions: exactly of low rank."""
    factor = np.random.default_rng(seed).integers(-8, 9, (d, rank)) / 4
    return factor @ factor.T


COVARIANCES = {
    "well": _covariance(3, 3.0, 1),
    "1e6": _covariance(2, 1e6, 2),
    "1e10": _covariance(4, 1e10, 3),
    "1e14": _covariance(3, 1e14, 4),
    "large": _covariance(3, 50.0, 5, 1e6),
    "small": _covariance(3, 50.0, 6, 1e-6),
    "rank 1": _low_rank(3, 1, 7),
    "rank 2": _low_rank(4, 2, 8),
    "diagonal": np.diag([4.0, 0.0, 1e-9]),
    "order 10": _covariance(10, 100.0, 9),
}
MEANS = {"large": 1e6, "small": 1e-6}
named = pytest.mark.parametrize("name", COVARIANCES)


def _pair(name):
    covariance = COVARIANCES[name]
    mean = MEANS.get(name, 1.0) * np.random.default_rng(11).standard_normal(len(covariance))
    return DegenerateGaussian(mean, covariance), Exact(mean, covariance)


def _draws(target, seed):
    rng = np.random.default_rng(seed)
    x0 = rng.standard_normal((CASES, target.dim)) * 10.0 ** rng.uniform(-2, 1, (CASES, 1))
    step = 10.0 ** rng.uniform(-12, 12, CASES)
    z = target.transport(x0) + target.scale * rng.standard_normal(x0.shape) * 10.0 ** rng.uniform(
        -8, 1, (CASES, 1)
    )
    return x0, z, step


@named
def test_transport(name):
    target, true = _pair(name)
    x0, *_ = _draws(target, 1)
    error = exact.apart(target.transport(x0), [true.transport(exact.vector(x)) for x in x0])
    sharp = judge if name in ("small", "order 10") else judge_with_twins
    sharp(error, target.roundings.transport(x0).bound)


@named
def test_prox(name):
    target, true = _pair(name)
    _, z, step = _draws(target, 2)
    found = target.proximal_point(z, step)
    wanted = [true.prox(exact.vector(x), mp.mpf(float(s))) for x, s in zip(z, step, strict=True)]
    sharp = judge if name == "small" else judge_with_twins
    sharp(exact.apart(found.point, wanted), found.rounding.point.bound)
    assert (found.kink == np.inf).all()


@named
def test_envelope(name):
    target, true = _pair(name)
    _, z, step = _draws(target, 3)
    found = target.proximal_point(z, step)
    wanted = [true.envelope(exact.vector(x), mp.mpf(float(s))) for x, s in zip(z, step, strict=True)]
    judge(exact.numbers_apart(found.envelope, wanted), found.rounding.envelope.bound)


@named
def test_conjugate(name):
    target, true = _pair(name)
    x0, *_ = _draws(target, 4)
    error = exact.numbers_apart(target.conjugate(x0), [true.conjugate(exact.vector(x)) for x in x0])
    judge(error, target.roundings.conjugate(x0).bound)


@pytest.mark.parametrize("condition", [1e6, 1e8, 1e10, 1e12])
def test_the_case_files_dense_covariances(condition):
    """Turned by 0.7, with noise along the short axis, where T erred 1e4 times what was stated."""
    c, s = np.cos(0.7), np.sin(0.7)
    turn = np.array([[c, -s], [s, c]])
    covariance = turn @ np.diag([1, 1 / condition]) @ turn.T
    covariance = (covariance + covariance.T) / 2
    target, true = DegenerateGaussian([0.0, 0.0], covariance), Exact([0.0, 0.0], covariance)
    x0 = np.array([[-s, c]])
    error = exact.apart(target.transport(x0), [true.transport(exact.vector(x0[0]))])
    assert error[0] <= target.roundings.transport(x0).bound[0] <= 1e-14


@named
def test_jacobians(name):
    target, true = _pair(name)
    x0, z, step = _draws(target, 5)
    x0, z, step = x0[:6], z[:6], step[:6]
    k = [true.function(lambda s: s)] * 6
    error = exact.matrices_apart(target.transport_jacobian(x0), k)
    floor = 0.0 if name == "diagonal" else 1 / 64  # the roots of 4 and 0 are exact: one matrix says little
    judge(error, target.roundings.transport_jacobian(x0).bound + TINY, floor=floor)
    found = target.proximal_point(z, step)
    steps = [mp.mpf(float(s)) for s in step]
    j = [true.function(lambda s, lam=lam: s / (s + lam)) for lam in steps]
    error = exact.matrices_apart(found.jacobian, j)
    judge(error, found.rounding.jacobian.bound)


@pytest.mark.parametrize("name", ["well", "1e10", "diagonal", "rank 2"])
def test_value(name):
    """On the affine hull, φ is a quadratic form; x is moved to the hull's nearest doubles."""
    target, true = _pair(name)
    x0, *_ = _draws(target, 6)
    x = target.transport(x0)
    inverse = true.function(lambda s: 1 / s if s else mp.mpf(0))
    wanted = [exact.dot(exact.vector(p) - true.mean, inverse * (exact.vector(p) - true.mean)) / 2 for p in x]
    judge(exact.numbers_apart(target.value(x), wanted), target.roundings.value(x).bound)


def _random_covariance(rng, kind):
    """Dense to condition 1e15, exactly deficient, diagonal, or deficient but for rounding; order 1 to 6."""
    d = int(rng.integers(1, 7))
    if kind == "dense":
        return _covariance(d, 10 ** rng.uniform(0, 15), int(rng.integers(1 << 30)), 10 ** rng.uniform(-3, 3))
    if kind == "deficient":
        return _low_rank(d, int(rng.integers(0, d + 1)), int(rng.integers(1 << 30)))
    if kind == "diagonal":
        return np.diag(10 ** rng.uniform(-3, 3) * rng.uniform(0, 1, d) * rng.integers(0, 2, d))
    factor = rng.standard_normal((d, max(1, d - 1)))
    return factor @ factor.T


@pytest.mark.parametrize("kind", ["dense", "deficient", "diagonal", "deficient but for rounding"])
def test_random_covariances(kind):
    """Sixty of each kind, means and points to 1e3 away, steps from 1e-12 to 1e12; every member."""
    rng = np.random.default_rng(21)
    seen = {}
    for _ in range(60):
        covariance = _random_covariance(rng, kind)
        mean = rng.standard_normal(len(covariance)) * 10 ** rng.uniform(-3, 3) * rng.integers(0, 2)
        target, true = DegenerateGaussian(mean, covariance), Exact(mean, covariance)
        if kind == "deficient but for rounding":  # what is negative there is no variance
            true.sigma = [mp.sqrt(max(v, 0)) for v in mp.eigsy(exact.matrix(covariance), eigvals_only=True)]
        x0, z, step = (x[:2] for x in _draws(target, int(rng.integers(1 << 30))))
        for member, case in _members(target, true, x0, z, step).items():
            seen.setdefault(member, []).append(case)
    for member, cases in seen.items():
        error, bound = (np.concatenate(part) for part in zip(*cases, strict=True))
        error = np.where(error > TINY, error, 0.0)
        sharp = judge_with_twins if member in ("transport", "prox") else judge
        sharp(error, bound)


def _members(target, true, x0, z, step):
    """(error, bound) of every member."""
    found, says = target.proximal_point(z, step), target.roundings
    noise, points = [exact.vector(x) for x in x0], [exact.vector(x) for x in z]
    steps = [mp.mpf(float(s)) for s in step]
    rows = list(zip(points, steps, strict=True))
    roots = [true.function(lambda s: s)] * len(x0)
    shrunk = [true.function(lambda s, lam=lam: s / (s + lam)) for lam in steps]
    apart, numbers = exact.apart, exact.numbers_apart
    prox, envelope = [true.prox(*r) for r in rows], [true.envelope(*r) for r in rows]
    slopes = exact.matrices_apart(target.transport_jacobian(x0), roots)
    return {
        "transport": (apart(target.transport(x0), map(true.transport, noise)), says.transport(x0).bound),
        "conjugate": (numbers(target.conjugate(x0), map(true.conjugate, noise)), says.conjugate(x0).bound),
        "transport_jacobian": (slopes, says.transport_jacobian(x0).bound),
        "prox": (apart(found.point, prox), found.rounding.point.bound),
        "envelope": (numbers(found.envelope, envelope), found.rounding.envelope.bound),
        "prox_jacobian": (exact.matrices_apart(found.jacobian, shrunk), found.rounding.jacobian.bound),
    }
