"""What laws on the line state about themselves, against 200 digits, from both sides."""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from numerics.potentials import Quantile
from numerics.potentials.closed_laws import FORMS
from numerics.potentials.solved_law import LISTED, SPECIAL
from tests.numerics.accuracy import line_oracles as oracle
from tests.numerics.accuracy.harness import judge, judge_with_twins

SHAPES = {
    "lognorm": [(0.25,), (2.0,)],
    "weibull_min": [(1.5,), (0.4,), (8.0,)],
    "pareto": [(2.5,), (5.0,), (40.0,)],
    "powerlaw": [(2.0,), (0.3,)],
    "gamma": [(0.1,), (0.5,), (2.5,), (100.0,)],
    "chi2": [(1.0,), (3.0,), (55.0,)],
    "beta": [(2.0, 3.0), (0.5, 0.5), (8.0, 0.5), (20.0, 30.0)],
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


def _exact(name, shapes, s, near):
    """T(s) and T'(s) of the standard law."""
    if name in FORMS:
        form = oracle.closed(name)
        s = mp.mpf(float(s))
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
    s = _noise(rng, 60 if name in FORMS else 24)
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


def test_twins_are_rejected():
    """The statements for T and for T', 100 times larger or a quarter of them."""
    s = np.random.default_rng(0).uniform(-8, 8, 400)
    for name, *shapes in (("gumbel_r",), ("halfnorm",), ("lognorm", 0.5)):
        p = Quantile(getattr(stats, name)(*shapes))
        exact = [_exact(name, shapes, r, None) for r in s]
        error = oracle.errors(p.transport(s[:, None])[:, 0], [x for x, _ in exact])
        judge_with_twins(error, p.roundings.transport(s[:, None]).bound)
        error = oracle.errors(p.transport_jacobian(s[:, None])[:, 0, 0], [slope for _, slope in exact])
        judge_with_twins(error, p.roundings.transport_jacobian(s[:, None]).bound)
