"""H3: second epi-derivatives, through Moreau envelopes and through the derivative of prox.

Assumed: A1–A4; K = H⁻¹, which needs A5 too, is in test_from_a1. Differences of prox and of envelopes are
extrapolated by Richardson's scheme; the difference of the two highest orders estimates the truncation.
Complex steps, where prox is analytic, have none. All stay within the face of z, whose distance to the
nearest kink prox states. No point is left out: where a kink leaves no room, rounding over the least step is
the bound, and exceeds what any prox could show. The picture shows why the convergence is *epi*.
Control: A3 violated, where prox has two one-sided derivatives.
"""

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.accuracy import COMPLEX, EPS, Rounding
from numerics.flows.spectrum import complex_jacobian, jacobian
from numerics.potentials import FiniteAtoms, Sphere
from theorems.normal_hyperbolicity.assumptions import at_points
from theorems.normal_hyperbolicity.bundles import bend, bundles, from_the_set
from theorems.normal_hyperbolicity.figures import draw_epiconvergence
from theorems.setting.draws import generator
from theorems.setting.quantifiers import ANALYTIC, SEEDS, WITH_A_MANIFOLD, for_all
from theorems.setting.roundings import hessian_rounding
from theorems.setting.values import Values
from theorems.setting.vectors import dot, norm

BALL = Sphere(3, 2.0)
RESOLVED, CLOSE = 1e-3, 1e5
steps = st.integers(-8, 4).map(lambda k: 2.0**k)


@for_all("H3", target=WITH_A_MANIFOLD, step=Values(steps, 0.75, (2.0**-8, 0.75, 16.0)), seed=SEEDS)
def test_derivative_of_prox(evidence, target, step, seed):
    moved = []
    for bundle in bundles(target, 50, generator(seed)):
        z = bundle.x1 + step * bundle.x0
        solved = target.proximal_point(z, step)
        # prox at the ends of the differences, over the least half-step; extrapolation magnifies it 3 times.
        stated = solved.rounding.point + Rounding(norm(z), 2, "the ends of differences")
        # Within the error of prox itself a kink may lie in the step: the quotients of a 1-Lipschitz map are
        # at most 1, extrapolated 3, and the rounding over such a step is 12√d.
        width = np.maximum(np.minimum(1e-2 * bend(target, z, bundle.x1), solved.kink / 2), stated.bound)
        rounding = stated.amplified(3 * 4 * np.sqrt(target.dim) / width, "over the half-step")
        moved.append(rounding.bound)
        found = jacobian(lambda _, y: target.prox(y, step), 0.0, z, width, widths=3)
        inner = np.linalg.inv(np.eye(bundle.dimension) + step * bundle.hessian)
        margins = at_points(target, bundle.x0)
        theory = _theory_rounding(target, bundle, step)
        evidence.on(target, step=step, seed=seed, margins=margins).estimated(
            "|D prox − P_T(I+λH)⁻¹P_T|, by differences of prox",
            np.abs(found.jacobian - bundle.spread(inner, 0.0)).max(axis=(1, 2)),
            2 * found.error + rounding.bound + theory.bound,
            by="the difference of the two highest orders of extrapolated differences of prox",
            because="they are equal within the face of z; prox's rounding over the half-step, and that of H",
            clause="prox",
        )
    _at_the_median(
        evidence.on(target, step=step, seed=seed),
        "by how much rounding alone moves D prox",
        np.concatenate(moved),
        RESOLVED,
        "prox",
    )


def _at_the_median(on, what, values, most, clause):
    """At most points the bounds must tell something: few lie so near a kink that rounding fills the step."""
    on.estimated(
        f"{what}, at the median point",
        min(float(np.median(values)), np.finfo(float).max),
        most,
        by="the median of the drawn points",
        because="few points lie near kinks, and elsewhere a step is long beside rounding",
        chosen=f"{most:g}, and the median",
        points=len(values),
        clause=clause,
    )


