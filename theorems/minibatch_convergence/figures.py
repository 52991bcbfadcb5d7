"""Figures of minibatch convergence, drawn from computed values."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#9ca3af", "#93c5fd", "#60a5fa", "#4269d0", "#1e3a8a")
POPULATION = "#c2410c"


def draw_fields(figure: "Figure", x: np.ndarray, fields: dict[int | None, np.ndarray]) -> None:
    """v^{(n)} against x for each n; None is the population."""
    axes = figure.subplots()
    shades = iter(COLOURS)
    for n, values in fields.items():
        if n is None:
            axes.plot(x, values, color=POPULATION, lw=1.6, ls="--", label="population")
        else:
            axes.plot(x, values, color=next(shades), lw=1.2, label=f"n = {n}")
    axes.set_xlabel("$x$")
    axes.set_ylabel("$v_t(x)$")
    axes.legend(fontsize=8)


def draw_ratios(figure: "Figure", sizes: np.ndarray, ratios: dict[str, np.ndarray]) -> None:
    """|measured/predicted − 1| against n, with the slope 1/n."""
    axes = figure.subplots()
    for colour, (name, values) in zip(COLOURS[1:], ratios.items(), strict=False):
        axes.loglog(sizes, np.abs(values - 1), "o-", ms=3, color=colour, label=name)
    axes.loglog(sizes, 1 / sizes, color=POPULATION, lw=0.8, ls="--", label="$1/n$")
    axes.set_xlabel("batch size $n$")
    axes.set_ylabel("|measured / asymptotic − 1|")
    axes.legend(fontsize=8)


def draw_rates(figure: "Figure", rows: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Excess against n, one line a target."""
    axes = figure.subplots()
    for k, (name, (sizes, means)) in enumerate(rows.items()):
        axes.loglog(sizes, means, "o-" if k < 6 else "s--", ms=3, lw=1.0, label=name, color=f"C{k % 6}")
    axes.set_xlabel("batch size $n$")
    axes.set_ylabel("$c_n - W_2^2$")
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))


def draw_step(
    figure: "Figure",
    x: np.ndarray,
    fields: dict[int | None, np.ndarray],
    limit: np.ndarray,
    gap: tuple[float, float],
    place: float,
) -> None:
    """v^{(n)} over the population's gap, the step it tends to, and the prox field (n = None)."""
    axes = figure.subplots()
    axes.axvspan(*gap, color="#f3f4f6", label="the population's gap")
    sizes = [n for n in fields if n is not None]
    for k, n in enumerate(sizes):
        grey = 0.8 - 0.8 * k / len(sizes)
        axes.plot(x, fields[n], color=(grey * 0.6, grey * 0.75, 0.55 + 0.4 * grey), lw=1.1, label=f"n = {n}")
    side = x < place
    for part, label in ((side, "limit"), (~side, None)):
        axes.plot(x[part], limit[part], color="#15803d", lw=2.2, alpha=0.6, label=label)
    axes.plot(x, fields[None], color=POPULATION, lw=1.6, ls="--", label="prox field")
    axes.axvline(place, color="#15803d", lw=0.6, ls=":")
    axes.set_xlabel("$x$")
    axes.set_ylabel("$v_t(x)$")
    axes.legend(fontsize=7, loc="upper left")


def draw_returned(
    figure: "Figure",
    x: np.ndarray,
    fields: dict[int | None, np.ndarray],
    returned: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]],
    gap: tuple[float, float],
) -> None:
    """v^{(n)} over the gap, and mean returned velocities in bins (place, mean, how many)."""
    axes = figure.subplots()
    axes.axvspan(*gap, color="#f3f4f6")
    for k, (n, (places, means, counts)) in enumerate(returned.items()):
        colour = COLOURS[2 + k]
        axes.plot(x, fields[n], color=colour, lw=1.1, label=f"n = {n}")
        sizes = 8 + 6 * np.log(counts)
        axes.scatter(places, means, s=sizes, color=colour, marker="os"[k], label=f"returned, n = {n}")
    axes.plot(x, fields[None], color=POPULATION, lw=1.4, ls="--", label="prox field")
    axes.set_xlabel("$x$")
    axes.set_ylabel("$v_t(x)$")
    axes.legend(fontsize=7)
