"""Mistakes found in libraries, put to the checks: how much each is off, and which check sees it.

A wrong prox breaks D2: its residual is no subgradient, and the inequality with ρ = 0 fails, at the worst x',
by the Fenchel–Young gap. The table is computed; checks that cannot fail stand beside those that can.
"""

import numpy as np
import pytest

from numerics.accuracy import EPS, Rounding
from numerics.potentials import Sphere, Stiefel
from theorems.definitions import mistakes
from theorems.definitions.mistakes import Huber, SquaredOverlap
from theorems.definitions.small_checks import BLIND, MAP_CHECKS, PROX_CHECKS, MapCase, ProxCase
from theorems.setting.draws import generator
from theorems.setting.vectors import dot, norm

HUBER, OVERLAP, CIRCLE, GROUP = Huber(1.0), SquaredOverlap(3, 6), Sphere(3, 2.0), Stiefel(3, 3)
RIGHT = {
    "Huber prox": ProxCase(HUBER, HUBER.prox),
    "k-overlap prox": ProxCase(OVERLAP, OVERLAP.prox),
    "k-overlap prox by search": ProxCase(OVERLAP, OVERLAP.searched_prox),
    "dimension of O(3)": MapCase(GROUP, GROUP.transport_jacobian, mistakes.orthogonal_dimension(3)),
    "K of the sphere": MapCase(CIRCLE, lambda x: mistakes.sphere_jacobian(x, 2.0), 2),
}
WRONG = {
    "Huber prox: switch at α for α + τ": ProxCase(HUBER, HUBER.published_prox),
    "k-overlap prox: z/β + 1 for z/(β + 1)": ProxCase(OVERLAP, OVERLAP.published_prox),
    "dimension: n(n+1)/2 for n(n−1)/2": MapCase(
        GROUP, GROUP.transport_jacobian, mistakes.published_orthogonal_dimension(3)
    ),
    "K without its curvature term": MapCase(CIRCLE, lambda x: mistakes.published_sphere_jacobian(x, 2.0), 2),
}
CHECKS = PROX_CHECKS + MAP_CHECKS


def _excess(case, check):
    """What the check finds: (excess, allowed), or None if it is of the other kind."""
    if (check in PROX_CHECKS) != isinstance(case, ProxCase):
        return None
    return check(case, generator(7))


@pytest.mark.claim("D2")
@pytest.mark.parametrize("name", [name for name, case in RIGHT.items() if isinstance(case, ProxCase)])
@pytest.mark.parametrize("check", PROX_CHECKS, ids=lambda check: check.__name__)
def test_right_proxes_pass_every_check(evidence, name, check):
    excess, allowed = _excess(RIGHT[name], check)
    evidence.on(name).bounded(
        f"{check.__name__.replace('_', ' ')}: excess",
        max(excess, 0.0),
        Rounding.measured(allowed, "the terms of the inequality"),
        because="the exact excess is ≤ 0",
    )


@pytest.mark.control("D2")
def test_what_these_checks_would_have_caught(evidence):
    found = {name: [_excess(case, check) for check in CHECKS] for name, case in WRONG.items()}
    caught = {
        name: [check for check, pair in zip(CHECKS, row, strict=True) if _rejects(pair)]
        for name, row in found.items()
    }
    evidence.table(
        "What these checks would have caught",
        ["check", *WRONG],
        [
            [check.__name__.replace("_", " "), *(_cell(found[name][i]) for name in WRONG)]
            for i, check in enumerate(CHECKS)
        ],
    )
    evidence.on("published mistakes").control(
        "formulas as published: how many some check rejects",
        predicted=len(WRONG),
        measured=sum(any(check not in BLIND for check in row) for row in caught.values()),
        agreement=0,
        because="each breaks an inequality or an identity that is sampled where it fails",
    )
    for case in RIGHT.values():
        assert not [check.__name__ for check in CHECKS if _rejects(_excess(case, check))]
    evidence.on("published mistakes").control(
        "Moreau's identity with a dual made from the prox, and K = Kᵀ ≥ 0: how many they reject",
        predicted=0,
        measured=sum(check in BLIND for row in caught.values() for check in row),
        agreement=0,
        because="the first holds for any function; the second holds for the wrong K and dimension too",
        intact=len(WRONG),
    )


def _rejects(pair):
    return pair is not None and not pair[0] <= pair[1]


def _cell(pair):
    if pair is None:
        return "does not apply"
    excess, allowed = pair
    return f"rejects: {excess:.3g} > {allowed:.1g}" if _rejects(pair) else "passes"


# --- by how much --------------------------------------------------------------------------------------


