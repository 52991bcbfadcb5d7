"""M5: ranks meet ranks. The law of a matched pair on the line, exactly, for every batch size.

Assumed: dimension 1. The noise u has rank 1 + Bin(n−1,u); the datum of rank i is at most s iff at least i
of the n data are. Control: a rank taken among n other noises, whose marginal is wrong by w/(n+1).
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr

from numerics.accuracy import EPS, Rounding
from numerics.potentials import FiniteAtoms, Quantile
from numerics.transport.minibatch import assignment_probability, expected_cost
from theorems.minibatch_convergence.field_errors import RESOLUTIONS
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, for_all
from theorems.statistics import dkw

LEVEL = 1e-10
N, RANK, W, U = sp.symbols("n i w u", positive=True)


def probability(n, trials):
    """G_n as a polynomial in u and w, the rank of u taken among ``trials`` other noises."""
    noise = [sp.binomial(trials, k) * U**k * (1 - U) ** (trials - k) for k in range(trials + 1)]
    data = [sp.binomial(n, k) * W**k * (1 - W) ** (n - k) for k in range(n + 1)]
    return sp.Poly(sum(noise[k] * sum(data[k + 1 :]) for k in range(trials + 1)), U, W)


def rank_density(i, n, x):
    """f_{i:n}, the density of Beta(i, n−i+1)."""
    return sp.Poly(i * sp.binomial(n, i) * x ** (i - 1) * (1 - x) ** (n - i), U, W)


@pytest.mark.claim("M5")
def test_ranks_are_apart_by_a_third_of_one_over_n_plus_one(evidence):
    """For all n at once: given the rank i, u and v are independent with mean i/(n+1)."""
    mean = sp.gammasimp((sp.beta(RANK + 1, N - RANK + 1) / sp.beta(RANK, N - RANK + 1)).rewrite(sp.gamma))
    cross = sp.summation(sp.simplify(mean) ** 2, (RANK, 1, N)) / N
    apart = sp.Rational(2, 3) - 2 * cross
    evidence.exact(
        "E|u−v|² = 1/(3(n+1))",
        sp.simplify(apart - 1 / (3 * (N + 1))) == 0,
        domain="every n, symbolically",
        clause="ranks",
    )
    evidence.exact(
        "E U₍ᵢ₎ = i/(n+1)",
        sp.simplify(mean - RANK / (N + 1)) == 0,
        domain="every i ≤ n, symbolically",
        clause="ranks",
    )


@pytest.mark.claim("M5")
def test_excess_of_uniform_noise_is_known_for_every_target(evidence):
    """∫(u−w)(G_n − 1{u<w})du = w(1−w)/(n+1): the excess is (2/(n+1))∫F₁(1−F₁), for any target."""
    b_mean, b_square = N * W, N * W * (1 - W) + N**2 * W**2
    first = (b_square + b_mean) / (2 * N * (N + 1))  # E Σ_{i≤B} i/(n+1) / n
    excess = first - W**2 / 2
    evidence.exact(
        "∫u·G_n(u,w)du − w²/2 = w(1−w)/(n+1)",
        sp.simplify(excess - W * (1 - W) / (N + 1)) == 0,
        domain="every n and w, symbolically, from E B and E B²",
        clause="cost",
    )
    sizes = range(1, 9)
    moment = [sp.integrate((probability(n, n - 1) * sp.Poly(U, U, W)).as_expr(), (U, 0, 1)) for n in sizes]
    right = [sp.expand(m - W**2 / 2 - W * (1 - W) / (n + 1)) == 0 for n, m in zip(sizes, moment, strict=True)]
    evidence.exact("the same by integrating the polynomial G_n", right, domain="n ≤ 8, polynomials in w")


@pytest.mark.claim("M5")
def test_copula_is_bernsteins(evidence):
    sizes = range(1, 9)
    holds = []
    for n in sizes:
        pairs = [rank_density(i, n, U) * rank_density(i, n, W) for i in range(1, n + 1)]
        copula = sum(pairs[1:], pairs[0])
        holds.append((probability(n, n - 1).diff(W) * n - copula).is_zero)
    evidence.exact(
        "∂G_n/∂w = (1/n) Σ f_{i:n}(u) f_{i:n}(w), expanded",
        holds,
        domain="n ≤ 8, polynomials in u and w; every n in test_every_size",
        clause="copula",
    )


@st.composite
def laws(draw):
    """Continuous, heavy on one side, atomic, and one with a hole in its support."""
    return draw(
        st.sampled_from(
            [
                stats.norm(1, 2),
                stats.expon(),
                stats.uniform(-1, 3),
                stats.poisson(2),
                stats.bernoulli(0.3),
                stats.arcsine(),
            ]
        )
    )


@for_all("M5", law=laws(), n=st.integers(1, 64), seed=SEEDS)
def test_matched_data_have_the_stated_law(evidence, law, n, seed):
    """One pair of each of many batches; where G_n jumps, the uniform is spread over the jump."""
    rng, batches = generator(seed), 2000
    noise = np.sort(rng.standard_normal((batches, n)), axis=1)
    data = np.sort(law.rvs((batches, n), random_state=rng), axis=1)
    row, pick = np.arange(batches), rng.integers(0, n, batches)
    on = evidence.on(law.dist.name, n=n, seed=seed)
    measure_matched_law(on, law, n, noise[row, pick], data[row, pick], rng)


def measure_matched_law(on, law, n, x0, x1, rng, clause="law"):
    """M5 for one pair of each of many batches, whoever coupled them."""
    u, batches = ndtr(x0), len(x0)
    below = law.cdf(x1 - 1) if hasattr(law, "pmf") else law.cdf(x1)
    low, high = assignment_probability(u, below, n), assignment_probability(u, law.cdf(x1), n)
    uniform = np.sort(low + (high - low) * rng.random(batches))
    steps = np.arange(batches + 1) / batches
    apart = max((steps[1:] - uniform).max(), (uniform - steps[:-1]).max())
    on.statistical(
        "Kolmogorov distance of G_n(u, F₁(x₁)) from uniform",
        apart,
        dkw(batches, LEVEL),
        level=LEVEL,
        because="Dvoretzky–Kiefer–Wolfowitz: one pair a batch, so the draws are independent",
        points=batches,
        clause=clause,
    )


def _cost_by_copula(w, n, count):
    """E|x₀ − x₁|² against G_n, atoms 0 and 1, by a Gauss–Legendre rule on |z| ≤ 9."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    z = 9 * nodes
    normal = 9 * weights * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    lower = assignment_probability(ndtr(z), w, n)
    return float((normal * (lower * z**2 + (1 - lower) * (z - 1) ** 2)).sum())


