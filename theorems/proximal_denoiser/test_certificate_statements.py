"""Certificates of a prox are attained where their inequality is, and what they add for rounding is rounding.

Assumed: the contract. Three certificates bound |u − prox(z)| for any u; each is asked at the pair where its
proof has equality, so that a bound without a factor is too small there. ∂φ states how far outside members
are computed to lie (``rounding``), and how far x₁ is from the point whose set it is (``blur``): both are held
against what rounding of x₁ makes unavoidable, as are the certificates at the prox itself.
"""

import numpy as np
import pytest
from flint import arb, ctx

from numerics.accuracy import EPS, Rounding
from numerics.intervals.atoms import ExactAtoms
from numerics.intervals.balls import PRECISION, UndecidedError, above, below, exact
from numerics.intervals.curves import ExactNearestPoint
from numerics.intervals.exact_potential import Candidate, slip
from numerics.intervals.parametrised import ExactCurve
from numerics.potentials import FiniteAtoms, Sphere
from numerics.proximal import certificate
from theorems.setting.draws import generator
from theorems.setting.instances import REPRESENTATIVES
from theorems.setting.statements import WIDE, over
from theorems.setting.vectors import norm

STEPS = (0.01, 1.0, 100.0)
N = 6
SIZE = {
    "by": f"the median of {N} drawn points",
    "because": "rounding of what goes in and of what comes out is of this size",
    "chosen": "a thousand times that",
}


# --- the inequalities, where they are equalities ---------------------------------------------------------


def _transport_pair(step, rng):
    """One atom c: T(y) = c = prox for any z. For u beyond z − λy, seen from c, the bound is |u − c|."""
    c = rng.standard_normal((1, 3))
    z, y = 2 * rng.standard_normal((2, 40, 3))
    e = z - c - step * y
    u = c + (1 + rng.uniform(0.1, 2.0, (40, 1))) * e
    found = certificate.transport(FiniteAtoms(c, [0.5]), z, step, u, y)
    return found, norm(u - c), (z, u, step * y), found.rounding


def _gap_pair(step, rng):
    """Atoms 0 and Δ, u = 0 and y = b + Δ/λ: the prox of u + λy is the other atom, and G = Δ²/λ.

    Of a root, √(a² + r²) − a ≤ r²/a: the bound errs by the square of its rounding, and by the domain's width.
    """
    apart = rng.uniform(0.5, 3.0)
    target = FiniteAtoms.two([0.0], [apart], 0.3)
    tie = target.heights[1] / apart
    y = np.array([[tie + apart / step]])
    u = np.zeros((1, 1))
    found = certificate.fenchel_young(target, u + step * y, step, u)
    added = np.minimum(found.rounding, found.rounding**2 / apart + target.roundings.domain(u).bound)
    return found, np.array([apart]), (u, y * step, y), added


def _set_pair(step, rng):
    """On the segment of two atoms ∂φ is their tie: y beyond it by δ moves the prox by λδ along it."""
    apart = 3.0
    target = FiniteAtoms.two([0.0], [apart], 0.3)
    tie = target.heights[1] / apart
    u = rng.uniform(1.0, 1.5, (20, 1))
    moved = rng.uniform(0.1, 1.0, (20, 1))
    y = tie + moved / step
    found = certificate.subdifferential(target, u + step * y, step, u)
    return found, moved[:, 0], (u, y * step, y), found.rounding


@pytest.mark.claim("P2")
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("pair", [_transport_pair, _gap_pair, _set_pair], ids=["transport", "gap", "set"])
def test_certificates_are_attained(evidence, rng, pair, step):
    found, apart, sizes, added = pair(step, rng)
    formed = Rounding(sum(norm(s) for s in sizes), 16, "z, u and y are formed")
    on = evidence.on("atoms", step=step, pair=pair.__name__)
    on.bounded(
        "|u − prox| beyond its certificate",
        np.maximum(apart - found.bound, 0.0),
        formed,
        because="the certificate is a bound",
    )
    on.bounded(
        "the certificate beyond |u − prox|",
        np.maximum(found.bound - apart, 0.0),
        formed + Rounding.measured(2 * added, "what the certificate adds for rounding"),
        because="the pair is one where the inequality is an equality",
    )


