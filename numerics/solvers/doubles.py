"""The order of doubles: places, middles, and a change of sign between neighbours."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int64

Values = Float[np.ndarray, " n"]
_LEAST = np.iinfo(np.int64).min


def halved(sign: Callable[[Values], Values], below: Values, above: Values) -> tuple[Values, Values]:
    r"""Halve the doubles between ``below`` and ``above`` until none is left: at most 64 steps.

    Halving the line takes a thousand steps where the change of sign is at 0. The order of doubles has fewer
    than 2⁶⁴ places.

    Args:
        sign: Of (n,) doubles a number each, that is ≤ 0 at ``below`` and ≥ 0 at ``above``; what is no number
            counts as negative.
        below: (n,) finite doubles.
        above: (n,) finite doubles, none less than its row's ``below``.

    Returns:
        For each row two neighbours a < b with sign(a) ≤ 0 ≤ sign(b), or a = b where the sign is 0.

    Example:
        >>> import numpy as np
        >>> a, b = halved(lambda x: x**2 - 2, np.array([0.0]), np.array([2.0]))
        >>> bool(b[0] == np.nextafter(a[0], 2)), round(float(a[0]), 12)  # √2
        (True, 1.414213562373)
    """
    while (np.nextafter(below, np.inf) < above).any():
        x = middle(below, above)
        found = sign(x)
        below, above = np.where(found > 0, below, x), np.where(found >= 0, x, above)
    return below, above


def place(x: Values) -> Int64[np.ndarray, " n"]:
    """The place of a double in the order of all: 0 for 0, that of −x is the negative.

    Example:
        >>> import numpy as np
        >>> place(np.array([0.0, 5e-324, -5e-324])).tolist()
        [0, 1, -1]
    """
    bits = np.ascontiguousarray(x).view(np.int64)
    return np.asarray(np.where(bits < 0, _LEAST - bits, bits))


def middle(low: Values, high: Values) -> Values:
    """The double halfway between two in the order of doubles, the lower where there are two.

    Example:
        >>> import numpy as np
        >>> middle(np.array([1.0, -1.0]), np.array([4.0, 1.0])).tolist()
        [2.0, 0.0]
    """
    a, b = place(low), place(high)
    half = (a & b) + ((a ^ b) >> 1)
    return np.asarray(np.where(half < 0, _LEAST - half, half)).view(float)
