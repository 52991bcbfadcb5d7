"""P2 on real data: 1797 handwritten digits in 64 dimensions, an exact potential with no density.

Assumed: nothing but that the images are distinct. The weights that the potential induces are shown, not
chosen; the identity is exact for them. The conic solver confirms it on a sample, through the conjugate form.
Control: the posterior mean of independent coupling, which is a blur.
"""

import numpy as np
import pytest

from numerics.accuracy import Rounding
from numerics.flows.independent import IndependentField
from numerics.proximal.certificate import subdifferential, transport
from numerics.proximal.conic import ConicProx
from numerics.schedules import Linear, Trigonometric, VariancePreserving
from theorems.proximal_denoiser.digits import digits, draw_recovery, draw_weights
from theorems.setting.interpolant import Interpolant
from theorems.setting.vectors import norm

TIMES = (1e-6, 1e-2, 0.3, 0.7, 0.99, 1 - 1e-6)
DRAWS = 10_000


@pytest.mark.claim("P2")
@pytest.mark.parametrize("schedule", [Linear(), Trigonometric(), VariancePreserving()], ids=repr)
def test_every_digit_is_recovered(evidence, rng, schedule):
    target = digits()
    x0, _ = target.sample(400, rng)
    for t in TIMES:
        at = Interpolant(target, schedule, x0, 1 - t)
        evidence.on(target, schedule=schedule, t=t).bounded(
            "|prox_{λφ}(x_t/β) − x₁| over handwritten digits",
            norm(at.solved.point - at.x1),
            at.of_recovery,
            because="prox returns the digit exactly; what x_t/β and prox round",
            clause="recovery",
        )


@pytest.mark.claim("P2")
def test_digits_off_their_support_are_those_of_their_cells(evidence, rng):
    """Prox at arbitrary points, in the interior of faces with up to dozens of digits, by ∂φ."""
    target = digits()
    z, step = 1.5 * rng.standard_normal((12, 64)), 0.05
    u = target.prox(z, step)
    proof = subdifferential(target, z, step, u)
    evidence.on(target, step=step).bounded(
        "λ·dist((z−u)/λ, ∂φ(u)) at the active-set answer u",
        proof.bound - proof.rounding,
        Rounding.measured(proof.rounding, "what the face's cell, z − u − λy and the face's own place err by"),
        because="(z−u)/λ is in ∂φ(u); which atoms tie on all of it a linear program says",
        clause="inverse",
    )


@pytest.mark.claim("P2")
def test_conic_solver_confirms_digits(evidence, rng):
    target, t = digits(), 0.5
    x0, x1 = target.sample(6, rng)
    z, step = x1 + (1 - t) / t * x0, (1 - t) / t
    found = ConicProx(target, route="conjugate", block=6)(z, step)
    proof = transport(target, z, step, found)
    evidence.on(target, t=t).bounded(
        "|conic solution − x₁| on handwritten digits",
        norm(found - x1),
        Rounding(norm(x1) + step * norm(x0), 3, "forming z"),
        because="transport certificate of the solver's own answer; prox is nonexpansive in z",
        main=proof.bound,
    )


@pytest.mark.claim("P2")
def test_weights_and_pictures_of_digits(evidence, rng):
    target = digits()
    x0, x1 = target.sample(DRAWS, rng)
    cost = norm(x0 - x1)
    nearest = np.array([norm(target.points - noise).min() for noise in x0[:500]])
    evidence.on(target).bounded(
        "| |x₀ − T(x₀)| − distance of x₀ to the nearest digit |",
        np.abs(cost[:500] - nearest),
        Rounding((norm(x0[:500]) + 2 * target.scale) ** 2 / nearest, 2 * target.dim + 8, "scores, lengths"),
        because="with a = 1 transport is the nearest point; a wrong choice costs its scores' rounding",
    )
    counts = np.unique(np.concatenate([target.points, x1]), axis=0, return_counts=True)[1] - 1
    evidence.table(
        "Weights that the nearest-point potential induces on the digits",
        ("draws", "images reached", "of", "largest weight", "uniform weight"),
        [(DRAWS, int((counts > 0).sum()), len(counts), counts.max() / DRAWS, 1 / len(counts))],
    )
    evidence.figure(
        "Share of the noise that each digit receives",
        "Sorted weights of the 1797 digits on logarithmic axes, with the uniform weight as a line.",
        lambda figure: draw_weights(figure, counts),
    )
    evidence.figure(
        "Digits from noise: the proximal denoiser returns the digit at every t",
        "Rows of noise, interpolants, the digits that prox returns, and blurred independent posterior means.",
        lambda figure: draw_recovery(figure, x0[:4], x1[:4], (0.05, 0.3, 0.7)),
        size=(9.5, 3.8),
        format="png",
    )


# --- control ------------------------------------------------------------------------------------------


@pytest.mark.control("P2")
def test_independent_posterior_mean_is_a_blur(evidence, rng):
    """At t = 0 the posterior is the prior: the mean image, at its distance from each digit."""
    target = digits()
    weights = np.full(len(target.points), 1 / len(target.points))
    blurred = IndependentField(target.points, weights, Linear())
    x0, x1 = target.sample(200, rng)
    t = 1e-9
    found = blurred.denoise(t, (1 - t) * x0 + t * x1)
    reach = 2 * t * norm(x0) * target.scale**2
    evidence.on(target, t=t).control(
        "optimal pairs replaced by independent ones: distance of the denoised digit from x₁ at small t",
        predicted=norm(x1 - target.points.mean(axis=0)),
        measured=norm(found - x1),
        agreement=reach + 1e-12,
        because="the posterior tilts the prior by exp(t⟨x_t, y⟩): the mean moves by at most 2t|x₀|max|y|²",
    )
