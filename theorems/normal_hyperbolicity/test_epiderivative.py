"""H3: second epi-derivatives, through Moreau envelopes and through the derivative of prox.

Assumed: A1–A4. Differences of prox and of envelopes are extrapolated by Richardson's scheme; the difference
of the two highest orders estimates the truncation. Complex steps, where prox is analytic, have none. Left out
are directions that meet a kink of prox: there the quotients do not approach their limit by halves. The
picture shows why the convergence is *epi*. Control: A3 violated, where prox has two one-sided derivatives.
"""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from numerics.accuracy import EPS, Rounding
from numerics.flows.spectrum import complex_jacobian, jacobian
from numerics.potentials import FiniteAtoms, Sphere
from theorems.normal_hyperbolicity.assumptions import at_points
from theorems.normal_hyperbolicity.figures import draw_epiconvergence
from theorems.normal_hyperbolicity.trajectories import bend, bundles, envelope_size
from theorems.proximal_denoiser.bounds import dot
from theorems.representatives import every_family
from theorems.targets import (
    analytic_targets,
    few,
    generator,
    has_a_manifold,
    is_analytic,
    seeds,
    targets,
)

BALL = Sphere(3, 2.0)
steps = st.integers(-8, 4).map(lambda k: 2.0**k)


@pytest.mark.claim("H3")
@given(target=targets().filter(has_a_manifold), step=steps, seed=seeds)
@every_family(has_a_manifold, step=0.75, seed=1)
def test_derivative_of_prox(evidence, target, step, seed):
    checked = 0
    for bundle in bundles(target, few(target, 50), generator(seed)):
        z = bundle.x1 + step * bundle.x0
        width = 1e-2 * bend(target, z, bundle.x1)
        found = jacobian(lambda _, y: target.prox(y, step), 0.0, z, width, levels=3)
        inner = np.linalg.inv(np.eye(bundle.dimension) + step * bundle.hessian)
        smooth = found.error <= 1e-6
        if not smooth.any():
            continue
        checked += 1
        rounding = 64 * target.dim * EPS * target.prox_condition(z, step) / (width / 4)
        margins = at_points(target, bundle.x0[smooth])
        evidence.on(target, step=step, seed=seed, margins=margins).certified(
            "|D prox − P_T(I+λH)⁻¹P_T|, by differences of prox",
            np.abs(found.jacobian - bundle.spread(inner, 0.0)).max(axis=(1, 2))[smooth],
            (2 * found.error + rounding)[smooth],
            because="truncation estimated, not proved, by the difference of two orders; prox's rounding over "
            "the smallest half-step",
        )
    assume(checked)


@pytest.mark.claim("H3")
@given(target=analytic_targets(), step=steps, seed=seeds)
@every_family(is_analytic, step=0.75, seed=1)
def test_derivative_of_prox_by_complex_steps(evidence, target, step, seed):
    """Where prox is analytic nothing needs to be estimated: complex steps have no truncation."""
    for bundle in bundles(target, 50, generator(seed)):
        z = bundle.x1 + step * bundle.x0
        found = complex_jacobian(lambda _, y: target.prox(y, step), 0.0, z, tiny=1e-30 * target.scale)
        inner = np.linalg.inv(np.eye(bundle.dimension) + step * bundle.hessian)
        margins = at_points(target, bundle.x0)
        evidence.on(target, step=step, seed=seed, margins=margins).bounded(
            "|D prox − P_T(I+λH)⁻¹P_T|, by complex steps",
            np.abs(found - bundle.spread(inner, 0.0)).max(axis=(1, 2)),
            Rounding(
                1 + target.prox_condition(z, step) / bend(target, z, bundle.x1),
                2 * (64 * target.dim),
                "no truncation; prox bends over the length that divides its condition",
            ),
            because="no truncation; prox bends over the length that divides its condition",
        )