@pytest.mark.claim("P2")
@pytest.mark.parametrize("step", STEPS)
def test_the_least_of_several_certificates_is_taken(evidence, rng, step):
    """Row by row, with its own rounding; of T and of the gap, where both are asked, whichever is less."""
    for target in (FiniteAtoms.regular_polygon(5), Sphere(3, 2.0)):
        z = target.scale * (1 + step) * rng.standard_normal((40, target.dim))
        u = target.prox(z + 0.01 * step * rng.standard_normal(z.shape), step)
        each = [certify(target, z, step, u) for certify in (certificate.transport, certificate.fenchel_young)]
        bounds, roundings = (np.stack([getattr(c, part) for c in each]) for part in ("bound", "rounding"))
        least, on = certificate.smallest(*each), evidence.on(target, step=step)
        own = np.take_along_axis(roundings, bounds.argmin(axis=0)[None], 0)[0]
        on.exact("the least of the bounds, and its rounding", least.bound == bounds.min(axis=0), "bitwise")
        on.exact("its own rounding", least.rounding == own, "bitwise")
        on.exact(
            "both asked at once",
            certificate.certify(target, z, step, u).bound == bounds.min(axis=0),
            "bitwise: the gap is left out only where its rounding alone is more",
        )


@pytest.mark.claim("P2")
@pytest.mark.parametrize("power", [-6, 0, 8])
def test_enclosures_are_attained(evidence, power):
    """The same gap in ball arithmetic: heights 0 and ¾, atoms 0 and 2, λ a power of 2, so all is exact."""
    step, apart, height = 2.0**power, 2.0, 0.75
    with ctx.workprec(PRECISION):
        atoms = ExactAtoms([[0.0], [apart]], [0.0, height])
        dual = exact([height / apart + apart / step])
        gap = atoms.gap(Candidate(exact([0.0]), arb(0)), dual)
        off = abs(slip(gap, arb(step)) - arb(apart))
        evidence.on("two atoms in balls", step=step).certified(
            "|√(λ·gap) − |u − prox||, u the other atom",
            above(off),
            bound=2.0**-200,
            because="gap = Δ²/λ at y = b + Δ/λ; balls of 512 bits",
            chosen="the resolution 2⁻²⁰⁰, far above that of the balls",
        )


@pytest.mark.claim("P2")
@pytest.mark.parametrize("width", [2.0**-80, 2.0**-40, 1.0])
def test_ends_of_balls_hold_them(evidence, width):
    """Certified numbers are ends of balls: of a ball about 1 every member is between both, to one step."""
    ball = arb(1.0, width)
    low, high = below(ball), above(ball)
    on = evidence.on("a ball about 1", width=width)
    on.exact("no member is above the upper end", arb(high) >= ball.upper(), "in balls")
    on.exact("no member is below the lower end", arb(low) <= ball.lower(), "in balls")
    on.certified(
        "by how much the ends are farther out than the ball",
        max(above(arb(high) - ball.upper()), above(ball.lower() - arb(low))),
        2 * EPS * (1 + width),
        "a step of doubles each",
    )


# --- what is added for rounding ---------------------------------------------------------------------------


def _displaced(target, members, x0, x1, rng):
    """How far outside ∂φ(x₁) noise lies that T sends to x₁ to rounding: it cannot be told from a member."""
    length = float(norm(x0))
    near = x0 + length * 2.0 ** -np.arange(6.0, 50.0, 4.0)[:, None] * rng.standard_normal((11, len(x0)))
    same = norm(target.transport(near) - x1) <= 4 * EPS * (norm(x1) + target.finest)
    return float(members.distance(near[same]).max(initial=0.0)) if same.any() else 0.0


@pytest.mark.claim("P2")
def test_statements_of_subdifferentials_are_no_larger_than_rounding(evidence):
    for target in REPRESENTATIVES:
        rng = generator(5)
        x0, x1 = target.sample(N, rng)
        members = [target.subdifferential(x) for x in x1]
        displaced = [_displaced(target, *each, rng) for each in zip(members, x0, x1, strict=True)]
        on = evidence.on(target)
        stated = Rounding.measured(np.array([m.rounding for m in members]) * (1 + norm(x0)), "of a member")
        made = EPS * (1 + norm(x0)) + np.array(displaced)
        on.estimated("statement of a member of ∂φ over what rounding makes", over(stated, made), WIDE, **SIZE)
        blur = Rounding.measured(np.array([m.blur for m in members]), "x₁")
        made = EPS * (target.scale + norm(x1))
        on.estimated("blur of ∂φ over what rounding makes", over(blur, made), WIDE, **SIZE)


