"""M8 in practice: which batch size is enough, on three targets whose field is known.

What the tables rest on is checked by itself: a loss by quadrature, E|v|² = W₂² by samples of the field.
"""

from functools import partial

import numpy as np
import pytest
from hypothesis import settings

from numerics.flows.exact import ExactField
from numerics.potentials import FiniteAtoms
from numerics.transport.couplings import BatchEstimate, estimate_excess, estimate_loss
from numerics.transport.sweeps import sweep_excess
from numerics.transport.two_atoms import TwoAtomLaw
from theorems.minibatch_convergence.practice import (
    SHARES,
    TOLERANCES,
    draw_practice,
    practical_targets,
    sufficient,
)
from theorems.minibatch_convergence.quadrature import loss_of_the_population
from theorems.proximal_denoiser.bounds import norm

LEVEL, SHOWN = 1e-9, 1e-3
THOROUGH = settings().max_examples >= 200
SIZES = {1: 2000, 4: 500, 16: 120, 64: 40, 256: 20}
MORE_SIZES = {1: 20_000, 4: 5000, 16: 1500, 64: 400, 256: 100, 512: 50, 1024: 25, 2048: 12}
TIMES = (0.5, 0.9)


@pytest.mark.claim("M8")
@pytest.mark.parametrize("t", TIMES)
def test_loss_of_batches_is_that_of_the_plan(evidence, rng, jobs, t):
    """Two atoms in the plane: assigned batches of 256 beside π_n by quadrature, too small a loss included."""
    n, points = 256, [[0.0, 0.0], [1.2, 1.6]]
    target = FiniteAtoms.two(*points, 0.3)
    estimate = partial(estimate_loss, t=t)
    found = sweep_excess({"atoms": target}, {n: 240}, rng, jobs=jobs, estimate=estimate)["atoms"][n]
    exact = loss_of_the_population(TwoAtomLaw(points, 0.3, n), t)
    evidence.on(target, n=n, t=t).statistical(
        "|mean of |ẋ − v|² over batches − its integral over π_n|",
        abs(found.mean - exact.value),
        exact.error + found.interval(LEVEL)[1] - found.mean,
        level=LEVEL,
        because="Student over 240 batches; stated quadrature error",
        points=240 * n,
    )


@pytest.mark.claim("M8")
def test_which_batch_size_is_enough(evidence, rng, jobs):
    """The practical answer: E|v^{(n)} − v|² ≤ E|ẋ − v|², measured with the exact v of three targets.

    A cloud of points stands for the law that it was drawn from only while a batch is a small part of it, at
    most a quarter here. The loss includes the floor of the plan, so n is enough, not needed.
    """
    cases = practical_targets(THOROUGH)
    seed = int(rng.integers(2**63))  # the same batches every time

    def measured(estimate):
        found = {}
        for name, case in cases.items():
            sizes, own = case.sizes(MORE_SIZES if THOROUGH else SIZES), np.random.default_rng(seed)
            found |= sweep_excess({name: case.potential}, sizes, own, jobs=jobs, estimate=estimate)
        return found

    excess = measured(estimate_excess)
    losses = {t: measured(partial(estimate_loss, t=t)) for t in TIMES}
    for name, case in cases.items():
        _energy(evidence, name, case, rng)
        for t in TIMES:
            for n, loss in losses[t][name].items():
                evidence.on(name, n=n, t=t).certified(
                    "mean of |ẋ − v|² in a batch",
                    loss.values,
                    bound=excess[name][n].values / (2 * t * (1 - t)) + case.rounding / (t * (1 - t)) ** 2,
                    because="the batch's excess over 2t(1−t), pair by pair; rounding of sums of d squares",
                    points=len(loss.values) * n,
                )
    _show(evidence, cases, excess, losses)


def _energy(evidence, name, case, rng, draws=8_000):
    """E|v_t(x_t)|² = W₂² on optimal pairs: what losses are divided by."""
    x0, x1 = case.potential.sample(draws, rng)
    energy = BatchEstimate(1, norm(ExactField(case.potential).velocity(0.5, (x0 + x1) / 2)) ** 2)
    evidence.on(name).statistical(
        "|mean of |v_t(x_t)|² on optimal pairs − W₂²|, t = 0.5",
        abs(energy.mean - case.w2),
        energy.interval(LEVEL)[1] - energy.mean + case.w2_error,
        level=LEVEL,
        because="the speed of straight paths is |x₁ − x₀|; Student over draws, and how far W₂² is known",
        points=draws,
    )


def _show(evidence, cases, excess, losses):
    rows = [(name, case, t) for name, case in cases.items() for t in TIMES]
    evidence.table(
        "Which batch size is enough for E|v⁽ⁿ⁾ − v|² ≤ ε · the loss of pairs as drawn (n = 1)? The least n "
        "measured; pointwise 99.9 % Student intervals of both",
        ["target", "t", *(f"ε = {e:g}" for e in SHARES)],
        [
            [name, t, *sufficient(row, row[1].interval(SHOWN)[0], SHARES)]
            for name, _, t in rows
            for row in [losses[t][name]]
        ],
    )
    evidence.table(
        "The same for E|v⁽ⁿ⁾ − v|² ≤ ε·E|v|². In high dimension E|v|² = W₂² is mostly that of the noise, and "
        "ε is met early",
        ["target", "t", *(f"ε = {e:g}" for e in TOLERANCES)],
        [[name, t, *sufficient(losses[t][name], case.w2, TOLERANCES)] for name, case, t in rows],
    )
    evidence.table(
        "The population's field on plans of n pairs, relative to E|v|² = W₂² (pointwise 99.9 % intervals)",
        [
            "target",
            "n",
            "batches",
            "loss, t = 0.5",
            "low",
            "high",
            "loss, t = 0.9",
            "low",
            "high",
            "2(c_n − W₂²), t = 0.5",
        ],
        [
            [name, n, len(found.values)]
            + [x / case.w2 for t in TIMES for e in [losses[t][name][n]] for x in (e.mean, *e.interval(SHOWN))]
            + [2 * found.mean / case.w2]
            for name, case in cases.items()
            for n, found in excess[name].items()
        ],
    )
    evidence.table(
        "Ground truth of the three targets",
        ["target", "potential", "W₂²", "known within"],
        [[name, case.source, case.w2, case.w2_error] for name, case in cases.items()],
    )
    evidence.figure(
        "Error of the field against the batch size: two moons, circle, handwritten digits",
        "On log–log axes the relative loss falls with n on all three, each below its dashed bound",
        lambda figure: draw_practice(figure, cases, excess, losses),
    )
