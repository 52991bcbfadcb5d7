"""H6: the splitting T ⊕ N is invariant, neutral on T, and contracted by α_t on N.

Assumed: A1–A5 and SC. DX_t is taken by differences of the flow map, and by
complex steps where it is analytic, without K; bounds on T are those of
α+βκ. Control: the circle, where the constants are not uniform, and a target without normal directions.
"""

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.accuracy import COMPLEX, EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.flows.spectrum import complex_jacobian, jacobian
from numerics.potentials import DegenerateGaussian, Sphere
from theorems.normal_hyperbolicity.assumptions import at_points
from theorems.normal_hyperbolicity.bundles import bundles, coefficients, smooth_radius
from theorems.normal_hyperbolicity.left_out import DEEP, LeftOut
from theorems.setting.draws import generator
from theorems.setting.quantifiers import ANALYTIC, SCHEDULES, SEEDS, WITH_A_MANIFOLD, for_all
from theorems.setting.roundings import hessian_rounding, inverse_rounding
from theorems.setting.values import Values
from theorems.setting.vectors import norm

RESOLVED, SHALLOW = 1e-3, 1e-2
remaining_times = st.integers(5, 300).map(lambda k: 10.0 ** (-k / 100))
REMAINING = Values(remaining_times, 0.05, (0.3, 1e-2, 1e-3))


@for_all("H6", target=WITH_A_MANIFOLD, schedule=SCHEDULES, remaining=REMAINING, seed=SEEDS)
def test_splitting_of_the_flow(evidence, target, schedule, remaining, seed):
    field, left = ExactField(target, schedule), LeftOut(target, SHALLOW)
    alpha, beta, *_ = coefficients(schedule, remaining)
    for bundle in bundles(target, 50, generator(seed)):
        width = np.minimum(1e-2 * np.linalg.norm(bundle.x0, axis=1), smooth_radius(target, bundle.x0))
        # T at the ends of differences over the least half-step; extrapolation magnifies it 3 times at most.
        stated = field.roundings.flow(None, bundle.x0, remaining=remaining) + Rounding(
            norm(bundle.x0), 2, "the ends"
        )
        rounding = stated.amplified(
            3 * 4 * np.sqrt(target.dim) / np.maximum(width, 1e-300), "over the half-step"
        )
        room = left.keep(bundle.x0, bundle.x1, rounding.bound <= RESOLVED)
        if not room.size:
            continue
        bundle, width, rounding = bundle.take(room), width[room], rounding[room]
        found = jacobian(
            lambda _, y: field.flow(None, y, remaining=remaining), 0.0, bundle.x0, width, widths=3
        )
        margins = at_points(target, bundle.x0, schedule, remaining)
        on = evidence.on(target, schedule=schedule, remaining=remaining, seed=seed, margins=margins)
        noise = target.dim * 2 * found.error + rounding.bound
        _flow_on_the_bundles(on, bundle, found.jacobian, (alpha, beta), noise, len(stated.bound) - len(room))
    on = evidence.on(target, schedule=schedule, remaining=remaining, seed=seed)
    on.estimated(DEEP, left.deep, 0, **left.basis("splitting"))


def _flow_on_the_bundles(on, bundle, flow, coefficients, noise, left_out):
    """DX_t is α_t on N, does not mix T and N, and stretches T between its two bounds."""
    alpha, beta = coefficients
    tangent, flipped = bundle.tangent, bundle.tangent.transpose(0, 2, 1)
    normal = np.eye(tangent.shape[1]) - tangent @ flipped
    asked = {
        "by": "the difference of the two highest orders of extrapolated differences of X_t",
        "left_out": left_out,
        "chosen": f"left out where rounding alone moves DX_t by more than {RESOLVED:g}",
        "because": "T ⊕ N is invariant, DX_t is α_t on N and between (α+β)min(1,κ) and (α+β)max(1,κ) on T",
    }
    off = np.linalg.norm(normal @ flow @ normal - alpha * normal, axis=(1, 2))
    on.estimated("|P_N DX_t P_N − α_t P_N|", off, noise, clause="splitting", **asked)
    if not bundle.dimension:
        return
    mixed = np.linalg.norm(flipped @ flow @ normal, axis=(1, 2))
    on.estimated("|P_T DX_t P_N|: T ⊕ N is invariant", mixed, noise, clause="splitting", **asked)
    kappa = 1 / np.linalg.eigvalsh(bundle.hessian)
    stretch = np.linalg.svd(flipped @ flow @ tangent, compute_uv=False)
    above = stretch.max(axis=1) - (alpha + beta) * np.maximum(1, kappa.max(axis=1))
    below = (alpha + beta) * np.minimum(1, kappa.min(axis=1)) - stretch.min(axis=1)
    on.estimated("|DX_t| on T above (α+β)max(1,κ)", above, noise, clause="bounds", **asked)
    on.estimated("|DX_t| on T below (α+β)min(1,κ)", below, noise, clause="bounds", **asked)


