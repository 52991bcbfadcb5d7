r"""Pairs of laws at a known distance, and laws that approach another: closed forms (docs/theory.md N5, N6).

Each pair has a potential on either side and $δ = W_2(P, Q)$ from an argument that its docstring gives.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from numerics.checks import as_array, as_points, positive_integer, positive_number
from numerics.deprecated import goes
from numerics.potentials import FiniteAtoms, Potential, Sphere


@dataclass(frozen=True)
class Neighbours:
    """Two laws P, Q and how far apart they are.

    Attributes:
        first: The potential of P.
        second: The potential of Q.
        distance: δ = W₂(P, Q).
    """

    first: Potential
    second: Potential
    distance: float


def turned(angle: float) -> Neighbours:
    """The atoms ±e₀ in the plane and the same turned by ``angle``: δ = 2 sin(angle/2).

    Each atom goes to its turned self, which is nearer than the other one up to a right angle.

    Args:
        angle: θ in (0, π/2].

    Raises:
        ValueError: If the angle is out of range.

    Example:
        >>> round(turned(0.1).distance, 7)
        0.0999583
    """
    if positive_number("angle", angle) > np.pi / 2:
        raise ValueError(f"angle: got {angle}; it must be at most π/2")
    there = np.array([np.cos(angle), np.sin(angle)])
    first = FiniteAtoms([[1.0, 0.0], [-1.0, 0.0]], [0.0, 0.0])
    return Neighbours(first, FiniteAtoms([there, -there], [0.0, 0.0]), 2 * float(np.sin(angle / 2)))


def reweighted(
    weight: float, other: float, apart: float | None = None, *, gap: float | None = None
) -> Neighbours:
    """Atoms 0 and ``apart`` on the line with ``weight`` and ``other`` on the first: δ = apart·√|w − w'|.

    Args:
        weight: w, of the first atom under P, in (0, 1).
        other: w', of the first atom under Q, in (0, 1).
        apart: The distance of the atoms, > 0.
        gap: An older name of ``apart``, which goes with the next version.

    Raises:
        ValueError: If a weight is not in (0, 1), or the distance is not positive.

    Example:
        >>> round(reweighted(0.3, 0.4, 2.0).distance, 7)
        0.6324555
    """
    if gap is not None:
        goes("reweighted's keyword gap", "apart")
        apart = gap
    if apart is None:
        raise ValueError("apart: missing; it is the distance of the atoms, greater than 0")
    far = positive_number("apart", apart)
    first, second = (FiniteAtoms.two([0.0], [far], w) for w in (weight, other))
    return Neighbours(first, second, far * float(np.sqrt(abs(weight - other))))


def polygon_in_circle(corners: int) -> Neighbours:
    """The uniform law on the unit circle and that on a regular polygon's corners: δ² = 2 − 2 sin(π/n)/(π/n).

    Each corner takes its arc: the plan is the nearest-point one, and no plan is cheaper than that.

    Raises:
        ValueError: If corners is not an integer of at least 2.

    Example:
        >>> round(polygon_in_circle(8).distance, 7)
        0.2258523
    """
    half = np.pi / positive_integer("corners", corners, least=2)
    # 1 − sin(h)/h without cancellation: its series where h is small
    lack = half**2 / 6 - half**4 / 120 + half**6 / 5040 if half < 0.05 else 1 - np.sin(half) / half
    return Neighbours(Sphere(2), FiniteAtoms.regular_polygon(corners), float(np.sqrt(2 * lack)))


@dataclass(frozen=True)
class Comb(Neighbours):
    """Atoms (iℓ, ±cℓ²), by turns above and below, and their shadows (iℓ, 0) of the same weights: δ = cℓ².

    No atom is nearer than cℓ² to a shadow, and each is that near its own. The cells of Q end at
    x₁ = (i+½)ℓ + (−1)^i 2cℓx₂ while |x₂| < 1/(4c), so that those of P end at (i+½)ℓ/√(1+4c²ℓ²), up to the
    Gaussian mass beyond that, P(|N| > 8) ~ 1e−15 for c = 1/32, and the mass beyond the last atom.

    Attributes:
        spacing: ℓ.
        bend: c.
        ends: (N−1,), where the cells of P end.
    """

    spacing: float
    bend: float
    ends: np.ndarray

    @classmethod
    def of(cls, spacing: float, bend: float = 1 / 32, reach: float = 6.0) -> "Comb":
        """The comb with atoms at |iℓ| ≤ ``reach``.

        Raises:
            ValueError: If a number is not positive, or the reach is less than the spacing.

        Example:
            >>> Comb.of(0.4).distance == 0.4**2 / 32
            True
        """
        for name, value in (("spacing", spacing), ("bend", bend), ("reach", reach)):
            positive_number(name, value)
        if reach < spacing:
            raise ValueError(f"reach: got {reach}; it must be at least the spacing {spacing}")
        last = int(np.floor(reach / spacing + 1e-9))
        i = np.arange(-last, last + 1)
        points = np.column_stack([i * spacing, np.where(i % 2, -1.0, 1.0) * bend * spacing**2])
        ends = (i[:-1] + 0.5) * spacing / np.sqrt(1 + (2 * bend * spacing) ** 2)
        heights = np.concatenate([[0.0], np.cumsum(ends * spacing)])
        shadow = FiniteAtoms(points * [1.0, 0.0], heights - heights[last])
        comb = FiniteAtoms(points, (i * spacing) ** 2 / 2)
        return cls(shadow, comb, bend * spacing**2, float(spacing), float(bend), ends)


def escaping(n: int) -> FiniteAtoms:
    """(1 − 1/n)δ₀ + (1/n)δ_n on the line: weakly it tends to δ₀, though W₂ = √n from it.

    φ* = max(0, n(x − Φ⁻¹(1−1/n))).

    Raises:
        ValueError: If n is not an integer of at least 2.
    """
    return FiniteAtoms.two([0.0], [float(positive_integer("n", n, least=2))], 1 - 1 / n)


def on_sphere(points: ArrayLike) -> FiniteAtoms:
    """Atoms on a sphere about 0 with heights 0: each weighs the share of directions that it is nearest to.

    φ is the indicator of their hull, T the nearest atom of a direction; whatever the points are, the weights
    are those of the nearest-point plan from the uniform law, so W₂ is at most the covering radius.

    Args:
        points: (N,d), all of one length.

    Raises:
        ValueError: If their lengths differ by more than rounding.
    """
    y = as_array("points", points, ndim=2)
    lengths = np.linalg.norm(y, axis=1)
    if np.ptp(lengths) > 1e-12 * lengths.max():
        raise ValueError(f"points: lengths run from {lengths.min()} to {lengths.max()}; they must agree")
    return FiniteAtoms(y, np.zeros(len(y)))


def fibonacci(n: int) -> np.ndarray:
    """(n,3), points of the unit sphere along a spiral by the golden angle, about √(4π/n) apart.

    Raises:
        ValueError: If n is not a positive integer.
    """
    k = np.arange(positive_integer("n", n))
    height = 1 - (2 * k + 1) / n
    angle = np.pi * (3 - np.sqrt(5)) * k
    radius = np.sqrt(1 - height**2)
    y = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), height])
    return np.asarray(as_points("points", y / np.linalg.norm(y, axis=1, keepdims=True), 3))
