"""H7: the spectrum reads off the intrinsic dimension, point by point.

Assumed: A1–A5 and SC, and τ ≫ log(1/κ). K is taken by differences of T, which know nothing of the support;
exponents are slopes of the singular values of αI + βK at α = e⁻¹³. The dimension of each point's stratum is
known from its position alone, or for drawn targets from the support's stated geometry. Points are left out,
and counted, where T has a kink within the step, K is known no better than α or a κ is near α. Controls: the
Cantor law, and finite τ near a point where A1 fails.
"""

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.accuracy import EPS, Rounding
from numerics.flows.spectrum import intrinsic_dimension, jacobian, path_singular_values, slopes
from numerics.potentials import (
    Cantor,
    FiniteAtoms,
    NearestPoint,
    PointCloud,
    Sphere,
    Torus,
    Union,
    product,
)
from numerics.schedules import Linear, Polynomial, VariancePreserving
from numerics.transport.dimensions import neighbour_dimensions
from theorems.normal_hyperbolicity.assumptions import at_points
from theorems.normal_hyperbolicity.stratified_sets import (
    ARC,
    bow,
    on_arc,
    on_arc_and_points,
    on_bow_and_torus,
    on_spiral,
)
from theorems.setting.draws import generator
from theorems.setting.instances import named, with_strata
from theorems.setting.quantifiers import SEEDS, WITH_A_MANIFOLD, for_all
from theorems.setting.values import Values

SCHEDULES = (Linear(), Polynomial(2.5), VariancePreserving())
ALPHA = np.exp(-13.0)


def _always(m):
    return lambda x1: np.full(len(x1), m)


def _atom_or_line(x1):
    return np.where(x1[:, 0] == 0, 0, 1)


ATOM_AND_LINE = named("atom and normal law")
# Not of the one list: each comes with the stratum of a point, written here from its position alone.
STRATIFIED = (
    (NearestPoint(ARC, 0.75), on_arc),
    (NearestPoint(Union(ARC, PointCloud([[0.0, -1.0], [2.0, 0.0]])), 1.0), on_arc_and_points),
    (NearestPoint(Union(bow(), Torus(2.0, 0.5)), 0.5), on_bow_and_torus),
    (named("spiral"), on_spiral),
    (ATOM_AND_LINE, _atom_or_line),
    (product(ATOM_AND_LINE, Sphere(3)), lambda x1: 2 + _atom_or_line(x1)),
    (product(NearestPoint(ARC, 0.75), FiniteAtoms.hypercube(2)), lambda x1: on_arc(x1[:, :2])),
)
OF_ONE_DIMENSION = with_strata(
    "pentagon",
    "two atoms",
    "ellipse as a curve",
    "trefoil",
    "circle in space",
    "turned ellipse",
    "Clifford torus",
    "torus",
    "ellipsoid",
    "flat Gaussian",
    "sphere in 4 dimensions",
    "orthonormal frames",
    "rotations",
    "planes in 4 dimensions",
)
TRUTHS = STRATIFIED + tuple((target, _always(m)) for target, (m,) in OF_ONE_DIMENSION)


def _stretches(target, x0):
    """Eigenvalues of K by differences of T, and how far they may be off."""
    width = 2e-3 * np.linalg.norm(x0, axis=1)
    found = jacobian(lambda _, y: target.transport(y), 0.0, x0, width)
    symmetric = (found.jacobian + found.jacobian.transpose(0, 2, 1)) / 2
    ends = target.roundings.transport(x0).bound + 2 * EPS * np.linalg.norm(x0, axis=1)
    rounding = 3 * 8 * np.sqrt(target.dim) * ends / width + 16 * EPS * np.linalg.norm(symmetric, axis=(1, 2))
    return np.linalg.eigvalsh(symmetric), target.dim * (2 * found.error + rounding)


