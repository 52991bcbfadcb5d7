"""The old call ``bounded(quantity, measured, condition, multiple, because)``, until no check uses it.

To be removed when ``grep -rE 'multiple=|condition=' theorems tests`` finds no call of `evidence.bounded`.
"""

import sys
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from reports.basis import BasisFields


@dataclass(frozen=True)
class Stated:
    """A rounding that no family states: a multiple of the unit roundoff times a condition number."""

    bound: Any
    count: float
    because: str = "multiple · eps · condition, as the check states it"


def taken_apart(stated: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, str, BasisFields]:
    """The rounding, the reason and the basis of a call, new or old."""
    new = "rounding" in named or bool(stated and hasattr(stated[0], "bound"))
    names = ("rounding", "because") if new else ("condition", "multiple", "because")
    given = dict(zip(names, stated, strict=False)) | named
    rounding = given.pop("rounding") if new else _stated(given.pop("condition"), given.pop("multiple"))
    because = given.pop("because")
    return rounding, because, cast(BasisFields, given)


def _stated(condition: Any, multiple: float) -> Stated:
    condition = np.asarray(condition, dtype=float)
    if multiple <= 0:
        raise ValueError(f"multiple: got {multiple}, must be positive")
    return Stated(multiple * sys.float_info.epsilon * condition, multiple)
