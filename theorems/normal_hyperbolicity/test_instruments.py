"""H1, H4: what Jacobians near t = 1 are judged by: differences, sets at kinks, and the horizon of rounding.

Each of these enters bounds of other checks, where one that is far too large would let anything pass.
"""

import numpy as np
import pytest

from numerics.accuracy import EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.flows.spectrum import complex_jacobian, jacobian, rounding_horizon
from numerics.potentials import DegenerateGaussian, FiniteAtoms, Sphere
from numerics.schedules import Linear, Polynomial
from theorems.setting.clarke import distance_to_hull, jacobians_around, through_larger_step
from theorems.setting.draws import generator

REMAINING, STEP = 0.25, 1.0


@pytest.mark.claim("H1")
@pytest.mark.parametrize(
    ("target", "truncation"),
    [(Sphere(3, 2.0), 1e-6), (DegenerateGaussian([1.0, -0.5], [[4.0, 2.0], [2.0, 1.0]]), 0.0)],
    ids=["sphere", "Gaussian"],
)
def test_differences_state_what_they_err_by_and_little_more(evidence, target, truncation):
    x0, x1 = target.sample(30, generator(5))
    x = REMAINING * x0 + (1 - REMAINING) * x1
    field, beta = ExactField(target, Linear()), 1 - REMAINING

    def velocity(_, y):
        """By the formula of P3, as complex points pass through prox alone."""
        return (target.prox(y / beta, REMAINING / beta) - y) / REMAINING

    kink = target.proximal_point(x / (1 - REMAINING), REMAINING / (1 - REMAINING)).kink * (1 - REMAINING)
    width = np.minimum(0.02, kink / 4)
    found = jacobian(velocity, REMAINING, x, width)
    exact = complex_jacobian(velocity, REMAINING, x)
    size = np.linalg.norm(exact, axis=(1, 2))
    on = evidence.on(target, remaining=REMAINING)
    rounding = field.roundings.velocity(None, x, remaining=REMAINING).amplified(4 * target.dim / width)
    on.estimated(
        "|Dv by differences − Dv by complex steps|",
        np.abs(found.jacobian - exact).max(axis=(1, 2)),
        found.error + rounding.bound,
        by="the two highest orders, as the library states; v's rounding over the narrowest step",
        because="complex steps have no truncation",
    )
    few = jacobian(velocity, REMAINING, x, np.minimum(0.08, kink / 4), widths=2)
    on.estimated(
        "|Dv by two orders of differences − Dv by complex steps|, where truncation leads",
        np.abs(few.jacobian - exact).max(axis=(1, 2)),
        few.error + rounding.bound,
        by="the two orders, as the library states; v's rounding over the narrowest step",
        because="complex steps have no truncation, and of two orders the lower one errs by more",
    )
    on.estimated(
        "the stated truncation over |Dv|",
        found.error / size,
        truncation + rounding.bound / size,
        by="the two highest orders",
        because="of order h⁶ at h = 0.02, on a field whose scale is 1; none where the field is affine",
        chosen="a millionth",
    )


@pytest.mark.claim("H1")
def test_sets_of_jacobians_are_of_the_faces_that_are_near(evidence):
    """Around z, where no other face is near, all are D prox(z); on an edge both sides are in the hull."""
    for target in (FiniteAtoms.hypercube(3), FiniteAtoms.regular_polygon(5)):
        x0, x1 = target.sample(20, generator(6))
        z = x1 + STEP * x0
        found = target.proximal_point(z, STEP)
        around = jacobians_around(target, z, STEP, found.kink / 16, generator(7))
        evidence.on(target).bounded(
            "|D prox within half of the distance to a kink − D prox(z)|",
            np.abs(around - found.jacobian[:, None]).max(axis=(1, 2, 3)),
            found.rounding.jacobian.amplified(2.0, "both"),
            because="D prox is constant on a face",
        )
    square = FiniteAtoms.hypercube(2)
    z = np.array([[1.0, 0.25]])  # between the side x = 1 and the inside
    around = jacobians_around(square, z, STEP, np.array([1e-9]), generator(8))
    sides = np.array([np.diag([1.0, 1.0]), np.diag([0.0, 1.0])])
    evidence.on(square, z=z).bounded(
        "distance of D prox on either side from the set around a kink",
        distance_to_hull(np.repeat(around, 2, axis=0), sides),
        Rounding(1.0, 64, "weights by least squares, of 0/1 matrices"),
        because="Clarke's set is the hull of the limits",
    )


@pytest.mark.claim("H1")
@pytest.mark.parametrize(
    ("step", "least"), [(1e-18, 1.0), (1e-14, 1.0), (1e-6, 1.0), (0.5, 1.0), (0.5, 4.0), (0.01, 64.0)]
)
def test_jacobians_between_doubles_are_had_from_a_larger_step(evidence, step, least):
    """Inside a cell of atoms D prox is 0, and at x₁ + λx₀ of a sphere R/(R+λ|x₀|) along it, at any λ.

    With λ = 1e−18 no double is x₁ + λx₀; on the line all around an inner atom have D prox = 1.
    """
    atoms, sphere = FiniteAtoms.on_line([-1.75, -1.5, -1.25, 0.25, 1.0, 1.75], np.full(6, 1 / 6)), Sphere(3)
    for target in (atoms, sphere):
        x0, x1 = target.sample(50, generator(6))
        tangent = np.zeros((50, 1, 1)) if target is atoms else np.eye(3) - x1[:, :, None] * x1[:, None, :]
        along = 1 / (1 + step * np.linalg.norm(x0, axis=1))
        found, stated = through_larger_step(target, x0, x1, step, least)
        on = evidence.on(target, step=step, least=least)
        on.bounded(
            "|D prox(x₁ + λx₀) through a larger step − its closed form|",
            np.linalg.norm(found - along[:, None, None] * tangent, axis=(1, 2)),
            Rounding.measured(stated + 16 * EPS, "the Jacobian at the larger step, over κ"),
            because="the resolvent identity; a kink is not in reach at the larger step",
        )
        on.estimated(
            "what it states to err by",
            float(np.median(stated)),
            1e-8,
            by="the median of 50 drawn points",
            because="κ is at least the share of the spacing of doubles that a cell has, over sixteen",
            chosen="1e−8",
        )


