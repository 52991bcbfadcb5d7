"""Bad input: a ValueError that names the argument, says what came, and what to do, before any work."""

import numpy as np
import pytest

from numerics.flows.exact import ExactField
from numerics.flows.independent import IndependentField
from numerics.potentials import (
    DegenerateGaussian,
    Ellipsoid,
    FiniteAtoms,
    NearestPoint,
    PointCloud,
    Sphere,
    embed,
    product,
    rotate,
    scale,
    translate,
)
from numerics.schedules import Polynomial

pytestmark = pytest.mark.usefixtures("as_users_see_it")

NAN, INF = np.nan, np.inf
SQUARE = [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]
GAUSSIAN = DegenerateGaussian([1.0, 2.0], [[2.0, 0.5], [0.5, 1.0]])
# Not of the one list: all of them in the plane, so that one bad point is bad for each.
PLANAR = [
    GAUSSIAN,
    FiniteAtoms(SQUARE, [0.0, 0.1, 0.2, 0.3]),
    Sphere(2),
    Ellipsoid([[2.0, 0.5], [0.5, 1.0]]),
    NearestPoint(PointCloud(SQUARE), 2.0),
    rotate(GAUSSIAN, [[0.0, 1.0], [-1.0, 0.0]]),
    embed(FiniteAtoms.two([0.0], [1.0], 0.3), [[0.6], [0.8]]),
    translate(GAUSSIAN, [1.0, 1.0]),
    scale(GAUSSIAN, 2.0),
    product(Sphere(1), FiniteAtoms.two([0.0], [1.0], 0.3)),
]
planar = pytest.mark.parametrize("potential", PLANAR, ids=lambda p: type(p).__name__)


