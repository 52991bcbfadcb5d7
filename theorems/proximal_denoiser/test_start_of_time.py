"""N4 (ii), (iii): the solutions that start at a point, and the limit of the field at t → 0, at every point.

Assumed: α, β differentiable at 0, β̇₀ > 0. For finite atoms both are decided in rationals: every point of
∂φ*(x₀) starts a solution, and no other does; u is the projection of c_t x on ∂φ*(x) exactly, as soon as t is
small against the distance to the other cells. Over the grammar the denoiser is held to the modulus of
differentiability of φ* at x. Control: an atom of the tie in place of the projection.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.accuracy import EPS, Rounding
from numerics.geometry import norms
from numerics.schedules import Linear, Logarithmic, Polynomial, Trigonometric, VariancePreserving
from theorems.proximal_denoiser.known_subgradients import ON_THE_WALL, STARTS, THRESHOLD, TIE
from theorems.proximal_denoiser.minty import Minty
from theorems.proximal_denoiser.rational_atoms import ONE, ZERO, RationalAtoms, combine, dot
from theorems.proximal_denoiser.rational_draws import (
    atoms_and_points,
    interpolant,
    minty,
    schedule_values,
    shares,
    ties,
)
from theorems.proximal_denoiser.start_figures import draw_starts
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SCHEDULES, SEEDS, TARGETS, for_all

DOMAIN = "atoms, heights, noise in ⅛ℤ, d ≤ 3, at most 7 atoms"
EVERY_SCHEDULE = [Linear(), Trigonometric(), Polynomial(2.0), VariancePreserving(), Logarithmic()]
EARLY = (1e-3, 1e-4, 1e-5, 1e-6)
APART = 64 * EPS
"""Chosen: |h| is twice |x − y| and so much of 1 + |x|. The bound is a theorem for every |h| > |x − y|."""


# --- (ii) in rationals ----------------------------------------------------------------------------------


@for_all("N4", problem=ties(), data=st.data(), values=schedule_values)
def test_every_subgradient_at_a_tie_starts_a_solution_exactly(evidence, problem, data, values):
    """αx₀ + βu is on the flow's curve of the pair (x₀, u), for any u in the hull of the tied atoms."""
    atoms, x0, k = problem
    alpha, beta = values
    weights = data.draw(shares(k)) + [ZERO] * (len(atoms.points) - k)
    x = interpolant(alpha, x0, beta, atoms.point(weights))
    evidence.on(atoms, x0=x0, weights=weights, values=values).exact(
        "u = prox_{λφ}((αx₀ + βu)/β) for u ∈ ∂φ*(x₀)",
        atoms.solves(weights, [a / beta for a in x], alpha / beta),
        DOMAIN,
        clause="solutions",
    )


@for_all("N4", problem=atoms_and_points(), values=schedule_values)
def test_no_other_curve_is_a_solution_exactly(evidence, problem, values):
    """A solution through any x is that of the pair of x, so starts at y, with u ∈ ∂φ*(y): gap 0."""
    atoms, (x,) = problem
    y, weights = minty(atoms, x, *values)
    gap = atoms.height(weights) + atoms.conjugate(y) - dot(y, atoms.point(weights))
    best = atoms.conjugate(y)
    tied = [s == best for s in atoms.scores(y)]
    on = evidence.on(atoms, x=x, values=values)
    on.exact(
        "φ(u) + φ*(y) − ⟨u, y⟩ = 0",
        gap == 0,
        DOMAIN,
        clause="solutions",
    )
    on.exact(
        "u is an atom where only one is best at y: the solution from y is unique where φ* is differentiable",
        sum(tied) > 1 or weights == [Fraction(int(flag)) for flag in tied],
        DOMAIN,
        clause="solutions",
    )


# --- (iii) in rationals ---------------------------------------------------------------------------------


