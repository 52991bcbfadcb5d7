"""Targets are declared once: a list of them elsewhere is a view of the one list, or says why it is not.

A list whose rows carry more than a potential (its closed form, the message it must raise) is a table of its
own; what is looked for are lists of bare potentials.
"""

import ast
from pathlib import Path

import pytest

from numerics import potentials
from numerics.potentials.instances import Use, instances

ROOT = Path(__file__).parents[2]
REASON = "# Not of the one list: "
RULES = {"rotate", "translate", "scale", "embed", "product"}
ENOUGH = 3
"""Potentials of as many families are a list of instances; two are an example and another."""


FAMILIES = {
    name
    for name in potentials.__all__
    if isinstance(made := getattr(potentials, name), type) and issubclass(made, potentials.Potential)
}


def _maker(node):
    """The class, or function, whose call this is; of ``FiniteAtoms.two(…)`` it is FiniteAtoms."""
    if not isinstance(node, ast.Call):
        return ""
    maker = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    return maker.id if isinstance(maker, ast.Name) else ""


def hand_lists(source):
    """Lines where a list of potentials begins that gives no reason."""
    if sum(family in source for family in FAMILIES) < ENOUGH:
        return []
    lines, tree = source.splitlines(), ast.parse(source)
    made = {
        target.id: statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }

    def of(entry):
        entry = made.get(entry.id, entry) if isinstance(entry, ast.Name) else entry
        name = _maker(entry)
        if name in RULES and entry.args:
            return {name} | of(entry.args[0])
        return {name} & FAMILIES

    found = []
    for statement in ast.walk(tree):
        if not isinstance(statement, ast.List | ast.Tuple | ast.Set | ast.Dict):
            continue
        entries = statement.values if isinstance(statement, ast.Dict) else statement.elts
        kinds = [kind for entry in entries if (kind := of(entry))]
        if len(kinds) >= ENOUGH and len(frozenset().union(*kinds) & FAMILIES) >= ENOUGH:
            above = [line.strip() for line in lines[max(0, statement.lineno - 4) : statement.lineno]]
            if not any(line.startswith(REASON) for line in above):
                found.append(statement.lineno)
    return found


FILES = [path for room in ("tests", "theorems") for path in sorted((ROOT / room).rglob("*.py"))]


def test_every_list_is_a_view_or_says_why_not():
    found = [f"{p.relative_to(ROOT)}:{line}" for p in FILES for line in hand_lists(p.read_text())]
    assert not found, (
        f"potentials listed beside numerics/potentials/instances.py: {', '.join(found)}; take them from there"
        f" by name (theorems.setting.instances.chosen), or write above it {REASON!r}…"
    )


def test_families_are_known():
    assert {"FiniteAtoms", "Sphere", "Stiefel", "Cantor", "Twin", "NearestPoint", "Quantile"} <= FAMILIES


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("A = [Sphere(2), Twin(), Cantor()]", [1]),
        ("B = Twin()\nA = {'a': rotate(Sphere(2), Q), 'b': B, 'c': FiniteAtoms.two(a, b, 0.3)}", [2]),
        ("def f():\n    for p in (Sphere(2), Twin(), Cantor()):\n        pass", [2]),
        (f"{REASON}each is hostile.\nA = [Sphere(2), Twin(), Cantor()]", []),
        ("A = [Sphere(2), Sphere(3), Sphere(4), Twin()]", []),
        ("A = [(Sphere(2), 1), (Twin(), 0), (Cantor(), 2)]", []),
    ],
)
def test_a_list_is_found(source, lines):
    assert hand_lists(source) == lines


def test_what_is_asked_for_by_name_is_asked_for():
    said = "".join(path.read_text() for path in FILES if path.name.startswith("test_"))
    idle = [instance.name for instance in instances(Use.NAMED) if f'"{instance.name}"' not in said]
    assert not idle, f"instances with Use.NAMED that no check names: {idle}"
