"""What the library states it errs by is of the size that rounding of input and output makes unavoidable.

Every *bounded* check judges by these statements: one that is a million times too large lets anything pass.
What no algorithm can avoid is one rounding of what goes in, times the slope there, and one of what comes out;
a statement may exceed that by a thousand at the median of drawn points. That it is large enough is what every
bounded check asks; and no statement may be far below the grain of doubles, as a sum of several may hide.
"""

import numpy as np
import pytest

from numerics.accuracy import EPS, Rounding
from numerics.potentials import DegenerateGaussian, Ellipsoid, Sphere
from theorems.setting.draws import generator
from theorems.setting.instances import REPRESENTATIVES
from theorems.setting.statements import HELD, WIDE, over, unavoidable
from theorems.setting.vectors import norm

STEPS = (0.01, 1.0, 100.0)
N, GRAIN = 100, 100.0
# Not of the one list: a variance far below the largest, which is not one that rounding made.
NEARLY_FLAT = DegenerateGaussian([0.0, 0.0], [[1.0, 0.0], [0.0, 2.0**-40]])
SIZE = {"by": f"the median of {N} drawn points", **HELD}


def _of_transport(target, x0, x1):
    slope = np.linalg.norm(target.transport_jacobian(x0), axis=(1, 2))
    return EPS * (norm(x1) + slope * norm(x0) + target.finest)


@pytest.mark.claim("P1")
def test_statements_of_transport_and_conjugate_are_no_larger_than_rounding(evidence):
    for target in (*REPRESENTATIVES, NEARLY_FLAT):
        x0, x1 = target.sample(N, generator(5))
        on = evidence.on(target)
        stated = target.roundings.transport(x0)
        on.estimated(
            "statement of T over what rounding makes",
            over(stated, _of_transport(target, x0, x1)),
            WIDE,
            **SIZE,
        )
        unavoidable = EPS * (np.abs(target.conjugate(x0)) + norm(x1) * norm(x0) + target.finest)
        stated = target.roundings.conjugate(x0)
        on.estimated("statement of φ* over what rounding makes", over(stated, unavoidable), WIDE, **SIZE)


@pytest.mark.claim("P2", "P4")
@pytest.mark.parametrize("step", STEPS)
def test_statements_of_prox_and_envelope_are_no_larger_than_rounding(evidence, step):
    for target in (*REPRESENTATIVES, NEARLY_FLAT):
        x0, x1 = target.sample(N, generator(6))
        z = x1 + step * x0
        found = target.proximal_point(z, step)
        on = evidence.on(target, step=step)
        unavoidable = EPS * (norm(z) + norm(found.point) + target.finest)
        of_point = over(found.rounding.point, unavoidable)
        on.estimated("statement of prox over what rounding makes", of_point, WIDE, **SIZE)
        slope = norm(found.dual)
        unavoidable = EPS * (np.abs(found.envelope) + slope * norm(z) + step * slope**2 + target.finest)
        of_envelope = over(found.rounding.envelope, unavoidable)
        on.estimated("statement of the envelope over what rounding makes", of_envelope, WIDE, **SIZE)


@pytest.mark.claim("P2", "P4")
def test_statements_off_the_support_are_no_larger_than_rounding(evidence):
    """At points that are no interpolants: faces of several atoms, whose weights are solved for."""
    step = 0.25
    for target in REPRESENTATIVES:
        rng = generator(8)
        z = target.transport(rng.standard_normal((N, target.dim)))
        z = z[rng.permutation(N)] / 2 + z / 2 + step * rng.standard_normal(z.shape)
        found = target.proximal_point(z, step)
        unavoidable = EPS * (norm(z) + norm(found.point) + target.finest)
        evidence.on(target, step=step).estimated(
            "statement of prox over what rounding makes, off the support",
            over(found.rounding.point, unavoidable),
            WIDE,
            **SIZE,
        )


@pytest.mark.claim("P5")
@pytest.mark.parametrize("step", STEPS)
def test_statements_of_jacobians_are_no_larger_than_rounding(evidence, step):
    """Of a singular law no point has a D prox, and the statement is of a set: left out, and counted."""
    for target in REPRESENTATIVES:
        x0, x1 = target.sample(N, generator(7))
        stated = target.proximal_point(x1 + step * x0, step).rounding.jacobian.bound
        smooth = target.traits.manifold
        evidence.on(target, step=step).estimated(
            "statement of D prox, whose norm is at most 1, over eps",
            float(np.median(stated)) / EPS if smooth else 0.0,
            WIDE,
            left_out=0 if smooth else N,
            **SIZE,
        )