# What is built or called, the argument named, and a word of what the message must say about it.
CONSTRUCTORS = [
    (lambda: FiniteAtoms([[NAN, 0.0]], [0.0]), "points", r"\(0, 0\) is nan"),
    (lambda: FiniteAtoms([[0.0, INF]], [0.0]), "points", "finite"),
    (lambda: FiniteAtoms([], []), "points", "axes"),
    (lambda: FiniteAtoms(np.zeros((0, 2)), []), "points", "empty"),
    (lambda: FiniteAtoms([0.0, 1.0], [0.0, 1.0]), "points", "need 2 axes"),
    (lambda: FiniteAtoms([["a"]], [0.0]), "points", "not an array of numbers"),
    (lambda: FiniteAtoms([[0.0], [1.0], [0.0]], [0.0, 1.0, 2.0]), "points", "rows 0 and 2.*merge"),
    (lambda: FiniteAtoms([[0.0], [1.0]], [0.0]), "heights", "got 1 for 2 points"),
    (lambda: FiniteAtoms([[0.0], [1.0]], [0.0, NAN]), "heights", r"\(1,\) is nan"),
    (lambda: FiniteAtoms([[0.0]], [[0.0]]), "heights", "need 1 axes"),
    (lambda: FiniteAtoms.two([0.0], [0.0], 0.5), "points", "same atom"),
    (lambda: FiniteAtoms.two([0.0], [NAN], 0.5), "y1", "finite"),
    (lambda: FiniteAtoms.two([0.0], [1.0, 2.0], 0.5), "y1", "length"),
    (lambda: FiniteAtoms.two([0.0], [1.0], 0.0), "weight", "greater than 0"),
    (lambda: FiniteAtoms.two([0.0], [1.0], 1.0), "weight", "less than 1"),
    (lambda: FiniteAtoms.two([0.0], [1.0], NAN), "weight", "nan"),
    (lambda: FiniteAtoms.on_line([0.0, 0.0], [0.5, 0.5]), "positions", "increase"),
    (lambda: FiniteAtoms.on_line([1.0, 0.0], [0.5, 0.5]), "positions", "entry 1"),
    (lambda: FiniteAtoms.on_line([0.0, 1.0], [0.5]), "weights", "got 1 for 2"),
    (lambda: FiniteAtoms.on_line([0.0, 1.0], [0.5, 0.6]), "weights", "not 1; divide"),
    (lambda: FiniteAtoms.on_line([0.0, 1.0], [1.5, -0.5]), "weights", "-0.5"),
    (lambda: FiniteAtoms.hypercube(0), "d", "at least 1"),
    (lambda: FiniteAtoms.hypercube(2.0), "d", "integer"),
    (lambda: FiniteAtoms.hypercube(True), "d", "integer"),
    (lambda: FiniteAtoms.hypercube(13), "d", "product"),
    (lambda: FiniteAtoms.cross_polytope(-1), "d", "at least 1"),
    (lambda: FiniteAtoms.regular_polygon(1), "n", "at least 2"),
    (lambda: DegenerateGaussian([[0.0]], [[1.0]]), "mean", "axes"),
    (lambda: DegenerateGaussian([NAN], [[1.0]]), "mean", "finite"),
    (lambda: DegenerateGaussian([0.0], np.eye(2)), "covariance", "mean of length 1"),
    (lambda: DegenerateGaussian([0.0, 0.0], [[1.0, 0.0]]), "covariance", "square"),
    (lambda: DegenerateGaussian([0.0, 0.0], [[1.0, 0.1], [0.0, 1.0]]), "covariance", r"transpose.*A\.T"),
    (lambda: DegenerateGaussian([0.0, 0.0], [[1.0, 0.0], [0.0, -1e-6]]), "covariance", "semidefinite"),
    (lambda: DegenerateGaussian([0.0, 0.0], [[1.0, INF], [INF, 1.0]]), "covariance", "finite"),
    (lambda: Ellipsoid([[1.0, 0.0], [0.0, 0.0]]), "shape_matrix", "definite"),
    (lambda: Ellipsoid([[1.0, 2.0], [2.0, 1.0]]), "shape_matrix", "eigenvalue is -1"),
    (lambda: Ellipsoid([1.0]), "shape_matrix", "axes"),
    (lambda: Sphere(0), "dim", "at least 1"),
    (lambda: Sphere(2.5), "dim", "integer"),
    (lambda: Sphere(2, 0.0), "radius", "greater than 0"),
    (lambda: Sphere(2, -1.0), "radius", "got -1.0"),
    (lambda: Sphere(2, NAN), "radius", "finite"),
    (lambda: Sphere(2, INF), "radius", "finite"),
    (lambda: NearestPoint(PointCloud(SQUARE), 0.0), "curvature", "greater than 0"),
    (lambda: FiniteAtoms.nearest(SQUARE, -1.0), "curvature", "greater than 0"),
    (lambda: NearestPoint(PointCloud([*SQUARE, SQUARE[1]]), 1.0), "points", "rows 1 and 4"),
    (lambda: PointCloud([[NAN]]), "points", "finite"),
    (lambda: rotate(GAUSSIAN, np.eye(3)), "rotation", r"need \(2, 2\)"),
    (lambda: rotate(GAUSSIAN, [[1.0, 0.0], [0.0, 1.001]]), "rotation", "orthonormality.*QR"),
    (lambda: rotate(GAUSSIAN, [[1.0, NAN], [0.0, 1.0]]), "rotation", "finite"),
    (lambda: embed(GAUSSIAN, np.eye(3)), "isometry", r"need \(D, 2\)"),
    (lambda: embed(GAUSSIAN, np.ones((3, 2))), "isometry", "orthonormality"),
    (lambda: embed(GAUSSIAN, [[1.0, 0.0]]), "isometry", "orthonormality"),
    (lambda: translate(GAUSSIAN, [1.0]), "shift", "length 1.*dimension 2"),
    (lambda: translate(GAUSSIAN, [1.0, INF]), "shift", "finite"),
    (lambda: scale(GAUSSIAN, 0.0), "factor", "greater than 0"),
    (lambda: scale(GAUSSIAN, -2.0), "factor", "greater than 0"),
    (lambda: Polynomial(0.0), "p", "greater than 0"),
    (lambda: IndependentField([[0.0], [1.0]], [0.5]), "weights", "got 1 for 2"),
    (lambda: IndependentField([[0.0], [1.0]], [0.5, 0.6]), "weights", "sum 1"),
    (lambda: IndependentField([[0.0], [1.0]], [0.0, 1.0]), "weights", "need > 0"),
    (lambda: IndependentField([[0.0], [NAN]], [0.5, 0.5]), "points", "finite"),
    (lambda: IndependentField([0.0, 1.0], [0.5, 0.5]), "points", "axes"),
]


def refused(call, argument, about):
    with pytest.raises(ValueError, match=rf"(?s)^{argument}: .*{about}"):
        call()


@pytest.mark.parametrize(("build", "argument", "about"), CONSTRUCTORS)
def test_constructor_refuses(build, argument, about):
    refused(build, argument, about)


METHODS = [
    ("value", "x", ()),
    ("conjugate", "x0", ()),
    ("transport", "x0", ()),
    ("transport_jacobian", "x0", ()),
    ("prox", "z", (1.0,)),
    ("prox_jacobian", "z", (1.0,)),
    ("envelope", "z", (1.0,)),
    ("subdifferential", "x1", ()),
]
BAD_POINTS = [
    ([[NAN, 0.0]], r"\(0, 0\) is nan"),
    ([[0.0, 0.0], [0.0, -INF]], r"\(1, 1\) is -inf"),
    ([[1.0]], r"need \(n, 2\)"),
    ([1.0, 2.0, 3.0], r"need \(n, 2\)"),
    (np.zeros((2, 2, 2)), "axes"),
    (1.0, "axes"),
    (np.zeros((0, 2)), "empty"),
    ("noise", "not an array of numbers"),
    (None, "axes"),
    ([[0.0, 0.0], [0.0]], "not an array of numbers"),
]


