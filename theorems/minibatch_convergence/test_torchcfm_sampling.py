"""What torchcfm draws from the plan of a batch (M1): audits, which decide nothing.

`ExactOptimalTransportConditionalFlowMatcher` solves the assignment and then draws n pairs from its plan with
replacement: marginals hold on average over batches, but a returned batch lacks a share 1/e of its noises and
repeats others. Batches are doubles; the float32 of trainings is asked for its cost.
"""

import warnings

import numpy as np
import pytest

from numerics.accuracy import EPS
from numerics.potentials import Sphere
from numerics.transport.couplings import assignment
from theorems.setting.libraries import Questions, TorchCFM, batches_of
from theorems.setting.vectors import norm
from theorems.statistics import hoeffding

LEVEL = 1e-9


@pytest.mark.asks("M1", "M2")
@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_plan_is_the_optimal_permutation(evidence, rng, precision):
    n, library = 256, TorchCFM()
    x0, x1 = (part[0] for part in batches_of(Sphere(3), n, 1, rng))
    plan = library.plan(x0.astype(precision), x1.astype(precision))
    match = plan.argmax(axis=1)
    ask = Questions(evidence, library, f"{n} noises and points of S², {precision.__name__}")
    ask.holds(
        "M1: is the plan of a batch a permutation?",
        len(np.unique(match)) == n and (plan > 0).sum() == n,
        expected=n,
        measured=int((plan > 0).sum()),
        because="a vertex of the doubly stochastic matrices: n pairs carry mass",
    )
    rounding = 16 * np.finfo(precision).eps * float((norm(x0).max() + 1) ** 2)
    ask.number(
        "M2: is its cost the least?",
        expected=(norm(x0 - x1[assignment(x0, x1)]) ** 2).mean(),
        measured=(norm(x0 - x1[match]) ** 2).mean(),
        margin=rounding,
        because="a cost is rounded by at most 8 roundings of (|x₀|+|x₁|)²; both plans sum such costs",
    )


@pytest.mark.asks("M2")
def test_large_batches_stop_before_the_optimum(evidence, rng):
    """POT's solver stops after 10⁵ steps unless told otherwise; torchcfm does not tell it."""
    n, d, library = 2048, 8, TorchCFM()
    x0, x1 = rng.standard_normal((n, d)), 1 + rng.standard_normal((n, d)) / 2
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        match = library.match(x0, x1)
    cost, best = (float((norm(x0 - x1[m]) ** 2).mean()) for m in (match, assignment(x0, x1)))
    ask = Questions(evidence, library, f"two Gaussian clouds, n = {n}, d = {d}")
    ask.holds(
        "M2: does its solver call a large batch solved?",
        not said,
        expected="no warning",
        measured=str(said[0].message).split(".")[0] if said else "no warning",
        because="`ot.emd` is called with its default cap of 100000 steps (numItermax)",
    )
    ask.number(
        "M2: relative excess of a large batch's cost over the optimum",
        expected=0.0,
        measured=cost / best - 1,
        margin=64 * n * EPS,
        because="rounding of n costs; the optimum is that of an assignment without a cap",
    )


@pytest.mark.asks("M1")
@pytest.mark.parametrize("n", [16, 256])
def test_sampling_with_replacement_leaves_noise_out(evidence, rng, n):
    batches, library = 5120 // n, TorchCFM()
    noise, data = batches_of(Sphere(2), n, batches, rng)
    drawn = library.couple(noise, data, 0.5, int(rng.integers(2**32)))
    times = np.stack([np.bincount(row, minlength=n) for row in drawn.first])
    ask = Questions(evidence, library, f"batches of {n}")
    ask.holds(
        "M1: is every noise of a batch used once?",
        bool((times == 1).all()),
        expected=1.0,
        measured=float((times == 1).mean()),
        because="a coupling of the batch uses each once; the share of the noises that are",
    )
    because = "n uniform draws with replacement; McDiarmid: a draw moves the mean share by at most 1/(nB)"
    left_out, once = (1 - 1 / n) ** n, (1 - 1 / n) ** (n - 1)
    reach = hoeffding(batches * n, 1.0, LEVEL)
    ask.number(
        "M1: share of a batch's noises left out, 1/e for large n",
        left_out,
        (times == 0).mean(),
        reach,
        because,
    )
    ask.number(
        "M1: share of a batch's pairs drawn twice or more, 1 − 2/e for large n",
        1 - left_out - once,
        (times > 1).mean(),
        reach,
        because,
    )
    first, second = library.pairs(noise[0], data[0], replace=False)
    ask.holds(
        "M1: is every pair used once with replace=False, an option of its sampler, not of its matcher?",
        len(np.unique(first)) == len(np.unique(second)) == n,
        expected=n,
        measured=len(np.unique(first)),
        because="n of the n pairs of the plan, none twice",
    )


@pytest.mark.asks("M1")
def test_one_pair_is_returned_as_it_is(evidence, rng):
    library = TorchCFM()
    drawn = library.couple(*batches_of(Sphere(3), 1, 40, rng), 0.5, int(rng.integers(2**32)))
    error = np.abs(drawn.ut - (drawn.data - drawn.noise)).max()
    Questions(evidence, library, "40 batches of one pair").number(
        "M1: is π₁ the independent coupling?", 0.0, error, 0.0, "the only pair there is, so u_t = x₁ − x₀"
    )


@pytest.mark.asks("M1")
def test_calls_draw_from_global_state(evidence, rng):
    library = TorchCFM()
    noise, data = batches_of(Sphere(2), 32, 1, rng)
    labelled = library.couple(noise, data, 0.25, seed=5)
    xt, ut = library.unlabelled(noise[0], data[0], 0.25, seed=5)
    ask = Questions(evidence, library, "a batch of 32")
    same = np.array_equal(labelled.xt[0], xt) and np.array_equal(labelled.ut[0], ut)
    ask.holds(
        "Is a batch fixed by the seeds of NumPy's and torch's global states?",
        same,
        expected="the same batch, with labels and without",
        measured="the same batch" if same else "another batch",
        because="it takes no generator: both states were saved, seeded and restored around each call",
    )
    between = 0.75 * labelled.x0 + 0.25 * labelled.x1
    error = max(np.abs(labelled.xt - between).max(), np.abs(labelled.ut - (labelled.x1 - labelled.x0)).max())
    ask.number(
        "Is x_t = (1−t)x₀ + t x₁ and u_t = x₁ − x₀ for σ = 0?",
        0.0,
        error,
        8 * EPS * float(np.abs(noise).max() + 1),
        because="three roundings",
    )