def _quotients(target, bundle, step, w, tau):
    """[e_λφ̃(x₁+τw) − e_λφ̃(x₁)]/τ² (k,n) and its rounding, e_λφ̃(y) = e_λφ(y+λx₀) − ⟨x₀,y⟩ + const."""
    z = bundle.x1 + step * bundle.x0
    start = target.envelope(z, step)
    size = envelope_size(target, z, step) + dot(bundle.x0, bundle.x0) * step
    values = [(target.envelope(z + h[:, None] * w, step) - start - h * dot(bundle.x0, w)) / h**2 for h in tau]
    slack = target.transport_condition(bundle.x0) / step * tau
    return np.array(values), 64 * target.dim * EPS * (size + slack + tau * np.abs(dot(bundle.x0, w))) / tau**2


@pytest.mark.claim("H3")
@given(target=targets().filter(has_a_manifold), step=steps, seed=seeds)
@every_family(has_a_manifold, step=0.75, seed=1)
def test_envelopes_of_quotients_converge(evidence, target, step, seed):
    rng, checked = generator(seed), 0
    for bundle in bundles(target, few(target, 50), rng):
        z = bundle.x1 + step * bundle.x0
        w = rng.standard_normal(z.shape)
        w /= np.linalg.norm(w, axis=1, keepdims=True)
        tau = 0.04 * bend(target, z, bundle.x1) * 2.0 ** -np.arange(4)[:, None]
        values, rounding = _quotients(target, bundle, step, w, tau)
        table = [values]
        for order in (1, 2, 3):
            table.append(table[-1][1:] + (table[-1][1:] - table[-1][:-1]) / (2**order - 1))
        truncation = np.maximum(np.abs(table[3][-1] - table[2][-1]), np.abs(table[2][-1] - table[2][-2]))
        along = np.einsum("kdm,kd->km", bundle.tangent, w)
        inner = bundle.hessian @ np.linalg.inv(np.eye(bundle.dimension) + step * bundle.hessian)
        off = 1 - dot(along, along)
        limit = (off / step + np.einsum("km,kmn,kn->k", along, inner, along)) / 2
        change = np.abs(np.diff(values, axis=0))
        halving = (change[1:] <= 0.7 * change[:-1]) & (change[1:] >= 0.3 * change[:-1])
        smooth = (halving | (change[1:] <= 4 * rounding[-1])).all(axis=0)
        if not smooth.any():
            continue
        checked += 1
        margins = at_points(target, bundle.x0[smooth])
        evidence.on(target, step=step, seed=seed, margins=margins).certified(
            "|envelope of ½Δ²_τφ − its limit|, extrapolated to τ = 0",
            np.abs(table[3][-1] - limit)[smooth],
            (2 * truncation + 8 * rounding[-1] + 64 * target.dim * EPS / step)[smooth],
            because="truncation estimated, not proved, by the difference of two orders; rounding of the "
            "envelopes over τ²",
        )
    assume(checked)


@pytest.mark.claim("H3")
def test_pointwise_quotient_is_infinite_on_the_sphere(evidence, rng):
    """For a tangent direction φ(x₁+τw) = +∞ at every τ, while envelopes converge to (r/R)|w|²."""
    x0, x1 = BALL.sample(50, rng)
    w = np.cross(x0, rng.standard_normal(x0.shape))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    tau = 10.0 ** -np.arange(0, 7)
    infinite = np.array([np.isinf(BALL.value(x1 + h * w)) for h in tau])
    evidence.on(BALL).exact("Δ²_τφ(x₁|x₀)(w) = +∞ for tangent w", infinite, "τ from 1 to 1e-6")
    curvature, step, along = np.linalg.norm(x0[0]) / BALL.radius, 0.5, np.linspace(-1.5, 1.5, 201)
    z = x1[:1] + step * x0[:1]
    start = BALL.envelope(z, step)
    envelopes = {
        h: (BALL.envelope(z + h * along[:, None] * w[0], step) - start) / h**2 for h in (1.0, 0.5, 0.25)
    }
    evidence.figure(
        "Why epi: quotients of the ball's indicator in a tangent direction",
        "The quotient itself is +∞ at every τ; its Moreau envelopes converge to those of (r/R)w²",
        lambda figure: draw_epiconvergence(
            figure, along, envelopes, curvature * along**2 / (1 + step * curvature) / 2
        ),
    )


