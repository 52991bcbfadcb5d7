r"""N1 (b), (c): where φ\* is differentiable, A1 on the support gives A2–A5, K = H⁻¹ on T and 0 on N.

Assumed: near x₁ the support is a C² manifold M without boundary there, φ|_M is C² (A1), x₀ is drawn, so K
exists. H comes from the geometry of the support, K from T. The proof says that T is constant along normal
moves inside the relative interior of ∂φ(x₁), and that noise moved by h belongs to a ∂φ(y) with y near x₁ on
M: both are measured on every family. Controls: a focal point, where H = 0; the twin's tie (test_twin.py).
"""

import numpy as np
import pytest
import sympy as sp

from numerics.accuracy import EPS, Rounding
from numerics.potentials import Curve, NearestPoint
from theorems.normal_hyperbolicity.bundles import bundles
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, WITH_A_MANIFOLD, for_all
from theorems.setting.roundings import hessian_rounding
from theorems.setting.vectors import norm

MOVES = (1e-2, 1e-5, 1e-8)


@for_all("H3", "N1", target=WITH_A_MANIFOLD, seed=SEEDS)
def test_hessian_inverts_the_transport_jacobian(evidence, target, seed):
    """HK = P_T, with H spread over T: so H is definite (A5), K = H⁻¹ on T and 0 on N."""
    for bundle in bundles(target, 100, generator(seed)):
        kernel = target.transport_jacobian(bundle.x0)
        spread, projector = bundle.spread(bundle.hessian, 0.0), bundle.spread(np.eye(bundle.dimension), 0.0)
        size = np.linalg.norm(spread, axis=(1, 2))
        kappa = np.linalg.norm(kernel, axis=(1, 2))
        # x₁ is off by what T is: the tangent and H turn with it, as K does with the noise.
        of_kernel = target.roundings.transport_jacobian(bundle.x0).amplified(4 * size, "K, times H")
        of_hessian = hessian_rounding(target, bundle.x0, bundle.hessian).amplified(kappa, "H, times K")
        products = Rounding(1 + size * kappa, 16 * target.dim, "products with the tangents")
        on = evidence.on(target, x0=bundle.x0, seed=seed)
        for clause in ("HK", "K"):  # N1's and H3's name for it
            on.bounded(
                "|H K − P_T|",
                np.linalg.norm(spread @ kernel - projector, axis=(1, 2)),
                of_kernel + of_hessian + products,
                because="they are equal; what H and K err by",
                clause=clause,
            )


@for_all("N1", target=WITH_A_MANIFOLD, seed=SEEDS)
def test_transport_is_constant_along_normals(evidence, target, seed):
    """A2, A3: y(x₀+ν) = x₁ for small ν ∈ N, half as far as the boundary of ∂φ(x₁), of dimension d − m."""
    rng = generator(seed)
    for bundle in bundles(target, 10, rng):
        at = [target.subdifferential(y) for y in bundle.x1]
        evidence.on(target, seed=seed).estimated(
            "|dim ∂φ(x₁) − (d − m)|",
            [abs(cell.dimension - (target.dim - bundle.dimension)) for cell in at],
            0,
            by="the ranks, in doubles, of what ties on ∂φ(x₁)",
            because="integers agree or differ by 1",
            chosen="singular values above 1e−8 of the largest count, 1e−10 where atoms tie",
            kind="count",
            clause="A2-A4",
        )
        room = np.array([cell.boundary_distance(x)[0] for cell, x in zip(at, bundle.x0, strict=True)])
        away = _normal_units(bundle, rng) * np.minimum(room / 2, 1.0)[:, None]
        stretch = np.linalg.norm(target.transport_jacobian(bundle.x0), ord=2, axis=(1, 2))
        moved = target.transport(bundle.x0 + away)
        formed = EPS * (norm(bundle.x0) + 16 * target.dim * norm(away))
        turned = norm(away) * target.roundings.transport(bundle.x0).bound / target.finest
        stated = target.roundings.transport(bundle.x0 + away, moved=formed + 2 * turned)
        on = evidence.on(target, x0=bundle.x0, seed=seed)
        on.bounded(
            "|T(x₀+ν) − x₁|, ν normal",
            norm(moved - bundle.x1),
            stated + target.roundings.transport(bundle.x0) + Rounding(stretch * formed, 1, "ν is formed"),
            because="∂φ(x₁) is x₀ + a piece of N around 0; T at both places, and what turns N",
            clause="A2-A4",
        )
        own = _own(at, bundle.x0) + EPS * norm(bundle.x0)
        on.bounded(
            "A3: the negative of the distance of x₀ to the relative boundary of ∂φ(x₁), at most 1 + |x₀|",
            -np.minimum(room, 1 + norm(bundle.x0)),
            Rounding.measured(own, "distances, as ∂φ states them"),
            because="x₀ is inside, by twice what rounds and more",
            main=-2 * own,
            clause="A2-A4",
            kind="inequality",
        )


