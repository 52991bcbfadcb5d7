"""P9: the optimal assignment of one batch is proximal for the potential that its own duals give.

Assumed: a finite batch of any noise and data, repeated data too, matched optimally; t ∈ (0,1). Two
routes to the duals: POT's network simplex in floating point, and shortest paths in integers, where the KKT
conditions hold without tolerance. Control: the same potential on a batch matched otherwise.
"""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from numerics.accuracy import Rounding
from numerics.flows.exact import ExactField
from numerics.potentials import FiniteAtoms
from theorems.setting.draws import generator
from theorems.setting.libraries import TorchCFM
from theorems.setting.quantifiers import SCHEDULES, SEEDS, TIMES, for_all
from theorems.setting.roundings import dot_rounding
from theorems.setting.vectors import norm


def _batch(n, d, kind, rng):
    """Noise, and data that are no transport of it: a cloud, clusters, a grid with ties, a few atoms."""
    x0 = rng.standard_normal((n, d))
    if kind == "cloud":
        return x0, 2 * rng.standard_normal((n, d)) + 1
    if kind == "clusters":
        return x0, rng.standard_normal((n, d)) / 10 + 3 * rng.choice([-1.0, 1.0], (n, 1))
    if kind == "atoms":
        return x0, rng.standard_normal((5, d))[rng.integers(5, size=n)]
    grid = np.arange(n * d, dtype=float).reshape(n, d) % (n + 1)
    return x0, rng.permuted(grid, axis=1) + np.arange(n)[:, None] / (8 * (n + 1))  # ties, but no duplicates


@for_all(
    "P9",
    n=st.integers(1, 64),
    d=st.integers(1, 6),
    kind=st.sampled_from(["cloud", "clusters", "grid", "atoms"]),
    schedule=SCHEDULES,
    t=TIMES,
    seed=SEEDS,
)
def test_every_pair_of_a_batch_is_recovered(evidence, n, d, kind, schedule, t, seed):
    x0, data = _batch(n, d, kind, generator(seed))
    on = evidence.on("FiniteAtoms", n=n, d=d, kind=kind, schedule=schedule, t=t, seed=seed)
    measure_recovery_of_a_batch(on, x0, data, schedule, t)


def measure_recovery_of_a_batch(on, x0, data, schedule, t):
    """P9 for one batch, whatever it is; its duals by POT's network simplex."""
    batch = _potential_of_a_batch(x0, data)
    alpha, beta = float(schedule.alpha(t)), float(schedule.beta(t))
    match = batch.plan.argmax(axis=1)
    xt = alpha * x0 + beta * data[match]
    _measure_recovery(on, batch, x0, batch.place[match], xt / beta, alpha / beta)


def _measure_recovery(on, batch, x0, match, z, step):
    """φ_B's cells hold the noises of the pairs, and prox_{step·φ_B}(z) is their data."""
    target = batch.target
    x1 = target.points[match]
    on.bounded(
        "difference of the heights that copies of one data point get",
        batch.spread,
        batch.rounding,
        because="copies have one cost to every noise: tight duals of an optimal assignment agree on them",
        clause="copies",
    )
    slack = target.conjugate(x0) - ((x0 * x1).sum(axis=1) - target.heights[match])
    on.bounded(
        "how far x₀ misses the cell of its x₁ (dual infeasibility), duals by POT",
        np.maximum(slack, 0.0),
        batch.rounding,
        because="the duals of an optimal assignment are feasible, tight on its pairs",
        main=batch.spread,
        clause="recovery",
    )
    of_slack = target.roundings.conjugate(x0) + dot_rounding(x0, x1)
    of_slack = of_slack + Rounding(
        np.abs(target.heights).max() + np.abs(target.conjugate(x0)), 2, "the slack's sums"
    )
    formed = Rounding(norm(x1) + step * norm(x0), 4, "forming x_t/β")
    on.bounded(
        "|prox_{λφ_B}(x_t/β) − x₁| over the pairs of a batch, duals by POT",
        norm(target.prox(z, step) - x1),
        target.roundings.prox(z, step) + formed,
        because="φ_B(x₁) ≤ g, so the slack bounds the Fenchel–Young gap G, and |x₁ − prox| ≤ √(λG)",
        main=np.sqrt(step * (np.maximum(slack, 0.0) + of_slack.bound)),
        clause="recovery",
    )


