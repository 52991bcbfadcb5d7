"""A module's name has one meaning in the whole tree."""

from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("numerics", "theorems", "reports", "benchmarks")

BY_DESIGN = {
    "__init__": "a package's own",
    "__main__": "what `python -m` runs",
    "claims": "the statements of each theorem, and their page",
    "figures": "the figures of each theorem",
    "roundings": "what the objects of a package err by",
    "test_user_target": "what a user's data are asked of each theorem",
    "test_user_flow": "what a user's flow is asked of each theorem",
}
"""Names that every package may have, always with the same meaning."""

ALIKE = {
    "atoms": "the family, in doubles and in balls",
    "calculus": "the rules, in doubles and in balls",
    "curves": "the sets, in doubles and in balls",
    "gaussian": "the family, in doubles and in balls",
    "line": "the family, in doubles and in balls",
    "torus": "the set, in doubles and in balls",
    "twin": "the family, in doubles and in balls",
    "couplings": "how fast it is: the benchmark of the module",
    "sampled": "how fast it is: the benchmark of the module",
    "semidiscrete": "how fast it is: the benchmark of the module",
    "spectrum": "how fast it is: the benchmark of the module",
    "instances": "the one list, and the theorems' view of it",
    "power": "the share of noticed faults, measured and shown",
    "checkpoints": "trained networks, kept and read back",
}
"""Two modules of one meaning."""

SEEDED = {
    "test_certified": "P2 and H4, proved by ball arithmetic",
    "test_field": "the field of a batch and the field of the theorem",
    "test_moons": "networks and the exact field on the same two moons",
    "test_splitting": "batches split in halves, and tangent spaces in two",
    "test_statements": "what the library states, held against exact answers",
    "test_stated_limits": "what is stated of limits, held against what is known",
}
"""Checks of two theorems; renaming one would change its seed, and with it every number it recorded."""

ONE_AND_ALL = {
    "claim/claims": "what a claim is, and the claims",
    "record/records": "what every record answers, and the records",
}
"""A name and its plural, of one meaning."""


def modules(root):
    """Paths of the modules by name; a path that only sends on to the new one is no module."""
    found = defaultdict(list)
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            if "moved(__name__" not in path.read_text():
                found[path.stem].append(str(path.relative_to(root)))
    return found


def clashes(found, allowed):
    """Names that two modules have, and names of which one is the plural of the other."""
    twice = {name: paths for name, paths in found.items() if len(paths) > 1 and name not in allowed}
    pairs = {f"{n}/{n}s": found[n] + found[n + "s"] for n in found if n + "s" in found}
    plurals = {pair: paths for pair, paths in pairs.items() if pair not in allowed}
    return twice | plurals


def test_no_name_stands_twice():
    found = clashes(modules(ROOT), BY_DESIGN | ALIKE | SEEDED | ONE_AND_ALL)
    assert not found, f"rename one, or say in {Path(__file__).name} why both are one thing: {found}"


@pytest.mark.parametrize("names", [("a/hull.py", "b/hull.py"), ("a/hull.py", "a/hulls.py")])
def test_a_clash_is_found(tmp_path, names):
    for name in names:
        path = tmp_path / "numerics" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert len(clashes(modules(tmp_path), BY_DESIGN)) == 1


def test_a_moved_path_is_no_module(tmp_path):
    (tmp_path / "numerics").mkdir()
    (tmp_path / "numerics" / "hull.py").write_text('__getattr__ = moved(__name__, "numerics.envelope")\n')
    assert not modules(tmp_path)
