"""P2 to P5 of the field in ball arithmetic: times next to both ends, noise of many sizes, and x that is off.

α and β are powers of 2 and 1 less such, so that doubles hold them. x₁ = prox_{λφ}(x/β) is enclosed from the
definitions of φ and φ*, and x₀, v, V and Dv follow from it in balls. What the field states it errs by where x
is off by r is held against the field at a point so far from x: terms that are rounding there lead.
Control: v where ẋ is taken with α̇ = −β, told in balls by the number predicted.
"""

import numpy as np
import pytest
from flint import arb, ctx

from numerics.accuracy import EPS
from numerics.flows import ExactField
from numerics.intervals.balls import (
    PRECISION,
    above,
    add,
    below,
    distance,
    dot,
    doubles,
    exact,
    identity,
    norm,
    subtract,
    times,
)
from theorems.exact_twins import by_conjugate, without_atoms
from theorems.extreme_twins import EXTREME, decided, envelope, noise_of_many_sizes, off

POINTS, NEAREST = 8, 30  # times as near to 0 and 1 as 2⁻³⁰


@pytest.fixture(autouse=True)
def _precision():
    with ctx.workprec(PRECISION):
        yield


def _times(rng):
    """1 − t: powers of 2, and what is left of 1 to such."""
    powers = 2.0 ** -rng.integers(1, NEAREST + 1, POINTS)
    return np.where(rng.random(POINTS) < 0.5, powers, 1 - powers).tolist()


def _between(potential, noise, alpha):
    """The doubles nearest to x_t."""
    x0 = exact(noise)
    return doubles(add(times(arb(alpha), x0), times(1 - arb(alpha), potential.transport(x0).point)))


def _ends(potential, x, alpha):
    """What prox encloses of x₁, x₀ and v at x, for the linear schedule, and how wide the last may be."""
    a, b = arb(alpha), 1 - arb(alpha)
    found = potential.enclose(times(1 / b, x), a / b)
    x0 = times(1 / a, subtract(x, times(b, found.centre)))
    return found.centre, x0, subtract(found.centre, x0), found.width() / alpha


def _potential(potential, x, alpha):
    """V_t(x) = |x|²/(2β) − e_λφ(x/β): between the primal at the candidate and the dual."""
    a, b = arb(alpha), 1 - arb(alpha)
    return dot(x, x) / (2 * b) - envelope(potential, times(1 / b, x), a / b)


def _places(twins, rng):
    """(x, 1 − t, r, what is added to x): the last no longer than r, and 0 for every other place."""
    drawn = zip(noise_of_many_sizes(twins, POINTS, rng), _times(rng), strict=True)
    found, lost = decided(drawn, lambda pair: _between(twins.exact, *pair))
    places = []
    for k, ((_, alpha), x) in enumerate(found):
        way, radius = rng.standard_normal(len(x)), float(np.linalg.norm(x)) * 2.0 ** -rng.integers(0, 40)
        moved = (1 - 1e-9) * radius * way / np.linalg.norm(way)
        places.append((x, alpha, k % 2 * radius, k % 2 * moved))
    return places, lost


@pytest.mark.claim("P2", "P3", "P4")
def test_field_is_that_in_balls(evidence, rng):
    for twins in EXTREME:
        measure_field(evidence, rng, twins)


