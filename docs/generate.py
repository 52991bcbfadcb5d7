"""Pages that are computed: the gallery of potentials and the list of public names."""

from importlib import import_module
from inspect import isclass, ismodule
from pathlib import Path

from gallery import first_paragraph, gallery

PACKAGES = (
    "numerics.schedules",
    "numerics.accuracy",
    "numerics.potentials",
    "numerics.proximal",
    "numerics.transport",
    "numerics.flows",
)


def pages(folder: Path) -> None:
    """Write every computed page into a folder."""
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    (folder / "gallery.md").write_text(gallery(folder / "pictures"), encoding="utf-8")
    (folder / "api.md").write_text(api(), encoding="utf-8")


def api() -> str:
    """Every public name of the library, by package."""
    lines = ["# Public names", ""]
    for package in PACKAGES:
        module = import_module(package)
        lines += [f"## {package}", "", first_paragraph(module), ""]
        for name in sorted(module.__all__):
            named = getattr(module, name)
            kind = "class" if isclass(named) else "function"
            kind = "module" if ismodule(named) else "data" if isinstance(named, float) else kind
            lines += ["```{eval-rst}", f".. auto{kind}:: {package}.{name}", "```", ""]
    return "\n".join(lines)
