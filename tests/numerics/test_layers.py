"""Who may import whom in `numerics`: solvers know no potential, potentials know no route to their prox."""

import ast
import importlib
import pathlib

import pytest

import numerics

ROOT = pathlib.Path(numerics.__file__).parent
BELOW = {  # what the files of a folder may not import, at the top or within a function
    "solvers": ("numerics.potentials", "numerics.proximal", "numerics.transport", "numerics.flows"),
    "potentials": ("numerics.proximal", "numerics.transport", "numerics.flows", "numerics.intervals"),
    "proximal": ("numerics.transport", "numerics.flows"),
    ".": ("theorems", "reports"),
}
MOVED = {
    "numerics.jacobi": ("numerics.solvers.jacobi", "svd"),
    "numerics.proximal.active_set": ("numerics.solvers.active_set", "solve"),
    "numerics.intervals.certificate": ("numerics.intervals.exact_potential", "Candidate"),
    "numerics.intervals.batches": ("numerics.intervals.matched_pair", "label_odds"),
    "numerics.potentials.closed_sets": ("numerics.potentials.torus", "Torus"),
    "numerics.proximal.minimise": ("numerics.solvers.minimise", "minimise"),
}


def _imports(source):
    """Every module that a source text imports, wherever the import stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _refused(source, below):
    return [m for m in _imports(source) if any(m == b or m.startswith(b + ".") for b in below)]


@pytest.mark.parametrize("folder", BELOW)
def test_no_import_goes_up(folder):
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files, folder
    up = {str(f.relative_to(ROOT)): _refused(f.read_text(), BELOW[folder]) for f in files}
    assert not {name: modules for name, modules in up.items() if modules}


@pytest.mark.parametrize(
    "source",
    [
        "from numerics.proximal import conic",
        "from numerics import proximal",
        "def f():\n    import numerics.proximal.conic",
    ],
)
def test_an_import_that_goes_up_is_seen(source):
    assert _refused(source, BELOW["potentials"])


@pytest.mark.parametrize("old", MOVED)
def test_old_paths_work_and_say_where_they_went(old):
    new, name = MOVED[old]
    with pytest.warns(DeprecationWarning, match=new):
        found = getattr(importlib.import_module(old), name)
    assert found is getattr(importlib.import_module(new), name)
