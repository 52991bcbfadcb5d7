r"""M8: the excess of the cost bounds the error of the field, for every target and every plan of P₀ and P₁.

Derivation. For a pair (x₀, x₁) let p = prox_{λφ}(x₁ + λx₀) and q = x₀ + (x₁−p)/λ, so that q ∈ ∂φ(p). Adding
φ(x₁) ≥ φ(p) + ⟨q, x₁−p⟩ and φ*(x₀) ≥ φ*(q) + ⟨p, x₀−q⟩ gives φ(x₁) + φ*(x₀) − ⟨x₀,x₁⟩ ≥ ⟨x₁−p, q−x₀⟩
= |x₁−p|²/λ. And ẋ_t − v_t(x_t) = (β̇ − α̇β/α)(x₁ − p) for λ = α/β. The mean of the gap is half the excess of
the cost; the mean of the square is the field's error and the plan's loss floor together.

Assumed: Aleksandrov–Brenier potential φ of P₁; data in its domain. Controls: a wrong step, which breaks the
bound where the excess is 0, and half the constant, which two atoms break.
"""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings

from numerics.potentials import DegenerateGaussian, FiniteAtoms
from numerics.schedules import Linear
from numerics.transport.couplings import estimate_excess, estimate_loss
from numerics.transport.sweeps import sweep_excess
from numerics.transport.two_atoms import TwoAtomLaw
from theorems.minibatch_convergence.practice import TOLERANCES, draw_practice, practical_targets, sufficient
from theorems.proximal_denoiser.bounds import dot, norm, pairing_condition
from theorems.representatives import every_family
from theorems.targets import few, generator, schedules, seeds, targets, times

EPS = np.finfo(float).eps
THOROUGH = settings().max_examples >= 200
SIZES = {1: 2000, 4: 500, 16: 120, 64: 30, 256: 12, 512: 12}
MORE_SIZES = {1: 20_000, 4: 5000, 16: 1500, 64: 400, 256: 100, 512: 50, 1024: 25, 2048: 12}
TIMES = (0.5, 0.9)


@pytest.mark.claim("M8")
@given(target=targets(), schedule=schedules(), t=times(), seed=seeds)
@every_family(schedule=Linear(), t=0.5, seed=1)
def test_gap_bounds_the_error_of_the_field_pair_by_pair(evidence, target, schedule, t, seed):
    rng = generator(seed)
    n = few(target, 100)
    x0, x1 = rng.standard_normal((n, target.dim)), target.sample(n, rng)[1]
    step = float(schedule.alpha(t) / schedule.beta(t))
    gap = target.value(x1) + target.conjugate(x0) - dot(x0, x1)
    z = x1 + step * x0
    apart, error = norm(x1 - target.prox(z, step)), 64 * EPS * target.prox_condition(z, step)
    rounding = 64 * target.dim * EPS * pairing_condition(target, x1, x0)
    evidence.on(target, schedule=schedule, t=t, seed=seed).certified(
        "|x₁ − prox_{λφ}(x₁ + λx₀)|², noise and data drawn apart",
        apart**2,
        bound=step * gap + 2 * apart * error + error**2 + step * rounding,
        because="λ·gap, by Fenchel–Young at (p, q); rounding of the prox and of the gap",
    )


@pytest.mark.claim("M8")
@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_bound_is_attained(evidence, t):
    """Atoms 0 and Δ, x₁ = 0 and x₀ = b + Δ/λ: prox goes all the way to the other atom, and no further."""
    w, distance, step = 0.3, 2.0, (1 - t) / t
    target = FiniteAtoms.two([0.0], [distance], w)
    b = TwoAtomLaw([[0.0], [distance]], w, 1).threshold
    x0, x1 = np.array([[b + distance / step]]), np.zeros((1, 1))
    gap = target.value(x1) + target.conjugate(x0) - dot(x0, x1)
    z = x1 + step * x0
    apart = norm(x1 - target.prox(z, step)) ** 2
    evidence.on(target, t=t).bounded(
        "| |x₁ − p|² − λ·gap |",
        np.abs(apart - step * gap),
        condition=distance * target.prox_condition(z, step) + step * pairing_condition(target, x1, x0),
        multiple=64,
        because="both are Δ²: the constant cannot be improved; rounding of the prox and of the gap",
    )


@pytest.mark.claim("M8")
@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_two_atoms_by_quadrature(evidence, t):
    """The loss of v under π_n is the field's error and the floor: loss, floor and excess by own integrals.

    The field's error alone need not fall with n: at t = 0.5 it is 0.032 for n = 4 and 0.049 for n = 16.
    """
    w, distance, sizes, rows = 0.3, 2.0, (1, 4, 16, 64, 256, 1024), []
    on = evidence.on("TwoAtomLaw", w=w, distance=distance, t=t)
    for n in sizes:
        law = TwoAtomLaw([[0.0], [distance]], w, n)
        loss, floor, excess = _loss_of_the_population(law, t), law.loss_floor(t), law.cost_excess()
        bound = excess.value / (2 * t * (1 - t))
        on.certified(
            "E|ẋ_t − v_t|²",
            loss.value,
            bound + loss.error + excess.error / (2 * t * (1 - t)),
            because="(c_n − W₂²)/(2t(1−t)); stated quadrature errors",
        )
        on.certified(
            "loss floor of the plan",
            floor.value,
            loss.value + floor.error + loss.error,
            because="E|ẋ_t − v_t|², the difference being E|v⁽ⁿ⁾ − v|² ≥ 0; stated quadrature errors",
        )
        rows.append([n, loss.value - floor.value, floor.value, loss.value, bound])
    on.table(
        f"two atoms, w = 0.3, Δ = 2, t = {t}: what the bound of M8 gives away",
        ["n", "E|v⁽ⁿ⁾ − v|²", "loss floor", "their sum", "(c_n − W₂²)/(2t(1−t))"],
        rows,
    )


