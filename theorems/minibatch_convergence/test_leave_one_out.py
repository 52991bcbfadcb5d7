r"""N8, M2: a batch costs at most the mean of its leave-one-out batches, whatever noise and data are.

Derivation. Drop noise i and datum σ(i), σ any permutation, and match the other n optimally: n + 1 plans of n
pairs. Their sum over n has the marginals of a plan of n + 1 pairs, as noise j is used in all but the j-th,
and datum σ(j) too: so it is feasible, and costs no less than the optimum. The mean over batches is
c_{n+1} ≤ c_n. Halves are feasible too: (m+n)c_{m+n} ≤ mc_m + nc_n; they do not order c₃ and c₂.

Assumed: nothing of noise or data. Controls: a sequence that all halves allow and leave-one-out does not; one
datum dropped every time.
"""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.accuracy import Rounding
from numerics.transport.couplings import assignment
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, TARGETS, for_all
from theorems.setting.values import Values

BATCHES = Values(st.integers(1, 11), 4, (1, 4, 11))


@for_all("N8", target=TARGETS, n=BATCHES, seed=SEEDS)
def test_a_batch_costs_at_most_the_mean_of_its_leave_one_out_batches(evidence, target, n, seed):
    on = evidence.on(target, n=n, seed=seed)
    measure_leave_one_out(on, *_drawn(target, n, seed), assignment, clause="leave one out")


@for_all("M2", target=TARGETS, n=BATCHES, seed=SEEDS)
def test_cost_falls_batch_by_batch(evidence, target, n, seed):
    """The mean of this over batches is c_{n+1} ≤ c_n: in every dimension, for every family."""
    on = evidence.on(target, n=n, seed=seed)
    measure_leave_one_out(on, *_drawn(target, n, seed), assignment, clause="falling")


def _drawn(target, n, seed):
    """N + 1 noises, as many data, and which datum goes with which noise."""
    rng = generator(seed)
    x0 = rng.standard_normal((n + 1, target.dim))
    return x0, target.sample(n + 1, rng)[1], rng.permutation(n + 1)


def measure_leave_one_out(on, x0, x1, drop, couple, clause):
    """The inequality in one batch of n + 1 pairs, whoever couples it and its parts.

    Its terms |x₀|², |x₁|² agree on both sides: what is compared is the mean of −2⟨x₀,x₁⟩.
    """
    n = len(x0) - 1
    whole = (x0 * x1[couple(x0, x1)]).sum() / (n + 1)
    parts = np.empty(n + 1)
    for i, j in enumerate(drop):
        noise, data = np.delete(x0, i, axis=0), np.delete(x1, j, axis=0)
        parts[i] = (noise * data[couple(noise, data)]).sum() / n
    size = 2 * np.linalg.norm(x0) * np.linalg.norm(x1) / n
    on.bounded(
        "cost of the batch above the mean of its leave-one-out batches",
        max(2 * (parts.mean() - whole), 0.0),
        Rounding(
            size,
            16 * (n + 1 + x0.shape[1]),
            "inner products of d terms, sums, and comparisons of paths of at most 2(n + 1) edges",
        ),
        because="the mean of their plans is feasible for the batch",
        points=n + 1,
        clause=clause,
    )


# --- in rational arithmetic -------------------------------------------------------------------------------


@for_all("N8", n=st.integers(1, 4), d=st.integers(1, 3), seed=SEEDS)
def test_leave_one_out_in_integers(evidence, n, d, seed):
    """Integer points, ties among them; the optima by trying all permutations; the datum dropped is any."""
    rng = generator(seed)
    x0, x1 = rng.integers(-3, 4, (2, n + 1, d))
    cost = ((x0[:, None] - x1) ** 2).sum(axis=2)
    drop = rng.permutation(n + 1)
    parts = [_least(np.delete(np.delete(cost, i, axis=0), drop[i], axis=1)) for i in range(n + 1)]
    evidence.on("integer points", n=n, d=d, seed=seed).exact(
        "optimum of n + 1 ≤ mean of the leave-one-out optima",
        _least(cost) <= sum(parts, Fraction(0)) / (n + 1),
        domain="integer points in d ≤ 3, n ≤ 4, all permutations tried",
        clause="leave one out",
    )


def _least(cost):
    n = len(cost)
    return Fraction(min(int(cost[range(n), p].sum()) for p in permutations(range(n))), n)


