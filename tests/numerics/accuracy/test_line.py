"""What laws on the line state about themselves, against 200 digits, from both sides."""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from numerics.potentials import Quantile
from numerics.potentials.closed_laws import FORMS
from numerics.potentials.composed_forms import COMPOSED
from numerics.potentials.continuous_laws import LISTED
from numerics.potentials.mapped_forms import MAPPED
from numerics.potentials.solved_law import SPECIAL
from tests.numerics.accuracy import line_oracles as oracle
from tests.numerics.accuracy.harness import judge, judge_with_twins

SHAPES = {
    "lognorm": [(0.25,), (2.0,)],
    "weibull_min": [(1.5,), (0.4,), (8.0,)],
    "pareto": [(2.5,), (5.0,), (40.0,)],
    "powerlaw": [(2.0,), (0.3,)],
    "betaprime": [(5.0, 6.0), (0.75, 30.0), (20.0, 2.1)],
    "chi": [(1.0,), (3.0,), (80.0,)],
    "erlang": [(3.0,)],
    "f": [(29.0, 18.0), (8.5, 72.25)],
    "gengamma": [(2.0, 1.5), (25.0, 1.0), (3.0, -2.0)],
    "invgamma": [(2.1,), (12.0,), (100.0,)],
    "loggamma": [(0.5,), (30.0,)],
    "nakagami": [(0.5,), (20.0,)],
    "rdist": [(3.0,), (0.5,), (20.0,)],
    "bradford": [(0.01,), (2.0,), (500.0,)],
    "burr": [(10.5, 4.3), (2.5, 0.1), (12.0, 0.1)],
    "burr12": [(2.0, 2.5), (0.75, 6.0), (10.0, 0.5)],
    "exponpow": [(0.5,), (3.0,)],
    "exponweib": [(2.5, 1.5), (0.1, 3.0), (30.0, 0.75)],
    "fatiguelife": [(0.001,), (0.5,), (5.0,)],
    "fisk": [(2.1,), (3.0,), (50.0,)],
    "genextreme": [(0.0,), (-0.375,), (0.25,), (4.0,), (1e-9,)],
    "genhalflogistic": [(0.4,), (5.0,)],
    "genlogistic": [(0.412,), (20.0,)],
    "genpareto": [(0.0,), (0.375,), (-2.0,), (-1e-9,)],
    "gompertz": [(0.001,), (2.0,), (50.0,)],
    "invweibull": [(2.1,), (40.0,)],
    "johnsonsb": [(0.5, 0.25), (-3.0, 10.0)],
    "johnsonsu": [(0.5, 0.75), (-3.0, 10.0)],
    "kappa3": [(2.1,), (20.0,)],
    "kappa4": [(0.5, 2.75), (0.0, 0.5), (30.0, 0.0)],
    "loglaplace": [(2.1,), (20.0,)],
    "loguniform": [(0.01, 1.25), (0.375, 223.0), (0.3, 0.3003)],
    "lomax": [(2.1,), (30.0,)],
    "mielke": [(15.375, 7.125), (0.5, 2.25), (3.5, 20.0)],
    "reciprocal": [(0.01, 1.25)],
    "triang": [(0.0,), (0.25,), (1.0,)],
    "truncexpon": [(0.001,), (4.0,), (800.0,)],
    "truncpareto": [(0.25, 1.015625), (2.0, 100.0)],
    "tukeylambda": [(0.0,), (-0.375,), (0.125,), (5.0,)],
    "weibull_max": [(0.5,), (100.0,)],
    "gamma": [(0.1,), (0.5,), (0.50003,), (2.5,), (100.0,)],
    "chi2": [(1.0,), (3.0,), (55.0,)],
    "beta": [(2.0, 3.0), (0.5, 0.5), (8.0, 0.5), (20.0, 30.0), (1.1, 90.0), (97.5, 0.75)],
    "t": [(2.5,), (5.0,), (30.0,)],
    "truncnorm": [
        (2.0, np.inf),
        (-3.0, 8.0),
        (5.0, 40.0),
        (-40.0, -2.0),
        (-1e-3, 1e-3),
        (0.0, 1e-3),
        (-1.0, 1.0),
        (30.0, 50.0),
    ],
}
CASES = [(name, shapes) for name in LISTED for shapes in SHAPES.get(name, [()])]
STEEP = {
    "genextreme",
    "genhalflogistic",
    "genpareto",
    "kappa4",
}  # T' is 1e−300 where T is near an end of the support
PLACES = [(0.0, 1.0), (3.0, 0.75), (2.0**20, 2.0**-10)]


@pytest.fixture(autouse=True)
def digits():
    """All oracles work in many digits."""
    with mp.workdps(oracle.DIGITS):
        yield


