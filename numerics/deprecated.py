"""Names that moved or go: they work for one version more, and say what to use instead."""

import importlib
import warnings
from collections.abc import Callable
from typing import Any


def goes(old: str, instead: str) -> None:
    """Warn the caller's caller that a name goes with the next version.

    Args:
        old: The name.
        instead: What to use.
    """
    warnings.warn(f"{old} goes with the next version; use {instead}", DeprecationWarning, stacklevel=3)


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
