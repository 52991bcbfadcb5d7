"""H7: the spectrum reads off the intrinsic dimension, point by point.

Assumed: A1–A5 and SC, and τ ≫ log(1/κ). Exponents are slopes of the singular values of αI + βK at α = 1e−6;
the dimension of each point's stratum comes from its position alone. Controls: the Cantor law, and finite τ
near a point where A1 fails.
"""

import numpy as np
import pytest
from scipy import stats

from numerics.flows.spectrum import intrinsic_dimension, path_singular_values, slopes
from numerics.potentials import (
    Arc,
    AtomAndDensity,
    Cantor,
    Curve,
    Grassmannian,
    NearestPoint,
    PointCloud,
    SpecialOrthogonal,
    Sphere,
    Stiefel,
    Torus,
    Union,
    product,
)
from numerics.schedules import Linear, Polynomial, VariancePreserving

EPS = np.finfo(float).eps


def _bow():
    """The arc (cos t, sin t, 3), 0 ≤ t ≤ 2, in R³."""
    return Curve(
        lambda t: np.stack([np.cos(t), np.sin(t), 3 + 0 * t], axis=1),
        lambda t: np.stack([-np.sin(t), np.cos(t), 0 * t], axis=1),
        lambda t: np.stack([-np.cos(t), -np.sin(t), 0 * t], axis=1),
        (0.0, 2.0),
        closed=False,
        name="an arc over the torus",
    )


def _at(x1, *points):
    return np.min([np.linalg.norm(x1 - np.array(p), axis=1) for p in points], axis=0) < 1e-9


def _bow_and_torus(x1):
    tube = np.hypot(np.hypot(x1[:, 0], x1[:, 1]) - 2, x1[:, 2])
    ends = _at(x1, [1.0, 0.0, 3.0], [np.cos(2), np.sin(2), 3.0])
    return np.where(np.abs(tube - 0.5) < 1e-9, 2, np.where(ends, 0, 1))


def _arc(x1):
    return np.where(_at(x1, [np.cos(0.25), np.sin(0.25)], [np.cos(2.5), np.sin(2.5)]), 0, 1)


def _arc_and_points(x1):
    return np.where(_at(x1, [0.0, -1.0], [2.0, 0.0]), 0, _arc(x1))


ARC = Arc(1.0, 0.25, 2.5)
STRATIFIED = [
    (NearestPoint(ARC, 0.75), _arc),
    (NearestPoint(Union(ARC, PointCloud([[0.0, -1.0], [2.0, 0.0]])), 1.0), _arc_and_points),
    (NearestPoint(Union(_bow(), Torus(2.0, 0.5)), 0.5), _bow_and_torus),
    (AtomAndDensity([0.0], [0.375], stats.norm(1.0)), lambda x1: np.where(x1[:, 0] == 0, 0, 1)),
    (
        product(AtomAndDensity([0.0], [0.375], stats.norm(1.0)), Sphere(3)),
        lambda x1: np.where(x1[:, 0] == 0, 2, 3),
    ),
    (Stiefel(3, 2), lambda x1: np.full(len(x1), 3)),
    (Grassmannian(4, 2), lambda x1: np.full(len(x1), 4)),
    (SpecialOrthogonal(), lambda x1: np.full(len(x1), 3)),
]


def _recovered(target, schedule, x0):
    """The number of exponents above −γ/2, and by how much rounding can move an exponent."""
    tau = np.array([13.0, 14.0]) / schedule.terminal_order
    kernel, growth = target.transport_jacobian(x0), []
    for now in tau:
        gap = float(np.exp(-now))
        alpha, beta = float(schedule.alpha(remaining=gap)), float(schedule.beta(remaining=gap))
        growth.append(np.log(np.linalg.eigvalsh(alpha * np.eye(target.dim) + beta * kernel)))
    rates = slopes(growth, tau)[0]
    rounding = 64 * target.dim * EPS * (target.transport_jacobian_condition(x0) + 1) / alpha
    return intrinsic_dimension(rates, schedule.terminal_order), rounding / (tau[1] - tau[0])


@pytest.mark.claim("H7")
@pytest.mark.parametrize("schedule", [Linear(), Polynomial(2.5), VariancePreserving()], ids=repr)
@pytest.mark.parametrize(
    ("target", "truth"), STRATIFIED, ids=lambda value: getattr(value, "__name__", repr(value))
)
def test_dimension_is_recovered_point_by_point(evidence, rng, target, truth, schedule):
    x0, x1 = target.sample(400, rng)
    found, rounding = _recovered(target, schedule, x0)
    exact = truth(x1)
    seen = rounding < schedule.terminal_order / 8
    on = evidence.on(target, schedule=schedule)
    on.exact(
        "number of exponents above −γ/2 = dimension of the stratum",
        found[seen] == exact[seen],
        "points whose K is known better than α = e^−14",
    )
    assert seen.mean() > 0.9
    assert len(set(exact)) > 1 or not isinstance(target, NearestPoint | AtomAndDensity)
    rows = [
        (repr(target)[:70], repr(schedule), m, k, int(((exact == m) & (found == k) & seen).sum()))
        for m in sorted(set(exact))
        for k in sorted(set(found))
    ]
    on.table(
        f"Dimension of strata: {repr(target)[:50]}",
        ("target", "schedule", "true m", "recovered", "points"),
        rows,
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("H7")
def test_cantor_law_reads_as_points(evidence, rng):
    """No manifold at all: T' = 0 almost everywhere, so 0 is read, not a dimension like log 2/log 3."""
    found, _ = _recovered(Cantor(), Linear(), rng.standard_normal((100, 1)))
    evidence.on(Cantor()).control(
        "A1 violated everywhere: dimension read off",
        predicted=0.0,
        measured=found,
        agreement=0.25,
        because="K = 0 almost everywhere; integers agree or differ by 1",
        intact=np.log(2) / np.log(3),
    )


@pytest.mark.control("H7")
@pytest.mark.parametrize("x0", [0.001, 0.005, 0.01])
def test_too_early_the_tangent_is_missed(evidence, x0):
    """Near the point where the law of x₀³ violates A1, τ = 5 is not ≫ log(1/κ), κ = 3x₀²: m = 0 is read."""
    kappa, tau = 3 * x0**2, np.array([5.0, 5.5])
    sigma = path_singular_values(Linear(), [kappa], remaining=np.exp(-tau))
    evidence.on("the law of x₀³", x0=x0, tau=5.0).control(
        "finite τ near a point that violates A1: dimension read off",
        predicted=0.0,
        measured=float(intrinsic_dimension(slopes(np.log(sigma), tau)[0], 1.0)),
        agreement=0.25,
        because="the slope is (1−t)(κ−1)/(1+t(κ−1)) < −1/2 as long as κ < e^−τ; integers",
        intact=1.0,
    )
