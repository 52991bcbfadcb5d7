"""All faults that the operators can make, and a sample of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cosmic_ray.ast import get_ast
from cosmic_ray.mutating import mutate_code

from benchmarks.mutants.operators import every_operator

PLACES = ("numerics", "theorems", "reports")
NOT_MUTATED = {
    "theorems/*/test_*.py": "they are the checks whose power is measured",
    "theorems/*/claims.py, figures.py, pictures": "they hold sentences and drawings, no number of a check",
    "representatives.py, instances.py, catalogue.py": "another instance of a law is no fault",
    "raise statements": "the text of an error message is no number",
    "strict=, fused=, keepdims= of a call": "guards and speed; a wrong keepdims raises at once",
    "annotations, decorators, default of a docstring": "not run, or run at import only",
}
GUARDS = ("strict", "fused", "keepdims")


@dataclass(frozen=True)
class Mutant:
    """One fault: the occurrence-th place where an operator applies in a file.

    Attributes:
        path: Of the file, from the root, with forward slashes.
        operator: Its name.
        occurrence: Which of the operator's places in the file, from 0.
        line: First line of the place, from 1.
    """

    path: str
    operator: str
    occurrence: int
    line: int

    @property
    def key(self) -> str:
        """A file name for what is found."""
        return f"{self.path.replace('/', '.')}-{self.operator.split('/')[1]}-{self.occurrence}"

    def code(self, source: str) -> str:
        """The file's text with the fault.

        Raises:
            ValueError: If the source has no such place.
        """
        changed = mutate_code(source, every_operator()[self.operator], self.occurrence)
        if changed is None:
            raise ValueError(f"{self.path}: {self.operator} has no place {self.occurrence}")
        return str(changed)


def modules(root: Path) -> list[str]:
    """The files whose code is under test, sorted."""
    every = [path for place in PLACES for path in sorted((root / place).rglob("*.py"))]
    named = [path.relative_to(root).as_posix() for path in every]
    return [name for name in named if not _is_left_out(name)]


def _is_left_out(name: str) -> bool:
    file = name.rsplit("/", 1)[1]
    sentences = file in ("claims.py", "figures.py") or "pictures" in file
    instances = file in ("representatives.py", "instances.py", "catalogue.py")
    return file.startswith("test_") or instances or (name.startswith("theorems/") and sentences)


def _is_outside(node: Any) -> bool:
    """In an annotation, a decorator, an import, a raise or a keyword that guards."""
    while node.parent is not None:
        parent = node.parent
        if node.type in ("decorator", "raise_stmt", "import_from", "import_name"):
            return True
        if parent.type in ("funcdef", "param") and parent.annotation is node:
            return True
        if parent.type == "annassign" and parent.children[1] is node:
            return True
        if node.type == "argument" and node.children[0].get_code(include_prefix=False) in GUARDS:
            return True
        node = parent
    return False


def in_file(name: str, source: str) -> list[Mutant]:
    """Every fault of a file, in the order of the walk that makes them."""
    operators = every_operator()
    counts = dict.fromkeys(operators, 0)
    found: list[Mutant] = []

    def walk(node: Any) -> None:
        for operator, instance in operators.items():
            for start, _ in instance.mutation_positions(node):
                if not _is_outside(node):
                    found.append(Mutant(name, operator, counts[operator], start[0]))
                counts[operator] += 1
        for child in getattr(node, "children", ()):
            walk(child)

    walk(get_ast(source))
    return found


def population(root: Path) -> list[Mutant]:
    """Every fault of every module."""
    return [m for name in modules(root) for m in in_file(name, (root / name).read_text(encoding="utf-8"))]


def sample(mutants: Sequence[Mutant], size: int, seed: int) -> list[Mutant]:
    """``size`` of them: an operator uniformly at random among those that apply, then one of its faults.

    Numbers and signs are ten times as frequent as forgotten roots; drawn by operator, each kind of slip has
    the same say. The first k of a longer sample are the sample of size k, so that a sweep may go on.
    """
    rng = np.random.default_rng(seed)
    by_operator: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        by_operator.setdefault(mutant.operator, []).append(mutant)
    shuffled = {name: [group[i] for i in rng.permutation(len(group))] for name, group in by_operator.items()}
    chosen: list[Mutant] = []
    while len(chosen) < size and shuffled:
        names = sorted(shuffled)
        name = names[int(rng.integers(len(names)))]
        chosen.append(shuffled[name].pop())
        if not shuffled[name]:
            del shuffled[name]
    return chosen
