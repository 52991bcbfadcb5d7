"""Figures 1 and 2 of the paper, drawn from computed values."""

from typing import TYPE_CHECKING

import numpy as np

from numerics.flows.exact import ExactField
from numerics.potentials import Ellipsoid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOISE, PATH, DATA, GREY = "#4269d0", "#6b7280", "#c2410c", "#9ca3af"


def draw_normal_rays(figure: "Figure", target: Ellipsoid, x0: np.ndarray, x1: np.ndarray) -> None:
    """The support, the noise density, and from each data point x₁ the ray x₁ + ∂φ(x₁)."""
    axes = figure.subplots()
    grid = np.linspace(-4.2, 4.2, 200)
    density = np.exp(-(grid[:, None] ** 2 + grid**2) / 2)
    axes.contourf(grid, grid, density, levels=8, cmap="Blues", alpha=0.55)
    _draw_support(axes, target)
    for noise, data in zip(x0, x1, strict=True):
        direction = noise / np.linalg.norm(noise)
        axes.plot(*np.stack([data, data + 1.4 * direction]).T, color=GREY, lw=0.7)
    axes.plot(*x0.T, ".", color=NOISE, ms=3.5, label="noise $x_0$")
    axes.plot(*x1.T, ".", color=DATA, ms=4.5, label="data $x_1 = T(x_0)$")
    axes.set_title(
        r"each ray is $x_1 + \partial\varphi(x_1)$: the directions of the noise sent to $x_1$", fontsize=9
    )
    _finish(axes)


def draw_interpolation(figure: "Figure", field: ExactField, x0: np.ndarray, t: float) -> None:
    """Noise, interpolant and data of a few pairs, with the maps between them."""
    axes = figure.subplots()
    assert isinstance(field.potential, Ellipsoid)
    _draw_support(axes, field.potential)
    xt = field.flow(t, x0)
    x1 = field.denoise(t, xt)
    for a, b, c in zip(x0, xt, x1, strict=True):
        axes.annotate("", xy=b, xytext=a, arrowprops={"arrowstyle": "-", "color": NOISE, "lw": 1.0})
        axes.annotate("", xy=c, xytext=b, arrowprops={"arrowstyle": "->", "color": DATA, "lw": 1.4})
    axes.plot(*x0.T, "o", color=NOISE, ms=5, label="$x_0$")
    axes.plot(*xt.T, "o", color=PATH, ms=5, label=f"$x_t$, t = {t:g}")
    axes.plot(*x1.T, "o", color=DATA, ms=5, label=r"$H_t^{-1}(x_t) = \nabla\psi_t^*(x_t) = x_1$")
    axes.set_title(
        r"$T = \nabla\varphi^*$ carries $x_0$ to $x_1$; $H_t^{-1}$ carries $x_t$ to $x_1$", fontsize=9
    )
    _finish(axes)


def _draw_support(axes: "Axes", target: Ellipsoid) -> None:
    angles = np.linspace(0, 2 * np.pi, 400)
    boundary = target.transport(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    axes.plot(*boundary.T, color=DATA, lw=1.6)


def _finish(axes: "Axes") -> None:
    axes.set_aspect("equal")
    axes.set_xlim(-4.2, 4.2)
    axes.set_ylim(-3.4, 3.4)
    axes.legend(loc="lower right", fontsize=8)
