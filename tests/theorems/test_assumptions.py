"""The checkers of H4's assumptions against closed forms."""

import numpy as np
import pytest

from numerics.potentials import Arc, DegenerateGaussian, FiniteAtoms, NearestPoint, Sphere, product
from numerics.schedules import Polynomial
from theorems.normal_hyperbolicity.assumptions import MOVE, Margins, at_points, margins, margins_of

TWO = FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3)
GAUSSIAN = DegenerateGaussian([1.0, -0.5], [[4.0, 2.0], [2.0, 1.0]])


def to_face(x0):
    """Distance of x0 from the line between the cells of `TWO`."""
    edge = TWO.points[1] - TWO.points[0]
    return abs(x0 @ edge - (TWO.heights[1] - TWO.heights[0])) / np.linalg.norm(edge)


@pytest.mark.parametrize("radius", [0.5, 2.0])
def test_sphere(rng, radius):
    """∂φ(x₁) is the ray through x₁, and H = |x₀|/R."""
    for x0 in rng.standard_normal((5, 3)):
        found, length = margins_of(Sphere(3, radius), x0), np.linalg.norm(x0)
        assert found.interior == pytest.approx(length)
        assert found.least_curvature == pytest.approx(length / radius)
        assert found.curvature_jump <= 2 * MOVE * (1 + length)
        assert found.violated() == ()


def test_gaussian_and_atoms(rng):
    """N is all of ∂φ's direction, H = 1/σ; for atoms the margin is the distance to the cell's face."""
    for x0 in rng.standard_normal((5, 2)):
        flat, cell = margins_of(GAUSSIAN, x0), margins_of(TWO, x0)
        assert (flat.interior, flat.excess_dimension) == (np.inf, 0)
        assert flat.least_curvature == pytest.approx(1 / np.sqrt(5))
        assert cell.interior == pytest.approx(to_face(x0))
        assert (cell.least_curvature, cell.distance, cell.excess_dimension) == (np.inf, 0.0, 0)


def test_product_has_the_lesser_margins(rng):
    x0 = rng.standard_normal(5)
    whole, ball = margins_of(product(TWO, Sphere(3)), x0), margins_of(Sphere(3), x0[2:])
    assert whole.interior == pytest.approx(min(to_face(x0[:2]), ball.interior))
    assert whole.least_curvature == pytest.approx(ball.least_curvature)


def test_gap_is_the_move_where_the_subdifferential_is_a_point(rng):
    """On the line φ is smooth under a Gaussian: x₀ misses ∂φ(y) by exactly the move."""
    line = DegenerateGaussian([0.0], [[4.0]])
    x0 = rng.standard_normal(1)
    assert margins_of(line, x0).distance == pytest.approx(MOVE * (1 + abs(x0[0])), rel=1e-6)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"curvature_jump": 0.1}, "A1"),
        ({"curvature_jump": np.nan}, "A1"),
        ({"excess_dimension": -1}, "A2"),
        ({"interior": 0.0}, "A3"),
        ({"distance": 0.1}, "A4"),
        ({"least_curvature": 0.0}, "A5"),
    ],
)
def test_violations_are_named(change, name):
    sound = {
        "curvature_jump": 0.0,
        "excess_dimension": 0,
        "interior": 1.0,
        "distance": 0.0,
        "least_curvature": 1.0,
    }
    assert Margins(**sound).violated() == ()
    assert Margins(**(sound | change)).violated() == (name,)


def test_a_jump_of_dimension_violates_a1():
    """The end of the arc 0 ≤ θ ≤ 1 of the unit circle, the noise moved across the normal there."""
    arc = NearestPoint(Arc(1.0, 0.0, 1.0), 1.0)

    def manifold(x0):
        x1 = arc.transport(x0)[0]
        return x1, arc.manifold(x1, x0)

    found = margins(manifold, arc.subdifferential, np.array([2.0, -1e-9]), np.array([[2.0, 1e-9]]))
    assert {"A1", "A3"} <= set(found.violated())
    assert found.interior == pytest.approx(1e-9, rel=1e-6)


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_violations_do_not_depend_on_the_unit_of_the_data(size):
    """Scaled by s, H is divided by s: neither A1 nor A5 may take a large target for a violation."""
    assert margins_of(Sphere(3, size), np.array([0.3, -1.0, 0.5])).violated() == ()


@pytest.mark.parametrize("far", [1.0, 30.0, 1e4])
def test_an_interior_point_is_out_of_reach_of_the_move(far):
    """x₀ far·e₁ from the end of an arc, less far than the move from the normal there: A3 is violated."""
    arc = NearestPoint(Arc(1.0, 0.0, 1.0), 1.0)
    for share, wrong in ((0.5, True), (2.0, False)):
        x0 = np.array([far, -share * MOVE * (1 + far)])
        assert ("A3" in margins_of(arc, x0).violated()) == wrong


def test_points_are_measured_when_they_are_printed(rng):
    x0 = rng.standard_normal((4, 3))
    found = at_points(Sphere(3, 2.0), x0, Polynomial(2.0), 0.25)
    assert found.shape == (4,)
    text = repr(found[2].item())
    assert str(margins_of(Sphere(3, 2.0), x0[2])) in text
    assert "SC γ = 2, remainders 0 and 0.33" in text  # α = (1−t)², β = t = 3/4
