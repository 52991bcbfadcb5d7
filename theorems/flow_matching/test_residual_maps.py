"""F2: residual maps are invertible when δ·Lip(u) < 1, by a fixed point that converges with that ratio.

Beyond the bound two points may have one image: shown in fractions, and for tanh by interval arithmetic. The
bound is enough, not needed: x + δc·tanh x is increasing for every c > 0, though the iteration fails.
"""

from fractions import Fraction

import flint
import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import strategies as st
from scipy.optimize import brentq

from numerics.accuracy import EPS, Rounding
from numerics.flows.residual import ResidualMap
from numerics.intervals.balls import above
from theorems.flow_matching.drawn import NOTES, residual_map
from theorems.flow_matching.figures import draw_residual_map
from theorems.flow_matching.quadrature import resolved
from theorems.flow_matching.roundings import LIBRARY, of_displacement, of_image
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, for_all
from theorems.setting.vectors import norm

ratios = st.integers(1, 19).map(lambda k: k / 20)


def rational(x, q):
    """φ(x) = x − q·x/(1+x²): δu with δ·Lip(u) = |q|, attained at 0."""
    return x - q * x / (1 + x * x)


@for_all("F2", seed=SEEDS, dim=st.integers(1, 5), hidden=st.integers(1, 4), q=ratios)
def test_fixed_point_converges_with_the_ratio(evidence, seed, dim, hidden, q):
    rng = generator(seed)
    phi = residual_map(rng, dim, hidden, q)
    x = 2 * rng.standard_normal((20, dim))
    y = phi(x)
    size = norm(x) + norm(y) + 1
    path = phi.iterates(y, 40)
    steps = of_image(phi, x).amplified(1 + q) + _of_iterates(phi, y, path)
    lengths = Rounding(
        norm(x) + np.linalg.norm(path, axis=2).max(axis=0), dim / 2 + 4, "lengths of differences"
    )
    rounding = steps + lengths
    on = evidence.on("residual map", seed=seed, dim=dim, hidden=hidden, q=q)
    error = np.linalg.norm(path - x, axis=2)
    on.bounded(
        "|x_{k+1} − φ⁻¹(y)|, k < 40",
        error[1:],
        rounding,
        because="x ↦ y − δu(x) contracts by q = δ‖V‖‖W‖ about φ⁻¹(y): main term q|x_k − φ⁻¹(y)|",
        main=q * error[:-1],
        clause="ratio",
    )
    found = phi.inverse(y)
    on.bounded(
        "|computed φ⁻¹(φ(x)) − x|",
        norm(found.points - x),
        of_image(phi, x).amplified(1 / (1 - q), "φ⁻¹ is 1/(1−q)-Lipschitz") + lengths,
        because="Banach, a posteriori: main term (q·|last move| + rounding)/(1−q), as the inverse states",
        main=resolved(found.error, 1 + float(size.max()), 1e-10),
        clause="bijection",
    )


@pytest.mark.claim("F2")
def test_the_stated_error_holds_where_rounding_is_amplified_most(evidence):
    """For u = −tanh near 0 every step's rounding pushes one way, and the whole series of them is lost.

    The statement stands alone here, with no slack of the check: without its 1/(1−q) it is exceeded.
    """
    q = 1 - 2.0**-12
    phi = ResidualMap([[-1.0]], [[1.0]], [0.0], q)
    x = np.linspace(1e-3, 3e-2, 8)
    y = x - q * np.tanh(x)
    found = phi.inverse(y[:, None])
    with mpmath.workdps(40):
        roots = [
            mpmath.findroot(lambda s, v=v: s - q * mpmath.tanh(s) - v, s) for s, v in zip(x, y, strict=True)
        ]
        error = [abs(float(mpmath.mpf(p) - r)) for p, r in zip(found.points[:, 0], roots, strict=True)]
    evidence.on("x − q·tanh x", q=q).bounded(
        "|computed φ⁻¹(y) − φ⁻¹(y)|, φ⁻¹ to 40 digits",
        np.array(error),
        Rounding.measured(found.error, "(q·|last move| + rounding)/(1−q), as the inverse states"),
        because="Banach, a posteriori",
        clause="ratio",
    )