@pytest.mark.claim("M5")
@pytest.mark.parametrize("n", [1, 8, 40])
def test_cost_by_ranks_is_the_cost_by_the_copula(evidence, n):
    """c_n from order statistics beside E x₀T-moments against G_n, two atoms: x₀ integrated against G_n."""
    for w in (0.1, 0.5, 0.7):
        exact = expected_cost(FiniteAtoms.two([0.0], [1.0], w), n)
        found, again = (_cost_by_copula(w, n, count) for count in (400, 300))
        # G_n errs by 16√n roundings, times |2z − 1|, of mean below 3; the rest is a sum of positive terms
        own = Rounding(1 + exact.cost, 400 + 16 + 48 * np.sqrt(n), "400 terms; G_n; a density")
        evidence.on("FiniteAtoms", w=w, n=n).estimated(
            "|c_n by order statistics − c_n by G_n|",
            abs(found - exact.cost),
            exact.cost_error + 2 * abs(found - again) + own.bound,
            by=f"{RESOLUTIONS}; rules of 400 and 300 nodes",
            because="the pair's law is known by G_n, and by order statistics",
            clause="cost",
        )


@pytest.mark.claim("M5")
def test_gaussian_cost_is_the_sum_of_variances(evidence):
    """Independent of the library's quadrature: E X₍ᵢ₎ of three normals is ±3/(2√π), so Σ(E X)² = 9/(2π)."""
    for n, squares in ((1, 0.0), (2, 2 / np.pi), (3, 9 / (2 * np.pi))):
        exact = expected_cost(Quantile(stats.norm()), n)
        evidence.on("Quantile", n=n).estimated(
            "|c_n − (2 − (2/n)Σ(E X₍ᵢ₎)²)|, closed form",
            abs(exact.cost - (2 - 2 * squares / n)),
            exact.cost_error,
            by=RESOLUTIONS,
            because="order statistics of the normal law in closed form",
            clause="cost",
        )


@pytest.mark.control("M5")
@pytest.mark.parametrize("n", [1, 3, 7])
def test_a_rank_among_n_others_has_the_wrong_marginal(evidence, n):
    wrong = sp.integrate(probability(n, n).as_expr(), (U, 0, 1))
    lost = float(sp.Rational(3, 10) - wrong.subs(W, sp.Rational(3, 10)))
    evidence.on("G_n", n=n, w=0.3).control(
        "rank of u among n noises instead of n − 1: mass lost by the atom of weight 0.3",
        predicted=0.3 / (n + 1),
        measured=lost,
        agreement=4 * EPS,
        because="∫P(Bin(n,u)=k)du = 1/(n+1) for each k, so the marginal is E B/(n+1); one rounding",
    )
