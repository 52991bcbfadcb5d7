"""H4's controls without a manifold of positive codimension, and with A1 violated.

A full-dimensional Gaussian has no contracting direction, atoms and the Cantor law nothing else; at a point
where H is infinite the exponent is −γ on a tangent direction, and nearby it looks so until τ ≫ log(1/κ).
"""

import numpy as np
import pytest

from numerics.accuracy import EPS
from numerics.flows.exact import ExactField
from numerics.flows.spectrum import path_singular_values, qr_growth, slopes
from numerics.potentials import Cantor, DegenerateGaussian, FiniteAtoms, Potential
from numerics.schedules import Linear, Polynomial, VariancePreserving

TAU = np.array([7.0, 8.0])


def _integrated(target: Potential, schedule, x0):
    field = ExactField(target, schedule)
    tight, loose = (
        qr_growth(
            lambda remaining, x: field.velocity(None, x, remaining=remaining),
            lambda remaining, x: field.jacobian(None, x, remaining=remaining),
            x0,
            TAU,
            tolerance=tolerance,
        )
        for tolerance in (1e-9, 1e-7)
    )
    rates = slopes(tight.log_growth, tight.tau)[-1]
    return rates, 4 * np.abs(tight.log_growth - loose.log_growth).max() + 1e6 * EPS


@pytest.mark.control("H4")
@pytest.mark.parametrize("schedule", [Linear(), VariancePreserving()], ids=repr)
def test_gaussian_of_full_dimension_has_no_contraction(evidence, rng, schedule):
    sigma = np.array([2.0, 0.5, 1.0])
    target = DegenerateGaussian([0.0, 1.0, 0.0], np.diag(sigma**2))
    rates, agreement = _integrated(target, schedule, rng.standard_normal((3, 3)))
    shares = [(schedule.alpha(remaining=g), schedule.beta(remaining=g)) for g in np.exp(-TAU)]
    ends = [np.log(a + b * sigma) for a, b in shares]
    evidence.on(target, schedule=schedule).control(
        "a target that fills space: all d exponents",
        predicted=np.broadcast_to((ends[1] - ends[0]) / (TAU[1] - TAU[0]), rates.shape),
        measured=rates,
        agreement=agreement,
        because="slopes of log(α+βσ), of order e^{−γτ}: no direction is normal; two tolerances",
        intact=-schedule.terminal_order,
    )


@pytest.mark.control("H4")
@pytest.mark.parametrize("schedule", [Linear(), Polynomial(0.5), Polynomial(2.0)], ids=repr)
@pytest.mark.parametrize("target", [FiniteAtoms.regular_polygon(5), Cantor()], ids=repr)
def test_atoms_and_cantor_contract_everything(evidence, rng, schedule, target):
    """K = 0 almost everywhere, although the Cantor law has no atoms: all exponents are −γ."""
    x0 = rng.standard_normal((20, target.dim))
    kernel = target.transport_jacobian(x0)
    kappa = np.linalg.eigvalsh(kernel)
    growth = np.log(path_singular_values(schedule, np.maximum(kappa, 0.0), remaining=np.exp(-TAU)))
    evidence.on(target, schedule=schedule).control(
        "a target whose transport is locally constant: all d exponents",
        predicted=-schedule.terminal_order,
        measured=slopes(growth, TAU)[0],
        agreement=64 * EPS * TAU[1] * schedule.terminal_order,
        because="σ = α; rounding of the logarithms",
        intact=0.0,
    )


@pytest.mark.control("H4")
@pytest.mark.parametrize(("x0", "published"), [(0.01, -0.957), (0.05, -0.471), (0.1, -0.179)])
def test_law_of_the_cube(evidence, x0, published):
    """A1 fails at 0: T = x³ integrated as a flow; near 0 the tangent looks normal until τ ≫ log(1/3x₀²)."""
    tau = np.array([4.999, 5.0, 5.001])

    def root(remaining, x):  # x = αs + βs³, solved for the noise s by Cardano
        alpha, beta = remaining[:, None], 1 - remaining[:, None]
        half, third = x / (2 * beta), alpha / (3 * beta)
        inner = np.sqrt(half**2 + third**3)
        return np.cbrt(half + inner) + np.cbrt(half - inner)

    def velocity(remaining, x):
        s = root(remaining, x)
        return s**3 - s

    def derivative(remaining, x):
        s = root(remaining, x)
        return ((3 * s**2 - 1) / (remaining[:, None] + (1 - remaining[:, None]) * 3 * s**2))[:, :, None]

    start = 0.25  # Cardano's formula needs β > 0
    point = (1 - start) * x0 + start * x0**3
    shift = -np.log(1 - start)
    found = qr_growth(
        lambda remaining, x: velocity(remaining * (1 - start), x) * (1 - start),
        lambda remaining, x: derivative(remaining * (1 - start), x) * (1 - start),
        [[point]],
        tau - shift,
    )
    rate = float(slopes(found.log_growth, found.tau)[1:].mean())
    remaining, kappa = float(np.exp(-5.0)), 3 * x0**2
    predicted = remaining * (kappa - 1) / (remaining + (1 - remaining) * kappa)
    assert abs(predicted - published) <= 5e-4
    evidence.on("the law of x₀³", x0=x0).control(
        "A1 violated at 0: exponent on the tangent at τ = 5, nearby",
        predicted=predicted,
        measured=rate,
        agreement=1e-6,
        because="(1−t)(κ−1)/(1+t(κ−1)), κ = 3x₀²; a central slope over ±10⁻³ errs by 10⁻⁶/6",
        intact=0.0,
    )
