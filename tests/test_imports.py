"""Data flows one way, numerics → theorems → reports, and no theorem's folder looks into another's."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from theorems.claim import READING_ORDER

ROOT = Path(__file__).parents[1]
ABOVE = {"numerics": {"theorems", "reports"}, "theorems": {"reports"}}


def imported(file: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, with its line; names that are imported from one, too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((f"{node.module}.{name.name}", node.lineno) for name in node.names)


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("package", ABOVE)
def test_nothing_looks_up(package: str) -> None:
    for file in files(package):
        for module, line in imported(file):
            above = module.split(".")[0] in ABOVE[package]
            assert not above, f"{file.relative_to(ROOT)}:{line} imports {module}, which is above {package}"


@pytest.mark.parametrize("folder", READING_ORDER)
def test_no_folder_of_a_theorem_imports_anothers(folder: str) -> None:
    for file in files(f"theorems/{folder}"):
        for module, line in imported(file):
            parts = module.split(".")
            other = parts[0] == "theorems" and len(parts) > 1 and parts[1] in set(READING_ORDER) - {folder}
            assert not other, (
                f"{file.relative_to(ROOT)}:{line} imports {module}: what two need goes to theorems/setting"
            )


def test_what_several_theorems_rest_on_rests_on_none() -> None:
    for file in (*files("theorems/setting"), *(ROOT / "theorems").glob("*.py")):
        for module, line in imported(file):
            parts = module.split(".")
            one = parts[0] == "theorems" and len(parts) > 1 and parts[1] in READING_ORDER
            assert not one, f"{file.relative_to(ROOT)}:{line} imports {module}, of one theorem"


COLLECT = """
import sys, pytest
status = pytest.main(["theorems", "--collect-only", "-qq", "-n0", "-p", "no:cacheprovider"])
assert status == 0 and "theorems.flow_matching.test_algorithm_1" in sys.modules
sys.exit(" ".join(sorted({"torch", "ot"} & set(sys.modules))) or 0)
"""


def test_theorems_are_collected_without_what_loads_for_seconds() -> None:
    """Who asks one check waits for torch and POT (which imports torch) only where it uses them."""
    words = [sys.executable, "-c", COLLECT]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"collecting loads, or fails: {done.stderr[-300:]}"


def private(module: str) -> bool:
    """Whether the last name of an import is another file's own: ``_name``, not ``__name__``."""
    return module.split(".")[-1].startswith("_") and not module.endswith("__")


@pytest.mark.parametrize("folder", ["numerics", "theorems", "reports", "benchmarks"])
def test_no_file_imports_what_is_private_to_another(folder: str) -> None:
    for file in files(folder):
        for module, line in imported(file):
            assert not private(module), f"{file.relative_to(ROOT)}:{line} imports {module}; make it public"


@pytest.mark.parametrize(
    ("source", "is_private"),
    [
        ("from numerics.potentials.cantor import _rule", True),
        ("from numerics.potentials.normal import density as _density", False),
        ("from numerics import __version__", False),
        ("import numerics._compiled", True),
    ],
)
def test_a_private_import_is_seen(tmp_path: Path, source: str, is_private: bool) -> None:
    file = tmp_path / "sly.py"
    file.write_text(source)
    assert [private(module) for module, _ in imported(file)] == [is_private]


def test_a_forbidden_import_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "sly.py"
    file.write_text(
        "def f():\n    from reports.evidence import fixture\n    import theorems.stability.comb\n"
    )
    assert {module for module, _ in imported(file)} == {"reports.evidence.fixture", "theorems.stability.comb"}
