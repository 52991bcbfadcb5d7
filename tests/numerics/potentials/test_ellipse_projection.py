"""The nearest point of an ellipse at the cusp of its evolute, and what is stated of a point that is off."""

import mpmath as mp
import numpy as np
import pytest

from numerics.accuracy import UNIT
from numerics.potentials import NearestPoint
from numerics.potentials.curves import Ellipse
from numerics.potentials.ellipse_projection import project
from tests.numerics.accuracy.harness import judge
from tests.numerics.accuracy.nearest_oracles import M, distance, exact_ellipse_point, log_uniform


def _case(point, major, minor):
    """(error, bound) of one projection, against sixty digits."""
    found = project(np.array(point)[None], major, minor, 0.0)
    with mp.workdps(60):
        exact = exact_ellipse_point(*(M(float(v)) for v in point), M(major), M(minor))
        return distance(found.unit[0] * [major, minor], exact), float(found.local[0])


@pytest.mark.parametrize(
    ("major", "minor", "point"),
    [
        (2.51853700107916, 1.6313591666015985, (1.461839112854879, 0.0)),
        (1.319647388209962, 1.250137478147967, (0.13535851814287464, 5.8e-32)),
    ],
)
def test_the_cusps_of_the_case_files(major, minor, point):
    """D/A to rounding: the image turns by 1e-8, where 1e-15 was stated."""
    error, bound = _case(point, major, minor)
    assert 1e-9 <= error <= bound <= 1e-7


def _axes(rng):
    major = log_uniform(rng, -3, 3)
    return major, major * float(rng.choice([rng.uniform(0.02, 1), 1 - log_uniform(rng, -8, -1)]))


@pytest.mark.parametrize("kind", ["on the axis", "beside it", "near it"])
def test_at_the_cusp(kind):
    """p = D/A, to rounding and up to a tenth off, and q from 0 and 1e−40 to 1e−8."""
    rng, cases = np.random.default_rng(7), []
    low, high = {"on the axis": (0, 0), "beside it": (-40, -15), "near it": (-25, -8)}[kind]
    for _ in range(400):
        major, minor = _axes(rng)
        off = rng.choice([-1, 1]) * log_uniform(rng, -17, rng.choice([-14, -1]))
        p = (major - minor) * (major + minor) / major * (1 + off)
        cases.append(_case((p, major * log_uniform(rng, low, high) * (low < 0)), major, minor))
    judge(*np.array(cases).T)


def test_away_from_the_cusp_it_stays_sharp():
    """A tenth of an axis beside the medial axis the statement is some roundings."""
    rng = np.random.default_rng(8)
    for _ in range(200):
        major, minor = _axes(rng)
        point = np.array([major * rng.standard_normal(), major * rng.choice([-1, 1]) * rng.uniform(0.1, 2)])
        error, bound = _case(point, major, minor)
        assert error <= bound <= 1e-13 * major


def _moved(rng, k):
    """Axes, a point and how far it moves: beside the medial axis, about the cusp, about 0, anywhere."""
    major, minor = _axes(rng)
    minor = minor if k % 5 else major
    size, axis = major * log_uniform(rng, -14, 0.5), (major - minor) * (major + minor) / major
    near = size * rng.choice([-1, 1], 4) * 10.0 ** rng.uniform(-2, 2, 4)
    point = (
        [axis * rng.uniform(0, 1), near[0]],
        [axis + near[1], near[0]],
        [near[2], near[3]],
        major * rng.standard_normal(2),
    )[k % 4]
    return major, minor, np.array(point), size


def test_a_moved_point_errs_by_no_more_than_stated():
    """All around, on the circle of the move and within, and just across the axis; a quarter is reached."""
    rng, shares = np.random.default_rng(9), []
    for k in range(800):
        major, minor, point, size = _moved(rng, k)
        angle = np.concatenate([rng.uniform(0, 2 * np.pi, 60), np.arange(8) * np.pi / 4])
        radius = size * (1 - 1e-9) * np.where(rng.random(68) < 0.7, 1.0, rng.random(68))
        there = point + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        if abs(point[1]) < size / 2:
            over = np.column_stack(
                [point[0] + size * rng.uniform(-0.5, 0.5, 8), np.full(8, -point[1] * 1e-9)]
            )
            there = np.concatenate([there, over])
        found = project(point[None], major, minor, size)
        ends = project(there, major, minor, 0.0)
        change = np.linalg.norm((ends.unit - found.unit) * [major, minor], axis=1)
        change -= ends.local + found.local
        stated = float(found.error[0] - found.local[0])
        assert change.max() <= stated, (major, minor, point.tolist(), size)
        assert stated <= 2.9 * major, "more than the diagonal of the box around the ellipse"
        shares.append(change.max() / stated)
    assert np.quantile(shares, 0.3) >= 0.25


