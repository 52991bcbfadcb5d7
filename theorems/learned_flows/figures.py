"""Figures 3 and 4 of the paper, with the exact curves, and errors over time and training."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from numerics.flows import LearnedField

Array = NDArray[np.float64]
COLORS = ("#9ca3af", "#c2410c", "#059669", "#4269d0")
TANGENT, NORMAL, THEORY = "#4269d0", "#c2410c", "#111827"


def draw_losses(figure: "Figure", curves: dict[str, Array]) -> None:
    """Running means of the losses, against batches, both axes logarithmic."""
    axes = figure.subplots()
    for (name, losses), color in zip(curves.items(), COLORS, strict=True):
        width = max(1, len(losses) // 40)
        smooth = np.convolve(losses, np.full(width, 1 / width), mode="valid")
        axes.loglog(np.arange(width, len(losses) + 1), smooth, color=color, label=name)
    axes.set_xlabel("batches")
    axes.set_ylabel("loss (running mean)")
    axes.legend(fontsize=8)


def draw_errors(figure: "Figure", times: Array, curves: dict[str, Array], floor: float | None) -> None:
    """E|v_θ − v|² over t."""
    axes = figure.subplots()
    for (name, errors), color in zip(curves.items(), (TANGENT, NORMAL), strict=True):
        axes.semilogy(times, errors, color=color, label=name)
    if floor is not None:
        axes.axhline(floor, color=THEORY, ls="--", lw=0.9, label="floor at t = 1: Var|x₀| = 2 − π/2")
    axes.set_xlabel("t")
    axes.set_ylabel("$E|v_θ - v_t|^2$")
    figure.legend(fontsize=8, loc="outside upper center", ncols=2)


def draw_spectra(figure: "Figure", times: Array, learned: dict[str, Array], exact: Array) -> None:
    """Mean ± deviation over trajectories of the eigenvalues of (1−t)Dv_t, learned (k,n,d) and exact."""
    panels = figure.subplots(1, len(learned), sharey=True)
    for axes, (name, values) in zip(np.atleast_1d(panels), learned.items(), strict=True):
        for rank, color, kind in ((-1, TANGENT, "tangential"), (0, NORMAL, "normal")):
            _draw_band(axes, times, values[:, :, rank], color, f"learned, {kind}")
            _draw_exact(axes, times, exact[:, :, rank], f"exact, {kind}")
        axes.set_title(name, fontsize=8)
        axes.set_xlabel("t")
        axes.set_ylim(-2.2, 2.2)
    np.atleast_1d(panels)[0].set_ylabel("eigenvalues of $(1-t)Dv_t$")
    np.atleast_1d(panels)[0].legend(fontsize=6)


def _draw_band(axes: "Axes", times: Array, values: Array, color: str, label: str) -> None:
    mean, deviation = values.mean(axis=1), values.std(axis=1)
    axes.fill_between(times, mean - deviation, mean + deviation, color=color, alpha=0.22, lw=0)
    axes.plot(times, mean, color=color, label=f"{label}: mean ± deviation")


def _draw_exact(axes: "Axes", times: Array, values: Array, label: str) -> None:
    mean, deviation = values.mean(axis=1), values.std(axis=1)
    axes.plot(times, mean, "--", color=THEORY, lw=1.1, label=label)
    for edge in (mean - deviation, mean + deviation):
        axes.plot(times, edge, ":", color=THEORY, lw=0.7)


def draw_fields(
    figure: "Figure",
    learned: dict[str, "LearnedField"],
    support: Array,
    points: Array,
    exact: Array,
    t: float,
) -> None:
    """Learned fields at one time over interpolants (n,2), the exact velocities there, and the support."""
    panels = figure.subplots(1, len(learned), sharey=True)
    for axes, (name, field) in zip(np.atleast_1d(panels), learned.items(), strict=True):
        axes.plot(*support.T, ".", ms=1.2, color="#9ca3af")
        for velocity, color, kind in (
            (exact, THEORY, "exact"),
            (field.velocity(t, points), NORMAL, "learned"),
        ):
            axes.quiver(
                *points.T,
                *velocity.T,
                color=color,
                angles="xy",
                scale_units="xy",
                scale=8,
                width=0.004,
                label=kind,
            )
        axes.set_aspect("equal")
        axes.set_title(name, fontsize=8)
    np.atleast_1d(panels)[0].legend(fontsize=6, loc="upper right")
