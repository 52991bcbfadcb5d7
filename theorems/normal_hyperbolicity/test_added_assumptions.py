"""H9 and H10: what goes wrong without A4 and without A5, in the simplest formulas.

These are findings about Lemma 4.3 and Theorem 4.4 as we know them; the paper's full text may state both
conditions. max(x²/2, |y|) on y = x² shows what A4 is for, but is only a convex function: its conjugate is +∞
on noise of probability 2Φ(−1), so no law has it for its potential (N7). A law that does it is the twin
(test_twin.py).
"""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from numerics.accuracy import EPS
from numerics.flows.spectrum import qr_growth

STEP = 0.7


@pytest.mark.claim("H9")
def test_parabola_symbolically(evidence):
    import sympy as sp

    x, y, s = sp.symbols("x y s", real=True)
    step = sp.Symbol("lambda", positive=True)
    on_m = sp.Max(x**2 / 2, sp.Abs(x**2))
    evidence.exact("A1: φ = x² on M", sp.simplify(on_m - x**2) == 0, "all real x, so H = 2 at 0")
    share, height = sp.symbols("a h", positive=True)
    v = (1 - share) / (1 + share)
    evidence.exact(
        "A2, A3: {0}×[−1,1] ⊂ ∂φ(0), with 0 inside: |y| − vy > 0 for y ≠ 0, |v| < 1",
        [sp.simplify(height - sign * v * height).is_positive for sign in (1, -1)],
        "v = (1−a)/(1+a), a > 0, y = ±h, h > 0; v = ±1 by closure, and max(x²/2, |y|) ≥ |y|",
    )
    best = s / (1 + step)
    lower = x**2 / 2 + (x - s) ** 2 / (2 * step)
    square = sp.simplify(lower - s**2 / (2 * (1 + step)) - (1 + step) / (2 * step) * (x - best) ** 2)
    evidence.exact(
        "e_λφ(s, 0) = s²/(2(1+λ)): max(x²/2,|y|) ≥ x²/2, attained at y = 0",
        [square == 0, sp.simplify(lower.subs(x, best) - s**2 / (2 * (1 + step))) == 0],
        "all s and λ > 0",
    )
    predicted, found = 1 / (1 + 2 * step), 1 / (2 * (1 + step))
    evidence.exact("the limit is not that of H = 2", sp.simplify(predicted - found) != 0, "all λ > 0")
    point = sp.Symbol("p", positive=True)
    active = sp.simplify(point**2 - point**2 / 2)
    gradient = sp.Matrix([sp.diff(y, x), sp.diff(y, y)])
    evidence.exact(
        "A4 fails: at (x, x²), x ≠ 0, |y| alone is active, so ∂φ = {(0,1)} and dist(0, ∂φ) = 1",
        [bool(active.is_positive), gradient.norm() == 1],
        "all x ≠ 0",
    )


def _envelope(tau, step):
    """e_λφ(τ, 0)/τ² for φ = max(x²/2, |y|), at (τx, τ²y): nested searches, which know no closed form."""

    def over_y(x):
        def cost(y):
            return max(x**2 / 2, abs(y)) + (tau * y) ** 2 / (2 * step)

        return float(minimize_scalar(cost, bounds=(-2.0, 2.0), method="bounded").fun) + (x - 1) ** 2 / (
            2 * step
        )

    return float(minimize_scalar(over_y, bounds=(-1.0, 2.0), method="bounded", options={"xatol": 1e-8}).fun)


@pytest.mark.control("H9")
@pytest.mark.parametrize("tau", [0.1, 1e-2, 1e-3])
def test_envelope_on_the_parabola(evidence, tau):
    evidence.on("max(x²/2, |y|) at 0, M = {y = x²}", tau=tau).control(
        "A4 violated: envelope quotient in the tangent direction, λ = 0.7",
        predicted=0.5 / (1 + STEP),
        measured=_envelope(tau, STEP),
        agreement=tau**2 / STEP,
        because="1/(2(1+λ)) = .29412; the search may rest at any |y| ≤ x²/2 ≤ 1/2, which costs (τy)²/(2λ)",
        intact=1 / (1 + 2 * STEP),
    )


@pytest.mark.claim("H10")
def test_cube_root_symbolically(evidence):
    import sympy as sp

    x, t, h, step = sp.symbols("x t h lambda", positive=True)
    evidence.exact(
        "A1: φ = x⁴/4 is C², and T = φ'⁻¹",
        sp.diff(x**4 / 4, x).subs(x, h ** sp.Rational(1, 3)) == h,
        "h > 0",
        clause="assumptions",
    )
    y = sp.Symbol("y", real=True)
    gradient = sp.diff(y**4 / 4, y)
    evidence.exact(
        "A2–A4: φ is differentiable, so ∂φ(x) = {φ'(x)} has dimension 0 = d − m, is its own relative "
        "interior with x₀ = φ'(0) = 0 in it, and φ'(x) → φ'(0) as x → 0",
        [gradient.subs(y, 0) == 0, sp.limit(gradient, y, 0) == 0, sp.diff(y**4 / 4, y, 2) == 3 * y**2],
        "φ'' = 3x² ≥ 0: convex on the whole line; d = m = 1",
        clause="assumptions",
    )
    evidence.exact("A5 fails: H = φ''(0) = 0", sp.diff(x**4 / 4, x, 2).subs(x, 0) == 0, "at 0", clause="H")
    stretch = (1 - t) + t * h ** sp.Rational(-2, 3)
    limit = sp.limit(stretch, h, 0, "+")
    evidence.exact("X_t(h)/h → ∞ as h → 0", limit == sp.oo, "all t > 0, linear schedule", clause="flow")
    u = sp.Symbol("u", real=True)
    slope = 1 / sp.diff(u + step * u**3, u).subs(u, 0)
    evidence.exact(
        "D prox_{λφ}(0) = 1, so Dv_t(0) = 1/t", slope == 1, "all λ > 0: H3 still holds there", clause="H"
    )


def _data(remaining, x):
    """The u with tu + (1−t)u³ = x, t = 1 − remaining: Cardano's formula without cancellation, for x > 0."""
    half, third = x / (2 * remaining), (1 - remaining) / (3 * remaining)
    large = np.cbrt(half + np.sqrt(half**2 + third**3))
    return large - third / large


@pytest.mark.control("H10")
@pytest.mark.parametrize("h", [1e-1, 1e-2, 1e-3])
def test_flow_of_the_cube_root_tears(evidence, h):
    """The field integrated from h: growth grows without bound as h → 0, where a finite one is claimed."""

    def velocity(remaining, x):
        return (_data(remaining[:, None], x) - x) / remaining[:, None]

    def derivative(remaining, x):
        r = remaining[:, None]
        return ((1 / ((1 - r) + 3 * r * _data(r, x) ** 2) - 1) / r)[:, :, None]

    tau = np.log(np.array([2.0, 10.0]))
    tight, loose = (qr_growth(velocity, derivative, [[h]], tau, tolerance=tol) for tol in (1e-10, 1e-8))
    remaining = np.exp(-tau)
    evidence.on("the law of x₀^{1/3} near 0", h=h).control(
        "A5 violated: log|DX_t| at x₀ = h, instead of a bound uniform near 0",
        predicted=np.log(remaining + (1 - remaining) * h ** (-2 / 3) / 3),
        measured=tight.log_growth[1:, 0, 0],
        agreement=2 * np.abs(tight.log_growth - loose.log_growth).max() + 1e4 * EPS,
        because="α+βT'(h), T' = h^{−2/3}/3; the solutions at two tolerances bound the integrator's error",
        intact=0.0,
    )