@for_all("F2", seed=SEEDS, dim=st.integers(1, 5), hidden=st.integers(1, 4), q=ratios)
def test_every_point_has_an_original_and_any_start_finds_it(evidence, seed, dim, hidden, q):
    """Images y are drawn themselves, not made by φ; the start is as far away as one likes."""
    rng = generator(seed)
    phi, y = residual_map(rng, dim, hidden, q), 2 * rng.standard_normal((20, dim))
    found, on = phi.inverse(y), evidence.on("residual map", seed=seed, dim=dim, hidden=hidden, q=q)
    on.bounded(
        "|φ(computed φ⁻¹(y)) − y|, y drawn",
        norm(phi(found.points) - y),
        of_image(phi, found.points) + Rounding(norm(y) + norm(found.points), dim / 2 + 2, "a length"),
        because="φ is onto; main term (1+q) times what the inverse states of itself",
        main=(1 + q) * resolved(found.error, 1 + float(norm(y).max()), 1e-10),
        clause="bijection",
    )
    start = y + 10.0 ** rng.uniform(-3, 6, (20, 1)) * rng.standard_normal(y.shape)
    path = phi.iterates(y, 12, start=start)
    error = np.linalg.norm(path - found.points, axis=2)
    longest = np.linalg.norm(path, axis=2).max(axis=0)
    on.bounded(
        "|x_{k+1} − φ⁻¹(y)|, k < 12, from any start",
        error[1:],
        _of_iterates(phi, y, path)
        + Rounding(longest + norm(found.points), dim / 2 + 4, "lengths of differences"),
        because="a contraction by q about φ⁻¹(y) wherever it starts: main term q|x_k − φ⁻¹(y)|; φ⁻¹'s error",
        main=q * error[:-1] + (1 + q) * found.error,
        clause="ratio",
    )


def _of_iterates(phi, y, path):
    """Of one step y − δu(x): δu's at the worst place it was at, and a difference."""
    worst = of_displacement(phi, np.abs(path).max(axis=0))
    return worst + Rounding(norm(y) + worst.size, 1, "y − δu(x)")


@for_all("F2", seed=SEEDS, dim=st.integers(1, 5), hidden=st.integers(1, 4), q=ratios)
def test_images_stay_apart(evidence, seed, dim, hidden, q):
    """|φ(a) − φ(b)| ≥ (1−q)|a−b| for any a, b, near and far: φ is injective, without derivatives."""
    rng = generator(seed)
    phi, a = residual_map(rng, dim, hidden, q), 2 * rng.standard_normal((40, dim))
    b = a + 10.0 ** rng.uniform(-5, 1, (40, 1)) * rng.standard_normal((40, dim))
    evidence.on("residual map", seed=seed, dim=dim, hidden=hidden, q=q).bounded(
        "(1−q)|a−b| − |φ(a) − φ(b)|, where it is positive",
        np.maximum((1 - q) * norm(a - b) - norm(phi(a) - phi(b)), 0.0),
        of_image(phi, a) + of_image(phi, b) + Rounding(norm(a) + norm(b), dim / 2 + 6, "|a−b|, (1−q)"),
        because="the exact excess is ≤ 0: u is q/δ-Lipschitz",
        clause="apart",
    )
    on = evidence.on("residual map", seed=seed, dim=dim, hidden=hidden, q=q)
    on.bounded(
        "|(φ(x) − x)/δ − u(x)|",
        np.abs((phi(a) - a) / phi.step - phi.displacement(a)).max(axis=1),
        Rounding(np.abs(a).max(axis=1) / phi.step, 2, "a sum and a difference with x, over δ")
        + Rounding(np.abs(phi.displacement(a)).max(axis=1), 5, "a product with δ, and u in both"),
        because="(7); both u are one computation",
    )


@pytest.mark.claim("F2")
@pytest.mark.parametrize("q", [0.2, 0.6, 0.95])
def test_the_ratio_is_attained(evidence, q):
    """Planar map along its own normal, at the steepest point: error ratio q(1 − e²/3) to q for error e."""
    phi = ResidualMap.planar([0.6 * q, 0.8 * q], [0.6, 0.8], 0.0, 1.0)
    path = phi.iterates([[0.0, 0.0]], 12, start=[[0.18, 0.24]])[:, 0]
    error = np.linalg.norm(path, axis=1)
    ratio = error[1:] / error[:-1]
    on = evidence.on("planar map", q=q)
    rounding = Rounding(2.0, LIBRARY + 16, "q, ⟨w,x⟩, tanh, two products, two lengths and a quotient")
    on.bounded(
        "q − |x_{k+1} − x|/|x_k − x|, where it is positive",
        np.maximum(q - ratio, 0.0),
        rounding,
        because="e − e³/3 ≤ tanh e: main term q·e²/3",
        main=q * error[:-1] ** 2 / 3,
        clause="ratio",
    )
    on.bounded(
        "|x_{k+1} − x|/|x_k − x| − q, where it is positive",
        np.maximum(ratio - q, 0.0),
        rounding,
        because="tanh e ≤ e",
        clause="ratio",
    )


