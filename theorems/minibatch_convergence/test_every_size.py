r"""M1, M5, M6: identities of G_n for every n at once, by one telescoping certificate.

With p_n(k) = C(n,k)w^k(1−w)^{n−k} and R(k) = n·p_{n−1}(k−1),

    ∂p_n(k)/∂w = R(k) − R(k+1),  so  ∂P(Bin(n,w) > a)/∂w = n·p_{n−1}(a),

as R(n+1) = 0: proved by ratios of consecutive terms, with n and k symbols. Hence, G_n(u,w) being
Σ_a P(Bin(n−1,u) = a)P(Bin(n,w) > a): the copula density ∂G_n/∂w; the marginals, with
∫P(Bin(n−1,u) = a)du = 1/n and Σ_a P(B > a) = E B = nw; and the misassigned mass, with
∫_w^1 P(Bin(n−1,u) = a)du = P(Bin(n,w) ≤ a)/n and Σ_a 1{A ≤ a < B} = (B − A)⁺.

Assumed: dimension 1, or two atoms. Controls: those of M1, M5 and M6, in the modules beside this one.
"""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
import sympy as sp
from hypothesis import strategies as st

from numerics.accuracy import Rounding
from numerics.transport.minibatch import assignment_probability, bernstein_copula
from theorems.setting.quantifiers import for_all

N, K = sp.symbols("n k", positive=True, integer=True)
W, U = sp.symbols("w u", positive=True)
EVERY = "every n and k, symbolically: ratios of terms, n and k being symbols"


def _term(n, k, x):
    """P(Bin(n, x) = k)."""
    return sp.binomial(n, k) * x**k * (1 - x) ** (n - k)


def _vanishes(expression):
    """Whether a sum of terms over the binomial term p_n(k) is 0."""
    return (
        sp.simplify(sp.gammasimp(sp.expand(sp.simplify(expression / _term(N, K, W))).rewrite(sp.gamma))) == 0
    )


@pytest.mark.claim("M5")
def test_telescoping_certificate(evidence):
    first, second = N * _term(N - 1, K - 1, W), N * _term(N - 1, K, W)
    evidence.exact(
        "∂p_n(k)/∂w = R(k) − R(k+1), R(k) = n·p_{n−1}(k−1)",
        _vanishes(sp.diff(_term(N, K, W), W) - first + second),
        domain=EVERY,
        clause="copula",
    )
    evidence.exact(
        "f_{k:n}(w) = n·p_{n−1}(k−1), f of Beta(k, n−k+1): so ∂G_n/∂w = (1/n)Σf_{k:n}(u)f_{k:n}(w)",
        _vanishes(K * sp.binomial(N, K) * W ** (K - 1) * (1 - W) ** (N - K) - first),
        domain=EVERY,
        clause="copula",
    )


@pytest.mark.claim("M1")
def test_marginals_for_every_size(evidence):
    evidence.exact(
        "∫P(Bin(n−1,u) = k)du = 1/n",
        sp.gammasimp((sp.binomial(N - 1, K) * sp.beta(K + 1, N - K)).rewrite(sp.gamma) - 1 / N) == 0,
        domain=EVERY,
        clause="marginals",
    )
    evidence.exact(
        "k·p_n(k) = nw·p_{n−1}(k−1): so E B = nw and ∫G_n(u,w)du = (1/n)Σ_a P(B > a) = w",
        _vanishes(K * _term(N, K, W) - N * W * _term(N - 1, K - 1, W)),
        domain=EVERY,
        clause="marginals",
    )
    evidence.exact(
        "f_{k:n}(w) = n·p_{n−1}(k−1): so (1/n)Σ_k f_{k:n} = 1, the copula has uniform marginals",
        _vanishes(K * sp.binomial(N, K) * W ** (K - 1) * (1 - W) ** (N - K) - N * _term(N - 1, K - 1, W)),
        domain=EVERY,
        clause="marginals",
    )


@pytest.mark.claim("M6")
def test_misassigned_mass_for_every_size(evidence):
    """Both sides of ∫_w^1 P(Bin(n−1,u) = a)du = P(Bin(n,w) ≤ a)/n vanish at w = 1 and have one derivative."""
    evidence.exact(
        "∂p_n(k)/∂w telescopes to −∂P(Bin(n,w) ≤ a)/∂w = n·p_{n−1}(a): so ∫|G_n − 1{u<w}|du = E|A−B|/n",
        _vanishes(sp.diff(_term(N, K, W), W) - N * (_term(N - 1, K - 1, W) - _term(N - 1, K, W))),
        domain=EVERY,
        clause="misassigned mass",
    )
    counts = [(a, b) for n in range(1, 13) for a in range(n + 1) for b in range(n + 1)]
    evidence.exact(
        "Σ_k 1{A ≤ k < B} = (B − A)⁺",
        [sum(a <= k < b for k in range(12)) == max(b - a, 0) for a, b in counts],
        domain="0 ≤ A, B ≤ n ≤ 12",
        clause="misassigned mass",
    )


@for_all(
    "M5",
    n=st.integers(1, 40),
    u=st.integers(0, 64).map(lambda k: k / 64),
    w=st.integers(0, 64).map(lambda k: k / 64),
)
def test_library_has_these_numbers(evidence, n, u, w):
    """G_n and its copula by the definition, in fractions."""
    noise, other = (_law(n - 1, Fraction(x)) for x in (u, w))
    data = _law(n, Fraction(w))
    probability = sum(p * sum(data[a + 1 :]) for a, p in enumerate(noise))
    density = n * sum(p * q for p, q in zip(noise, other, strict=True))
    found = [float(assignment_probability(u, w, n)), float(bernstein_copula(u, w, n))]
    exact = [float(probability), float(density)]
    evidence.on("G_n", n=n, u=u, w=w).bounded(
        "|G_n and ∂G_n/∂w of the library − those of fractions|",
        np.abs(np.subtract(found, exact)),
        Rounding([1.0, 1 + exact[1]], 16 * np.sqrt(n) + 16, "binomial windows, as the library states"),
        because="the same numbers by the definition in rational arithmetic",
        points=2,
        clause="copula",
    )


def _law(n, x):
    return [comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(n + 1)]
