r"""Regular polygons in the unit circle: how far their proximal maps are from the circle's, in closed form.

φ_n is the indicator of the polygon and φ that of the disc, so both maps are projections, whatever λ is.
With h = π/n and c = cos h, over |x| ≤ r:

- φ* − φ*_n ≤ r(1 − c), at edges' normals; - |proj_n − proj| ≤ max(2 sin(θ/2), 1 − c) for r ≥ 1, with tan θ
= s sin h/(1 + s c), s = −c + √(c² + r² − 1): at the ends of a corner's normal cone, or at edges' normals;
and max(r − c, 0) for r < 1; - e_λφ_n − e_λφ ≤ (1 − c)(2r − 1 − c)/(2λ) for r ≥ 1, at edges' normals.

Proof of the second. Where x projects on a corner and |x| ≥ 1 the distance is 2 sin(a/2), a the angle
between, and a grows to θ at the end of the cone. Where it projects on an edge, with ω the angle to the
edge's normal, x = ρ(cos ω, sin ω), ρ ≥ 1: |cos ω − c|² + (ρ−1)²sin²ω grows with ρ; on |x| = r it is, in q =
cos ω, convex for r ≤ 2, hence largest at an end, and decreasing for r > 2. Its ends are the edge's normal,
1 − c, and the corner's cone. Inside the disc it is the distance from the edge, at most 1 − c.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.potentials import FiniteAtoms, Sphere

Array = NDArray[np.float64]
DISC = Sphere(2)


@dataclass(frozen=True)
class Polygon:
    """A regular polygon in the unit circle, a corner at angle 0.

    Attributes:
        corners: n ≥ 3.
    """

    corners: int

    @property
    def potential(self) -> FiniteAtoms:
        """φ_n."""
        return FiniteAtoms.regular_polygon(self.corners)

    @property
    def half(self) -> float:
        """H = π/n."""
        return float(np.pi / self.corners)

    @property
    def lack(self) -> float:
        """1 − cos h."""
        return float(2 * np.sin(self.half / 2) ** 2)

    def of_conjugates(self, radius: float) -> float:
        """Sup |φ*_n − φ*| over |x| ≤ r."""
        return radius * self.lack

    def of_envelopes(self, radius: float, step: float) -> float:
        """Sup |e_λφ_n − e_λφ| over |x| ≤ r, for r ≥ 1."""
        return self.lack * (2 * (radius - 1) + self.lack) / (2 * step)

    def of_maps(self, radius: float) -> float:
        """Sup |prox_n − prox| over |x| ≤ r."""
        if radius < 1:
            return max(self.lack - (1 - radius), 0.0)
        return max(2 * float(np.sin(self._angle(radius) / 2)), self.lack)

    def _slant(self, radius: float) -> float:
        """How far beyond its corner the end of a cone leaves |x| ≤ r."""
        c = float(np.cos(self.half))
        beyond = radius**2 - 1
        return beyond / (c + float(np.sqrt(c**2 + beyond)))

    def _angle(self, radius: float) -> float:
        s = self._slant(radius)
        return float(np.arctan2(s * np.sin(self.half), 1 + s * np.cos(self.half)))

    def worst(self, radius: float) -> Array:
        """The points (2,2) where the suprema are attained: an end of the corner's cone, an edge's normal."""
        s, h = self._slant(radius), self.half
        cone = [1 + s * np.cos(h), s * np.sin(h)]
        return np.array([cone, [radius * np.cos(h), radius * np.sin(h)]])

    def graph(self, reach: float, count: int) -> Array:
        """Points (N,4) of gph ∂φ_n with |y| ≤ reach, next to which every such point lies within `mesh`."""
        c, h, n = np.cos(self.half), self.half, self.corners
        length = np.linspace(0, reach, count)
        turn = h * np.linspace(-1, 1, count)
        cones = np.array([[1.0, 0.0, s * np.cos(a), s * np.sin(a)] for s in length for a in turn])
        edges = np.array([[c, np.sin(h) * p, s, 0.0] for s in length for p in np.linspace(-1, 1, count)])
        return np.concatenate(
            [_turned(cones, 2 * h * k) for k in range(n)]
            + [_turned(edges, 2 * h * (k + 0.5)) for k in range(n)]
        )

    def mesh(self, reach: float, count: int) -> float:
        """How near `graph` comes to every point of gph ∂φ_n with |y| ≤ reach and u on the boundary."""
        return float(np.hypot(reach / (2 * (count - 1)), max(reach, 1.0) * self.half / (count - 1)))


def _turned(pairs: Array, angle: float) -> Array:
    """Both halves of (u, y) turned."""
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, s], [-s, c]])
    return np.concatenate([pairs[:, :2] @ turn, pairs[:, 2:] @ turn], axis=1)


def within(rng: np.random.Generator, radius: float, n: int = 100) -> Array:
    """Points of |x| ≤ r, half of them near its boundary and others by the unit circle."""
    at, share = 2 * np.pi * rng.random(n), np.sqrt(rng.random(n))
    share[: n // 2] = 1 - 0.05 * rng.random(n // 2)
    share[: n // 4] = np.minimum(1.0, (1 + 0.05 * rng.standard_normal(n // 4)) / radius)
    return np.asarray(radius * share[:, None] * np.column_stack([np.cos(at), np.sin(at)]))
