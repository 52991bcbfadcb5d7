"""Trying out a field before any check: what it returns must be that of a field; in one line what is not.

It must be finite, of the shape of its points, the same at a second call, and independent of the other points
of the batch. How precise it is, and whether its automatic derivatives are right, is found out, too.
"""

import io
import math
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from numerics.flows.spectrum import jacobian

Array = NDArray[np.float64]
PROBED_TIMES = (0.0, 0.25, 0.5, 0.9, 0.99)
PROBED_POINTS = 7
"""One more where d is 7, so that a time (n,) is not taken for a row."""
DOUBLE, SINGLE = float(np.finfo(np.float64).eps), float(np.finfo(np.float32).eps)
LONGEST_WORDS = 300
IMAGES = re.compile(r"expected.*\b[345]D\b|conv[123]d|expected [345], got 2", re.I)
"""What torch says of x (n, d) where it wants (n, c, h, w)."""
MOST_ROWS = 128
"""Up to which dimension whole Jacobians are compared."""
ARRAYS = "it takes NumPy arrays, which are not differentiated; write it for torch tensors"
BLIND = (
    "no gradient reaches x; leave out torch.no_grad(), detach() and NumPy inside it, and give autograd.grad"
    " create_graph=True"
)
HIDDEN = (
    "its automatic derivatives are not those of its values; a part is hidden by detach(), no_grad() or NumPy"
)


class Field(Protocol):
    """What a wrapped field answers."""

    @property
    def how(self) -> str:
        """How it is evaluated, in words."""

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


def by_differences(
    velocity: Callable[[float, Array], Array], t: float, points: Array, precision: float
) -> Array:
    """Dv_t by extrapolated differences, with steps that suit the precision of v."""
    wide, widths = (1e-4, 3) if precision == DOUBLE else (0.1, 2)
    return jacobian(lambda _, x: velocity(t, x), t, points, wide * max(1 - t, 1e-3), widths).jacobian


def probes(d: int) -> Array:
    """Noise, and points further out: (n,d)."""
    n = PROBED_POINTS + (d == PROBED_POINTS)
    spread = np.linspace(1.0, 3.0, n)[:, None]
    return np.asarray(spread * np.random.default_rng(0).standard_normal((n, d)))


class RaisedError(ValueError):
    """The field itself raised: the whole sentence, and its end."""

    def __str__(self) -> str:
        return str(self.args[0])


class NotFiniteError(ValueError):
    """The field returned NaN or an infinity."""


def tried(field: Field, d: int) -> None:
    """Call a field at several times, on several points and on one.

    Raises:
        ValueError: As `checked_call`; for NaN or an infinity at one end of time alone, saying so.
    """
    for t in PROBED_TIMES:
        for x in (probes(d), probes(d)[:1]):
            try:
                checked_call(field, t, x)
            except NotFiniteError as error:
                raise NotFiniteError(f"{error}{_at_one_end(field, t, x)}") from None


def _at_one_end(field: Field, t: float, x: Array) -> str:
    """Words for a field that is finite at all other times."""
    if t not in (PROBED_TIMES[0], PROBED_TIMES[-1]):
        return ""
    try:
        for other in PROBED_TIMES:
            if other != t:
                checked_call(field, other, x)
    except ValueError:
        return ""
    remedy = "give its limit there" if t == 0 else f"make it so up to t = {t:g}; t = 1 is never asked"
    return f"; it is finite at all other times tried, so {remedy}"


def checked_call(field: Field, t: float, x: Array) -> Array:
    """v(t, x) in float64, checked.

    Raises:
        ValueError: In one line, if the field raises, or what it returns is no field's value.
    """
    asked = f"velocity({t:g}, x) with x of shape {x.shape}"
    try:
        with hushed():
            value = field.velocity(t, x)
    except (Exception, SystemExit) as error:
        raise RaisedError(f"{asked} raised {said(error)}", f"raised {said(error)}") from error
    held: Any = value.item() if value.dtype == object and value.ndim == 0 else None
    if callable(held):
        made = type(held).__name__
        raise ValueError(
            f"{asked} returned {made}, which can be called; name a factory with (), MODULE:MAKE()"
        )
    if isinstance(held, Mapping):
        keys = ", ".join(map(str, held))
        raise ValueError(f"{asked} returned a dict of {keys}; return one of these")
    if value.dtype.kind not in "fiu":
        raise ValueError(f"{asked} returned {value.dtype} values; it must return real numbers")
    if value.shape != x.shape:
        of_several = "; return one of several, such as [0]" if value.shape[1:] == x.shape else ""
        raise ValueError(f"{asked} returned shape {value.shape}; it must return {x.shape}{of_several}")
    bad = ~np.isfinite(value)
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        at = np.array2string(x[index[0]][:4], precision=4, separator=", ")
        more = ", …" if x.shape[1] > 4 else ""
        raise NotFiniteError(f"{asked} returned {value[index]} at {index}, where x is {at}{more}")
    return np.asarray(value, dtype=np.float64)


