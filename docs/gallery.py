"""The gallery of potentials: a card a family, computed from the instances that the tests run over."""

import re
import sys
from inspect import cleandoc
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from numerics.potentials import Potential
from numerics.potentials.instances import Instance, Use, instances

mpl.use("Agg")
import matplotlib.pyplot as plt

POINTS, STEP, REACH = 400, 0.5, 3.0
NOISE, DATA, ARROW = "#9aa5b1", "#0b6e4f", "#c8553d"
CITED = re.compile(r"\s*\[@[^\]]*\]")
INTRODUCTION = """# Gallery of potentials

One card a family; every picture and number is computed. A card says

- the law, φ, φ\\* and T, as the code says them;
- in pictures: the transport T (noise grey, data green); ∂φ: noise that goes to one place has one colour; the
  proximal map with step 0.5, as arrows from z to prox(z); on the line all three are graphs;
- the proximal map in use: of z = x₁ + λx₀ it finds x₁;
- W₂² between noise and the data, with its error and method.
"""


def gallery(pictures: Path) -> str:
    """The page, with a picture a card written to a folder."""
    return "\n".join([INTRODUCTION, *(card(instance, pictures) for instance in one_of_each())])


def one_of_each() -> list[Instance]:
    """An instance of every family: the benchmark's before others, and in the plane if possible."""
    found: dict[str, Instance] = {}
    first_to_last = (Use.BENCHMARK, Use.REPRESENTATIVE, Use.LAW, Use.NAMED)
    rank = {use: place for place, use in enumerate(first_to_last)}

    def order(instance: Instance) -> tuple[int, float]:
        return min(rank[use] for use in instance.uses), abs(instance.dim - 2.25)

    for instance in sorted(instances(), key=order):
        found.setdefault(type(instance.potential).__name__, instance)
    return [instance for instance in instances() if instance in found.values()]


def card(instance: Instance, pictures: Path) -> str:
    """Everything about one family, in Markdown."""
    potential = instance.potential
    family, picture = type(potential).__name__, pictures / f"{type(potential).__name__}.png"
    draw(potential, picture)
    strata = ", ".join(map(str, instance.strata)) or "none, as it is no manifold"
    cost = instance.cost
    error = "four standard errors" if cost.method == "Monte Carlo" else "error at most"
    return "\n\n".join(
        [
            f"## {family}",
            law(type(potential)),
            f"![{caption(potential)}](pictures/{picture.name})",
            "```pycon\n" + in_use(potential) + "\n```",
            f"Dimension of the space: {potential.dim}; of the pieces of the support: {strata}. "
            f"W₂² from noise: {cost.w2_squared:.6g} ({cost.method}, {error} {cost.error:.0e}).\n",
        ]
    )


def law(family: type) -> str:
    """What the class says first, and what its module says of φ, φ* and T."""
    module = cleandoc(sys.modules[family.__module__].__doc__ or "")
    return CITED.sub("", f"{first_paragraph(family)}\n\n{module}")


def first_paragraph(documented: Any) -> str:
    """What the docstring says first."""
    return cleandoc(documented.__doc__ or "").split("\n\n")[0].replace("\n", " ")


def in_use(potential: Potential) -> str:
    """A session at the prompt: noise, data, and the prox that finds the data."""
    x0, x1 = potential.sample(1, np.random.default_rng(0))
    z = x1 + STEP * x0
    found = potential.prox(z, STEP)
    return "\n".join(
        [
            f">>> potential = {potential!r}",
            ">>> x0, x1 = potential.sample(1, np.random.default_rng(0))",
            f">>> z = x1 + {STEP} * x0",
            ">>> z.round(3).tolist()",
            repr(z.round(3).tolist()),
            f">>> potential.prox(z, {STEP}).round(3).tolist()",
            repr(found.round(3).tolist()),
            f">>> bool(np.allclose(potential.prox(z, {STEP}), x1))",
            repr(bool(np.allclose(found, x1))),
        ]
    )


def caption(potential: Potential) -> str:
    """What the picture shows."""
    if potential.dim == 1:
        return "The transport T, the subdifferential of φ and the proximal map of step 0.5, as graphs"
    where = "" if potential.dim == 2 else ", two coordinates"
    return f"Noise and its data, the sets ∂φ(x₁) in one colour each, and arrows from z to prox(z){where}"


def draw(potential: Potential, path: Path) -> None:
    """Three panels: the transport, ∂φ, the proximal map."""
    figure, panels = plt.subplots(1, 3, figsize=(9, 3.1), layout="constrained")
    for axes, title in zip(panels, ("T", "∂φ", f"prox, step {STEP}"), strict=True):
        axes.set_title(title, fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    (_graphs if potential.dim == 1 else _maps)(potential, panels)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def _graphs(potential: Potential, panels: Any) -> None:
    x = np.linspace(-REACH, REACH, 1200)[:, None]
    image = potential.transport(x)
    panels[0].plot(x, image, color=DATA)
    panels[1].plot(image, x, color=DATA)
    panels[2].plot(x, potential.prox(x, STEP), color=ARROW)


def _maps(potential: Potential, panels: Any) -> None:
    x0, x1 = potential.sample(POINTS, np.random.default_rng(1))
    for a, b in zip(x0[:60], x1[:60], strict=True):
        panels[0].plot([a[0], b[0]], [a[1], b[1]], color=ARROW, linewidth=0.4, alpha=0.6)
    panels[0].plot(*x0[:, :2].T, ".", color=NOISE, markersize=2)
    panels[0].plot(*x1[:, :2].T, ".", color=DATA, markersize=3)
    image = potential.transport(_plane(potential, 90))[:, :2]
    colour = (image - x1[:, :2].min(axis=0)) / np.maximum(np.ptp(x1[:, :2], axis=0), 1e-9)
    colours = np.column_stack([colour, np.full(len(colour), 0.55)]).clip(0, 1).reshape(90, 90, 3)
    panels[1].imshow(colours, origin="lower", extent=(-REACH, REACH, -REACH, REACH))
    z = _plane(potential, 12)
    moved = potential.prox(z, STEP) - z
    panels[2].quiver(
        *z[:, :2].T, *moved[:, :2].T, color=ARROW, angles="xy", scale_units="xy", scale=1, width=0.004
    )
    for axes in panels:
        axes.set_aspect("equal")


def _plane(potential: Potential, side: int) -> np.ndarray:
    """A grid in the first two coordinates, off the axes; the others as chance has them."""
    ticks = (np.arange(side) + 0.5) * 2 * REACH / side - REACH
    rest = np.random.default_rng(2).standard_normal(potential.dim - 2)
    first, second = np.meshgrid(ticks, ticks)
    return np.column_stack([first.ravel(), second.ravel(), np.tile(rest, (side**2, 1))])
