"""The normal law's density, tail, hazard and their inverse against 50 digits, to |s| ≤ 30."""

import mpmath as mp
import numpy as np
import pytest

from numerics.accuracy import UNIT
from numerics.potentials import normal
from tests.numerics.accuracy.harness import judge, judge_with_twins


def _above(s):
    return mp.erfc(mp.mpf(s) / mp.sqrt(2)) / 2


def _exponent(s):
    return -mp.log1p(-_above(-s)) if s < 0 else -mp.log(_above(s))


MEMBERS = [
    (normal.density, mp.npdf, normal.DENSITY),
    (normal.tail, _above, normal.TAIL),
    (normal.exponent, _exponent, normal.EXPONENT),
    (normal.hazard, lambda s: mp.npdf(s) / _above(s), normal.HAZARD),
]


@pytest.mark.parametrize(("member", "exact", "count"), MEMBERS, ids=lambda c: getattr(c, "__name__", ""))
def test_relative_errors_are_as_counted(member, exact, count):
    """4000 places, most of them where SciPy's own approximations change: |s| < 3."""
    rng = np.random.default_rng(count)
    s = np.concatenate(
        [
            rng.uniform(-30, 30, 1000),
            rng.uniform(-3, 3, 2000),
            rng.uniform(-1e-2, 1e-2, 500),
            np.repeat([-1.0, 0.0, 1.0], 3) + np.tile([-1e-15, 0.0, 1e-15], 3),
        ]
    )
    with mp.workdps(50):
        truth = [exact(mp.mpf(float(r))) for r in s]
        error = [float(abs(mp.mpf(float(c)) / t - 1)) for c, t in zip(member(s), truth, strict=True)]
    judge_with_twins(error, np.full(len(s), count * UNIT))


def test_noise_of_a_probability_errs_as_stated():
    """Φ of the answer, over the density, at probabilities from 1e−88 to ½, from either side."""
    rng = np.random.default_rng(0)
    p = np.concatenate([10.0 ** rng.uniform(-88, -0.302, 1000), rng.uniform(0.01, 0.5, 1000)])
    s = normal.noise_of(p, 1 - p)
    assert np.array_equal(normal.noise_of(1 - p, p), -s)
    with mp.workdps(50):
        pairs = zip(s.tolist(), p.tolist(), strict=True)
        error = [float(abs(_above(-r) - mp.mpf(q)) / mp.npdf(mp.mpf(r))) for r, q in pairs]
    judge(error, normal.noise_error(s))


def test_a_lower_tail_that_is_no_number_is_told_by_the_upper_one():
    """SciPy's cdf may be nan where its sf is not; where the sf is not known nothing is."""
    found = normal.noise_of(np.array([np.nan, 0.3]), np.array([0.3, np.nan]))
    assert found[0] == normal.noise_of(np.array([0.7]), np.array([0.3]))[0]
    assert np.isnan(found[1])
