"""P2 by three independent routes to the same prox: closed form, conic solver, and values alone.

Assumed: the contract, and a conic form or a parametrisation of the domain. The conic solver knows φ as a
cone program; the minimiser knows φ's values and a map onto its domain. Each solver's answer carries its own
a-posteriori certificate, so "agree" means: closer than that certificate and the closed form's rounding.
"""

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from numerics.accuracy import EPS
from numerics.potentials import (
    DegenerateGaussian,
    Ellipsoid,
    FiniteAtoms,
    NearestPoint,
    PointCloud,
    Sphere,
    product,
    rotate,
    translate,
)
from numerics.proximal.certificate import certify, smallest, subdifferential
from numerics.proximal.conic import ConicProx
from numerics.solvers import minimise as by_values
from theorems.setting.vectors import norm

TILTED = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 0.3], [0.0, 0.3, 0.5]])
SCATTER = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 2.0], [1.0, 1.0], [2.0, 2.5], [-1.0, 1.5]])
FLAT = DegenerateGaussian([1.0, -1.0, 0.0], np.diag([4.0, 0.25, 0.0]))
ATOMS = FiniteAtoms(SCATTER, [0.0, 0.4, 0.3, 0.1, 1.0, 0.2])
TURN = np.array([[0.6, -0.8], [0.8, 0.6]])

# Not of the one list: those with a conic form, small enough for a solver.
CONES = [
    Sphere(3, 2.0),
    Ellipsoid(TILTED),
    FLAT,
    ATOMS,
    FiniteAtoms.cross_polytope(3),
    NearestPoint(PointCloud(SCATTER), 0.5),
    product(translate(Sphere(2), [1.0, 2.0]), FiniteAtoms.two([0.0], [1.0], 0.2)),
    rotate(FiniteAtoms.regular_polygon(5), TURN),
]
PARAMETRISED = [
    (Sphere(3, 2.0), by_values.ball(3, 2.0)),
    (Ellipsoid(TILTED), by_values.ellipsoid(TILTED)),
    (FLAT, by_values.affine(np.array([1.0, -1.0, 0.0]), np.eye(3)[:, :2])),
    (ATOMS, by_values.hull(SCATTER)),
]


def _lower_hull(points, heights):
    """The envelope's values from Qhull's lower facets: a maximum of affine functions, none of ours."""
    facets = ConvexHull(np.column_stack([points, heights])).equations
    lower = facets[facets[:, -2] < 0]
    return lambda x: (-(x @ lower[:, :-2].T + lower[:, -1]) / lower[:, -2]).max(axis=1)


def _everywhere(target, rng, n, step):
    """Half of the points interpolants of optimal pairs, half anywhere."""
    x0, x1 = target.sample(n, rng)
    off = np.where(np.arange(n)[:, None] % 2, target.scale * rng.standard_normal(x0.shape), 0.0)
    return x1 + step * x0 + off


def _certified(target, z, step, u):
    """The candidate's certificate: moved into the domain first, where a solver left it just outside."""
    inside = np.isfinite(target.value(u))
    moved = np.where(inside[:, None], u, target.prox(u, 1e-10 * target.scale))
    proof = smallest(certify(target, z, step, moved), subdifferential(target, z, step, moved))
    return proof.bound + norm(moved - u)


def _compare(evidence, route, target, step, z, candidate):
    """The closed form must not certify itself: what it may add to the candidate's proof is rounding alone."""
    closed, proof = target.prox(z, step), _certified(target, z, step, candidate)
    on = evidence.on(target, step=step)
    on.bounded(
        f"|closed form − {route}|",
        norm(candidate - closed),
        target.roundings.prox(z, step),
        because="the candidate lies within its own certificate of the prox (Fenchel–Young gap, transport or "
        "∂φ), the closed form within its rounding",
        main=proof,
    )
    resolved = proof <= np.sqrt(GAP) * (target.scale + norm(z))
    on.estimated(
        f"share of the answers by {route} whose certificate is wider than 1e-9 of the objective",
        1 - resolved.mean(),
        UNRESOLVED,
        by="the drawn points; each certificate is proved",
        because="a relative gap of 1e-9 puts an answer within √(2λ·1e-9·|z|²/(2λ)) of the prox. A method may "
        "stall at a kink of φ and prove little there",
        points=len(z),
        chosen=f"that at most {UNRESOLVED:g} of the answers may prove little, and what counts as little",
    )
    return [repr(target)[:60], route, step, norm(candidate - closed).max(), proof.max()]


