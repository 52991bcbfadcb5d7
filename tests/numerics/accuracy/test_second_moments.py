"""What E x₁² of a law errs by, in the cost of one pair, 1 + E x₁², against formulas of the books."""

from itertools import islice

import numpy as np
import pytest
from mpmath import mp, mpf
from scipy import stats

from numerics.potentials import Quantile
from numerics.transport.minibatch import expected_cost
from tests.numerics.accuracy.harness import judge, judge_with_twins


@pytest.fixture(autouse=True)
def thirty_digits():
    with mp.workdps(30):
        yield


def _square_of_gamma(shape):
    return mpf(shape) * (mpf(shape) + 1)


def _second_moments():
    """Laws and E x₁² by formulas of the books."""
    for df in (2.0001, 2.01, 2.05, 2.3, 2.5, 7.3):  # at 2.3 all of the error is what lies beyond noise 20
        yield stats.t(df), mpf(df) / (mpf(df) - 2)
    for b in (2.001, 2.05, 3.7):
        yield stats.pareto(b), mpf(b) / (mpf(b) - 2)
        yield stats.lomax(b), 2 / ((mpf(b) - 1) * (mpf(b) - 2))
        yield stats.fisk(b), (2 * mp.pi / mpf(b)) / mp.sin(2 * mp.pi / mpf(b))
        yield stats.invgamma(b), 1 / ((mpf(b) - 1) * (mpf(b) - 2))
    for c in (1e-4, -1e-6, 0.043914275745717234, 0.7):  # scipy's variance cancels, or is an expansion
        yield stats.genextreme(c), (1 - 2 * mp.gamma(1 + mpf(c)) + mp.gamma(1 + 2 * mpf(c))) / mpf(c) ** 2
    for k in (0.066, 0.0775, 0.143, 1.5):
        whole = mp.gamma(mpf(k) + 1) ** 2 / mp.gamma(2 * mpf(k) + 2)
        yield stats.tukeylambda(k), 2 / mpf(k) ** 2 * (1 / (1 + 2 * mpf(k)) - whole)
    for a, b in ((21.497060327917836, 21.501449905305176), (0.01, 3.0)):
        yield stats.loguniform(a, b), (mpf(b) ** 2 - mpf(a) ** 2) / 2 / mp.log(mpf(b) / mpf(a))
    for b, c in ((0.012842754948239268, 1.0034737431971517), (0.5, 30.0)):
        inner = (mpf(c) ** (2 - mpf(b)) - 1) / (2 - mpf(b))
        yield stats.truncpareto(b, c), mpf(b) / (1 - mpf(c) ** -mpf(b)) * inner
    for b in (2e-4, 3.0):
        rest = mp.exp(-mpf(b)) * (mpf(b) ** 2 + 2 * mpf(b) + 2)
        yield stats.truncexpon(b), (2 - rest) / -mp.expm1(-mpf(b))
    for c in (0.2, 0.7, 3.3, 20.0, 200.0):
        yield stats.weibull_min(c), mp.gamma(1 + 2 / mpf(c))
        yield stats.dweibull(c), mp.gamma(1 + 2 / mpf(c))
        yield stats.gennorm(min(c, 20.0)), mp.gamma(3 / mpf(min(c, 20.0))) / mp.gamma(1 / mpf(min(c, 20.0)))
        yield stats.gamma(c), _square_of_gamma(c)
        yield stats.dgamma(min(max(c, 0.7), 20.0)), _square_of_gamma(min(max(c, 0.7), 20.0))
        yield stats.powerlaw(c), mpf(c) / (mpf(c) + 2)
        yield stats.beta(c, 0.7), mpf(c) * (mpf(c) + 1) / ((mpf(c) + mpf(0.7)) * (mpf(c) + mpf(0.7) + 1))
        yield stats.norm(c, 2.5), mpf(c) ** 2 + mpf(6.25)
    yield stats.genpareto(0.49), 2 / ((1 - mpf(0.49)) * (1 - 2 * mpf(0.49)))
    yield stats.logistic(), mp.pi**2 / 3
    yield stats.gumbel_r(), mp.pi**2 / 6 + mp.euler**2
    yield stats.arcsine(), mpf(3) / 8
    yield stats.laplace(), mpf(2)
    yield stats.exponweib(1.0, 2.0), mpf(1)  # scipy integrates these: the quadrature must replace it
    yield stats.exponweib(1.0, 0.7), mp.gamma(1 + 2 / mpf(0.7))


def _costs(laws):
    """What costs of one pair are off, 1 + E x₁², and are stated to be off."""
    error, bound = [], []
    for law, square in laws:
        found = expected_cost(Quantile(law), 1)
        error.append(float(abs(mpf(float(found.cost)) - 1 - square)))
        bound.append(found.cost_error)
    return error, bound


def test_costs_of_one_pair_are_one_and_the_second_moment():
    error, bound = _costs(_second_moments())
    judge(error, bound)
    closed = np.array(error[:-2]) / np.array(bound[:-2])
    judge_with_twins(closed, np.ones(len(closed)))


# --- seen to fail -------------------------------------------------------------------------------------


def test_a_cut_law_is_rejected(monkeypatch):
    """What the code did: E x₁² by a rule on noise within ±13, without what lies beyond."""
    import numerics.transport.costs as costs

    def cut(target, _):
        x = np.linspace(-13, 13, 2001)
        mass = stats.norm.pdf(x)
        return float((mass * target.transport(x[:, None])[:, 0] ** 2).sum() / mass.sum()), 1e-14

    monkeypatch.setattr(costs, "second_moment", cut)
    with pytest.raises(AssertionError):
        judge(*_costs(islice(_second_moments(), 3)))
