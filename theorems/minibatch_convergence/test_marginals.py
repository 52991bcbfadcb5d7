"""M1: a batch of one is the independent coupling, and marginals are exact for every batch size.

Controls: data drawn with replacement (what libraries do when they sample from the plan) leave part of the
batch unused, and the nearest datum for each noise has another marginal altogether.
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import strategies as st
from scipy.special import ndtr

from numerics.accuracy import Rounding
from numerics.flows.independent import IndependentField
from numerics.transport.couplings import assignment
from numerics.transport.two_atoms import two_atom_law
from theorems.minibatch_convergence.test_line import U, W, probability, rank_density
from theorems.setting.draws import generator
from theorems.setting.grammar import times
from theorems.setting.quantifiers import SEEDS, TARGETS, for_all
from theorems.setting.values import Values
from theorems.setting.vectors import norm
from theorems.statistics import hoeffding

LEVEL = 1e-9


@pytest.mark.claim("M1")
def test_marginals_are_exact_on_the_line(evidence):
    sizes = range(1, 9)
    polynomials = [probability(n, n - 1) for n in sizes]
    evidence.exact(
        "G_1(u,w) = w",
        (polynomials[0] - sp.Poly(W, U, W)).is_zero,
        domain="polynomials in u and w",
        clause="one pair",
    )
    evidence.exact(
        "∫G_n(u,w)du = w: the data keep their law",
        [sp.expand(sp.integrate(p.as_expr(), (U, 0, 1)) - W) == 0 for p in polynomials],
        domain="n ≤ 8, polynomials in w",
        clause="marginals",
    )
    ranks = [sum((rank_density(i, n, U) for i in range(1, n + 1)), sp.Poly(0, U, W)) for n in sizes]
    evidence.exact(
        "(1/n) Σ f_{i:n} = 1: the copula has uniform marginals",
        [(total - n).is_zero for n, total in zip(sizes, ranks, strict=True)],
        domain="n ≤ 8, polynomials",
        clause="marginals",
    )


@for_all("M1", target=TARGETS, n=Values(st.integers(1, 40), 8, (1, 8, 24)), seed=SEEDS)
def test_every_datum_of_a_batch_is_used_once(evidence, target, n, seed):
    """So a uniformly drawn pair has the marginals of one draw, whatever the dimension."""
    rng = generator(seed)
    match = assignment(rng.standard_normal((n, target.dim)), target.sample(n, rng)[1])
    evidence.on(target, n=n, seed=seed).exact(
        "the assignment is a permutation",
        np.sort(match) == np.arange(n),
        domain="batches of at most 40",
        clause="marginals",
    )


@for_all("M1", d=st.integers(1, 4), w=st.integers(1, 15).map(lambda k: k / 16), t=times(), seed=SEEDS)
def test_field_of_one_pair_is_the_independent_one(evidence, d, w, t, seed):
    rng = generator(seed)
    points, x = rng.standard_normal((2, d)), rng.standard_normal((100, d))
    independent = IndependentField(points, [w, 1 - w])
    shift = np.linalg.norm(points[1] - points[0])
    size = norm(x) + norm(points).max()
    # The log-odds of the two labels have size |x||Δ|t/(1−t)², and the odds move v by Δ/(1−t).
    odds = 1 + (size / (1 - t)) ** 2
    evidence.on("TwoAtomLaw", d=d, w=w, t=t, seed=seed).bounded(
        "|v^{(1)} − v of the independent coupling|",
        norm(two_atom_law(points, w, 1).velocity(t, x) - independent.velocity(t, x)),
        Rounding(
            (size + shift * odds) / (1 - t),
            32,
            "a dozen operations on the log-odds and the field, either way",
        ),
        because="plans of one pair are independent",
        clause="one pair",
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("M1")
@pytest.mark.parametrize("n", [4, 64])
def test_sampling_with_replacement_leaves_data_unused(evidence, rng, n):
    """What a sampler of the batch plan does: marginals hold on average over batches, not in a batch."""
    batches = 40_000 // n
    drawn = np.sort(rng.integers(0, n, (batches, n)), axis=1)
    used = (1 + (np.diff(drawn, axis=1) > 0).sum(axis=1)) / n
    evidence.on("batch plan", n=n).control(
        "pairs drawn with replacement: share of the batch's data in use",
        predicted=1 - (1 - 1 / n) ** n,
        measured=used.mean(),
        agreement=hoeffding(batches * n, 1.0, LEVEL),
        because=(
            "a datum is missed with probability (1−1/n)^n; McDiarmid: a draw moves the mean by at most 1/(nB)"
        ),
        intact=1.0,
        level=LEVEL,
        points=batches * n,
    )


@pytest.mark.control("M1")
def test_nearest_datum_has_another_marginal(evidence, rng):
    """Atoms −1 and 1, w = 0.3: the nearest is −1 iff the batch has it, and x₀ < 0 or no other."""
    n, w, batches = 6, 0.3, 40_000
    noise = rng.standard_normal(batches)
    data = np.where(rng.random((batches, n)) < w, -1.0, 1.0)
    nearest = data[np.arange(batches), np.abs(noise[:, None] - data).argmin(axis=1)]
    evidence.on("FiniteAtoms", n=n, w=w).control(
        "nearest datum of the batch instead of the assigned: mass at the lower atom",
        predicted=ndtr(0.0) * (1 - (1 - w) ** n - w**n) + w**n,
        measured=(nearest < 0).mean(),
        agreement=hoeffding(batches, 1.0, LEVEL),
        because="noise and batch are independent; Hoeffding",
        intact=w,
        level=LEVEL,
        points=batches,
    )
