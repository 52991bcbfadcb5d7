"""H5: the whole curve of the eigenvalues of (1−t)Dv_t, and its limit −γP_N.

Assumed: A1–A5 and SC. The Jacobian goes through the prox. Control: a schedule with γ = 0.
"""

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.accuracy import EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.flows.spectrum import path_eigenvalues, path_jacobians
from numerics.geometry import norms
from numerics.potentials import FiniteAtoms, Sphere
from numerics.schedules import Linear, Logarithmic, Polynomial, Trigonometric, VariancePreserving
from theorems.normal_hyperbolicity.assumptions import at_points
from theorems.normal_hyperbolicity.bundles import (
    bundles,
    coefficients,
    compared,
    field_jacobian,
    formula_rounding,
)
from theorems.normal_hyperbolicity.figures import draw_spectrum
from theorems.setting.draws import generator
from theorems.setting.interpolant import Interpolant
from theorems.setting.quantifiers import HYPERBOLIC, SEEDS, WITH_A_MANIFOLD, for_all
from theorems.setting.values import Values

CIRCLE = Sphere(2, 2.0)
hyperbolic = st.sampled_from(
    [Linear(), Polynomial(0.5), Polynomial(2.5), Trigonometric(), VariancePreserving()]
)
remaining_times = st.integers(50, 600).map(lambda k: 10.0 ** (-k / 100))
REMAINING = Values(remaining_times, 1e-3, (0.3, 1e-2, 1e-3))


@for_all(
    "H5",
    target=WITH_A_MANIFOLD,
    schedule=Values(hyperbolic, Trigonometric(), HYPERBOLIC),
    remaining=REMAINING,
    seed=SEEDS,
)
def test_rescaled_jacobian_tends_to_the_normal_projector(evidence, target, schedule, remaining, seed):
    """‖(1−t)Dv + γP_N‖ is at most the larger of SC's remainder and (1−t)|α̇+β̇κ|/(α+βκ)."""
    alpha, beta, fall, rise = coefficients(schedule, remaining)
    for bundle in bundles(target, 60, generator(seed)):
        found = compared(target, bundle, schedule, remaining)
        eye = np.eye(bundle.dimension)
        limit = bundle.spread(0 * eye[None] * bundle.hessian, -schedule.terminal_order)
        curve = remaining * field_jacobian(bundle, schedule, remaining)
        # Dv through the prox is within ``found.error`` of the curve; so is its distance from the limit.
        error = np.linalg.norm(curve - limit, ord=2, axis=(1, 2)) + remaining * found.error
        h = np.linalg.eigvalsh(bundle.hessian)
        tangent = (remaining * np.abs(fall * h + rise) / (alpha * h + beta)).max(axis=1, initial=0.0)
        remainder = min(
            abs(remaining * fall / alpha + schedule.terminal_order), remaining
        )  # by Taylor at most 1−t
        normal = remainder if bundle.dimension < target.dim else 0.0
        of_curve = formula_rounding(target, bundle, schedule, remaining)
        margins = at_points(target, bundle.x0, schedule, remaining)
        evidence.on(target, schedule=schedule, remaining=remaining, seed=seed, margins=margins).bounded(
            "‖(1−t)Dv_t + γP_N‖",
            error,
            (found.rounding + of_curve).amplified(remaining, "times 1−t")
            + Rounding(schedule.terminal_order + np.linalg.norm(curve, axis=(1, 2)), 4 * target.dim, "norms"),
            because="P_N and K share eigenvectors: the norm is the largest of these",
            main=np.maximum(tangent, normal),
            at_kinks=found.at_kinks,
            left_out=found.unknown,
            clause="limit",
        )


@pytest.mark.claim("H5")
def test_rate_symbolically(evidence):
    import sympy as sp

    k, s = sp.symbols("kappa s", positive=True)
    curve = s * (k - 1) / (1 + (1 - s) * (k - 1))
    evidence.exact(
        "lim of (1−t)Dv_t's tangential eigenvalue over 1−t is (κ−1)/κ",
        sp.simplify(sp.limit(curve / s, s, 0) - (k - 1) / k) == 0,
        "all κ > 0, linear schedule",
        clause="rate",
    )
    normal = sp.simplify(curve.subs(k, 0))
    evidence.exact("at κ = 0 the curve is −1 at every t", normal == -1, "linear schedule", clause="rate")


