"""P1 on the line: a law that SciPy knows by two names has one T, and one T', by two closed forms.

Assumed: nothing beyond the contract. The exponential law is a gamma, a Weibull and a χ² law, a uniform one is
a beta law, and so on; parameters here are such that no rounding of theirs comes between. Each name has a
formula of its own for both tails, and states what it errs by, so that the two are apart by no more than both
statements: neither knows of the other. Control: a scale that is off, which the distance tells.
"""

from functools import cache

import numpy as np
import pytest
from scipy import stats

from numerics.potentials import Quantile

N = 60
TWINS = (
    (stats.expon(), stats.gamma(1.0)),
    (stats.expon(), stats.weibull_min(1.0)),
    (stats.expon(), stats.chi2(2.0, scale=0.5)),
    (stats.expon(), stats.exponweib(1.0, 1.0)),
    (stats.expon(), stats.gengamma(1.0, 1.0)),
    (stats.expon(), stats.genpareto(0.0)),
    (stats.uniform(), stats.beta(1.0, 1.0)),
    (stats.uniform(), stats.powerlaw(1.0)),
    (stats.uniform(-1.0, 2.0), stats.tukeylambda(1.0)),
    (stats.logistic(), stats.genlogistic(1.0)),
    (stats.laplace(), stats.dgamma(1.0)),
    (stats.laplace(), stats.dweibull(1.0)),
    (stats.truncexpon(2.0), stats.truncweibull_min(1.0, 0.0, 2.0)),
    (stats.norm(), stats.powernorm(1.0)),
    (stats.norm(), stats.skewnorm(0.0)),
    (stats.lognorm(1.0), stats.gibrat()),
    (stats.halfnorm(), stats.chi(1.0)),
    (stats.rayleigh(), stats.chi(2.0)),
    (stats.maxwell(), stats.chi(3.0)),
    (stats.chi(4.0, scale=0.5), stats.nakagami(2.0)),
    (stats.gamma(2.5), stats.gengamma(2.5, 1.0)),
    (stats.gamma(3.0), stats.erlang(3)),
    (stats.weibull_min(1.5), stats.exponweib(1.0, 1.5)),
    (stats.weibull_min(1.5), stats.gengamma(1.0, 1.5)),
    (stats.fisk(4.0), stats.burr12(4.0, 1.0)),
    (stats.fisk(4.0), stats.burr(4.0, 1.0)),
    (stats.fisk(4.0), stats.mielke(4.0, 4.0)),
    (stats.lomax(4.0), stats.genpareto(0.25, scale=0.25)),
    (stats.lomax(4.0), stats.pareto(4.0, loc=-1.0)),
    (stats.lomax(4.0), stats.betaprime(1.0, 4.0)),
    (stats.lomax(4.0), stats.burr12(1.0, 4.0)),
    (stats.lomax(4.0, scale=4.0), stats.f(2.0, 8.0)),
    (stats.invweibull(4.0), stats.genextreme(-0.25, loc=1.0, scale=0.25)),
    (stats.gumbel_r(), stats.genextreme(0.0)),
    (stats.genextreme(0.25), stats.kappa4(0.0, 0.25)),
    (stats.genpareto(-0.25), stats.kappa4(1.0, 0.25)),
    (stats.beta(2.0, 1.0), stats.powerlaw(2.0)),
    (stats.beta(0.5, 0.5), stats.arcsine()),
    (stats.beta(1.0, 2.0), stats.triang(0.0)),
    (stats.beta(2.0, 2.0, loc=-1.0, scale=2.0), stats.rdist(4.0)),
    (stats.semicircular(), stats.rdist(3.0)),
)
_potential = cache(Quantile)


def _named(pair):
    return " and ".join(f"{law.dist.name}{law.args}" for law in pair)


def _noise(rng):
    return np.concatenate([rng.standard_normal(N), rng.uniform(-6, 6, N)])[:, None]


def _apart(first, second, noise):
    """|T − T| and |T' − T'| (n,), each with both statements."""
    apart = np.abs(first.transport(noise) - second.transport(noise))[:, 0]
    bent = np.abs(first.transport_jacobian(noise) - second.transport_jacobian(noise))[:, 0, 0]
    told, other = first.roundings, second.roundings
    of_map = told.transport(noise) + other.transport(noise)
    return (apart, of_map), (bent, told.transport_jacobian(noise) + other.transport_jacobian(noise))


@pytest.mark.claim("P1")
@pytest.mark.parametrize("pair", TWINS, ids=_named)
def test_two_names_have_one_transport(evidence, rng, pair):
    first, second = map(_potential, pair)
    on = evidence.on(first, as_well=_named(pair[1:]))
    because = "both name one law, and each states what it errs by"
    of_map, of_slope = _apart(first, second, _noise(rng))
    on.bounded("|T by one name − T by the other|", *of_map, because, clause="push-forward")
    on.bounded("|T' by one name − T' by the other|", *of_slope, because, clause="push-forward")


# --- control --------------------------------------------------------------------------------------------


@pytest.mark.control("P1")
@pytest.mark.parametrize("off", [2.0**-20, 2.0**-40])
def test_a_scale_that_is_off_is_told(evidence, rng, off):
    """A gamma law of shape 1 and a scale that is off by 2^−40 is no exponential law."""
    noise = _noise(rng)
    first, other = _potential(stats.expon()), _potential(stats.gamma(1.0, scale=1 + off))
    (apart, told), _ = _apart(first, other, noise)
    x = first.transport(noise)[:, 0]
    evidence.on(first, off=off).control(
        "|T by one name − T by the other|, over T, with a scale that is off",
        predicted=off,
        measured=apart / x,
        agreement=(told.bound / x).max(),
        because="T is proportional to the scale",
        intact=float((told.bound / x).max()),
    )
