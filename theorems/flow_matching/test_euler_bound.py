r"""F8, Euler's method for any Lipschitz field: it errs by O(δ), with a constant that is known.

Assumed: |u_s(x) − u_t(y)| ≤ L|x−y| + L_t|s−t|, |u| ≤ V. One step misses the trajectory by (δ²/2)(L_t + LV),
and steps stretch what was missed by 1 + δL: in all at most (δ/2)(L_t + LV)(e^L − 1)/L. Tried on fields
u = A·τ(Bx + ct + b) with τ piecewise linear, so Lipschitz and no more. Control: u = x, where Euler's method
errs by e/(2n).
"""

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.accuracy import EPS
from theorems.setting.draws import generator
from theorems.setting.grammar import seeds
from theorems.setting.quantifiers import for_all
from theorems.setting.vectors import norm

FINE = 4096


def _field(d, strength, rng):
    """U and its constants L, L_t, V; τ(s) = clip(s, −1, 1)."""
    width = 4
    outer = strength * rng.standard_normal((d, width)) / 2
    inner, drift, shift = (
        rng.standard_normal((width, d)),
        rng.standard_normal(width),
        rng.standard_normal(width),
    )
    size = np.linalg.norm(outer, 2)
    constants = size * np.linalg.norm(inner, 2), size * np.linalg.norm(drift), size * np.sqrt(width)
    return (lambda t, x: np.clip(x @ inner.T + drift * t + shift, -1, 1) @ outer.T), constants


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
    field, constants = _field(d, strength, rng)
    x0 = rng.standard_normal((20, d))
    fine = _euler(field, x0, FINE)
    rounding = 64 * FINE * EPS * np.exp(constants[0]) * (norm(x0).max() + constants[2])
    evidence.on("u = A·clip(Bx + ct + b)", d=d, strength=strength, steps=steps, seed=seed).certified(
        "|Euler's end after n steps − after 4096|",
        norm(_euler(field, x0, steps) - fine),
        _bound(constants, steps) + _bound(constants, FINE) + rounding,
        because="Grönwall: (δ/2)(L_t + LV)(e^L − 1)/L for either; a step rounds 64 times, stretched by e^L",
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
