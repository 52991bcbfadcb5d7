"""D2: moduli of prox-regularity, and what a modulus gives the prox.

In the plane of pairs (x, x') the inequality is elementary, so fractions decide it wherever f is piecewise
affine or quadratic; the targets cover convex f that are neither. Subgradients are the residuals (z − u)/λ
of the prox at arbitrary z, so that they come from everywhere in ∂φ and not only from the noise.
"""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import strategies as st

from numerics.accuracy import EPS, Rounding
from numerics.potentials import FiniteAtoms
from theorems.definitions.known_thresholds import (
    concave_square,
    modulus_needed,
    penalised,
    slack,
)
from theorems.setting.draws import generator
from theorems.setting.quantifiers import MODULI, SEEDS, SHARES, TARGETS, for_all
from theorems.setting.roundings import gap_rounding, length_rounding
from theorems.setting.vectors import dot, norm

eighths = st.integers(-40, 40).map(lambda k: Fraction(k, 8))


def _subgradients(target, rng, n):
    """Pairs (x, v), v ∈ ∂φ(x): x = prox(z), v = z − x, at z on, near and far from the support."""
    noise, data = target.sample(n, rng)
    z = data + target.scale * 10.0 ** rng.uniform(-3, 1, (n, 1)) * rng.standard_normal(data.shape) + noise
    found = target.proximal_point(z, 1.0)
    return found.point, found.dual, found.rounding.point


@for_all("D2", target=TARGETS, seed=SEEDS, rho=MODULI)
def test_convex_potentials_have_modulus_zero(evidence, target, seed, rho):
    """With −(ρ/2)|x|² added, v becomes v − ρx and the modulus at most ρ."""
    rng = generator(seed)
    n = 60
    x, v, error = _subgradients(target, rng, n)
    on, weight = evidence.on(target, seed=seed, rho=rho), float(rho)
    value, conjugate = target.value(x), target.conjugate(v)
    own = gap_rounding(target, x, v, value, conjugate)
    for other in (rng.permutation(x), (x + rng.permutation(x)) / 2, target.sample(n, rng)[1]):
        move, values = other - x, (value, target.value(other))
        off = error.amplified(2 * norm(v) + norm(move) + error.bound, "x and v = z − x are off alike")
        # The gaps at x and x', whose φ* cancels.
        rounding = own + gap_rounding(target, other, v, values[1], conjugate) + off
        room = values[1] - values[0] - dot(v, move)
        on.bounded("φ(x) + ⟨v, x'−x⟩ above φ(x')", np.maximum(-room, 0.0), rounding, "ρ = 0", clause="convex")
        here, there = (f - weight * dot(a, a) / 2 for f, a in zip(values, (x, other), strict=True))
        room = there - here - dot(v - weight * x, move) + weight * dot(move, move) / 2
        squares = Rounding(2 * weight * (dot(x, x) + dot(other, other)), target.dim + 6, "terms with ρ|x|²")
        on.bounded(
            "g(x) + ⟨v − ρx, x'−x⟩ − (ρ/2)|x'−x|² above g(x'), g = φ − (ρ/2)|·|²",
            np.maximum(-room, 0.0),
            rounding + squares,
            because="modulus at most ρ",
            clause="shifted",
        )


@for_all(
    "D2",
    pieces=st.lists(st.tuples(eighths, eighths), min_size=1, max_size=5),
    points=st.lists(eighths, min_size=2, max_size=6, unique=True),
    rho=MODULI,
)
def test_modulus_is_exactly_rho_on_affine_pieces(evidence, pieces, points, rho):
    """The function g = max(s·x + c) − (ρ/2)x²: pairs on one piece need exactly ρ, all others need no more."""
    needed = []
    for x in points:
        f = {p: max(s * p + c for s, c in pieces) for p in points}
        active = {s for s, c in pieces if s * x + c == f[x]}
        for other, slope in ((p, s) for p in points if p != x for s in active):
            here, there = (f[p] + concave_square(p, rho) for p in (x, other))
            same = f[other] - f[x] == slope * (other - x)
            found = modulus_needed(here, there, slope - rho * x, other - x)
            needed.append(found == rho if same else found < rho)
    evidence.on("max of affine functions − (ρ/2)x²", pieces=pieces, rho=rho).exact(
        "modulus needed: ρ on a piece, less across a kink",
        needed,
        "slopes, offsets, points, ρ in ⅛ℤ",
        clause="shifted",
    )


@pytest.mark.claim("D2")
def test_modulus_of_a_strongly_convex_function_is_less(evidence):
    """At (s/2)x² − (ρ/2)x² every pair needs exactly ρ − s."""
    x, move = sp.symbols("x h", real=True)
    s, rho = sp.symbols("s rho", positive=True)
    here, there = ((s - rho) * p**2 / 2 for p in (x, x + move))
    needed = modulus_needed(here, there, (s - rho) * x, move)
    evidence.on("(s/2)x² − (ρ/2)x²").exact(
        "modulus ρ − s",
        sp.simplify(needed - (rho - s)) == 0,
        "all s, ρ, x, x' (symbolic)",
        clause="shifted",
    )


