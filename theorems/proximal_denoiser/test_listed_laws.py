"""P1 on the line, T = Q∘Φ, for every listed law, and for laws that are SciPy's own.

Assumed: nothing beyond the contract. SciPy's distribution functions are the second route: F(T(s)) = Φ(s) on
the side where the probability is small. What T states it errs by is held against what rounding makes
unavoidable, also where tails are measured at birth and not known. Control: the law's scale dropped.
"""

from functools import cache

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

from numerics.potentials import Quantile
from numerics.potentials.continuous_laws import LISTED
from theorems.setting.draws import generator
from theorems.setting.statements import HELD, WIDE, by_draws, over, unavoidable

N = 60
OF_SCIPY = 1e-9
KNOWN = (
    stats.norm(1.0, 2.0),
    stats.uniform(-1.0, 3.0),
    stats.expon(2.0),
    stats.laplace(1.0, 0.5),
    stats.logistic(-1.0),
    stats.lognorm(0.5),
    stats.rayleigh(),
    stats.weibull_min(1.5),
    stats.gumbel_r(),
    stats.gumbel_l(),
    stats.pareto(3.5),
    stats.powerlaw(2.5),
    stats.halfnorm(1.0, 3.0),
    stats.arcsine(),
    stats.gamma(2.5),
    stats.chi2(3.0),
    stats.beta(2.0, 3.5),
    stats.t(5.0),
    stats.truncnorm(-1.0, 2.0),
    stats.truncnorm(2.0, 5.0),
    stats.anglit(),
    stats.betaprime(2.0, 4.0),
    stats.bradford(3.0),
    stats.burr(4.0, 1.5),
    stats.burr12(2.0, 2.5),
    stats.chi(3.0),
    stats.erlang(3),
    stats.exponpow(1.5),
    stats.exponweib(2.0, 1.5),
    stats.f(6.0, 9.0),
    stats.fatiguelife(0.5),
    stats.fisk(4.0),
    stats.gengamma(2.0, 1.5),
    stats.genextreme(-0.25),
    stats.genhalflogistic(0.5),
    stats.genlogistic(0.75),
    stats.genpareto(0.25),
    stats.gibrat(),
    stats.gompertz(0.5),
    stats.halflogistic(),
    stats.hypsecant(),
    stats.invgamma(4.0),
    stats.invweibull(4.0),
    stats.johnsonsb(0.5, 1.5),
    stats.johnsonsu(0.5, 1.5),
    stats.kappa3(4.0),
    stats.kappa4(0.5, 0.25),
    stats.loggamma(2.0),
    stats.loglaplace(4.0),
    stats.loguniform(0.5, 3.0),
    stats.lomax(4.0),
    stats.maxwell(),
    stats.mielke(3.0, 4.0),
    stats.moyal(),
    stats.nakagami(1.5),
    stats.rdist(3.0),
    stats.reciprocal(0.5, 3.0),
    stats.triang(0.25),
    stats.truncexpon(2.0),
    stats.truncpareto(1.5, 4.0),
    stats.tukeylambda(0.125),
    stats.weibull_max(1.5),
)
INVGAUSS, EXPONNORM = stats.invgauss(0.5), stats.exponnorm(1.0)
MEASURED = (stats.powernorm(2.0), EXPONNORM, INVGAUSS)
_potential = cache(Quantile)  # what its quantiles err by is measured once a law


def _name(law):
    return f"{law.dist.name}{law.args}"


def _missed(law, x, s):
    """|F(x) − Φ(s)| over Φ(s), or that of the upper tails where s > 0."""
    below = s <= 0
    tail = np.where(below, law.cdf(x), law.sf(x))
    return np.abs(tail / ndtr(-np.abs(s)) - 1)


