"""A trained field of the user's, `--flow=MODULE:ATTR`: found, tried out, and wrapped for NumPy.

Nothing of the field is believed: before any check it is called at several times and points, and what it
returns must be deterministic, finite, of the shape of its points and independent of the other points of the
batch. What is wrong is said in one line. Torch is imported only for a field that needs it.
"""

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.checks import as_points
from theorems.setting.user.trying import (
    DOUBLE,
    PROBED_TIMES,
    NumpyField,
    RaisedError,
    by_differences,
    checked_call,
    differentiates,
    precision_of,
    probes,
    quiet,
    refuse_noise,
    said,
)

if TYPE_CHECKING:
    from theorems.setting.user.torch_field import TorchField

Array = NDArray[np.float64]
MOST_NUMBERS_AT_ONCE = 2**20


@dataclass(frozen=True, eq=False)
class UserFlow:
    """A field v(t, x) of the user's that was tried out.

    Attributes:
        name: ``MODULE:ATTR``.
        dim: d.
        field: How it is called.
        precision: The unit roundoff of what it returns.
        differentiates: Whether its automatic derivatives agree with differences of its values.
        seed: Feeds every draw about it.
        say: Called with lines of progress.
    """

    name: str
    dim: int
    field: "NumpyField | TorchField"
    precision: float = DOUBLE
    differentiates: bool = False
    seed: int = 0
    say: Callable[[str], object] = str

    @property
    def how(self) -> str:
        """How it is evaluated, in words."""
        kind = "double" if self.precision == DOUBLE else "single"
        derivatives = "automatic derivatives" if self.differentiates else "derivatives by differences"
        return f"{self.field.how}, {kind} precision, {derivatives}"

    def velocity(self, t: float, x: ArrayLike) -> Array:
        """v(t, x) in float64 for x (n,d), many points a call.

        Raises:
            ValueError: If the field raises, or returns another shape, no real numbers, NaN or infinity.
        """
        points = as_points("x", x, self.dim).real
        size = max(1, MOST_NUMBERS_AT_ONCE // self.dim)
        parts = [checked_call(self.field, t, points[k : k + size]) for k in range(0, len(points), size)]
        return np.concatenate(parts)

    def jacobian(self, t: float, x: ArrayLike) -> Array:
        """Dv_t(x) (n,d,d), row = component, column = direction, for x (n,d) and t < 1.

        Automatic where the field differentiates; else by central differences whose widest half-step is a
        small share of 1−t, over which fields bend as t → 1.

        Raises:
            ValueError: As `velocity`.
        """
        points = as_points("x", x, self.dim).real
        if self.differentiates:
            with quiet():
                found = self.field.jacobian(t, points)
            assert found is not None
            return np.asarray(found)
        return by_differences(self.velocity, t, points, self.precision)


def load(words: str, dim: int | None = None, device: str = "cpu", **fields: Any) -> UserFlow:
    """The field that ``MODULE:ATTR`` names, tried out.

    Args:
        words: A module, installed or in the current directory, and the dotted name of a field in it: a
            function ``velocity(t, x)`` of NumPy arrays or torch tensors, t a scalar and x (n,d), or a
            `torch.nn.Module` called so.
        dim: d; None takes it from the field's attribute ``dim``.
        device: Where torch evaluates.
        **fields: ``seed`` and ``say`` of the `UserFlow`.

    Raises:
        ValueError: In one line, if there is no such module or attribute, importing fails, it is not
            callable, d is unknown, or calls at several times and points show that it is no such field.
    """
    module, colon, path = words.partition(":")
    if not (colon and module and path):
        raise ValueError("give MODULE:ATTR, a module and the name of a field in it, such as my_flow:velocity")
    found = _attribute(_imported(module), module, path)
    d = _dimension(found, dim)
    field = _wrapped(found, d, device)
    precision = precision_of(field, d)
    refuse_noise(field, d, precision)
    return UserFlow(words, d, field, precision, differentiates(field, d, precision), **fields)


# --- finding it ------------------------------------------------------------------------------------------


def _imported(name: str) -> ModuleType:
    if os.getcwd() not in sys.path:  # the console script `pytest` leaves it out
        sys.path.insert(0, os.getcwd())
    try:
        with quiet():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise ValueError(
                f"there is no module {name!r}; install it, or run where {name.split('.')[0]}.py lies"
            ) from None
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
    if isinstance(found, type):
        raise ValueError(f"{path} is a class; name an instance of it, or a function velocity(t, x)")
    if not callable(found):
        raise ValueError(f"{path} is {type(found).__name__} and cannot be called; give velocity(t, x)")
    return found


def _dimension(found: Any, dim: int | None) -> int:
    own = getattr(found, "dim", None)
    known = own if isinstance(own, int) and not isinstance(own, bool) and own > 0 else None
    if dim is None and known is None:
        raise ValueError("its dimension is unknown; add --dim=D, the number of columns of x")
    if dim is not None and known is not None and dim != known:
        raise ValueError(f"it has dim = {known}, but the dimension asked for is {dim}")
    return int(dim if dim is not None else known)  # type: ignore[arg-type]


# --- trying it out ---------------------------------------------------------------------------------------


def _wrapped(found: Any, d: int, device: str) -> "NumpyField | TorchField":
    """The first way to call it that works; else what was wrong with the best attempt."""
    problems = []
    for field in _ways(found, device):
        try:
            for t in PROBED_TIMES:
                for x in (probes(d), probes(d)[:1]):
                    checked_call(field, t, x)
        except ValueError as error:
            problems.append(error)
        else:
            return field
    returned = [error for error in problems if not isinstance(error, RaisedError)]
    if not returned and problems[0].args[1] != problems[-1].args[1]:
        raise ValueError(f"{problems[0]}; with tensors it {problems[-1].args[1]}")
    raise ValueError((returned or problems)[0].args[0])


def _ways(found: Any, device: str) -> Iterator["NumpyField | TorchField"]:
    torch = sys.modules.get("torch")  # a field made with torch has imported it
    if torch is None or not isinstance(found, torch.nn.Module):
        yield NumpyField(found)
    if torch is not None:
        from theorems.setting.user.torch_field import ways

        yield from ways(found, device)
