"""Figures of the foundations, drawn from computed values."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from numerics.flows.density import log_density
from numerics.flows.guidance import guided
from numerics.flows.integration import trajectory
from numerics.flows.mixtures import MixtureField
from numerics.flows.paths import OptimalTransportPath, VarianceExploding, VariancePreservingPath
from numerics.flows.residual import ResidualMap

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
BLUE, ORANGE, INK, GREY = "#4269d0", "#c2410c", "#111827", "#9ca3af"


def draw_residual_map(figure: "Figure") -> None:
    """X − q·x/(1+x²) for q below, at and beyond 1; errors of the fixed point of planar maps against k."""
    left, right = figure.subplots(1, 2)
    x = np.linspace(-3, 3, 301)
    for q, color in ((0.5, BLUE), (1.0, GREY), (5.0, ORANGE)):
        left.plot(x, x - q * x / (1 + x**2), color=color, label=f"q = {q:g}")
    left.plot([-2, 0, 2], [0, 0, 0], "o", color=ORANGE, ms=4)
    left.axhline(0, color=INK, lw=0.5)
    left.set_xlabel("x")
    left.set_ylabel("φ(x)")
    left.legend(fontsize=8)
    for q, color in ((0.3, BLUE), (0.6, ORANGE), (0.9, INK)):
        path = ResidualMap.planar([q], [1.0], 0.0, 1.0).iterates([[0.0]], 30, start=[[0.3]])[:, 0, 0]
        right.semilogy(np.abs(path), ".", color=color, ms=4, label=f"q = {q:g}")
        right.semilogy(abs(path[-1]) * q ** (np.arange(31.0) - 30), color=color, lw=0.7)
    right.set_ylim(1e-12, 1)
    right.set_xlabel("iteration")
    right.set_ylabel("error")
    right.legend(fontsize=8)


def draw_conditional_paths(figure: "Figure") -> None:
    """Position against time of nine noises under the OT, VP and VE paths to one datum."""
    panels = figure.subplots(1, 3)
    t, noise = np.linspace(0, 1, 101), np.linspace(-2, 2, 9)[:, None]
    for axes, (name, path) in zip(
        panels,
        {
            "optimal transport": OptimalTransportPath(),
            "variance preserving": VariancePreservingPath(),
            "variance exploding": VarianceExploding(0.01, 5.0),
        }.items(),
        strict=True,
    ):
        places = np.stack([path.flow(s, noise, [[2.0]])[:, 0] for s in t])
        axes.plot(t, places, color=BLUE, lw=0.8)
        axes.plot([1], [2], "o", color=ORANGE, ms=4)
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("t")
    panels[0].set_ylabel("x")


def draw_crossings(figure: "Figure") -> None:
    """Conditional paths, trajectories of the independent coupling, OT trajectories: two Gaussians at ±2."""
    panels = figure.subplots(1, 3, sharey=True)
    field = MixtureField([[-2.0], [2.0]], [[[0.25]], [[0.25]]], [0.5, 0.5])
    noise = ndtri((np.arange(24) + 0.5) / 24)[:, None]
    t = np.linspace(0, 1, 81)
    flow = trajectory(field.velocity, noise, t).states[:, :, 0]
    data, _ = field.sample(len(noise), np.random.default_rng(3))
    straight = t[:, None]
    for axes, title, places in zip(
        panels,
        (
            "conditional paths: they cross",
            "marginal trajectories: they do not",
            "OT: straight, constant speed",
        ),
        (
            (1 - straight) * noise[:, 0] + straight * data[:, 0],
            flow,
            (1 - straight) * noise[:, 0] + straight * flow[-1],
        ),
        strict=True,
    ):
        axes.plot(t, places, color=BLUE, lw=0.8)
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("t")
    panels[0].set_ylabel("x")


def draw_guidance(figure: "Figure", free: MixtureField, prompted: MixtureField) -> None:
    """Densities of the flow of ũ and of p^w q^{1−w} on the line, for three weights."""
    panels = figure.subplots(1, 3, sharex=True)
    x = np.linspace(-2.0, 3.0, 241)[:, None]
    for axes, w in zip(panels, (1.0, 2.0, 4.0), strict=True):

        def divergence(t: float, at: Array, w: float = w) -> Array:
            return (1 - w) * free.divergence(t, at) + w * prompted.divergence(t, at)

        flow = np.exp(log_density(guided(free.velocity, prompted.velocity, w), divergence, x).value)
        tilt = np.exp(w * prompted.log_density(1.0, x) + (1 - w) * free.log_density(1.0, x))
        axes.plot(x, tilt / (tilt.sum() * (x[1, 0] - x[0, 0])), color=ORANGE, label="tilt")
        axes.plot(x, flow, color=BLUE, ls="--" if w == 1 else "-", label="flow")
        axes.set_title(f"w = {w:g}", fontsize=9)
        axes.set_xlabel("x")
    panels[0].set_ylabel("density")
    panels[0].legend(fontsize=8)


def draw_euler(figure: "Figure", steps: Array, errors: dict[str, Array]) -> None:
    """Error against the number of steps, one line a field, with slopes −1 and −2."""
    axes = figure.subplots()
    for color, (name, values) in zip((BLUE, ORANGE, INK), errors.items(), strict=True):
        axes.loglog(steps, np.maximum(values, 1e-17), "o-", ms=3, color=color, label=name)
    for order, start in ((1, 2.0), (2, 0.8)):
        axes.loglog(steps, start * steps**-order, ":", color=GREY, lw=0.9)
    axes.set_xlabel("number of steps K")
    axes.set_ylabel("error at t = 1")
    axes.legend(fontsize=8)


def draw_training(figure: "Figure", target: MixtureField, samples: dict[int, Array]) -> None:
    """Samples (n,2) after so many steps of training, over contours of the target's density."""
    panels = figure.subplots(1, len(samples), sharex=True, sharey=True)
    axis = np.linspace(-4, 4, 81)
    places = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    density = np.exp(target.log_density(1.0, places)).reshape(81, 81)
    for axes, (steps, points) in zip(panels, samples.items(), strict=True):
        axes.contour(axis, axis, density, levels=5, colors=ORANGE, linewidths=0.7)
        axes.plot(*points[:1500].T, ".", color=BLUE, ms=1.5, alpha=0.6)
        axes.set_title(f"{steps} steps" if steps > 1 else "1 step", fontsize=9)
        axes.set_aspect("equal")
        axes.set_xlim(-4, 4)
        axes.set_ylim(-4, 4)
