"""M8 in practice: which batch size is enough, on three targets whose field is known.

What the tables rest on is checked by itself: a loss by quadrature, E|v|² = W₂² by samples of the field.
"""

from functools import partial

import numpy as np
import pytest
from hypothesis import settings
from scipy import stats

from numerics.flows.exact import ExactField
from numerics.potentials import FiniteAtoms
from numerics.transport.couplings import BatchEstimate, estimate_excess, estimate_loss
from numerics.transport.sweeps import sweep_excess
from numerics.transport.two_atoms import TwoAtomLaw
from theorems.betting import mean_interval
from theorems.minibatch_convergence.field_errors import loss_of_the_population
from theorems.minibatch_convergence.practice import (
    PROBES,
    SHARES,
    TOLERANCES,
    draw_practice,
    practical_targets,
    probed_rounding,
    sufficient,
)
from theorems.setting.vectors import norm
from theorems.statistics import gaussian_lipschitz, hoeffding, mean_of_squares

LEVEL, SHOWN = 1e-9, 1e-3
THOROUGH = settings().max_examples >= 200
SIZES = {1: 2000, 4: 500, 16: 120, 64: 40, 256: 20}
MORE_SIZES = {1: 20_000, 4: 5000, 16: 1500, 64: 400, 256: 100, 512: 50, 1024: 25, 2048: 12}
TIMES = (0.5, 0.9)


@pytest.mark.claim("M8")
@pytest.mark.parametrize("t", TIMES)
def test_loss_of_batches_is_that_of_the_plan(evidence, rng, jobs, t):
    """Two atoms in the plane: assigned batches of 16 beside π_n by quadrature, too small a loss included."""
    n, batches, points = 16, 20_000, [[0.0, 0.0], [1.2, 1.6]]
    target, law = FiniteAtoms.two(*points, 0.3), TwoAtomLaw(points, 0.3, n)
    estimate = partial(estimate_loss, t=t)
    found = sweep_excess({"atoms": target}, {n: batches}, rng, jobs=jobs, estimate=estimate)["atoms"][n]
    exact, (cap, beyond) = loss_of_the_population(law, t), _cap(law, t)
    values = np.minimum(found.values, cap)
    low, high = mean_interval(values, 0.0, cap, LEVEL)
    mean = float(values.mean())
    reach = high - mean if exact.value > mean else mean - low
    evidence.on(target, n=n, t=t).statistical(
        "|mean of |ẋ − v|² over batches − its integral over π_n|",
        abs(mean - exact.value),
        exact.error + beyond + reach,
        level=LEVEL,
        because=f"betting on {batches} batches, losses counted up to {cap:.3g}; what lies beyond has a mean"
        f" below {beyond:.0e} by a noncentral χ²; stated quadrature error",
        points=batches * n,
        clause="splitting",
    )


def _cap(law, t):
    """A cap of a batch's loss, and a bound of the mean of what exceeds it.

    v takes x_t to the segment of the atoms: a pair's loss is at most (Δ/(1−t))², and at most the squared
    distance of its noise along e from the threshold, over t². Cauchy–Schwarz: √(E L² · P(L > cap)).
    """
    n, rare = law.n, 1e-20
    chi = stats.ncx2(n, n * law.threshold**2)
    size = 1 / (n * t**2)
    cap = min((law.distance / (1 - t)) ** 2, size * float(chi.isf(rare)))
    return cap, float(size * np.sqrt((chi.var() + chi.mean() ** 2) * rare))


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
            rounding = case.rounding.amplified(1 / (t * (1 - t)) ** 2, "over (t(1−t))²").bound
            rounding = rounding + probed_rounding(case.potential, t, rng)
            for n, loss in losses[t][name].items():
                evidence.on(name, n=n, t=t).estimated(
                    "mean of |ẋ − v|² in a batch",
                    loss.values,
                    excess[name][n].values / (2 * t * (1 - t)) + rounding,
                    by=f"the prox's largest statement at {PROBES} other pairs",
                    because="the batch's excess over 2t(1−t), pair by pair; inner products over (t(1−t))²",
                    points=len(loss.values) * n,
                    clause="bound",
                )
    _show(evidence, cases, excess, losses)


def _energy(evidence, name, case, rng, draws=8_000):
    """E|v_t(x_t)|² = W₂² on optimal pairs: what losses are divided by.

    |x₀ − T|² = |x₀|² − 2φ*(x₀) + (|T|² − 2φ(T)) by Fenchel–Young: an exact χ², a Lipschitz function of the
    noise, and a value of the atom.
    """
    x0, x1 = case.potential.sample(draws, rng)
    energy = BatchEstimate(1, norm(ExactField(case.potential).velocity(0.5, (x0 + x1) / 2)) ** 2)
    d, (longest, width) = case.potential.dim, _spread(case.potential)
    part = LEVEL / 4
    reach = d * mean_of_squares(draws * d, part) + gaussian_lipschitz(draws, 2 * longest, part)
    reach += hoeffding(draws, width, part)
    evidence.on(name).statistical(
        "|mean of |v_t(x_t)|² on optimal pairs − W₂²|, t = 0.5",
        abs(energy.mean - case.w2),
        reach + case.reach(part),
        level=LEVEL,
        because="the speed of straight paths is |x₁ − x₀|; χ² of |x₀|², Gaussian concentration of φ*(x₀),"
        " Hoeffding for the atom's part; the same two for what a solver held out, if W₂² is sampled",
        points=draws,
    )


def _spread(potential):
    """The longest datum, and the range of |y|² − 2φ(y) over the data y."""
    if isinstance(potential, FiniteAtoms):
        sizes = norm(potential.points)
        return float(sizes.max()), float(np.ptp(sizes**2 - 2 * potential.heights))
    return 1.0, 0.0  # the circle: |y| = 1, φ(y) = 0


def _show(evidence, cases, excess, losses):
    _show_sufficient(evidence, cases, losses)
    _show_losses(evidence, cases, excess, losses)
    evidence.table(
        "Ground truth of the three targets",
        ["target", "potential", "W₂²", "known within (of sampled laws six standard errors: no level)"],
        [[name, case.source, case.w2, case.w2_error] for name, case in cases.items()],
    )
    evidence.figure(
        "Error of the field against the batch size: two moons, circle, handwritten digits",
        "On log–log axes the relative loss falls with n on all three, each below its dashed bound",
        lambda figure: draw_practice(figure, cases, excess, losses),
    )


def _show_sufficient(evidence, cases, losses):
    """The least batch size measured that meets a share of independent pairs' loss, or of E|v|²."""
    rows = [(name, case, t) for name, case in cases.items() for t in TIMES]
    evidence.table(
        "Which batch size is enough for E|v⁽ⁿ⁾ − v|² ≤ ε · the loss of pairs as drawn (n = 1)? The least n "
        "measured; pointwise 99.9 % Student intervals of both, which are asymptotic: no theorem, no level",
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


def _show_losses(evidence, cases, excess, losses):
    """The loss of every batch size at two times, and the bound by its plan's excess."""
    evidence.table(
        "The population's field on plans of n pairs, relative to E|v|² = W₂² (pointwise 99.9 % Student "
        "intervals: asymptotic, no level)",
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
