"""Laws on the line that tests ask: continuous, discrete, mixed, and Cantor's."""

import numpy as np
import pytest
from scipy import stats

from numerics.potentials.cantor import Cantor
from numerics.potentials.line import AtomAndDensity, Quantile

CONTINUOUS = [
    stats.norm(1, 2),
    stats.uniform(-1, 3),
    stats.expon(),
    stats.gamma(2.5),
    stats.gamma(0.5),
    stats.chi2(3),
    stats.beta(2, 3),
    stats.beta(0.5, 0.5),
    stats.logistic(),
    stats.laplace(),
    stats.lognorm(0.5),
    stats.t(5),
    stats.weibull_min(1.5),
    stats.gumbel_r(),
    stats.gumbel_l(),
    stats.pareto(5),
    stats.arcsine(),
    stats.rayleigh(),
    stats.halfnorm(),
    stats.maxwell(),
    stats.powerlaw(2.0),
    stats.truncnorm(-1, 2),
    stats.triang(0.3),
]
DISCRETE = [
    stats.poisson(3),
    stats.binom(5, 0.3),
    stats.geom(0.4),
    stats.nbinom(3, 0.4, loc=2),
    stats.rv_discrete(values=([0, 1, 5], [0.2, 0.5, 0.3])),
]
MIXED = [
    AtomAndDensity([0.0], [0.4], stats.norm()),
    AtomAndDensity([-1.0, 2.5], [0.2, 0.3], stats.uniform(0, 1)),
    AtomAndDensity([0.0, 0.5], [0.1, 0.2], stats.expon()),
]
LAWS = [Quantile(d) for d in CONTINUOUS + DISCRETE] + MIXED + [Cantor()]
every_law = pytest.mark.parametrize("p", LAWS, ids=repr)


def generator():
    """Of the same draws in every test."""
    return np.random.default_rng(5)
