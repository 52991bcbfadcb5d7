"""Pictures of a solved point cloud: its cells in the plane, the errors of its weights elsewhere."""

from typing import TYPE_CHECKING

import numpy as np

from numerics.transport.cells import laguerre
from numerics.transport.solution import SemidiscreteSolution

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REACH = 3.5
MOST_CELLS_FILLED = 2000
_PIXELS = 160


def draw_plane(figure: "Figure", solution: SemidiscreteSolution) -> None:
    """Points sized by weight, and the Laguerre cells of the noise in the same colours."""
    from matplotlib.collections import LineCollection

    left, right = figure.subplots(1, 2)
    points, n = solution.points, len(solution.points)
    colours = _colours(points)
    area = np.clip(60 * solution.weights * np.sqrt(n) * 4, 3, 400)
    left.scatter(*points.T, s=area, c=colours, edgecolors="black", linewidths=0.3)
    left.set_title("data: area as the weight", fontsize=9)
    left.set_aspect("equal", adjustable="datalim")
    if n <= MOST_CELLS_FILLED:
        grid = np.linspace(-REACH, REACH, _PIXELS)
        noise = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
        nearest = (noise @ points.T - solution.heights).argmax(axis=1)
        image = colours[nearest].reshape(_PIXELS, _PIXELS, 3)
        right.imshow(image, origin="lower", extent=(-REACH, REACH, -REACH, REACH), alpha=0.55)
    cells = laguerre(points, solution.heights)
    normal = points[cells.pairs[:, 1]] - points[cells.pairs[:, 0]]
    normal /= cells.lengths[:, None]
    along = np.stack([-normal[:, 1], normal[:, 0]], axis=1)
    foot = cells.offset[:, None] * normal
    ends = [np.clip(end, -3 * REACH, 3 * REACH)[:, None] for end in (cells.start, cells.stop)]
    lines = np.stack([foot + end * along for end in ends], axis=1)
    right.add_collection(LineCollection(list(lines), colors="black", linewidths=0.5))
    for radius in (1, 2, 3):
        angle = np.linspace(0, 2 * np.pi, 200)
        right.plot(radius * np.cos(angle), radius * np.sin(angle), color="white", lw=0.6, ls=":")
    right.set_xlim(-REACH, REACH)
    right.set_ylim(-REACH, REACH)
    right.set_aspect("equal")
    right.set_title("noise: each cell is sent to the point of its colour", fontsize=9)


def _colours(points: np.ndarray) -> np.ndarray:
    """(n, 3): hue by direction from the mean, paler near it."""
    from matplotlib.colors import hsv_to_rgb

    centred = points - points.mean(axis=0)
    radius = np.hypot(*centred.T)
    hue = (np.arctan2(centred[:, 1], centred[:, 0]) / (2 * np.pi)) % 1
    saturation = 0.2 + 0.7 * radius / max(float(radius.max()), 1e-300)
    return np.asarray(hsv_to_rgb(np.stack([hue, saturation, np.full(len(hue), 0.9)], axis=1)))


def draw_errors(figure: "Figure", solution: SemidiscreteSolution) -> None:
    """Mass minus weight in units of its stated uncertainty."""
    axes = figure.subplots()
    scaled = (solution.masses - solution.weights) / np.maximum(solution.uncertainty, 1e-300)
    axes.hist(scaled, bins=min(60, max(5, len(scaled) // 5)), color="#4269d0")
    axes.set_xlabel("(mass − weight) / uncertainty")
    axes.set_ylabel("atoms")
