"""H1: the Jacobian of the field along a trajectory is that of K.

Assumed: the contract; the field's Jacobian goes through the prox, the statement through H on the support.
Where prox is analytic, complex steps through it replace the stated Jacobian. Control: independent coupling
on the circle, whose eigenvalues are known and are not those of H1.
"""

import numpy as np
import pytest

from numerics.accuracy import COMPLEX, EPS
from numerics.flows.independent import IndependentField
from numerics.flows.spectrum import complex_jacobian, jacobian, path_eigenvalues
from numerics.potentials import FiniteAtoms
from numerics.schedules import Linear
from theorems.normal_hyperbolicity.assumptions import at_points
from theorems.normal_hyperbolicity.bundles import bundles, coefficients, compared
from theorems.setting.draws import generator
from theorems.setting.independent_sphere import IndependentSphere
from theorems.setting.quantifiers import ANALYTIC, SCHEDULES, SEEDS, TIMES, WITH_A_MANIFOLD, for_all


@for_all("H1", target=WITH_A_MANIFOLD, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
def test_field_jacobian_is_that_of_k(evidence, target, schedule, t, seed):
    for bundle in bundles(target, 100, generator(seed)):
        margins = at_points(target, bundle.x0)
        found = compared(target, bundle, schedule, 1 - t)
        evidence.on(target, schedule=schedule, t=t, seed=seed, margins=margins).bounded(
            "|Dv_t(x_t) − (α̇+β̇K)(α+βK)⁻¹|",
            found.error,
            found.rounding,
            because="they are equal; what D prox, H, T and x_t err by. At kinks: D prox is a set (Clarke)",
            at_kinks=found.at_kinks,
            left_out=found.unknown,
            clause="manifold",
        )


@for_all("H1", target=ANALYTIC, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
def test_field_jacobian_by_complex_steps(evidence, target, schedule, t, seed):
    """The velocity is rebuilt from prox alone and differentiated; nobody's Jacobian is believed."""
    r = 1 - t
    alpha, beta, fall, rise = coefficients(schedule, r)

    def velocity(_, x):
        return fall / alpha * x + (rise - fall * beta / alpha) * target.prox(x / beta, alpha / beta)

    for bundle in bundles(target, 50, generator(seed)):
        margins = at_points(target, bundle.x0)
        on = evidence.on(target, schedule=schedule, t=t, seed=seed, margins=margins)
        xt = alpha * bundle.x0 + beta * bundle.x1
        stepped = complex_jacobian(velocity, r, xt, tiny=1e-30 * target.scale)
        found = compared(target, bundle, schedule, r, stepped, COMPLEX)
        on.bounded(
            "|Dv_t by complex steps − (α̇+β̇K)(α+βK)⁻¹|",
            found.error,
            found.rounding,
            because="they are equal; complex steps have no truncation and round as D prox does. At kinks: "
            "D prox is a set (Clarke)",
            at_kinks=found.at_kinks,
            left_out=found.unknown,
            clause="manifold",
        )


@pytest.mark.claim("H1")
def test_linear_schedule_symbolically(evidence):
    import sympy as sp

    t, k, r = sp.symbols("t kappa r", positive=True)
    linear = (-1 + k) / (1 - t + t * k)
    evidence.exact(
        "(α̇+β̇κ)/(α+βκ) = (κ−1)/(1+t(κ−1)) for the linear schedule",
        sp.simplify(linear - (k - 1) / (1 + t * (k - 1))) == 0,
        "all κ, t > 0",
        clause="linear",
    )
    evidence.exact(
        "at κ = 0 it is −1/(1−t)", sp.simplify(linear.subs(k, 0) + 1 / (1 - t)) == 0, "all t", clause="linear"
    )
    x, y = sp.symbols("x y", real=True)
    length = sp.sqrt(x**2 + y**2)
    jac = sp.Matrix([(r * x / length), (r * y / length)]).jacobian([x, y])
    normal, tangent = sp.Matrix([x, y]), sp.Matrix([-y, x])
    holds = [
        sp.simplify(jac * normal).is_zero_matrix,
        sp.simplify(jac * tangent - r / length * tangent).is_zero_matrix,
    ]
    evidence.exact("circle: K x₀ = 0 and K = R/|x₀| across", holds, "all x₀ ≠ 0, R > 0")
    a, b = sp.symbols("a b", positive=True)
    h = sp.sqrt(a * x**2 + b * y**2)
    jac = sp.Matrix([a * x / h, b * y / h]).jacobian([x, y])
    holds = [
        sp.simplify(jac * normal).is_zero_matrix,
        sp.simplify(jac.trace() - a * b * length**2 / h**3) == 0,
    ]
    evidence.exact("ellipse: K x₀ = 0, and the other eigenvalue is ab|x₀|²/h³", holds, "all x₀ ≠ 0, a, b > 0")


@pytest.mark.control("H1")
@pytest.mark.parametrize("t", [0.3, 0.5, 0.7])
def test_independent_coupling_has_another_spectrum(evidence, t):
    """512 atoms stand for the circle: their mean differs by I₅₁₂/I₀, below rounding at these times."""
    radius, atoms = 2.0, FiniteAtoms.regular_polygon(512)
    field = IndependentField(radius * atoms.points, np.full(512, 1 / 512))
    length = (1 - t) * np.array([0.5, 1.0, 2.0]) + t * radius
    x = np.stack([length, 0 * length], axis=1)
    found = jacobian(lambda at, y: field.velocity(at, y), t, x, 0.05 * (1 - t), widths=5)
    across, along = IndependentSphere(2, radius).rescaled_eigenvalues(1 - t, length)
    kappa = radius / np.array([0.5, 1.0, 2.0])
    exact = path_eigenvalues(Linear(), np.stack([kappa, 0 * kappa], axis=1), t)
    evidence.on("the circle of radius 2", t=t).control(
        "optimal coupling replaced by the independent one: eigenvalues of Dv_t",
        predicted=np.stack([across, along], axis=1) / (1 - t),
        measured=np.stack([found.jacobian[:, 1, 1], found.jacobian[:, 0, 0]], axis=1),
        agreement=(2 * found.error + 64 * EPS * radius / (0.05 * (1 - t) / 16) / (1 - t) ** 2)[:, None],
        because="Bessel's closed form; truncation estimated by two orders, rounding over the step",
        intact=exact,
    )
