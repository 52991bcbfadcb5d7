"""Figure 5 of the paper: generated images, and how they are moved along eigenvectors."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from theorems.learned_flows.images import Images, Moves

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]


def draw_samples(figure: "Figure", images: Images, points: Array, columns: int = 10) -> None:
    """Images in rows of ten."""
    panels = figure.subplots(-(-len(points) // columns), columns)
    for axes, point in zip(np.ravel(panels), points, strict=True):
        _draw(axes, images, point + images.mean)


def draw_moves(figure: "Figure", images: Images, moved: Moves, rows: int) -> None:
    """A row an image: itself, then for each rank the eigenvector, the moved image and its flow's end."""
    panels = figure.subplots(rows, 1 + 3 * len(moved.ranks))
    for i, row in enumerate(panels):
        _draw(row[0], images, moved.images[i] + images.mean, "image" if i == 0 else "")
        for k, rank in enumerate(moved.ranks):
            name = f"rank {images.dim - rank}"
            titles = (name, "moved", "flowed") if i == 0 else ("", "", "")
            shown = (
                moved.directions[i, k],
                moved.moved[i, k] + images.mean,
                moved.flowed[i, k] + images.mean,
            )
            for axes, title, picture in zip(row[1 + 3 * k : 4 + 3 * k], titles, shown, strict=True):
                _draw(axes, images, picture, title, signed=picture is shown[0])


def _draw(axes: "Axes", images: Images, picture: Array, title: str = "", *, signed: bool = False) -> None:
    low, high, colors = (-0.5, 0.5, "RdBu_r") if signed else (0.0, 1.0, "gray_r")
    axes.imshow(picture.reshape(images.side, -1), cmap=colors, vmin=low, vmax=high)
    axes.set_xticks([])
    axes.set_yticks([])
    if title:
        axes.set_title(title, fontsize=6)
