"""N4 (i): the flow between any two times is a bi-Lipschitz homeomorphism of R^d, with the best constants.

Assumed: nothing beyond the contract; x is anywhere, also where no interpolant can be. For finite atoms
Minty's decomposition, the flow and its bounds are decided in rationals, for any positive values of α and β at
the two times. Over the grammar the decomposition is found again by a second solve at another time. Control:
the field of the independent coupling, whose flow stretches by far more.
"""

from fractions import Fraction

import numpy as np
import pytest

from numerics.accuracy import EPS, Rounding
from numerics.flows.independent import IndependentField
from numerics.flows.integration import trajectory
from numerics.geometry import norms
from numerics.potentials import FiniteAtoms
from numerics.schedules import Linear
from theorems.proximal_denoiser.minty import Minty
from theorems.proximal_denoiser.rational_atoms import ONE, combine, dot
from theorems.proximal_denoiser.rational_draws import (
    atoms_and_points,
    interpolant,
    minty,
    schedule_values,
)
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SCHEDULES, SEEDS, TARGETS, TIMES, for_all
from theorems.setting.roundings import length_rounding

DOMAIN = "atoms, heights, points in ⅛ℤ, d ≤ 3, at most 7 atoms; α, β at either time quotients of 1…12"
TIE = FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3)
ALONG = np.array([2.0, -1.0]) / np.sqrt(5)
ACROSS = np.array([-1.0, -2.0]) / np.sqrt(5)


# --- in rationals ---------------------------------------------------------------------------------------


@for_all("N4", problem=atoms_and_points(), first=schedule_values, second=schedule_values)
def test_decomposition_is_carried_to_any_other_time_exactly(evidence, problem, first, second):
    """The pair of x = α_s y + β_s u solves the prox at α_t y + β_t u, too: there the flow carries x."""
    atoms, (x,) = problem
    y, weights = minty(atoms, x, *first)
    alpha, beta = second
    later = interpolant(alpha, y, beta, atoms.point(weights))
    evidence.on(atoms, x=x, first=first, second=second).exact(
        "u = prox_{λφ}(X_{s→t}(x)/β_t) by its KKT conditions, u that of x",
        atoms.solves(weights, [a / beta for a in later], alpha / beta),
        DOMAIN,
        clause="decomposition",
    )


@for_all("N4", problem=atoms_and_points(count=2), first=schedule_values, second=schedule_values)
def test_stretch_lies_between_the_constants_exactly(evidence, problem, first, second):
    atoms, points = problem
    pairs = [minty(atoms, x, *first) for x in points]
    data = [atoms.point(weights) for _, weights in pairs]
    moved = [interpolant(second[0], y, second[1], u) for (y, _), u in zip(pairs, data, strict=True)]
    away = combine((ONE, points[0]), (-ONE, points[1]))
    after = combine((ONE, moved[0]), (-ONE, moved[1]))
    low, high = sorted([second[0] / first[0], second[1] / first[1]])
    on = evidence.on(atoms, points=points, first=first, second=second)
    squares = dot(away, away), dot(after, after)
    on.exact(
        "(α_t/α_s)²|x−x'|² ≤ |Xx−Xx'|², or β's",
        low**2 * squares[0] <= squares[1],
        DOMAIN,
        clause="stretch",
    )
    on.exact(
        "|Xx−Xx'|² ≤ (β_t/β_s)²|x−x'|², or α's",
        squares[1] <= high**2 * squares[0],
        DOMAIN,
        clause="stretch",
    )
    apart = [combine((ONE, a), (-ONE, b)) for a, b in ((pairs[0][0], pairs[1][0]), data)]
    on.exact(
        "⟨y−y', u−u'⟩ ≥ 0, from which both follow",
        dot(*apart) >= 0,
        DOMAIN,
        clause="stretch",
    )


# --- over the grammar -------------------------------------------------------------------------------------


def _anywhere(target, n, rng):
    """Points of R^d that belong to no time."""
    return target.scale * rng.standard_normal((n, target.dim))


