"""Each certificate bounds the true error of any candidate, and is small where the candidate is right."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.accuracy import EPS, Rounding
from numerics.potentials import Sphere
from numerics.proximal import certificate
from numerics.proximal.certificate import Certificate
from tests.numerics.accuracy.harness import judge
from tests.numerics.proximal.targets import TARGETS, draw

CERTIFICATES = [
    certificate.fenchel_young,
    certificate.transport,
    certificate.subdifferential,
    certificate.certify,
]
draws = {
    "which": st.integers(0, len(TARGETS) - 1),
    "seed": st.integers(0, 2**32 - 1),
    "exponent": st.floats(-6, 6),
    "size": st.floats(-13, 0),
    "support": st.booleans(),
}


def candidates(which, seed, exponent, size, support, inside):
    """Points, their true prox, and candidates up to 10^size·S away from it, in the domain if asked."""
    target, rng = TARGETS[which], np.random.default_rng(seed)
    z, step = draw(target, rng, 6, exponent, support)
    truth = target.oracle(z, step)
    u = truth + 10.0**size * target.potential.scale * rng.uniform(-1, 1, truth.shape)
    return target.potential, z, step, truth, target.retract(u, truth) if inside else u


def holds(bound_of, potential, z, step, truth, u):
    """The law: no candidate is farther from the prox than its bound; the oracle's own rounding is granted."""
    oracle = 64 * EPS * (np.linalg.norm(z, axis=1) + np.linalg.norm(truth, axis=1) + potential.scale)
    bound = bound_of(potential, z, step, u).bound
    return bool((np.linalg.norm(u - truth, axis=1) <= bound + oracle).all())


@pytest.mark.parametrize("bound_of", CERTIFICATES, ids=lambda f: f.__name__)
@settings(max_examples=60, deadline=None)
@given(**draws)
def test_bounds_the_error(bound_of, which, seed, exponent, size, support):
    inside = bound_of is not certificate.transport
    assert holds(bound_of, *candidates(which, seed, exponent, size, support, inside))


@settings(max_examples=60, deadline=None)
@given(**draws, noise=st.floats(-8, 1))
def test_transport_bounds_the_error_for_any_noise_whatever(which, seed, exponent, size, support, noise):
    potential, z, step, truth, u = candidates(which, seed, exponent, size, support, False)
    y = (z - truth) / step[:, None]
    y = y + 10.0**noise * np.random.default_rng(seed).standard_normal(y.shape)

    def bound_of(potential, z, step, u):
        return certificate.transport(potential, z, step, u, y)

    assert holds(bound_of, potential, z, step, truth, u)