@for_all("N8", n=st.integers(1, 9), seed=SEEDS)
def test_mean_of_the_plans_is_feasible(evidence, n, seed):
    """Whatever permutations the parts have: rows and columns of their sum are n, so over n(n+1) a plan."""
    rng = generator(seed)
    total, drop = np.zeros((n + 1, n + 1), dtype=int), rng.permutation(n + 1)
    for i, j in enumerate(drop):
        rows, columns = np.delete(np.arange(n + 1), i), np.delete(np.arange(n + 1), j)
        total[rows, rng.permutation(columns)] += 1
    evidence.on("permutations", n=n, seed=seed).exact(
        "rows and columns of the sum of the n + 1 plans are n",
        [*(total.sum(axis=0) == n), *(total.sum(axis=1) == n)],
        domain="random permutations of n of n + 1 pairs, n ≤ 9",
        clause="leave one out",
    )


# --- controls ---------------------------------------------------------------------------------------------


def _alternating(n):
    """c_n = 1 for even n, 1 + 2/n for odd n."""
    return Fraction(1) if n % 2 == 0 else 1 + Fraction(2, n)


@pytest.mark.control("M2")
def test_halves_do_not_order_three_and_two(evidence):
    """(m+n)c_{m+n} ≤ mc_m + nc_n for all m, n: mc_m is m or m + 2, as m is even or odd. Yet c₃ > c₂."""
    c = {n: _alternating(n) for n in range(1, 121)}
    parts = [(m, n) for m in range(1, 61) for n in range(1, 61)]
    assert all((m + n) * c[m + n] <= m * c[m] + n * c[n] for m, n in parts)
    evidence.on("c_n = 1 (n even), 1 + 2/n (n odd)").control(
        "batches split in two parts only, any sizes up to 60: c₃ − c₂",
        predicted=2 / 3,
        measured=float(c[3] - c[2]),
        agreement=0.0,
        because="all splits hold in fractions, leave-one-out does not: it says c₃ ≤ c₂",
        clause="falling",
    )


@pytest.mark.control("N8")
@pytest.mark.parametrize("n", [2, 3, 5])
def test_one_datum_dropped_every_time_is_no_plan(evidence, n):
    """Noise 0, …, n, data the same but for the last, which is far out at n + R and always dropped."""
    far = 10.0
    noise = np.arange(n + 1.0)[:, None]
    data = noise.copy()
    data[-1] += far
    whole = float(((noise - data[assignment(noise, data)]) ** 2).mean())
    parts = []
    for i in range(n + 1):
        x0, x1 = np.delete(noise, i, axis=0), data[:-1]
        parts.append(float(((x0 - x1[assignment(x0, x1)]) ** 2).mean()))
    evidence.on("equidistant points", n=n).control(
        "the last datum dropped with every noise: cost of the batch above the mean of the parts",
        predicted=far**2 / (n + 1) - 0.5,
        measured=whole - float(np.mean(parts)),
        agreement=1e-12,
        because="R²/(n+1) for the far datum; without noise i others move by one step, (n − i)/n on average",
        clause="leave one out",
    )


@for_all("M2", m=st.integers(1, 12), n=st.integers(1, 12), seed=SEEDS, d=st.integers(1, 4))
def test_parts_cost_no_less_than_the_whole(evidence, m, n, seed, d):
    """The corollary of any split, by the plans of m and of n pairs: (m+n)c_{m+n} ≤ mc_m + nc_n."""
    rng = generator(seed)
    x0, x1 = rng.standard_normal((m + n, d)), 3 * rng.random((m + n, d))
    whole = (x0 * x1[assignment(x0, x1)]).sum()
    split = sum((x0[s] * x1[s][assignment(x0[s], x1[s])]).sum() for s in (slice(0, m), slice(m, None)))
    size = 2 * np.linalg.norm(x0) * np.linalg.norm(x1)
    evidence.on("uniform data", m=m, n=n, d=d, seed=seed).bounded(
        "cost of the whole batch above that of its parts",
        max(2 * (split - whole), 0.0),
        Rounding(
            size, 8 * (m + n + d), "inner products of d terms, and comparisons of paths of at most 2n edges"
        ),
        because="the parts' plans are feasible for the whole",
        points=m + n,
        clause="halves",
    )