@planar
@pytest.mark.parametrize(("method", "argument", "rest"), METHODS)
def test_method_refuses_points(potential, method, argument, rest):
    for bad, about in BAD_POINTS:
        refused(lambda bad=bad: getattr(potential, method)(bad, *rest), argument, about)


@planar
@pytest.mark.parametrize(
    ("method", "argument", "rest"), [m for m in METHODS if m[0] not in ("conjugate", "transport", "prox")]
)
def test_imaginary_parts_are_not_dropped(potential, method, argument, rest):
    """Complex steps pass through φ*, T and prox alone."""
    bad = [1j, 0.0]
    refused(lambda: getattr(potential, method)(bad, *rest), argument, r"entry \(0,\) is 1j; .* must be real")
    statements = getattr(potential.roundings, method, None)
    if statements:
        refused(lambda: statements(bad, *rest), argument, "must be real")


@planar
@pytest.mark.parametrize("method", ["prox", "prox_jacobian", "proximal_point", "envelope"])
def test_method_refuses_steps(potential, method):
    bad_steps = [(0.0, "greater than 0"), (-1.0, "got -1.0"), (NAN, "finite"), (INF, "finite"), ([], "empty")]
    bad_steps += [([1.0, 0.0], "got 0.0"), ([1.0, 1.0, 1.0], "3 values for 2 points"), ([[1.0]], "axes")]
    bad_steps += [(1j, "real"), ("long", "not an array of numbers")]
    for bad, about in bad_steps:
        refused(lambda bad=bad: getattr(potential, method)(np.ones((2, 2)), bad), "step", about)


@planar
def test_sample_refuses_counts(potential):
    for bad in (0, -1, 2.0, True):
        refused(lambda bad=bad: potential.sample(bad, np.random.default_rng(0)), "n", "integer")


@planar
def test_manifolds_refuse(potential):
    x0, x1 = potential.sample(2, np.random.default_rng(0))
    refused(lambda: potential.manifolds(x1[:1], x0), "x1 and x0", "agree")
    refused(lambda: potential.manifolds(x1, x0[:, :1]), "x0", "need")
    refused(lambda: potential.manifolds(x1 * NAN, x0), "x1", "finite")


@pytest.mark.parametrize(
    "potential", [p for p in PLANAR if type(p).__name__ not in ("DegenerateGaussian",)], ids=repr
)
def test_no_subdifferential_outside_the_domain(potential):
    far = np.array([500.0, 700.0])
    if np.isinf(potential.value(far)[0]):
        with pytest.raises(ValueError, match=r"^x1: "):
            potential.subdifferential(far)


@pytest.mark.parametrize("potential", [Sphere(2), Ellipsoid(np.eye(2))], ids=repr)
def test_the_cut_locus_is_named(potential):
    for method in (potential.transport, potential.transport_jacobian):
        refused(lambda method=method: method([[1.0, 0.0], [0.0, 0.0]]), "x0", "row 1 is 0.*perturb")


FIELDS = [
    (ExactField(GAUSSIAN), ["velocity", "denoise", "noise", "jacobian", "velocity_potential"]),
    (IndependentField(SQUARE, np.full(4, 0.25)), ["velocity", "denoise", "posterior", "loss_floor"]),
]
FIELD_METHODS = [pytest.param(f, m, id=f"{type(f).__name__}.{m}") for f, methods in FIELDS for m in methods]


@pytest.mark.parametrize(("field", "method"), FIELD_METHODS)
def test_field_refuses(field, method):
    call = getattr(field, method)
    for bad, about in BAD_POINTS:
        refused(lambda bad=bad: call(0.5, bad), "x", about)
    x = np.ones((2, 2))
    for bad in (-0.1, 1.1, NAN, INF, [0.5, -0.5], [[0.5]], []):
        refused(lambda bad=bad: call(bad, x), "t", "")
        refused(lambda bad=bad: call(None, x, remaining=bad), "remaining", "")
    refused(lambda: call(1.0, x), "t", "pass remaining")
    refused(lambda: call([0.1, 0.2, 0.3], x), "t", "3 times for 2 points")
    refused(lambda: call(None, x), "time", "exactly one")
    refused(lambda: call(0.5, x, remaining=0.5), "time", "exactly one")


def test_flow_refuses():
    field = ExactField(GAUSSIAN)
    refused(lambda: field.flow(0.5, [[NAN, 0.0]]), "x0", "finite")
    refused(lambda: field.flow(2.0, [[1.0, 0.0]]), "t", r"\[0, 1\]")
    refused(lambda: field.flow([0.1, 0.2, 0.3], [[1.0, 0.0], [0.0, 1.0]]), "t", "3 times for 2 points")
