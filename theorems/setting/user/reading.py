"""How a field takes its arguments: velocity(t, x) or velocity(x, t), the form of t, and a class's label.

Both orders of arguments may succeed, as for v = x/(1+t). What decides is, in this order: what the user says,
the names of the parameters, which order returns a field's values at all, and last the flow itself. For *any*
coupling of noise with data E x_t = t·E x₁, and E x_t x_tᵀ is quadratic in t (docs/theory.md §0): a field that
was read wrongly makes neither.
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Order = Literal["t, x", "x, t", "[x, t]"]
Form = Literal["a scalar", "(n,)", "(n, 1)"]
FORMS: tuple[Form, ...] = ("a scalar", "(n,)", "(n, 1)")
POINT = re.compile(r"x\w*|z\w*|y\w*|points?|pts|pos\w*|state\w*|sample\w*|inputs?|im(g|age)\w*", re.I)
TIME = re.compile(r"t|ts|t\d|tau|s|time\w*|t_\w*", re.I)
LABEL = re.compile(r"y|labels?|class(es|_labels?|_ids?)?|cls|c|cond\w*", re.I)
SAID = re.compile(r"(.*)\(\s*(t|x)\s*,\s*(t|x)\s*\)")
CLEARLY = 3.0
"""How many times smaller a misfit must be to decide between two orders: a convention."""


@dataclass(frozen=True)
class Reading:
    """One way to hand over t and x.

    Attributes:
        order: Of the arguments; "[x, t]" is one argument of d+1 columns, t the last, as torchcfm's networks.
        form: Of t.
        because: What decided on the order.
        label: The class that is asked; None for a field of t and x alone.
        keyword: The parameter that takes it; "" for the one after t and x.
    """

    order: Order = "t, x"
    form: Form = "a scalar"
    because: str = ""
    label: int | None = None
    keyword: str = ""

    def __str__(self) -> str:
        words = f"velocity({self.order}), t {self.form}"
        if self.order == "[x, t]":
            words = "velocity([x, t]), one array of d+1 columns"
        return words if self.label is None else f"{words}, {self.keyword or 'then'} = {self.label} (n,)"

    def of(self, found: Callable[..., Any]) -> Callable[[Any, Any], Any]:
        """The field as a function of a scalar t and x (n,d), NumPy or torch."""
        if self.order == "t, x" and self.form == "a scalar" and self.label is None:
            return found

        def call(t: Any, x: Any) -> Any:
            at, labels = _formed(t, x, self.form), self._labels(x)
            named = {self.keyword: labels} if self.keyword else {}
            last = () if self.keyword or labels is None else (labels,)
            if self.order == "[x, t]":
                return found(_joined(x, at), *last, **named)
            return found(*((at, x) if self.order == "t, x" else (x, at)), *last, **named)

        return call

    def _labels(self, x: Any) -> Any:
        """The label once a point, integers; None where there is none."""
        if self.label is None:
            return None
        if hasattr(x, "new_full"):
            import torch

            return x.new_full((len(x),), self.label, dtype=torch.long)
        return np.full(len(x), self.label)


USUAL = Reading()


def _formed(t: Any, x: Any, form: Form) -> Any:
    if form == "a scalar":
        return t
    shape = (len(x),) if form == "(n,)" else (len(x), 1)
    return t.expand(shape) if hasattr(t, "expand") else np.full(shape, t)


def _joined(x: Any, at: Any) -> Any:
    if hasattr(at, "expand"):
        import torch

        return torch.cat([x, at], dim=1)
    return np.concatenate([x, at], axis=1)


def said(words: str) -> tuple[str, Order | None]:
    """``MODULE:ATTR(x, t)`` taken apart: the field's name and the order, None where it is not said.

    ``MODULE:MAKE()`` and ``MODULE:MAKE()(x, t)`` name what makes the field.

    Raises:
        ValueError: If the brackets do not hold t and x once each.
    """
    if "(" not in words.removesuffix("()"):
        return words, None
    found = SAID.fullmatch(words.strip())
    if found is None or found[2] == found[3]:
        raise ValueError(
            "after the name only (t, x) or (x, t) may stand, the order of its arguments, or () for a factory"
            " that takes none"
        )
    return found[1], "t, x" if found[2] == "t" else "x, t"


def candidates(found: Any, order: Order | None, label: int | None = None) -> list[Reading]:
    """The readings to be tried, the likeliest first.

    Raises:
        ValueError: If a label is given to a field that takes none, or none to one that needs it.
    """
    declared = _declared(found)
    keyword = _label_goes_to(declared, label)
    return [replace(read, label=label, keyword=keyword) for read in _orders(declared, order)]


def _orders(declared: list[inspect.Parameter] | None, order: Order | None) -> list[Reading]:
    if order is not None:
        return [Reading(order, form, "as you say") for form in FORMS]
    names = [p.name for p in _positional(declared)]
    if len(names) == 1 and not _takes(declared, inspect.Parameter.VAR_POSITIONAL):
        return [Reading("[x, t]", "(n, 1)", "as it takes one argument")]
    for order, kinds in (("t, x", (TIME, POINT)), ("x, t", (POINT, TIME))):
        if len(names) > 1 and all(kind.fullmatch(name) for kind, name in zip(kinds, names, strict=False)):
            because = f"by the names of its parameters, ({names[0]}, {names[1]})"
            return [Reading(order, form, because) for form in FORMS]  # type: ignore[arg-type]
    return [Reading(order, form) for order in ("t, x", "x, t") for form in FORMS]


def unlabelled(found: Any) -> str:
    """What to do where a field failed that may want a class: its parameter for it was left out."""
    third, only = _beside(_declared(found))
    named = [p.name for p in (*third, *only) if LABEL.fullmatch(p.name)]
    return f"; if its {named[0]} is a class, add --label=K" if named else ""


def _beside(
    declared: list[inspect.Parameter] | None,
) -> tuple[list[inspect.Parameter], list[inspect.Parameter]]:
    """The parameters beside t and x: by position, and by name alone."""
    return _positional(declared)[2:], [p for p in declared or [] if p.kind is p.KEYWORD_ONLY]


def _label_goes_to(declared: list[inspect.Parameter] | None, label: int | None) -> str:
    """The name of the parameter that takes the label; "" for the third one, or where there is no label."""
    third, only = _beside(declared)
    if label is None:
        needed = [p.name for p in (*third, *only) if p.default is p.empty]
        if needed:
            raise ValueError(f"it takes {needed[0]} beside t and x; add --label=K if that is a class")
        return ""
    named = [p.name for p in (*third, *only) if LABEL.fullmatch(p.name) and p.kind is not p.POSITIONAL_ONLY]
    if named or third or declared is None or _takes(declared, inspect.Parameter.VAR_POSITIONAL):
        return named[0] if named else ""
    if _takes(declared, inspect.Parameter.VAR_KEYWORD):
        return "label"
    raise ValueError(f"it takes no label for --label={label}: its parameters are {_listed(declared)}")


def _listed(declared: list[inspect.Parameter]) -> str:
    return f"({', '.join(p.name for p in declared)})"


def _declared(found: Any) -> list[inspect.Parameter] | None:
    """Its parameters, of a module those of ``forward``; None where nobody can tell."""
    forward = getattr(found, "forward", None)
    try:
        return list(inspect.signature(forward if callable(forward) else found).parameters.values())
    except (TypeError, ValueError):  # built in C, or scripted
        return None


def _positional(declared: list[inspect.Parameter] | None) -> list[inspect.Parameter]:
    return [p for p in declared or [] if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _takes(declared: list[inspect.Parameter] | None, kind: Any) -> bool:
    return any(p.kind is kind for p in declared or [])


def misfit(velocity: Callable[[float, Array], Array], d: int, stop: float = 0.9, steps: int = 36) -> float:
    """How far the moments of the field's own flow are from those of any coupling of noise with data.

    The mean must be linear in t and second moments quadratic; the largest residual of the best fits, relative
    to the size of x_t and of its square. It is 0 up to sampling for the field of every coupling.

    Args:
        velocity: v(t, x), x (n,d).
        d: The dimension.
        stop: The last time.
        steps: Of the midpoint rule.

    Returns:
        A number ≥ 0; infinite where the field cannot be followed.
    """
    half = np.random.default_rng(5).standard_normal((256 if d <= 32 else 64, d))
    x = np.concatenate([half, -half])
    times, delta = np.linspace(0.0, stop, steps + 1), stop / steps
    first, second = [x.mean(axis=0)], [(x.T @ x / len(x)).ravel()]
    try:
        for t in times[:-1]:
            x = x + delta * velocity(t + delta / 2, x + delta / 2 * velocity(t, x))
            first.append(x.mean(axis=0))
            second.append((x.T @ x / len(x)).ravel())
    except ValueError:
        return np.inf
    largest = max(np.abs(row).max() for row in second)
    if not np.isfinite(largest):
        return np.inf
    apart = _residual(times, np.array(first), 1) / np.sqrt(largest)
    return float(apart + _residual(times, np.array(second), 2) / largest)


def _residual(times: Array, values: Array, degree: int) -> float:
    powers = np.vander(times, degree + 1)
    return float(np.abs(values - powers @ np.linalg.lstsq(powers, values, rcond=None)[0]).max())
