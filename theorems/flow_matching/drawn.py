"""What the checks of the foundations draw: maps, mixtures, and the name of the notes."""

import numpy as np
from numpy.typing import NDArray

from numerics.flows.mixtures import MixtureField
from numerics.flows.paths import GaussianPath
from numerics.flows.residual import ResidualMap

Array = NDArray[np.float64]

NOTES = "Rangrej, Flow Matching (2024)"


def residual_map(rng: np.random.Generator, dim: int, hidden: int, contraction: float) -> ResidualMap:
    """A residual map on R^dim with q = δ‖V‖‖W‖ as given."""
    outer, inner = rng.standard_normal((dim, hidden)), rng.standard_normal((hidden, dim))
    size = float(np.linalg.norm(outer, 2) * np.linalg.norm(inner, 2))
    return ResidualMap(outer, inner, rng.standard_normal(hidden), contraction / size)


def covariance(rng: np.random.Generator, dim: int) -> Array:
    """A covariance with eigenvalues from 0.2 to 2, turned at random."""
    turn, _ = np.linalg.qr(rng.standard_normal((dim, dim)))
    matrix = (turn * rng.uniform(0.2, 2.0, dim)) @ turn.T
    return np.asarray(matrix + matrix.T) / 2


def mixture(rng: np.random.Generator, dim: int, parts: int, path: GaussianPath | None = None) -> MixtureField:
    """A mixture whose components differ in weight, place and shape."""
    weights = rng.uniform(0.5, 1.5, parts)
    shapes = [covariance(rng, dim) / 2 for _ in range(parts)]
    return MixtureField(1.5 * rng.standard_normal((parts, dim)), shapes, weights / weights.sum(), path)
