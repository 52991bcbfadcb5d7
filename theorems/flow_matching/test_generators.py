"""F6, uniqueness: one affine field has ψ_t as its flow, but the path N(μ_t, σ_t²I) alone has others in d ≥ 2.

Assumed: μ, σ > 0 are C¹ in t. Field and flow are matched by symbols. Control: S(x − μ_t) with S skew is added
to the field; it moves no mass across the round path, so the path stays, and the flow turns.
"""

import numpy as np
import pytest
import sympy as sp

from numerics.accuracy import EPS
from numerics.flows.integration import trajectory
from theorems.setting.vectors import norm

t = sp.symbols("t", positive=True)


def _skew(d):
    """A skew matrix of symbols."""
    matrix = sp.zeros(d, d)
    for i in range(d):
        for j in range(i):
            matrix[i, j] = sp.Symbol(f"s_{i}{j}", real=True)
            matrix[j, i] = -matrix[i, j]
    return matrix


def _transport_residual(field, density, x):
    """(∂_t p + div(u p))/p."""
    flux = sum(sp.diff(field[i] * density, x[i]) for i in range(len(x)))
    return sp.simplify(sp.expand((sp.diff(density, t) + flux) / density))


@pytest.mark.claim("F6")
@pytest.mark.parametrize("d", [1, 2, 3])
def test_affine_field_is_determined_by_its_flow(evidence, d):
    """A field Bx + c with flow σx₀ + μ has (σB − σ̇I)x₀ + Bμ + c − μ̇ = 0 for all x₀."""
    sigma = sp.Function("sigma", positive=True)(t)
    mu = sp.Matrix([sp.Function(f"mu_{i}", real=True)(t) for i in range(d)])
    slope, shift = sp.MatrixSymbol("B", d, d).as_explicit(), sp.MatrixSymbol("c", d, 1).as_explicit()
    noise = sp.Matrix(sp.symbols(f"x_1:{d + 1}", real=True))
    flow = sigma * noise + mu
    residual = slope * flow + shift - sp.diff(flow, t)
    equations = [sp.expand(r).coeff(x) for r in residual for x in noise]
    equations += [r.subs(dict.fromkeys(noise, 0)) for r in residual]
    (found,) = sp.solve(equations, [*slope, *shift], dict=True)
    rate = sp.diff(sigma, t) / sigma
    evidence.on("affine fields", d=d).exact(
        "the only affine field with flow σx₀ + μ is (σ̇/σ)(x − μ) + μ̇",
        [
            all(
                sp.simplify(found[slope[i, j]] - rate * int(i == j)) == 0 for i in range(d) for j in range(d)
            ),
            all(sp.simplify(found[shift[i]] - sp.diff(mu[i], t) + rate * mu[i]) == 0 for i in range(d)),
        ],
        "symbolic in σ, μ and all coefficients",
        clause="uniqueness",
    )


@pytest.mark.claim("F6")
@pytest.mark.parametrize("d", [2, 3])
def test_turning_fields_generate_the_same_path(evidence, d):
    """∂_t p + div((u + S(x−μ))p) = 0 for p = N(μ, σ²I), as (x−μ)ᵀS(x−μ) = 0 and tr S = 0."""
    sigma = sp.Function("sigma", positive=True)(t)
    x = sp.Matrix(sp.symbols(f"x_1:{d + 1}", real=True))
    mu = sp.Matrix([sp.Function(f"mu_{i}", real=True)(t) for i in range(d)])
    away = x - mu
    density = sp.exp(-(away.T * away)[0] / (2 * sigma**2)) / sigma**d
    field = sp.diff(sigma, t) / sigma * away + sp.diff(mu, t)
    on = evidence.on("N(μ, σ²I)", d=d)
    domain = "symbolic in σ, μ, x and S"
    on.exact(
        "u transports the path", _transport_residual(field, density, x) == 0, domain, clause="other fields"
    )
    on.exact(
        "so does u + S(x−μ), S skew",
        _transport_residual(field + _skew(d) * away, density, x) == 0,
        domain,
        clause="other fields",
    )


@pytest.mark.control("F6")
@pytest.mark.parametrize("angle", [0.5, 2.0])
def test_turning_field_has_another_flow(evidence, rng, angle):
    """OT path, σ_min = .1: the flow of u + S(x−μ) ends turned, σ_min·2sin(angle/2)|x₀| away."""
    smallest, data = 0.1, np.array([1.0, -2.0])
    turn = angle * np.array([[0.0, -1.0], [1.0, 0.0]])
    noise = rng.standard_normal((20, 2))

    def rate(s, x):
        sigma, mean = 1 - s + s * smallest, s * data
        return (smallest - 1) / sigma * (x - mean) + data + (x - mean) @ turn.T

    path = trajectory(rate, noise, [0.0, 1.0])
    evidence.on("OT path", angle=angle).control(
        "a field of the same path taken for the field of the flow: how far its flow ends from ψ₁(x₀)",
        predicted=2 * smallest * abs(np.sin(angle / 2)) * norm(noise),
        measured=norm(path.states[-1] - (smallest * noise + data)),
        agreement=2 * path.error[-1] + 64 * EPS,
        because="its flow is σ_t e^{tS}x₀ + μ_t; two tolerances of the integration",
    )
