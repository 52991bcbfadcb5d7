"""Real handwritten digits as a target, and pictures: recovered from noise, and what each receives of it."""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binom
from sklearn.datasets import load_digits

from numerics.flows.exact import ExactField
from numerics.flows.independent import IndependentField
from numerics.potentials import FiniteAtoms, NearestPoint, PointCloud
from numerics.transport.solution import SemidiscreteSolution

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 8


@cache
def digits() -> FiniteAtoms:
    """The 1797 digits of scikit-learn (8×8, d = 64), centred and divided by 16, as nearest points, a = 1."""
    images = load_digits().data
    target = NearestPoint(PointCloud((images - images.mean(axis=0)) / 16, name="digits()"), 1.0)
    assert isinstance(target, FiniteAtoms)  # the nearest point of a cloud is one of its atoms
    return target


def draw_recovery(figure: "Figure", x0: np.ndarray, x1: np.ndarray, times: tuple[float, ...]) -> None:
    """For each digit: its noise, and at each time x_t, what the prox returns, and the independent mean."""
    target = digits()
    mean = load_digits().data.mean(axis=0) / 16
    exact = ExactField(target)
    blurred = IndependentField(target.points, np.full(len(target.points), 1 / len(target.points)))
    columns = 2 + 3 * len(times)
    axes = figure.subplots(len(x0), columns)
    for i, (row, noise, data) in enumerate(zip(axes, x0, x1, strict=True)):
        images = [("noise $x_0$", noise)]
        for t in times:
            xt = ((1 - t) * noise + t * data)[None]
            images.append((f"$x_t$, t = {t:g}", xt[0]))
            images.append(("prox", exact.denoise(t, xt)[0] + mean))
            images.append(("indep. mean", blurred.denoise(t, xt)[0] + mean))
        images.append(("data $x_1$", data + mean))
        for axis, (title, image) in zip(row, images, strict=True):
            axis.imshow(image.reshape(SIDE, SIDE), cmap="gray_r")
            axis.set_xticks([])
            axis.set_yticks([])
            if i == 0:
                axis.set_title(title, fontsize=6)


def draw_weights(figure: "Figure", counts: np.ndarray) -> None:
    """The induced weights of the images, sorted, on logarithmic scales."""
    axes = figure.subplots()
    ordered = np.sort(counts)[::-1] / counts.sum()
    axes.loglog(np.arange(1, len(ordered) + 1), np.where(ordered > 0, ordered, np.nan), ".", ms=3)
    axes.axhline(1 / len(counts), color="#9ca3af", lw=1, label="uniform weight 1/1797")
    axes.set_xlabel("image, by weight")
    axes.set_ylabel("share of the noise sent to it")
    axes.legend(fontsize=8)


def draw_masses(figure: "Figure", solution: SemidiscreteSolution) -> None:
    """Sorted masses over their targets, with their intervals and sampling noise; the digits farthest off."""
    grid = figure.add_gridspec(2, 6)
    axes, ratio = figure.add_subplot(grid[:, :3]), solution.masses / solution.weights
    order, spread = np.argsort(ratio), solution.uncertainty / solution.weights
    rank, middle = np.arange(1, len(order) + 1), ratio[order]
    low, high = np.maximum(middle - spread[order], 0), middle + spread[order]
    axes.fill_between(rank, low, high, color="#bfdbfe", lw=0, label="confidence intervals")
    noise = binom.ppf((rank - 0.5) / len(order), solution.draws, 1 / len(order)) / solution.draws * len(order)
    axes.plot(rank, noise, color="#f59e0b", lw=1.2, ls="--", label="sampling noise alone")
    axes.plot(rank, middle, color="#1d4ed8", lw=1.2, label="on held-out noise")
    axes.axhline(1, color="#9ca3af", lw=1, label="what is due")
    axes.set_xlabel("image, by mass")
    axes.set_ylabel(f"mass times {len(order)}")
    axes.legend(fontsize=8)
    mean = load_digits().data.mean(axis=0) / 16
    for k, i in enumerate([*order[:3], *order[-3:]]):
        axis = figure.add_subplot(grid[k // 3, 3 + k % 3])
        axis.imshow((solution.points[i] + mean).reshape(SIDE, SIDE), cmap="gray_r")
        axis.set_title(f"{ratio[i]:.2f}", fontsize=8)
        axis.set_xticks([])
        axis.set_yticks([])
