"""A density from probabilities alone: as exact as it says, in both tails, and never negative."""

import numpy as np
import pytest
from scipy import stats

from numerics.accuracy import UNIT
from numerics.potentials import Quantile
from numerics.potentials.differenced_density import DifferencedDensity, density_of

LAWS = [
    stats.norm(),
    stats.t(2.25),
    stats.cauchy(),
    stats.gumbel_r(),
    stats.logistic(),
    stats.norm(scale=1e-6),
]


@pytest.mark.parametrize("law", LAWS, ids=[f"{law.dist.name}-{k}" for k, law in enumerate(LAWS)])
def test_density_is_as_exact_as_it_says(law):
    probabilities = 10.0 ** np.linspace(-60, -0.31, 300)
    x = np.concatenate([law.ppf(probabilities), law.isf(probabilities)])
    x = x[(law.cdf(x) > 0) & (law.sf(x) > 0)]
    exact, density = law.pdf(x), DifferencedDensity(law)
    off = np.abs(density(x) - exact) / exact
    assert (density(x) >= 0).all()
    assert (off <= UNIT * density.count(x)).all()
    assert off.max() <= 1e-5, "beyond what the steps allow"


class _Bare(stats.rv_continuous):
    def _cdf(self, x):
        return stats.norm.cdf(x)

    def _sf(self, x):
        return stats.norm.sf(x)


class _Logarithm(_Bare):
    """Of which SciPy's own pdf makes nothing: it takes differences of F all the same."""

    def _logpdf(self, x):
        return stats.norm.logpdf(x)


class _Density(_Bare):
    def _pdf(self, x):
        return stats.norm.pdf(x)


@pytest.mark.parametrize("law", [stats.norm(), _Density()(), _Logarithm()(), _Bare()()])
def test_what_a_family_defines_is_taken(law):
    x = np.linspace(-30, 30, 101)
    density, count = density_of(law)
    off = np.abs(density(x) - stats.norm.pdf(x)) / stats.norm.pdf(x)
    assert (off <= UNIT * count(x)).all()
    assert count(x).max() < 1e4 or type(law.dist) is _Bare, "what is defined is as good as nothing"


@pytest.mark.parametrize("family", [_Bare, _Logarithm])
def test_quantiles_of_such_laws_are_resolved_to_the_end(family):
    assert Quantile(family()()).law.cut == (-20.0, 20.0)
