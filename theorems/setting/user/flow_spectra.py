"""Spectra of a flow whose Jacobians are too large to be formed, by products with vectors.

`VECTORS` random vectors at each of `POINTS` points: Lanczos' method gives the ends of the spectrum of the
symmetric part and its density, the products themselves the share of the antisymmetric part. Memory is the
field's own for these rows, and `STEPS` vectors a row.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from numerics.flows.products import SpectralDensity, spectral_density
from numerics.streams import stream
from theorems.setting.user.flow_audits import MOST_DIMENSIONS, TIMES, place, trajectories
from theorems.setting.user.flows import UserFlow

Array = NDArray[np.float64]
ASKED = (0.0, 0.25, 0.5, 0.75, 0.9, 0.96, 0.99)
"""At which times, of `TIMES`."""
POINTS, VECTORS, STEPS = 4, 4, 40


def is_large(flow: UserFlow) -> bool:
    """Whether its Jacobians are asked by products."""
    return flow.dim > MOST_DIMENSIONS and flow.differentiates


@dataclass(frozen=True, eq=False)
class Spectrum:
    """What products told at one time.

    Attributes:
        t: The time.
        of_vectors: Spectral densities of (1−t)(Dv + Dvᵀ)/2, one a row; rows of one point follow each other.
        least: (n,), the smallest eigenvalue found at each point.
        largest: (n,), the largest.
        skew: Size of the antisymmetric part of Dv over that of Dv, estimated by the vectors.
    """

    t: float
    of_vectors: SpectralDensity
    least: Array
    largest: Array
    skew: float

    def at(self, k: int) -> "Spectrum":
        """What one point told, but for the skew."""
        rows, of = slice(k * VECTORS, (k + 1) * VECTORS), self.of_vectors
        density = SpectralDensity(of.nodes[rows], of.weights[rows], of.residuals[rows])
        return Spectrum(self.t, density, self.least[k : k + 1], self.largest[k : k + 1], self.skew)

    def count_above(self, threshold: float, d: int) -> tuple[Array, Array]:
        """How many eigenvalues lie above, at each point, and the standard error over its vectors."""
        counts = d * self.of_vectors.share_above(threshold).reshape(-1, VECTORS)
        return counts.mean(axis=1), counts.std(axis=1, ddof=1) / np.sqrt(VECTORS)


@cache
def spectra(flow: UserFlow) -> tuple[Spectrum, ...]:
    """Spectra at the times `ASKED` along the trajectories, with a line of progress for each.

    Raises:
        ValueError: If the field does not differentiate, or does not allow for second derivatives.
    """
    path = trajectories(flow).path
    rows = stream(flow.seed, "vectors").standard_normal((POINTS * VECTORS, flow.dim))
    found = []
    for k in map(place, ASKED):
        t, x = float(TIMES[k]), np.repeat(path[k, :POINTS], VECTORS, axis=0)
        flow.say(
            f"flow {flow.name}: spectrum at t = {t:g}, {STEPS} products at {POINTS} points, {VECTORS} vectors"
        )
        found.append(_spectrum(flow, t, x, rows))
    return tuple(found)


def _spectrum(flow: UserFlow, t: float, x: Array, rows: Array) -> Spectrum:
    pushed, pulled = flow.products(t, x, rows)
    skew = np.sqrt((((pushed - pulled) / 2) ** 2).sum() / max((pushed**2).sum(), 1e-300))

    def multiply(z: Array) -> Array:
        return np.asarray((1 - t) * sum(flow.products(t, x, z)) / 2)

    seen = spectral_density(multiply, rows, STEPS)
    least, largest = seen.least.reshape(-1, VECTORS), seen.largest.reshape(-1, VECTORS)
    return Spectrum(t, seen, least.min(axis=1), largest.max(axis=1), float(skew))