def _exponents(kappa, schedule):
    """Slopes of log σ from α = e⁻¹³ to e⁻¹⁴."""
    tau, growth = np.array([13.0, 14.0]) / schedule.terminal_order, []
    for remaining in np.exp(-tau):
        alpha, beta = float(schedule.alpha(remaining=remaining)), float(schedule.beta(remaining=remaining))
        growth.append(np.log(np.abs(alpha + beta * kappa)))
    return slopes(growth, tau)[0]


def _few_are_left_out(on, seen, clause="strata"):
    on.estimated(
        "share of the points that are left out",
        1 - seen.mean(),
        0.25,
        by="the drawn points",
        because="cells are wide beside the step of the differences",
        points=len(seen),
        left_out=int((~seen).sum()),
        chosen="a quarter at most",
        kind="count",
        clause=clause,
    )


@pytest.mark.claim("H7")
def test_dimension_is_recovered_point_by_point(evidence, rng):
    confusion, rows = np.zeros((5, 5), dtype=int), []
    for target, truth in TRUTHS:
        x0, x1 = target.sample(200, rng)
        kappa, error = _stretches(target, x0)
        seen, exact = error < ALPHA / 16, truth(x1)
        _few_are_left_out(evidence.on(target), seen)
        assert len(set(exact[seen])) > 1 or (target, truth) not in STRATIFIED
        for schedule in SCHEDULES:
            found = intrinsic_dimension(_exponents(kappa, schedule), schedule.terminal_order)
            remaining = float(np.exp(-13 / schedule.terminal_order))
            margins = at_points(target, x0[seen], schedule, remaining)
            evidence.on(target, schedule=schedule, margins=margins).estimated(
                "|number of exponents above −γ/2 − dimension of the stratum|",
                np.abs(found - exact)[seen],
                0,
                by="K from extrapolated differences of T, whose error is that of two orders",
                because="integers agree or differ by 1",
                left_out=int((~seen).sum()),
                chosen="points whose K is known better than α/16 = e^−13/16",
                clause="strata",
            )
            np.add.at(confusion, (exact[seen], found[seen]), 1)
        for m in sorted(set(exact)):
            here = exact == m
            rows.append(
                (repr(target)[:60], target.dim, int(m), int((here & seen).sum()), int((here & ~seen).sum()))
            )
    evidence.table(
        "Dimension of strata, read off by three schedules: confusion",
        ("true m", *(f"read as {m}" for m in range(5))),
        [(m, *map(int, row)) for m, row in enumerate(confusion)],
    )
    evidence.table(
        "Strata met: every point counted as checked was read right by all three schedules",
        ("target", "d", "true m", "points checked", "left out: a kink of T within the step"),
        rows,
    )


@for_all(
    "H7", target=WITH_A_MANIFOLD, schedule=Values(st.sampled_from(SCHEDULES), Linear(), SCHEDULES), seed=SEEDS
)
def test_dimension_of_drawn_targets(evidence, target, schedule, seed):
    x0, x1 = target.sample(30, generator(seed))
    kappa, error = _stretches(target, x0)
    found = intrinsic_dimension(_exponents(kappa, schedule), schedule.terminal_order)
    exact = np.zeros(len(x0), dtype=int)
    for group in target.manifolds(x1, x0):
        exact[group.rows] = group.dimension
    early = ((np.abs(kappa) > ALPHA / 16) & (np.abs(kappa) < 16 * ALPHA)).any(axis=1)
    seen = (error < ALPHA / 16) & ~early  # H7 supposes τ ≫ log(1/κ)
    _few_are_left_out(evidence.on(target, schedule=schedule, seed=seed), seen, "count")
    if not seen.any():
        return  # which the record above does not let pass
    margins = at_points(target, x0[seen], schedule, float(np.exp(-13 / schedule.terminal_order)))
    evidence.on(target, schedule=schedule, seed=seed, margins=margins).estimated(
        "|number of exponents above −γ/2 − stated dimension of the support|",
        np.abs(found - exact)[seen],
        0,
        by="K from extrapolated differences of T, whose error is that of two orders",
        because="integers agree or differ by 1",
        left_out=int((~seen).sum()),
        chosen="points whose K is known better than α/16, no κ of theirs from α/16 to 16α",
        clause="count",
    )


