"""What no algorithm can avoid, and how far a statement about accuracy exceeds it.

Every *bounded* check judges by what the library states it errs by: a statement that is a million times too
large lets anything pass. One rounding of what goes in, times the slope there, and one of what comes out
cannot be avoided; a statement may exceed that by `WIDE` at the median of drawn points.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from numerics.accuracy import EPS, Rounding
from theorems.setting.vectors import norm

Array = NDArray[np.float64]
Function = Callable[[Array], Array]
WIDE = 1000.0
_STEP, _DIRECTIONS = 2.0**-20, 4
HELD = {
    "because": "eps·(|output| + slope·|input|) is what one rounding of each makes",
    "chosen": "a thousand times that",
}


def by_draws(n: int) -> str:
    """By what the excess is estimated."""
    return f"the median of {n} drawn points; slopes by differences in {_DIRECTIONS} directions"


def unavoidable(function: Function, x: Array, rng: np.random.Generator, least: float = 0.0) -> Array:
    """eps·(|f(x)| + slope·|x|) and ``least`` (n,), the slope by differences: nothing but f's values is used.

    Args:
        function: f, (n,d) → (n,…).
        x: (n,d).
        rng: Draws the directions.
        least: What is added to |f(x)|: the size below which the function's own parameters are rounded.
    """
    here = _flat(function(x), len(x))
    length = norm(x)
    steepest = np.zeros(len(x))
    for _ in range(_DIRECTIONS):
        way = rng.standard_normal(x.shape)
        way *= (length / norm(way))[:, None]
        steepest = np.maximum(steepest, norm(_flat(function(x + _STEP * way), len(x)) - here) / _STEP)
    return np.asarray(EPS * (norm(here) + steepest + least))


def over(statement: Rounding, unavoidable: Array) -> float:
    """The median of a statement over what cannot be avoided; 0 where nothing is stated."""
    bound = np.broadcast_to(statement.bound, unavoidable.shape)
    return float(np.median(bound / np.maximum(unavoidable, np.finfo(float).tiny)))


def _flat(values: Array, n: int) -> Array:
    return np.asarray(values, dtype=float).reshape(n, -1)
