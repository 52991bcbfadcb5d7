"""A trained field of the user's, `--flow=MODULE:ATTR`: tried out, and wrapped for NumPy.

Nothing of the field is believed: before any check it is called at several times and points, and what it
returns must be deterministic, finite, of the shape of its points and independent of the other points of the
batch. What is wrong is said in one line. Torch is imported only for a field that needs it.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.checks import as_points
from theorems.setting.user import reading
from theorems.setting.user.checkpoints import Weights
from theorems.setting.user.finding import find
from theorems.setting.user.reading import USUAL, Order, Reading
from theorems.setting.user.trying import (
    ARRAYS,
    DOUBLE,
    MOST_ROWS,
    PROBED_TIMES,
    Field,
    NumpyField,
    RaisedError,
    by_differences,
    checked_call,
    hushed,
    obstacle,
    precision_of,
    probes,
    refuse_noise,
    said,
    seconds_of,
    to_be_wrapped,
    tried,
)

if TYPE_CHECKING:
    from theorems.setting.user.targets import UserTarget
    from theorems.setting.user.torch_field import TorchField

Array = NDArray[np.float64]
MOST_NUMBERS_AT_ONCE = 2**20
SLOW = 0.2
"""Seconds a call on 100 points from which a flow is said to be slow: audits make some thousand calls."""


@dataclass(frozen=True, eq=False)
class UserFlow:
    """A field v(t, x) of the user's that was tried out.

    Attributes:
        name: ``MODULE:ATTR``, with its checkpoint and its label.
        dim: d.
        field: How it is called.
        precision: The unit roundoff of what it returns.
        differentiates: Whether its automatic derivatives agree with differences of its values.
        seed: Feeds every draw about it.
        say: Called with lines of progress.
        reading: How its arguments are handed over.
        target: The point cloud that it should lead to, None where none is given.
        obstacle: Why it does not differentiate, and what to do.
    """

    name: str
    dim: int
    field: Field
    precision: float = DOUBLE
    differentiates: bool = False
    seed: int = 0
    say: Callable[[str], object] = str
    reading: Reading = USUAL
    target: "UserTarget | None" = None
    obstacle: str = ARRAYS

    @property
    def how(self) -> str:
        """How it is evaluated, in words."""
        kind = "double" if self.precision == DOUBLE else "single"
        derivatives = "automatic derivatives" if self.differentiates else "derivatives by differences"
        return f"{self.reading}, {self.field.how}, {kind} precision, {derivatives}"

    def velocity(self, t: float, x: ArrayLike) -> Array:
        """v(t, x) in float64 for x (n,d), many points a call.

        Raises:
            ValueError: If the field raises, or returns another shape, no real numbers, NaN or infinity.
        """
        points = as_points("x", x, self.dim)
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
        points = as_points("x", x, self.dim)
        if self.differentiates:
            with hushed():
                found = self.field.jacobian(t, points)
            assert found is not None
            return np.asarray(found)
        return by_differences(self.velocity, t, points, self.precision)

    def products(self, t: float, x: ArrayLike, vectors: ArrayLike) -> tuple[Array, Array]:
        """Dv_t(x_i) z_i and Dv_t(x_i)ᵀ z_i for x and z (n,d), without a matrix; t < 1.

        Raises:
            ValueError: If the field does not differentiate, or not twice.
        """
        points = as_points("x", x, self.dim)
        if not self.differentiates:
            raise ValueError(f"its values do not differentiate automatically: {self.obstacle}")
        try:
            with hushed():
                return self.field.products(t, points, np.asarray(vectors))  # type: ignore[attr-defined]
        except RuntimeError as error:
            raise ValueError(f"its derivatives do not differentiate again: {said(error)}") from error


def load(
    words: str,
    dim: int | None = None,
    device: str = "cpu",
    weights: Weights | None = None,
    label: int | None = None,
    **fields: Any,
) -> UserFlow:
    """The field that ``MODULE:ATTR`` names, tried out.

    Args:
        words: A module, installed or in the current directory, and the dotted name of a field in it, or with
            ``()`` of what makes one, a factory or a class called without arguments. A field is a function
            ``velocity(t, x)`` of NumPy arrays or torch tensors, x (n,d), t a scalar, (n,) or (n,1); a
            `torch.nn.Module` called so; either with its arguments in the order (x, t); or a network of one
            argument of d+1 columns, t the last. ``MODULE:ATTR(x, t)`` says the order, else it is found out
            (`theorems.setting.user.reading`).
        dim: d; None takes it from the field's attribute ``dim``.
        device: Where torch evaluates.
        weights: What is put into the module first, of `theorems.setting.user.checkpoints`.
        label: The class that is asked of a class-conditional field ``velocity(t, x, y)``, whose y is then
            (n,) integers, by position or by its name.
        **fields: ``seed``, ``say`` and ``target`` of the `UserFlow`.

    Raises:
        ValueError: In one line, if there is no such module or attribute, importing fails, it is not
            callable, weights are not its own, d is unknown, it takes no label or needs one, or calls at
            several times and points show that it is no such field.
    """
    name, order = reading.said(words)
    found = find(name, weights)
    d = _dimension(found, dim)
    try:
        field, read = _wrapped(found, d, device, reading.candidates(found, order, label))
    except ValueError as error:
        if fields.get("target") is None:
            raise
        raise ValueError(f"{error}; {fields['target'].name} has {d} coordinates") from error
    precision = precision_of(field, d)
    refuse_noise(field, d, precision)
    full = name + (f" of {weights.file}" if weights else "") + ("" if label is None else f", label {label}")
    fields |= {"reading": read, "obstacle": obstacle(field, d, precision)}
    flow = UserFlow(full, d, field, precision, not fields["obstacle"], **fields)
    _tell(flow, name)
    if label is not None:
        _tell_of_labels(flow, found, device)
    return flow


def _tell(flow: UserFlow, name: str) -> None:
    """What of the way it is called its user should know."""
    read = flow.reading
    other = "x, t" if read.order == "t, x" else "t, x"
    remedy = "" if read.order == "[x, t]" else f"; --flow='{name}({other})' reads it the other way"
    flow.say(f"flow {flow.name}: read as {read}, {read.because}{remedy}")
    for note in getattr(flow.field, "notes", ()):
        flow.say(f"flow {flow.name}: {note}")
    if not flow.differentiates and (flow.obstacle != ARRAYS or flow.dim > MOST_ROWS):
        flow.say(f"flow {flow.name}: its derivatives are by differences: {flow.obstacle}")
    seconds, printed = seconds_of(flow.field, flow.dim)
    if printed:
        flow.say(f"flow {flow.name}: it prints while it is asked, which is not shown")
    if seconds > SLOW:
        flow.say(
            f"flow {flow.name}: it is slow, {seconds:.2g} s a call on 100 points; expect some thousand calls"
        )


def _tell_of_labels(flow: UserFlow, found: Any, device: str) -> None:
    """Whether another class has the same field; one that is refused is told apart by that."""
    other = 1 if flow.reading.label == 0 else 0
    try:
        field, _ = _wrapped(found, flow.dim, device, [replace(flow.reading, label=other)])
        x = probes(flow.dim)
        differ = [(checked_call(field, t, x) != flow.velocity(t, x)).any() for t in PROBED_TIMES]
    except ValueError:
        return
    if not any(differ):
        flow.say(
            f"flow {flow.name}: the label changed nothing: at all points and times tried its field is that of"
            f" label {other}; is the label used?"
        )


def _dimension(found: Any, dim: int | None) -> int:
    own = getattr(found, "dim", None)
    known = own if isinstance(own, int) and not isinstance(own, bool) and own > 0 else None
    if dim is None and known is None:
        raise ValueError("its dimension is unknown; add --dim=D, the number of columns of x")
    if dim is not None and known is not None and dim != known:
        raise ValueError(f"it has dim = {known}, but the dimension asked for is {dim}")
    return int(dim if dim is not None else known)  # type: ignore[arg-type]


# --- trying it out ---------------------------------------------------------------------------------------


def _wrapped(
    found: Any, d: int, device: str, readings: list[Reading]
) -> "tuple[NumpyField | TorchField, Reading]":
    """The first way to call it that works, in the order that is decided; else what was wrong."""
    working: dict[Order, tuple[NumpyField | TorchField, Reading]] = {}
    problems: list[ValueError] = []
    for read in readings:
        if read.order in working:
            continue
        for field in _ways(found, device, read):
            try:
                tried(field, d)
            except ValueError as error:
                problems.append(error)
            else:
                working[read.order] = field, read
                break
    if not working:
        label = readings[0].label
        asked = reading.unlabelled(found) if label is None else f" (label {label})"
        wrong = _what_was_wrong(problems, len(list(_ways(found, device, USUAL))))
        raise ValueError(f"{wrong}{asked}{to_be_wrapped(problems, d)}")
    if len(working) == 2:
        return _decided(working, d)
    ((field, read),) = working.values()
    return field, read if read.because else replace(read, because="as the other order fails")


def _what_was_wrong(problems: list[ValueError], ways: int) -> str:
    """What a call returned wrongly, if one returned; else how the likeliest reading failed."""
    returned = [error for error in problems if not isinstance(error, RaisedError)]
    first, last = problems[0], problems[:ways][-1]
    if not returned and first.args[1] != last.args[1]:
        return f"{first}; with tensors it {last.args[1]}"
    return str((returned or problems)[0].args[0])


def _decided(
    working: "dict[Order, tuple[NumpyField | TorchField, Reading]]", d: int
) -> "tuple[NumpyField | TorchField, Reading]":
    """Of two orders that both work, the one whose flow joins noise with data."""

    def apart(order: Order) -> float:
        return reading.misfit(lambda t, x: checked_call(working[order][0], t, x), d)

    misfits: dict[Order, float] = {order: apart(order) for order in working}
    best, other = sorted(working, key=lambda order: misfits[order])
    because = f"by its flow: moments miss those of a coupling by {misfits[best]:.2g}"
    if misfits[best] * reading.CLEARLY >= misfits[other]:
        best, because = "t, x", "though its values and its flow allow either order"
    else:
        because += f", the other way by {misfits[other]:.2g}"
    field, read = working[best]
    return field, replace(read, because=because)


def _ways(found: Any, device: str, read: Reading) -> Iterator["NumpyField | TorchField"]:
    torch = sys.modules.get("torch")  # a field made with torch has imported it
    if torch is None or not isinstance(found, torch.nn.Module):
        yield NumpyField(read.of(found))
    if torch is not None:
        from theorems.setting.user.torch_field import ways

        yield from ways(found, device, read)
