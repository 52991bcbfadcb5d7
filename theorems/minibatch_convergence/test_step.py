r"""N2: which label the field of minibatches takes, at every place and for every batch size.

Derivation. The odds of the labels at x are φ_N(z₀)G_n(u₀) / (φ_N(z₁)(1 − G_n(u₁))), and each factor makes
them fall along the line, so there is one switch. Tilting both binomials to p = √(uw)/b gives both shares as
b^{2n−1} times a sum between 1/n and 1, up to factors without n: in the gap the log-odds are
(2n−1)(log b(u₀) − log b(u₁)) + O(log n). b rises on u < w and falls on u > w, so the difference D falls
across the gap: one tie x*. Outside, one of the shares is at least min(w, 1−w, ½), the other b^{2n−1} at most.

Assumed: two atoms, w in (0,1), t in (0,1), J > 0. What the step converges to, and controls: test_step_limits.
"""

from dataclasses import replace
from fractions import Fraction
from math import comb

import numpy as np
import pytest
import sympy as sp
from flint import arb, ctx
from hypothesis import strategies as st

from numerics.accuracy import Rounding
from numerics.intervals.balls import above
from numerics.intervals.matched_pair import label_odds
from numerics.transport.two_atoms import TwoAtomLaw
from theorems.minibatch_convergence.step import Step
from theorems.setting.draws import generator
from theorems.setting.grammar import schedules
from theorems.setting.quantifiers import SEEDS, for_all

TIMES = (0.1, 0.3, 0.5, 0.7, 0.9)
SIZES = (16, 64, 256, 1024, 4096, 16384, 65536)
STEP = Step()  # atoms at 0 and 2, w = 0.3, t = 0.5, linear


def _in_reach(case):
    """The case, with its atoms moved together if the gap is above forty deviations of the noise."""
    alpha, beta, *_ = case.coefficients
    first, second = case.places
    return replace(case, places=(first, min(second, first + 40 * alpha / beta)))


steps = st.builds(
    Step,
    places=st.tuples(st.sampled_from([-1.0, 0.0, 0.5]), st.integers(4, 12).map(lambda k: k / 4)),
    w=st.integers(1, 15).map(lambda k: k / 16),
    t=st.sampled_from(TIMES),
    schedule=schedules(),
).map(_in_reach)


# --- the tilt identity ------------------------------------------------------------------------------------


@pytest.mark.claim("N2")
def test_tilt_is_exact_for_every_batch_size(evidence):
    """Term by term, in the roots of u, 1−u, w, 1−w: P(A=a)P(B=k) of u, w over that of p, p."""
    n, a, k = sp.symbols("n a k", positive=True)
    su, cu, sw, cw = sp.symbols("s_u c_u s_w c_w", positive=True)  # √u, √(1−u), √w, √(1−w)
    b = sp.Symbol("b", positive=True)
    p, rest, rho = su * sw / b, cu * cw / b, su * cw / (sw * cu)
    left = 2 * a * sp.log(su) + 2 * (n - 1 - a) * sp.log(cu) + 2 * k * sp.log(sw) + 2 * (n - k) * sp.log(cw)
    right = (2 * n - 1) * sp.log(b) + sp.log(cw / cu) + (a - k) * sp.log(rho)
    right += (a + k) * sp.log(p) + (2 * n - 1 - a - k) * sp.log(rest)
    evidence.exact(
        "P(A=a)P(B=k) = b^{2n−1}√((1−w)/(1−u)) ρ^{a−k} P_p(A=a)P_p(B=k)",
        sp.simplify(sp.expand_log(left - right, force=True)) == 0,
        domain="every n, a, k, u, w, symbolically; summed over a < k it is the identity for G_n",
        clause="tilt",
    )


@pytest.mark.claim("N2")
@pytest.mark.parametrize("n", [1, 2, 5, 9, 40])
def test_tilted_sums_are_the_probabilities(evidence, n):
    """U = (5/13)², w = (3/5)², and the other way round: all roots are rational."""
    holds = []
    for (su, cu), (sw, cw) in (((5, 12), (3, 4)), ((3, 4), (5, 12)), ((4, 3), (3, 4)), ((3, 4), (3, 4))):
        hu, hw = (Fraction(sum(v * v for v in part)) for part in ((su, cu), (sw, cw)))
        ru, rw = (13 if h == 169 else 5 for h in (hu, hw))
        roots = Fraction(su, ru), Fraction(cu, ru), Fraction(sw, rw), Fraction(cw, rw)
        holds += _tilted_in_fractions(n, *roots)
    evidence.on("G_n", n=n).exact(
        "G_n and 1 − G_n by tilted sums = by the definition",
        list(holds),
        domain="four pairs of u, w",
        clause="tilt",
    )


