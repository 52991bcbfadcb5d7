"""P3, the converse that fails: the loss is 0 for every coupling whose path determines its speed.

Assumed: x₁ = Ax₀ with A + Aᵀ ≻ 0, so that αI + βA is invertible and ẋ_t = (α̇I + β̇A)(αI + βA)⁻¹x_t,
whatever the schedule: in rationals. The data are N(0, AAᵀ) for A and for its polar part |Aᵀ| alike, and only
the latter is optimal. Control: x₁ = −cx₀, at the time at which all paths meet.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st
from sympy import Matrix, Rational, eye, zeros

from numerics.accuracy import Rounding
from theorems.proximal_denoiser.rational_draws import schedule_values
from theorems.setting.quantifiers import for_all

DOMAIN = "A = BᵀB + S + I/8 with entries in ½ℤ, S skew, d ≤ 3; α, β, α̇, β̇ quotients of 1…12, α̇ < 0"


@st.composite
def monotone_matrices(draw):
    """A with a positive definite symmetric part."""
    d = draw(st.integers(2, 3))
    halves = st.integers(-4, 4).map(lambda k: Rational(k, 2))
    factor = Matrix(d, d, draw(st.lists(halves, min_size=d * d, max_size=d * d)))
    skew = zeros(d, d)
    for i in range(d):
        for j in range(i):
            skew[i, j] = draw(halves)
            skew[j, i] = -skew[i, j]
    return factor.T * factor + skew + eye(d) / 8


def _rational(x):
    return Rational(x.numerator, x.denominator)


@for_all("P3", matrix=monotone_matrices(), values=schedule_values, rates=schedule_values)
def test_every_linear_coupling_that_is_monotone_has_zero_loss(evidence, matrix, values, rates):
    """(α̇I + β̇A)(αI + βA)⁻¹ exists and takes x_t to ẋ_t: for every x₀, as matrices."""
    d = matrix.rows
    (alpha, beta), (fall, rise) = (map(_rational, pair) for pair in (values, rates))
    path, speed = alpha * eye(d) + beta * matrix, -fall * eye(d) + rise * matrix
    field = speed * path.inv()
    on = evidence.on("x₁ = Ax₀", matrix=matrix, values=values, rates=rates)
    on.exact(
        "ẋ_t = M·x_t with one matrix M for all pairs: the loss is 0",
        field * path == speed,
        DOMAIN,
        clause="converse",
    )
    on.exact(
        "M is symmetric (no curl) iff A is",
        field.is_symmetric() == matrix.is_symmetric(),
        DOMAIN + "; M = (β̇/β)I − (β̇α/β − α̇)(αI + βA)⁻¹, and the factor is positive",
        clause="converse",
    )
    entries = np.array(matrix.tolist(), dtype=float)
    nuclear = np.linalg.svd(entries, compute_uv=False).sum()
    on.bounded(
        "how far E⟨x₀, x₁⟩ exceeds that of the optimal coupling of the same laws",
        max(float(matrix.trace()) - nuclear, 0.0),
        Rounding(nuclear, 64, "singular values, backward stable"),
        because="tr A ≤ |A|_*, with equality iff A is symmetric positive semidefinite: the polar part",
        clause="converse",
    )


@pytest.mark.control("P3")
@pytest.mark.parametrize("t", [Fraction(1, 4), Fraction(1, 2), Fraction(3, 4)])
def test_paths_that_meet_have_a_floor(evidence, t):
    """x₁ = −cx₀ on the line with c = (1−t)/t: all paths meet at time t, and the floor is E ẋ² = 1/t²."""
    c = (1 - t) / t
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)
    meeting = float(1 - t) * nodes - float(t * c) * nodes
    speed = -float(c) * nodes - nodes
    floor = (weights / weights.sum()) @ (speed - (weights / weights.sum()) @ speed) ** 2
    evidence.on("x₁ = −cx₀", t=t).control(
        "a coupling whose paths all meet: E Var(ẋ_t | x_t)",
        predicted=float(1 / t**2),
        measured=floor,
        agreement=1e-12 * float(1 / t**2) + float(np.abs(meeting).max()),
        because="x_t = 0 for all pairs, ẋ = −(1 + c)x₀ = −x₀/t; Hermite nodes are exact for squares",
    )