@pytest.mark.claim("F2")
def test_rational_map_is_injective_below_one(evidence):
    """(φ(a)−φ(b))/(a−b) = 1 − q(1−ab)/((1+a²)(1+b²)), and the last quotient never exceeds 1."""
    a, b, q = sp.symbols("a b q", real=True)
    quotient = sp.cancel((rational(a, q) - rational(b, q)) / (a - b))
    share = (1 - a * b) / ((1 + a**2) * (1 + b**2))
    on = evidence.on("x − q·x/(1+x²)")
    on.exact(
        "difference quotient",
        sp.simplify(quotient - 1 + q * share) == 0,
        "all a ≠ b, q (symbolic, formulas)",
        clause="bijection",
    )
    squares = (a + b / 2) ** 2 + 3 * b**2 / 4 + (a * b) ** 2
    on.exact(
        "(1+a²)(1+b²) − (1−ab) is a sum of squares: φ is injective for 0 ≤ q < 1, and at q = 1",
        sp.expand((1 + a**2) * (1 + b**2) - (1 - a * b) - squares) == 0,
        domain="all a, b (symbolic, formulas)",
        clause="bijection",
    )


# --- controls and audits ------------------------------------------------------------------------------


@pytest.mark.claim("F2")
@pytest.mark.control("F2")
@pytest.mark.parametrize("root", [Fraction(1, 2), Fraction(1), Fraction(2), Fraction(7, 3)])
def test_two_points_with_one_image(evidence, root):
    """Q = 1 + r²: 0, r and −r all go to 0, in fractions; and the iteration leaves 0 at ratio q."""
    q = 1 + root**2
    on = evidence.on("x − q·x/(1+x²)", q=str(q))
    on.exact(
        "φ(0) = φ(r) = φ(−r) = 0, r = √(q−1)",
        [rational(p, q) == 0 for p in (Fraction(0), root, -root)],
        domain="fractions",
        clause="two points",
    )
    slope, of_map = 2 * float((q - 1) / q), Rounding(float(q), 8, "φ")
    found = brentq(lambda x: rational(x, float(q)), float(root) / 2, 2 * float(root), xtol=4 * EPS)
    on.control(
        f"q = {q}: distance of two points with one image",
        predicted=float(root),
        measured=found,
        agreement=float(Rounding(2 * float(root), 8, "xtol").bound + of_map.bound / slope),
        because="√(q−1); the root of φ by bracketing, its slope there 2(q−1)/q",
    )
    start = Fraction(1, 10**6)
    on.control(
        f"q = {q}: growth of the error in one step of the iteration, near the fixed point 0",
        predicted=float(q),
        measured=float((start - rational(start, q)) / start),
        agreement=2e-12 * float(q),
        because="q/(1+e²) at e = 10⁻⁶",
        intact=1.0,
    )


@pytest.mark.control("F2")
@pytest.mark.parametrize("q", [1.25, 2.0, 4.0])
def test_planar_map_beyond_the_bound(evidence, q):
    """X − q·tanh x: a second zero, enclosed by interval arithmetic; the library refuses to invert."""
    phi = ResidualMap.planar([-q], [1.0], 0.0, 1.0)
    root = brentq(lambda x: float(phi([[x]])[0, 0]), 0.1, q, xtol=4 * EPS)
    reach = 1e-12
    ends = [flint.arb(root + side * reach) for side in (-1, 1)]
    signs = [flint.arb(x) - flint.arb(q) * x.tanh() for x in ends]
    on = evidence.on("planar map", q=q)
    on.certified(
        "φ at a − 10⁻¹² and −φ at a + 10⁻¹², a > 0.1: a zero besides 0",
        [above(signs[0]), above(-signs[1]), 0.1 - root],
        0.0,
        because="balls of both values have one sign each, then continuity",
        chosen="the reach 10⁻¹²",
        kind="inequality",
    )
    on.control(
        f"q = {q}: where the second zero of x − q·tanh x is",
        predicted=_fixed(q),
        measured=root,
        agreement=Rounding(q, 2 * LIBRARY + 8, "two of q·tanh x").bound / (1 - q / np.cosh(root) ** 2),
        because="a = q·tanh a, iterated from q: a contraction by q·sech²a < 1; rounding over 1 − that",
    )
    with pytest.raises(ValueError, match="promised only below 1"):
        phi.inverse([[0.0]])