def measure_field(evidence, rng, twins):
    field, on = ExactField(twins.target), evidence.on(twins.target)
    places, lost = _places(twins, rng)
    found, undecided = decided(places, lambda p: _ends(twins.exact, add(exact(p[0]), exact(p[3])), p[1]))
    x, alpha, radius = (np.array([place[k] for place, _ in found]) for k in range(3))
    for k, member, symbol in ((0, "denoise", "x₁"), (1, "noise", "x₀"), (2, "velocity", "v")):
        values = getattr(field, member)(None, x, remaining=alpha)
        stated = getattr(field.roundings, member)(None, x, remaining=alpha, moved=radius).bound
        on.certified(
            f"|{symbol} of the field in doubles − {symbol}|, x off by r, by an enclosure",
            [distance(proved[k], value) for (_, proved), value in zip(found, values, strict=True)],
            stated + 2 * np.array([proved[3] for _, proved in found]),
            because="what is recovered is a function of prox, enclosed; the field's stated rounding",
            left_out=lost + undecided,
        )
    if not by_conjugate(twins):
        return
    proved, undecided = decided(
        places, lambda p: _potential(twins.exact, add(exact(p[0]), exact(p[3])), p[1])
    )
    x, alpha, radius = (np.array([place[k] for place, _ in proved]) for k in range(3))
    values = field.velocity_potential(None, x, remaining=alpha)
    stated = field.roundings.velocity_potential(None, x, remaining=alpha, moved=radius).bound
    on.certified(
        "|V of the field in doubles − V|, x off by r, by φ from above and φ* from below",
        [off(value, ball) for (_, ball), value in zip(proved, values, strict=True)],
        stated + 2 * np.array([above(arb(ball.rad())) for _, ball in proved]),
        because="V_t = |x|²/(2β) − e_λφ(x/β) for the linear schedule; the field's stated rounding",
        left_out=lost + undecided,
    )


@pytest.mark.claim("P5")
def test_jacobian_of_the_field_is_that_in_balls(evidence, rng):
    for twins in [t for t in EXTREME if t.target.traits.manifold and without_atoms(t)]:
        measure_jacobian(evidence, rng, twins)


def measure_jacobian(evidence, rng, twins):
    """Dv = (J/β) − (I − J)/α for the linear schedule."""
    field, (places, lost) = ExactField(twins.target), _places(twins, rng)
    found, undecided = decided(places, lambda p: _derivative(twins.exact, exact(p[0]), arb(p[1])))
    x, alpha = (np.array([place[k] for place, _ in found]) for k in range(2))
    evidence.on(twins.target).certified(
        "|Dv of the field in doubles − Dv|, by an enclosure",
        [
            distance(proved.entries(), value)
            for (_, proved), value in zip(found, field.jacobian(None, x, remaining=alpha), strict=True)
        ],
        field.roundings.jacobian(None, x, remaining=alpha).bound,
        because="J at x/β is enclosed by implicit differentiation; the field's stated rounding",
        left_out=lost + undecided,
    )


def _derivative(potential, x, a):
    b = 1 - a
    inner = potential.prox_jacobian(times(1 / b, x), a / b)
    return inner * (1 / b) - (identity(len(x)) - inner) * (1 / a)


# --- control --------------------------------------------------------------------------------------------


@pytest.mark.control("P2", "P3", "P4", "P5")
@pytest.mark.parametrize("exponent", [1, 12, 30])
def test_a_wrong_derivative_of_the_schedule_is_told(evidence, rng, exponent):
    """With α̇ = −β for α̇ = −1 the velocity α̇x₀ + x₁ is off by (1 − β)|x₀| = α|x₀|."""
    alpha, predicted, measured = 2.0**-exponent, [], []
    (twins,) = [t for t in EXTREME if repr(t) == "Sphere(3, 2.0)"]
    for noise in rng.standard_normal((POINTS, 3)):
        x0 = exact(noise)
        x1 = twins.exact.transport(x0).point
        a, b = arb(alpha), 1 - arb(alpha)
        _, _, velocity, width = _ends(twins.exact, add(times(a, x0), times(b, x1)), alpha)
        wrong = subtract(x1, times(b, x0))
        measured.append(below(norm(subtract(wrong, velocity))) - width)
        predicted.append(alpha * float(np.linalg.norm(noise)))
    evidence.on(twins.target, remaining=alpha).control(
        "v with α̇ = −β: by how much it is off, proved from below",
        predicted,
        measured,
        agreement=8 * EPS * np.array(predicted),
        because="α|x₀| by subtraction; a length, rounded",
    )