COLUMNS = ("target", "route", "λ", "largest difference", "its certificate")
GAP, UNRESOLVED = 1e-9, 0.25


@pytest.mark.claim("P2")
@pytest.mark.parametrize("route", ["primal", "conjugate"])
def test_closed_form_agrees_with_the_conic_solver(evidence, rng, route):
    rows = []
    for target in CONES:
        if route == "conjugate" and not isinstance(target, FiniteAtoms):
            continue
        solver = ConicProx(target, route=route, block=25)
        for step in (1e-2, 1.0, 1e2):
            z = _everywhere(target, rng, 25, step)
            rows.append(_compare(evidence, f"conic, {route}", target, step, z, solver(z, step)))
    evidence.table(f"Closed form against the conic solver ({route} form)", COLUMNS, rows)


@pytest.mark.claim("P2")
@pytest.mark.parametrize(("target", "domain"), PARAMETRISED, ids=["sphere", "ellipsoid", "gaussian", "atoms"])
def test_closed_form_agrees_with_a_minimiser_that_knows_values_alone(evidence, rng, target, domain):
    rows = []
    for step in (0.1, 1.0, 10.0):
        z = _everywhere(target, rng, 12, step)
        value = _lower_hull(target.points, target.heights) if target is ATOMS else target.value
        found = by_values.minimise(value, domain, z, step)
        rows.append(_compare(evidence, "values alone", target, step, z, found.point))
        _measure_estimate(evidence.on(target, step=step), target, step, z, found)
    evidence.table(f"Closed form against a minimiser of values: {type(target).__name__}", COLUMNS, rows)


def _measure_estimate(on, target, step, z, found):
    """The minimiser's own estimate of its error: an estimate, so the median, and neither too much."""
    off = norm(found.point - target.prox(z, step))
    size = target.scale + norm(z)
    on.estimated(
        "median of |minimiser − closed form| over its own estimate",
        float(np.median(off / found.error)),
        1.0,
        by="the minimiser's quadratic model, restarts and rounding",
        because="strong convexity: |u − prox|² ≤ 2λ(F(u) − F*)",
        points=len(z),
    )
    on.estimated(
        "median of the estimate over what comparisons of values can tell",
        float(np.median(found.error / np.sqrt(2 * EPS * size * (size + step)))),
        1000.0,
        by="the sizes of the terms of F",
        because="values are compared to eps·|F|, which leaves √(2λ·eps·|F|)",
        chosen="a thousand times that",
        points=len(z),
    )


# --- control ------------------------------------------------------------------------------------------


@pytest.mark.control("P2")
@pytest.mark.parametrize("factor", [0.5, 1.2])
def test_solver_given_the_wrong_step(evidence, rng, factor):
    """The routes are compared by solving, so a wrong step must show: by (s−1)λ/(σ+sλ) of the coordinate."""
    sigma, step = 0.5, 1.0
    target = DegenerateGaussian([0.0, 0.0], np.diag([sigma**2, 0.0]))
    x0, x1 = target.sample(20, rng)
    away = np.abs(x1[:, 0]) > 0.05
    x0, x1 = x0[away], x1[away]
    z = x1 + step * x0
    wrong = ConicProx(target, block=20)(z, factor * step)
    evidence.on(target, factor=factor).control(
        f"conic solver given {factor}·λ: relative error of the coordinate",
        predicted=abs(factor - 1) * step / (sigma + factor * step),
        measured=np.abs(wrong - x1)[:, 0] / np.abs(x1[:, 0]),
        agreement=_certified(target, z, factor * step, wrong) / np.abs(x1[:, 0]),
        because="closed form; the solver's answer lies within its certificate for the step it was given",
        left_out=int((~away).sum()),
        chosen="left out where the coordinate, whose error is relative, is below 0.05",
    )
