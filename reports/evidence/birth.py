"""What a record must be at birth: sentences where words are due, finite numbers, probabilities, counts."""

import math
import operator


def text(name: str, value: str) -> None:
    """Refuse what is not a sentence or a name."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name}: got {value!r}, must be a non-empty sentence or name")


def finite(name: str, value: float, quantity: str) -> None:
    """Refuse what is not finite."""
    if not math.isfinite(value):
        raise ValueError(f"{name} of {quantity!r}: got {value}, must be finite, or nothing could exceed it")


def not_negative(name: str, value: float, quantity: str) -> None:
    """Refuse what is negative or not finite."""
    finite(name, value, quantity)
    if value < 0:
        raise ValueError(f"{name} of {quantity!r}: got {value}, must not be negative")


def probability(level: float, quantity: str) -> None:
    """Refuse what is no level of a test."""
    if not 0 < level < 1:
        raise ValueError(f"level of {quantity!r}: got {level}, a level lies in (0, 1)")


def count(name: str, value: object, quantity: str) -> int:
    """A count as Python's own integer, which JSON can hold; refuse what is not one."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError(f"{name} of {quantity!r}: got {value!r}, must be a whole number") from None
    if isinstance(value, bool) or number < 0:
        raise ValueError(f"{name} of {quantity!r}: got {value!r}, must be a count, 0 or more")
    return number
