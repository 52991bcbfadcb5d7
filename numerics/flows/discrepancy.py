r"""Distance of samples from a Gaussian mixture, in closed form on the mixture's side (docs/theory.md F8).

With the kernel $k(x,y) = e^{-|x-y|^2/2h^2}$, $D^2 = E k(x,x') - 2E k(x,y) + E k(y,y')$ is the energy distance
of 1 − k (no metric, but its square root is one), and 0 only for equal laws [@gretton2012kernel]. No sample of
the mixture is needed, and as k is bounded, McDiarmid's inequality says how far the samples may be from their
own law.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.checks import as_points, positive_number
from numerics.flows.mixtures import MixtureField

_BLOCK = 128  # rows at once, whose kernels stay in the cache


@dataclass(frozen=True)
class KernelDistance:
    """D between laws, h its width.

    Attributes:
        width: h > 0, the size of what is told apart.

    Example:
        >>> from numerics.flows import MixtureField
        >>> here, there = (MixtureField([[m]], [[[0.0]]], [1.0]) for m in (0.0, 2.0))  # two points
        >>> round(float(KernelDistance(1.0).between(here, there)) ** 2, 4)  # 1 + 1 − 2e^{−2}
        1.7293
    """

    width: float

    def __post_init__(self) -> None:
        positive_number("width", self.width)

    def to_mixture(self, samples: ArrayLike, target: MixtureField) -> float:
        """D between the uniform law on samples (n,d) and the mixture that is the field's data."""
        x = as_points("samples", samples, target.dim)
        own = sum(_sum_of_kernel(x[i : i + _BLOCK], x, self.width) for i in range(0, len(x), _BLOCK))
        cross = sum(
            w * float(self._smoothed(x - m, s).mean())
            for w, m, s in zip(target.weights, target.means, target.covariances, strict=True)
        )
        return _root(own / len(x) ** 2 - 2 * cross + self._product(target, target))

    def between(self, first: MixtureField, second: MixtureField) -> float:
        """D between the data of two fields, in closed form.

        Raises:
            ValueError: If they have another dimension.
        """
        if first.dim != second.dim:
            raise ValueError(f"second: got dimension {second.dim} for a first of dimension {first.dim}")
        own = self._product(first, first) + self._product(second, second)
        return _root(own - 2 * self._product(first, second))

    def radius(self, n: int, level: float) -> float:
        """How far D of n independent samples may be from that of their law, but with probability ``level``.

        The norm of the mean embedding's error has mean at most 1/√n, and moves by at most √2/n with one
        sample: P(it exceeds (1 + √log(1/level))/√n) ≤ level.
        """
        return float((1 + np.sqrt(np.log(1 / level))) / np.sqrt(n))

    def _product(self, first: MixtureField, second: MixtureField) -> float:
        """E k(y, y') for y, y' from the two."""
        return sum(
            w * v * float(self._smoothed((m - n)[None], s + r)[0])
            for w, m, s in zip(first.weights, first.means, first.covariances, strict=True)
            for v, n, r in zip(second.weights, second.means, second.covariances, strict=True)
        )

    def _smoothed(
        self, apart: Float[np.ndarray, "n d"], covariance: Float[np.ndarray, "d d"]
    ) -> Float[np.ndarray, " n"]:
        """E k(x, y) for x − y of these means (n,d) and this covariance, Gaussian."""
        wide = covariance / self.width**2 + np.eye(apart.shape[1])
        squares = np.einsum("ni,ni->n", apart, np.linalg.solve(wide, apart.T).T) / self.width**2
        return np.asarray(np.exp(-squares / 2) / np.sqrt(np.linalg.det(wide)))


def _sum_of_kernel(x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "m d"], width: float) -> float:
    squares = (x**2).sum(axis=1)[:, None] - 2 * x @ y.T + (y**2).sum(axis=1)
    return float(np.exp(np.minimum(-squares / (2 * width**2), 0.0)).sum())


def _root(square: float) -> float:
    """√ of a square that rounding may have made negative."""
    return float(np.sqrt(max(square, 0.0)))
