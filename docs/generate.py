"""Pages that are computed: the gallery of potentials and the list of public names."""

from importlib import import_module
from inspect import cleandoc, isclass, ismodule
from pathlib import Path

import matplotlib as mpl
import numpy as np

from numerics.potentials import Potential
from numerics.potentials.instances import Instance, instances

mpl.use("Agg")
import matplotlib.pyplot as plt

PACKAGES = (
    "numerics.schedules",
    "numerics.accuracy",
    "numerics.potentials",
    "numerics.proximal",
    "numerics.transport",
    "numerics.flows",
)
POINTS, STEP = 400, 0.5
NOISE, DATA, ARROW = "#9aa5b1", "#0b6e4f", "#c8553d"


def pages(folder: Path) -> None:
    """Write every computed page into a folder."""
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    (folder / "gallery.md").write_text(gallery(folder / "pictures"), encoding="utf-8")
    (folder / "api.md").write_text(api(), encoding="utf-8")


def one_of_each() -> list[Instance]:
    """An instance of every family, in the plane if there is one, else in space."""
    found: dict[str, Instance] = {}
    flat_first = sorted(instances(), key=lambda i: (abs(i.potential.dim - 2.25), -max(i.strata, default=0)))
    for instance in flat_first:
        if not type(instance.potential).__name__.startswith("_"):
            found.setdefault(type(instance.potential).__name__, instance)
    return [instance for instance in instances() if instance in found.values()]


def gallery(pictures: Path) -> str:
    """A card for every family: law, picture of T and of prox, prox in use, W₂² where it is known."""
    lines = ["# Gallery of potentials", "", "One card a family; every picture and number is computed.", ""]
    for instance in one_of_each():
        potential, name = instance.potential, type(instance.potential).__name__
        picture = pictures / f"{name}.png"
        draw(potential, picture)
        written = repr(potential)
        lines += [f"## `{written}`" if len(written) < 90 else f"## `{written[:86]} …`", ""]
        lines += [
            first_paragraph(type(potential)),
            "",
            f"![{caption(potential)}](pictures/{picture.name})",
            "",
        ]
        lines += [*facts(instance), ""]
    return "\n".join(lines)


def facts(instance: Instance) -> list[str]:
    """Dimension, strata, cost and a prox, as computed here."""
    potential = instance.potential
    x0, x1 = potential.sample(1, np.random.default_rng(0))
    found = potential.prox(x1 + STEP * x0, STEP)[0]
    error = float(np.linalg.norm(found - x1[0]))
    strata = ", ".join(map(str, instance.strata)) or "none: the support is no manifold"
    lines = [f"- Dimension of the space {potential.dim}; of the pieces of the support: {strata}."]
    lines += [f"- `prox(x1 + {STEP} * x0, {STEP})` returns x₁ but for {error:.1e}."]
    if instance.cost is not None:
        cost = instance.cost
        lines += [f"- W₂² from noise: {cost.w2_squared:.6g}, known to {cost.error:.0e} ({cost.method})."]
    return lines


def first_paragraph(family: type) -> str:
    """What the docstring says first."""
    return cleandoc(family.__doc__ or "").split("\n\n")[0].replace("\n", " ")


def caption(potential: Potential) -> str:
    """What the picture shows."""
    if potential.dim == 1:
        return "The transport T and the proximal map of step 0.5, as graphs"
    return "Noise (grey), its data T(x₀) (green) and the straight paths between them, two coordinates"


def draw(potential: Potential, path: Path) -> None:
    """The transport, as a graph on the line and as paths beyond."""
    figure, axes = plt.subplots(figsize=(5, 3.4), layout="constrained")
    if potential.dim == 1:
        x = np.linspace(-3, 3, 1200)[:, None]
        axes.plot(x, potential.transport(x), color=DATA, label="T")
        axes.plot(x, potential.prox(x, STEP), color=ARROW, label=f"prox, step {STEP}")
        axes.legend(frameon=False)
    else:
        x0, x1 = potential.sample(POINTS, np.random.default_rng(1))
        for a, b in zip(x0[:60], x1[:60], strict=True):
            axes.plot([a[0], b[0]], [a[1], b[1]], color=ARROW, linewidth=0.4, alpha=0.6)
        axes.plot(*x0[:, :2].T, ".", color=NOISE, markersize=2)
        axes.plot(*x1[:, :2].T, ".", color=DATA, markersize=3)
        axes.set_aspect("equal")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def api() -> str:
    """Every public name of the library, by package."""
    lines = ["# Public names", ""]
    for package in PACKAGES:
        module = import_module(package)
        lines += [f"## {package}", "", first_paragraph(module), ""]
        for name in names(package):
            named = getattr(module, name)
            kind = "class" if isclass(named) else "function"
            kind = "module" if ismodule(named) else "data" if isinstance(named, float) else kind
            lines += ["```{eval-rst}", f".. auto{kind}:: {package}.{name}", "```", ""]
    return "\n".join(lines)


def names(package: str) -> list[str]:
    """What a package exports."""
    return sorted(import_module(package).__all__)
