"""The dimension of a user's data at several scales: in words, as a row, in a picture."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from numerics.transport.dimensions import DimensionEstimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ("neighbours k", "dimension", "± s.e.", "median distance to neighbour 2k", "points with r_k = r_2k")


MOST_TIED = 0.05
"""Share of points with r_k = r_2k from which data count as a grid: chosen. Of drawn points there are none."""


def row_of(found: DimensionEstimate) -> tuple[float, ...]:
    """A row of the table."""
    return found.neighbours, found.dimension, found.standard_error, found.scale, found.ties


def is_grid(one: DimensionEstimate, points: int) -> bool:
    """Whether too many points have neighbours at one distance for the estimate to mean something."""
    return one.ties > MOST_TIED * points


def is_possible(one: DimensionEstimate, points: int, ambient: int) -> bool:
    """Whether it is at most the dimension of the space, to two standard errors, or of a grid."""
    return is_grid(one, points) or one.dimension - 2 * one.standard_error <= ambient


def in_words(found: Sequence[DimensionEstimate], points: int) -> str:
    """Such as ``1.93 ± 0.05 within 0.04 (k = 1); …``: the least, the middle and the largest scale."""
    places = {0: None, len(found) // 2: None, len(found) - 1: None}
    return "; ".join(
        f"{_number(one, points)} within {one.scale:.2g} (k = {one.neighbours})"
        for one in map(found.__getitem__, places)
    )


def _number(one: DimensionEstimate, points: int) -> str:
    if not math.isfinite(one.dimension):
        return "none, as all neighbours are equally far,"
    if is_grid(one, points):
        return f"none, as {one.ties} of {points} points have neighbours at one distance (a grid),"
    return f"{one.dimension:.3g} ± {one.standard_error:.2g}"


def draw_dimensions(figure: "Figure", found: Sequence[DimensionEstimate], ambient: int) -> None:
    """Dimension against scale, with two standard errors; dashed, the dimension of the space."""
    axes = figure.subplots()
    shown = [one for one in found if math.isfinite(one.dimension)]
    scale, dimension = [one.scale for one in shown], [one.dimension for one in shown]
    reach = [2 * one.standard_error for one in shown]
    axes.errorbar(scale, dimension, reach, fmt="o-", ms=4, color="#4269d0")
    axes.axhline(ambient, color="#9ca3af", ls="--", lw=0.8, label=f"dimension {ambient} of the space")
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("median distance to neighbour 2k")
    axes.set_ylabel("estimated dimension")
    axes.legend(fontsize=8)
