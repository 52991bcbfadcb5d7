"""φ, its slope and H along two moons, lifted from atoms."""

from typing import TYPE_CHECKING

import numpy as np

from numerics.transport.lifts import CurveLift

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIRST, SECOND, GREY = "#4269d0", "#c2410c", "#6b7280"
DRAWN = 200
"""About so many atoms are marked: their marks overlap already."""


def draw_moons(figure: "Figure", lifted: CurveLift, mean_noise: np.ndarray) -> None:
    """The moons coloured by φ; φ and φ' by arc length; H at the mean noise of each atom's cell, (n,2)."""
    plane, along, bend = figure.subplots(1, 3)
    points = lifted.fine.points
    ends = np.cumsum([0] + [len(s) for s in lifted.fine_places])
    values = [lifted.value(arc, s) for arc, s in enumerate(lifted.fine_places)]
    apart = max(1, len(points) // DRAWN)
    marks = plane.scatter(*points[::apart].T, c=np.concatenate(values)[::apart], s=9, cmap="viridis")
    plane.set_aspect("equal", adjustable="datalim")
    plane.set_title("data: coloured by φ", fontsize=9)
    figure.colorbar(marks, ax=plane, shrink=0.6)
    for arc, (s, colour, style) in enumerate(
        zip(lifted.fine_places, (FIRST, SECOND), ("-", "--"), strict=True)
    ):
        name = ("upper", "lower")[arc]
        along.plot(s, values[arc] - values[arc][0], color=colour, ls=style, label=f"φ − φ(first), {name}")
        along.plot(s, lifted.slope(arc, s), color=colour, ls=style, lw=0.8, alpha=0.6, label=f"φ', {name}")
        hessian = lifted.hessian(arc, s, mean_noise[ends[arc] : ends[arc + 1]])
        bend.semilogy(s, hessian, color=colour, ls=style, label=f"H, {name}")
        bend.semilogy(s, lifted.error(arc, s, 2), color=GREY, ls=style, lw=0.7, label=f"stated error, {name}")
    along.set_title("along the moon, by arc length", fontsize=9)
    bend.set_title("H at the mean noise sent there", fontsize=9)
    for axes in (along, bend):
        axes.set_xlabel("s")
        axes.legend(fontsize=6)
