r"""Functions on the line and the plane whose thresholds and moduli are known in closed form.

The functions take whatever the caller computes with: fractions, symbols or arrays.
"""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.accuracy import Rounding
from numerics.potentials import Potential
from theorems.setting.vectors import dot, norm

Array = NDArray[np.float64]


def concave_square(u: Any, r: Any) -> Any:
    """−(r/2)u²: threshold 1/r, modulus r."""
    return -r * u * u / 2


def penalised(f: Any, u: Any, x: Any, step: Any) -> Any:
    """F + (u − x)²/(2λ): what the envelope minimises over u, f being the value at u."""
    return f + (u - x) * (u - x) / (2 * step)


def box_minimum(r: float, x: float, step: float, size: float) -> float:
    """Minimum over |u| ≤ B of −(r/2)u² + (u−x)²/(2λ) for λ > 1/r: −(r/2 − 1/(2λ))B² − |x|B/λ + x²/(2λ)."""
    return -(r / 2 - 1 / (2 * step)) * size**2 - abs(x) * size / step + x**2 / (2 * step)


def slack(here: Any, there: Any, v: Any, move: Any, rho: Any) -> Any:
    """What prox-regularity asks to be ≥ 0 on the line: f(x') − f(x) − v·(x'−x) + (ρ/2)(x'−x)²."""
    return there - here - v * move + rho * move * move / 2


def modulus_needed(here: Any, there: Any, v: Any, move: Any) -> Any:
    """The smallest ρ for which this pair of points satisfies the inequality; negative if it has room."""
    return -2 * slack(here, there, v, move, 0) / (move * move)


def point_on_circle(radius: Fraction, parameter: Fraction) -> tuple[Fraction, Fraction]:
    """R((1−s²), 2s)/(1+s²): every rational point of the circle but one."""
    square = parameter * parameter
    return radius * (1 - square) / (1 + square), radius * 2 * parameter / (1 + square)


def tangent_minorant(target: Potential, x: Array, p: Array, y: Array, step: float) -> Array:
    """φ(p) + ⟨y, x−p⟩ − λ|y|²/2 ≤ e_λφ(x): the envelope of the affine minorant that y ∈ ∂φ(p) gives."""
    return target.value(p) + dot(y, x - p) - step * dot(y, y) / 2


def minorant_rounding(target: Potential, x: Array, p: Array, y: Array, step: float) -> Rounding:
    """Of `tangent_minorant`, φ being that of a point of its domain beside p."""
    stated, away = target.roundings, x - p
    beside = stated.domain(p).amplified(norm(y), "p stands for a point of the domain")
    terms = np.abs(target.value(p)) + norm(y) * norm(away) + step * dot(y, y)
    return stated.value(p) + beside + Rounding(terms, x.shape[1] + 4, "the terms of the minorant")