@for_all("N4", target=TARGETS, schedule=SCHEDULES, s=TIMES.but(usual=0.3), t=TIMES.but(usual=0.8), seed=SEEDS)
def test_decomposition_is_found_again_at_any_other_time(evidence, target, schedule, s, t, seed):
    at = Minty(target, schedule, s, _anywhere(target, 100, generator(seed)))
    then = Minty(target, schedule, t, at.at(t))
    rounding = at.of_data + then.of_data + at.of_flow(t).amplified(1 / at.weights(t)[1], "prox, of x/β_t")
    on = evidence.on(target, schedule=schedule, s=s, t=t, seed=seed)
    on.bounded(
        "|prox at time t of X_{s→t}(x) − prox at time s of x|",
        norms(then.u - at.u),
        rounding,
        because="both are the u of one pair (y, u) of ∂φ*",
        clause="decomposition",
    )
    fall, rise = (float(f(remaining=1 - t)) for f in (schedule.alpha_dot, schedule.beta_dot))
    (alpha, beta), (later_alpha, later_beta) = at.weights(s), at.weights(t)
    stretch = max(abs(fall) / later_alpha, abs(rise) / later_beta)
    speed = fall / alpha * at.x + (rise - fall * beta / alpha) * at.u
    formed = Rounding(abs(fall) / alpha * (norms(at.x) + beta * norms(at.u)), 5, "α̇y + β̇u is formed")
    of_speed = formed + Rounding(abs(rise) * norms(at.u), 3, "α̇y + β̇u is formed")
    of_speed = of_speed + at.of_data.amplified(abs(rise - fall * beta / alpha))
    of_field = then.of_data.amplified(abs(rise - fall * later_beta / later_alpha), "in v_t")
    of_field = of_field + at.of_flow(t).amplified(stretch, "v_t is Lipschitz (P5)")
    sums = abs(fall) / later_alpha * (norms(then.x) + later_beta * norms(then.u)) + abs(rise) * norms(then.u)
    field = fall / later_alpha * then.x + (rise - fall * later_beta / later_alpha) * then.u
    on.bounded(
        "|v_t(X_{s→t}(x)) − (α̇_t y + β̇_t u)|: the curve of one pair solves the equation of the flow",
        norms(field - speed),
        of_speed + of_field + Rounding(sums, 5, "v_t is formed"),
        because="v_t(α_t y + β_t u) = α̇_t y + β̇_t u, which is the derivative of the curve",
        clause="decomposition",
    )


@for_all("N4", target=TARGETS, schedule=SCHEDULES, s=TIMES.but(usual=0.3), t=TIMES.but(usual=0.8), seed=SEEDS)
def test_stretch_lies_between_the_constants(evidence, target, schedule, s, t, seed):
    rng = generator(seed)
    x = _anywhere(target, 200, rng)
    near = x + 10.0 ** rng.uniform(-6, 1, (len(x), 1)) * rng.standard_normal(x.shape)
    here, there = (Minty(target, schedule, s, points) for points in (x, near))
    low, high = here.stretch(t)
    before, after = norms(x - near), here.at(t) - there.at(t)
    rounding = here.of_flow(t) + there.of_flow(t) + length_rounding(after)
    rounding = rounding + Rounding(high * (norms(x) + norms(near)), target.dim + 4, "x − x' and its length")
    on = evidence.on(target, schedule=schedule, s=s, t=t, seed=seed)
    on.bounded(
        "how far |Xx−Xx'| falls below the smaller constant times |x−x'|",
        np.maximum(low * before - norms(after), 0.0),
        rounding,
        because="Xx = (α_t/α_s)x + b·u(x), b of one sign and u firmly nonexpansive: the exact excess is ≤ 0",
        clause="stretch",
    )
    on.bounded(
        "how far |Xx−Xx'| exceeds the larger constant times |x−x'|",
        np.maximum(norms(after) - high * before, 0.0),
        rounding,
        because="Xx = (β_t/β_s)x − b'·y(x), b' of one sign and βy firmly nonexpansive",
        clause="stretch",
    )


