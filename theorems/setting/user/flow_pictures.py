"""Pictures of a user's flow: its eigenvalues along trajectories, its field, the dimension of its data."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from theorems.setting.user.flows import UserFlow

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
Velocity = Callable[[float, Array], Array]
COLOURS = ("#4269d0", "#c2410c", "#15803d", "#7c3aed", "#b45309", "#0e7490")
GREY, THEORY = "#9ca3af", "#111827"


def draw_eigenvalues(figure: "Figure", t: Array, found: Array, implied: Array) -> None:
    """Mean ± deviation of the first and last eigenvalues (k,n,d), and the median of what ½ predicts."""
    axes = figure.subplots()
    d = found.shape[2]
    shown = range(d) if d <= 4 else (0, 1, d - 2, d - 1)
    for k, colour in zip(shown, COLOURS, strict=False):
        mean, deviation = found[..., k].mean(axis=1), found[..., k].std(axis=1)
        axes.fill_between(t, mean - deviation, mean + deviation, color=colour, alpha=0.2, lw=0)
        axes.plot(t, mean, color=colour, label=f"eigenvalue {k + 1}: mean ± deviation")
        curve = [
            np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else np.nan for row in implied[..., k]
        ]
        axes.plot(
            t, curve, "--", color=THEORY, lw=1, label="median predicted from t = ½ by H1" if k == 0 else None
        )
    for limit in (-1, 0):
        axes.axhline(limit, color=GREY, lw=0.6)
    axes.set_ylim(-2.1, 1.1)
    axes.set_xlabel("t")
    axes.set_ylabel("eigenvalues of $(1-t)Dv_t$")
    axes.legend(fontsize=7)


def draw_field(
    figure: "Figure",
    flow: UserFlow,
    t: float,
    path: Array,
    exact: Callable[[float, Array], Array] | None = None,
) -> None:
    """The field in the plane at time t over the trajectories' points (n,2), and the exact one beside it."""
    fields = (
        [("the flow", flow.velocity)] if exact is None else [("the flow", flow.velocity), ("exact", exact)]
    )
    reach = 1.25 * np.abs(path).max()
    grid = np.linspace(-reach, reach, 22)
    x = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    for axes, (name, velocity) in zip(np.atleast_1d(figure.subplots(1, len(fields))), fields, strict=True):
        v = velocity(t, x)
        size = np.linalg.norm(v, axis=1)
        axes.quiver(
            *x.T, *(v / np.maximum(size, 1e-300)[:, None]).T, size, cmap="viridis", width=0.004, scale=25
        )
        axes.plot(*path.T, ".", color=COLOURS[1], ms=3)
        axes.set_title(f"{name}: directions, coloured by speed; points $x_t$, t = {t:g}", fontsize=8)
        axes.set_aspect("equal")


def draw_dimensions(figure: "Figure", end: Array, dimension: NDArray[np.int64]) -> None:
    """Data (n,2) made by the flow, coloured by its estimated dimension."""
    axes = figure.subplots()
    for m, colour in zip(range(3), COLOURS, strict=False):
        chosen = end[dimension == m]
        axes.plot(*chosen.T, ".", color=colour, label=f"m = {m}: {len(chosen)} samples")
    axes.set_aspect("equal")
    axes.legend(fontsize=7)


def draw_scale(
    figure: "Figure",
    places: dict[str, float],
    found: float,
    error: float,
    name: str,
    errors: dict[str, float] | None = None,
    label: str = "distance from the exact field, relative",
) -> None:
    """Numbers on one axis: the references above it, the flow below; bars are two errors to each side."""
    axes = figure.subplots()
    axes.axhline(0, color=GREY, lw=1)
    for k, (reference, number) in enumerate(places.items()):
        axes.errorbar(
            number, 0, xerr=2 * (errors or {}).get(reference, 0.0), fmt="|", color=THEORY, ms=14, capsize=3
        )
        axes.annotate(
            f"{reference}\n{number:.3g}",
            (number, 0),
            (0, 14 + 22 * (k % 3)),
            textcoords="offset points",
            ha="center",
            fontsize=7,
            arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.5},
        )
    axes.errorbar(found, 0, xerr=2 * error, fmt="o", color=COLOURS[1])
    axes.annotate(
        f"{name}\n{found:.3g}", (found, 0), (0, -32), textcoords="offset points", ha="center", fontsize=8
    )
    axes.set_ylim(-1, 1.6)
    axes.set_yticks([])
    axes.set_xlabel(label)


def draw_normal(figure: "Figure", t: Array, normal: Array, t_max: float) -> None:
    """The median normal eigenvalue of (1−t)Dv against t, and where it is left."""
    axes = figure.subplots()
    axes.axhline(-1, color=THEORY, ls="--", lw=1, label="exact field")
    axes.plot(t, normal, color=COLOURS[0], label="the flow, median")
    if np.isfinite(t_max):
        axes.axvline(t_max, color=GREY, lw=0.8)
    axes.set_xlabel("t")
    axes.set_ylabel("normal eigenvalue of $(1-t)Dv_t$")
    axes.legend(fontsize=7)
