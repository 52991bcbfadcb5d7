"""How far x₀ is from leaving ∂φ(x₁), found by the transport alone: a second route to assumption A3's margin.

x₁ stays the data of x₀ + h, h in the normal space N, exactly while x₀ + h is in ∂φ(x₁). So the distance to
the relative boundary is the least h ∈ N that moves T: along each direction by bisection, and the direction by
turning to where T goes. At the boundary between the cells of x₁ and y the outward normal is y − x₁ projected
on N, so for cells with flat sides the search ends at a side's nearest point.
"""

import numpy as np
from numpy.typing import NDArray

from numerics.potentials import Potential
from theorems.setting.exits import first_exits

Array = NDArray[np.float64]
DIRECTIONS = 16
TURNS = 6
HALVINGS = 45
LEAVES = 1e-7
"""x₁ is left when T is farther from it than this share of the data's size, far above T's rounding."""
FAR = 20.0
"""Directions are followed so many times as far as the stated distance; without a boundary, FAR·(1 + |x₀|)."""


def normal_space(target: Potential, x1: Array, x0: Array) -> Array:
    """An orthonormal basis (d, d − m) of N = T^⊥ at x₁."""
    tangent = target.manifold(x1, x0).tangent
    whole, _ = np.linalg.qr(np.concatenate([tangent, np.eye(len(x1))], axis=1))
    return whole[:, tangent.shape[1] : len(x1)]


def exits(target: Potential, x1: Array, x0: Array, directions: Array, far: float) -> Array:
    """How far along each direction (k,d) T(x₀ + s·direction) stays x₁; inf where it does up to ``far``."""

    def leaves(s: Array) -> NDArray[np.bool_]:
        away = target.transport(x0 + s[:, None] * directions) - x1
        return np.linalg.norm(away, axis=1) > LEAVES * target.scale

    return first_exits(leaves, len(directions), far, HALVINGS)


def nearest_exit(target: Potential, x0: Array, stated: float, rng: np.random.Generator) -> float:
    """The least s at which T leaves x₁ = T(x₀) along N, over drawn and then turned directions.

    Args:
        target: A potential whose support is a manifold near x₁.
        x0: (d,), the noise.
        stated: The distance to the relative boundary as the potential states it: how far to look.
        rng: Draws the first directions.

    Returns:
        An upper bound of the distance, attained up to the search; inf if T left in no direction.
    """
    x1 = target.transport(x0)[0]
    normal = normal_space(target, x1, x0)
    if not normal.shape[1]:
        return np.inf
    far = FAR * (stated if np.isfinite(stated) else 1 + float(np.linalg.norm(x0)))
    drawn = rng.standard_normal((DIRECTIONS, normal.shape[1]))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    directions = np.concatenate([drawn, -drawn]) @ normal.T
    least = np.inf
    for _ in range(TURNS):
        at = exits(target, x1, x0, directions, far)
        least = min(least, float(at.min()))
        left = np.isfinite(at)
        if not left.any():
            break
        beyond = x0 + ((1 + LEAVES) * at[left])[:, None] * directions[left]
        outward = (target.transport(beyond) - x1) @ normal @ normal.T
        size = np.linalg.norm(outward, axis=1)
        directions = outward[size > 0] / size[size > 0][:, None]
        if not len(directions):
            break
    return least
