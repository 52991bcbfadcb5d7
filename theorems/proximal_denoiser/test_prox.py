"""P2 (Lemma 2.1): the inverse of H_t is a proximal operator, and it returns the data point.

Assumed: the contract of the potential, nothing of densities. In the order of the proof: x_t lies in
α∂φ(x₁) + βx₁, so x₁ = prox_{λφ}(x_t/β) exactly; H_t is β-strongly monotone, so its inverse is single-valued
and (1/β)-Lipschitz everywhere. Indicator potentials cannot see the step: a second identity check runs over
families whose φ varies on its domain, and the controls are on those.
"""

import numpy as np
import pytest
from scipy.special import ndtr

from numerics.accuracy import EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.potentials import DegenerateGaussian, Ellipsoid, FiniteAtoms, Sphere
from numerics.schedules import Linear
from theorems.proximal_denoiser.figures import draw_interpolation
from theorems.setting.draws import generator
from theorems.setting.interpolant import Interpolant
from theorems.setting.quantifiers import SCHEDULES, SEEDS, TARGETS, TIMES, VARYING, for_all
from theorems.setting.roundings import dot_rounding, length_rounding
from theorems.setting.vectors import dot, norm
from theorems.statistics import hoeffding

RECOVERY = "prox returns x₁ exactly; what T, x_t/β and prox round"


def _check_recovery(evidence, target, schedule, t, seed, quantity):
    at = Interpolant.drawn(target, schedule, t, 500, generator(seed))
    evidence.on(target, schedule=schedule, t=t, seed=seed).bounded(
        quantity, norm(at.solved.point - at.x1), at.of_recovery, because=RECOVERY, clause="recovery"
    )


@for_all(
    "P2",
    target=TARGETS,
    schedule=SCHEDULES,
    t=TIMES,
    seed=SEEDS,
    also=(
        {"schedule": Linear(), "t": 1e-6, "seed": 2},
        {"schedule": Linear(), "t": 1 - 1e-6, "seed": 3},
    ),
)
def test_prox_returns_the_data_point(evidence, target, schedule, t, seed):
    _check_recovery(evidence, target, schedule, t, seed, "|prox_{λφ}(x_t/β) − x₁|")


@for_all(
    "P2",
    target=VARYING,
    schedule=SCHEDULES,
    t=TIMES,
    seed=SEEDS,
    unasked="for one target it is the check above",
)
def test_prox_returns_the_data_point_where_the_step_matters(evidence, target, schedule, t, seed):
    _check_recovery(evidence, target, schedule, t, seed, "|prox_{λφ}(x_t/β) − x₁|, φ not constant")


@for_all("P2", target=TARGETS, t=TIMES, seed=SEEDS)
def test_interpolant_lies_in_the_operator(evidence, target, t, seed):
    """x_t ∈ H_t(x₁) says that (x_t − βx₁)/α lies in ∂φ(x₁), for x₁ = prox(x_t/β)."""
    at = Interpolant.drawn(target, Linear(), t, 3, generator(seed))
    found = at.solved
    sets = [target.subdifferential(data) for data in found.point]
    distance = [members.distance(y)[0] for members, y in zip(sets, found.dual, strict=True)]
    stated = [members.rounding * (1 + norm(y)) for members, y in zip(sets, found.dual, strict=True)]
    beside = [members.blur / at.step for members in sets]
    of_set = Rounding.measured(np.array(stated) + beside, "what ∂φ states of itself, and of the face taken")
    evidence.on(target, t=t, seed=seed).bounded(
        "distance of (x_t − βx₁)/α from ∂φ(x₁)",
        np.array(distance),
        of_set + found.rounding.dual,
        because="the exact dual lies in ∂φ of the exact prox",
        clause="inverse",
    )


