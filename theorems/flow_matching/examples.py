"""What the checks of the foundations draw: maps, mixtures, and the name of the notes."""

import numpy as np

from numerics.flows.residual import ResidualMap

NOTES = "Rangrej, Flow Matching (2024)"


def residual_map(rng: np.random.Generator, dim: int, hidden: int, contraction: float) -> ResidualMap:
    """A residual map on R^dim with q = δ‖V‖‖W‖ as given."""
    outer, inner = rng.standard_normal((dim, hidden)), rng.standard_normal((hidden, dim))
    size = float(np.linalg.norm(outer, 2) * np.linalg.norm(inner, 2))
    return ResidualMap(outer, inner, rng.standard_normal(hidden), contraction / size)