class Batch(NamedTuple):
    """φ_B of one batch.

    Attributes:
        target: The potential of the distinct data points, each with the least height of its copies.
        plan: The assignment's matrix, over noise and copies.
        place: Of each copy, the row of its point in the target.
        spread: By how much the heights of copies differ at most.
        rounding: What rounding does to the duals.
    """

    target: FiniteAtoms
    plan: np.ndarray
    place: np.ndarray
    spread: float
    rounding: Rounding


def _potential_of_a_batch(x0, data):
    """φ_B from the duals of the assignment; data may repeat, as those of an atomic target do."""
    import ot  # it imports torch: a second for every run that asks something else

    plan, log = ot.emd([], [], ot.dist(x0, data), log=True)
    heights = ((data**2).sum(axis=1) - log["v"]) / 2
    points, place = np.unique(data, axis=0, return_inverse=True)
    place = place.ravel()
    least, most = np.full(len(points), np.inf), np.full(len(points), -np.inf)
    np.minimum.at(least, place, heights)
    np.maximum.at(most, place, heights)
    target = FiniteAtoms(points, least)
    return Batch(target, plan, place, float((most - least).max()), _of_duals(target, x0, data, log))


def _of_duals(target, x0, data, log):
    """What the slack of a dual sums: 2n − 1 edges of a tree, each a cost (d + 1 roundings) and a sum."""
    size = np.abs(log["u"]).max() + np.abs(log["v"]).max() + norm(x0).max() * target.scale + target.scale**2
    edges = 2 * len(data) - 1
    return Rounding(size, edges * (target.dim + 2), "a dual sums the edges of its tree, differences of costs")


@pytest.mark.asks("P9")
def test_batches_of_torchcfm_are_proximal(evidence, rng):
    """An audit: of the x_t and u_t that torchcfm returns, prox gives x₁ and φ_B's field gives u_t."""
    library = TorchCFM()
    on = evidence.auditing(library.name, "P9", kind="library")
    for n, d, kind in (
        (64, 2, "clusters"),
        (128, 3, "cloud"),
        (64, 16, "cloud"),
        (40, 4, "grid"),
        (64, 2, "atoms"),
    ):
        x0, data = _batch(n, d, kind, rng)
        batch = _potential_of_a_batch(x0, data)
        target, rounding = batch.target, batch.rounding
        for t in (0.01, 0.5, 0.99):
            case = on.on("FiniteAtoms", n=n, d=d, kind=kind, t=t)
            drawn = library.couple(x0[None], data[None], t, int(rng.integers(2**32)))
            first, second, xt, step = drawn.first[0], drawn.second[0], drawn.xt[0], (1 - t) / t
            _measure_recovery(case, batch, x0[first], batch.place[second], xt / t, step)
            # The field's own prox errs as the bound above allows: rounding of the duals through a root.
            of_slack = target.roundings.conjugate(x0).largest().bound + rounding.bound
            field = ExactField(target)
            formed = Rounding((norm(xt) + 2 * norm(data).max()) / (1 - t), 6, "the library's x_t and u_t")
            case.bounded(
                "|v of φ_B at the returned x_t − the returned u_t|",
                norm(field.velocity(t, xt) - drawn.ut[0]),
                field.roundings.velocity(t, xt) + formed,
                because="v = (prox − x_t)/(1−t) and u = (x₁ − x_t)/(1−t); |x₁ − prox| ≤ √(λG), G the slack",
                main=np.sqrt(step * of_slack) / (1 - t),
                clause="recovery",
            )


# --- integers: no rounding and no tolerance --------------------------------------------------------------


def _integer_batch(n, d, rng, distinct):
    """Noise and data on the integers, and the permutation of an optimal assignment."""
    x0 = rng.integers(-20, 21, (n, d))
    if distinct:
        data = np.unique(rng.integers(-12, 13, (3 * n, d)), axis=0)
        data = rng.permutation(data)[:n]
    else:
        data = rng.integers(-12, 13, (4, d))[rng.integers(4, size=n)]
    x0 = x0[: len(data)]
    _, best = linear_sum_assignment(-(x0 @ data.T))
    return x0, data[best]


def _integer_duals(x0, x1, rounds):
    """Heights with ⟨x₀ⁱ, x₁ⁱ − x₁ʲ⟩ ≥ g_i − g_j for matched pairs: shortest paths in integers.

    The sum over all roots of the distances h_j from root r along edges of length ⟨x₀ⁱ, x₁ⁱ − x₁ʲ⟩ ≥ 0 on
    cycles: each is feasible, so is their mean; n times the mean keeps integers. It lies in the relative
    interior, so that no pair is tied unless every dual ties it.
    """
    length = (x0 * x1).sum(axis=1)[:, None] - x0 @ x1.T
    distance = length.copy()
    for k in range(rounds):
        distance = np.minimum(distance, distance[:, [k]] + distance[[k], :])
    return length, -distance.sum(axis=0)