@for_all("N4", problem=ties(), speed=st.integers(-8, 16).map(lambda k: Fraction(k, 4)))
def test_denoiser_is_the_projection_on_the_tied_atoms_exactly(evidence, problem, speed):
    """It is proj(c_t x₀) on the hull of the tied atoms for t below an explicit one; c_t = 1 for OT-CFM."""
    atoms, x0, k = problem
    face = RationalAtoms(atoms.points[:k], (ZERO,) * k)
    aim = [speed * a for a in x0]
    near = face.prox_weights(aim, ONE)
    away = combine((ONE, face.point(near)), (-speed, x0))
    turns = [dot(away, combine((ONE, a), (-ONE, b))) for a in atoms.points for b in atoms.points]
    scores = atoms.scores(x0)
    margin = min((scores[0] - s for s in scores[k:]), default=ONE)
    beta = min(1 / (2 * (abs(speed) + 1)), margin / (2 * (max(turns) + 1)))
    alpha = 1 - speed * beta
    evidence.on(atoms, x0=x0, c=speed, beta=beta).exact(
        "prox_{λφ}(x₀/β) = proj of c_t x₀ on ∂φ*(x₀), c_t = (1−α)/β",
        atoms.solves(near + [ZERO] * (len(atoms.points) - k), [a / beta for a in x0], alpha / beta),
        DOMAIN + "; β so small that y = x₀ − (β/α)(u − c_t x₀) stays clear of the other cells; c_t in ¼ℤ",
        clause="start",
    )


# --- (iii) at every kind of point -------------------------------------------------------------------------


@pytest.mark.claim("N4", "P7")
@pytest.mark.parametrize("start", STARTS, ids=lambda start: start.name)
@pytest.mark.parametrize("schedule", EVERY_SCHEDULE, ids=repr)
def test_field_starts_with_the_least_norm(evidence, start, schedule):
    x = start.x
    fall, rise = float(schedule.alpha_dot(0.0)), float(schedule.beta_dot(0.0))
    limit = start.nearest(-fall / rise * x)
    size, aim = float(np.linalg.norm(x)), float(np.linalg.norm(limit + fall / rise * x))
    for t in EARLY:
        alpha, beta, later_fall, later_rise = (
            float(f(t)) for f in (schedule.alpha, schedule.beta, schedule.alpha_dot, schedule.beta_dot)
        )
        shift = (1 - alpha) / beta + fall / rise
        main = start.left(alpha, beta, shift)
        found = Minty(start.target, schedule, t, x[None])
        # 1 − α has an error of eps; heights and x are rounded, and a tie is blurred by that times λ.
        ties_of = Rounding(alpha / beta * (size + start.target.scale) + size / beta, 16, "the tie is blurred")
        on = evidence.on(start.target, schedule=schedule, t=t, x=x)
        on.bounded(
            f"|prox_{{λφ}}(x/β) − proj of cx on ∂φ*(x)|, {start.name}",
            norms(found.u - limit),
            found.of_data + ties_of,
            because="u − c_t x is a Yosida approximation; what is left of it has a closed form here",
            main=main,
            clause="start",
        )
        y_moved = beta / alpha * (aim + main + abs(shift) * size)
        speed_main = abs(later_fall - fall) * size + abs(later_fall) * y_moved
        speed_main += abs(later_rise - rise) * (np.linalg.norm(limit) + main) + abs(rise) * main
        of_field = (found.of_data + ties_of).amplified(abs(later_rise) + abs(later_fall) * beta / alpha)
        on.bounded(
            f"|v_t(x) − the element of least norm of α̇₀x + β̇₀∂φ*(x)|, {start.name}",
            norms(later_fall * found.y + later_rise * found.u - (fall * x + rise * limit)),
            of_field + Rounding(abs(fall) * size + abs(rise) * np.linalg.norm(limit), 16, "α̇y + β̇u"),
            because="α̇, β̇ are continuous at 0, y = x − ε(u − c_t x), and u tends to the projection",
            main=speed_main,
            clause="start",
        )