@pytest.mark.parametrize("bound_of", CERTIFICATES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_no_bound_is_below_its_rounding(bound_of, target):
    z, step = draw(target, np.random.default_rng(2), 10, 0.0, True)
    found = bound_of(target.potential, z, step, target.oracle(z, step))
    assert (found.rounding > 0).all()
    assert (found.bound >= found.rounding).all()


class _Rough(Sphere):
    """A sphere whose φ* is low by so much, and whose φ by a tenth of it, and which states both."""

    def __init__(self, low):
        super().__init__(2, 1.0)
        self._low = low

    def _conjugate(self, x0):
        return super()._conjugate(x0) - self._low

    def _conjugate_rounding(self, x0):
        return super()._conjugate_rounding(x0) + Rounding.measured(self._low, "φ* is rough")

    def _value(self, x):
        return super()._value(x) - self._low / 10

    def _value_rounding(self, x):
        return super()._value_rounding(x) + Rounding.measured(self._low / 10, "φ is rough")


@pytest.mark.parametrize("low", [1e-12, 1e-6])
def test_the_gap_asks_what_values_err_by(low):
    """Candidates whose gap, as computed, is 0: the bound is above their error, and not 8 times above all."""
    rng, n = np.random.default_rng(7), 400
    target, step = _Rough(low), 10.0 ** rng.uniform(-1, 1, n)
    z = 3.0 * rng.standard_normal((n, 2))
    truth = target.prox(z, step)
    turn = np.sqrt(low * step) * rng.uniform(-1, 1, n)
    turned = (truth[:, 0] + 1j * truth[:, 1]) * np.exp(1j * turn)
    u = np.stack([turned.real, turned.imag], axis=1)
    error = np.linalg.norm(u - truth, axis=1)
    bound = certificate.fenchel_young(target, z, step, u).bound
    gap = _gap(target, z, step, u)
    judge(error[gap <= 0], bound[gap <= 0], floor=1 / 8)


# --- wrong twins: each misses a factor or a term, and some candidate must expose it ------------------


def _gap(potential, z, step, u):
    y = (z - u) / step[:, None]
    return potential.value(u) + potential.conjugate(y) - (u * y).sum(axis=1)


def without_the_step(potential, z, step, u):
    return Certificate(np.sqrt(np.maximum(_gap(potential, z, step, u), 0)), np.zeros(len(z)), "√G")


def a_third_of_the_gap(potential, z, step, u):
    gap = np.maximum(_gap(potential, z, step, u), 0)
    return Certificate(np.sqrt(step * gap / 3), np.zeros(len(z)), "√(λG/3)")


def gap_without_the_value(potential, z, step, u):
    gap = np.maximum(_gap(potential, z, step, u) - potential.value(u), 0)
    return Certificate(np.sqrt(step * gap), np.zeros(len(z)), "φ(u) forgotten")


def _twin(bound, because):
    return Certificate(bound, np.zeros_like(bound), because)


def gap_with_swapped_sign(potential, z, step, u):
    return _twin(certificate.fenchel_young(potential, 2 * u - z, step, u).bound, "y = (u−z)/λ")


def half_the_transport(potential, z, step, u):
    return _twin(certificate.transport(potential, z, step, u).bound / 3, "|u−T(y)|/3")


def transport_of_z(potential, z, _, u):
    return _twin(np.linalg.norm(u - potential.transport(z), axis=1), "T(z) for T(y)")


def distance_without_the_step(potential, z, step, u):
    return _twin(certificate.subdifferential(potential, z, step, u).bound / step, "dist")


TWINS = [
    without_the_step,
    a_third_of_the_gap,
    gap_without_the_value,
    gap_with_swapped_sign,
    half_the_transport,
    transport_of_z,
    distance_without_the_step,
]


@pytest.mark.parametrize("twin", TWINS, ids=lambda f: f.__name__)
def test_wrong_twin_is_rejected(twin):
    rng = np.random.default_rng(11)
    trials = (
        (which, int(rng.integers(2**32)), rng.uniform(-3, 3), rng.uniform(-3, 0), bool(rng.integers(2)), True)
        for which in range(len(TARGETS))
        for _ in range(40)
    )
    assert not all(holds(twin, *candidates(*trial)) for trial in trials)


# --- power: small at the truth, large at what a wrong solver returns -----------------------------------


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_small_at_the_prox_of_the_support(target):
    for exponent in (-6, -3, 0, 3, 6):
        z, step = draw(target, np.random.default_rng(3), 20, exponent, True)
        truth = target.oracle(z, step)
        found = certificate.transport(target.potential, z, step, truth)
        size = np.linalg.norm(z, axis=1) + target.potential.scale
        assert (found.bound <= 1e5 * EPS * size * (1 + 1 / np.minimum(step, 1)) ** 0.5).all()


@pytest.mark.parametrize("target", TARGETS[3:], ids=str)
@pytest.mark.parametrize("wrong", ["step", "sign"])
def test_rejects_a_wrong_step_and_a_swapped_sign(target, wrong):
    """Only where φ isn't constant on its domain: an indicator cannot see the step."""
    z, step = draw(target, np.random.default_rng(4), 40, 0.0, True)
    candidate = target.oracle(z, 3 * step) if wrong == "step" else target.oracle(-z, step)
    right = certificate.transport(target.potential, z, step, target.oracle(z, step)).bound
    given_wrong = certificate.transport(target.potential, z, step, candidate).bound
    error = np.linalg.norm(candidate - target.oracle(z, step), axis=1)
    assert right.max() < 1e-10
    assert error.max() > 0.1
    assert (given_wrong >= error - 1e-12).all()


def test_outside_the_domain_the_gap_says_nothing_and_transport_does():
    z, step, u = np.array([[3.0, 4.0]]), 0.5, np.array([[0.6, 0.8]]) * (1 + 1e-9)
    assert np.isinf(certificate.fenchel_young(Sphere(2), z, step, u).bound).all()
    assert np.isinf(certificate.subdifferential(Sphere(2), z, step, u).bound).all()
    assert certificate.transport(Sphere(2), z, step, u).bound[0] < 1.01e-9
    assert certificate.certify(Sphere(2), z, step, u).bound[0] < 1.01e-9


def test_zero_noise_is_left_to_the_gap():
    z = np.array([[0.3, 0.1], [3.0, 4.0]])
    u = np.array([[0.3, 0.1], [0.6, 0.8]])
    assert np.isinf(certificate.transport(Sphere(2), z, 0.5, u).bound).tolist() == [True, False]
    assert (certificate.certify(Sphere(2), z, 0.5, u).bound < 1e-7).all()


def test_smallest_is_taken_row_by_row():
    one, other = (
        Certificate(np.array(b), np.array(r), w)
        for b, r, w in [([1.0, 4.0], [0.1, 0.4], "a"), ([2.0, 3.0], [0.2, 0.3], "b")]
    )
    best = certificate.smallest(one, other)
    assert best.bound.tolist() == [1.0, 3.0]
    assert best.rounding.tolist() == [0.1, 0.3]
    assert best.because == "a; or b"


@pytest.mark.parametrize("bound_of", CERTIFICATES, ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    ("z", "step", "u", "message"),
    [
        ([[0.0, 1.0, 2.0]], 1.0, [[0.0, 1.0]], "z: got shape"),
        ([[0.0, 1.0]], 1.0, [[0.0, np.inf]], "u: entry"),
        ([[0.0, 1.0]], 1.0, [[0.0, 1.0], [0.0, 1.0]], "u: got shape"),
        ([[0.0, 1.0]], -1.0, [[0.0, 1.0]], "step: got -1.0"),
    ],
)
def test_bad_input(bound_of, z, step, u, message):
    with pytest.raises(ValueError, match=message):
        bound_of(Sphere(2), z, step, u)


def test_bad_noise_and_bad_certificates():
    with pytest.raises(ValueError, match="y: got shape"):
        certificate.transport(Sphere(2), [[3.0, 4.0]], 1.0, [[0.6, 0.8]], np.zeros((2, 2)))
    with pytest.raises(ValueError, match="certificates: got lengths"):
        certificate.smallest()
