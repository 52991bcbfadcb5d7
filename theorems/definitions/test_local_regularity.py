"""D2 is local, in x and in v: a kink whose modulus depends on v̄, and a circle that only has a prox nearby."""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import strategies as st

from numerics.accuracy import EPS, Rounding
from theorems.definitions.known_thresholds import modulus_needed, point_on_circle, slack
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, SHARES, for_all
from theorems.setting.vectors import norm

eighths = st.integers(-40, 40).map(lambda k: Fraction(k, 8))
radii = st.integers(1, 64).map(lambda k: Fraction(k, 8))


@pytest.mark.claim("D2")
def test_modulus_at_a_kink_depends_on_the_subgradient(evidence):
    """|x| is strongly convex nowhere near 0; that decides the modulus of |x| − (ρ/2)x² only with v̄.

    For v̄ = 0 it needs no modulus at all (pairs near (0, 0) have x = 0), for v̄ = ±1 it needs ρ. So "exactly
    ρ where f is not locally strongly convex" is right only near (x̄, v̄), not near x̄.
    """
    x, h, rho = sp.symbols("x h rho", positive=True)
    v = sp.symbols("v", real=True)
    on = evidence.on("|x| − (ρ/2)x²")
    found = [slack(0, h - rho * h**2 / 2, side * v, h, 0) for side in (1, -1)]
    expected = [h * (1 - side * v - rho * h / 2) for side in (1, -1)]
    on.exact(
        "at 0 for v̄ = 0 modulus 0: the slack is h(1 ∓ v − ρh/2), positive for |v| < ½, h < 1/ρ",
        [sp.expand(a - b) == 0 for a, b in zip(found, expected, strict=True)],
        domain="all h, v, ρ (symbolic); ∂(|x| − ρx²/2) meets a small ball at 0 in x = 0 alone",
        clause="local",
    )
    needed = modulus_needed(x - rho * x**2 / 2, (x + h) - rho * (x + h) ** 2 / 2, 1 - rho * x, h)
    on.exact(
        "at 0 for v̄ = 1 modulus ρ: pairs 0 < x < x'",
        sp.simplify(needed - rho) == 0,
        "all x, x', ρ",
        clause="local",
    )


@for_all(
    "D2", radius=radii, parameters=st.lists(eighths, min_size=2, max_size=2, unique=True), normal=eighths
)
def test_circle_is_prox_regular_without_being_convex(evidence, radius, parameters, normal):
    """Of δ_C, C the circle, v = νx/R: every pair needs exactly −ν/R, so inward normals need ρ = |v|/R."""
    (x, y), (a, b) = (point_on_circle(radius, s) for s in parameters)
    move = (a - x) ** 2 + (b - y) ** 2
    pairing = normal * (x * (a - x) + y * (b - y)) / radius
    evidence.on("δ of the circle", R=radius, points=parameters, normal=normal).exact(
        "⟨v, x'−x⟩ = −(ν/2R)|x'−x|²",
        pairing == -normal * move / (2 * radius),
        "rational points, R, ν in ⅛ℤ",
        clause="local",
    )


@for_all("D2", radius=radii, share=SHARES, seed=SEEDS)
def test_prox_is_lipschitz_near_the_circle(evidence, radius, share, seed):
    """Where z = x + λv with λ|v| ≤ sR, the prox (nearest point) has constant 1/(1 − λρ) = 1/(1 − s)."""
    rng, radius = generator(seed), float(radius)
    z, other = rng.standard_normal((2, 200, 2))
    other = z + 10.0 ** rng.uniform(-6, 0, (200, 1)) * other
    z, other = (
        radius * (1 - share * rng.uniform(-1, 1, (200, 1)) ** 3) * p / norm(p)[:, None] for p in (z, other)
    )
    moved = norm(_nearest(radius, z) - _nearest(radius, other))
    evidence.on("δ of the circle", R=radius, share=share, seed=seed).bounded(
        "|prox(z) − prox(z')| above |z − z'|/(1 − λρ)",
        np.maximum(moved - norm(z - other) / (1 - share), 0),
        Rounding(2 * radius / (1 - share), 8, "lengths, quotients and products at both points"),
        because="the exact excess is ≤ 0",
        clause="prox",
    )


# --- control ------------------------------------------------------------------------------------------


@pytest.mark.control("D2")
@pytest.mark.parametrize("radius", [0.5, 3.0])
def test_regularity_of_the_circle_is_local(evidence, radius):
    """Across the centre the nearest point jumps by 2R: there is a prox only nearby, or for small λ."""
    angles = 2 * np.pi * np.arange(4096) / 4096
    circle = radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    z = 1e-9 * np.array([[1.0, 0.0], [-1.0, 0.0]])
    ends = circle[(-z @ circle.T).argmin(axis=1)]
    evidence.on("δ of the circle", R=radius).control(
        "the local prox of a prox-regular function taken for a global one: jump across the centre",
        predicted=2 * radius,
        measured=norm(ends[1] - ends[0]),
        agreement=16 * EPS * radius,
        because="the points are 2e-9 apart, their images antipodal (least over 4096 points of the circle)",
        intact=norm(z[1] - z[0]),
    )


def _nearest(radius, z):
    return radius * z / norm(z)[:, None]
