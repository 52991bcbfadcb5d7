"""What the field states where its argument is off, and at times where squares leave the range of numbers."""

from fractions import Fraction

import numpy as np
import pytest

from numerics.flows.exact import ExactField
from numerics.potentials import Arc, DegenerateGaussian, FiniteAtoms, NearestPoint, Sphere
from numerics.schedules import Linear, Trigonometric
from tests.numerics.accuracy.harness import judge

SQUARE = FiniteAtoms.hypercube(2)
# Not of the one list: four kinds of prox, each at both ends of time.
TARGETS = [
    SQUARE,
    Sphere(2),
    DegenerateGaussian([0.0, 0.0], np.diag([1.0, 2.0])),
    NearestPoint(Arc(1, 0.5, 2)),
]
MEMBERS = ["denoise", "noise", "velocity", "jacobian", "velocity_potential"]
X = np.array([[0.3, -0.7], [2.0, 1.0]])


def test_the_potential_moves_to_second_order():
    """Around x = (±1, ±1), where v = 0, V is −|h|²/(2α): s = 1/α is reached, and the first order is 0."""
    rng = np.random.default_rng(0)
    n = 400
    radius = 10.0 ** rng.uniform(-7, -1, n)
    turned = rng.standard_normal((n, 2))
    h = radius[:, None] * turned / np.linalg.norm(turned, axis=1)[:, None]
    field, t = ExactField(SQUARE), 0.75
    start = np.ones((n, 2))
    moved = np.abs(field.velocity_potential(t, start + h) - field.velocity_potential(t, start))
    stated = field.roundings.velocity_potential(t, start, moved=radius * (1 + 1e-12)).bound
    judge(moved, stated + field.roundings.velocity_potential(t, start + h).bound, floor=0.9)


@pytest.mark.parametrize("size", [1e-3, 1.0])
@pytest.mark.parametrize("target", TARGETS, ids=lambda p: type(p).__name__)
def test_the_potential_moves_by_its_speed_and_stretch(target, size):
    rng = np.random.default_rng(1)
    field, n = ExactField(target, Trigonometric()), 200
    x, h = rng.standard_normal((n, 2)), size * rng.standard_normal((n, 2))
    t = rng.uniform(0.05, 0.95, n)
    moved = np.abs(field.velocity_potential(t, x + h) - field.velocity_potential(t, x))
    stated = field.roundings.velocity_potential(t, x, moved=np.linalg.norm(h, axis=1) * (1 + 1e-12)).bound
    judge(moved, stated + field.roundings.velocity_potential(t, x + h).bound, floor=0.25)


@pytest.mark.parametrize("schedule", [Linear(), Trigonometric()], ids=repr)
@pytest.mark.parametrize("target", TARGETS, ids=lambda p: type(p).__name__)
@pytest.mark.parametrize("time", [{"remaining": 1e-160}, {"remaining": 1e-280}, {"t": 1e-160}, {"t": 1e-300}])
def test_members_answer_near_both_ends(target, schedule, time):
    """Every member is finite, or V says that squares overflow; the statements are finite as well."""
    field = ExactField(target, schedule)
    t, remaining = time.get("t"), time.get("remaining")
    for name in MEMBERS:
        member, stated = getattr(field, name), getattr(field.roundings, name)
        if t is not None and name == "velocity_potential":
            for asked in (member, stated):
                with pytest.raises(ValueError, match=r"t: \|x/beta\|² overflows in row 0.*take t = 0"):
                    asked(t, X, remaining=remaining)
            continue
        assert np.isfinite(member(t, X, remaining=remaining)).all()
        assert np.isfinite(stated(t, X, remaining=remaining, moved=1e-160).bound).all()


def test_the_flow_errs_by_its_two_terms():
    """(1−t)x₀ + t·10⁶x₀ in rationals: near t = 0 what T errs by hardly counts, near 1 it is all."""
    rng = np.random.default_rng(2)
    target = DegenerateGaussian([0.0], [[1e12]])
    for t in (2.0**-40, 0.5, 1 - 2.0**-40):
        x0 = rng.standard_normal((300, 1))
        alpha, time = Fraction(1) - Fraction(t), Fraction(t)
        exact = [(alpha + 10**6 * time) * Fraction(x) for x in x0[:, 0].tolist()]
        found = ExactField(target).flow(t, x0)[:, 0].tolist()
        error = [abs(float(Fraction(a) - b)) for a, b in zip(found, exact, strict=True)]
        judge(error, ExactField(target).roundings.flow(t, x0).bound)


def test_atoms_end_at_the_projection_on_their_hull():
    """At 1 − t = 1e−160 as at 1e−9: the search for the face does not end at its first atom."""
    field = ExactField(SQUARE)
    for remaining in (1e-9, 1e-160, 1e-300):
        found = field.denoise(None, [[0.3, -0.7], [2.0, 0.5]], remaining=remaining)
        np.testing.assert_allclose(found, [[0.3, -0.7], [1.0, 0.5]], atol=1e-8)
        assert (field.roundings.denoise(None, X[:1], remaining=remaining).bound < 1e-8).all()


@pytest.mark.parametrize("name", MEMBERS)
def test_times_whose_inverse_overflows_are_refused(name):
    field = ExactField(SQUARE)
    for asked in (getattr(field, name), getattr(field.roundings, name)):
        with pytest.raises(ValueError, match=r"t: alpha is 1e-310 .* 1/alpha overflows"):
            asked(None, X, remaining=1e-310)
        with pytest.raises(ValueError, match=r"t: beta is 1e-310 .* 1/beta overflows"):
            asked(1e-310, X)
        with pytest.raises(ValueError, match=r"t: x/beta overflows in row 1, where beta is 1e-307"):
            asked(1e-307, [[0.0, 0.0], [200.0, 0.0]])
