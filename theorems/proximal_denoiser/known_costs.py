"""Targets whose transport cost is known by another route than a mean over pairs (P6, N4)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from numerics.geometry import norms
from numerics.potentials import DegenerateGaussian, FiniteAtoms, Potential, Sphere
from numerics.transport.semidiscrete import solve
from theorems.statistics import gaussian_lipschitz, hoeffding, mean_of_squares

Array = NDArray[np.float64]


@dataclass(frozen=True)
class KnownCost:
    """A target with closed second moments.

    Attributes:
        name: How they are known.
        target: φ.
        square: E|x₁|².
        correlation: E⟨x₀, x₁⟩.
        deviation: (n, a, b, level) ↦ by how much the mean of |ax₀ + bx₁|² over n pairs may stray.
    """

    name: str
    target: Potential
    square: float
    correlation: float
    deviation: Callable[[int, float, float, float], float]

    def mean(self, a: float, b: float) -> float:
        """E|ax₀ + bx₁|²: W₂² for a = −1, b = 1."""
        return a**2 * self.target.dim + b**2 * self.square + 2 * a * b * self.correlation

    @property
    def cost(self) -> float:
        """W₂²(P₀, P₁)."""
        return self.mean(-1.0, 1.0)


def _of_values(
    d: int, largest: float, heights: Array, squares: Array
) -> Callable[[int, float, float, float], float]:
    """a²|x₀|² + 2ab·φ*(x₀) + (b²|x₁|² + 2ab·g): χ², Gaussian concentration, Hoeffding for what atoms fix."""

    def deviation(n: int, a: float, b: float, level: float) -> float:
        width = float(np.ptp(b**2 * squares + 2 * a * b * heights))
        found = a**2 * d * mean_of_squares(n * d, level / 3)
        found += gaussian_lipschitz(n, 2 * abs(a * b) * largest, level / 3)
        return found + (hoeffding(n, width, level / 3) if width else 0.0)

    return deviation


def _of_gaussian(mean: Array, values: Array) -> Callable[[int, float, float, float], float]:
    """Σ (a + bκ_i)²x_i² + 2b(a + bκ_i)m_i x_i + b²|m|² in the eigenbasis: χ² and a normal for each i."""

    def deviation(n: int, a: float, b: float, level: float) -> float:
        share = level / (2 * len(values))
        squares = ((a + b * values) ** 2).sum() * mean_of_squares(n, share)
        return float(
            squares + gaussian_lipschitz(n, 1.0, share) * np.abs(2 * b * (a + b * values) * mean).sum()
        )

    return deviation


def _sphere() -> KnownCost:
    mean_length = np.sqrt(2) * np.exp(gammaln(2.0) - gammaln(1.5))
    flat = np.zeros(1)
    return KnownCost("sphere", Sphere(3, 2.0), 4.0, 2 * mean_length, _of_values(3, 2.0, flat, flat))


def _cube() -> KnownCost:
    flat = np.zeros(1)
    cube = FiniteAtoms.hypercube(4)
    return KnownCost("cube", cube, 4.0, 4 * np.sqrt(2 / np.pi), _of_values(4, 2.0, flat, flat))


def _plane() -> KnownCost:
    points = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 2.0], [1.0, 1.0], [-1.0, 1.5]])
    solution = solve(points, [0.3, 0.1, 0.2, 0.25, 0.15])
    squares = (points**2).sum(axis=1)
    square = float(solution.weights @ squares)
    deviation = _of_values(2, float(norms(points).max()), solution.heights, squares)
    correlation = (2 + square - solution.w2_squared) / 2
    return KnownCost("five atoms by Newton's method", solution.potential, square, correlation, deviation)


def _gaussian() -> KnownCost:
    """Covariance diag(4, 1, 0), turned by nothing: K = diag(2, 1, 0)."""
    mean, values = np.array([1.0, -0.5, 2.0]), np.array([2.0, 1.0, 0.0])
    target = DegenerateGaussian(mean, np.diag(values**2))
    square = float(values @ values + mean @ mean)
    return KnownCost("Gaussian", target, square, float(values.sum()), _of_gaussian(mean, values))


KNOWN_COSTS = (_sphere(), _cube(), _plane(), _gaussian())
