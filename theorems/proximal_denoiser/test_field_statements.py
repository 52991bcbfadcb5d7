"""What the exact field states it errs by is of the size that rounding of input and output makes unavoidable.

Assumed: the contract. Interpolants of optimal pairs; the slopes that rounding of x goes through are read off
the members' own values. That a statement is large enough is what every bounded check of P2 to P6 asks.
"""

import numpy as np
import pytest

from numerics.accuracy import EPS, Rounding
from numerics.flows import ExactField
from numerics.potentials import Sphere
from numerics.schedules import Linear, Trigonometric
from theorems.setting.draws import generator
from theorems.setting.instances import REPRESENTATIVES
from theorems.setting.interpolant import Interpolant
from theorems.setting.roundings import dot_rounding, gap_rounding, hessian_rounding, length_rounding
from theorems.setting.statements import HELD, WIDE, by_draws, over, unavoidable
from theorems.setting.vectors import dot, norm

N = 40
CASES = ((Linear(), 0.1), (Trigonometric(), 0.9))
BY = by_draws(N)


def _interpolants(target, schedule, t):
    return Interpolant.drawn(target, schedule, t, N, generator(5))


def _excess(at, member, x):
    """The statement of a member of the field over what cannot be avoided."""
    t, function = 1 - at.remaining, getattr(at.field, member)
    stated = getattr(at.field.roundings, member)(t, x)
    return over(stated, unavoidable(lambda y: function(t, y), x, generator(1), at.target.finest))


@pytest.mark.claim("P2", "P3", "P4", "P6")
@pytest.mark.parametrize(("schedule", "t"), CASES)
def test_statements_of_the_field_are_no_larger_than_rounding(evidence, schedule, t):
    for target in REPRESENTATIVES:
        at = _interpolants(target, schedule, t)
        on = evidence.on(target, schedule=schedule, t=t)
        for member, x, symbol in (
            ("denoise", at.xt, "x₁"),
            ("noise", at.xt, "x₀"),
            ("velocity", at.xt, "v"),
            ("velocity_potential", at.xt, "V"),
            ("flow", at.x0, "X_t"),
        ):
            found = _excess(at, member, x)
            on.estimated(f"statement of {symbol} over what rounding makes", found, WIDE, by=BY, **HELD)


@pytest.mark.claim("P5")
@pytest.mark.parametrize(("schedule", "t"), CASES)
def test_statements_of_the_fields_jacobian_are_no_larger_than_rounding(evidence, schedule, t):
    """Of a singular law no point has a D prox, and the statement is of a set: left out, and counted."""
    for target in REPRESENTATIVES:
        at, smooth = _interpolants(target, schedule, t), target.traits.manifold
        evidence.on(target, schedule=schedule, t=t).estimated(
            "statement of Dv over what rounding makes",
            _excess(at, "jacobian", at.xt) if smooth else 0.0,
            WIDE,
            by=BY,
            left_out=0 if smooth else N,
            **HELD,
        )


@pytest.mark.claim("P2", "P3")
@pytest.mark.parametrize("schedule", [Linear(), Trigonometric()], ids=repr)
def test_the_flows_statement_is_that_of_its_ends(evidence, schedule):
    """X₁ is T(x₀) and X₀ is x₀: there the flow errs by what these do, and two roundings."""
    for target in REPRESENTATIVES:
        x0, x1 = target.sample(N, generator(5))
        of_data = np.broadcast_to(target.roundings.transport(x0).bound, (N,))
        stated = ExactField(target, schedule).roundings
        start, end = (np.broadcast_to(stated.flow(t, x0).bound, (N,)) for t in (0.0, 1.0))
        on = evidence.on(target, schedule=schedule)
        for what, found, stated_there, place in (
            ("X₁, and of T and two roundings", end, of_data, norm(x1)),
            ("X₀, and of two roundings", start, 0.0, norm(x0)),
        ):
            two = Rounding(place, 2, "αx₀ + βx₁").bound
            on.bounded(
                f"difference of the statements of {what}",
                np.abs(found - stated_there - two),
                Rounding(found + two, 64, "statements are computed, too; cos(π/2) is a rounding of 0"),
                because="X₁ is T(x₀) and errs by what T does; X₀ is x₀",
            )


