"""Arrays of measurements reduced to their worst entry."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reports.evidence.record import share

Floats = npt.NDArray[np.float64]
_NUMBER = (float, int)


@dataclass(frozen=True, slots=True)
class Worst:
    """The worst entry of an array of measurements.

    Attributes:
        index: Its index, empty for scalars.
        points: How many entries there are.
        share: How much of its bound it uses; infinite beyond any bound.
    """

    index: tuple[int, ...]
    points: int
    share: float


def worst_entry(measured: Floats, bound: Floats) -> Worst:
    """The entry that uses most of its bound; an entry beyond it, or not finite, before all others."""
    if measured.ndim == 0:
        return Worst((), 1, share(float(measured), float(bound)))
    with np.errstate(all="ignore"):
        ratio = np.where(bound > 0, measured / bound, 2 - measured / bound)
    ratio = np.where(bound == 0, np.where(measured <= 0, 0.0, np.inf), ratio)
    beyond = ~(measured <= bound) | ~np.isfinite(measured)
    ratio = np.where(np.isfinite(measured), ratio, np.inf)
    candidates = np.where(beyond, ratio, -np.inf) if beyond.any() else ratio
    place = place_of(candidates, np.argmax)
    return Worst(place, measured.size, float(ratio[place]))


def place_of(array: npt.NDArray[Any], which: Callable[[npt.NDArray[Any]], np.intp]) -> tuple[int, ...]:
    """Where the entry is that ``which`` (``np.argmax``, ``np.argmin``) finds; empty for a scalar."""
    return tuple(int(i) for i in np.unravel_index(int(which(array)), array.shape)) if array.ndim else ()


def floats(name: str, value: object, quantity: str) -> Floats:
    """``value`` as an array of floats.

    Raises:
        ValueError: If it is empty, complex, boolean or not a number.
    """
    if type(value) in _NUMBER:
        return np.asarray(value, dtype=np.float64)
    array = np.asarray(value)
    if array.size == 0:
        raise ValueError(f"{name} of {quantity!r} is empty: a check that checked nothing cannot pass")
    if array.dtype.kind == "O":
        array = _from_objects(name, array, quantity)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{name} of {quantity!r}: got {array.dtype} values, must be real numbers")
    return array.astype(np.float64)


def broadcast(quantity: str, **named: Floats) -> list[Floats]:
    """All arrays in one shape, which must be the shape of one of them.

    Raises:
        ValueError: If they do not fit together, or only by an outer product, which no check means.
    """
    arrays = list(named.values())
    shapes = {name: array.shape for name, array in named.items()}
    if len(set(shapes.values())) == 1:
        return arrays
    try:
        shape = np.broadcast_shapes(*shapes.values())
    except ValueError:
        raise ValueError(f"shapes of {quantity!r} do not fit together: {shapes}") from None
    if shape not in shapes.values():
        raise ValueError(f"shapes of {quantity!r} would combine every entry with every other: {shapes}")
    return [np.broadcast_to(array, shape) for array in arrays]


def truths(holds: object, quantity: str) -> npt.NDArray[np.bool_]:
    """``holds`` as an array of booleans; SymPy's true and false count as such.

    Raises:
        ValueError: If it is empty or not boolean.
    """
    array = np.asarray(holds)
    if array.size == 0:
        raise ValueError(f"{quantity!r}: nothing was checked; a check that checked nothing cannot pass")
    if array.dtype.kind == "O" and all(_is_boolean(entry) for entry in array.flat):
        array = array.astype(bool)
    if array.dtype.kind != "b":
        raise ValueError(f"{quantity!r}: got {array.dtype} values, an identity holds or not: pass booleans")
    return array


def _from_objects(name: str, array: npt.NDArray[Any], quantity: str) -> npt.NDArray[Any]:
    if any(_is_boolean(entry) or isinstance(entry, str) for entry in array.flat):
        raise ValueError(f"{name} of {quantity!r}: got booleans or text, must be real numbers")
    try:  # fractions, SymPy and mpmath numbers; NumPy itself would read None as NaN and "1" as 1
        return np.array([float(entry) for entry in array.flat]).reshape(array.shape)
    except (TypeError, ValueError):
        kinds = sorted({type(entry).__name__ for entry in array.flat})
        raise ValueError(f"{name} of {quantity!r}: got {', '.join(kinds)}, must be real numbers") from None


def _is_boolean(entry: object) -> bool:
    return isinstance(entry, bool | np.bool_) or type(entry).__name__ in ("BooleanTrue", "BooleanFalse")
