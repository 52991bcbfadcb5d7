"""P2 in ball arithmetic, from exact input to the answer, for one target of every family and every rule.

x₀ and λ are doubles, hence rationals; T(x₀), z = x₁ + λx₀ and prox_{λφ}(z) are proved enclosures. For φ* in
closed form the prox is proved by the Fenchel–Young inequality (`numerics.intervals.exact_potential`), whoever
proposes it; for laws on the line by a change of sign of λs + T(s) − z. The library's answers then lie as near
to the enclosures as the library states. Controls: another step, data point and height, refuted in balls by
the number predicted.
"""

import numpy as np
import pytest
from flint import arb, ctx
from scipy import stats
from scipy.special import ndtri

from numerics.accuracy import EPS
from numerics.intervals.atoms import ExactAtoms
from numerics.intervals.balls import PRECISION, above, apply, below, distance, exact, norm, subtract
from numerics.intervals.exact_potential import Candidate, interpolant
from numerics.potentials import FiniteAtoms
from theorems.exact_twins import TWINS, by_conjugate, pair, sees_the_step

POINTS = 5
RESOLUTION = 2.0**-100  # chosen: what an enclosure may be wide, far below every double's rounding


@pytest.fixture(autouse=True)
def _precision():
    with ctx.workprec(PRECISION):
        yield


def _pairs(twins, rng):
    return [pair(twins, rng) for _ in range(POINTS)]


@pytest.mark.claim("P2")
def test_interpolant_returns_its_data_point(evidence, rng):
    for twins in TWINS:
        measure_interpolant(evidence, rng, twins)


def measure_interpolant(evidence, rng, twins):
    """prox(x₁ + λx₀) is enclosed from z alone, and holds T(x₀)."""
    pairs, target = _pairs(twins, rng), twins.target
    on = evidence.on(target, x0=np.array([p.noise for p in pairs]), step=np.array([p.step for p in pairs]))
    on.certified(
        "|prox_{λφ}(x₁+λx₀) − x₁|, enclosed in balls",
        [twins.exact.enclose(p.z, arb(p.step)).distance_of(p.x1) for p in pairs],
        bound=[RESOLUTION * (1 + p.length) for p in pairs],
        because="both enclosures are proved, and narrower than the resolution",
        chosen="the resolution, 2⁻¹⁰⁰ of 1 + |z|",
    )
    measured, bound = [], []
    for p in pairs:
        found = target.proximal_point(p.near[None], p.step)
        alone = target.prox(p.near[None], p.step)
        measured.append(max(distance(p.x1, found.point[0]), distance(p.x1, alone[0])))
        stated = float(found.rounding.point.largest().bound)
        bound.append(stated + p.rounding + twins.misfit * (p.length + _length(found.point)))
    on.certified(
        "|prox in doubles − x₁|, by an enclosure of x₁",
        measured,
        bound,
        because="the family's stated rounding; prox is nonexpansive in the rounding of z, which is enclosed",
    )


@pytest.mark.claim("P2")
def test_transport_in_doubles_is_that_in_balls(evidence, rng):
    for twins in TWINS:
        measure_transport(evidence, rng, twins)


def measure_transport(evidence, rng, twins):
    """The data point that the first test encloses is the library's."""
    pairs, target = _pairs(twins, rng), twins.target
    measured, bound = [], []
    for p in pairs:
        found = target.transport(p.noise[None])
        stretch = above(norm(twins.exact.transport_jacobian(p.x0).entries())) if twins.misfit else 0.0
        measured.append(distance(p.x1, found[0]))
        stated = float(target.roundings.transport(p.noise[None]).largest().bound)
        misfit = twins.misfit * (_length(found) + 1.01 * stretch * _length(p.noise))
        bound.append(stated + misfit)
    evidence.on(target, x0=np.array([p.noise for p in pairs])).certified(
        "|T in doubles − T|, by an enclosure of T(x₀)",
        measured,
        bound,
        because="the family's stated rounding",
    )


@pytest.mark.claim("P2")
def test_inverse_exists_off_the_support(evidence, rng):
    for twins in TWINS:
        measure_inverse(evidence, rng, twins)


def measure_inverse(evidence, rng, twins):
    """At any z the optimality condition holds at a point that is enclosed, and near the library's answer."""
    target, places, measured, bound = twins.target, [], [], []
    for _ in range(POINTS):
        z, step = twins.anywhere(target, rng), int(rng.integers(1, 33)) / 16
        found = target.proximal_point(z[None], step)
        places.append((z, step))
        proved, alone = twins.exact.enclose(exact(z), arb(step)), target.prox(z[None], step)
        measured.append(max(proved.distance(found.point[0]), proved.distance(alone[0])))
        stated = float(found.rounding.point.largest().bound)
        # The distance is to the farthest point of the enclosure; arithmetic of balls may double its width.
        bound.append(stated + 2 * proved.width() + twins.misfit * (_length(z) + _length(found.point)))
    evidence.on(target, z=np.array([z for z, _ in places]), step=np.array([s for _, s in places])).certified(
        "|prox in doubles − prox| at any z, by an enclosure of the point that is optimal",
        measured,
        bound,
        because="0 ∈ ∂φ(u) + (u−z)/λ is proved in balls; the family's stated rounding",
    )


def _length(x):
    """|x|, rounded up."""
    return above(norm(exact(x)))


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("P2")
def test_another_data_point_is_refuted(evidence, rng):
    for twins in [t for t in TWINS if by_conjugate(t) and not t.misfit]:
        measure_another_data_point(evidence, rng, twins)


