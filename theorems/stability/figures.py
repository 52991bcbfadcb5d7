"""Figures of stability, drawn from computed values."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, RED, GREY, GREEN = "#4269d0", "#c2410c", "#9ca3af", "#15803d"
MARKS = ("o", "s", "^", "D")


def draw_gains(figure: "Figure", gains: dict[str, np.ndarray], found: dict[str, np.ndarray]) -> None:
    """What an error of 1 at step k does to the end: predicted as lines, found as crosses."""
    axes = figure.subplots()
    for colour, mark, (name, values) in zip((BLUE, RED, GREY), MARKS, gains.items(), strict=False):
        k = np.arange(len(values))
        axes.plot(k, values, color=colour, lw=1.2, marker=mark, ms=4, label=name)
        axes.plot(k, found[name], "x", color="black", ms=5)
    axes.plot([], [], "x", color="black", label="found")
    axes.set_xlabel("step $k$ at which the field errs")
    axes.set_ylabel("moves the end by")
    axes.legend(fontsize=8)


def draw_scatter(figure: "Figure", panels: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Predicted against found, one panel each, with the diagonal."""
    for axes, (name, (x, y)) in zip(
        np.atleast_1d(figure.subplots(1, len(panels))), panels.items(), strict=True
    ):
        axes.plot(x, y, ".", ms=2, color=BLUE)
        ends = [min(x.min(), y.min()), max(x.max(), y.max())]
        axes.plot(ends, ends, color=RED, lw=0.8)
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("predicted")
        axes.set_ylabel("found")


def draw_rates(
    figure: "Figure",
    lines: dict[str, tuple[np.ndarray, np.ndarray]],
    labels: tuple[str, str],
    slopes: tuple[float, ...] = (),
) -> None:
    """Quantities against a size on log–log axes, with dashed lines of given slopes."""
    axes = figure.subplots()
    for mark, colour, (name, (x, y)) in zip(MARKS, (BLUE, RED, GREEN, GREY), lines.items(), strict=False):
        axes.loglog(x, y, marker=mark, ms=4, lw=1.0, color=colour, label=name)
    x, y = next(iter(lines.values()))
    for slope in slopes:
        axes.loglog(x, y[0] * (x / x[0]) ** slope, "--", color="black", lw=0.7, label=f"slope {slope:g}")
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.legend(fontsize=8)