def _fixed(q):
    x = q
    for _ in range(2000):
        x = q * np.tanh(x)
    return x


@pytest.mark.claim("F2")
@pytest.mark.control("F2")
def test_the_bound_is_enough_but_not_needed(evidence):
    """X + q·tanh x is increasing; yet the iteration for y = 0 leaves the fixed point with ratio q."""
    q, start = 3.0, 1e-6
    phi = ResidualMap.planar([q], [1.0], 0.0, 1.0)
    path = phi.iterates([[0.0]], 1, start=[[start]])[:, 0, 0]
    on = evidence.on("x + q·tanh x", q=q)
    on.control(
        "q = 3 in an invertible map: growth of the error in one step",
        predicted=-q,
        measured=path[1] / path[0],
        agreement=q * start**2,
        because="−q·tanh(e)/e within q·e²/3",
        intact=-1.0,
    )
    slope = phi.jacobian(np.linspace(-9, 9, 200)[:, None])[:, 0, 0]
    on.bounded(
        "1 − φ', where it is positive",
        np.maximum(1 - slope, 0.0),
        Rounding(1.0, LIBRARY, "1 − tanh² is never negative where |tanh| ≤ 1; the sum 1 + q·tanh'"),
        because="tanh' ≥ 0: φ is increasing",
        clause="not needed",
    )


def _no_contraction(on):
    """U with Lip(u) = 3 is inverted all the same, as δ = ¼ makes q = ¾."""
    steep = ResidualMap.planar([-3.0], [1.0], 0.0, 0.25)
    x = np.linspace(-2, 2, 9)[:, None]
    lipschitz = 4 * float(np.abs(steep.jacobian([[0.0]]) - 1)[0, 0, 0])
    found = steep.inverse(steep(x))
    on.bounded(
        "u is no contraction, Lip(u) = 3, δ = ¼: |computed φ⁻¹(φ(x)) − x|",
        np.abs(found.points - x)[:, 0],
        of_image(steep, x).amplified(1 / (1 - steep.contraction), "φ⁻¹ is 1/(1−q)-Lipschitz"),
        because="q = ¾ < 1, the constant that (6) asks for: main term Banach's, as the inverse states",
        main=resolved(found.error, share=1e-12),
    )
    assert lipschitz == 3.0, "u must not contract"


@pytest.mark.control("F2")
def test_equation_6_as_printed(evidence):
    """Entries of ∂u/∂x below 1/δ, as the proof (6a) has it, are not enough; and u need not be a contraction.

    u(x) = −0.9·(1,1) tanh(x₁ + x₂), δ = 1: entries up to 0.9, but q = 1.8, and along (1,1)/2 it is
    s − 1.8·tanh s.
    """
    folding = ResidualMap([[-0.9], [-0.9]], [[1.0, 1.0]], [0.0], 1.0)
    root = _fixed(1.8)
    ends = np.array([[root, root], [-root, -root]]) / 2
    images = folding(ends)
    together = float(norm(images[0] - images[1]))
    own = Rounding(root, 2 * (LIBRARY + 8), "two images, and where they are folded together")
    rounding = float(own.bound / (1 - 1.8 / np.cosh(root) ** 2))
    entries = float(np.abs(folding.jacobian(ends * 0) - np.eye(2)).max())
    on = evidence.on("equation (6)")
    on.control(
        "largest entry of ∂u/∂x, 0.9, taken for Lip(u): distance of the images of two points",
        predicted=0.0,
        measured=together,
        agreement=rounding,
        because="±a(1,1)/2 with a = 1.8·tanh a both go to 0",
        intact=(1 - entries) * float(norm(ends[0] - ends[1])),
    )
    on.audit(
        f"Is x + δu(x) injective because every |∂u_i/∂x_j| ≤ {entries:.2g} < 1/δ = 1, as (6a) argues?",
        "agrees" if together > rounding else "deviates",
        "two points have two images",
        f"at distance {float(norm(ends[0] - ends[1])):.4g}: images at {together:.2g}",
        because="what is needed is q = δ·Lip(u) < 1; q = 1.8 there",
        subject=f"{NOTES}, equation (6)",
        kind="equation",
    )
    _no_contraction(on)
    evidence.figure(
        "A residual map below the bound, at it and beyond it; the fixed-point iteration below it",
        "Left: x − q·x/(1+x²) for three q; beyond 1 a horizontal line meets the curve three times. Right: "
        "errors of the iteration fall as straight lines whose slope is log q.",
        draw_residual_map,
        size=(8.0, 3.4),
    )
