"""The user's own point cloud (--target=FILE.npz): every claim that applies to a finite target, as audits.

Assumed: what the file holds, distinct points with positive weights. The heights are found by transport, and
then the theorem's own checks are asked about the potential they give, with their own measurements and
bounds. Weights are exact to rounding in dimension 1 and 2 and stated with intervals beyond; whatever their
error, P2 to P9 hold exactly for the weights that the heights induce. Nothing here decides a verdict.
"""

import numpy as np
import pytest

from numerics.schedules import Linear, Logarithmic, Polynomial, Trigonometric
from numerics.transport.certify import MOST_ATOMS
from theorems.proximal_denoiser import (
    test_ends,
    test_field,
    test_flow,
    test_minibatch,
    test_moreau,
    test_optimality,
    test_prox,
    test_push_forward,
    test_spectrum,
)
from theorems.proximal_denoiser.user_pictures import draw_errors, draw_plane

SCHEDULES = (Linear(), Trigonometric(), Polynomial(2.0), Logarithmic())
TIMES = (1e-3, 0.3, 0.7, 0.99)
SEEDS = (1, 2, 3)
DRAWS = 100_000
BATCH = 64
CHECKS = {
    "P1": (
        test_optimality.test_gap_vanishes_on_optimal_pairs,
        test_optimality.test_gap_is_nonnegative_on_all_pairs,
        test_optimality.test_identity_is_an_optimal_assignment,
    ),
    "P2": (
        test_prox.test_prox_returns_the_data_point,
        test_prox.test_interpolant_lies_in_the_operator,
        test_prox.test_inverse_is_single_valued_and_lipschitz_everywhere,
    ),
    "P3": (
        test_field.test_regression_target_is_a_function_of_the_interpolant,
        test_field.test_field_has_the_stated_formula,
    ),
    "P4": (
        test_moreau.test_noise_is_recovered,
        test_moreau.test_envelope_has_this_gradient,
        test_moreau.test_conjugate_of_psi,
        test_moreau.test_field_is_the_gradient_of_its_potential,
    ),
    "P5": (
        test_spectrum.test_prox_jacobian_is_a_contraction,
        test_spectrum.test_field_spectrum_lies_between_the_rates,
        test_spectrum.test_field_is_lipschitz_on_all_of_space,
    ),
    "P6": (test_flow.test_trajectories_keep_apart,),
    "P7": (test_ends.test_atoms_are_found_at_once,),
}
NAMED = [
    pytest.param(i, check, id=f"{i}-{check.__name__}") for i, checks in CHECKS.items() for check in checks
]


@pytest.fixture
def solution(user_target):
    """The solved target; where the solver gives up, `test_the_solver_reaches_an_answer` says why."""
    try:
        return user_target.solution
    except RuntimeError as error:
        pytest.skip(str(error))


def test_the_solver_reaches_an_answer(evidence, user_target):
    try:
        found = user_target.solution
    except RuntimeError as error:
        evidence.auditing(user_target.name, "P1").ended_in(error, "heights by semidiscrete transport")
        return
    n, d = found.points.shape
    low, high = found.total_variation_interval()
    extremes = found.weights.min(), found.weights.max()
    evidence.table(
        f"{user_target.name}: what the solver found",
        ("points", "dimension", "method", "steps", "largest |mass − weight|", "± at most", "level"),
        [(n, d, found.method, found.iterations, found.error.max(), found.uncertainty.max(), found.level)],
    )
    evidence.table(
        f"{user_target.name}: weights and cost",
        ("least weight", "largest weight", "stopped by rounding", "TV from", "TV to", "W₂²", "dual"),
        [(*extremes, int(found.stalled.sum()), low, high, found.w2_squared, found.w2_dual)],
    )
    _picture(evidence, user_target.name, found)
    gap = abs(found.w2_squared - found.w2_dual)
    evidence.audit(
        "Do primal and dual give the same W₂²?",
        "agrees" if gap <= found.w2_uncertainty else "deviates",
        expected=f"|{found.w2_squared:.10g} − {found.w2_dual:.10g}| at most {found.w2_uncertainty:.3g}",
        measured=gap,
        because="strong duality; rounding and the weights' error, or six standard errors of the estimates",
        subject=user_target.name,
        kind="data",
    )


def _picture(evidence, name, found):
    if found.points.shape[1] == 2:
        evidence.figure(
            f"{name}: the points, and the noise that is sent to each",
            "Left, points sized by weight; right, their Laguerre cells over the noise, in the same colours.",
            lambda figure: draw_plane(figure, found),
            size=(9.0, 4.4),
            format="png",
        )
    else:
        evidence.figure(
            f"{name}: errors of the weights",
            "Histogram of mass minus weight over the stated uncertainty, atom by atom.",
            lambda figure: draw_errors(figure, found),
        )


def test_the_weights_arrive(evidence, user_target, solution, rng):
    auditor = evidence.auditing(user_target.name, "P1").on(solution.potential)
    n, d = solution.points.shape
    if d == 1:
        test_push_forward.measure_push_forward_on_the_line(auditor, solution)
    elif d == 2:
        test_push_forward.measure_push_forward_in_the_plane(auditor, solution)
        if n <= MOST_ATOMS:
            test_push_forward.measure_proved_push_forward(auditor, solution)
    else:
        test_push_forward.measure_frequencies(auditor, solution, rng, min(DRAWS, 10**8 // (n * d)))


@pytest.mark.parametrize(("claim", "check"), NAMED)
def test_the_claims_on_this_target(evidence, user_target, solution, claim, check):
    auditor = evidence.auditing(user_target.name, claim)
    inner = check.hypothesis.inner_test
    wanted = inner.__code__.co_varnames[: inner.__code__.co_argcount]
    target = solution.potential
    for case in _cases(wanted):
        try:
            inner(auditor, target=target, **case)
        except (RuntimeError, ValueError, np.linalg.LinAlgError) as error:
            auditor.ended_in(error, check.__name__.removeprefix("test_").replace("_", " "))


def _cases(wanted):
    """What a check takes besides the target: every schedule at every time, or every time, or seeds."""
    if "schedule" in wanted:
        grid = [(s, t) for s in SCHEDULES for t in TIMES]
        return [{"schedule": s, "t": t, "seed": k} for k, (s, t) in enumerate(grid)]
    if "t" in wanted:
        return [{"t": t, "seed": k} for k, t in enumerate(TIMES)]
    return [{"seed": seed} for seed in SEEDS]


def test_a_batch_of_this_target(evidence, user_target, solution, rng):
    auditor = evidence.auditing(user_target.name, "P9")
    n, d = solution.points.shape
    for case in _cases(("schedule",)):
        chosen = rng.choice(n, min(n, BATCH), replace=False, p=solution.weights)
        x0, schedule, t = rng.standard_normal((len(chosen), d)), case["schedule"], case["t"]
        on = auditor.on("FiniteAtoms", schedule=schedule, t=t)
        test_minibatch.measure_recovery_of_a_batch(on, x0, solution.points[chosen], schedule, t)