# --- the constants are attained -----------------------------------------------------------------------------


def _attained(name):
    """Two points of TIE, or of the pentagon, whose distance is stretched by just the constant at s = .3."""
    corner = FiniteAtoms.regular_polygon(5).points[0]
    middle = 0.7 * TIE.heights[1] / np.sqrt(5) * ALONG + 0.3 * np.array([1.0, 0.5])
    if name == "inside a cell of the pentagon: one u":
        return FiniteAtoms.regular_polygon(5), np.stack([c * corner for c in (0.9, 1.7)]), 2 / 7
    if name == "TIE, along the face: one u":
        return TIE, np.stack([middle, middle + 0.8 * ACROSS]), 2 / 7
    return TIE, np.stack([middle - 0.2 * ALONG, middle + 0.25 * ALONG]), 8 / 3


@pytest.mark.claim("N4")
@pytest.mark.parametrize(
    "name",
    ["inside a cell of the pentagon: one u", "TIE, along the face: one u", "TIE, in its gap: one y"],
)
def test_constants_are_attained(evidence, name):
    """From t = .3 to t = .8 of the linear schedule: 2/7 where two points share u, 8/3 where they share y."""
    target, x, constant = _attained(name)
    at = Minty(target, Linear(), 0.3, x)
    moved = at.at(0.8)
    before, after = float(norms(x[0] - x[1])), float(norms(moved[0] - moved[1]))
    evidence.on(target, x=x).bounded(
        f"| |Xx−Xx'|/|x−x'| − {Fraction(constant).limit_denominator(9)} |, {name}",
        abs(after / before - constant),
        Rounding.measured(
            (at.of_flow(0.8).bound.sum() + 8 * EPS * (norms(x).sum() + norms(moved).sum())) / before,
            "the flow's rounding at both ends over their distance",
        ),
        because="two points with one u are moved by α_t/α_s, two with one y by β_t/β_s",
        clause="attained",
    )


# --- control ----------------------------------------------------------------------------------------------


@pytest.mark.control("N4")
def test_independent_coupling_stretches_by_far_more(evidence):
    """Data ±1 drawn apart from the noise: (X_{s→t})'(0) = (2/7)·exp(7.908…), not at most 8/3."""
    field = IndependentField([[-1.0], [1.0]], [0.5, 0.5])

    def slope(h):
        """Of the flow through ±h, in units of h; with the error of its integration."""
        path = trajectory(lambda t, z: field.velocity(t, h * z) / h, [[-1.0], [1.0]], [0.3, 0.8])
        return float(np.diff(path.states[-1, :, 0])[0]) / 2, float(path.error[-1])

    predicted = 2 / 7 * np.exp((12.5 - 5) - (1 / 0.98 - 1 / 0.7))
    (found, error), (wider, _) = slope(1e-7), slope(2e-7)
    evidence.on("independent coupling, atoms ±1").control(
        "the flow of the independent coupling's field: derivative of X_{.3→.8} at 0",
        predicted=predicted,
        measured=found,
        agreement=abs(wider - found) + error,
        because="exp ∫(t/(1−t)³ − 1/(1−t))dt; the quotient's error is of order h², a third of the change"
        " from h to 2h, and the integration's by two tolerances",
        intact=8 / 3,
    )
    rises = [field.velocity(0.8, [[h]])[0, 0] / h for h in (1e-6, 2e-6)]
    evidence.on("independent coupling, atoms ±1").control(
        "the independent coupling's field: its derivative at x = 0, t = .8",
        predicted=95.0,
        measured=rises[0],
        agreement=abs(rises[1] - rises[0]) + 1e-8,
        because="(t/(1−t)² − 1)/(1−t); the difference quotient's error is of order h², a third of the change"
        " from h to 2h; rounding is 1e−8",
        intact=1.25,
    )