def _own(cells, x0):
    """How far distances of x₀ to the boundaries of ∂φ(x₁) may be off, as these state."""
    return np.array([cell.rounding for cell in cells]) * (1 + norm(x0))


def _normal_units(bundle, rng):
    """Random unit vectors of N, 0 where N is: projected twice."""
    off = bundle.spread(np.zeros_like(bundle.hessian), 1.0)
    found = rng.standard_normal((*bundle.x0.shape, 1))
    for _ in range(2):
        found = off @ found
        length = np.linalg.norm(found, axis=1, keepdims=True)
        found = found * np.where(length > 1e-8, 1 / np.where(length > 0, length, 1.0), 0.0)
    return found[:, :, 0]


@for_all("N1", target=WITH_A_MANIFOLD, seed=SEEDS)
def test_subdifferentials_follow_along_the_support(evidence, target, seed):
    """A4: y = T(x₀+h) is near x₁ on M, x₀ within |h| of ∂φ(y); with h tangent y is all of M near x₁."""
    rng = generator(seed)
    for bundle in bundles(target, 5, rng):
        if not bundle.dimension:
            continue
        for move in MOVES:
            h = (bundle.tangent @ rng.standard_normal((len(bundle.x0), bundle.dimension, 1)))[:, :, 0]
            h *= (move * (1 + norm(bundle.x0)) / norm(h))[:, None]
            there = bundle.x0 + h
            data = target.transport(there)
            cells = [target.subdifferential(y) for y in data]
            away = np.array([cell.distance(x)[0] for cell, x in zip(cells, bundle.x0, strict=True)])
            own = _own(cells, there)
            evidence.on(target, x0=bundle.x0, move=move, seed=seed).bounded(
                "dist(x₀, ∂φ(y)) above |h|, y = T(x₀+h)",
                np.maximum(away - norm(there - bundle.x0), 0.0),
                Rounding.measured(own, "∂φ at a rounded y") + Rounding(norm(h), 4, "|h|"),
                because="x₀+h belongs to ∂φ(y)",
                clause="A2-A4",
            )


@pytest.mark.claim("N1")
def test_quadrics_symbolically(evidence):
    """Ellipsoids: H = hP_T A⁻¹P_T, K = A/h − Ax(Ax)ᵀ/h³, h = √(xᵀAx): HK = P_T; spheres are A = R²I."""
    x, axes = sp.Matrix(sp.symbols("x y z", real=True)), sp.symbols("a b c", positive=True)
    h = sp.Symbol("h", positive=True)
    matrix, square = sp.diag(*axes), sum(a * v**2 for a, v in zip(axes, x, strict=True))
    kernel = matrix / h - (matrix * x) * (matrix * x).T / h**3
    projector = sp.eye(3) - x * x.T / x.dot(x)  # the normal at Ax/h is A⁻¹(Ax/h), along x
    product = projector * (h * matrix.inv()) * projector * kernel - projector
    # Polynomials in h divide by h² − xᵀAx at once, where the root is simplified for seconds.
    holds = [sp.rem(sp.numer(sp.together(entry)), h**2 - square, h) == 0 for entry in product]
    evidence.exact("HK = P_T", holds, "ellipsoids in R³, all x₀ ≠ 0, a, b, c > 0", clause="HK")
    s, t = sp.symbols("s t", positive=True)
    root = sp.diag(s, t, 0)
    pseudo, span = sp.diag(1 / s, 1 / t, 0), sp.diag(1, 1, 0)
    evidence.exact(
        "HK = P_T, H = (Σ^½)⁺ and K = Σ^½", pseudo * root == span, "Gaussians of rank 2 in R³", clause="HK"
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("N1")
@pytest.mark.parametrize("short", [0.0, 1e-3, 0.1])
def test_focal_noise_violates_a3(evidence, short):
    """H ≻ 0 cannot go: at the centre of curvature of an ellipse's vertex H = 0, and ∂φ(x₁) ends there."""
    target = NearestPoint(Curve.ellipse(2.0, 1.0), 0.75)
    x0 = np.array([[0.75 * (1.5 + short), 0.0]])  # the radius of curvature at (2, 0) is 1²/2
    found = target.subdifferential([2.0, 0.0])
    evidence.on(target, short=short).control(
        "H = 0 at a focal point: distance of the noise to the relative boundary of ∂φ(x₁)",
        predicted=0.75 * short,
        measured=found.boundary_distance(x0),
        agreement=Rounding(4.0, 64, "a focal length, and the end of a ray").bound,
        because="normals at a vertex end at the centre of curvature, on the evolute",
        intact=1.125,
        clause="A2-A4",
    )