def _theory_rounding(target, bundle, step):
    """Of P_T(I+λH)⁻¹P_T: H's error times λ at most, x₁'s through the bend of prox, and products."""
    of_hessian = hessian_rounding(target, bundle.x0, bundle.hessian)
    least = np.linalg.eigvalsh(bundle.hessian).min(axis=1, initial=np.inf)
    slope = step / (1 + step * np.maximum(least - of_hessian.bound, 0.0)) ** 2
    z = bundle.x1 + step * bundle.x0
    moved = 2 * target.roundings.transport(bundle.x0).bound + 2 * EPS * norm(z)
    of_data = target.roundings.prox_jacobian(z, step, moved=moved)
    return of_hessian.amplified(slope, "in (I+λH)⁻¹") + of_data + Rounding(1.0, 8 * target.dim, "products")


@for_all("H3", target=ANALYTIC, step=Values(steps, 0.75, (2.0**-8, 0.75, 16.0)), seed=SEEDS)
def test_derivative_of_prox_by_complex_steps(evidence, target, step, seed):
    """Where prox is analytic nothing needs to be estimated: complex steps have no truncation."""
    for bundle in bundles(target, 50, generator(seed)):
        z = bundle.x1 + step * bundle.x0
        found = complex_jacobian(lambda _, y: target.prox(y, step), 0.0, z, tiny=1e-30 * target.scale)
        inner = np.linalg.inv(np.eye(bundle.dimension) + step * bundle.hessian)
        margins = at_points(target, bundle.x0)
        solved, theory = target.proximal_point(z, step), bundle.spread(inner, 0.0)
        stated = solved.rounding.jacobian.amplified(COMPLEX) + _theory_rounding(target, bundle, step)
        off = target.roundings.transport(bundle.x0).bound + 2 * EPS * norm(z)
        error, rounding = np.linalg.norm(found - theory, axis=(1, 2)), stated.bound.copy()
        kinks, unknown = np.flatnonzero(solved.kink <= off), 0
        if kinks.size:
            error[kinks], own = from_the_set(target, (bundle.x0, z), step, off, theory, kinks)
            rounding[kinks] += own
            unknown = int((own >= 1).sum())
        evidence.on(target, step=step, seed=seed, margins=margins).bounded(
            "|D prox − P_T(I+λH)⁻¹P_T|, by complex steps",
            error,
            Rounding.measured(rounding, stated.because),
            because="they are equal; complex steps have no truncation and round as D prox does. At kinks: "
            "D prox is a set (Clarke)",
            at_kinks=len(kinks),
            left_out=unknown,
            clause="prox",
        )


def _quotients(target, bundle, step, w, tau):
    """[e_λφ̃(x₁+τw) − e_λφ̃(x₁)]/τ² (k,n) and its rounding, e_λφ̃(y) = e_λφ(y+λx₀) − ⟨x₀,y⟩ + const.

    e's slope at x₁ + λx₀ is x₀, and what x₁ is off by moves it by that over λ, times τ.
    """
    z, values, roundings = bundle.x1 + step * bundle.x0, [], []
    start, off = (
        target.proximal_point(z, step),
        target.roundings.transport(bundle.x0).bound + 2 * EPS * norm(z),
    )
    for h in tau:
        ahead = target.proximal_point(z + h[:, None] * w, step)
        values.append((ahead.envelope - start.envelope - h * dot(bundle.x0, w)) / h**2)
        stated = (start.rounding.envelope + ahead.rounding.envelope).bound
        sizes = np.abs(start.envelope) + np.abs(ahead.envelope) + h * norm(bundle.x0)
        # z + τw is rounded, too, and e's slope there is at most |x₀| + τ/λ.
        moved = off * h / step + EPS * norm(z) * (norm(bundle.x0) + h / step)
        roundings.append((stated + moved + target.dim * EPS * sizes) / h**2)
    return np.array(values), np.array(roundings)


