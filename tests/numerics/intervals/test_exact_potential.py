"""The certificate is sound whatever is proposed, sharp where the proposal is right, and refuses nonsense."""

import numpy as np
import pytest
from flint import arb, ctx

from numerics.intervals import calculus, line, parametrised
from numerics.intervals.atoms import ExactAtoms
from numerics.intervals.balls import PRECISION, UndecidedError, above, distance, exact, norm, subtract
from numerics.intervals.bodies import ExactEllipsoid, ExactSphere
from numerics.intervals.curves import ExactNearestPoint
from numerics.intervals.exact_potential import Candidate, Enclosure, slip
from numerics.intervals.gaussian import ExactGaussian
from numerics.intervals.matrices import ExactGrassmannian, ExactRotations, ExactStiefel
from numerics.intervals.torus import ExactTorus


@pytest.fixture(autouse=True)
def _precision():
    with ctx.workprec(PRECISION):
        yield


FACTOR = np.array([[1.0, 0.5], [-0.5, 1.0]])


class Astray(calculus.Moved):
    """A Gaussian whose candidates are off by 2⁻⁴⁰·e₁, with their value."""

    def candidate(self, z, step):
        found = super().candidate(subtract(z, exact([2.0**-40, 0.0])), step)
        return Candidate(found.point, found.value)


def test_a_wrong_candidate_widens_the_enclosure_and_never_loses_the_prox(rng):
    with ctx.workprec(PRECISION):
        right = ExactGaussian.of_factor([0.5, -1.0], FACTOR)
        wrong = Astray(right, exact([0.0, 0.0]))
        for z in rng.standard_normal((5, 2)):
            truth, found = right.enclose(exact(z), arb(1)), wrong.enclose(exact(z), arb(1))
            apart = norm(subtract(truth.centre, found.centre))
            assert above(truth.radius) < 2.0**-120
            assert apart <= found.radius
            assert found.radius < 100 * apart


def test_another_radius_is_refuted():
    """Of a sphere of radius 2 the point of the ball of radius 1 has a gap of |x₀|."""
    two, one = ExactSphere(2, 2.0), ExactSphere(2, 1.0)
    x0 = exact([3.0, 4.0])
    assert two.gap(one.transport(x0), x0).contains(5)


def test_a_negative_gap_is_an_error():
    with pytest.raises(ArithmeticError, match="not conjugate"):
        slip(arb(-1), arb(1))


def test_distance_of_an_enclosure_adds_its_radius():
    assert Enclosure([arb(1), arb(0)], arb(2)).distance([1.0, 1.0]) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("potential", "oracle"),
    [
        (ExactStiefel(3, 2), lambda y: np.linalg.svd(y.reshape(3, 2), compute_uv=False).sum()),
        (ExactEllipsoid(np.diag([4.0, 1.0])), lambda y: np.sqrt(4 * y[0] ** 2 + y[1] ** 2)),
        (ExactAtoms([[0.0, 1.0], [2.0, 0.0]], [0.0, 0.5]), lambda y: max(y[1], 2 * y[0] - 0.5)),
        (ExactGaussian.of_factor([1.0, 2.0], np.eye(2)), lambda y: y @ y / 2 + y @ [1.0, 2.0]),
    ],
    ids=["Stiefel", "Ellipsoid", "Atoms", "Gaussian"],
)
def test_conjugates_are_those_of_the_textbook(potential, oracle, rng):
    for y in rng.standard_normal((5, potential.dim)):
        assert float(potential.conjugate(exact(y)).mid()) == pytest.approx(oracle(y), rel=1e-14)


def test_conjugate_of_rotations_is_the_signed_nuclear_norm(rng):
    for y in rng.standard_normal((5, 9)):
        s = np.linalg.svd(y.reshape(3, 3), compute_uv=False)
        signed = s[0] + s[1] + np.sign(np.linalg.det(y.reshape(3, 3))) * s[2]
        assert float(ExactRotations().conjugate(exact(y)).mid()) == pytest.approx(signed, rel=1e-13)


def test_conjugate_of_projectors_sums_the_largest_eigenvalues(rng):
    for y in rng.standard_normal((5, 6)):
        upper = np.zeros((3, 3))
        upper[np.triu_indices(3)] = y
        matrix = np.diag(np.diag(upper)) + (np.triu(upper, 1) + np.triu(upper, 1).T) / np.sqrt(2)
        expected = np.linalg.eigvalsh(matrix)[-2:].sum()
        assert float(ExactGrassmannian(3, 2).conjugate(exact(y)).mid()) == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("name", ["arc", "ellipse", "spiral", "trefoil"])
def test_conjugate_of_a_curve_is_its_maximum_over_a_fine_net(name, rng):
    curve = {
        "arc": parametrised.arc(1.0, 0.25, 2.5),
        "ellipse": parametrised.ellipse(2.0, 1.0),
        "spiral": parametrised.spiral(1.5),
        "trefoil": parametrised.trefoil(),
    }[name]
    potential = ExactNearestPoint(curve, 0.5)
    times = np.linspace(float(curve.start), float(curve.stop), 4001)
    points = np.array([[float(c.mid()) for c in curve.at(arb(float(t)))] for t in times])
    for y in rng.standard_normal((4, potential.dim)):
        net = (points @ y - 0.25 * (points**2).sum(axis=1)).max()
        assert -1e-15 <= float(potential.conjugate(exact(y)).mid()) - net <= 1e-5 * (1 + abs(net))


