"""P1, the push-forward T#P₀ = P₁ of atoms that span three dimensions: exact there too.

Assumed: distinct atoms with positive weights summing to 1. The masses of polyhedral cells are proved by
interval arithmetic for few atoms, found again after a turn for more, and counted on fresh noise; W₂² as the
cost of the plan agrees with the dual. Controls: heights off by a little, and unbounded cells without their
part of infinity.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from numerics.accuracy import Rounding
from numerics.potentials import Sphere
from numerics.transport.certify_space import certify
from numerics.transport.polyhedra import laguerre
from numerics.transport.semidiscrete import solve
from numerics.transport.surfaces import lift_surface, sphere_places, torus_places
from theorems.proximal_denoiser.raised_height import record_raised_height
from theorems.proximal_denoiser.sampled_heights import measure_duality, on_fresh_noise
from theorems.proximal_denoiser.test_push_forward import measure_frequencies, met
from theorems.setting.draws import generator
from theorems.setting.fits import last_slope
from theorems.setting.grammar import seeds
from theorems.setting.quantifiers import SEEDS, for_all

KINDS = ("normal", "clusters", "grid", "sphere", "rays")
QUARTER = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""A third of a turn about the diagonal: moves coordinates, rounds nothing."""


def _cloud(kind, n, rng):
    """About n distinct points that span space, n ≥ 5."""
    if kind == "grid":
        side = max(2, round(n ** (1 / 3)))
        return np.stack(np.meshgrid(*[np.arange(side)] * 3), axis=-1).reshape(-1, 3) / 2.0
    if kind == "rays":
        return (np.arange(3, n + 4) // 3)[:, None] / n * np.eye(3)[np.arange(n + 1) % 3]
    cloud = rng.standard_normal((n, 3))
    if kind == "sphere":
        return 2 * cloud / np.linalg.norm(cloud, axis=1)[:, None] + 0.5
    return 0.1 * cloud + 3 * rng.choice([-1.0, 1.0], (n, 1)) if kind == "clusters" else cloud


def _case(kind, n, decades, seed):
    rng = generator(seed)
    points = _cloud(kind, n, rng)
    weights = 10.0 ** rng.uniform(-decades, 0, len(points))
    return points, weights / weights.sum()


@pytest.mark.claim("P1")
@pytest.mark.parametrize("kind", KINDS)
def test_cells_of_few_atoms_are_proved_to_have_their_weights(evidence, rng, kind):
    seed = int(rng.integers(2**31))
    points, weights = _case(kind, 8, 2, seed)
    on = evidence.on("FiniteAtoms", kind=kind, n=8, d=3, seed=seed)
    measure_proved_push_forward(on, solve(points, weights))


def measure_proved_push_forward(on, solution):
    """The masses of at most 25 cells in space, enclosed by interval arithmetic, against the weights."""
    stopped = (
        16 * laguerre(solution.points, solution.heights).rounding.max() if solution.stalled.any() else 0.0
    )
    on.certified(
        "|P₀(cell of y_i) − w_i| in space, by interval enclosures",
        certify(solution.points, solution.heights).error_bound(solution.weights),
        bound=max(1e-12, stopped),
        because="each mass is enclosed by interval arithmetic in 96 bits from heights taken as exact",
        chosen="the accuracy 1e−12 that the solver states, or 16 roundings where it stopped at those",
        clause="push-forward",
    )


@for_all("P1", kind=st.sampled_from(KINDS), n=st.integers(6, 150), decades=st.integers(0, 6), seed=SEEDS)
def test_cells_of_many_atoms_have_their_weights(evidence, kind, n, decades, seed):
    points, weights = _case(kind, n, decades, seed)
    on = evidence.on("FiniteAtoms", kind=kind, n=n, d=3, decades=decades, seed=seed)
    measure_push_forward_in_space(on, solve(points, weights))


def measure_push_forward_in_space(on, solution):
    """The masses of cells in space, found again after a turn of everything, against the weights."""
    cells = laguerre(solution.points @ QUARTER.T, solution.heights)
    on.bounded(
        "|P₀(cell of y_i) − w_i| in space",
        np.abs(cells.masses - solution.weights),
        Rounding.measured(solution.uncertainty + cells.rounding, "both masses, as they are stated"),
        because="the solver ends where every cell is at its goal, or says how far rounding keeps it off",
        main=met(solution),
        chosen="the goal max(1e−12·w, 8·eps) of the solver, or what masses err by",
        clause="push-forward",
    )


@pytest.mark.claim("P1")
@pytest.mark.parametrize("kind", KINDS)
def test_fresh_noise_meets_the_weights_and_the_cost(evidence, rng, kind):
    seed = int(rng.integers(2**31))
    solution = solve(*_case(kind, 40, 1, seed))
    on = evidence.on("FiniteAtoms", kind=kind, n=40, d=3, seed=seed)
    measure_frequencies(on, solution, rng, draws=100_000)
    measure_duality(on, solution, on_fresh_noise(solution, rng, 500_000))
    on.bounded(
        "|W₂² by the plan − W₂² by the dual| in space, both from exact cells",
        abs(solution.w2_squared - solution.w2_dual),
        Rounding.measured(solution.w2_error, "sums over cells; what weights miss"),
        because="the plan's cost is the flux through faces, the dual's the first moments of cells",
        clause="duality",
    )


@pytest.mark.claim("P1")
def test_atoms_on_surfaces_approach_the_potential_of_the_surface(evidence, rng):
    """φ* of n golden-angle atoms, n doubled: on the sphere against |x₀|, on the torus by n/2."""
    sizes, x0 = np.array([128, 256, 512, 1024]), rng.standard_normal((500, 3))
    spheres = [lift_surface(sphere_places, int(n)) for n in sizes]
    tori = [lift_surface(torus_places, int(n)) for n in sizes]
    off = [np.abs(s.potential.conjugate(x0) - np.linalg.norm(x0, axis=1)).mean() for s in spheres]
    cost = 4 - 2 * np.sqrt(8 / np.pi)
    on = evidence.on(Sphere(3))
    on.estimated(
        "|W₂² of n atoms on the sphere, extrapolated − W₂² of the sphere|, n = 128 … 1024",
        [abs(s.w2_squared - cost) for s in spheres],
        [s.w2_error for s in spheres],
        by="n and n/2 atoms: what halving them changes, more than is left after extrapolation",
        because="the error is K/n to first order; W₂² = d + 1 − 2E|x₀|, E|x₀| = √(8/π)",
        clause="duality",
    )
    slope, interval = last_slope(sizes, [s.fine.w2_squared - cost for s in spheres])
    on.trend(
        "log of what n atoms on the sphere add to W₂², against log n, n = 128 … 1024",
        slope=slope,
        interval=(min(interval[0], slope - 0.02), max(interval[1], slope + 0.02)),
        theory=-1.0,
        rule="interval contains theory",
        alternative=-0.5,
        chosen="at least ±0.02 about the last local slope: golden-angle points are not self-similar",
        points=len(sizes),
        clause="duality",
    )
    estimates = [lifted.error(x0).mean() for lifted in tori]
    evidence.figure(
        "Potentials of surfaces from n atoms with exact weights",
        "Errors fall like 1/n: φ* on the sphere against |x₀|, on the sphere and the torus against n/2 atoms.",
        lambda figure: _draw_orders(figure, sizes, off, [s.error(x0).mean() for s in spheres], estimates),
        size=(5.2, 3.6),
    )


def _draw_orders(figure, sizes, off, estimated, torus):
    axes = figure.subplots()
    axes.loglog(sizes, off, "o-", label="sphere, against |x₀|")
    axes.loglog(sizes, estimated, "s--", label="sphere, against n/2")
    axes.loglog(sizes, torus, "^--", label="torus, against n/2")
    axes.loglog(sizes, off[0] * sizes[0] / sizes, ":", color="grey", label="1/n")
    axes.set_xlabel("atoms $n$")
    axes.set_ylabel(r"mean error of $\varphi^*$")
    axes.legend()


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("P1")
@given(kind=st.sampled_from(KINDS), n=st.integers(6, 60), seed=seeds)
def test_heights_off_by_a_little_give_other_weights(evidence, kind, n, seed):
    points, weights = _case(kind, n, 1, seed)
    on = evidence.on("FiniteAtoms", kind=kind, n=n, d=3, seed=seed)
    record_raised_height(on, laguerre, points, weights, " in space")


@pytest.mark.control("P1")
@given(n=st.integers(6, 60), seed=seeds)
def test_without_infinity_unbounded_cells_miss_their_cone(evidence, n, seed):
    """Flux through faces alone misses that at infinity: the hull's normal cone over 4π."""
    points, weights = _case("normal", n, 1, seed)
    cells = laguerre(points, solve(points, weights).heights)
    passed = np.bincount(cells.pairs[:, 0], cells.found.passed, len(points))
    passed -= np.bincount(cells.pairs[:, 1], cells.found.passed, len(points))
    cone = _normal_cones(points)
    corner = cone > 1e-6
    evidence.on("FiniteAtoms", n=n, d=3, seed=seed).control(
        "mass of an unbounded cell by the flux through its faces alone",
        predicted=(weights - cone)[corner],
        measured=passed[corner],
        agreement=1e-9,
        because="what is missed leaves through infinity, by the hull's angles at its atom (Gauss–Bonnet)",
        intact=weights[corner],
    )


def _normal_cones(points):
    """(2π − Σ angles of the hull's facets at each corner)/4π: the curvature there is its normal cone."""
    angle = np.zeros(len(points))
    hull = ConvexHull(points)
    for corner in range(3):
        here, one, other = (hull.simplices[:, (corner + k) % 3] for k in range(3))
        u, v = points[one] - points[here], points[other] - points[here]
        across = np.linalg.norm(np.cross(u, v), axis=1)
        angle += np.bincount(here, np.arctan2(across, (u * v).sum(axis=1)), len(points))
    return np.where(angle > 0, (2 * np.pi - angle) / (4 * np.pi), 0.0)
