"""A trained field of the user's, `--flow=MODULE:ATTR`: found, tried out, and wrapped for NumPy.

Nothing of the field is believed: before any check it is called at several times and points, and what it
returns must be deterministic, finite, of the shape of its points and independent of the other points of the
batch. What is wrong is said in one line. Torch is imported only for a field that needs it.
"""

import importlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.checks import as_points
from numerics.flows.spectrum import jacobian

if TYPE_CHECKING:
    from reports.torch_field import TorchField

Array = NDArray[np.float64]
PROBED_TIMES = (0.0, 0.25, 0.5, 0.9, 0.99)
PROBED_POINTS = 7
MOST_NUMBERS_AT_ONCE = 2**20
DOUBLE, SINGLE = float(np.finfo(np.float64).eps), float(np.finfo(np.float32).eps)
LONGEST_WORDS = 300


class Field(Protocol):
    """What a wrapped field answers."""

    def velocity(self, t: float, x: Array) -> Array:
        """(n,d), raw: not yet checked."""

    def jacobian(self, t: float, x: Array) -> Array | None:
        """(n,d,d) by automatic differentiation, None where there is none."""


@dataclass(frozen=True)
class NumpyField:
    """A field that takes a float and an array.

    Attributes:
        call: (t, x (n,d)) → (n,d), or what can be made an array.
    """

    call: Callable[[float, Array], Any]
    how = "NumPy"

    def velocity(self, t: float, x: Array) -> Array:
        """What the field returns at a copy of x."""
        value = self.call(t, x.copy())
        if hasattr(value, "detach"):  # a torch function that converts its input but not its output
            value = value.detach().cpu().numpy()
        return np.asarray(value)

    def jacobian(self, t: float, x: Array) -> None:
        """NumPy does not differentiate."""


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


def by_differences(
    velocity: Callable[[float, Array], Array], t: float, points: Array, precision: float
) -> Array:
    """Dv_t by extrapolated differences, with steps that suit the precision of v."""
    wide, levels = (1e-4, 3) if precision == DOUBLE else (0.1, 2)
    return jacobian(lambda _, x: velocity(t, x), t, points, wide * max(1 - t, 1e-3), levels).jacobian


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
    precision = _precision(field, d)
    _refuse_noise(field, d, precision)
    return UserFlow(words, d, field, precision, _differentiates(field, d, precision), **fields)


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
                for x in (_probes(d), _probes(d)[:1]):
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
        from reports.torch_field import ways

        yield from ways(found, device)


def _probes(d: int) -> Array:
    """Noise, and points further out."""
    spread = np.linspace(1.0, 3.0, PROBED_POINTS)[:, None]
    return np.asarray(spread * np.random.default_rng(0).standard_normal((PROBED_POINTS, d)))


class RaisedError(ValueError):
    """The field itself raised: the whole sentence, and its end."""

    def __str__(self) -> str:
        return str(self.args[0])


def checked_call(field: Field, t: float, x: Array) -> Array:
    """v(t, x) in float64, checked.

    Raises:
        ValueError: In one line, if the field raises, or what it returns is no field's value.
    """
    asked = f"velocity({t:g}, x) with x of shape {x.shape}"
    try:
        with quiet():
            value = field.velocity(t, x)
    except (Exception, SystemExit) as error:
        raise RaisedError(f"{asked} raised {said(error)}", f"raised {said(error)}") from error
    if value.dtype.kind not in "fiu":
        raise ValueError(f"{asked} returned {value.dtype} values; it must return real numbers")
    if value.shape != x.shape:
        raise ValueError(f"{asked} returned shape {value.shape}; it must return {x.shape}")
    bad = ~np.isfinite(value)
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        at = np.array2string(x[index[0]][:4], precision=4, separator=", ")
        more = ", …" if x.shape[1] > 4 else ""
        raise ValueError(f"{asked} returned {value[index]} at {index}, where x is {at}{more}")
    return np.asarray(value, dtype=np.float64)


def _precision(field: Field, d: int) -> float:
    """Single where a move of 1e-10 changes nothing: float32 inside, whatever is returned."""
    x = _probes(d)
    with quiet():
        native = np.dtype(field.velocity(0.5, x).dtype)
    if native.itemsize < 8:
        return SINGLE
    moved = checked_call(field, 0.5, x * (1 + 1e-10)) != checked_call(field, 0.5, x)
    return DOUBLE if moved.any() else SINGLE


def _refuse_noise(field: Field, d: int, precision: float) -> None:
    x = _probes(d)
    for t in PROBED_TIMES:
        value, again = (checked_call(field, t, x) for _ in range(2))
        allowed = np.sqrt(precision) * (1 + np.abs(value).max())
        if np.abs(value - again).max() > allowed:
            raise ValueError(
                f"two calls at t = {t:g} and the same x differ by {np.abs(value - again).max():.3g}; a field"
                " has one value (dropout? call eval())"
            )
        alone = np.concatenate([checked_call(field, t, row[None]) for row in x])
        if np.abs(value - alone).max() > allowed:
            row = int(np.abs(value - alone).max(axis=1).argmax())
            raise ValueError(
                f"at t = {t:g} its value at point {row} depends on the other points of the batch (batch"
                " normalisation? call eval())"
            )


def _differentiates(field: Field, d: int, precision: float) -> bool:
    """Whether automatic derivatives exist and agree with differences at most points (not at kinks)."""
    x, t = _probes(d), 0.5
    try:
        with quiet():
            found = field.jacobian(t, x)
    except (Exception, SystemExit):
        return False
    if found is None:
        return False
    differences = by_differences(lambda at, y: checked_call(field, at, y), t, x, precision)
    error = np.abs(found - differences).max(axis=(1, 2))
    return bool(np.median(error) <= 0.01 * (1 + np.abs(differences).max()))


# --- words -----------------------------------------------------------------------------------------------


def said(error: BaseException) -> str:
    """An error in one line."""
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return words if len(words) <= LONGEST_WORDS else f"{words[:LONGEST_WORDS]} …"


@contextmanager
def quiet() -> Iterator[None]:
    """Whatever a field warns of is not an error of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
