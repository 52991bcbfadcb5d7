"""P9: the optimal assignment of one batch is proximal for the potential that its own duals give.

Assumed: a finite batch of any noise and any data, matched optimally. Two routes to the duals: POT's network
simplex in floating point, and shortest paths in integers, where the KKT conditions hold without tolerance.
Control: the same potential on a batch matched otherwise.
"""

import numpy as np
import ot
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from numerics.accuracy import Rounding
from numerics.flows.exact import ExactField
from numerics.potentials import FiniteAtoms
from theorems.minibatch_convergence.libraries import TorchCFM
from theorems.proximal_denoiser.bounds import norm
from theorems.setting.roundings import dot_rounding
from theorems.targets import generator, schedules, seeds, times


def _batch(n, d, kind, rng):
    """Noise, and data that are no transport of it: a cloud, two clusters, or a grid with ties."""
    x0 = rng.standard_normal((n, d))
    if kind == "cloud":
        return x0, 2 * rng.standard_normal((n, d)) + 1
    if kind == "clusters":
        return x0, rng.standard_normal((n, d)) / 10 + 3 * rng.choice([-1.0, 1.0], (n, 1))
    grid = np.arange(n * d, dtype=float).reshape(n, d) % (n + 1)
    return x0, rng.permuted(grid, axis=1) + np.arange(n)[:, None] / (8 * (n + 1))  # ties, but no duplicates


@pytest.mark.claim("P9")
@given(
    n=st.integers(1, 64),
    d=st.integers(1, 6),
    kind=st.sampled_from(["cloud", "clusters", "grid"]),
    schedule=schedules(),
    t=times(),
    seed=seeds,
)
def test_every_pair_of_a_batch_is_recovered(evidence, n, d, kind, schedule, t, seed):
    x0, data = _batch(n, d, kind, generator(seed))
    on = evidence.on("FiniteAtoms", n=n, d=d, kind=kind, schedule=schedule, t=t, seed=seed)
    measure_recovery_of_a_batch(on, x0, data, schedule, t)


def measure_recovery_of_a_batch(on, x0, data, schedule, t):
    """P9 for one batch, whatever it is; its duals by POT's network simplex."""
    target, plan, rounding = _potential_of_a_batch(x0, data)
    match = plan.argmax(axis=1)
    alpha, beta = float(schedule.alpha(t)), float(schedule.beta(t))
    xt = alpha * x0 + beta * data[match]
    _measure_recovery(on, target, rounding, x0, match, xt / beta, alpha / beta)


def _measure_recovery(on, target, rounding, x0, match, z, step):
    """φ_B's cells hold the noises of the pairs, and prox_{step·φ_B}(z) is their data."""
    x1 = target.points[match]
    slack = target.conjugate(x0) - ((x0 * x1).sum(axis=1) - target.heights[match])
    on.bounded(
        "how far x₀ misses the cell of its x₁ (dual infeasibility), duals by POT",
        np.maximum(slack, 0.0),
        rounding,
        because="the duals of an optimal assignment are feasible, tight on its pairs",
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
    )


def _potential_of_a_batch(x0, data):
    """φ_B from the duals of the assignment, its plan, and the size of what rounding does to the duals."""
    plan, log = ot.emd([], [], ot.dist(x0, data), log=True)
    target = FiniteAtoms(data, ((data**2).sum(axis=1) - log["v"]) / 2)
    return target, plan, _of_duals(target, x0, log)


def _of_duals(target, x0, log):
    """What the slack of a dual sums: 2n − 1 edges of a tree, each a cost (d + 1 roundings) and a sum."""
    size = np.abs(log["u"]).max() + np.abs(log["v"]).max() + norm(x0).max() * target.scale + target.scale**2
    edges = 2 * len(target.points) - 1
    return Rounding(size, edges * (target.dim + 2), "a dual sums the edges of its tree, differences of costs")


def test_batches_of_torchcfm_are_proximal(evidence, rng):
    """An audit: of the x_t and u_t that torchcfm returns, prox gives x₁ and φ_B's field gives u_t."""
    library = TorchCFM()
    on = evidence.auditing(library.name, "P9", kind="library")
    for n, d, kind in ((64, 2, "clusters"), (128, 3, "cloud"), (64, 16, "cloud"), (40, 4, "grid")):
        x0, data = _batch(n, d, kind, rng)
        target, _, rounding = _potential_of_a_batch(x0, data)
        for t in (0.01, 0.5, 0.99):
            case = on.on("FiniteAtoms", n=n, d=d, kind=kind, t=t)
            drawn = library.couple(x0[None], data[None], t, int(rng.integers(2**32)))
            first, second, xt, step = drawn.first[0], drawn.second[0], drawn.xt[0], (1 - t) / t
            _measure_recovery(case, target, rounding, x0[first], second, xt / t, step)
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
            )


# --- integers: no rounding and no tolerance --------------------------------------------------------------


def _integer_batch(n, d, rng):
    """Noise and distinct data on the integers, and the permutation of an optimal assignment."""
    x0 = rng.integers(-20, 21, (n, d))
    data = np.unique(rng.integers(-12, 13, (3 * n, d)), axis=0)
    data = rng.permutation(data)[:n]
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


@pytest.mark.claim("P9")
@given(n=st.integers(1, 30), d=st.integers(1, 4), seed=seeds)
def test_batch_satisfies_the_conditions_in_integers(evidence, n, d, seed):
    x0, x1 = _integer_batch(n, d, generator(seed))
    n = len(x1)
    length, heights = _integer_duals(x0, x1, n)
    # prox_{λφ_B}(x₁ⁱ + λx₀ⁱ) = x₁ⁱ for every λ iff x₀ⁱ is in the cell of x₁ⁱ: ⟨x₀ⁱ,x₁ⁱ⟩ − g_i maximal.
    slack = n * length + heights[None, :] - heights[:, None]
    evidence.on("FiniteAtoms", n=n, d=d, seed=seed).exact(
        "KKT conditions of every pair of a batch, duals by shortest paths",
        slack >= 0,
        domain="integer noise in ±20, integer data in ±12, n ≤ 30, d ≤ 4, 64-bit integers without overflow",
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
    other, step = np.roll(x1, shift, axis=0), 0.8
    kept = norm(target.prox(x1 + step * x0, step) - x1) < 1e-6
    found = norm(target.prox(other + step * x0, step) - other) < 1e-6
    evidence.on("FiniteAtoms", n=40, d=3, shift=shift).control(
        "another matching of the same batch: share of pairs recovered",
        predicted=0.0,
        measured=found.mean(),
        agreement=0.0,
        because="x₁ʲ is returned iff the noise lies in its cell; interior duals leave each noise in one cell",
        intact=kept.mean(),
    )


@pytest.mark.control("P9")
def test_doubled_duals_are_no_potential(evidence, rng):
    """Forgetting the half: g = |x₁|² − v. On the line with two atoms the threshold of the noise doubles."""
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
