"""The normal law's functions and their inverses against 60 digits of Arb, to |s| ≤ 37.5.

Every draw has several seeds, and `HARD` is asked with each: where series, or SciPy's own approximations,
change, the ends of table cells, and places where SciPy's functions erred by more than was stated of them.
"""

import numpy as np
import pytest
from flint import arb, ctx
from scipy import stats

from numerics.accuracy import UNIT
from numerics.potentials import Quantile, normal, normal_series
from numerics.potentials.noise_maps import (
    LAPLACE,
    LOGISTIC,
    half_normal,
    half_normal_error,
    laplace,
    logistic,
)
from numerics.potentials.normal_series import from_middle, scaled_mills
from tests.numerics.accuracy.harness import judge, judge_with_twins

SEEDS = range(6)
N = 2000
_CHANGES = np.array([0.5, 1.0, 8.0, 2.0**-9]) * np.sqrt(2)
_ENDS = np.concatenate([[0.75, 1.0, 0.6744897501960817], _CHANGES, np.arange(1, 640, 7) / 32])
_FOUND = [-1.0613437974679056, -1.0813131485191179, 1.080609334214989, 0.701358098085439, 1.6123]
HARD = np.concatenate(
    [
        np.concatenate([side * _ENDS, side * np.nextafter(_ENDS, 9), side * np.nextafter(_ENDS, 0)])
        for side in (-1, 1)
    ]
    + [_FOUND, [0.0, 1e-300, -1e-16]]
)


@pytest.fixture(autouse=True)
def sixty_digits():
    with ctx.workprec(256):
        yield


def _root_two():
    return arb(2).sqrt()


def _above(s):
    return (s / _root_two()).erfc() / 2


def _middle(s):
    return (s / _root_two()).erf() / 2


def _density(s):
    return (-s * s / 2).exp() / (2 * arb.pi()).sqrt()


def _exponent(s):
    return -(-_above(-s)).log1p() if s < 0 else -_above(s).log()


def _laplace(s):
    away = -(-2 * _middle(abs(s))).log1p() if abs(s) < 1 else -(2 * _above(abs(s))).log()
    return away if s > 0 else -away


def _odds(s):
    near = 4 * _middle(s) / (1 - 2 * _middle(s))
    return near.log1p() if abs(s) < 1 else _exponent(s) - _exponent(-s)


def _off(found, exact, places):
    """|found − exact(place)| for each, as doubles."""
    pairs = zip(found.tolist(), places.tolist(), strict=True)
    return np.array([float(abs(arb(value) - exact(arb(place)))) for value, place in pairs])


def _relative(found, exact, places):
    pairs = zip(found.tolist(), places.tolist(), strict=True)
    return np.array([float(abs(arb(value) / exact(arb(place)) - 1)) for value, place in pairs])


