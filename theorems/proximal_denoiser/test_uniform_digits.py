"""P1 and P2 on real data with weights that were asked for: 1797 digits in 64 dimensions, 1/1797 each.

Assumed: nothing but that the images are distinct. The heights are found by sampling, so the weights are met
up to an error. It is measured on noise that the solver has not seen, held against what its budget promises,
and stated with a confidence interval. Whatever it is, the proximal identity is exact for the weights that the
heights induce. How much noise is drawn goes with the profile's number of examples: at ``thorough`` ten times
as much as at ``quick``.
Control: other weights than those that were asked for.
"""

import numpy as np
import pytest
from hypothesis import settings

from numerics.schedules import Linear, VariancePreserving
from numerics.transport.sampled import Budget
from numerics.transport.semidiscrete import solve
from theorems.proximal_denoiser.digits import digits, draw_masses
from theorems.proximal_denoiser.sampled_heights import measure_duality, measure_weights, on_fresh_noise
from theorems.setting.interpolant import Interpolant
from theorems.setting.vectors import norm
from theorems.statistics import hoeffding

LEVEL = 1e-9
EXAMPLES = settings().max_examples
BUDGET = Budget(draws=10 * EXAMPLES, held_out=5 * EXAMPLES)
"""Noise an atom. At ``thorough`` the solve takes about a minute, at ``quick`` a few seconds."""
FEW = 90


@pytest.mark.claim("P1", "P2")
def test_digits_with_uniform_weights(evidence, rng):
    solution = solve(digits().points, budget=BUDGET, seed=int(rng.integers(2**31)))
    _weights_arrive(evidence, solution, rng)
    _identity_is_exact(evidence, solution, rng)


def _weights_arrive(evidence, solution, rng):
    n, draws = len(solution.weights), solution.draws
    fresh = on_fresh_noise(solution, rng, draws)
    on = evidence.on("digits, uniform weights", draws=draws)
    measure_weights(on, solution, fresh, BUDGET)
    measure_duality(on, solution, fresh)
    on.statistical(
        "total variation between frequencies on fresh noise and the masses that the solver states",
        np.abs(fresh.frequencies - solution.masses).sum() / 2,
        threshold=(np.sqrt(2 * n / draws) + np.sqrt(4 * np.log(1 / LEVEL) / draws)) / 2,
        level=LEVEL,
        because="two samples of N draws of one law: E‖P̂ − P̂'‖₁ ≤ √(2n/N), and a draw moves it by at most 2/N",
        points=draws,
    )
    _show_weights(evidence, solution, fresh.frequencies)


def _show_weights(evidence, solution, found):
    """How nearly the weights are met, by the masses of the solver and by frequencies found on fresh noise."""
    n, draws = len(solution.weights), solution.draws
    low, high = solution.total_variation_interval(LEVEL)
    # Two independent samples: the product of their errors has no sampling noise in its mean.
    unbiased = n * ((found - solution.weights) @ (solution.masses - solution.weights))
    noise = np.sqrt(2 / np.pi * solution.weights / draws).sum() / 2
    evidence.table(
        "Digits with uniform weights 1/1797, solved by sampling: how nearly the weights are met",
        ("quantity", "value"),
        [
            ("noise drawn by the solver, an atom", BUDGET.draws),
            ("noise held out, an atom", BUDGET.held_out),
            ("total variation (TV) on held-out noise", solution.total_variation),
            ("what sampling noise alone gives", noise),
            (f"true TV at least, but for probability {LEVEL:g}", low),
            (f"true TV at most, but for probability {LEVEL:g}", high),
            ("true TV at most, estimated: √χ²/2 from two independent samples", np.sqrt(max(unbiased, 0)) / 2),
            ("W₂² as the cost of the plan", solution.w2_squared),
            ("W₂² as the dual value", solution.w2_dual),
            ("± (six standard errors each, and the weights' errors)", solution.w2_error),
        ],
    )
    evidence.figure(
        "Digits with uniform weights: the share of the noise that each receives",
        "Masses over 1/1797, sorted, in the band of their confidence intervals; the digits farthest off.",
        lambda figure: draw_masses(figure, solution),
        size=(8.5, 3.4),
        format="png",
    )


def _identity_is_exact(evidence, solution, rng):
    target = solution.potential
    x0, _ = target.sample(200, rng)
    for schedule in (Linear(), VariancePreserving()):
        for t in (1e-6, 0.3, 0.99):
            at = Interpolant(target, schedule, x0, 1 - t)
            evidence.on("digits, uniform weights", schedule=schedule, t=t).bounded(
                "|prox_{λφ}(x_t/β) − x₁| over digits, for the weights that the found heights induce",
                norm(at.solved.point - at.x1),
                at.of_recovery,
                because="prox returns the digit exactly, whatever the weights; what x_t/β and prox round",
            )


# --- control ------------------------------------------------------------------------------------------


@pytest.mark.control("P1")
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_other_weights_than_those_asked_for_are_told(evidence, rng, share):
    """Every twentieth digit, half of them to receive ``share`` in all; measured against uniform weights."""
    points = digits().points[:: len(digits().points) // FEW][:FEW]
    half, draws = np.arange(FEW) < FEW // 2, 40_000
    weights = np.where(half, share, 1 - share) / (FEW // 2)
    solution = solve(points, weights, budget=Budget(1000, 500), seed=int(rng.integers(2**31)))
    found = on_fresh_noise(solution, rng, draws).frequencies
    evidence.on("90 digits", share=share).control(
        "weights other than those asked for: mass of half of the digits less the half due to it",
        predicted=share - 0.5,
        measured=found[half].sum() - 0.5,
        agreement=solution.total_variation_interval(LEVEL)[1] + hoeffding(draws, 1.0, LEVEL),
        because="a set's mass errs by at most the total variation, which the solver bounds; Hoeffding",
        level=2 * LEVEL,
        points=draws,
    )
