"""A density from probabilities alone: as exact as it says, in both tails, and never negative."""

import numpy as np
import pytest
from scipy import stats

from numerics.accuracy import UNIT
from numerics.potentials.differenced_density import DifferencedDensity, has_density

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


def test_a_family_with_a_density_is_told_from_one_without():
    class Bare(stats.rv_continuous):
        def _cdf(self, x):
            return stats.norm.cdf(x)

    class Logarithm(Bare):
        def _logpdf(self, x):
            return stats.norm.logpdf(x)

    assert has_density(stats.norm())
    assert has_density(Logarithm(name="logarithm")())
    assert not has_density(Bare(name="bare")())