@for_all("H3", target=WITH_A_MANIFOLD, step=Values(steps, 0.75, (2.0**-8, 0.75, 16.0)), seed=SEEDS)
def test_envelopes_of_quotients_converge(evidence, target, step, seed):
    rng, near = generator(seed), []
    for bundle in bundles(target, 50, rng):
        z = bundle.x1 + step * bundle.x0
        solved = target.proximal_point(z, step)
        w = rng.standard_normal(z.shape)
        w /= np.linalg.norm(w, axis=1, keepdims=True)
        # Where a kink leaves less than eight times the root of λ times the rounding, it may lie in τ: the
        # quotients of e_λφ̃ are at most 1/(2λ), extrapolated 6.5 times that, and the rounding is 8/λ.
        least = solved.rounding.envelope.bound + EPS * (np.abs(solved.envelope) + norm(z) * norm(bundle.x0))
        length = bend(target, z, bundle.x1)
        with np.errstate(over="ignore"):  # on a kink, where the quotient is as good as infinite
            near.append(length / np.maximum(solved.kink, np.finfo(float).tiny))
        widest = np.minimum(0.04 * length, solved.kink / 2)
        tau = np.maximum(widest, 8 * np.sqrt(step * least)) * 2.0 ** -np.arange(4)[:, None]
        values, rounding = _quotients(target, bundle, step, w, tau)
        table = [values]
        for order in (1, 2, 3):
            table.append(table[-1][1:] + (table[-1][1:] - table[-1][:-1]) / (2**order - 1))
        truncation = np.maximum(np.abs(table[3][-1] - table[2][-1]), np.abs(table[2][-1] - table[2][-2]))
        along = np.einsum("kdm,kd->km", bundle.tangent, w)
        inner = bundle.hessian @ np.linalg.inv(np.eye(bundle.dimension) + step * bundle.hessian)
        off = 1 - dot(along, along)
        limit = (off / step + np.einsum("km,kmn,kn->k", along, inner, along)) / 2
        margins = at_points(target, bundle.x0)
        evidence.on(target, step=step, seed=seed, margins=margins).estimated(
            "|envelope of ½Δ²_τφ − its limit|, extrapolated to τ = 0",
            np.abs(table[3][-1] - limit),
            2 * truncation + 8 * rounding[-1] + _theory_rounding(target, bundle, step).bound / step,
            by="the difference of two orders of extrapolation in τ",
            because="the quotients' envelopes converge, smoothly in τ within the face of z; rounding over τ²",
            clause="epi-limit",
        )
    _at_the_median(
        evidence.on(target, step=step, seed=seed),
        "length over which prox bends, over the distance to the nearest kink",
        np.concatenate(near),
        CLOSE,
        "epi-limit",
    )


@pytest.mark.claim("H3")
def test_pointwise_quotient_is_infinite_on_the_sphere(evidence, rng):
    """For a tangent direction φ(x₁+τw) = +∞ at every τ, while envelopes converge to (r/R)|w|²."""
    import sympy as sp

    tau = sp.Symbol("tau", positive=True)
    y, u = (sp.Matrix(sp.symbols(f"{name}_1:4", real=True)) for name in "yu")
    beyond = sp.expand((y + tau * u).dot(y + tau * u) - y.dot(y) - 2 * tau * y.dot(u) - tau**2 * u.dot(u))
    evidence.on(BALL).exact(
        "|x₁+τw|² = R² + τ²|w|² > R² for tangent w ≠ 0: φ, hence Δ²_τφ(x₁|x₀)(w), is +∞",
        beyond == 0,
        "all τ > 0, |x₁| = R, ⟨x₁, w⟩ = 0: the ball's indicator",
        clause="epi",
    )
    x0, x1 = BALL.sample(50, rng)
    w = np.cross(x0, rng.standard_normal(x0.shape))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    tau = 10.0 ** -np.arange(0, 10)
    finite = np.array([np.isfinite(BALL.value(x1 + h * w)) for h in tau])
    slack = 4 * BALL.roundings.domain(x1).bound * BALL.radius
    evidence.on(BALL).bounded(
        "τ²|w|² where the library's φ(x₁+τw) is finite, w tangent",
        np.where(finite, tau[:, None] ** 2, 0.0),
        Rounding.measured(np.broadcast_to(slack, finite.shape), "the domain is kept to rounding"),
        because="+∞ as soon as x₁+τw is outside by more than the domain's rounding",
        clause="epi",
    )
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