@pytest.mark.claim("P1", "P2", "P4")
def test_statements_that_the_checks_form_are_no_larger_than_rounding(evidence):
    """Of prox(z) − x₁, (z − prox)/λ − x₀ and φ(x₁) + φ*(x₀) − ⟨x₀,x₁⟩, as checks add them."""
    schedule, t = Trigonometric(), 0.5
    for target in REPRESENTATIVES:
        at = _interpolants(target, schedule, t)
        on = evidence.on(target, schedule=schedule, t=t)
        least, step = target.finest, at.step
        of_data = unavoidable(target.transport, at.x0, generator(1), least)
        of_prox = unavoidable(lambda z, f=target, s=step: f.prox(z, s), at.z, generator(1), least)
        of_noise = unavoidable(
            lambda z, f=target, s=step: (z - f.prox(z, s)) / s, at.z, generator(1), least / step
        )
        gap = gap_rounding(target, at.x1, at.x0)
        of_gap = unavoidable(
            lambda x, y=at.x1: dot(x, y), at.x0, generator(1), np.abs(target.conjugate(at.x0))
        )
        for what, stated, size in (
            ("recovered data", at.of_recovery, of_prox + of_data),
            ("recovered noise", at.of_noise, of_noise + (of_prox + of_data) / step),
            ("Fenchel–Young gap", gap, of_gap + least * of_data),
        ):
            on.estimated(
                f"statement of the {what} over what rounding makes", over(stated, size), WIDE, by=BY, **HELD
            )


@pytest.mark.claim("P2", "P3", "P5", "P6")
@pytest.mark.parametrize(("schedule", "t"), CASES)
def test_statements_of_interpolants_and_lengths_are_no_larger_than_rounding(evidence, schedule, t):
    """Of x_t and ẋ_t beside T's own, of |x|, of ⟨x, y⟩ and of H = K⁻¹ beside K's."""
    for target in REPRESENTATIVES:
        at = _interpolants(target, schedule, t)
        on, (alpha, beta, fall, rise) = evidence.on(target, schedule=schedule, t=t), at.coefficients
        x0, x1, data = norm(at.x0), norm(at.x1), at.of_data.bound
        of_terms = EPS * (np.abs(at.x0 * at.x1).sum(axis=1))
        bend = np.broadcast_to(np.eye(target.dim), (N, target.dim, target.dim))
        of_bend = target.roundings.transport_jacobian(at.x0).bound * target.dim + EPS * np.sqrt(target.dim)
        for what, stated, size in (
            ("x_t", at.of_path, EPS * (alpha * x0 + beta * x1) + beta * data),
            ("ẋ_t", at.of_speed, EPS * (abs(fall) * x0 + abs(rise) * x1) + abs(rise) * data),
            ("|x₀|", length_rounding(at.x0), EPS * x0),
            ("⟨x₀,x₁⟩", dot_rounding(at.x0, at.x1), of_terms),
            ("H = I", hessian_rounding(target, at.x0, bend), of_bend),
        ):
            on.estimated(
                f"statement of {what} over what rounding makes",
                over(stated, size),
                WIDE,
                by=BY,
                because="one rounding of each term, and T's and K's own, are not to be avoided",
                chosen="a thousand times that",
            )


@pytest.mark.control("P2", "P3", "P4", "P5", "P6")
@pytest.mark.parametrize("factor", [1e6, 3e4])
def test_a_statement_of_the_field_that_is_too_large_is_told(evidence, factor):
    target = Sphere(3, 2.0)
    at = _interpolants(target, Linear(), 0.9)
    stated = at.field.roundings.velocity(0.9, at.xt)
    size = unavoidable(lambda x: at.field.velocity(0.9, x), at.xt, generator(1), target.finest)
    wrong = over(Rounding(stated.size, stated.count * factor, "multiplied"), size)
    evidence.on(target, factor=factor).control(
        "a statement of v multiplied, over what rounding makes: beyond a thousand",
        predicted=factor * over(stated, size),
        measured=wrong,
        agreement=1e-6 * wrong,
        because="a statement is linear in its count, but for γ_n's second order",
        intact=WIDE,
    )
