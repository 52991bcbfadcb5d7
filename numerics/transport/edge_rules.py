r"""Gauss rules for the edges of cells in space: how many nodes an edge of given length takes, proved.

On an edge at distance r² = h² + k² + s² from 0 (h of the face's plane, k of the edge's line from the foot in
the face, s along the edge) two integrands occur, with q = k² + s², $M(v) = \mathrm{erf}(\sqrt{v/2})/\sqrt v$:

$$\frac{hk}{4π}\,\frac{M(h^2) - M(h^2+q)}{q}, \qquad
  \frac{k}{2π}\,\frac{φ(h) - φ(\sqrt{h^2+q})}{q}, \qquad φ(r) = \frac{e^{-r^2/2}}{\sqrt{2π}} .$$

**Both are entire in s**, for $M(v) = \sqrt{2/π}∫_0^1 e^{-vt^2/2}dt$ and $e^{-v/2}$ are entire, and a divided
difference of an entire function is one. So no edge has to be split, however near it comes to 0 or to a foot.

Bound at s = x + iy. Let Φ(z) = (1 − e^{−z})/z = ∫₀¹e^{−zτ}dτ, so |Φ(z)| ≤ max(1, e^{−Re z}). The second is
φ(h)·(k/4π)·Φ(q/2), and Re q ≥ k² − y². The first is $\frac{hk}{4π}\sqrt{2/π}∫_0^1\frac{t^2}2
e^{-h^2t^2/2}Φ(qt^2/2)dt$, and $|h|\sqrt{2/π}∫_0^1\frac{t^2}2e^{-h^2t^2/2}dt = C(h)/(2h^2) ≤ 0.108$, C the law
of the length of noise in space. Times |k|: where |k| ≥ |y| the factors Φ are at most 1 and |k| ≤ 9, as edges
are cut at distance 9; where |k| < |y|, |k|·e^{(y²−k²)/2} ≤ |y|e^{y²/2}. So both are at most

$$B(y) = \frac{0.399}{4π}\max(9, |y|)\,e^{y^2/2}.$$

m Gauss nodes on an interval of half-length ℓ are exact for polynomials of degree 2m − 1 and miss an f that is
bounded by B in the ellipse with foci at the ends and half-axes ℓ(ρ ± 1/ρ)/2 by at most
$\frac{64}{15}ℓBρ^{-2m}/(1-ρ^{-2})$ [@trefethen2008gauss]; `nodes_for` minimises over ρ.
"""

from functools import cache

import numpy as np
from jaxtyping import Float, Int

from numerics.accuracy import EPS

REACH = 9.0
"""Where edges are cut off: beyond it are 1e−19 of the noise on a line, 1e−17 in space."""
ORDERS = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 26, 34, 46, 64)
MISSED = EPS / 64
"""What one edge may miss: a cell of 20 faces with 6 edges each then misses 2·eps."""


def gauss_error(half_length: float, nodes: int) -> float:
    """The bound on what that many Gauss nodes miss on an edge of that half-length, both integrands."""
    rho = 1 + np.logspace(-3, 8, 2000)
    y = half_length * (rho - 1 / rho) / 2
    logs = np.log(0.399 / (4 * np.pi) * np.maximum(REACH, y)) + y**2 / 2
    logs += np.log(64 / 15 * half_length) - 2 * nodes * np.log(rho) - np.log1p(-(rho**-2))
    return float(np.exp(min(logs.min(), 700.0)))


@cache
def longest() -> Float[np.ndarray, " k"]:
    """The half-lengths up to which each of ORDERS misses at most MISSED."""
    lengths = []
    for nodes in ORDERS:
        low, high = 1e-12, 2 * REACH
        for _ in range(60):
            middle = float(np.sqrt(low * high))
            low, high = (middle, high) if gauss_error(middle, nodes) <= MISSED else (low, middle)
        lengths.append(low)
    return np.array(lengths)


def classes(half_lengths: Float[np.ndarray, " m"]) -> Int[np.ndarray, " m"]:
    """(m,), for each edge the first entry of ORDERS that is enough."""
    return np.searchsorted(longest(), half_lengths)


@cache
def rule(order: int) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Gauss nodes in (0, 1), and weights summing to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    return (1 + nodes) / 2, weights / 2