@pytest.mark.control("D2")
@pytest.mark.parametrize("alpha", [0.25, 1.0, 4.0])
@pytest.mark.parametrize("ratio", [0.5, 2.0, 8.0])
def test_published_huber_prox(evidence, alpha, ratio):
    """For α < z ≤ α + τ: p = z − τ, v = 1, and the inequality fails by (p−α)²/(2α), or −2p below −α."""
    huber, step = Huber(alpha), ratio * alpha
    z = alpha + step * np.arange(1, 17)[:, None] / 17
    p = huber.published_prox(z, np.full(16, step))
    v = (z - p) / step
    x = np.full_like(z, 2 * alpha)
    evidence.on(f"Huber({alpha})", step=step, z=z[:, 0]).control(
        "Huber prox with its switch at α: failure of φ(x') ≥ φ(p) + v(x'−p) at x' = 2α",
        predicted=[huber.published_gap(point, step) for point in z[:, 0]],
        measured=huber.value(p) + dot(v, x - p) - huber.value(x),
        agreement=64 * EPS * (alpha + step) * (1 + ratio),
        because="x' maximises v·x' − φ(x') for v = 1; terms of size α + τ, p²/(2α) up to τ(1 + τ/α)",
    )


@pytest.mark.control("D2")
def test_published_huber_prox_is_not_even_monotone(evidence):
    """Across z = α it falls from α²/(α+τ) to α − τ: for α = 1, τ = 2 by 4/3."""
    alpha, step = 1.0, 2.0
    ends = Huber(alpha).published_prox(np.array([[alpha], [alpha * (1 + 2 * EPS)]]), np.full(2, step))
    evidence.on("Huber(1.0)", step=step).control(
        "Huber prox with its switch at α: rise across z = α",
        predicted=alpha - step - alpha**2 / (alpha + step),
        measured=float(ends[1, 0] - ends[0, 0]),
        agreement=64 * EPS * step,
        because="closed form on both sides of the switch",
    )


@pytest.mark.control("D2")
@pytest.mark.parametrize("size", [0.125, 1.0, 2.0, 30.0])
def test_published_overlap_prox(evidence, size):
    """For k = 2, τ = 1, z = a(1,1,1) it returns a(½, ⅓, ⅓), not a(⅖, ⅖, ⅖), and fails by 13a²/144."""
    overlap, z, step = SquaredOverlap(2, 3), np.full((1, 3), size), np.ones(1)
    p = overlap.published_prox(z, step)
    v = z - p
    x = overlap.transport(v)
    on = evidence.on(repr(overlap), a=size)
    on.control(
        "k-overlap prox with the bracket misplaced: failure of φ(x') ≥ φ(p) + ⟨v, x'−p⟩ at x' = T(v)",
        predicted=13 * size**2 / 144,
        measured=overlap.value(p) + dot(v, x - p) - overlap.value(x),
        agreement=64 * EPS * size**2,
        because="φ(p) = 49a²/144, v = a(½, ⅔, ⅔), φ*(v) = 64a²/144, ⟨v, p⟩ = 100a²/144",
    )
    on.control(
        "k-overlap prox with the bracket misplaced: distance from the prox",
        predicted=size * np.sqrt(0.01 + 2 / 225),
        measured=norm(p - overlap.prox(z, step)),
        agreement=64 * EPS * size,
        because="(1/10)² + 2(1/15)²",
    )


@pytest.mark.control("D2")
@pytest.mark.parametrize("n", [2, 3, 5])
def test_published_dimensions(evidence, rng, n):
    """Tangent vectors of U(n) span n² dimensions and K of O(n) has rank n(n−1)/2: both formulas add n."""
    raw = rng.standard_normal((2 * n * n + 4, 2, n, n))
    skew = [raw[:, 0] - raw[:, 0].transpose(0, 2, 1), raw[:, 1] + raw[:, 1].transpose(0, 2, 1)]
    tangents = np.concatenate([part.reshape(len(raw), -1) for part in skew], axis=1)
    k = Stiefel(n, n).transport_jacobian(rng.standard_normal((1, n * n)))[0]
    spans = [np.linalg.matrix_rank(tangents), int((np.linalg.eigvalsh(k) > 1e-9).sum())]
    formulas = [mistakes.published_unitary_dimension(n), mistakes.published_orthogonal_dimension(n)]
    evidence.on("unitary and orthogonal groups", n=n).control(
        "dimension n(n+1) of U(n), n(n+1)/2 of O(n): dimensions that do not exist",
        predicted=[n, n],
        measured=np.array(formulas) - spans,
        agreement=0,
        because="n(n+1) − n² = n, and n(n+1)/2 − n(n−1)/2 = n",
    )
    assert spans == [mistakes.unitary_dimension(n), mistakes.orthogonal_dimension(n)]


@pytest.mark.control("D2")
def test_jacobian_without_its_curvature_term(evidence, rng):
    """It stretches the ray by R/|x₀|, where T is constant along it."""
    x0, target = rng.standard_normal((40, 4)), Sphere(4, 2.0)
    ray = x0 / norm(x0)[:, None]
    found = np.einsum("ni,nij,nj->n", ray, mistakes.published_sphere_jacobian(x0, 2.0), ray)
    evidence.on(target).control(
        "K without its curvature term: ⟨x₀, Kx₀⟩/|x₀|²",
        predicted=2.0 / norm(x0),
        measured=found,
        agreement=64 * EPS * 2.0 / norm(x0),
        because="the term left out is −R x₀x₀ᵀ/|x₀|³; T(sx₀) = T(x₀) makes the right one 0",
    )