@pytest.mark.claim("H3")
def test_order_of_convergence_on_the_sphere(evidence):
    """The error is ⟨w,ν⟩|P_T w|²R/(2λρ²)·τ + O(τ²), ρ = |z|: first order, unless w is tangent or normal."""
    import sympy as sp

    tau, radius, step, rho, a, b = sp.symbols("tau R lambda rho a b", positive=True)
    envelope = (sp.sqrt((rho + tau * a) ** 2 + (tau * b) ** 2) - radius) ** 2 / (2 * step)
    third = sp.series(envelope, tau, 0, 4).removeO().coeff(tau, 3)
    stated = a * b**2 * radius / (2 * step * rho**2)
    evidence.exact(
        "the coefficient of τ in the sphere's envelope quotient", sp.simplify(third - stated) == 0, "all"
    )
    z, w, sizes = np.array([[4.0, 0.0, 0.0]]), np.array([1.0, 1.0, 0.0]), 2.0 ** -np.arange(3, 10)
    start = BALL.envelope(z, 1.0)[0]
    values = np.array([(BALL.envelope(z + h * w, 1.0)[0] - start - 2 * h) / h**2 for h in sizes])
    limit = (1 + 1 / (1 + 1)) / 2  # |x₀| = 2, so that H = 1 and the noise's slope along w is 2
    local = -np.diff(np.log2(np.abs(values - limit)))
    slope = 2 * local[-1] - local[-2]
    evidence.on("a ball of radius 2, λ = 1, |z| = 4, w = ν + u").trend(
        "log error of the envelope quotient against log τ",
        slope,
        (slope - abs(local[-1] - local[-2]), slope + abs(local[-1] - local[-2])),
        theory=1.0,
        rule="interval contains theory",
        alternative=2.0,
        points=len(sizes),
    )


@pytest.mark.control("H3")
@pytest.mark.parametrize("weight", [0.2, 0.5])
def test_boundary_of_a_cell_has_two_derivatives(evidence, weight):
    """A3 fails: x₀ on the face between two cells. Towards y₁ prox moves with z, away from it not at all."""
    target, step, h = FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], weight), 0.5, 1e-3
    edge = target.points[1] - target.points[0]
    unit = edge / np.linalg.norm(edge)
    x0 = (target.heights[1] - target.heights[0]) / (edge @ edge) * edge
    z = target.points[0] + step * x0
    sides = [
        float(((target.prox([z + s * h * unit], step)[0] - target.points[0]) @ unit) / (s * h))
        for s in (1, -1)
    ]
    rounding = 64 * EPS * (1 + np.linalg.norm(z)) / h
    on = evidence.on(target, step=step)
    on.control(
        "x₀ on the relative boundary: one-sided derivative of prox towards the other atom",
        predicted=1.0,
        measured=sides[0],
        agreement=rounding,
        because="the envelope is affine on the edge, so prox follows z there; P_T(I+λH)⁻¹P_T is 0",
        intact=0.0,
    )
    on.control(
        "x₀ on the relative boundary: the two one-sided derivatives of prox differ",
        predicted=1.0,
        measured=sides[0] - sides[1],
        agreement=2 * rounding,
        because="1 towards the other atom, 0 away from it, where prox stays at its atom",
        intact=0.0,
    )
    on.table(
        f"One-sided derivatives of prox where A3 fails: a face between atoms, {weight:g} and {1 - weight:g}",
        ("towards the other atom", "away from it", "P_T(I+λH)⁻¹P_T"),
        [(f"{sides[0]:.12f}", f"{sides[1]:.12f}", "0")],
    )
