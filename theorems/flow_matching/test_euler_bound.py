r"""F8, Euler's method for any Lipschitz field: it errs by O(δ), with a constant that is known.

Assumed: |u_s(x) − u_t(y)| ≤ L|x−y| + L_t|s−t|, |u| ≤ V. One step misses the trajectory by (δ²/2)(L_t + LV),
and steps stretch what was missed by 1 + δL: in all at most (δ/2)(L_t + LV)(e^L − 1)/L. Tried on fields
u = A·τ(Bx + ct + b) with τ piecewise linear, so Lipschitz and no more. Control: u = x, where Euler's method
errs by e/(2n).
"""

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.accuracy import EPS, UNIT
from theorems.setting.draws import generator
from theorems.setting.grammar import seeds
from theorems.setting.quantifiers import for_all
from theorems.setting.vectors import norm

FINE = 4096


def _field(d, strength, rng):
    """U, its constants L, L_t, V, and a bound of what u(t,x) rounds at |x| ≤ r; τ(s) = clip(s, −1, 1).

    An argument of τ is d products, three sums and a time, the result 4 products: γ_k ≤ 1.01ku each.
    """
    width = 4
    outer = strength * rng.standard_normal((d, width)) / 2
    inner, drift, shift = (
        rng.standard_normal((width, d)),
        rng.standard_normal(width),
        rng.standard_normal(width),
    )
    size, lengths = _norm(outer), [float(np.linalg.norm(part)) for part in (inner, drift, shift, outer)]
    constants = size * _norm(inner), size * lengths[1], size * np.sqrt(width)

    def rounding(radius):
        arguments = lengths[0] * radius + lengths[1] + lengths[2]
        return 1.01 * UNIT * lengths[3] * ((d + 4) * arguments + 5 * np.sqrt(width))

    return (lambda t, x: np.clip(x @ inner.T + drift * t + shift, -1, 1) @ outer.T), constants, rounding


def _norm(matrix):
    """At least the spectral norm, by at most 3 % for 4 columns: ‖(MᵀM)¹⁶‖_F^(1/32).

    Four squarings round to a share of 400u of it at most, of which the root leaves a thirty-second.
    """
    power = matrix.T @ matrix
    for _ in range(4):
        power = power @ power
    return float(np.linalg.norm(power) ** (1 / 32) * (1 + 16 * EPS))


def _euler(field, x, steps):
    for k in range(steps):
        x = x + field(k / steps, x) / steps
    return x


def _bound(constants, steps):
    lipschitz, drift, size = constants
    return (drift + lipschitz * size) * np.expm1(lipschitz) / lipschitz / (2 * steps)


@for_all(
    "F8", d=st.integers(1, 4), strength=st.sampled_from([0.25, 1.0]), steps=st.integers(1, 64), seed=seeds
)
def test_euler_errs_by_at_most_its_constant_over_the_steps(evidence, d, strength, steps, seed):
    """Against 4096 steps, which by the same bound are themselves within it over 4096 of the trajectory."""
    rng = generator(seed)
    field, constants, of_field = _field(d, strength, rng)
    x0 = rng.standard_normal((20, d))
    fine = _euler(field, x0, FINE)
    radius = norm(x0).max() + constants[2]
    # a step divides by n and adds; what it rounds is stretched by e^L, in either run
    each = [of_field(radius) + UNIT * (2 * constants[2] + count * 1.01 * radius) for count in (steps, FINE)]
    rounding = 1.01 * np.exp(constants[0]) * sum(each)
    evidence.on("u = A·clip(Bx + ct + b)", d=d, strength=strength, steps=steps, seed=seed).certified(
        "|Euler's end after n steps − after 4096|",
        norm(_euler(field, x0, steps) - fine),
        (_bound(constants, steps) + _bound(constants, FINE)) * (1 + 32 * EPS) + rounding,
        because="Grönwall: (δ/2)(L_t + LV)(e^L − 1)/L for either; every operation of the field and of a step"
        " counted, stretched by e^L",
        clause="bound",
    )


@pytest.mark.control("F8")
@pytest.mark.parametrize("steps", [4, 16, 64])
def test_the_rate_is_attained(evidence, steps):
    """U = x on the line: (1 + 1/n)^n against e. The error is e/(2n) to first order, no power better."""
    error = np.e - _euler(lambda t, x: x, np.ones((1, 1)), steps)[0, 0]  # noqa: ARG005
    evidence.on("u = x", steps=steps).control(
        "Euler's method taken to be exact, as for the OT field: n times its error for u = x",
        predicted=np.e / 2,
        measured=steps * error,
        agreement=np.e * 11 / 24 / steps + 1e-12 * steps,
        because="(1 + 1/n)^n = e(1 − 1/(2n) + 11/(24n²) − …), an alternating series",
    )