def _places(seed):
    """Most of them where the law has its mass, and next to 0."""
    rng = np.random.default_rng(seed)
    near = rng.choice([-1, 1], N // 4) * 10.0 ** rng.uniform(-16, -1, N // 4)
    return np.concatenate([rng.uniform(-37.5, 37.5, N), rng.uniform(-3, 3, 2 * N), near, HARD])


MEMBERS = {
    "density": (normal.density, _density, normal.DENSITY),
    "tail": (normal.tail, _above, normal.TAIL),
    "exponent": (normal.exponent, _exponent, normal.EXPONENT),
    "hazard": (normal.hazard, lambda s: _density(s) / _above(s), normal.HAZARD),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", MEMBERS)
def test_relative_errors_are_as_counted(name, seed):
    member, exact, count = MEMBERS[name]
    s = _places(seed)
    judge_with_twins(_relative(member(s), exact, s), np.full(len(s), count * UNIT))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_law_rests_on_errs_as_counted(seed):
    """Both series on their range; their statements are sharp."""
    s = _places(seed)
    away, inner = np.append(np.abs(s), 40 + 10.0 ** np.arange(-14.0, 4.0)), s[np.abs(s) <= 1]

    def exact(s):
        return _above(s) * (s * s / 2).exp()

    judge_with_twins(_relative(scaled_mills(away), exact, away), UNIT * np.where(away > 40, 2.6, 1.11))
    inner = inner[inner != 0]
    count = np.where(np.abs(inner) <= 0.75, 2.53, 3.0)
    judge_with_twins(_relative(from_middle(inner), _middle, inner), UNIT * count)


def test_what_the_series_leave_out_is_next_to_nothing():
    """The tables' polynomials in exact arithmetic, at the ends of cells: their terms are rounded, no more."""
    table = normal_series._mills_table()
    for cell in range(table.shape[1]):
        for d in (-1 / 32, 1 / 32):
            s = arb(cell / 16 + d)
            found, exact = _polynomial(table[:, cell], arb(d)), _above(s) * (s * s / 2).exp()
            assert abs(found / exact - 1) < 0.03 * UNIT
    middle = _polynomial(normal_series._middle_table(), arb(1))
    assert abs(middle / _middle(arb(1)) - 1) < 0.2 * UNIT


def _polynomial(terms, d):
    low, *rest = (arb(term) for term in terms.tolist())
    return low + sum(term * d**n for n, term in enumerate(rest))


@pytest.mark.parametrize("seed", SEEDS)
def test_laplace_logistic_and_half_normal_err_as_stated(seed):
    s = _places(seed)
    s = s[(np.abs(s) < 20) & (s != 0)]
    judge_with_twins(_relative(laplace(s), _laplace, s), np.full(len(s), LAPLACE * UNIT))
    judge_with_twins(_relative(logistic(s), _odds, s), np.full(len(s), LOGISTIC * UNIT))
    x = half_normal(s)
    triples = zip(x.tolist(), s.tolist(), strict=True)
    missed = [
        2 * _middle(arb(y)) - _above(-arb(r)) if r < 0 else _above(arb(r)) - 2 * _above(arb(y))
        for y, r in triples
    ]
    error = [float(abs(m / (2 * _density(arb(y))))) for m, y in zip(missed, x.tolist(), strict=True)]
    judge_with_twins(error, UNIT * half_normal_error(s, x))


def _missed(s, p):
    """By how much noise must move for Φ(s) to be p ≤ ½: to first order, which is all there is."""
    pairs = zip(s.tolist(), p.tolist(), strict=True)
    return np.array([float(abs((_above(-arb(r)) - arb(q)) / _density(arb(r)))) for r, q in pairs])


@pytest.mark.parametrize("seed", SEEDS)
def test_noise_of_a_probability_errs_as_stated(seed):
    """Probabilities from 1e−88 to ½, from either side, and next to ½."""
    rng = np.random.default_rng(seed)
    hard = [
        0.13739429515629628,
        0.25,
        np.nextafter(0.25, 1),
        np.nextafter(0.25, 0),
        *normal.tail(np.abs(HARD)),
    ]
    draws = (
        10.0 ** rng.uniform(-88, -0.302, N),
        rng.uniform(0.01, 0.5, N),
        0.5 - 10.0 ** rng.uniform(-16, -2, N),
    )
    p = np.concatenate([*draws, np.array(hard)[np.array(hard) > 1e-88]])
    s = normal.noise_of(p, 1 - p)
    assert np.array_equal(normal.noise_of(1 - p, p), -s)
    judge_with_twins(_missed(s, p), normal.noise_error(s))


def test_scipy_is_asked_for_a_start_alone(monkeypatch):
    """With starts that are wrong in the fourth digit what comes back is as good."""
    for name in ("ndtri", "erfinv"):
        inverse = getattr(normal, name)
        monkeypatch.setattr(normal, name, lambda p, inverse=inverse: 1.0001 * inverse(p))
    p = np.concatenate(
        [10.0 ** np.random.default_rng(0).uniform(-88, -0.302, N), 0.5 - 10.0 ** np.arange(-16.0, -1)]
    )
    s = normal.noise_of(p, 1 - p)
    judge_with_twins(_missed(s, p), normal.noise_error(s))


@pytest.mark.parametrize("seed", SEEDS)
def test_noise_from_the_middle_errs_relatively(seed):
    q = 0.25 * 10.0 ** np.random.default_rng(seed).uniform([-200, -3], 0, (N, 2)).ravel()
    s = normal.noise_from_middle(q)
    pairs = zip(s.tolist(), q.tolist(), strict=True)
    error = [float(abs((_middle(arb(r)) - arb(p)) / _density(arb(r)) / arb(r))) for r, p in pairs]
    judge_with_twins(error, np.full(len(s), 4 * UNIT))


def test_a_step_of_two_atoms_errs_as_stated():
    """Where T jumps: Φ⁻¹ of a weight, from either side."""
    p = np.append(np.random.default_rng(0).uniform(1e-3, 0.999, 300), 0.13739429515629628)
    laws = [Quantile(stats.rv_discrete(values=([0.0, 1.0], [q, 1 - q]))).law for q in p.tolist()]
    steps, stated = (
        np.concatenate([law.steps for law in laws]),
        np.concatenate([law.step_errors for law in laws]),
    )
    below = [
        float(abs((_above(-arb(s)) - arb(q)) / _density(arb(s))))
        for s, q in zip(steps.tolist(), p.tolist(), strict=True)
    ]
    judge(below, stated)


@pytest.mark.parametrize(
    ("law", "s", "exact"),
    [
        (stats.uniform(), -1.0613437974679056, lambda s: _above(-s)),
        (stats.expon(), -1.0813131485191179, _exponent),
    ],
    ids=["uniform", "expon"],
)
def test_transport_where_scipys_tail_was_beyond_the_statement(law, s, exact):
    """SciPy's ndtr errs by 8.5 roundings there."""
    p, x0 = Quantile(law), np.array([[s]])
    error = _off(p.transport(x0)[:, 0], exact, x0[:, 0])
    assert (error <= p.roundings.transport(x0).bound).all()


def test_a_lower_tail_that_is_no_number_is_told_by_the_upper_one():
    """SciPy's cdf may be nan where its sf is not; where the sf is not known nothing is."""
    found = normal.noise_of(np.array([np.nan, 0.3]), np.array([0.3, np.nan]))
    assert found[0] == normal.noise_of(np.array([0.7]), np.array([0.3]))[0]
    assert np.isnan(found[1])


def test_far_out_nothing_is_left_and_nothing_warns():
    """Beyond |s| = 38.6 the tail underflows; hazards do not; noise is cut."""
    far = np.array([39.0, 100.0, 1e300, np.inf])
    assert not normal.tail(far).any()
    assert (normal.tail(-far) == 1).all()
    assert (normal.density(far) == 0).all()
    assert np.abs(normal.hazard(far[:3]) / far[:3] - 1).max() < 1e-3
    assert normal.noise_of(np.array([0.0, 1.0]), np.array([1.0, 0.0])).tolist() == [-20.0, 20.0]


PREMISES = {
    "exp": (np.exp, lambda x: x.exp(), (-700.0, 1.0)),
    "log": (np.log, lambda x: x.log(), (1e-3, 1.0)),
    "log1p": (np.log1p, lambda x: x.log1p(), (-0.7, 5.0)),
    "expm1": (np.expm1, lambda x: x.expm1(), (-3.0, 30.0)),
    "tan": (np.tan, lambda x: x.tan(), (0.0, 0.8)),
    "sin": (np.sin, lambda x: x.sin(), (0.0, 1.6)),
    "arcsin": (np.arcsin, lambda x: x.asin(), (0.0, 0.75)),
    "arcsinh": (np.arcsinh, lambda x: x.asinh(), (-40.0, 40.0)),
    "sinh": (np.sinh, lambda x: x.sinh(), (-5.0, 5.0)),
    "cosh": (np.cosh, lambda x: x.cosh(), (-5.0, 5.0)),
    "tanh": (np.tanh, lambda x: x.tanh(), (-5.0, 5.0)),
    "power": (lambda x: x**0.7, lambda x: x ** arb(0.7), (1e-9, 50.0)),
}


@pytest.mark.parametrize("name", PREMISES)
def test_elementary_functions_of_this_machine_err_by_a_last_place(name):
    """The premise of every count: 2 roundings. Also next to 0, or to 1 for the logarithm."""
    function, exact, (low, high) = PREMISES[name]
    rng = np.random.default_rng(0)
    near = 10.0 ** rng.uniform(-12, -0.5, N)
    x = np.concatenate([rng.uniform(low, high, 5 * N), 1 - near if name == "log" else near])
    assert _relative(function(x), exact, x).max() <= 2 * UNIT