@for_all("H6", target=ANALYTIC, schedule=SCHEDULES, remaining=REMAINING, seed=SEEDS)
def test_splitting_by_complex_steps(evidence, target, schedule, remaining, seed):
    """Where T is analytic nothing needs to be estimated: DX_t whole, against αP_N + T(α+βH⁻¹)Tᵀ."""
    alpha, beta, *_ = coefficients(schedule, remaining)
    for bundle in bundles(target, 50, generator(seed)):
        flow = complex_jacobian(lambda _, y: alpha * y + beta * target.transport(y), 0.0, bundle.x0)
        eye = np.eye(bundle.dimension)
        margins = at_points(target, bundle.x0, schedule, remaining)
        on = evidence.on(target, schedule=schedule, remaining=remaining, seed=seed, margins=margins)
        stated = target.roundings.transport_jacobian(bundle.x0).amplified(
            (1 + COMPLEX) * beta, "K and its complex steps"
        )
        of_hessian = hessian_rounding(target, bundle.x0, bundle.hessian)
        inverse = np.linalg.inv(bundle.hessian)
        kappa = np.linalg.norm(inverse, axis=(1, 2))
        own = Rounding(np.sqrt(target.dim) + kappa, 8 * target.dim, "products with the tangents")
        on.bounded(
            "|DX_t − (α_t on N, α_t + β_tκ on T)|, by complex steps",
            np.linalg.norm(flow - bundle.spread(alpha * eye + beta * inverse, alpha), axis=(1, 2)),
            stated + inverse_rounding(inverse, of_hessian).amplified(beta) + own,
            because="they are equal, and complex steps have no truncation",
        )


@pytest.mark.claim("H6")
def test_domination_symbolically(evidence):
    """α/σ_T^q → 0 for every real q: σ_T lies between positive constants, as α + β does."""
    import sympy as sp

    tau, p, bound = sp.symbols("tau p c", positive=True)
    q = sp.Symbol("q", real=True)
    limit = sp.limit(sp.exp(-p * tau) * bound ** (-q), tau, sp.oo)
    evidence.exact(
        "σ_N/σ_T^q ≤ α·max(c^−q, C^−q), and α·c^−q → 0 for every c > 0",
        limit == 0,
        "all real q, γ = p > 0; c ≤ σ_T ≤ C are (α+β)min(1,κ) and (α+β)max(1,κ), a clause of its own",
        clause="domination",
    )
    s, k = sp.symbols("s kappa", positive=True)
    ends = [sp.limit(alpha + (1 - s) * k, s, 0) for alpha in (s, sp.sqrt(s * (2 - s)))]
    evidence.exact(
        "σ_T = α+βκ → κ > 0",
        [sp.simplify(end - k) == 0 for end in ends],
        "α = 1−t and √(1−t²), all κ > 0",
        clause="domination",
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("H6")
@pytest.mark.parametrize("length", [0.02, 20.0])
def test_constants_are_not_uniform(evidence, length):
    """On the circle κ = R/|x₀|: constants between 1/2 and 2, say, are left near 0 and far out."""
    target, remaining = Sphere(2, 2.0), 1e-3
    x0 = np.array([[length, 0.0]])
    field = ExactField(target)
    found = jacobian(lambda _, y: field.flow(None, y, remaining=remaining), 0.0, x0, 1e-2 * length)
    kappa = 2.0 / length
    evidence.on(target, length=length).control(
        "constants independent of x₀: tangential stretch beyond [1/2, 2]",
        predicted=remaining + (1 - remaining) * kappa,
        measured=found.jacobian[0, 1, 1],
        agreement=2 * found.error[0] + 64 * EPS * (kappa + 1) * 1e4,
        because="α+βκ with κ = R/|x₀|; truncation estimated by two orders, rounding over the least half-step",
        intact=1.0,
    )


@pytest.mark.control("H6")
@pytest.mark.parametrize("remaining", [1e-2, 1e-4])
def test_no_contraction_without_normal_directions(evidence, rng, remaining):
    sigma = np.array([2.0, 0.5])
    target = DegenerateGaussian([0.0, 0.0], np.diag(sigma**2))
    field = ExactField(target)
    found = jacobian(
        lambda _, y: field.flow(None, y, remaining=remaining), 0.0, rng.standard_normal((5, 2)), 0.1
    )
    evidence.on(target, remaining=remaining).control(
        "a target that fills space: least singular value of DX_t, instead of α_t",
        predicted=remaining + (1 - remaining) * 0.5,
        measured=np.linalg.svd(found.jacobian, compute_uv=False)[:, -1],
        agreement=2 * found.error + 1e4 * EPS,
        because="α+βσ; differences of a linear map carry rounding alone, over steps of 0.1/8",
        intact=remaining,
    )
