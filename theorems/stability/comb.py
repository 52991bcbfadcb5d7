r"""Mean squares over the comb by quadrature: only strips between two ends of cells contribute.

At height x₂ the cells of Q end at (i+½)ℓ + (−1)^i 2cℓx₂ and those of P at a fixed place: noise between the
two, at distance h from P's end, has a label one off. So |T_Q − T_P|² = ℓ² + δ² there and δ² elsewhere, and
the prox of P goes min(λh, ℓ) along the comb: |F|² = min(λh, ℓ)² + δ².
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.transport.neighbours import Comb

Array = NDArray[np.float64]
FAR = 8.0
"""Beyond it the Gaussian has 1e−15 of its mass, which is left out."""


@dataclass(frozen=True)
class Strips:
    """Quadrature nodes between the ends of cells.

    Attributes:
        x: (N,2), noise.
        depth: (N,), h, the distance of x₁ from P's end.
        weight: (N,), of the rule, with the Gaussian density.
    """

    x: Array
    depth: Array
    weight: Array


def strips(comb: Comb, step: float, count: int) -> Strips:
    """Nodes over every strip, ``count`` in each direction; broken at x₂ = 0 and where λh = ℓ."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    half, share = (nodes + 1) / 2, weights / 2
    high = np.concatenate([-FAR * half[::-1], FAR * half])
    high_weight = FAR * np.concatenate([share[::-1], share])
    i = np.arange(len(comb.ends)) - len(comb.ends) // 2
    sign = np.where(i % 2, -1.0, 1.0)
    theirs = (i + 0.5) * comb.spacing + 2 * comb.bend * comb.spacing * np.outer(high, sign)
    width = theirs - comb.ends
    bend = np.minimum(np.abs(width), comb.spacing / step)
    depth, weight = [], []
    for start, length in ((np.zeros_like(bend), bend), (bend, np.abs(width) - bend)):
        depth.append(start[..., None] + length[..., None] * half)
        weight.append(length[..., None] * share * high_weight[:, None, None])
    h, w = (np.concatenate(parts, axis=2) for parts in (depth, weight))
    x1 = comb.ends[:, None] + np.sign(width)[..., None] * h
    x2 = np.broadcast_to(high[:, None, None], x1.shape)
    density = np.exp(-(x1**2 + x2**2) / 2) / (2 * np.pi)
    return Strips(np.stack([x1, x2], axis=-1).reshape(-1, 2), h.ravel(), (w * density).ravel())


def predicted(comb: Comb, step: float, depth: Array) -> Array:
    """|F| in a strip: √(min(λh, ℓ)² + δ²)."""
    return np.hypot(np.minimum(step * depth, comb.spacing), comb.distance)


def errors(comb: Comb, step: float, count: int = 16) -> tuple[float, float]:
    """(‖T_Q − T_P‖, ‖prox_Q − prox_P‖) in L²(P₀)."""
    found = strips(comb, step, count)
    transports = comb.distance**2 + comb.spacing**2 * float(found.weight.sum())
    along = np.minimum(step * found.depth, comb.spacing)
    proximal = comb.distance**2 + float(found.weight @ along**2)
    return float(np.sqrt(transports)), float(np.sqrt(proximal))
