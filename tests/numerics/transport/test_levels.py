"""Rules over the levels of a law: lengths, means and energies against closed forms."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

from numerics.accuracy import EPS
from numerics.potentials import AtomAndDensity, Cantor, Quantile
from numerics.transport.levels import rules

# Law on [0, 1], its mean, and E x₀T(x₀) where it is known.
LAWS = [
    (Quantile(stats.uniform()), 0.5, 1 / (2 * np.sqrt(np.pi))),
    (Quantile(stats.beta(2, 3)), 0.4, None),
    (Quantile(stats.arcsine()), 0.5, None),
    (AtomAndDensity([0.5], [0.25], stats.uniform()), 0.5, None),
    (AtomAndDensity([0.0, 1.0], [0.25, 0.25], stats.uniform(0.25, 0.5)), 0.5, None),
    (Cantor(), 0.5, None),
]


CASES = pytest.mark.parametrize(("target", "mean", "energy"), LAWS, ids=lambda value: repr(value)[:30])


@CASES
def test_moments_of_the_levels(target, mean, energy):
    """∫dy = 1 and ∫F₁dy = 1 − E x₁ on [0, 1], but for what lies beyond noise ±9.5."""
    low, high = target.transport([[-9.5], [9.5]])[:, 0]
    cut = 1 - (high - low)
    for rule in rules(target):
        assert rule.weights.sum() == pytest.approx(high - low, abs=1e-14)
        assert rule.weights @ ndtr(rule.nodes) == pytest.approx(1 - mean, abs=cut + 1e-13)
        if energy is not None:
            assert rule.weights @ stats.norm.pdf(rule.nodes) == pytest.approx(energy, abs=1e-14)


@CASES
def test_both_rules_have_one_energy(target, mean, energy):
    """E x₀T, at most √Var x₁ ≤ √(m(1−m)) on [0, 1] (Cauchy–Schwarz, Bhatia–Davis)."""
    fine, coarse = (rule.weights @ stats.norm.pdf(rule.nodes) for rule in rules(target))
    assert fine == pytest.approx(energy or coarse, abs=1e-12)
    assert 0 < fine <= np.sqrt(mean * (1 - mean))


@pytest.mark.parametrize("target", [law[0] for law in LAWS], ids=repr)
def test_rules_differ_where_neither_resolves(target):
    """cos 100z waves faster than their nodes: the coarse rule must not be the fine one again."""
    fine, coarse = rules(target)
    assert len(coarse.nodes) < len(fine.nodes)
    apart = fine.weights @ np.cos(100 * fine.nodes) - coarse.weights @ np.cos(100 * coarse.nodes)
    assert abs(apart) > 64 * EPS * fine.weights.sum()


def test_laws_without_levels_are_refused():
    with pytest.raises(ValueError, match="target: got Quantile"):
        rules(Quantile(stats.poisson(2)))