@pytest.mark.claim("N4")
@pytest.mark.parametrize("start", STARTS, ids=lambda start: start.name)
def test_what_is_left_vanishes(evidence, start):
    """A bound on what is left that stayed as it is would say nothing of the limit."""
    for t in (1e-8, 1e-12, 1e-16):
        evidence.on(start.target, t=t, x=start.x).estimated(
            f"bound on |prox_{{λφ}}(x/β) − proj of cx on ∂φ*(x)|, over the size of the data, {start.name}",
            start.left(1 - t, t, t) / start.target.scale,
            8 * t**0.5,
            by="its values at three times, OT-CFM",
            because="each kind of point has a modulus above ½: ε, or ε^{log 3/log 2} and a factor",
            chosen="eight times the root of t",
            clause="start",
        )


@pytest.mark.claim("N4")
def test_the_two_schedules_leave_the_tie_by_different_ways(evidence):
    """At Φ⁻¹(.3)e + .3(−1,−2)/√5 OT-CFM leaves for a corner, the trigonometric schedule for the foot of 0."""
    x, p, rows = ON_THE_WALL, THRESHOLD, []
    foot = np.array([0.4, 0.8])
    cases = (
        (Linear(), np.array([0.0, 1.0]) - x, None),
        (Trigonometric(), np.pi / 2 * foot, np.pi**2 / 4 * np.hypot(p / 2, 0.3)),
    )
    for schedule, start, rate in cases:
        for t in (1e-2, 1e-3, 1e-4):
            at = Minty(TIE, schedule, t, x[None])
            fall, rise = float(schedule.alpha_dot(t)), float(schedule.beta_dot(t))
            velocity = (fall * at.y + rise * at.u)[0]
            alpha, beta = at.weights(t)
            if rate is None:
                exact, order = start / (1 - t), float(np.linalg.norm(start))
            else:  # u = foot + c_t p e, y = (x − βu)/α
                along = np.array([2.0, -1.0]) / np.sqrt(5)
                u = foot + np.tan(np.pi * t / 4) * p * along
                exact, order = fall * (x - beta * u) / alpha + rise * u, rate
            evidence.on(TIE, schedule=schedule, t=t).bounded(
                "|v_t(x) − its closed form at a tie of two atoms|",
                norms(velocity - exact),
                at.of_data.amplified(abs(rise) + abs(fall) * beta / alpha).largest()
                + Rounding((1 + alpha / beta) * 6, 16, "the tie is blurred by the rounding of its heights"),
                because="u is the projection of c_t x on the segment: a corner, or the foot of 0 and c_t p e",
                clause="start",
            )
            away = float(np.linalg.norm(velocity - start))
            rows.append((repr(schedule), t, *start, away / t, order))
    evidence.table(
        "The field at a tie of two atoms: its limit, how fast it is reached, and the rate in closed form",
        ("schedule", "t", "v₀, first", "v₀, second", "|v_t − v₀|/t", "limit of that"),
        rows,
    )
    evidence.figure(
        "Solutions that start at one tie of two atoms, and the one that the field starts with",
        "The wall between two atoms' noise; from one point on it paths fan out to every point of the segment"
        " between the atoms; arrows show the field's limit for the linear and the trigonometric schedule.",
        draw_starts,
    )


# --- over the grammar ---------------------------------------------------------------------------------------


def _by_monotonicity(target, at, t, x, image, of_image):
    """How far y may be from x, how far then u from T(x) = image, and what that bound rounds: with r = 2ρ."""
    (alpha, beta), off = at.weights(t), norms(at.u - image)
    slip = at.of_data.bound + of_image
    reach = norms(at.y - x) + beta / alpha * slip + 8 * EPS * (norms(x) + beta * norms(at.u)) / alpha
    radius = 2 * reach + APART * (1 + norms(x))
    way = (at.u - image) / np.maximum(off, np.finfo(float).tiny)[:, None]
    ahead = x + radius[:, None] * way
    rise = ((target.transport(ahead) - image) * way).sum(axis=1)
    stated = target.roundings.transport(ahead, moved=8 * EPS * (norms(x) + radius)).bound + of_image
    main = np.maximum(radius / (radius - reach) * rise, 0.0)
    return reach, main, (radius * stated + (radius + reach) * slip) / (radius - reach)


