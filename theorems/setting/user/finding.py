"""Where a field of the user's lies, ``MODULE:ATTR`` or ``MODULE:MAKE()``: imported, made, given its weights.

A module is imported and a factory is called, so their code runs; a checkpoint's does not.
"""

import importlib
import inspect
import os
import re
import sys
from types import ModuleType
from typing import Any

from theorems.setting.user.checkpoints import Weights
from theorems.setting.user.trying import hushed, quiet, said

NAME = re.compile(r"([^:()]+):([^:()]+)(\(\))?")


def find(name: str, weights: Weights | None = None) -> Any:
    """What ``MODULE:ATTR`` names, or ``MODULE:MAKE()`` returns, with the weights in it.

    Args:
        name: A module, installed or in the current directory, and a dotted name in it; with ``()`` a factory
            or a class, called without arguments.
        weights: Of --checkpoint.

    Raises:
        ValueError: In one line, if there is no such module or attribute, importing or making fails, what is
            found cannot be called, or the weights are not its own.
    """
    parts = NAME.fullmatch(name)
    if parts is None:
        raise ValueError(
            "give MODULE:ATTR, a module and the name of a field in it, such as my_flow:velocity, or a"
            " factory, my_flow:make()"
        )
    module, path, called = parts.groups()
    found = _attribute(_imported(module), module, path)
    if called:
        found = _made(found, path)
    if isinstance(found, type):
        raise ValueError(
            f"{path} is a class; name an instance of it, {path}() if it takes no arguments, or a function"
            " velocity(t, x)"
        )
    if not callable(found):
        made = (
            f"{path}() returned {type(found).__name__}, which"
            if called
            else f"{path} is {type(found).__name__} and"
        )
        raise ValueError(f"{made} cannot be called; give velocity(t, x)")
    if not called and _takes_nothing(found):
        raise ValueError(f"{path} takes no arguments; if it makes the field, name what it returns, {name}()")
    if weights is not None:
        _weigh(found, weights, path)
    return found


def _imported(name: str) -> ModuleType:
    if os.getcwd() not in sys.path:  # the console script `pytest` leaves it out
        sys.path.insert(0, os.getcwd())
    try:
        with quiet():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            remedy = (
                f"write {name.removesuffix('.py')}, without .py"
                if name.endswith(".py")
                else f"install it, or run where {name.split('.')[0]}.py lies"
            )
            raise ValueError(f"there is no module {name!r}; {remedy}") from None
        raise ValueError(f"importing {name} failed: {said(error)}") from error
    except (Exception, SystemExit) as error:
        raise ValueError(f"importing {name} failed: {said(error)}") from error


def _attribute(module: ModuleType, name: str, path: str) -> Any:
    found: Any = module
    for part in path.split("."):
        if not hasattr(found, part):
            own = [key for key, value in vars(module).items() if getattr(value, "__module__", "") == name]
            raise ValueError(f"{name} has no attribute {path!r}; it holds {', '.join(own[:8]) or 'nothing'}")
        found = getattr(found, part)
    return found


def _made(factory: Any, path: str) -> Any:
    if not callable(factory):
        raise ValueError(f"{path} is {type(factory).__name__} and makes nothing; leave out the ()")
    try:
        with hushed():
            return factory()
    except (Exception, SystemExit) as error:
        raise ValueError(f"{path}() raised {said(error)}; it is called without arguments") from error


def _takes_nothing(found: Any) -> bool:
    forward = getattr(found, "forward", found)
    try:
        return not inspect.signature(forward if callable(forward) else found).parameters
    except (TypeError, ValueError):  # built in C, or scripted
        return False


def _weigh(found: Any, weights: Weights, path: str) -> None:
    torch = sys.modules["torch"]  # which read the weights
    owner = found if isinstance(found, torch.nn.Module) else getattr(found, "__self__", None)
    if not isinstance(owner, torch.nn.Module):
        raise ValueError(f"--checkpoint is for a torch.nn.Module, and {path} is {type(found).__name__}")
    weights.put_into(owner)
