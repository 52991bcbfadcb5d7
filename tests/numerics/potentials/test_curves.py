"""Nearest points of curves, arcs, the torus and unions against dense grids and quadratic programs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from numerics.accuracy import EPS
from numerics.potentials import FiniteAtoms, Sphere
from numerics.potentials.closed_sets import PointCloud, Union
from numerics.potentials.curves import Curve
from numerics.potentials.nearest import NearestPoint
from tests.numerics.allowances import of_interpolant, of_prox, of_transport
from tests.numerics.potentials.nearest_sets import (
    ARC,
    ELLIPSE,
    FAMILIES,
    MIXED,
    SHIFTED,
    SPIRAL,
    TORUS,
    TREFOIL,
)

every_set = pytest.mark.parametrize("p", FAMILIES, ids=repr)


def _rng():
    return np.random.default_rng(3)


def _grid(p, fine=1):
    """A dense net written out here, not the code's: points and a bound on the distance to the next."""
    t = np.linspace(0, 2 * np.pi, 20_000 * fine)
    if p is ARC or p is MIXED:
        angle = np.linspace(0.3, 2.5, 8000 * fine)
        arc = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return arc if p is ARC else np.concatenate([arc, [[0.0, -1.0], [2.0, 0.0]]])
    if p is SHIFTED:
        angle = np.linspace(-1.0, 3.5, 16_000 * fine)
        return np.array([1.0, -0.5]) + 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    if p is ELLIPSE:
        return np.stack([2 * np.cos(t), np.sin(t)], axis=1)
    if p is SPIRAL:
        t = np.linspace(np.pi, 4 * np.pi, 20_000 * fine)
        return t[:, None] * np.stack([np.cos(t), np.sin(t)], axis=1) / (2 * np.pi)
    if p is TREFOIL:
        x = [np.sin(t) + 2 * np.sin(2 * t), np.cos(t) - 2 * np.cos(2 * t), -np.sin(3 * t)]
        return np.stack(x, axis=1)
    u, v = (a.ravel() for a in np.meshgrid(t[:: 50 // fine], np.linspace(0, 2 * np.pi, 120 * fine)))
    return np.stack(
        [(2 + 0.5 * np.cos(v)) * np.cos(u), (2 + 0.5 * np.cos(v)) * np.sin(u), 0.5 * np.sin(v)], axis=1
    )


def _every(p, k):
    """Every k-th point of the net, and the isolated ones."""
    net = _grid(p)
    return np.concatenate([net[:-2][::k], net[-2:]]) if p is MIXED else net[::k]


def _spacing(p):
    return {ARC: 3e-4, SHIFTED: 6e-4, ELLIPSE: 7e-4, SPIRAL: 2e-3, TREFOIL: 2e-3, MIXED: 3e-4, TORUS: 0.05}[p]


# --- transport -----------------------------------------------------------------------------------------


@every_set
def test_transport_is_the_nearest_point_of_a_dense_net(p):
    """The net's best is no nearer, and by no more than the bend of |x − y|² over one spacing farther."""
    x0 = _rng().standard_normal((60, p.dim)) * 2
    y = p.transport(x0)
    z = x0 / p.curvature
    best = np.array([((_grid(p) - point) ** 2).sum(axis=1).min() for point in z])
    ours = ((y - z) ** 2).sum(axis=1)
    assert (ours <= best + 64 * EPS * (1 + best)).all()
    assert (best - ours <= _spacing(p) ** 2 * (1 + np.sqrt(best)) * 10).all()
    assert p.closed_set.nearest(y) == pytest.approx(y, abs=64 * EPS * p.scale)


@every_set
def test_conjugate_is_asplunds_function(p):
    """φ*(x0) = (|x0|² − dist(x0, aM)²)/2a."""
    x0 = _rng().standard_normal((40, p.dim))
    distance = np.linalg.norm(x0 - p.curvature * p.transport(x0), axis=1)
    expected = ((x0**2).sum(axis=1) - distance**2) / (2 * p.curvature)
    assert np.allclose(p.conjugate(x0), expected, rtol=64 * EPS, atol=64 * EPS * p.scale * (1 + p.scale))


@every_set
def test_transport_jacobian_by_differences(p):
    """Richardson at h and h/2: truncation O(h⁴) over the fourth power of the distance to focal points."""
    x0 = _rng().standard_normal((60, p.dim))
    jacobian = p.transport_jacobian(x0)
    size = np.linalg.norm(jacobian, axis=(1, 2))
    h = 1e-4

    def slope(width):
        return np.stack(
            [
                (p.transport(x0 + width * e) - p.transport(x0 - width * e)) / (2 * width)
                for e in np.eye(p.dim)
            ],
            axis=2,
        )

    measured = (4 * slope(h / 2) - slope(h)) / 3
    jumped = np.linalg.norm(measured, axis=(1, 2)) > 1e3  # the step crossed the medial axis
    assert jumped.sum() <= 1
    rounding = 4 * of_transport(p, x0) / h
    error = np.linalg.norm(measured - jacobian, axis=(1, 2))
    assert (error <= 1e3 * h**4 * (1 + size**5) + rounding)[~jumped].all()


def test_ends_are_atoms_and_the_inside_is_a_curve():
    x0 = np.array([[3.0, -1.0], [0.0, 3.0], [-3.0, 0.5], [0.0, -5.0]])
    x1 = ARC.transport(x0)
    ends = np.array([[np.cos(0.3), np.sin(0.3)], [np.cos(2.5), np.sin(2.5)]])
    assert np.array_equal(x1[0], ends[0])
    assert np.array_equal(x1[2], ends[1])
    groups = {g.dimension: g for g in ARC.manifolds(x1, x0)}
    assert sorted(groups) == [0, 1]
    assert 1 in groups[1].rows
    assert {0, 2} <= set(groups[0].rows)
    assert ARC.subdifferential(x1[0]).dimension == 2
    assert ARC.subdifferential(x1[1]).dimension == 1


def test_hessians_of_circle_and_torus():
    """H = a + (|x0|−aR)/R = |x0|/R on a circle; on the torus 1 + ρ/r and 1 + ρ cos v/(R + r cos v)."""
    circle = NearestPoint(Curve.ellipse(2.0, 2.0), 0.7)
    x0 = _rng().standard_normal((20, 2))
    (group,) = circle.manifolds(circle.transport(x0), x0)
    assert np.allclose(group.hessian[:, 0, 0], np.linalg.norm(x0, axis=1) / 2, rtol=1e-10)
    for v, depth in ((0.4, 0.8), (2.0, 0.3), (np.pi, -0.2)):
        normal = np.array([np.cos(v), 0.0, np.sin(v)])
        x1 = np.array([2.0, 0.0, 0.0]) + 0.5 * normal
        found = TORUS.manifold(x1, x1 + depth * normal)
        expected = sorted([1 + depth / 0.5, 1 + depth * np.cos(v) / (2 + 0.5 * np.cos(v))])
        assert np.allclose(np.linalg.eigvalsh(found.hessian), expected, rtol=1e-12)


# --- prox ------------------------------------------------------------------------------------------------


@every_set
@pytest.mark.parametrize("step", 10.0 ** np.arange(-6, 7, 3))
def test_prox_recovers_data(p, step):
    x0, x1 = p.sample(100, _rng())
    z = x1 + step * x0
    error = np.linalg.norm(p.prox(z, step) - x1, axis=1)
    assert (error <= of_interpolant(p, x0, step)).all()


@every_set
def test_prox_in_general_position_satisfies_the_obtuse_angle(p):
    """φ(v) ≥ φ(u) + ⟨(z−u)/λ, v−u⟩ for v on M, a dense net: chords and faces included."""
    rng = _rng()
    step = 10.0 ** rng.uniform(-2, 1, 12)
    z = rng.standard_normal((12, p.dim)) * p.scale
    u = p.prox(z, step)
    y = (z - u) / step[:, None]
    v = _grid(p)
    height = p.curvature / 2 * (v**2).sum(axis=1)
    slack = p.value(u)[:, None] - (u * y).sum(axis=1)[:, None] + y @ v.T - height
    allowed = of_prox(p, z, step, 16) * (p.scale / step + np.linalg.norm(y, axis=1) + 1)
    assert (slack <= allowed[:, None]).all()


@pytest.mark.parametrize("p", [ARC, ELLIPSE, SPIRAL, MIXED], ids=repr)
def test_prox_matches_the_quadratic_program_on_a_net(p):
    """`FiniteAtoms` on a net written here: its objective is too large by bend·h²/8, prox off by the root."""
    net = _every(p, 10)
    atoms = FiniteAtoms(np.unique(net, axis=0), p.curvature / 2 * (np.unique(net, axis=0) ** 2).sum(axis=1))
    z = _rng().standard_normal((15, p.dim)) * p.scale
    spacing = 10 * _spacing(p)
    for step in (0.05, 2.0):
        bend = p.curvature + np.abs(z).max() / step  # second derivative of the objective along M
        allowed = np.sqrt(step * bend * spacing**2 / 2) + 1e-8
        assert (np.linalg.norm(p.prox(z, step) - atoms.prox(z, step), axis=1) <= allowed).all()


@pytest.mark.parametrize("p", [ARC, ELLIPSE, MIXED], ids=repr)
def test_value_matches_a_linear_program(p):
    """φ(x) = min Σ w_i (a/2)|y_i|² with Σ w_i y_i = x over a net: from above, within its bend."""
    net = _every(p, 10)
    weights = _rng().dirichlet(np.ones(5), 6)
    x = np.stack([w @ p.transport(_rng().standard_normal((5, 2)) * 3) for w in weights])
    for point, value in zip(x, p.value(x), strict=True):
        program = linprog(
            p.curvature / 2 * (net**2).sum(axis=1),
            A_eq=np.vstack([net.T, np.ones(len(net))]),
            b_eq=np.append(point, 1.0),
        )
        assert program.status == 0
        assert -1e-8 <= program.fun - value <= 1e3 * _spacing(p) ** 2 + 1e-8


@every_set
def test_prox_jacobian_by_differences(p):
    z = _rng().standard_normal((10, p.dim)) * p.scale
    h = 1e-5
    measured = np.stack(
        [(p.prox(z + h * e, 0.5) - p.prox(z - h * e, 0.5)) / (2 * h) for e in np.eye(p.dim)], axis=2
    )
    jacobian = p.prox_jacobian(z, 0.5)
    spectrum = np.linalg.eigvalsh((jacobian + jacobian.transpose(0, 2, 1)) / 2)
    assert (np.abs(jacobian - jacobian.transpose(0, 2, 1)) <= 1e-9).all()
    assert ((spectrum >= -1e-9) & (spectrum <= 1 + 1e-9)).all()
    # truncation h² over the cube of the distance to focal points and to the faces' borders
    assert np.median(np.abs(measured - jacobian).max(axis=(1, 2))) <= 1e-8
    assert np.abs(measured - jacobian).max() <= 1e-5


def test_a_full_circle_is_the_sphere():
    """φ differs by the constant a R²/2: same T, K, prox, also on the flat face inside."""
    curve, sphere = NearestPoint(Curve.ellipse(2.0, 2.0), 0.7), Sphere(2, 2.0)
    z = _rng().standard_normal((40, 2)) * 2
    assert np.allclose(curve.transport(z), sphere.transport(z), atol=64 * EPS, rtol=0)
    assert np.allclose(curve.transport_jacobian(z), sphere.transport_jacobian(z), rtol=1e-9)
    assert np.allclose(curve.prox(z, 0.4), sphere.prox(z, 0.4), atol=1e-13, rtol=0)
    assert np.allclose(curve.value(sphere.prox(z, 0.4)), 0.7 * 2, rtol=1e-12)


def test_an_ellipse_with_its_centre_has_two_kinds_of_strata():
    p = NearestPoint(Union(PointCloud([[0.0, 0.0]]), Curve.ellipse(2.0, 1.0)), 1.0)
    x0 = np.array([[0.1, 0.0], [3.0, 1.0], [0.0, 0.4]])
    x1 = p.transport(x0)
    assert np.array_equal(x1[[0, 2]], np.zeros((2, 2)))
    assert {g.dimension: g.rows.tolist() for g in p.manifolds(x1, x0)} == {0: [0, 2], 1: [1]}


# --- subdifferential --------------------------------------------------------------------------------------


@every_set
def test_subdifferential_against_dense_half_spaces(p):
    """Distance to ∂φ(x1) by SLSQP on the half-spaces of a net; margin to its boundary by their slacks."""
    x0, x1 = p.sample(3, _rng())
    net = _every(p, 200 if p is not TORUS else 40)
    for noise, point in zip(x0, x1, strict=True):
        cone = p.subdifferential(point)
        assert cone.contains(noise).all()
        (group,) = p.manifolds(point[None], noise[None])
        assert cone.dimension == p.dim - group.dimension
        radius = cone.boundary_distance(noise)[0]
        normal = net - point
        within = normal - normal @ group.tangent[0] @ group.tangent[0].T
        far = np.linalg.norm(normal, axis=1) > 0.05
        slack = p.curvature / 2 * (net**2 - point**2).sum(axis=1) - normal @ noise
        bound = (slack[far] / np.maximum(np.linalg.norm(within[far], axis=1), 1e-12)).min()
        assert radius <= bound * (1 + 1e-9)
        outside = noise + _rng().standard_normal(p.dim)
        nearest = minimize(
            lambda x, outside=outside: ((x - outside) ** 2).sum(),
            noise,
            jac=lambda x, outside=outside: 2 * (x - outside),
            constraints=[
                {
                    "type": "ineq",
                    "fun": lambda x, slack=slack, normal=normal, noise=noise: slack - normal @ (x - noise),
                    "jac": lambda _, normal=normal: -normal,
                },
                {
                    "type": "eq",
                    "fun": lambda x, t=group.tangent[0], noise=noise: t.T @ (x - noise),
                    "jac": lambda _, t=group.tangent[0]: t.T,
                },
            ],
            method="SLSQP",
            options={"ftol": 1e-12, "maxiter": 200},
        )
        # the net's set is larger by what its half-spaces miss between neighbours
        assert cone.distance(outside)[0] >= np.sqrt(nearest.fun) - 1e-5
        assert cone.distance(outside)[0] <= np.sqrt(nearest.fun) + 0.05


def test_subdifferential_on_a_chord_has_one_dimension_less():
    """The arc's chord: ∂φ at its middle is the ray on which both ends are level and nearest."""
    middle = ARC.closed_set.nearest(np.array([[9.0, -9.0], [-9.0, 0.0]])).mean(axis=0)
    found = ARC.subdifferential(middle)
    assert found.dimension == 1
    chord = np.array([np.cos(2.5) - np.cos(0.3), np.sin(2.5) - np.sin(0.3)])
    along = np.array([chord[1], -chord[0]]) / np.linalg.norm(chord)
    down = along if along @ middle < 0 else -along
    assert found.distance(5 * down)[0] <= 1e-12
    # on the ray 0 + s·down the margin is s: at s = 0 the whole arc is level
    assert found.boundary_distance(5 * down)[0] == pytest.approx(5, rel=1e-12)
    assert found.distance(-1.0 * down)[0] == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize(
    "target", [ARC, NearestPoint(Union(ARC.closed_set, PointCloud([[0.0, -9.0]])), 0.75)]
)
@pytest.mark.parametrize("far", [1.0, 4.0, 30.0])
@pytest.mark.parametrize("back", [0.0, 1e-9, 1e-4, 0.2])
def test_margin_at_the_end_of_an_arc_is_the_distance_to_the_normal(target, far, back):
    """Where H ≥ 0 the half-space of the limit, ⟨u, x₀ − a·y⟩ ≤ 0, is the one that is met first."""
    for angle, sign in ((0.3, 1.0), (2.5, -1.0)):
        end = np.array([np.cos(angle), np.sin(angle)])
        inward = sign * np.array([-end[1], end[0]])
        noise = far * target.curvature * end - back * inward
        margin = target.subdifferential(end).boundary_distance(noise)[0]
        assert margin == pytest.approx(back, rel=1e-9, abs=64 * EPS * far)


@pytest.mark.parametrize("back", [0.0, 1e-9, 1e-3])
def test_margin_at_the_ends_of_a_parametrised_curve(back):
    curve = Curve.spiral(1.0)
    target = NearestPoint(curve, 1.0)
    for t, sign in ((np.pi, 1.0), (3 * np.pi, -1.0)):
        end = t * np.array([np.cos(t), np.sin(t)]) / (2 * np.pi)
        inward = sign * np.array([np.cos(t), t * np.cos(t)]) / np.hypot(1, t)
        outward = np.array([inward[1], -inward[0]])
        outward *= np.sign(outward @ end)
        noise = end + 0.05 * outward - back * inward
        margin = target.subdifferential(end).boundary_distance(noise)[0]
        assert margin == pytest.approx(back, rel=1e-9, abs=64 * EPS)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([ARC, ELLIPSE, TORUS, MIXED]), st.floats(-3, 3))
def test_prox_is_firmly_nonexpansive(seed, p, exponent):
    rng = np.random.default_rng(seed)
    z, other = rng.standard_normal((2, 4, p.dim)) * p.scale
    step = 10.0**exponent
    change = p.prox(z, step) - p.prox(other, step)
    rounding = 2 * (of_prox(p, z, step) + of_prox(p, other, step))
    excess = (change**2).sum(axis=1) - (change * (z - other)).sum(axis=1)
    assert (excess <= rounding * np.linalg.norm(z - other, axis=1)).all()
