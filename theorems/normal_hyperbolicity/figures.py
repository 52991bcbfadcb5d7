"""Figures of terminal normal hyperbolicity, drawn from computed values."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from numerics.potentials import Potential

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


def draw_twin(figure: "Figure", twin: "Potential", step: float) -> None:
    """The twin's support, its ∂φ along M in the plane of noise, and envelope quotients on both sides of 0."""
    left, middle, right = figure.subplots(1, 3)
    s = np.linspace(-0.45, 0.45, 201)
    left.plot(s, s**2 / 2, color=TANGENT, label="M")
    left.plot([1.0], [0.0], "s", color=NORMAL, ms=4, label="the atom (1, 0)")
    left.plot([0.0], [0.0], "o", color=THEORY, ms=4, label="$x_1$")
    left.plot([-0.45, 0.45, 1.0, 0.0], [0.10125, 0.10125, 0.0, 0.0], ":", color=GREY, lw=0.9)
    left.set_title("data", fontsize=9)
    for place in np.linspace(-0.4, 0.4, 17):
        low = 1.0 + (place * (3 - 2 * place) / (1 - place / 2) if place > 0 else -4.0)
        heights = np.linspace(low, 4.0, 400)
        noise = np.stack([_steepness(place) - (heights - 1) * place, heights], axis=1)
        inside = np.abs(twin.transport(noise)[:, 0] - place) < 1e-9
        middle.plot(*noise[inside].T, color=TANGENT if place < 0 else NORMAL, lw=1.0)
    middle.plot([0.0, 0.0], [-3.0, 1.0], color=THEORY, lw=1.2, label=r"$\partial\varphi(x_1)$")
    middle.plot([0.0], [0.0], "o", color=THEORY, ms=4, label="$x_0$")
    middle.set_xlim(-3.0, 1.0)
    middle.set_title(r"noise: $\partial\varphi(g(s))$, s < 0 blue, s > 0 red", fontsize=9)
    tau = np.concatenate([-np.geomspace(1.0, 1e-3, 60), np.geomspace(1e-3, 1.0, 60)])
    quotient = twin.envelope(np.stack([tau, 0 * tau], axis=1), step) / tau**2
    right.plot(tau, quotient, color=TANGENT, label=r"$e_\lambda[\frac{1}{2}\Delta^2_\tau\varphi](\pm e_1)$")
    right.axhline(0.5 / (1 + step), ls="--", color=THEORY, lw=0.9, label="limit by H3")
    right.set_xlabel(r"$\pm\tau$")
    for axes in (left, middle, right):
        axes.legend(fontsize=7)


def draw_bits(figure: "Figure", bits: "Potential", rate: float, deviation: float) -> None:
    """The quantile function of biased bits, and its slopes over nested cells at drawn noise."""
    left, right = figure.subplots(1, 2)
    noise = np.linspace(-3.0, 3.0, 2001)[:, None]
    left.plot(noise[:, 0], bits.transport(noise)[:, 0], color=TANGENT, lw=1.0)
    left.set_xlabel("noise s")
    left.set_title("T(s)", fontsize=9)
    k = np.arange(1, 41)
    _, data = bits.sample(40, np.random.default_rng(0))
    digits = np.floor(data * 2.0**k) % 2  # (40,40): the k-th bit
    slopes = np.cumsum(-np.log(2) - np.where(digits > 0, np.log(0.3), np.log(0.7)), axis=1)
    right.plot(k, slopes.T, color=GREY, lw=0.5, alpha=0.6)
    right.plot(k, -rate * k, color=THEORY, label="mean: −.0822829 k")
    for sign in (-1, 1):
        right.plot(k, -rate * k + sign * deviation * np.sqrt(k), ":", color=THEORY, lw=0.9)
    right.set_xlabel("bits k")
    right.set_title("log slope of Q over cells of k bits", fontsize=9)
    right.legend(fontsize=7)


def _steepness(s: float) -> float:
    """Of the twin's height along M, without s: 3s², or −24s² for s < 0."""
    return 3 * s**2 if s > 0 else -24 * s**2