@pytest.mark.control("H1")
@pytest.mark.parametrize("factor", [0.25, 4.0])
def test_a_jacobian_of_another_step_is_told(evidence, factor):
    target, step = Sphere(3), 0.5
    x0, x1 = target.sample(20, generator(6))
    found, stated = through_larger_step(target, x0, x1, factor * step)
    length = np.linalg.norm(x0, axis=1)
    evidence.on(target, factor=factor).control(
        "λ multiplied: the trace of D prox",
        predicted=2 / (1 + factor * step * length),
        measured=np.trace(found, axis1=1, axis2=2),
        agreement=2 * stated + 64 * EPS,
        because="R/(R+λ|x₀|) along the sphere, twice",
        intact=2 / (1 + step * length),
    )


@pytest.mark.claim("H1")
@pytest.mark.parametrize("off", [0.0, 0.25])
def test_distances_to_a_hull_are_those_of_its_nearest_member(evidence, rng, off):
    """Convex combinations of drawn symmetric matrices, moved by off at a right angle to all of them."""
    basis = np.array([np.diag([1.0, 0.0, 0.0]), np.diag([0.0, 1.0, 0.0]), np.diag([0.0, 0.0, 1.0])])
    aside = np.zeros((3, 3))
    aside[0, 1] = aside[1, 0] = off / np.sqrt(2)
    matrices = np.einsum("nki,iab->nkab", rng.uniform(0.0, 1.0, (20, 6, 3)), basis)
    weights = rng.dirichlet(np.ones(6), 20)
    wanted = np.einsum("nk,nkab->nab", weights, matrices) + aside
    evidence.on("drawn matrices", off=off).bounded(
        "|distance from the hull − distance from its plane|, the foot inside",
        np.abs(distance_to_hull(matrices, wanted) - off),
        Rounding(1e3, 64, "least squares with a weight of 10³ on Σw = 1"),
        because="the foot is a convex combination, no vertex",
    )


@pytest.mark.claim("H1")
@pytest.mark.parametrize("levels", [2, 3, 4])
def test_differences_of_polynomials_are_exact(evidence, rng, levels):
    """Central differences at k half-steps, extrapolated, have no truncation for degrees below 2k + 1."""
    coefficients, x = rng.uniform(-1, 1, 2 * levels + 1), rng.uniform(-1, 1, (12, 1))
    found = jacobian(lambda _, y: np.polynomial.polynomial.polyval(y, coefficients), 0.5, x, 0.5, levels)
    exact = np.polynomial.polynomial.polyval(x, np.polynomial.polynomial.polyder(coefficients))
    size = np.abs(coefficients).sum() * (1 + np.abs(x[:, 0]) + 0.5) ** (2 * levels)
    evidence.on("polynomials on the line", levels=levels).bounded(
        "|extrapolated difference − derivative|",
        np.abs(found.jacobian[:, 0, 0] - exact[:, 0]),
        Rounding(
            size / (0.5 / 2 ** (levels - 1)), 8 * levels, "values over the narrowest step, extrapolated"
        ),
        because="h² to h^{2k−2} are eliminated, and no power beyond occurs",
    )


@pytest.mark.control("H1")
@pytest.mark.parametrize("far", [0.0, 0.5])
def test_a_jacobian_of_another_face_is_not_in_the_set(evidence, far):
    square, z = FiniteAtoms.hypercube(2), np.array([[1.0, 0.25]])
    around = jacobians_around(square, z, STEP, np.array([1e-9]), generator(8))
    evidence.on(square, z=z).control(
        "D prox of a face that is not near: its distance from the set around a kink",
        predicted=1 - far,
        measured=distance_to_hull(around, np.diag([1.0, far])[None]),
        agreement=1e-6,
        because="on the hull the second diagonal entry is 1",
        intact=0.0,
    )


@pytest.mark.claim("H4")
@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_rounding_meets_the_noise_at_its_horizon(evidence, power):
    """α = e^{−γτ} equals eps·‖K‖ there, for every γ."""
    target, schedule = Sphere(3, 2.0), Polynomial(power)
    x0 = generator(9).standard_normal((20, 3))
    size = np.linalg.norm(target.transport_jacobian(x0), 2, axis=(1, 2))
    horizon = np.array([rounding_horizon(schedule.terminal_order, s) for s in size])
    alpha = schedule.alpha(remaining=np.exp(-horizon))
    evidence.on(target, schedule=schedule).bounded(
        "|α at the horizon / (eps·‖K‖) − 1|",
        np.abs(alpha / (EPS * size) - 1),
        Rounding(1 + power * horizon, 8, "a logarithm, two exponentials of it, and a power"),
        because="the horizon is where both are equal",
    )
