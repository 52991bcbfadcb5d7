"""When a number of a flow's audits agrees: within its tolerance, and on the exact field's side of a scale.

A field that knows nothing of its data has small numbers, too: a constant one is straight and has no curl. So
a number agrees only where another coupling on the same target is known to have a larger one, and only if it
is nearer to 0, which an exact field has, than to that. A flow that is as good as perfectly learned batches of
the largest size deviates in nothing where theirs is known: their number widens the tolerance, and its error
what cannot be told. What a number itself errs by makes nothing agree, and nothing deviate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["agrees", "deviates", "cannot be told"]
TOLD_APART = 2.0
"""How many times its error a number must be to be told from 0: a convention, as of two standard errors."""
ROUNDING = 1e-6
"""Below which a number is not told from 0: that of an exact field in float32 is so large. Chosen."""


@dataclass(frozen=True)
class Rival:
    """The coupling that a flow must not be nearer to.

    Attributes:
        name: Of the coupling.
        number: Its number, which is 0 for an exact field.
        error: What the two may be nearer to each other by.
    """

    name: str
    number: float
    error: float


def rival(places: Mapping[str, tuple[float, float]], *names: str) -> Rival | None:
    """The first of some couplings whose number is told from 0; None where none is.

    Args:
        places: Number ≥ 0 and error of each coupling that is known.
        *names: Which are asked, the hardest to tell from an exact field first.

    Example:
        >>> places = {"batches of 16": (0.3, 0.2), "independent coupling": (0.7, 0.1)}
        >>> rival(places, "batches of 16", "independent coupling").name
        'independent coupling'
    """
    known = (Rival(name, *places[name]) for name in names if name in places)
    told = (one for one in known if one.number >= max(ROUNDING, TOLD_APART * one.error))
    return next(told, None)


def outcome(
    measured: float,
    allowed: float,
    against: Rival | None,
    unsure: float = 0.0,
    *,
    best: float = 0.0,
    error: float = 0.0,
) -> Outcome:
    """What a number that is 0 for an exact field says, beside the number of another coupling.

    Where the other coupling's number is within the tolerance, too, the tolerance tells nothing apart: a
    number that is nearer to that one neither agrees nor deviates.

    Args:
        measured: The number.
        allowed: Up to where it may agree.
        against: The coupling that it must not be nearer to; None where none is told from the exact field.
        unsure: What the tolerance errs by.
        best: What perfectly learned batches of the largest size have at most: up to there nothing deviates,
            whatever it is nearer to. 0 where they are not known.
        error: What the number itself errs by.

    Example:
        >>> mark = Rival("batches of 16", 0.3, 0.1)
        >>> [outcome(number, 0.2, mark) for number in (0.05, 0.15, 0.19, 0.25)]
        ['agrees', 'cannot be told', 'cannot be told', 'deviates']
        >>> outcome(0.0, 0.2, None), outcome(0.25, 0.4, mark), outcome(0.25, 0.2, mark, 0.1)
        ('cannot be told', 'cannot be told', 'cannot be told')
        >>> near = Rival("batches of 16", 0.3, 0.0)
        >>> outcome(0.19, 0.2, near), outcome(0.19, 0.2, near, best=0.2), outcome(0.19, 0.2, near, error=0.02)
        ('deviates', 'cannot be told', 'cannot be told')
    """
    least, most = measured - error, measured + error
    if not least <= allowed + unsure:
        return "deviates"
    if most > allowed or against is None:
        return "cannot be told"
    if 2 * most < against.number - against.error:
        return "agrees"
    nearer = 2 * least > against.number + against.error and against.number > allowed
    return "deviates" if nearer and least > best else "cannot be told"