@for_all("P2", target=TARGETS, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
def test_inverse_is_single_valued_and_lipschitz_everywhere(evidence, target, schedule, t, seed):
    """β|u − u'|² ≤ ⟨u − u', y − y'⟩ for u = H⁻¹(y) at arbitrary y: strong monotonicity of H."""
    rng = generator(seed)
    alpha, beta = float(schedule.alpha(t)), float(schedule.beta(t))
    step = alpha / beta
    n = 400
    z = (target.scale + step) * rng.standard_normal((n, target.dim))
    near = z + 10.0 ** rng.uniform(-6, 0, (n, 1)) * target.scale * rng.standard_normal(z.shape)
    here, there = target.proximal_point(z, step), target.proximal_point(near, step)
    change, apart = here.point - there.point, z - near
    of_change = here.rounding.point + there.rounding.point
    formed = dot_rounding(change, change) + dot_rounding(change, apart)
    twice = of_change.amplified(2 * norm(change) + norm(apart) + of_change.bound, "in |u−u'|² and ⟨u−u', ·⟩")
    on = evidence.on(target, schedule=schedule, t=t, seed=seed)
    on.bounded(
        "|u−u'|² − ⟨u−u', z−z'⟩ with z = y/β (strong monotonicity of H)",
        np.maximum(norm(change) ** 2 - dot(change, apart), 0.0),
        twice + formed + Rounding(norm(change) * norm(apart), 4, "differences of points are rounded"),
        because="the exact excess is ≤ 0; each u errs by what it states",
        clause="monotonicity",
    )
    on.bounded(
        "|u−u'| − |z−z'| (H⁻¹ is 1/β-Lipschitz)",
        np.maximum(norm(change) - norm(apart), 0.0),
        of_change + length_rounding(change) + length_rounding(apart),
        because="the exact excess is ≤ 0; each u errs by what it states",
        clause="monotonicity",
    )


@pytest.mark.claim("P2")
def test_picture_of_the_three_points(evidence):
    """The paper's figure 1, drawn from computed values."""
    field = ExactField(Ellipsoid([[4.0, 1.2], [1.2, 1.0]]), Linear())
    angles = np.linspace(0, 2 * np.pi, 9)[:-1] + 0.3
    x0 = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.linspace(0.9, 3.0, 8)[:, None]
    t = 0.5
    at = Interpolant(field.potential, field.schedule, x0, 1 - t)
    evidence.on(field.potential, t=t).bounded(
        "|H_t⁻¹(x_t) − T(x₀)| at the points drawn",
        norm(at.solved.point - at.x1),
        at.of_recovery,
        because=RECOVERY,
        clause="recovery",
    )
    evidence.figure(
        "Noise x₀, interpolant x_t and data x₁, with T and H_t⁻¹",
        "Lines from noise points through interpolants to the points of an ellipse that the prox returns.",
        lambda figure: draw_interpolation(figure, field, x0, t),
    )


# --- controls -----------------------------------------------------------------------------------------


def _gaussian(sigma):
    return DegenerateGaussian([0.0, 0.0, 0.0], np.diag([sigma**2, sigma**2, 0.0]))


def _relative_error(found, x1):
    """Coordinates of range Σ: the flat one is exact whatever the step."""
    return np.abs(found[:, :2] - x1[:, :2]) / np.abs(x1[:, :2])


def _cancellation(target, z, step, x1):
    """Of the relative error |u − x₁|/|x₁|: what prox and T err by, over the smallest coordinate; a quotient.

    The prediction is that of a linear map, so what z is off by counts at most twice.
    """
    of_prox = target.roundings.prox(z, step).largest().bound
    of_z = 4 * EPS * norm(z).max() + 2 * target.roundings.transport(x1).largest().bound
    return (of_prox + of_z) / np.abs(x1[:, :2]).min() + 4 * EPS


@pytest.mark.control("P2")
@pytest.mark.parametrize("sigma", [0.5, 2.0])
@pytest.mark.parametrize("factor", [0.5, 1.1, 3.0])
@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_wrong_step_on_a_degenerate_gaussian(evidence, rng, sigma, factor, t):
    target, step = _gaussian(sigma), (1 - t) / t
    x0, x1 = target.sample(500, rng)
    z = x1 + step * x0
    found = target.prox(z, factor * step)
    evidence.on(target, factor=factor, t=t).control(
        f"step {factor}·λ instead of λ: relative error of the recovered coordinate",
        predicted=abs(factor - 1) * step / (sigma + factor * step),
        measured=_relative_error(found, x1),
        agreement=_cancellation(target, z, factor * step, x1),
        because="(σ+λ)/(σ+sλ) − 1 in closed form; rounding of prox over the smallest coordinate",
    )


@pytest.mark.control("P2")
@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_missing_division_by_beta(evidence, rng, t):
    target, step = _gaussian(0.5), (1 - t) / t
    x0, x1 = target.sample(500, rng)
    xt = (1 - t) * x0 + t * x1
    found = target.prox(xt, step)
    evidence.on(target, t=t).control(
        "prox of x_t instead of x_t/β: relative error of the recovered coordinate",
        predicted=1 - t,
        measured=_relative_error(found, x1),
        agreement=_cancellation(target, xt, step, x1),
        because="prox is linear here and x_t = β·(x_t/β): the coordinate comes out β times too small",
    )


@pytest.mark.control("P2")
@pytest.mark.parametrize("t", [0.2, 0.7])
def test_swapped_alpha_and_beta(evidence, rng, t):
    sigma, step = 0.5, (1 - t) / t
    target = _gaussian(sigma)
    x0, x1 = target.sample(500, rng)
    z = x1 + step * x0
    found = target.prox(z, 1 / step)
    evidence.on(target, t=t).control(
        "step β/α instead of α/β: relative error of the recovered coordinate",
        predicted=abs(step - 1 / step) / (sigma + 1 / step),
        measured=_relative_error(found, x1),
        agreement=_cancellation(target, z, 1 / step, x1),
        because="(σ+λ)/(σ+1/λ) − 1 in closed form; rounding of prox over the smallest coordinate",
    )


@pytest.mark.control("P2")
@pytest.mark.parametrize(("weight", "factor"), [(0.7, 3.0), (0.9, 1.5)])
def test_wrong_step_on_unequal_atoms(evidence, rng, weight, factor):
    """With b = Φ⁻¹(w) > 0, step sλ loses exactly the noise with b < p < sb, p along y₁ − y₀."""
    target, n, step, level = FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], weight), 100_000, 0.7, 1e-9
    x0, x1 = target.sample(n, rng)
    lost = norm(target.prox(x1 + step * x0, factor * step) - x1) > 1e-6
    b = target.heights[1] / norm(target.points[1] - target.points[0])
    evidence.on(target, factor=factor).control(
        f"step {factor}·λ on two unequal atoms: probability that the atom is not returned",
        predicted=ndtr(factor * b) - ndtr(b),
        measured=lost.mean(),
        agreement=hoeffding(n, 1.0, level),
        because="y₁ is kept iff p ≥ sb, y₀ iff p ≤ sb; Hoeffding",
        level=level,
        points=n,
    )


@pytest.mark.claim("P2")
@pytest.mark.parametrize("target", [FiniteAtoms.hypercube(3), Sphere(2, 2.0)], ids=["cube", "circle"])
def test_indicators_cannot_see_the_step(evidence, rng, target):
    """Why the controls above are not run on polytopes and spheres: there the wrong step changes nothing."""
    x0, x1 = target.sample(500, rng)
    z = x1 + 0.7 * x0
    evidence.on(target).bounded(
        "|prox with three times the step − prox| where φ is 0 or +∞",
        norm(target.prox(z, 2.1) - target.prox(z, 0.7)),
        target.roundings.prox(z, 2.1) + target.roundings.prox(z, 0.7),
        because="prox is a projection: both sides are the same point, computed twice",
    )