def measure_another_data_point(evidence, rng, twins):
    """In place of T(x₀) that of other noise x₀': the gap is φ*(x₀) − φ*(x₀') − ⟨x₀−x₀', T(x₀')⟩ > 0."""
    target, predicted, proved, blur, same = twins.target, [], [], [], 0
    for _ in range(200):
        x0, other = rng.standard_normal((2, target.dim))
        wrong = twins.exact.transport(exact(other))
        gap = twins.exact.gap(wrong, exact(x0))
        if not gap > RESOLUTION:
            same += 1  # the same atom
            continue
        both, away = np.stack([x0, other]), x0 - other
        image = target.transport(other[None])[0]
        first, second = target.conjugate(both)
        predicted.append(float(first - second - away @ image))
        proved.append(below(gap))
        stated = target.roundings.conjugate(both).bound.sum() if target.dim else 0.0
        moved = _length(away) * float(target.roundings.transport(other[None]).largest().bound)
        sums = abs(first) + abs(second) + _length(away) * _length(image)
        blur.append(stated + moved + (target.dim + 4) * EPS * sums)
        if len(predicted) == POINTS:
            break
    evidence.on(target).control(
        "another data point in place of x₁: its Fenchel–Young gap, proved from below",
        predicted,
        proved,
        agreement=blur,
        because="the gap of T(x₀') at x₀ is the Bregman distance of φ*; the library's φ* and T as stated",
        left_out=same,
    )


@pytest.mark.control("P2")
def test_a_wrong_step_is_refuted(evidence, rng):
    for twins in [t for t in TWINS if sees_the_step(t)]:
        measure_wrong_step(evidence, rng, twins)


def measure_wrong_step(evidence, rng, twins):
    """∂prox/∂λ = −J·(z−u)/λ: with the step (1+ε)λ the data point is missed by ελ|Jx₀| to first order."""
    excess, predicted, missed, blind = arb(2) ** -40, [], [], 0
    for _ in range(200):
        p = pair(twins, rng)
        step = arb(p.step)
        seen = norm(apply(twins.exact.prox_jacobian(p.z, step), p.x0))
        if not seen > RESOLUTION:
            blind += 1  # an end of a curve or an atom: there prox does not depend on the step
            continue
        found = twins.exact.enclose(p.z, step * (1 + excess))
        predicted.append(below(excess * step * seen))
        missed.append(below(norm(subtract(found.centre, p.x1)) - found.radius))
        if len(predicted) == POINTS:
            break
    evidence.on(twins.target).control(
        "step (1+2⁻⁴⁰)λ: by how much x₁ is missed, proved from below",
        predicted,
        missed,
        agreement=1e-6 * np.array(predicted),
        because="ελ|Jx₀| by implicit differentiation, and terms of order 2⁻⁴⁰",
        left_out=blind,
        chosen="10⁻⁶ for those terms",
    )


@pytest.mark.control("P2")
@pytest.mark.parametrize(
    ("name", "probability"),
    [
        ("Quantile(stats.poisson", stats.poisson(3.0).cdf(4)),
        ("Quantile(stats.binom", stats.binom(4, 0.375).cdf(2)),
        ("Cantor", 0.75),
    ],
)
@pytest.mark.parametrize("step", [0.25, 1.0])
def test_a_wrong_step_falls_back_into_a_jump(evidence, name, probability, step):
    """T jumps at b = Φ⁻¹(p). Of noise b(1+ε/2) the step (1+ε)λ makes b: x₁ is missed by λbε/2."""
    (twins,) = [t for t in TWINS if repr(t).startswith(name)]
    jump, excess = float(ndtri(probability)), 2.0**-10
    x0 = exact([jump * (1 + excess / 2)])
    x1 = twins.exact.transport(x0).point
    z = interpolant(x1, x0, arb(step))
    found = twins.exact.enclose(z, arb(step) * (1 + arb(excess)))
    predicted = step * jump * excess / 2
    evidence.on(twins.target, step=step).control(
        "step (1+2⁻¹⁰)λ at noise just above a jump of T: by how much x₁ is missed, proved from below",
        predicted,
        below(norm(subtract(found.centre, x1)) - found.radius),
        agreement=1e-9 * predicted,
        because="prox is z − (1+ε)λb inside the jump, and b is rounded",
        chosen="10⁻⁹ for that",
    )


@pytest.mark.control("P2")
def test_another_height_is_refuted(evidence, rng):
    """The atom's height raised by δ beyond its lead m over the other atom: the gap is δ − m."""
    two = FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3)
    predicted, proved = [], []
    for noise in rng.standard_normal((POINTS, 2)):
        scores = two.points @ noise - two.heights
        best = int(scores.argmax())
        lead, raised = float(scores[best] - scores[1 - best]), two.heights.copy()
        raised[best] += 2.0 * lead
        wrong = ExactAtoms(two.points, raised)
        found = Candidate(exact(two.points[best]), arb(float(raised[best])))
        predicted.append(lead)
        proved.append(below(wrong.gap(found, exact(noise))))
    evidence.on(two).control(
        "the height of x₁ raised by twice its lead: its Fenchel–Young gap, proved from below",
        predicted,
        proved,
        agreement=16 * EPS * (1 + np.abs(two.points).max() * 4 + np.abs(two.heights).max()),
        because="φ(x₁) rises by δ and φ*(x₀) falls by m; scores of two products and sums, rounded",
    )
