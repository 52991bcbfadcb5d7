"""Condition numbers that the checks of this theorem share."""

import numpy as np
from numpy.typing import NDArray

from numerics.flows.exact import ExactField
from numerics.potentials import Potential

Array = NDArray[np.float64]


def norm(x: Array) -> Array:
    """Lengths of the rows."""
    return np.asarray(np.linalg.norm(x, axis=-1))


def dot(x: Array, y: Array) -> Array:
    """Inner products of the rows."""
    return np.asarray((x * y).sum(axis=-1))


def pairing_condition(target: Potential, u: Array, y: Array) -> Array:
    """Size of the terms of φ(u) + φ*(y) − ⟨u, y⟩; φ(u) is at most the other two where the gap is small."""
    return norm(u) * norm(y) + np.abs(target.conjugate(y)) + (target.scale + norm(u)) * norm(y)


def recovery_condition(target: Potential, x0: Array, z: Array, step: float | Array) -> Array:
    """Absolute condition number of recovering T(x₀) as prox(z): of the prox, and of T itself."""
    return target.prox_condition(z, step) + target.transport_condition(x0)


def field_condition(field: ExactField, t: float, x: Array) -> Array:
    """Absolute condition number of v_t(x): prox is multiplied by β̇ − α̇β/α, x by α̇/α."""
    alpha, beta = float(field.schedule.alpha(t)), float(field.schedule.beta(t))
    fall, rise = float(field.schedule.alpha_dot(t)) / alpha, float(field.schedule.beta_dot(t))
    inner = field.potential.prox_condition(x / beta, alpha / beta)
    return (abs(rise - fall * beta)) * inner + abs(fall) * norm(x)
