r"""Spectra of Jacobians that are too large to be formed: Lanczos' method on products with vectors.

$Dv\,z$ and $Dv^\top z$ cost a few evaluations of the field (`numerics.flows.automatic`). From products of the
symmetric part with a random vector, k steps of Lanczos make a Gauss quadrature of its spectral density: 2k
moments are right, the extreme nodes tend to the extreme eigenvalues from within, and each node is within its
residual of an eigenvalue.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.checks import as_array, positive_integer

Rows = Float[np.ndarray, "n d"]


@dataclass(frozen=True)
class SpectralDensity:
    """Gauss quadratures of n spectral densities.

    Attributes:
        nodes: (n,k), ascending.
        weights: (n,k), not negative, summing to 1: of the first vector's spectral measure.
        residuals: (n,k), how far each node may be from an eigenvalue.
    """

    nodes: Float[np.ndarray, "n k"]
    weights: Float[np.ndarray, "n k"]
    residuals: Float[np.ndarray, "n k"]

    def share_above(self, threshold: float) -> Float[np.ndarray, " n"]:
        """The share of each measure above a threshold; times d it counts eigenvalues, on average."""
        return np.asarray((self.weights * (self.nodes > threshold)).sum(axis=1))

    def mean(self, function: Callable[[np.ndarray], np.ndarray]) -> Float[np.ndarray, " n"]:
        """∫f of each measure."""
        return np.asarray((self.weights * function(self.nodes)).sum(axis=1))

    @property
    def least(self) -> Float[np.ndarray, " n"]:
        """The smallest node that has weight."""
        return np.asarray(np.where(self.weights > 1e-14, self.nodes, np.inf).min(axis=1))

    @property
    def largest(self) -> Float[np.ndarray, " n"]:
        """The largest node that has weight."""
        return np.asarray(np.where(self.weights > 1e-14, self.nodes, -np.inf).max(axis=1))


def spectral_density(multiply: Callable[[Rows], Rows], start: ArrayLike, steps: int) -> SpectralDensity:
    """Lanczos' method for n symmetric matrices at once, with full orthogonalisation.

    Memory is n·steps·d numbers.

    Args:
        multiply: (n,d) → (n,d), row i by matrix i.
        start: (n,d), a vector each, not 0.
        steps: k, at most d are made.

    Raises:
        ValueError: If an argument is malformed.

    Example:
        >>> found = spectral_density(lambda z: z * np.array([1.0, 2.0, 5.0]), [[1.0, 1.0, 1.0]], 3)
        >>> found.nodes.round(12).tolist(), found.weights.round(12).tolist()
        ([[1.0, 2.0, 5.0]], [[0.333333333333, 0.333333333333, 0.333333333333]])
    """
    first = as_array("start", start, ndim=2)
    n, d = first.shape
    k = min(positive_integer("steps", steps), d)
    basis = np.zeros((n, k + 1, d))
    basis[:, 0] = first / np.linalg.norm(first, axis=1, keepdims=True)
    diagonal, beside = np.zeros((n, k)), np.zeros((n, k))
    largest = np.zeros(n)
    for j in range(k):
        product = multiply(basis[:, j])
        diagonal[:, j] = np.einsum("nd,nd->n", basis[:, j], product)
        rest = product
        for _ in range(2):  # twice is enough
            rest = rest - np.einsum(
                "njd,nj->nd", basis[:, : j + 1], np.einsum("njd,nd->nj", basis[:, : j + 1], rest)
            )
        beside[:, j] = np.linalg.norm(rest, axis=1)
        largest = np.maximum(largest, np.linalg.norm(product, axis=1))
        over = beside[:, j] <= 1e-13 * largest * np.sqrt(d)  # the vector's own space is used up
        beside[over, j] = 0.0
        basis[:, j + 1] = np.where(over[:, None], 0.0, rest / np.where(over, 1.0, beside[:, j])[:, None])
    small = np.zeros((n, k, k))
    place = np.arange(k)
    small[:, place, place] = diagonal
    small[:, place[1:], place[:-1]] = small[:, place[:-1], place[1:]] = beside[:, :-1]
    nodes, vectors = np.linalg.eigh(small)
    return SpectralDensity(nodes, vectors[:, 0] ** 2, beside[:, -1:] * np.abs(vectors[:, -1]))