def _of_the_curve(x0, remaining, jacobians):
    """What eigenvalues of (1−t)Dv_t (n,) round, and (1−t)(κ−1)/(α+βκ), whose slope in κ is (1−t)/(α+βκ)²."""
    at = Interpolant(CIRCLE, Linear(), x0, remaining)
    field = at.field.roundings.jacobian(None, at.xt, remaining=remaining, moved=at.of_path.bound)
    field = field + Rounding(np.linalg.norm(jacobians, axis=(1, 2)), 16 * 2 + 1, "its eigenvalues, a product")
    kappa = CIRCLE.radius / norms(x0)
    whole = remaining + (1 - remaining) * kappa
    formula = Rounding(kappa / whole**2, 5, "κ") + Rounding((1 + kappa) / whole, 8, "the quotient")
    return (field + formula).amplified(remaining).bound


@pytest.mark.claim("H5")
def test_curves_on_the_circle(evidence, rng):
    """Figure 3 of the paper with the curve it does not have: 100 trajectories, 40 times."""
    x0, _ = CIRCLE.sample(100, rng)
    t = np.linspace(0.025, 0.999, 40)
    jacobians = path_jacobians(ExactField(CIRCLE), x0, 1 - t)
    found = np.linalg.eigvalsh(jacobians) * (1 - t)[:, None, None]
    kappa = 2 / np.linalg.norm(x0, axis=1)[:, None]
    exact = path_eigenvalues(Linear(), np.concatenate([0 * kappa, kappa], axis=1), remaining=1 - t)
    exact = exact * (1 - t)[:, None, None]
    own = [_of_the_curve(x0, 1 - s, each) for s, each in zip(t, jacobians, strict=True)]
    evidence.on(CIRCLE, margins=at_points(CIRCLE, x0)).bounded(
        "|eigenvalues of (1−t)Dv_t − curve|",
        np.abs(found - exact).max(axis=2).T,
        Rounding.measured(np.transpose(own), "Dv_t, its eigenvalues, and the curve's formula"),
        because="eigenvalues of a symmetric matrix move by no more than it does",
        clause="curve",
    )
    length = np.sqrt(
        -2 * np.log((np.arange(10_000) + 0.5) / 10_000)
    )  # of noise in the plane, at even quantiles
    law = path_eigenvalues(Linear(), (2 / length)[:, None], remaining=1 - t)[..., 0] * (1 - t)[:, None]
    evidence.figure(
        "Eigenvalues of (1−t)Dv_t on the circle, beside the exact curve",
        "The normal eigenvalue is −1 throughout, the tangential one tends to 0 along the exact curve",
        lambda figure: draw_spectrum(figure, t, found[..., 1], found[..., 0], law),
    )


@pytest.mark.control("H5")
@pytest.mark.parametrize("tau", [4.0, 10.0, 13.0])
def test_logarithmic_schedule_tends_to_zero(evidence, rng, tau):
    target = FiniteAtoms.regular_polygon(5)
    x0, x1 = target.sample(20, rng)
    remaining = float(np.exp(-tau))
    alpha, beta, *_ = coefficients(Logarithmic(), remaining)
    field = ExactField(target, Logarithmic())
    found = remaining * field.jacobian(None, alpha * x0 + beta * x1, remaining=remaining)
    evidence.on(target, schedule=Logarithmic(), tau=tau).control(
        "SC violated, γ = 0: eigenvalues of (1−t)Dv_t",
        predicted=-1 / (1 + tau),
        measured=np.linalg.eigvalsh(found),
        agreement=64 * 2 * EPS * (1 + tau),
        because="(1−t)α̇/α = −α = −1/(1+τ), and K = 0",
        intact=-1.0,
    )