@pytest.mark.claim("P2")
@pytest.mark.parametrize("step", STEPS)
def test_certificates_of_the_prox_are_no_larger_than_rounding(evidence, step):
    """At the prox itself all of a certificate is rounding; that of the gap under a root, so it is squared."""
    for target in REPRESENTATIVES:
        x0, x1 = target.sample(N, generator(6))
        z = x1 + step * x0
        u = target.prox(z, step)
        size = EPS * (norm(z) + norm(u) + step * norm(x0) + target.finest)
        image = 2 * target.roundings.transport(x0).bound
        on = evidence.on(target, step=step)
        found = certificate.transport(target, z, step, u, y=x0)
        made = size + image
        on.estimated(
            "certificate by T at the prox, over what rounding makes", _ratio(found.bound, made), WIDE, **SIZE
        )
        gap = certificate.fenchel_young(target, z, step, u)
        terms = np.abs(target.conjugate(x0)) + norm(u) * norm(x0) + target.scale * norm(x0) + target.finest
        made = step * EPS * terms + size**2
        on.estimated(
            "certificate by the gap at the prox, over what rounding makes, squares",
            _ratio(gap.rounding**2, made),
            WIDE,
            **SIZE,
        )
        each = certificate.subdifferential(target, z, step, u)
        members = [target.subdifferential(x) for x in u]
        own = np.array([step * (1 + norm(y)) * m.rounding for y, m in zip(x0, members, strict=True)])
        made = size + EPS * target.scale + own
        on.estimated(
            "certificate by ∂φ at the prox, over what rounding and ∂φ make",
            _ratio(each.rounding, made),
            WIDE,
            **SIZE,
        )


def _ratio(found, made):
    return over(Rounding.measured(found, "a certificate"), made)


@pytest.mark.claim("P2")
@pytest.mark.parametrize("place", [0.4, 1.3, 2.5, 3.6, 4.4, 5.9])
def test_a_maximum_that_the_net_misses_is_not_proved_to_be_small(evidence, place):
    """A circle with a prick 1e−4 wide, beside all proposals: the proof of a global maximum must not end.

    Wherever it is: the proof goes through pieces of the curve, and may leave none out.
    """
    sine_there, cosine_there = arb(place).sin_cos()

    def pricked(t):
        sine, cosine = t.sin_cos()
        away = 1 - cosine * cosine_there - sine * sine_there
        length = 1 + (away * -1e8).exp() / 2
        return [cosine * length, sine * length]

    proof = ExactNearestPoint(ExactCurve(pricked, arb(0), 2 * arb.pi(), closed=True), 0.75)
    try:
        refused, found = False, proof.conjugate(exact([3 * np.cos(place + 0.2), 3 * np.sin(place + 0.2)]))
    except UndecidedError:
        refused, found = True, None
    evidence.on("a circle with a prick", place=place, found=str(found)).exact(
        "φ* = 3 − a/2 of the circle is refused, as the prick has 4.5 cos(.2) − 9a/8", refused, "one point"
    )


@pytest.mark.control("P2")
@pytest.mark.parametrize("factor", [1e6, 1e5])
def test_a_rounding_of_members_that_is_too_large_is_told(evidence, factor):
    target = Sphere(3, 2.0)
    _, x1 = target.sample(N, generator(5))
    stated = np.array([target.subdifferential(x).rounding for x in x1])
    found = _ratio(factor * stated, np.full(N, EPS))
    evidence.on(target, factor=factor).control(
        "a statement of ∂φ multiplied, over eps: beyond a thousand",
        predicted=factor * _ratio(stated, np.full(N, EPS)),
        measured=found,
        agreement=1e-9 * found,
        because="a statement is linear in its size",
        intact=WIDE,
    )