def _noise(rng, n, most=20.0):
    """From the body to the cut, and next to 0."""
    near = 10.0 ** rng.uniform(-8, 0, n // 4) * rng.choice([-1, 1], n // 4)
    return np.concatenate([rng.uniform(-most, most, n - n // 4 - n // 3), rng.uniform(-8, 8, n // 3), near])


def _near(name, shapes, s):
    return Quantile(getattr(stats, name)(*shapes)).transport([[s]])[0, 0]


def _exact(name, shapes, s, near):
    """T(s) and T'(s) of the standard law."""
    if name in MAPPED:
        with mp.workdps(60):
            return oracle.mapped(name, shapes, mp.mpf(float(s)), _near)
    if name in FORMS:
        form = oracle.closed(name)
        s = mp.mpf(float(s))
        if name in STEEP:
            with mp.workdps(2 * oracle.DIGITS):
                return form(s, *shapes), oracle.slope(lambda r: form(r, *shapes), s)
        if name == "laplace":
            return form(s), mp.npdf(s) / oracle.phi(-abs(s))  # T' is continuous, T'' is not
        return form(s, *shapes), oracle.slope(lambda r: form(r, *shapes), s)
    with mp.workdps(oracle.DIGITS if name == "truncnorm" else 50):
        return oracle.solved(name, shapes, mp.mpf(float(s)), near)


@pytest.mark.parametrize(("name", "shapes"), CASES, ids=str)
def test_transport_and_its_slope_of_every_listed_law(name, shapes):
    """|x₀| ≤ 20, at four locations and scales."""
    rng = np.random.default_rng(CASES.index((name, shapes)))
    law = getattr(stats, name)
    standard = Quantile(law(*shapes))
    s = _noise(rng, 24 if name in SPECIAL or name in COMPOSED or name in MAPPED else 60)
    near = standard.transport(s[:, None])[:, 0]
    kept = (near != 0) | (name in FORMS)  # underflow to 0
    if name in SPECIAL:
        ends = law(*shapes).support()
        kept &= (near > ends[0]) & (near < ends[1])  # the oracle starts inside
    s, near = s[kept], near[kept]
    exact = [_exact(name, shapes, *pair) for pair in zip(s, near, strict=True)]
    shares = []
    for loc, scale in PLACES:
        p = Quantile(law(*shapes, loc=loc, scale=scale))
        a, b = mp.mpf(loc), mp.mpf(scale)
        error = oracle.errors(p.transport(s[:, None])[:, 0], [a + b * x for x, _ in exact])
        bound = p.roundings.transport(s[:, None]).bound
        slopes = p.transport_jacobian(s[:, None])[:, 0, 0]
        slope_error = oracle.errors(slopes, [b * k for _, k in exact])
        slope_bound = p.roundings.transport_jacobian(s[:, None]).bound
        shares.append((error, bound, slope_error, slope_bound))
    error, bound, slope_error, slope_bound = (np.concatenate(part) for part in zip(*shares, strict=True))
    judge(error, bound)
    if name != "norm":
        judge(slope_error, slope_bound)
    else:  # the scale itself
        assert (slope_bound == 0).all()
        assert slope_error.max() < 1e-60


@pytest.mark.parametrize(("name", "shapes"), [case for case in CASES if case[0] in COMPOSED], ids=str)
def test_the_noise_of_a_place_is_within_its_statement(name, shapes):
    """T just below s − δ and just above s + δ encloses x, also where SciPy's own cdf has no digits left."""
    p, form = Quantile(getattr(stats, name)(*shapes)), oracle.closed(name)
    x = p.transport(_noise(np.random.default_rng(0), 24, 16.0)[:, None])[:, 0]
    x = x[(x > p.law.ends[0]) & (x < p.law.ends[1])]
    s = p.law.interval(x)[0]
    bound = p.law.interval_error(x, s)
    assert np.isfinite(bound).all()
    for place, noise, off in zip(x, s, bound, strict=True):
        for side in (-1, 1):
            at = mp.mpf(float(noise)) + side * mp.mpf(float(off))
            assert abs(at) > 20 or side * (form(at, *shapes) - mp.mpf(float(place))) >= 0


@pytest.mark.parametrize(
    "law", [stats.fisk(3.0), stats.burr(2.5, 0.1), stats.mielke(10.375, 4.625)], ids=lambda law: law.dist.name
)
def test_the_noise_is_found_where_the_cdf_has_no_digits_left(law):
    """SciPy's upper tails of these are 1 − cdf, and 0 from noise 8 on."""
    p, s = Quantile(law), np.linspace(-16, 16, 65)
    found = p.law.interval(p.transport(s[:, None])[:, 0])[0]
    assert np.abs(found - s).max() < 1e-12


def test_a_wrong_noise_states_how_wrong_it_is():
    """Far from x, what T misses over its slope there would be 0.2 where 11 are missing."""
    p = Quantile(stats.fisk(3.0))
    x = p.transport([[9.0]])[:, 0]
    for s in (20.0, 14.0, -5.0):
        assert p.law.interval_error(x, np.array([s]))[0] >= abs(s - 9.0)


@pytest.mark.parametrize("b", [0.5, 0.875, 1.5, 3.0])
def test_the_slope_where_a_density_is_infinite_or_0(b):
    """1 − (1 − F)^{1/b} of the beta law of 1 and b: from noise 6 on doubles do not tell T from the end."""
    p, s = Quantile(stats.beta(1.0, b)), np.random.default_rng(0).uniform(2.0, 12.0, 400)
    power = 1 / mp.mpf(b)
    exact = [power * oracle.phi(-r) ** (power - 1) * mp.npdf(r) for r in map(float, s)]
    error = oracle.errors(p.transport_jacobian(s[:, None])[:, 0, 0], exact)
    judge(error, p.roundings.transport_jacobian(s[:, None]).bound)


def test_twins_are_rejected():
    """The statements for T and for T', 100 times larger or a quarter of them."""
    s = np.random.default_rng(0).uniform(-8, 8, 400)
    for name, *shapes in (("uniform",), ("expon",), ("halfnorm",)):
        p = Quantile(getattr(stats, name)(*shapes))
        exact = [_exact(name, shapes, r, None) for r in s]
        error = oracle.errors(p.transport(s[:, None])[:, 0], [x for x, _ in exact])
        judge_with_twins(error, p.roundings.transport(s[:, None]).bound)
        error = oracle.errors(p.transport_jacobian(s[:, None])[:, 0, 0], [slope for _, slope in exact])
        judge_with_twins(error, p.roundings.transport_jacobian(s[:, None]).bound)
