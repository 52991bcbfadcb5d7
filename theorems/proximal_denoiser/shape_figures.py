"""φ as the envelope of its restriction to the support, and potentials that the noise does not determine."""

from typing import TYPE_CHECKING

import numpy as np

from numerics.potentials import Curve, FiniteAtoms, NearestPoint
from theorems.proximal_denoiser.rational_atoms import RationalAtoms

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LINE, HIDDEN, SHOWN, NOISE = "#4269d0", "#9ca3af", "#c2410c", "#15803d"


def draw_envelope(figure: "Figure", atoms: RationalAtoms, visible: RationalAtoms) -> None:
    """Left: heights on a line and their envelope. Right: envelopes of inscribed polygons on an axis."""
    left, right = figure.subplots(1, 2)
    shown = np.array([(float(p[0]), float(g)) for p, g in zip(visible.points, visible.heights, strict=True)])
    every = np.array([(float(p[0]), float(g)) for p, g in zip(atoms.points, atoms.heights, strict=True)])
    left.plot(*every.T, "o", color=HIDDEN, ms=6, label="hidden atoms: no mass")
    left.plot(*shown.T, "-o", color=SHOWN, ms=6, label="support, and its envelope φ")
    left.set_title("atoms on a line", fontsize=9)
    left.legend(fontsize=7)
    a, x = 0.75, np.linspace(-1.9, 1.9, 60)
    at = np.stack([x, 0 * x], axis=1)
    for count in (6, 10, 16):
        angle = 2 * np.pi * (np.arange(count) + 0.5) / count
        points = np.stack([2 * np.cos(angle), np.sin(angle)], axis=1)
        value = FiniteAtoms(points, a / 2 * (points**2).sum(axis=1)).value(at)
        right.plot(x, np.where(np.isfinite(value), value, np.nan), color=HIDDEN, lw=1)
    right.plot(
        x, NearestPoint(Curve.ellipse(2.0, 1.0), a).value(at), color=LINE, lw=1.6, label="φ on the axis"
    )
    right.plot([], [], color=HIDDEN, lw=1, label="6, 10, 16 points of the ellipse")
    right.set_title("an ellipse", fontsize=9)
    right.legend(fontsize=7)


def draw_undetermined(figure: "Figure", thresholds: np.ndarray) -> None:
    """Noise on two intervals and data ±1: φ* for several differences of heights, all of one transport."""
    axes = figure.subplots()
    x = np.linspace(-2.2, 2.2, 200)
    for difference in thresholds:
        heights = np.array([-difference / 2, difference / 2])
        axes.plot(x, np.maximum(-x - heights[0], x - heights[1]), color=LINE, lw=1)
    for low in (-2, 1):
        axes.axvspan(low, low + 1, color=NOISE, alpha=0.15)
    axes.plot([], [], color=NOISE, alpha=0.4, lw=6, label="noise")
    axes.plot([], [], color=LINE, label="φ* of six potentials: one gradient on the noise")
    axes.set_xlabel("$x_0$")
    axes.legend(fontsize=8)