@pytest.mark.claim("D2")
def test_concave_modulus_is_not_prox_regular(evidence):
    """For f = −|x|: gradients −sign(x) tend to the limiting subgradients ±1 at 0; no v is a Fréchet one."""
    h, rho = sp.symbols("h rho", positive=True)
    v = sp.symbols("v", real=True)
    on = evidence.on("−|x|")
    limiting = [slack(0, -h, v_bar, v_bar * h, rho) for v_bar in (1, -1)]
    on.exact(
        "slack −h(2 − ρh/2) at v = ±1, x' = ±h: negative for every ρ and h < 4/ρ",
        [sp.expand(s + h * (2 - rho * h / 2)) == 0 for s in limiting],
        domain="all ρ, h (symbolic): every neighbourhood of 0, so no modulus exists",
        clause="concave modulus",
    )
    quotients = [sp.simplify(slack(0, -h, v, side * h, 0) / h) for side in (1, -1)]
    lowest = sp.Min(*(sp.limit(q, h, 0) for q in quotients))
    on.exact(
        "the Fréchet subdifferential at 0 is empty: liminf [f(h) − f(0) − vh]/|h| = −1 − |v| < 0",
        sp.simplify(lowest.rewrite(sp.Abs) + 1 + sp.Abs(v)) == 0,
        domain="all v (symbolic)",
        clause="concave modulus",
    )


# --- consequences: the prox for λ < 1/ρ ---------------------------------------------------------------


@for_all("D2", target=TARGETS, share=SHARES, rho=MODULI, seed=SEEDS)
def test_prox_is_single_valued_and_lipschitz_below_the_threshold(evidence, target, share, rho, seed):
    """For g = φ − (ρ/2)|·|², λ = s/ρ, μ = λ/(1−s): prox_{λg}(z) = prox_{μφ}(z/(1−s)), the one minimiser."""
    rng, rho = generator(seed), float(rho)
    step, inner = share / rho, share / (1 - share) / rho
    noise, data = target.sample(60, rng)
    n = len(data)
    z = data + target.scale * 10.0 ** rng.uniform(-3, 1, (n, 1)) * rng.standard_normal(data.shape) + noise
    found = target.proximal_point(z / (1 - share), inner)
    u, y = found.point, found.dual
    # z/(1−s) and μ are rounded: prox moves by no more than z and |z − u| do.
    error = found.rounding.point + Rounding(2 * norm(found.z) + 3 * norm(found.z - u), 1, "z/(1−s) and μ")
    on = evidence.on(target, rho=rho, step=step, seed=seed)
    value, conjugate = target.value(u), target.conjugate(y)
    own = gap_rounding(target, u, y, value, conjugate)
    for v in (rng.permutation(u), (u + rng.permutation(u)) / 2, data):
        values = ((value, u), (target.value(v), v))
        cost = [f - rho * dot(p, p) / 2 + dot(z - p, z - p) / (2 * step) for f, p in values]
        growth = dot(v - u, v - u) / (2 * inner)
        squares = (rho + 1 / step) * (dot(z, z) + dot(u, u) + dot(v, v))
        terms = Rounding(2 * squares + np.abs(cost[1] - cost[0]), target.dim + 8, "the terms of the costs")
        off = error.amplified(
            2 * norm(y) + (2 * norm(v - u) + error.bound) / inner, "u is off: slope y, growth 1/μ"
        )
        on.bounded(
            "cost(u) + (1/λ − ρ)|u'−u|²/2 above cost(u'), u = prox",
            np.maximum(cost[0] + growth - cost[1], 0.0),
            own + gap_rounding(target, v, y, values[1][0], conjugate) + terms + off,
            because="the cost is (1/λ − ρ)-strongly convex: one minimiser",
            clause="prox",
        )
    length = target.scale * 10.0 ** rng.uniform(-4, 0, (n, 1))
    other = z + length * rng.standard_normal(z.shape)
    _lipschitz(on, other - z, share, found, target.proximal_point(other / (1 - share), inner))


def _lipschitz(on, apart, share, here, there):
    """Proxes at two z that lie apart by so much: the constant is 1/(1−s), s = λρ."""
    moved = there.point - here.point
    formed = Rounding(norm(there.z) + norm(here.z), 2, "z/(1−s) at both points")
    on.bounded(
        "|prox(z) − prox(z')| above |z − z'|/(1 − λρ)",
        np.maximum(norm(moved) - norm(apart) / (1 - share), 0),
        here.rounding.point
        + there.rounding.point
        + formed
        + length_rounding(moved)
        + length_rounding(there.z),
        because="the exact excess is ≤ 0; both proxes err by what they state",
        clause="prox",
    )


