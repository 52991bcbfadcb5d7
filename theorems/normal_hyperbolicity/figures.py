"""Figures of terminal normal hyperbolicity, drawn from computed values."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
TANGENT, NORMAL, THEORY, GREY = "#4269d0", "#c2410c", "#111827", "#9ca3af"


def draw_epiconvergence(figure: "Figure", w: Array, envelopes: dict[float, Array], limit: Array) -> None:
    """Envelopes (k,) of ½Δ²_τ at tangent directions w (k,), by τ, and their limit."""
    axes = figure.subplots()
    for k, (tau, envelope) in enumerate(envelopes.items()):
        axes.plot(w, envelope, color=TANGENT, alpha=0.4 + 0.25 * k, label=f"envelope, τ = {tau:g}")
    axes.plot(w, limit, "--", color=THEORY, label="limit")
    axes.plot([0], [0], "o", color=NORMAL, label="quotient: 0 at w = 0, +∞ elsewhere")
    axes.set_xlabel("w, tangent")
    axes.legend(fontsize=8)


def draw_spectrum(figure: "Figure", t: Array, tangent: Array, normal: Array, exact: Array) -> None:
    """Mean ± deviation of computed eigenvalues of (1−t)Dv_t (k,n) beside those of the exact curves.

    ``exact`` (k,N): tangential curves of N values of κ that stand for its whole law.
    """
    axes = figure.subplots()
    n = tangent.shape[1]
    for values, color, name in ((tangent, TANGENT, "tangential"), (normal, NORMAL, "normal")):
        mean, deviation = values.mean(axis=1), values.std(axis=1)
        axes.fill_between(t, mean - deviation, mean + deviation, color=color, alpha=0.25, lw=0)
        axes.plot(t, mean, color=color, label=f"{name}: mean ± deviation of {n} trajectories")
    mean, deviation = exact.mean(axis=1), exact.std(axis=1)
    axes.plot(t, mean, "--", color=THEORY, label="exact curve: mean over the law of κ")
    axes.plot(t, mean - deviation, ":", color=THEORY, lw=0.9, label="± its deviation")
    axes.plot(t, mean + deviation, ":", color=THEORY, lw=0.9)
    axes.set_xlabel("t")
    axes.set_ylabel("eigenvalues of $(1-t)Dv_t$")
    axes.legend(fontsize=7)


def draw_paths(figure: "Figure", t: Array, optimal: Array, independent: Array, bound: Array) -> None:
    """Eigenvalues (k,2) of (1−t)Dv_t, normal and tangential, along one trajectory of each coupling."""
    left, right = figure.subplots(1, 2)
    for axes, i, name in ((left, 0, "normal"), (right, 1, "tangential")):
        axes.plot(t, optimal[:, i], color=TANGENT, label="OT-CFM")
        axes.plot(t, independent[:, i], color=NORMAL, label="independent coupling")
        axes.set_title(f"{name} eigenvalue of $(1-t)Dv_t$", fontsize=9)
        axes.set_xlabel("t")
    right.plot(t, bound, ":", color=THEORY, label="bound (1−t)/t of P5")
    right.set_ylim(-1.1, 1.6)
    right.legend(fontsize=7)
