"""The solutions that start at one tie of two atoms."""

from typing import TYPE_CHECKING

import numpy as np

from numerics.schedules import Linear, Schedule, Trigonometric
from theorems.proximal_denoiser.known_subgradients import ACROSS, ALONG, ON_THE_WALL, THRESHOLD, TIE
from theorems.proximal_denoiser.minty import Minty

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WALL, PATH, DATA, CHOSEN = "#9ca3af", "#4269d0", "#c2410c", "#15803d"


def draw_starts(figure: "Figure") -> None:
    """For either schedule: paths αx₀ + βu to points u of the segment, and the one the field starts with."""
    for axes, schedule, name in zip(
        figure.subplots(1, 2, sharey=True),
        (Linear(), Trigonometric()),
        ("linear", "trigonometric"),
        strict=True,
    ):
        _draw(axes, schedule)
        axes.set_title(f"{name}: one start, many solutions", fontsize=9)


def _draw(axes: "Axes", schedule: Schedule) -> None:
    wall = THRESHOLD * ALONG + np.linspace(-2, 2, 2)[:, None] * ACROSS
    axes.plot(*wall.T, "--", color=WALL, lw=1, label="noise at which the atoms tie")
    t = np.linspace(0, 1, 60)[:, None]
    for share in np.linspace(0, 1, 9):
        u = (1 - share) * TIE.points[0] + share * TIE.points[1]
        axes.plot(
            *(schedule.alpha(t[:, 0])[:, None] * ON_THE_WALL + schedule.beta(t[:, 0])[:, None] * u).T,
            color=PATH,
            lw=0.8,
        )
    at = Minty(TIE, schedule, 1e-6, ON_THE_WALL[None])
    velocity = float(schedule.alpha_dot(0.0)) * at.y[0] + float(schedule.beta_dot(0.0)) * at.u[0]
    axes.annotate(
        "",
        xy=ON_THE_WALL + 0.6 * velocity,
        xytext=ON_THE_WALL,
        arrowprops={"arrowstyle": "->", "color": CHOSEN, "lw": 2.0},
    )
    axes.plot([], [], color=CHOSEN, lw=2, label="limit of the field: least norm")
    axes.plot(*TIE.points.T, "o", color=DATA, ms=6, label="atoms")
    axes.plot(*ON_THE_WALL, "o", color="black", ms=4)
    axes.set_aspect("equal")
    axes.set_xlim(-1.2, 2.2)
    axes.set_ylim(-1.0, 1.9)
    axes.legend(fontsize=6, loc="lower right")