def test_conjugate_of_a_torus_is_its_maximum_over_a_fine_net(rng):
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 400), np.linspace(0, 2 * np.pi, 400))
    reach = 2 + 0.5 * np.cos(v)
    points = np.stack([reach * np.cos(u), reach * np.sin(u), 0.5 * np.sin(v)], axis=-1).reshape(-1, 3)
    for y in rng.standard_normal((4, 3)):
        net = (points @ y - 0.5 * (points**2).sum(axis=1)).max()
        assert 0 <= float(ExactTorus(2.0, 0.5, 1.0).conjugate(exact(y)).mid()) - net <= 1e-2


@pytest.mark.parametrize(
    ("z", "point"),
    [([0.25, -0.5, 0.0], [0.25, -0.5, 0.0]), ([4.25, 0.0, 0.125], [2.25, 0.0, 0.125])],
    ids=["hole", "tube"],
)
def test_faces_of_a_torus(z, point):
    """In the plane of symmetry over the hole prox is the identity; in the tube it is z − λaRe."""
    found = ExactTorus(2.0, 0.5, 1.0).enclose(exact(z), arb(1))
    assert found.distance(point) < 2.0**-100


def test_a_point_inside_every_ball_is_its_own_prox(rng):
    for potential in (ExactStiefel(3, 2), ExactSphere(3, 4.0), ExactEllipsoid(np.eye(2)), ExactStiefel(2, 2)):
        z = 0.125 * rng.standard_normal(potential.dim)
        assert potential.enclose(exact(z), arb(1)).distance(z) < 2.0**-100


# --- refusals -------------------------------------------------------------------------------------------


def test_ties_are_undecided():
    with pytest.raises(UndecidedError, match="tie"):
        ExactAtoms([[0.0], [1.0]], [0.0, 0.0]).transport(exact([0.0]))
    with pytest.raises(UndecidedError, match="jump"):
        line.binomial(1, 0.5).transport_jacobian(exact([0.0]))
    with pytest.raises(UndecidedError, match="told apart"):
        ExactGrassmannian(2, 1).transport(exact([1.0, 0.0, 1.0]))


def test_the_axis_of_a_torus_is_undecided():
    with pytest.raises(UndecidedError, match="axis"):
        ExactTorus(2.0, 0.5, 1.0).transport(exact([0.0, 0.0, 1.0]))


@pytest.mark.parametrize(
    "curve", [parametrised.ellipse(2.0, 1.0), parametrised.trefoil(), parametrised.spiral(1.5)]
)
@pytest.mark.parametrize("share", [0.1, 0.4, 0.6, 0.9])
def test_a_proposal_that_is_not_the_maximum_is_never_proved(curve, share, monkeypatch, rng):
    """Wherever on the curve the true maximum lies: the only proposal is a place that it beats by far."""
    potential = ExactNearestPoint(curve, 0.5)
    stop, start = float(curve.stop.mid()), float(curve.start.mid())
    target = curve.at(arb(start + share * (stop - start)))
    y = exact(np.array([float(c.mid()) for c in target]) * 0.5 + 0.01 * rng.standard_normal(potential.dim))
    right = potential.conjugate(y)
    wrong = start + ((share + 0.37) % 1) * (stop - start)
    monkeypatch.setattr(potential, "_maximisers", lambda _: [arb(wrong)])
    assert right - potential._objective(y, arb(wrong), 0)[0] > 1e-3
    monkeypatch.setattr(
        potential, "_neighbourhood", lambda y, t: (t - 0.01, t + 0.01, potential._objective(y, t, 0)[0])
    )
    with pytest.raises(UndecidedError, match="second maximum"):
        potential.conjugate(y)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ExactAtoms([[0.0], [1.0]], [0.0]), "heights: got 1"),
        (lambda: ExactGaussian([0.0], ExactEllipsoid(np.eye(2))._matrix), "root: got 2"),
        (lambda: ExactSphere(2, 0.0), "radius"),
        (lambda: ExactStiefel(1, 2), "p: got 2"),
        (lambda: ExactGrassmannian(2, 2), "k: got 2"),
        (lambda: ExactTorus(1.0, 2.0, 1.0), "minor: got"),
        (lambda: ExactNearestPoint(parametrised.ellipse(2.0, 1.0), 0.0), "curvature: got"),
        (lambda: line.ExactMixture([0.0], [0.5, 0.25], line.expon()), "weights: got 2"),
        (lambda: line.ExactMixture([0.0], [0.5], line.gumbel()), "law: has no quantile"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_exact_points_have_no_width():
    found = ExactAtoms([[0.0, 1.0], [2.0, 0.0]], [0.0, 0.5]).transport(exact([1.0, 0.0]))
    assert distance(found.point, [2.0, 0.0]) == 0


def test_the_older_name_of_curvature_still_answers():
    with pytest.warns(DeprecationWarning, match="use curvature"):
        older = ExactTorus(2.0, 0.5, scale=0.5)
    y = exact([1.0, 2.0, 3.0])
    assert float(older.conjugate(y).mid()) == float(ExactTorus(2.0, 0.5, curvature=0.5).conjugate(y).mid())