def _tilted_in_fractions(n, su, cu, sw, cw):
    b = su * sw + cu * cw
    p, rho = su * sw / b, su * cw / (sw * cu)
    pairs = [(a, k) for a in range(n) for k in range(n + 1)]

    def odds(k, trials, chance):
        return comb(trials, k) * chance**k * (1 - chance) ** (trials - k)

    def total(u, w, weight, wanted):
        terms = (odds(a, n - 1, u) * odds(k, n, w) * weight(a - k) for a, k in pairs if wanted(a, k))
        return sum(terms, Fraction(0))

    for wanted in (lambda a, k: a < k, lambda a, k: a >= k):
        plain = total(su**2, sw**2, lambda _: 1, wanted)
        yield plain == b ** (2 * n - 1) * cw / cu * total(p, p, lambda j: rho**j, wanted)


# --- where the labels are decided ---------------------------------------------------------------------------


@for_all("N2", case=steps, n=st.one_of(st.integers(1, 40), st.sampled_from([300, 3000])))
def test_odds_in_the_gap_are_exponential(evidence, case, n):
    """Both ends of the log-odds, for every n: (2n−1)D and O(log n), so each side of x* takes one label."""
    low, high = case.gap
    x = low + (high - low) * np.arange(1, 32) / 32
    x = x[np.abs(case.noise(x)).max(axis=0) < 30]  # beyond, 1 − u has no digits left
    least, most, rounding = case.bounds(x, n)
    odds = case.law(n).log_odds(case.t, x[:, None])
    stated = rounding + case.law(n).log_odds_rounding(case.t, x[:, None])
    on = evidence.on(case, n=n)
    names = ("log-odds in the gap", "their negative")
    for name, measured, bound in zip(names, (odds, -odds), (most, -least), strict=True):
        on.bounded(
            name,
            measured,
            stated,
            because="(2n−1)D + log φ_N(z₀)/φ_N(z₁) + ½log (1−u₁)/(1−u₀) − log ρ₀, and a sum within [p/n, 1]",
            main=bound,
            points=len(x),
            left_out=31 - len(x),
            clause="labels in the gap",
            kind="inequality",
        )


@for_all("N2", case=steps, n=st.one_of(st.integers(1, 40), st.sampled_from([300, 3000])), seed=SEEDS)
def test_field_beside_the_gap_is_the_populations_but_for_an_exponential(evidence, case, n, seed):
    """At the ends of the gap and beyond: |v^(n) − v| ≤ J·φ_N(z_j)b(u_j)^{2n−1}… over φ_N(z_i)min(w_i, ½).

    Left of it u₀ ≤ w, where G_n(u₀) ≥ G_n(w,w) ≥ min(w, ½), and 1 − G_n(u₁) ≤ b^{2n−1}√((1−w)/(1−u₁)).
    """
    rng, (low, high), law = generator(seed), case.gap, case.law(n)
    beyond = case.coefficients[0] * np.abs(rng.standard_normal(12))
    for side, x in ((0, low - beyond), (1, high + beyond)):
        x = np.append(x, (low, high)[side])
        bound, rounding = _wrong_share(case, x, n, side)
        speed = law.velocity(case.t, x[:, None]) - case.law(None).velocity(case.t, x[:, None])
        stated = law.velocity_rounding(case.t, x[:, None]) + case.law(None).velocity_rounding(
            case.t, x[:, None]
        )
        evidence.on(case, n=n, side=side, seed=seed).bounded(
            "|v^{(n)} − v| at the ends of the gap and beyond",
            np.abs(speed[:, 0]),
            stated + rounding,
            because="J times the odds of the other label: b(u)^{2n−1} falls exponentially in n",
            main=case.height * bound,
            points=len(x),
            clause="outside the gap",
            kind="inequality",
        )


def _wrong_share(case, x, n, side):
    """A bound of the other label's share, and its rounding; the share is 1 at most."""
    u, rest = case.ranks(x)
    other = 1 - side
    z, logs = case.noise(x), case.log_b(x)
    weight = min(case.w if side == 0 else 1 - case.w, 0.5)
    # 1 − G_n(u₁) ≤ b^{2n−1}√((1−w)/(1−u₁)), and G_n(u₀) ≤ b^{2n−1}√(w/u₀)
    root = (1 - case.w) / rest[1] if side == 0 else case.w / u[0]
    log = (z[side] ** 2 - z[other] ** 2) / 2 + (2 * n - 1) * logs[other] + np.log(root) / 2 - np.log(weight)
    share = np.exp(np.minimum(log, 0.0))
    rounding = case.bounds_rounding(x, n, np.abs(log)).amplified(case.height * share, "in an exponential")
    return share, rounding


