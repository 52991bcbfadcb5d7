"""Every public class and function of `numerics` shows an example, and prints what it says."""

import ast
import doctest
import importlib
import inspect
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((ROOT / "numerics").rglob("*.py"))
]


def _docstrings(module: str):
    """(name, line, docstring) of everything in a module: read from the source, as decorators hide some."""
    path = ROOT.joinpath(*module.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node)
            if text and ">>>" in text:
                yield getattr(node, "name", module), getattr(node, "lineno", 0), text


def _public():
    """What every package and module of `numerics` lists."""
    for module in MODULES:
        found = importlib.import_module(module)
        for name in getattr(found, "__all__", ()):
            thing = inspect.unwrap(getattr(found, name))
            if inspect.isclass(thing) or inspect.isfunction(thing):
                yield f"{module}.{name}", thing


WITH_EXAMPLES = [module for module in MODULES if any(_docstrings(module))]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_print_what_they_say(module):
    names = vars(importlib.import_module(module))
    runner = doctest.DocTestRunner(verbose=False)
    for name, line, text in _docstrings(module):
        example = doctest.DocTestParser().get_doctest(text, dict(names), name, module, line)
        printed: list[str] = []
        assert runner.run(example, out=printed.append).failed == 0, "".join(printed)


def test_every_public_class_and_function_shows_an_example():
    listed = dict(_public())
    assert len(listed) > 100
    without = [name for name, thing in listed.items() if ">>>" not in (thing.__doc__ or "")]
    assert not without, f"{without}: give an Example that a reader can check by hand"


USED = {
    "numerics.potentials.base.Potential": "value conjugate transport transport_jacobian sample prox"
    " proximal_point prox_jacobian envelope subdifferential manifold",
    "numerics.flows.exact.ExactField": "denoise noise velocity jacobian velocity_potential flow",
}
"""The methods with which a user begins."""


@pytest.mark.parametrize("owner", USED)
def test_the_methods_that_users_call_show_an_example(owner):
    module, _, name = owner.rpartition(".")
    thing = getattr(importlib.import_module(module), name)
    texts = {method: getattr(thing, method).__doc__ or "" for method in USED[owner].split()}
    assert not [method for method, text in texts.items() if ">>>" not in text]


def test_examples_print_something():
    """An example whose every line is silent would pass whatever the code does."""
    silent = [
        f"{module}.{name}"
        for module in WITH_EXAMPLES
        for name, line, text in _docstrings(module)
        if not any(example.want for example in doctest.DocTestParser().get_examples(text))
    ]
    assert not silent


def test_a_false_example_is_told():
    runner = doctest.DocTestRunner(verbose=False)
    example = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3", {}, "false", "here", 0)
    printed: list[str] = []
    assert runner.run(example, out=printed.append).failed == 1
    assert "Expected" in "".join(printed)
