"""The user's own point cloud (--target=FILE.npz): the claims of the proximal formulation, as audits.

Assumed: what the file holds, distinct points with positive weights. The heights are found by transport, and
then the theorem's own checks are asked about the potential they give, with their own measurements and
bounds, but for those that say why not. Weights are exact to rounding in dimensions 1 to 3 and stated
with intervals beyond; whatever their error, P2 to P9 hold exactly for the weights that the heights induce.
Nothing here decides a verdict.
"""

import numpy as np
import pytest
from scipy.stats import chi2

from numerics.accuracy import Rounding
from numerics.flows.exact import ExactField
from numerics.schedules import Linear
from numerics.transport import certify_space
from numerics.transport.certify import MOST_ATOMS
from theorems.proximal_denoiser import test_minibatch, test_push_forward, test_push_forward_in_space
from theorems.proximal_denoiser.sampled_heights import measure_duality, on_fresh_noise
from theorems.proximal_denoiser.user_figures import draw_errors, draw_plane
from theorems.setting.audits import ask, asked_in, potential, solved
from theorems.setting.induced_cost import cost_reach
from theorems.setting.quantifiers import SCHEDULES, TIMES
from theorems.setting.vectors import norm
from theorems.statistics import gaussian_lipschitz, hoeffding

LEVEL = 1e-9
DRAWS = 100_000
BATCH = 64
MOST_ON_RAYS = 1000


@pytest.mark.asks("P1")
def test_the_solver_reaches_the_weights(evidence, user_target, rng):
    try:
        found = user_target.solution
    except RuntimeError as error:
        evidence.auditing(user_target.name, "P1").ended_in(error, "heights by semidiscrete transport")
        return
    n, d = found.points.shape
    cloud = n, user_target.merged, d, user_target.asked.dim
    low, high = found.total_variation_interval()
    errors = found.error.max(), found.uncertainty.max()
    extremes = found.weights.min(), found.weights.max()
    evidence.table(
        f"{user_target.name}: what the solver found",
        (
            *("points", "merged", "dimension", "checks asked in", "method", "steps"),
            *("largest |mass − weight|", "± at most", "level"),
        ),
        [(*cloud, found.method, found.iterations, *errors, found.level)],
    )
    evidence.table(
        f"{user_target.name}: weights and cost",
        ("least weight", "largest weight", "stopped by rounding", "TV from", "TV to", "W₂²", "dual"),
        [(*extremes, int(found.stalled.sum()), low, high, found.w2_squared, found.w2_dual)],
    )
    if user_target.notes:
        evidence.table(f"{user_target.name}: how it was read", ("",), [(note,) for note in user_target.notes])
    _picture(evidence, user_target.name, found)
    _weigh(evidence.auditing(user_target.name, "P1").on(found.potential), found, rng)


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


def _weigh(on, solution, rng):
    n, d = solution.points.shape
    if d == 1:
        test_push_forward.measure_push_forward_on_the_line(on, solution)
    elif d == 2:
        test_push_forward.measure_push_forward_in_the_plane(on, solution)
        if n <= MOST_ATOMS:
            test_push_forward.measure_proved_push_forward(on, solution)
    elif d == 3 and solution.method == "space":
        test_push_forward_in_space.measure_push_forward_in_space(on, solution)
        if n <= certify_space.MOST_ATOMS // 2:
            test_push_forward_in_space.measure_proved_push_forward(on, solution)
    else:
        test_push_forward.measure_frequencies(on, solution, rng, _draws(solution))