def _loss_of_the_population(law, t):
    """E|ẋ − v|²: with label y₀ prox goes clip(λ(z−b), 0, Δ) too far, with y₁ clip(λ(b−z), 0, Δ)."""
    step = (1 - t) / t

    def integrand(z):
        lower, beyond = law.probability(z), step * (z - law.threshold)
        wrong = lower * np.clip(beyond, 0, law.distance) ** 2
        wrong = wrong + (1 - lower) * np.clip(-beyond, 0, law.distance) ** 2
        return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * wrong / (1 - t) ** 2

    return law.integrate(integrand, law.distance / step)


@pytest.mark.claim("M8")
def test_which_batch_size_is_enough(evidence, rng, jobs):
    """The practical answer: E|v^{(n)} − v|² ≤ E|ẋ − v|², measured with the exact v of three targets.

    Relative to E|v_t|² = W₂². The loss includes the floor of the plan, so n is enough, not needed.
    """
    sizes, cases = (MORE_SIZES if THOROUGH else SIZES), practical_targets(THOROUGH)
    potentials = {name: case.potential for name, case in cases.items()}
    seed = int(rng.integers(2**63))  # the same batches every time

    def measured(estimate):
        return sweep_excess(potentials, sizes, np.random.default_rng(seed), jobs=jobs, estimate=estimate)

    excess = measured(estimate_excess)
    losses = {t: measured(partial(estimate_loss, t=t)) for t in TIMES}
    for name, case in cases.items():
        for t in TIMES:
            for n in sizes:
                evidence.on(name, n=n, t=t).certified(
                    "mean of |ẋ − v|² in a batch",
                    losses[t][name][n].values,
                    bound=excess[name][n].values / (2 * t * (1 - t)) + case.rounding / (t * (1 - t)) ** 2,
                    because="the batch's excess over 2t(1−t), pair by pair; rounding of sums of d squares",
                    points=len(losses[t][name][n].values) * n,
                )
    _show(evidence, cases, excess, losses)


def _show(evidence, cases, excess, losses):
    for t in TIMES:
        evidence.table(
            f"Which batch size is enough for E|v⁽ⁿ⁾ − v|² ≤ ε·E|v|² at t = {t}? (least n measured)",
            ["target", *(f"ε = {e:g}" for e in TOLERANCES)],
            [[name, *sufficient(losses[t][name], case.w2)] for name, case in cases.items()],
        )
    evidence.table(
        "The population's field on plans of n pairs, relative to E|v|² = W₂² (99.9 % intervals)",
        [
            "target",
            "n",
            "loss, t = 0.5",
            "low",
            "high",
            "loss, t = 0.9",
            "low",
            "high",
            "2(c_n − W₂²), t = 0.5",
        ],
        [
            [name, n]
            + [x / case.w2 for t in TIMES for e in [losses[t][name][n]] for x in (e.mean, *e.interval(1e-3))]
            + [2 * row[n].mean / case.w2]
            for name, case in cases.items()
            for row in [excess[name]]
            for n in row
        ],
    )
    evidence.table(
        "Ground truth of the three targets",
        ["target", "potential", "W₂²", "known within"],
        [[name, case.source, case.w2, case.w2_error] for name, case in cases.items()],
    )
    evidence.figure(
        "Error of the field against the batch size: two moons, circle, handwritten digits",
        "On log–log axes the relative loss falls like 1/n on circle and moons and slower on the digits",
        lambda figure: draw_practice(figure, cases, excess, losses),
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("M8")
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_wrong_step_errs_where_the_excess_is_zero(evidence, rng, factor):
    """N(0, σ²), optimal pairs: the bound is 0, and prox with step sλ misses by |x₁||s−1|λ/(σ+sλ)."""
    sigma, step = 1.5, 0.7
    target = DegenerateGaussian([0.0], [[sigma**2]])
    x0, x1 = target.sample(200, rng)
    z = x1 + step * x0
    error = 64 * EPS * (target.prox_condition(z, factor * step) + target.transport_condition(x0))
    evidence.on(target, step=step, factor=factor).control(
        "step sλ instead of λ: |x₁ − p| on optimal pairs",
        predicted=norm(x1) * abs(factor - 1) * step / (sigma + factor * step),
        measured=norm(x1 - target.prox(z, factor * step)),
        agreement=error,
        because="prox of a Gaussian in closed form; rounding",
    )


@pytest.mark.control("M8")
@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_half_the_constant_is_too_little(evidence, t):
    w, distance, step = 0.3, 2.0, (1 - t) / t
    target = FiniteAtoms.two([0.0], [distance], w)
    b = TwoAtomLaw([[0.0], [distance]], w, 1).threshold
    x0, x1 = np.array([[b + distance / step]]), np.zeros((1, 1))
    gap = target.value(x1) + target.conjugate(x0) - dot(x0, x1)
    z = x1 + step * x0
    evidence.on(target, t=t).control(
        "half the gap as the bound: |x₁ − p|² over it",
        predicted=2.0,
        measured=norm(x1 - target.prox(z, step)) ** 2 / (step * gap / 2),
        agreement=256 * EPS * (1 + float(target.prox_condition(z, step)[0]) / distance),
        because="the bound of M8 is attained at x₀ = b + Δ/λ; rounding of prox and gap",
        intact=1.0,
    )
