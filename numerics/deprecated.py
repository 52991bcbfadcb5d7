"""Names that moved or go: they work for one version more, and say what to use instead."""

import functools
import importlib
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def goes(old: str, instead: str) -> None:
    """Warn the caller's caller that a name goes with the next version.

    Args:
        old: The name.
        instead: What to use.
    """
    warnings.warn(f"{old} goes with the next version; use {instead}", DeprecationWarning, stacklevel=3)


def renamed(old: str, new: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: the keyword ``new`` also answers to its older name, with a DeprecationWarning.

    Args:
        old: The older keyword.
        new: The keyword that the function has.

    Raises:
        TypeError: When the function is called with both.

    Example:
        >>> @renamed("levels", "widths")
        ... def half_steps(step, widths=4):
        ...     return [step / 2**k for k in range(widths)]
        >>> with warnings.catch_warnings(record=True) as said:
        ...     warnings.simplefilter("always")
        ...     half_steps(1.0, levels=2), str(said[0].message)
        ([1.0, 0.5], "half_steps's keyword levels goes with the next version; use widths")
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if old in kwargs:
                if new in kwargs:
                    raise TypeError(f"{function.__qualname__}: {old} is the older name of {new}; give one")
                goes(f"{function.__qualname__}'s keyword {old}", new)
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call

    return wrap


def moved(old: str, new: str) -> Callable[[str], Any]:
    """A module's ``__getattr__`` that looks names up in another module, with a DeprecationWarning.

    Args:
        old: The module's own ``__name__``.
        new: Where its contents are now.

    Example:
        >>> look = moved("numerics.jacobi", "numerics.solvers.jacobi")
        >>> with warnings.catch_warnings(record=True) as said:
        ...     warnings.simplefilter("always")
        ...     look("svd").__module__, len(said)
        ('numerics.solvers.jacobi', 1)
    """

    def look_up(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {old!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(new), name)
        warnings.warn(f"{name} of {old} is now in {new}", DeprecationWarning, stacklevel=2)
        return found

    return look_up
