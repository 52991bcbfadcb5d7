r"""N3 (1): along the exact flow neither data point u nor noise y changes, off the support too.

Proof. By Minty every x is α_t y + β_t u for one (y, u) in the graph of ∂φ*, u = prox_{λ_t φ}(x/β_t). So
X_{s→t}: α_s y + β_s u → α_t y + β_t u, whose derivative in t is α̇y + β̇u = v_t(X). ⟨Δy, Δu⟩ ≥ 0 gives
α²|Δy|² + β²|Δu|² ≤ |Δx|²: u is 1/β-Lipschitz and y 1/α-Lipschitz.

Assumed: φ closed, proper, convex; a point x anywhere; times in (0, 1).
"""

import numpy as np
import pytest

from numerics.accuracy import EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.flows.perturbed import kicked, pair_of
from numerics.geometry import norms
from numerics.potentials import DegenerateGaussian
from theorems.setting.draws import generator
from theorems.setting.grammar import times
from theorems.setting.instances import REPRESENTATIVES
from theorems.setting.quantifiers import SCHEDULES, SEEDS, TARGETS, TIMES, for_all
from theorems.setting.statements import HELD, WIDE, by_draws, over, unavoidable
from theorems.setting.values import Values

LATER = Values(times(), 0.8, (0.02, 0.8))


def _anywhere(target, schedule, t, rng, n=40):
    """Points of the size of the interpolant's, of no relation to its law."""
    alpha, beta = float(schedule.alpha(t)), float(schedule.beta(t))
    size = alpha * np.sqrt(target.dim) + beta * target.scale
    return size * rng.standard_normal((n, target.dim))


@for_all("N3", target=TARGETS, schedule=SCHEDULES, s=TIMES, t=LATER, seed=SEEDS)
def test_data_and_noise_are_carried_along(evidence, target, schedule, s, t, seed):
    """From s to t by Minty's formula, either way: prox with another step finds the same pair, v its speed."""
    field = ExactField(target, schedule)
    y, u, of_y, of_u = pair_of(field, s, _anywhere(target, schedule, s, generator(seed)))
    parts = (schedule.alpha, schedule.beta, schedule.alpha_dot, schedule.beta_dot)
    alpha, beta, fall, rise = (float(part(t)) for part in parts)
    there = alpha * y + beta * u
    off = alpha * of_y + beta * of_u + Rounding(alpha * norms(y) + beta * norms(u), 2, "αy + βu").bound
    again, same, of_again, of_same = pair_of(field, t, there)
    on = evidence.on(target, schedule=schedule, s=s, t=t, seed=seed)
    stated = "what prox rounds at both times, and the way"
    for name, first, second, bound in (
        ("|u(t, X_{s→t}x) − u(s, x)|", u, same, of_u + of_same + off / beta),
        ("|y(t, X_{s→t}x) − y(s, x)|", y, again, of_y + of_again + off / alpha),
    ):
        on.bounded(
            name,
            norms(second - first),
            Rounding.measured(bound, stated) + Rounding(norms(first), 4, "a length"),
            because="one Minty pair at both times; u is 1/β-Lipschitz and y 1/α-Lipschitz",
            clause="first integrals",
        )
    formed = Rounding(abs(fall) * norms(y) + abs(rise) * norms(u), 6, "α̇y + β̇u")
    on.bounded(
        "|v_t(X_{s→t}x) − (α̇y + β̇u)|",
        norms(field.velocity(t, there) - (fall * y + rise * u)),
        field.roundings.velocity(t, there, moved=off)
        + Rounding.measured(abs(fall) * of_y + abs(rise) * of_u, stated)
        + formed,
        because="d/dt(α_t y + β_t u) with the pair of s: the way is a solution",
        clause="first integrals",
    )


