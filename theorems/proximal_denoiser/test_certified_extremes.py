"""P2 and P4 in ball arithmetic where numbers are extreme: noise from 2⁻⁴⁰ on, steps from 2⁻³⁰ to 2³⁰.

T, φ*, the prox and its envelope are enclosed by the definitions of φ and φ*, at the very doubles that are
asked, and the library's answers lie as near as it states. A term that is forgotten in a statement, outweighed
elsewhere, leads somewhere: next to a body its multiplier is tiny, far from the data the noise is.
Control: the envelope without its half, told in balls by the number predicted.
"""

import numpy as np
import pytest
from flint import arb, ctx

from numerics.accuracy import EPS
from numerics.intervals.balls import PRECISION, above, below, distance, dot, exact, subtract
from numerics.intervals.bodies import ExactSphere
from numerics.intervals.exact_potential import interpolant
from theorems.exact_twins import by_conjugate
from theorems.extreme_twins import (
    EXTREME,
    beside,
    decided,
    envelope,
    noise_of_many_sizes,
    off,
    steps_of_many_sizes,
)

POINTS = 8


@pytest.fixture(autouse=True)
def _precision():
    with ctx.workprec(PRECISION):
        yield


@pytest.mark.claim("P2")
def test_transport_of_noise_of_any_size_is_that_in_balls(evidence, rng):
    for twins in EXTREME:
        measure_transport(evidence, rng, twins)


def measure_transport(evidence, rng, twins):
    target, drawn = twins.target, noise_of_many_sizes(twins, POINTS, rng)
    found, undecided = decided(drawn, lambda x0: twins.exact.transport(exact(x0)).point)
    noise = np.stack([x0 for x0, _ in found])
    evidence.on(target).certified(
        "|T in doubles − T| at noise of many sizes, by an enclosure of T(x₀)",
        [distance(x1, image) for (_, x1), image in zip(found, target.transport(noise), strict=True)],
        np.broadcast_to(target.roundings.transport(noise).bound, len(noise)),
        because="the family's stated rounding",
        left_out=undecided,
    )
    if not by_conjugate(twins):
        return
    found, undecided = decided(drawn, lambda x0: twins.exact.conjugate(exact(x0)))
    noise = np.stack([x0 for x0, _ in found])
    evidence.on(target).certified(
        "|φ* in doubles − φ*| at noise of many sizes, by an enclosure",
        [off(value, proved) for (_, proved), value in zip(found, target.conjugate(noise), strict=True)],
        np.broadcast_to(target.roundings.conjugate(noise).bound, len(noise)),
        because="the family's stated rounding",
        left_out=undecided,
    )


@pytest.mark.claim("P2", "P4")
def test_prox_and_envelope_of_any_step_are_those_in_balls(evidence, rng):
    for twins in EXTREME:
        measure_prox(evidence, rng, twins)


def measure_prox(evidence, rng, twins):
    target, on = twins.target, evidence.on(twins.target)
    pairs = zip(noise_of_many_sizes(twins, POINTS, rng), steps_of_many_sizes(POINTS, rng), strict=True)
    drawn, lost = decided(pairs, lambda pair: beside(twins.exact, *pair))
    places = [(z, step) for (_, step), z in drawn]
    found, undecided = decided(places, lambda p: twins.exact.enclose(exact(p[0]), arb(p[1])))
    solved = _solved(target, found)
    on.certified(
        "|prox in doubles − prox| at steps of many sizes, by an enclosure of the point that is optimal",
        [proved.distance(point) for (_, proved), point in zip(found, solved.point, strict=True)],
        solved.rounding.point.bound + 2 * np.array([proved.width() for _, proved in found]),
        because="0 ∈ ∂φ(u) + (u−z)/λ is proved in balls; the family's stated rounding",
        left_out=lost + undecided,
    )
    if not by_conjugate(twins):
        return
    found, undecided = decided(places, lambda p: envelope(twins.exact, exact(p[0]), arb(p[1])))
    solved = _solved(target, found)
    on.certified(
        "|envelope in doubles − envelope| at steps of many sizes, by φ from above and φ* from below",
        [off(value, proved) for (_, proved), value in zip(found, solved.envelope, strict=True)],
        solved.rounding.envelope.bound + 2 * np.array([above(arb(proved.rad())) for _, proved in found]),
        because="φ(u) + |u−z|²/(2λ) ≥ e ≥ ⟨z,y⟩ − φ*(y) − λ|y|²/2; the family's stated rounding",
        left_out=lost + undecided,
    )


def _solved(target, found):
    places = [place for place, _ in found]
    return target.proximal_point(np.stack([z for z, _ in places]), np.array([step for _, step in places]))


# --- control --------------------------------------------------------------------------------------------


@pytest.mark.control("P2", "P4")
@pytest.mark.parametrize("size", [2.0**-40, 1.0, 2.0**30])
def test_an_envelope_without_its_half_is_told(evidence, rng, size):
    """On the sphere e_λφ(x₁ + λx₀) = λ|x₀|²/2, and |z − u|²/λ is twice that."""
    sphere, predicted, measured = ExactSphere(3, 2.0), [], []
    for noise, step in zip(
        size * rng.standard_normal((POINTS, 3)), steps_of_many_sizes(POINTS, rng), strict=True
    ):
        x0 = exact(noise)
        z = interpolant(sphere.transport(x0).point, x0, arb(step))
        away = subtract(z, sphere.candidate(z, arb(step)).point)
        measured.append(below(dot(away, away) / step - envelope(sphere, z, arb(step))))
        predicted.append(step * float(noise @ noise) / 2)
    evidence.on("Sphere(3, 2.0)", size=size).control(
        "|z − u|²/λ in place of the envelope: what it is too large by, proved from below",
        predicted,
        measured,
        agreement=8 * EPS * np.array(predicted),
        because="half of |z − u|²/λ = λ|x₀|²; a sum of three squares, rounded",
    )