@pytest.mark.claim("D2")
def test_lipschitz_constant_is_attained(evidence):
    """−(ρ/2)x² is stationary at u = z/(1−λρ), a minimum iff λ < 1/ρ: for λ > 1/ρ nothing is."""
    u, z = sp.symbols("u z", real=True)
    rho, step = sp.symbols("rho lambda", positive=True)
    cost = penalised(concave_square(u, rho), u, z, step)
    (stationary,) = sp.solve(sp.diff(cost, u), u)
    on = evidence.on("−(ρ/2)x²")
    on.exact(
        "prox = z/(1 − λρ): slope 1/(1 − λρ)",
        sp.simplify(sp.diff(stationary, z) - 1 / (1 - step * rho)) == 0,
        domain="all ρ, λ ≠ 1/ρ (symbolic)",
        clause="prox",
    )
    on.exact(
        "the cost bends by 1/λ − ρ: beyond 1/ρ its only stationary point is a maximum",
        sp.simplify(sp.diff(cost, u, 2) - (1 / step - rho)) == 0,
        domain="all ρ, λ (symbolic)",
        clause="no prox",
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("D2")
@pytest.mark.parametrize("rho", [1.0, 1e3, 1e6])
def test_no_modulus_holds_the_concave_modulus(evidence, rho):
    """−|x| at 0 with v = 1: the inequality fails by 2h − ρh²/2, at most by 2/ρ, at h = 2/ρ."""
    h = np.linspace(0.01, 3.99, 200) / rho
    found = -slack(0.0, -np.abs(h), 1.0, h, rho)
    evidence.on("−|x|", rho=rho).control(
        f"−|x| taken for prox-regular with ρ = {rho:g}: failure at x' = h",
        predicted=2 * h - rho * h**2 / 2,
        measured=found,
        agreement=16 * EPS * (2 * h + rho * h**2),
        because="closed form; sums of three terms",
    )


@pytest.mark.control("D2")
def test_frechet_subgradients_would_see_nothing(evidence):
    """The same check with Fréchet subgradients examines no pair at all, and passes."""
    rho, tiny = 8.0, 2.0**-30
    candidates = np.arange(-16, 17) / 8
    h = np.array([-1.0, 1.0]) * np.arange(1, 65)[:, None] / 256
    steepest = [min(slack(0.0, -tiny, v, side * tiny, 0.0) / tiny for side in (1, -1)) for v in candidates]
    frechet = candidates[np.array(steepest) >= 0]
    limiting = np.array([np.diff(-np.abs(side * np.array([1.0, 2.0])))[0] * side for side in (1, -1)])
    failures = [
        int(sum((slack(0.0, -np.abs(h), v, h, rho) < 0).sum() for v in vs)) for vs in (frechet, limiting)
    ]
    evidence.on("−|x|", rho=rho).control(
        "Fréchet subgradients in place of limiting ones: failures found among 128 moves h",
        predicted=0,
        measured=failures[0],
        agreement=0,
        because="there is no Fréchet subgradient at 0; each limiting one fails at its 64 moves h < 4/ρ",
        intact=failures[1],
    )
    assert (len(frechet), failures[1]) == (0, 2 * 64)


@pytest.mark.control("D2")
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_convex_lipschitz_constant_fails(evidence, share):
    """φ of two atoms is affine between them: prox_{λ(φ − (ρ/2)|·|²)} stretches by 1/(1 − λρ) there."""
    rho, target = 2.0, FiniteAtoms.two([0.0], [1.0], 0.3)
    inner = share / (1 - share) / rho
    slope = target.heights[1] - target.heights[0]
    z = (np.array([[0.4], [0.6]]) + inner * slope) * (1 - share)
    ends = target.prox(z / (1 - share), inner)
    stated = target.roundings.prox(z / (1 - share), inner).bound.sum() + 4 * EPS * np.abs(z).sum() / (
        1 - share
    )
    evidence.on(target, rho=rho, share=share).control(
        "constant 1 of convex functions claimed for φ − (ρ/2)x²: two-point ratio of its prox",
        predicted=1 / (1 - share),
        measured=float(ends[1, 0] - ends[0, 0]) / float(z[1, 0] - z[0, 0]),
        agreement=stated / float(z[1, 0] - z[0, 0]) + 4 * EPS / (1 - share),
        because="both points stay inside (0, 1), where the prox is a shift of z/(1 − λρ)",
        intact=1.0,
    )


@pytest.mark.control("D2")
@pytest.mark.parametrize("share", [1.001, 2.0, 100.0])
@pytest.mark.parametrize("size", [10.0, 1e4])
def test_beyond_the_threshold_minimisers_run_away(evidence, share, size):
    """λ > 1/ρ at −(ρ/2)x²: over a box the minimiser is its end B, whatever B is: the prox is empty."""
    rho, z = 2.0, 0.003
    grid = np.linspace(-size, size, 4001)
    best = grid[penalised(concave_square(grid, rho), grid, z, share / rho).argmin()]
    evidence.on("−(ρ/2)x²", rho=rho, share=share, B=size).control(
        "λ beyond 1/ρ: distance of the minimiser over [−B, B] from the stationary point",
        predicted=size + z / (share - 1),
        measured=abs(best - z / (1 - share)),
        agreement=16 * EPS * (size + z / (share - 1)),
        because="the stationary point is a maximum; the end on z's far side is left at −B·sign(1−λρ)",
    )
