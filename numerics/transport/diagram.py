r"""A Laguerre diagram as the list of walls between its cells, in any dimension (docs/theory.md §4.3).

The cell of atom i is $C_i = \{x_0 : ⟨x_0, y_i⟩ - g_i ≥ ⟨x_0, y_j⟩ - g_j \text{ for all } j\}$. A wall is
where two cells meet: an edge in the plane, a face in space. Whatever the dimension, three numbers a wall
make up all that transport asks of the cells, each serving the two cells on its sides:

- what it cuts off as seen from 0, `swept`: $P(C_i) = (\text{share of } 0) - Σ\,\text{swept}$;
- its Gaussian integral, `flux`: $∫_{C_i} x\,dγ = -Σ n·\text{flux}$ by Green's formula, as $∇γ = -xγ$;
- `conductance` = flux / |y_i − y_j| = ∂P(C_i)/∂g_j.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csc_array

from numerics.accuracy import EPS


@dataclass(frozen=True)
class Diagram(ABC):
    """The cells of n atoms, as the list of the m walls between them.

    Attributes:
        points: (n, d), the atoms y.
        heights: (n,), g.
        pairs: (m, 2), the atoms (i, j), i < j, on the two sides of each wall.
        offset: (m,), h = (g_j − g_i)/|y_j − y_i|, the distance from the origin along the normal i → j.
    """

    points: Float[np.ndarray, "n d"]
    heights: Float[np.ndarray, " n"]
    pairs: Int[np.ndarray, "m 2"]
    offset: Float[np.ndarray, " m"]

    @abstractmethod
    def at(self, heights: Float[np.ndarray, " n"]) -> "Diagram":
        """The cells of the same atoms at other heights."""

    @property
    @abstractmethod
    def flux(self) -> Float[np.ndarray, " m"]:
        """The Gaussian integral over each wall, ≥ 0."""

    @property
    @abstractmethod
    def swept(self) -> Float[np.ndarray, " m"]:
        """The mass beyond each wall as seen from 0, with the sign of h."""

    @property
    @abstractmethod
    def around_origin(self) -> Float[np.ndarray, " n"]:
        """(n,), the part of a small ball about 0 that lies in each cell."""

    @cached_property
    def lengths(self) -> Float[np.ndarray, " m"]:
        """|y_i − y_j| over the walls."""
        return norms(self._differences)

    @cached_property
    def _differences(self) -> Float[np.ndarray, "m d"]:
        return self.points[self.pairs[:, 1]] - self.points[self.pairs[:, 0]]

    @cached_property
    def empty(self) -> Bool[np.ndarray, " n"]:
        """(n,), whether the cell has no interior: its atom lies on or above the hull of the others."""
        present = np.zeros(len(self.points), dtype=bool)
        present[self.pairs] = True
        if not len(self.pairs):
            present[np.argmin(self.heights)] = True
        return ~present

    @cached_property
    def conductance(self) -> Float[np.ndarray, " m"]:
        """∂P(C_i)/∂g_j = ∂P(C_j)/∂g_i over the walls: flux / |y_i − y_j|."""
        return self.flux / self.lengths

    @cached_property
    def masses(self) -> Float[np.ndarray, " n"]:
        """(n,), P₀(C_i), summing to 1. A mass is a difference of numbers of order 1: see `rounding`."""
        n = len(self.points)
        mass = self.around_origin.copy()
        mass -= np.bincount(self.pairs[:, 0], self.swept, minlength=n)
        mass += np.bincount(self.pairs[:, 1], self.swept, minlength=n)
        mass[self.empty] = 0.0
        return mass

    @cached_property
    def first_moments(self) -> Float[np.ndarray, "n d"]:
        """(n, d), ∫ over C_i of x dγ; they sum to 0."""
        flow = self._differences * self.conductance[:, None]
        n = len(self.points)
        out = np.empty(self.points.shape)
        for axis in range(self.points.shape[1]):
            out[:, axis] = np.bincount(self.pairs[:, 1], flow[:, axis], minlength=n)
            out[:, axis] -= np.bincount(self.pairs[:, 0], flow[:, axis], minlength=n)
        return out

    @property
    def hessian(self) -> csc_array:
        """(n, n) sparse, −∂P(C_i)/∂g_j: the Laplacian of the graph of neighbours, positive semidefinite."""
        i, j = self.pairs.T
        c = self.conductance
        n = len(self.points)
        rows, columns = np.concatenate([i, j, i, j]), np.concatenate([j, i, i, j])
        return csc_array((np.concatenate([-c, -c, c, c]), (rows, columns)), shape=(n, n))

    @property
    def correlation(self) -> float:
        """E⟨x₀, T(x₀)⟩ = Σ conductance·|y_i − y_j|², by Green's formula; independent of translations."""
        return float(self.flux @ self.lengths)

    @property
    def evaluation(self) -> Float[np.ndarray, " n"]:
        """(n,), what masses err by where rounding of heights and atoms plays no part: 8·eps."""
        return np.full(len(self.points), 8 * EPS)

    @property
    def rounding(self) -> Float[np.ndarray, " n"]:
        """(n,), how far a mass can be off because heights and atoms are float64 numbers.

        `evaluation`, and 2·eps·(|g_i| + |g_j|)·conductance over the walls, since heights are given to
        eps·|g| and a wall moves by that over |y_i − y_j|. It exceeds the first term only for pairs of atoms
        that are far closer to each other than g is to 0.
        """
        n = len(self.points)
        moved = 2 * EPS * self.conductance * np.abs(self.heights[self.pairs]).sum(axis=1)
        spread = np.bincount(self.pairs[:, 0], moved, minlength=n)
        return self.evaluation + spread + np.bincount(self.pairs[:, 1], moved, minlength=n)


def norms(vectors: Float[np.ndarray, "k d"]) -> Float[np.ndarray, " k"]:
    """(k,), lengths of the rows; in the plane without overflow."""
    return np.hypot(*vectors.T) if vectors.shape[1] == 2 else np.sqrt((vectors**2).sum(axis=1))


def levelled(heights: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Heights, those within 4·eps·max|g| of the lowest made equal to it.

    Where several cells meet at 0 to rounding, as in symmetric clouds, they then meet at 0, and the angles
    there are known.
    """
    lowest = heights.min()
    return np.where(heights - lowest <= 4 * EPS * np.abs(heights).max(), lowest, heights)