@for_all("P9", n=st.integers(1, 30), d=st.integers(1, 4), distinct=st.booleans(), seed=SEEDS)
def test_batch_satisfies_the_conditions_in_integers(evidence, n, d, distinct, seed):
    x0, x1 = _integer_batch(n, d, generator(seed), distinct)
    n = len(x1)
    length, heights = _integer_duals(x0, x1, n)
    # prox_{λφ_B}(x₁ⁱ + λx₀ⁱ) = x₁ⁱ for every λ iff x₀ⁱ is in the cell of x₁ⁱ: ⟨x₀ⁱ,x₁ⁱ⟩ − g_i maximal.
    slack = n * length + heights[None, :] - heights[:, None]
    domain = "integer noise in ±20, integer data in ±12, n ≤ 30, d ≤ 4, 64-bit integers without overflow"
    on = evidence.on("FiniteAtoms", n=n, d=d, distinct=distinct, seed=seed)
    on.exact(
        "KKT conditions of every pair of a batch, duals by shortest paths",
        slack >= 0,
        domain,
        clause="recovery",
    )
    copies = (x1[:, None] == x1[None]).all(axis=2)
    on.exact(
        "copies of one data point have one height",
        (heights[:, None] == heights[None]) | ~copies,
        domain + "; data with and without repetitions",
        clause="copies",
    )


# --- control ------------------------------------------------------------------------------------------


@pytest.mark.control("P9")
@pytest.mark.parametrize("shift", [1, 3])
def test_a_batch_matched_otherwise_is_lost(evidence, rng, shift):
    """Pairs shifted cyclically, φ_B kept: no pair is recovered, because generic noise is in one cell only."""
    x0, data = rng.standard_normal((40, 3)), rng.standard_normal((40, 3))
    _, best = linear_sum_assignment(-(x0 @ data.T))
    x1 = data[best]
    _, heights = _integer_duals(x0, x1, 40)
    target = FiniteAtoms(x1, heights / 40)
    kept = _returned(target, x0, x1, 0.8)
    found = _returned(target, x0, np.roll(x1, shift, axis=0), 0.8)
    evidence.on("FiniteAtoms", n=40, d=3, shift=shift).control(
        "another matching of the same batch: share of pairs recovered",
        predicted=0.0,
        measured=found.mean(),
        agreement=0.0,
        because="x₁ʲ is returned iff the noise lies in its cell; interior duals leave each noise in one cell",
        intact=kept.mean(),
    )


def _returned(target, x0, x1, step):
    """Whether prox(x₁ + λx₀) is x₁, to what forming that and the prox round."""
    z = x1 + step * x0
    stated = target.roundings.prox(z, step) + Rounding(norm(x1) + step * norm(x0), 2, "x₁ + λx₀")
    return norm(target.prox(z, step) - x1) <= stated.bound


@pytest.mark.control("P9")
def test_doubled_duals_are_no_potential(evidence, rng):
    """Forgetting the half: g = |x₁|² − v. On the line with two atoms the threshold of the noise doubles."""
    import ot  # it imports torch: a second for every run that asks something else

    x0 = np.array([[-0.5], [0.6]])
    data = np.array([[0.0], [2.0]])
    _, log = ot.emd([], [], ot.dist(x0, data), log=True)
    right = ((data**2).sum(axis=1) - log["v"]) / 2
    threshold = (right[1] - right[0]) / 2
    noise = rng.standard_normal((100_000, 1))
    wrong = FiniteAtoms(data, 2 * right).transport(noise) != FiniteAtoms(data, right).transport(noise)
    low, high = sorted([threshold, 2 * threshold])
    level = 1e-9
    from scipy.special import ndtr

    evidence.on("FiniteAtoms", threshold=threshold).control(
        "heights without the half: share of noise sent to the wrong atom",
        predicted=ndtr(high) - ndtr(low),
        measured=wrong.mean(),
        agreement=np.sqrt(np.log(2 / level) / (2 * len(noise))),
        because="the noise between the right threshold and its double changes sides; Hoeffding",
        level=level,
        points=len(noise),
    )