@for_all("N3", target=TARGETS, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
def test_pairs_move_no_faster_than_points(evidence, target, schedule, t, seed):
    """α²|Δy|² + β²|Δu|² ≤ |Δx|², near and far: of its two consequences either uses one term alone."""
    rng, field = generator(seed), ExactField(target, schedule)
    x = _anywhere(target, schedule, t, rng)
    z = x + 10.0 ** rng.uniform(-6, 1, (len(x), 1)) * _anywhere(target, schedule, t, rng)
    alpha, beta = float(schedule.alpha(t)), float(schedule.beta(t))
    (y, u, *of_x), (noise, data, *of_z) = pair_of(field, t, x), pair_of(field, t, z)
    far_y, far_u, apart = norms(noise - y), norms(data - u), norms(z - x)
    of_pairs = Rounding.measured(alpha * (of_x[0] + of_z[0]) + beta * (of_x[1] + of_z[1]), "prox at both")
    evidence.on(target, schedule=schedule, t=t, seed=seed).bounded(
        "√(α²|Δy|² + β²|Δu|²)",
        np.hypot(alpha * far_y, beta * far_u),
        of_pairs + Rounding(apart + alpha * far_y + beta * far_u, 8, "lengths and a root"),
        because="|Δx| by ⟨Δy, Δu⟩ ≥ 0; what both ends round",
        main=apart,
        clause="first integrals",
    )


@pytest.mark.claim("N3")
@pytest.mark.parametrize("t", [0.1, 0.75])
def test_statements_of_pairs_and_impulses_are_no_larger_than_rounding(evidence, t):
    """A bound on what an impulse rounds is an error of the field to N3: it may not be what lets N3 hold."""
    for target in REPRESENTATIVES:
        field, rng = ExactField(target), generator(5)
        x = _anywhere(target, field.schedule, t, rng)
        _, _, of_y, of_u = pair_of(field, t, x)
        pushes = 0.1 * target.scale * rng.standard_normal((1, *x.shape))
        run = kicked(field, t, x, [(1 + t) / 2], pushes)
        alpha, beta = (1 - t) / 2, (1 + t) / 2
        places = alpha * norms(run.noise[0]) + beta * norms(run.data[0]) + norms(pushes[0])
        on = evidence.on(target, t=t)
        for name, stated, made in (
            ("y", of_y, _unavoidable(field, t, x, 0)),
            ("u", of_u, _unavoidable(field, t, x, 1)),
            ("an impulse", run.slips[0], EPS * places + alpha * of_y + beta * of_u),
        ):
            on.estimated(
                f"statement of {name} over what rounding makes",
                over(Rounding.measured(stated, name), made),
                WIDE,
                by=by_draws(len(x)),
                **HELD,
            )


def _unavoidable(field, t, x, k):
    """What rounding of x and of y (k = 0) or u makes."""
    return unavoidable(lambda at: pair_of(field, t, at)[k], x, generator(1), field.potential.finest)


# --- control ------------------------------------------------------------------------------------------


@pytest.mark.control("N3")
@pytest.mark.parametrize("t", [0.5, 0.8])
def test_a_wrong_step_is_no_first_integral(evidence, rng, t):
    """Gaussian data of deviation σ, prox with twice the step: what it finds drifts from time to time."""
    sigma, s = 1.5, 0.3
    target = DegenerateGaussian([0.0], [[sigma**2]])
    field, x = ExactField(target), rng.standard_normal((100, 1))
    y, u = field.noise(s, x), field.denoise(s, x)

    def found(at):
        position, step = (1 - at) * y + at * u, 2 * (1 - at) / at
        return target.prox(position / at, step)[:, 0]

    def share(at):
        step = (1 - at) / at
        return (sigma + step) / (sigma + 2 * step)

    size = np.abs(u[:, 0]) + np.abs(y[:, 0])
    stated = (
        target.roundings.prox(((1 - s) * y + s * u) / s, 2 * (1 - s) / s).bound
        + target.roundings.prox(((1 - t) * y + t * u) / t, 2 * (1 - t) / t).bound
    )
    evidence.on(target, s=s, t=t).control(
        "prox of twice the step: |drift of u from s to t|",
        predicted=np.abs(u[:, 0] * (share(t) - share(s))),
        measured=np.abs(found(t) - found(s)),
        agreement=stated + Rounding(size / s, 16, "positions, steps and shares").bound,
        because="z = u + λy, y = u/σ: prox of the step 2λ is zσ/(σ + 2λ) = u(σ+λ)/(σ+2λ)",
    )