def to_be_wrapped(problems: Sequence[ValueError], d: int) -> str:
    """What to do, where a network asked for images."""
    if not any(IMAGES.search(str(problem)) for problem in problems):
        return ""
    sides = [(c, math.isqrt(d // c)) for c in (1, 3, 4) if d % c == 0]
    shape = next((f"{c}, {side}, {side}" for c, side in sides if c * side**2 == d), "c, h, w")
    wrapped = f"def velocity(t, x): return net(t, x.reshape(-1, {shape})).flatten(1)"
    return f"; a network of images is to be wrapped: {wrapped}"


def precision_of(field: Field, d: int) -> float:
    """Single where a move of 1e-10 changes nothing: float32 inside, whatever is returned."""
    x = probes(d)
    with hushed():
        native = np.dtype(field.velocity(0.5, x).dtype)
    if native.itemsize < 8:
        return SINGLE
    moved = checked_call(field, 0.5, x * (1 + 1e-10)) != checked_call(field, 0.5, x)
    return DOUBLE if moved.any() else SINGLE


def refuse_noise(field: Field, d: int, precision: float) -> None:
    """Refuse a field with two values at a point, or one that depends on the other points.

    Raises:
        ValueError: If it is one.
    """
    x = probes(d)
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


def obstacle(field: Any, d: int, precision: float) -> str:
    """Why its automatic derivatives cannot be used, and what to do; nothing where they can.

    They must agree with differences at most points (not at kinks), in a large dimension along one direction.
    """
    if not hasattr(field, "products"):
        return ARRAYS
    x, t = probes(d), 0.5
    z = np.random.default_rng(2).standard_normal(x.shape)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    try:
        with hushed():
            found = field.jacobian(t, x) if d <= MOST_ROWS else field.products(t, x, z)[0]
            reached = field.reached(t, x)
    except (Exception, SystemExit) as raised:
        return BLIND if _is_blind(field, t, x) else f"its automatic derivatives raised {said(raised)}"
    if d <= MOST_ROWS:
        differences = by_differences(lambda at, y: checked_call(field, at, y), t, x, precision)
    else:
        differences = _along(field, t, x, z, precision)
    error = np.linalg.norm((found - differences).reshape(len(x), -1), axis=1)
    if np.median(error) <= 0.01 * (1 + np.linalg.norm(differences.reshape(len(x), -1), axis=1).max()):
        return ""
    return HIDDEN if reached else BLIND


def _is_blind(field: Any, t: float, x: Array) -> bool:
    """Whether no gradient reaches x; not, where even that cannot be asked."""
    try:
        with hushed():
            return not field.reached(t, x)
    except (Exception, SystemExit):
        return False


def _along(field: Field, t: float, x: Array, z: Array, precision: float) -> Array:
    """Dv z by differences, (n,d)."""
    h = 1e-4 if precision == DOUBLE else 0.1
    ahead, behind = (checked_call(field, t, x + sign * h * z) for sign in (1, -1))
    return (ahead - behind) / (2 * h)


def seconds_of(field: Field, d: int) -> tuple[float, bool]:
    """What a call on 100 points takes, and whether it prints."""
    x = np.random.default_rng(1).standard_normal((100, d))
    before = time.perf_counter()
    with hushed() as printed:
        field.velocity(0.5, x)
    return time.perf_counter() - before, bool(printed.getvalue())


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


@contextmanager
def hushed() -> Iterator[io.StringIO]:
    """The same, what it prints is kept, and torch's state of gradients is put back."""
    torch = sys.modules.get("torch")
    state = nullcontext() if torch is None else torch.set_grad_enabled(torch.is_grad_enabled())
    with quiet(), state, redirect_stdout(io.StringIO()) as printed, redirect_stderr(printed):
        yield printed