@pytest.mark.parametrize(
    ("major", "minor"),
    [
        (2.0, 1.0),
        (2.3, 1.7),
        (1.3, 1.3),
        (0.3, 0.3),
        (1e10, 3.0),
        (1e-10, 1e-12),
        (2.0, 1e-9),
        (1e-150, 1e-151),
    ],
)
def test_a_breath_beside_the_medial_axis(major, minor):
    """Q from the least number to 1e−285: ν = Bq/Y is no normal number. On the axis, at its end, about 0."""
    rng, cases, usual = np.random.default_rng(10), [], []
    axis = (major - minor) * (major + minor) / major
    for k in range(400):
        q = rng.integers(1, 9) * 5e-324 if k % 3 else log_uniform(rng, -323, -285)
        p = (
            axis * rng.uniform(0, 0.9),
            axis * (1 + rng.choice([-1, 1]) * log_uniform(rng, -17, -1)),
            log_uniform(rng, -323, -285),
            major * rng.uniform(0, 2),
        )[k % 4]
        cases.append(_case((p, q), major, minor))
        usual.append(bool(k % 4 == 0 and axis > 1e-100))
    judge(*np.array(cases).T)
    assert (np.array(cases)[usual][:, 1] <= 64 * UNIT * major).all(), "deep inside some roundings are enough"


def test_the_side_of_the_medial_axis_outlasts_a_quotient():
    """±5e−324/4 is ±0: the side is still that of x₀; and 1e−310 was taken for the end of the axis."""
    x0 = np.array([[0.75, 5e-324], [0.75, -5e-324], [0.75, 1e-310], [0.75, -1e-310]])
    for a in (1.0, 4.0):
        p = NearestPoint(Ellipse(2, 1), a)
        exact = np.array([0.5 / a * 2, np.sqrt(1 - 0.25 / a**2)]) * np.where(np.signbit(x0), -1, 1)
        bound = p.roundings.transport(x0).bound
        assert (np.linalg.norm(p.transport(x0) - exact, axis=1) <= bound + 1e-16).all()
        assert (bound <= 1e-14).all()


@pytest.mark.parametrize("x0", [[1.5e-323, 5e-324], [1e-322, 5e-324], [5e-324, 1.5e-323]], ids=str)
def test_a_quotient_that_is_lost_on_a_circle_is_stated(x0):
    """5e−324/4 is 0, and the direction of x₀ is lost with it."""
    p = NearestPoint(Ellipse(1, 1), 4.0)
    exact = np.array(x0) / 5e-324 / np.linalg.norm(np.array(x0) / 5e-324)
    assert np.linalg.norm(p.transport([x0]) - exact) <= p.roundings.transport([x0]).bound[0]


@pytest.mark.parametrize("curvature", [0.25, 4.0])
@pytest.mark.parametrize("radius", [1e-3, 0.25, 1.0, 4.0, 1e3])
def test_at_the_centre_of_a_circle_and_beside_it(radius, curvature):
    """Any point is nearest to the centre, where K is infinite and D prox of the disc is I. Nothing warns."""
    p = NearestPoint(Ellipse(radius, radius), curvature)
    tiny = [[5e-324, 0.0], [0.0, 5e-324], [5e-324, 5e-324], [1e-310, 0.0], [1e-308, 3e-309]]
    for x in np.array([[0.0, 0.0], [-0.0, 0.0], *tiny]):
        x0 = curvature * x[None]
        image, stated = p.transport(x0)[0], p.roundings.transport(x0).bound[0]
        length = mp.hypot(*(M(v) for v in x0[0]))
        exact = [radius * M(v) / length for v in x0[0]] if length else image
        assert abs(np.linalg.norm(image) - radius) <= 4 * UNIT * radius
        assert distance(image, exact) <= stated
        least, stated = -curvature * radius**2 / 2, p.roundings.conjugate(x0).bound[0]
        assert abs(p.conjugate(x0)[0] - least) <= stated + 1e-300
        solved = p.proximal_point(x[None], 1.0)
        assert np.abs(solved.point).max() <= 1e-300
        assert np.linalg.norm(solved.jacobian - np.eye(2)) <= solved.rounding.jacobian.bound[0]
        assert 0.9 * radius <= solved.kink[0] <= radius
        if not x.any():
            with pytest.raises(ValueError, match="focal point"):
                p.roundings.transport_jacobian(x0)