@for_all("P7", "N4", target=TARGETS, schedule=SCHEDULES, seed=SEEDS)
def test_denoiser_tends_to_transport_at_a_fixed_point(evidence, target, schedule, seed):
    """|prox_{λφ}(x/β) − T(x)| against φ*'s modulus of differentiability at x, which says how fast it is met.

    y = x − ε(u − c_t x) is ρ away from x. T is monotone, so for any h = r·n, n along u − T(x) and r > ρ:
    |u − T(x)|(r − ρ) ≤ φ*(x+h) − φ*(x) − ⟨T(x), h⟩ ≤ ⟨T(x+h) − T(x), h⟩.
    """
    x = generator(seed).standard_normal((100, target.dim))
    image, of_image = target.transport(x), target.roundings.transport(x).bound
    first_fall, first_rise = float(schedule.alpha_dot(0.0)), float(schedule.beta_dot(0.0))
    start = first_fall * x + first_rise * image
    for t in EARLY:
        at = Minty(target, schedule, t, x)
        (alpha, beta), off = at.weights(t), norms(at.u - image)
        reach, main, rounding = _by_monotonicity(target, at, t, x, image, of_image)
        on = evidence.on(target, schedule=schedule, t=t, seed=seed)
        on.bounded(
            f"|prox_{{λφ}}(x/β) − T(x)| at fixed noise x, t = {t:g}",
            off,
            Rounding.measured(rounding, "what T, at both points, and prox round"),
            because="monotonicity of ∂φ* between y, x and x + h: at most ⟨T(x+h) − T(x), h⟩/(|h| − |x−y|),"
            " which vanishes with t just where φ* is differentiable at x",
            main=main,
            clause="start",
        )
        fall, speed = float(schedule.alpha_dot(t)), float(schedule.beta_dot(t))
        sizes = (abs(fall) + abs(first_fall)) * norms(x) + (speed + first_rise) * (norms(at.u) + norms(image))
        on.bounded(
            f"|v_t(x) − (α̇₀x + β̇₀T(x))| at fixed noise x, t = {t:g}",
            norms(fall * at.y + speed * at.u - start),
            Rounding.measured((speed + abs(fall) * beta / alpha) * rounding, "prox and T, as above")
            + Rounding(sizes, 8, "α̇y + β̇u, twice"),
            because="α̇y + β̇u with y within ρ of x and u as near T(x) as above",
            main=abs(fall - first_fall) * norms(x)
            + abs(fall) * reach
            + abs(speed - first_rise) * norms(image)
            + speed * main,
            clause="start",
        )


# --- control ----------------------------------------------------------------------------------------------


@pytest.mark.control("N4")
@pytest.mark.parametrize("atom", [0, 1])
def test_an_atom_of_the_tie_is_not_the_limit(evidence, atom):
    """T in place of the limit, trigonometric schedule: with the linear one y₀ happens to be the limit."""
    schedule, t = Trigonometric(), 1e-6
    beside = ON_THE_WALL + (2 * atom - 1) * 1e-9 * np.array([2.0, -1.0])
    image = TIE.transport(beside[None])[0]
    at = Minty(TIE, schedule, t, ON_THE_WALL[None])
    velocity = float(schedule.alpha_dot(t)) * at.y[0] + float(schedule.beta_dot(t)) * at.u[0]
    wrong = np.pi / 2 * image
    evidence.on(TIE, atom=atom).control(
        "an atom of the tie in place of the projection: |v₀ so found − v_t(x)|",
        predicted=np.pi / 2 * np.linalg.norm(TIE.points[atom] - [0.4, 0.8]),
        measured=np.linalg.norm(wrong - velocity),
        agreement=2 * t + at.of_data.bound[0] + 64 * EPS / t,
        because="(π/2)|y_i − (.4, .8)|; v_t leaves its limit at the rate .9831 in closed form, below 2;"
        " a blurred tie is eps/t",
    )
