"""A function fits on a page: at most 40 lines of code, from its `def` to its end, docstring not counted."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("numerics", "theorems", "reports", "benchmarks")
LIMIT = 40


def lengths(source):
    """Names of all functions of a module, nested ones and methods, too, and how many lines each has."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            documented = ast.get_docstring(node) is not None
            prose = first.end_lineno - first.lineno + 1 if documented else 0
            yield node.name, node.end_lineno - node.lineno + 1 - prose


def too_long(root):
    """File, function and length of each function over the limit."""
    paths = [path for room in ROOMS for path in sorted((root / room).rglob("*.py"))]
    return [
        f"{path.relative_to(root)}: {name} has {length} lines"
        for path in paths
        for name, length in lengths(path.read_text())
        if length > LIMIT
    ]


def test_no_function_is_too_long():
    found = "; ".join(too_long(ROOT))
    assert not found, f"over {LIMIT} lines of code: name what a part computes and let it stand alone: {found}"


@pytest.mark.parametrize(
    ("head", "lines", "docstring", "is_found"),
    [
        ("def f():", 40, "", True),
        ("def f():", 39, "", False),
        ("def f():", 39, '"""One.\n\n    Two.\n    """', False),
        ("def f():", 40, '"""One.\n\n    Two.\n    """', True),
        ("async def f():", 40, "", True),
        ("class A:\n  def f(self):", 40, "", True),
        ("def g():\n  def f():", 38, "", False),
    ],
)
@pytest.mark.parametrize("room", ROOMS)
def test_a_long_function_is_found(tmp_path, room, head, lines, docstring, is_found):
    path = tmp_path / room / "inner" / "page.py"
    path.parent.mkdir(parents=True)
    path.write_text(f"{head}\n    {docstring}\n".replace("    \n", "") + "    x = 1\n" * lines)
    expected = [f"{room}/inner/page.py: f has {lines + 1} lines"] if is_found else []
    assert too_long(tmp_path) == expected