def _read_early(x0):
    """What is read off the law of x₀³ near 0 at τ = 5, κ = 3x₀²."""
    tau = np.array([5.0, 5.5])
    sigma = path_singular_values(Linear(), [3 * x0**2], remaining=np.exp(-tau))
    return intrinsic_dimension(slopes(np.log(sigma), tau)[0], 1.0)


@pytest.mark.claim("H7")
@pytest.mark.parametrize("x0", [0.05, 0.1, 0.2])
def test_in_time_the_tangent_is_seen(evidence, x0):
    """Exponents that are still −.41, −.15 and −.04 count as tangential: −γ/2 divides, not a value near 0."""
    evidence.on("the law of x₀³", x0=x0, tau=5.0).bounded(
        "|number of exponents above −γ/2 − 1| at τ = 5",
        np.abs(_read_early(x0) - 1),
        Rounding.none("integers agree or differ by 1"),
        because="from τ = 5 to 5.5, log(α + βκ) falls by less than half of what log α does",
        clause="count",
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("H7")
def test_cantor_law_reads_as_points(evidence, rng):
    """No manifold at all: T' = 0 almost everywhere, so 0 is read, not a dimension like log 2/log 3."""
    kappa = Cantor().transport_jacobian(rng.standard_normal((100, 1)))[:, :, 0]
    found = intrinsic_dimension(_exponents(kappa, Linear()), 1.0)
    evidence.on(Cantor()).control(
        "A1 violated everywhere: dimension read off",
        predicted=0.0,
        measured=found,
        agreement=0.25,
        because="K = 0 almost everywhere; integers agree or differ by 1",
        intact=np.log(2) / np.log(3),
    )


@pytest.mark.control("H7")
@pytest.mark.parametrize("x0", [0.001, 0.01, 0.04])
def test_too_early_the_tangent_is_missed(evidence, x0):
    """Near the point where the law of x₀³ violates A1, τ = 5 is not ≫ log(1/κ), κ = 3x₀²: m = 0 is read."""
    evidence.on("the law of x₀³", x0=x0, tau=5.0).control(
        "finite τ near a point that violates A1: dimension read off",
        predicted=0.0,
        measured=float(_read_early(x0)),
        agreement=0.25,
        because="from τ = 5 to 5.5, log(α + βκ) falls by more than half of what log α does; integers",
        intact=1.0,
    )


# --- neighbours, where there is no field -------------------------------------------------------------------


@pytest.mark.claim("H7")
@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("dim", [1, 3, 14])
def test_dimension_from_distances_of_neighbours(evidence, rng, k, dim):
    """(ψ(2k) − ψ(k))/mean log(r_2k/r_k) in harmonic sums, from all distances; a tree finds them up to R¹²."""
    cloud = rng.standard_normal((60, dim))
    apart = np.sort(np.linalg.norm(cloud[:, None] - cloud, axis=2), axis=1)
    logs = np.log(apart[:, 2 * k] / apart[:, k])
    terms = 1.0 / np.arange(k, 2 * k)
    (found,) = neighbour_dimensions(cloud, [k])
    expected = terms.sum() / logs.mean()
    error = expected * np.sqrt((terms**2).sum() * 2 * k / len(cloud)) / terms.sum()
    on = evidence.on("a drawn cloud", k=k, dim=dim)
    on.bounded(
        "|m by neighbours / m in harmonic sums − 1|, its standard error, and the scale",
        np.abs(
            [
                found.dimension / expected,
                found.standard_error / error,
                found.scale / np.median(apart[:, 2 * k]),
            ]
            - np.ones(3)
        ),
        Rounding(1 + 1 / logs.mean(), 64 * (dim + 60), "distances, logarithms and their mean"),
        because="ψ(2k) − ψ(k) = Σ 1/j and ψ'(k) − ψ'(2k) = Σ 1/j², j from k to 2k − 1",
        points=len(cloud),
    )