@pytest.mark.claim("P1")
@pytest.mark.parametrize("law", [*KNOWN, *MEASURED], ids=_name)
def test_transport_has_the_distribution_function_of_the_law(evidence, law):
    target = _potential(law)
    s = np.concatenate([generator(3).standard_normal(N), [-3.0, -1.0, 0.25, 1.0, 3.0]])
    x, stated = target.transport(s[:, None])[:, 0], target.roundings.transport(s[:, None]).bound
    evidence.on(target).estimated(
        "|F(T(s)) − Φ(s)| over the smaller tail",
        _missed(law, x, s),
        law.pdf(x) * stated / ndtr(-np.abs(s)) + OF_SCIPY,
        by="SciPy's own distribution function",
        because="T = Q∘Φ, and F is as steep as the density",
        chosen="1e−9 of a tail for what SciPy errs by",
        clause="push-forward",
    )


@pytest.mark.claim("P1")
@pytest.mark.parametrize("law", [*KNOWN, *MEASURED], ids=_name)
def test_slope_of_the_transport_is_a_ratio_of_densities(evidence, law):
    target, s = _potential(law), np.concatenate([generator(7).standard_normal(N), [-3.0, -1.0, 0.25, 3.0]])
    noise = s[:, None]
    x, off = target.transport(noise)[:, 0], target.roundings.transport(noise).bound
    slope = target.transport_jacobian(noise)[:, 0, 0]
    told = target.roundings.transport_jacobian(noise).bound
    density = law.pdf(x)
    evidence.on(target).estimated(
        "|f(T(s))·T'(s) − φ(s)| over φ(s)",
        np.abs(density * slope / stats.norm.pdf(s) - 1),
        told / slope + np.abs(law.pdf(x + off) - law.pdf(x - off)) / density + OF_SCIPY,
        by="SciPy's own density",
        because="T' = φ/f∘T, and f changes where T is off",
        chosen="1e−9 of a density for what SciPy errs by",
        clause="push-forward",
    )


@pytest.mark.claim("P1")
@pytest.mark.parametrize("law", [*KNOWN, *MEASURED], ids=_name)
def test_statements_of_laws_are_no_larger_than_rounding(evidence, law):
    target, s = _potential(law), generator(4).standard_normal((N, 1))
    size = unavoidable(target.transport, s, generator(1), target.finest)
    found = over(target.roundings.transport(s), size)
    evidence.on(target).estimated(
        "statement of T over what rounding makes", found, WIDE, by=by_draws(N), **HELD
    )


@pytest.mark.claim("P1")
@pytest.mark.parametrize(("law", "s"), [(INVGAUSS, 4.0), (EXPONNORM, -4.0)], ids=["invgauss", "exponnorm"])
def test_statements_of_measured_tails_are_no_larger_than_rounding(evidence, law, s):
    """Where SciPy's tails do err: nearer to the median they are as right as doubles tell."""
    target, noise = _potential(law), s * np.linspace(1.0, 1.5, N)[:, None]
    size = unavoidable(target.transport, noise, generator(1), target.finest)
    found = over(target.roundings.transport(noise), size)
    evidence.on(target, s=s).estimated(
        "statement of T over what rounding makes, in a tail", found, WIDE, by=by_draws(N), **HELD
    )


@pytest.mark.claim("P1")
def test_no_law_that_is_listed_is_left_out(evidence):
    asked = {law.dist.name for law in KNOWN}
    evidence.on("laws of SciPy").exact(
        "a law is asked of each form and each pair of tails", [name in asked for name in LISTED], "the list"
    )


@pytest.mark.control("P1")
@pytest.mark.parametrize("scale", [1.25, 3.0])
def test_another_scale_is_another_law(evidence, scale):
    """The exponential law of mean c has the upper tail e^{−x/c}: Φ(−s)^{1/c} at the place of mean 1."""
    s = np.linspace(0.5, 2.0, 7)
    x = Quantile(stats.expon()).transport(s[:, None])[:, 0]
    evidence.on(Quantile(stats.expon()), scale=scale).control(
        "|F(T(s)) − Φ(s)| over the smaller tail, F of c times the law",
        predicted=ndtr(-s) ** (1 / scale - 1) - 1,
        measured=_missed(stats.expon(scale=scale), x, s),
        agreement=1e-9,
        because="the tail at −log Φ(−s) is its power 1/c",
        intact=OF_SCIPY,
    )