def _draws(solution):
    return min(DRAWS, 10**8 // solution.points.size)


@pytest.mark.asks("P1")
def test_primal_and_dual_give_the_same_cost(evidence, user_target, rng):
    """W₂² as the cost of the plan, by the solver; as the dual, along rays or as a mean over fresh noise."""
    solution = solved(user_target)
    auditor = evidence.auditing(user_target.name, "P1").on(solution.potential)
    if solution.points.shape[1] == 2 and len(solution.points) <= MOST_ON_RAYS:
        test_push_forward.measure_duality_in_the_plane(auditor, solution)
    else:
        measure_duality(auditor, solution, on_fresh_noise(solution, rng, _draws(solution)))


@pytest.mark.asks("P6")
def test_kinetic_energy_is_the_transport_cost(evidence, user_target, rng):
    """P6, Benamou–Brenier: |v_t(x_t)| is |x₁ − x₀| at every t, and its mean square W₂²."""
    solution = solved(user_target)
    on = evidence.auditing(user_target.name, "P6").on(solution.potential)
    d, draws = solution.points.shape[1], min(_draws(solution), 20_000)
    field, centre = ExactField(solution.potential, Linear()), solution.weights @ solution.points
    x0 = rng.standard_normal((draws, d))
    t = rng.uniform(0.05, 0.95, 4)
    parts = np.array_split(x0, len(t))
    found = sum((field.velocity(s, field.flow(s, part)) ** 2).sum() for s, part in zip(t, parts, strict=True))
    # |x₁−x₀|² = |x₀|² − 2⟨x₀,m⟩ − 2(φ* − ⟨x₀,m⟩) + (|y_i|² − 2g_i): χ², a normal, Lipschitz, bounded.
    tail, bounded = LEVEL / 6, (solution.points**2).sum(axis=1) - 2 * solution.heights
    squares = max(chi2.isf(tail, d * draws) / draws - d, d - chi2.ppf(tail, d * draws) / draws)
    lipschitz = norm(centre) + norm(solution.points - centre).max()
    on.statistical(
        "|kinetic energy − W₂²|",
        abs(found / draws - solution.w2_squared),
        threshold=squares
        + 2 * gaussian_lipschitz(draws, lipschitz, tail)
        + hoeffding(draws, float(np.ptp(bounded)), tail)
        + cost_reach(solution, 2 * tail),
        level=LEVEL,
        because="exact χ² quantiles, Gaussian concentration of φ*, Hoeffding for |y|² − 2g; the same two for"
        " the noise that the solver held out, if it sampled",
        points=draws,
    )


@pytest.mark.parametrize(("claim", "check"), asked_in(__package__))
def test_the_claims_on_this_target(evidence, user_target, claim, check):
    ask(evidence.auditing(user_target.name, claim), check, potential(user_target))


@pytest.mark.asks("P7")
def test_the_denoiser_ends_as_the_projection(evidence, user_target, rng):
    """⟨z − u, y_i − u⟩ ≤ λ(φ(y_i) − φ(u)) ≤ λ·(max g − min g) for u = prox: the projection's inequality."""
    target = potential(user_target)
    z = target.scale * 2 * rng.standard_normal((200, target.dim)) + target.points.mean(axis=0)
    for remaining in (1e-3, 1e-6, 1e-9):
        step = remaining / (1 - remaining)
        u = target.prox(z / (1 - remaining), step)
        away = z / (1 - remaining) - u
        worst = (away @ target.points.T).max(axis=1) - (away * u).sum(axis=1)
        reach = norm(target.points).max() + norm(u)
        products = Rounding((norm(away) + norm(z)) * reach, target.dim + 3, "inner products")
        of_prox = target.roundings.prox(z / (1 - remaining), step).amplified(norm(away) + reach)
        evidence.auditing(user_target.name, "P7").on(target, remaining=remaining).bounded(
            "max_i⟨z − u, y_i − u⟩ for u = prox_{λφ}(z), which is ≤ 0 for the projection; "
            f"1−t = {remaining:g}",
            np.maximum(worst, 0.0),
            products + of_prox,
            because="(z−u)/λ ∈ ∂φ(u), and φ lies between the least and the largest height on the atoms",
            main=step * np.ptp(target.heights),
        )


@pytest.mark.asks("P9")
def test_a_batch_of_this_target(evidence, user_target, rng):
    solution = solved(user_target)
    auditor = evidence.auditing(user_target.name, "P9")
    n, d = solution.points.shape
    for schedule in SCHEDULES.grid:
        for t in TIMES.grid:
            chosen = rng.choice(n, min(n, BATCH), replace=False, p=solution.weights)
            on = auditor.on("FiniteAtoms", schedule=schedule, t=t)
            noise = rng.standard_normal((len(chosen), d))
            test_minibatch.measure_recovery_of_a_batch(on, noise, solution.points[chosen], schedule, t)