@pytest.mark.claim("N2")
@pytest.mark.parametrize("n", SIZES)
def test_one_switch_in_a_certified_place(evidence, n):
    """Odds fall along the line: 1 − G_n and G_n are monotone in u, and so is φ_N(z₀)/φ_N(z₁)."""
    place, width = STEP.switch(n), 1e-10
    # of the gap's width beside the tie, on the side of each label, farther out for small batches
    far = 8 * np.log(n) / n
    with ctx.workprec(256):
        logs = [
            label_odds(arb(x), arb(0.5), arb(0.5), (arb(0), arb(2)), arb(0.3), n).log()
            for x in (place - width, place + width, STEP.place - far, STEP.place + far)
        ]
        on = evidence.on("two atoms, w = 0.3, Δ = 2, t = 0.5", n=n)
        on.certified(
            "log-odds beside the switch found, on the other label's side",
            [above(-logs[0]), above(logs[1])],
            0.0,
            because="full sums in ball arithmetic: even odds lie within 1e−10 of the place that is found",
            chosen="the width 1e−10",
            clause="one switch",
            kind="inequality",
        )
        on.certified(
            "log-odds of the other label at x* ∓ 8(log n)/n",
            [above(-logs[2]), above(logs[3])],
            -3.0 * np.log(n),
            because="balls; 2n|D'| · 8(log n)/n = 7.4 log n less O(log n) of the bounds",
            chosen="the distance 8(log n)/n, and the odds n³ that it leaves room for",
            clause="labels in the gap",
            kind="inequality",
        )


@for_all("N2", case=steps, n=st.sampled_from([1, 2, 7, 50, 400]))
def test_odds_fall_along_the_line(evidence, case, n):
    low, high = case.gap
    x = np.linspace(low - (high - low), high + (high - low), 41)
    odds, stated = case.law(n).log_odds(case.t, x[:, None]), case.law(n).log_odds_rounding(case.t, x[:, None])
    evidence.on(case, n=n).bounded(
        "rise of the log-odds along the line",
        np.maximum(np.diff(odds), 0.0),
        Rounding.measured(stated.bound[1:] + stated.bound[:-1], "log-odds at two places"),
        because="log φ_N(z₀)/φ_N(z₁), G_n(u₀) and 1/(1 − G_n(u₁)) fall",
        points=len(x),
        clause="one switch",
    )


@for_all("N2", seed=SEEDS, n=st.sampled_from([4, 64, 300]), t=st.sampled_from(TIMES))
def test_only_the_coordinate_along_the_atoms_counts(evidence, seed, n, t):
    """Any d: v^(n) − v is the line's, along e."""
    rng = generator(seed)
    points = rng.standard_normal((2, 3))
    law, whole = TwoAtomLaw(points, 0.3, n), TwoAtomLaw(points, 0.3, None)
    line = TwoAtomLaw((points @ law.direction)[:, None], 0.3, n)
    x = rng.standard_normal((60, 3))
    apart = law.velocity(t, x) - whole.velocity(t, x)
    along = (x @ law.direction)[:, None]
    other = line.velocity(t, along) - TwoAtomLaw(line.points, 0.3, None).velocity(t, along)
    stated = sum((one.velocity_rounding(t, x) for one in (law, whole)), start=Rounding.none())
    stated = stated + line.velocity_rounding(t, along).amplified(2.0) + line.velocity_rounding(t, along)
    # ⟨x,e⟩ and ⟨y,e⟩ are formed with 8 roundings each, where the line's fields are n-Lipschitz
    size = np.linalg.norm(x, axis=1) + np.linalg.norm(points, axis=1).max()
    steep = 2 / (1 - t) + line.distance * n * (2 * size / (1 - t) + 2) / (1 - t) ** 2
    evidence.on("TwoAtomLaw", n=n, t=t, seed=seed).bounded(
        "|(v^{(n)} − v)(x) − the line's at ⟨x,e⟩|, d = 3",
        np.linalg.norm(apart - other * law.direction, axis=1),
        stated + Rounding(steep * size, 16, "⟨x,e⟩ is formed"),
        because="the labels' velocities differ along e only",
        points=len(x),
        clause="outside the gap",
    )
