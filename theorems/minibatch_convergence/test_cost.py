"""M2: c_n falls with n to W₂². Pathwise in a batch and its halves; on the line from exact c_n.

There for laws with a density, with atoms, with both, and (the Cantor law) with neither.
The plans of two halves are feasible for the whole: that inequality holds batch by batch, and its mean is
c_{2n} ≤ c_n. Controls: the independent coupling, whose excess is constant, and nearest-first matching on
unequal weights, which tends to another plan.
"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from numerics.accuracy import Rounding
from numerics.potentials import AtomAndDensity, Cantor, FiniteAtoms, Quantile, Sphere
from numerics.transport.couplings import assignment, estimate_excess, greedy, independent
from numerics.transport.minibatch import assignment_probability, expected_cost
from theorems.minibatch_convergence.field_errors import RESOLUTIONS
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, TARGETS, for_all
from theorems.setting.values import Values
from theorems.statistics import gaussian_lipschitz

LEVEL = 1e-9
# Not of the one list: laws of the line whose variance is known, and stands below.
LAWS = {
    "normal": Quantile(stats.norm(1, 2)),
    "exponential": Quantile(stats.expon()),
    "uniform": Quantile(stats.uniform()),
    "arcsine": Quantile(stats.arcsine()),
    "Poisson": Quantile(stats.poisson(2)),
    "two atoms": FiniteAtoms.two([0.0], [2.0], 0.3),
    "an atom and a density": AtomAndDensity([0.0], [0.375], stats.norm(1)),
    "Cantor": Cantor(),
}
VARIANCES = {
    "normal": 4.0,
    "exponential": 1.0,
    "uniform": 1 / 12,
    "arcsine": 1 / 8,
    "Poisson": 2.0,
    "two atoms": 0.21 * 4,
    "an atom and a density": 0.625 + 0.625 * 0.375,
    "Cantor": 1 / 8,
}


@for_all("M2", target=TARGETS, n=Values(st.integers(1, 24), 8, (1, 8, 24)), seed=SEEDS)
def test_halves_cost_no_less_than_the_whole(evidence, target, n, seed):
    rng = generator(seed)
    x0, x1 = rng.standard_normal((2 * n, target.dim)), target.sample(2 * n, rng)[1]
    measure_halves(evidence.on(target, n=n, seed=seed), x0, x1, assignment)


def measure_halves(on, x0, x1, couple):
    """M2 in one batch of 2n pairs and its halves, whoever couples them."""
    n = len(x0) // 2
    halves = np.concatenate([couple(x0[:n], x1[:n]), n + couple(x0[n:], x1[n:])])
    whole = couple(x0, x1)
    # Common terms |x₀|², |x₁|² cancel: what is compared is −2⟨x₀,x₁⟩, summed over at most 2n pairs.
    fall = 2 * ((x0 * x1[whole]).sum() - (x0 * x1[halves]).sum())
    size = 2 * np.linalg.norm(x0) * np.linalg.norm(x1)
    on.bounded(
        "cost of the whole batch above that of its halves",
        max(-fall, 0.0),
        Rounding(
            size,
            8 * (2 * n + x0.shape[1]),
            "2n inner products of d terms, and comparisons of paths of at most 2n edges",
        ),
        because="the halves' plans are feasible for the whole",
        points=2 * n,
        clause="halves",
    )


@pytest.mark.claim("M2")
@pytest.mark.parametrize("name", LAWS)
def test_cost_on_the_line_falls_from_each_size_to_the_next(evidence, name):
    costs = [expected_cost(LAWS[name], n) for n in range(1, 65)]
    excess, error = np.array([c.excess for c in costs]), np.array([c.error for c in costs])
    on = evidence.on(LAWS[name])
    on.estimated(
        "c_{n+1} − c_n for n < 64",
        np.diff(excess),
        -(error[1:] + error[:-1]),
        by=RESOLUTIONS,
        because="strictly falling",
        clause="falling",
    )
    on.estimated(
        "W₂² − c_n for n ≤ 64",
        -excess,
        -error,
        by=RESOLUTIONS,
        because="above W₂² by more than the stated error",
        clause="optimum",
    )


@pytest.mark.claim("M2")
@pytest.mark.parametrize("name", LAWS)
def test_cost_on_the_line_tends_to_the_optimum(evidence, name):
    """(2/n)ΣCov(X₍ᵢ₎,Y₍ᵢ₎) ≤ √(c_n(P₀,P₀) · 2 Var x₁), and c_n(P₀,P₀) → 0 by its exact values."""
    sizes, law = [16, 256, 4096], LAWS[name]
    found = [expected_cost(law, n) for n in sizes]
    noise = [expected_cost(Quantile(stats.norm()), n) for n in sizes]
    evidence.on(law).estimated(
        "c_n − W₂²",
        [f.excess + f.error for f in found],
        [np.sqrt(2 * VARIANCES[name] * (g.excess + g.error)) for g in noise],
        by=RESOLUTIONS,
        because="Cauchy–Schwarz over ranks; ΣVar Y₍ᵢ₎ ≤ n Var x₁",
        clause="optimum",
    )
    evidence.on(law).trend(
        "log(c_n − W₂²) against log n, n = 16 … 4096",
        slope=np.log(found[2].excess / found[0].excess) / np.log(256),
        interval=_slopes(found),
        theory=-0.5,
        rule="interval lies below theory",
        points=3,
    )


def _slopes(found):
    """The local slopes, from below and above: the fitted one lies between."""
    local = [np.log(b.excess / a.excess) / np.log(b.n / a.n) for a, b in pairwise(found)]
    return min(local) - 1e-12, max(local) + 1e-12


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("M2")
@pytest.mark.parametrize("n", [4, 64, 512])
def test_independent_coupling_gains_nothing(evidence, rng, n):
    batches = 20_480 // n
    found = estimate_excess(Sphere(2), n, batches, rng, independent)
    evidence.on(Sphere(2), n=n).control(
        "independent coupling: excess of the cost, whatever n is",
        predicted=np.sqrt(2 * np.pi),
        measured=found.mean,
        agreement=gaussian_lipschitz(batches * n, 4.0, LEVEL),
        because="2E|x₀| = √(2π); given the data, 2(|x₀| − ⟨x₀,x₁⟩) is 4-Lipschitz in the noise",
        level=LEVEL,
        points=batches * n,
    )


@pytest.mark.control("M2")
def test_nearest_first_tends_to_another_plan(evidence, rng):
    """Atoms ∓1, w = 0.3. The lower atom takes the noise nearest to it: G_n again, ranks by |x₀ + 1|.

    That holds while fewer data than noises are within 1 of −1, which fails with probability at most
    exp(−2n(P(|x₀+1|<1) − w)²/2) (Hoeffding on the n differences, each in [−1,1]).
    """
    n, w, batches = 256, 0.3, 100
    b = ndtri(w)
    z = np.linspace(-9, 9, 6001)
    mass = np.exp(-(z**2) / 2) * (z[1] - z[0]) / np.sqrt(2 * np.pi)
    ranks = ndtr(np.abs(z + 1) - 1) - ndtr(-np.abs(z + 1) - 1)
    lower = assignment_probability(ranks, w, n)
    predicted = float((mass * np.where(z < b, 1 - lower, lower)).sum())
    taken = ndtr(0.0) - ndtr(-2.0) - w
    lost, quadrature = np.exp(-n * taken**2 / 2), float(mass.max())
    count, excess = 0, 0.0
    for _ in range(batches):
        noise, data = rng.standard_normal((n, 1)), np.where(rng.random((n, 1)) < w, -1.0, 1.0)
        x1 = data[greedy(noise, data)]
        best = np.where(noise < b, -1.0, 1.0)
        count += int((x1 != best).sum())
        excess += 2 * float(((noise - b) * (best - x1)).sum())
    mcdiarmid = np.sqrt(5 * np.log(2 / LEVEL) / (2 * n * batches))
    radius = brentq(lambda r: ndtr(r - 1) - ndtr(-r - 1) - w, 0.0, 1.0)
    limit = 4 * (stats.norm.pdf(b) + stats.norm.pdf(1 + radius) - stats.norm.pdf(radius - 1))
    on = evidence.on("FiniteAtoms", n=n, w=w)
    on.control(
        "nearest-first matching, unequal weights: share of noise at another atom than optimally",
        predicted=predicted,
        measured=count / (n * batches),
        agreement=mcdiarmid + lost + quadrature,
        because="G_n with ranks by |x₀+1|; McDiarmid: a noise moves at most two labels, a datum one",
        level=LEVEL,
        points=n * batches,
    )
    on.table(
        "nearest-first matching of two atoms, w = 0.3, Δ = 2",
        ["n", "excess measured", "excess as n → ∞ in closed form"],
        [[n, excess / (n * batches), limit]],
    )
