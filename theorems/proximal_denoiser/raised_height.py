"""A control of exact weights, in the plane and in space: one height is off, and its cell loses mass."""

from collections.abc import Callable
from typing import Any

import numpy as np

from numerics.transport.diagram import Diagram
from numerics.transport.semidiscrete import solve

Array = np.ndarray
PART = 1e-4
"""By what share of its weight the cell is to shrink."""


def record_raised_height(
    on: Any, cells_of: Callable[[Array, Array], Diagram], points: Array, weights: Array, where: str
) -> None:
    """Raise the height of the heaviest atom, and hold what its cell loses against the derivative of its mass.

    ∂P_i/∂g_i = −Σ_j (Gaussian size of the side that the cells of i and j share) / |y_i − y_j|, the derivative
    that Newton uses.

    Args:
        on: Evidence on the target.
        cells_of: (points, heights) → the diagram with exact masses.
        points: (n,d).
        weights: (n,).
        where: "" or where the cells are, for the quantity.
    """
    solution = solve(points, weights)
    cells, atom = cells_of(points, solution.heights), int(np.argmax(weights))
    slope = cells.conductance[(cells.pairs == atom).any(axis=1)].sum()
    shift = np.zeros(len(points))
    shift[atom] = PART * weights[atom] / slope
    more, less = (cells_of(points, solution.heights + s * shift).masses[atom] for s in (1, -1))
    curvature = abs(more + less - 2 * cells.masses[atom])
    on.control(
        f"one height raised: what its cell{where} loses of its weight",
        predicted=slope * shift[atom],
        measured=weights[atom] - more,
        agreement=curvature + 1e-3 * slope * shift[atom] + 64 * float(cells.rounding[atom]),
        because="first order; the second is half the second difference, the third below 1e−3 of the first",
    )