def _grain(value, stated):
    """Half the spacing of doubles beside the largest entry, over the statement: the median; rows left out."""
    size, bound = np.abs(value).reshape(N, -1).max(axis=1), np.broadcast_to(stated.bound, (N,))
    some = bound > 0
    share = float(np.median(np.spacing(size[some]) / 2 / bound[some])) if some.any() else 0.0
    return share, int((~some).sum())


@pytest.mark.claim("P1", "P2", "P4", "P5")
def test_statements_are_no_smaller_than_the_grain_of_doubles(evidence):
    """A statement of 0 says exact, and is held to that by the bounded checks: left out, and counted."""
    for target in REPRESENTATIVES:
        x0, x1 = target.sample(N, generator(5))
        found = target.proximal_point(x1 + x0, 1.0)
        stated, on = target.roundings, evidence.on(target)
        kernel = {}
        if target.traits.manifold:  # a singular law has no derivatives to speak of
            kernel["K"] = target.transport_jacobian(x0), stated.transport_jacobian(x0)
            kernel["D prox"] = found.jacobian, found.rounding.jacobian
        for what, (value, statement) in {
            "φ*": (target.conjugate(x0), stated.conjugate(x0)),
            "T": (x1, stated.transport(x0)),
            "prox": (found.point, found.rounding.point),
            "the envelope": (found.envelope, found.rounding.envelope),
            **kernel,
        }.items():
            share, exact = _grain(value, statement)
            on.estimated(
                f"half the spacing of doubles over the statement of {what}",
                share,
                GRAIN,
                by=f"the median of {N} drawn points",
                because="the exact value is no double, but uniform between two of them",
                chosen="a hundred: one point in a hundred is that near to a double",
                left_out=exact,
            )


@pytest.mark.claim("P1", "P2", "P4", "P5")
@pytest.mark.parametrize("factor", [0.01, 1.0, 100.0])
def test_what_cannot_be_avoided_is_told_of_a_turn(evidence, rng, factor):
    """f(x) = factor·Qx has the slope factor in every direction: eps·2·factor·|x|; and medians are medians."""
    turned, x = np.linalg.qr(rng.standard_normal((3, 3)))[0], rng.standard_normal((31, 3))
    size = 2 * factor * EPS * norm(x)
    on = evidence.on("a turn of space", factor=factor)
    on.bounded(
        "|eps·(|f(x)| + slope·|x|) − 2·eps·factor·|x||, over the latter",
        np.abs(unavoidable(lambda y: factor * y @ turned.T, x, rng) / size - 1),
        Rounding(1.0, 2.0**26, "differences over a step of 2⁻²⁰, sixteen roundings of it"),
        because="a turn keeps lengths",
    )
    order, stated = rng.permutation(31) + 1.0, Rounding(size, 2, "two")
    on.bounded(
        "|the median of a statement over such sizes − 1/16|, sizes 1 to 31 times it",
        abs(over(stated, order * stated.bound) - 1 / 16),
        Rounding(1.0, 8, "quotients"),
        because="the sixteenth of 31",
    )


@pytest.mark.control("P1", "P2", "P4", "P5")
@pytest.mark.parametrize("factor", [1e-6, 1e-5])
def test_a_statement_that_is_too_small_is_told(evidence, factor):
    """T(x₀) = 2x₀/|x₀| has coordinates that are no doubles."""
    target = Sphere(3, 2.0)
    x0, x1 = target.sample(N, generator(5))
    stated = target.roundings.transport(x0)
    right, wrong = _grain(x1, stated)[0], _grain(x1, stated.amplified(factor))[0]
    evidence.on(target, factor=factor).control(
        "half the spacing of doubles over a statement multiplied: beyond a hundred",
        predicted=right / factor,
        measured=wrong,
        agreement=1e-9 * wrong,
        because="a statement is linear in its size",
        intact=GRAIN,
    )


@pytest.mark.control("P1", "P2", "P4", "P5")
@pytest.mark.parametrize("factor", [1e6, 3e4])
def test_a_statement_that_is_too_large_is_told(evidence, factor):
    target = Ellipsoid([[4.0, 1.0, 0.0], [1.0, 2.0, 0.25], [0.0, 0.25, 0.5]])
    x0, x1 = target.sample(N, generator(5))
    stated, unavoidable = target.roundings.transport(x0), _of_transport(target, x0, x1)
    found = over(stated.amplified(factor), unavoidable)
    evidence.on(target, factor=factor).control(
        "a statement multiplied, over what rounding makes: beyond a thousand",
        predicted=factor * over(stated, unavoidable),
        measured=found,
        agreement=1e-9 * found,
        because="a statement is linear in its size",
        intact=WIDE,
    )
