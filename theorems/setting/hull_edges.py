"""Points on edges of the hull, where ∂φ may be empty and the library answers φ = +∞.

Where a set touches a chord of its hull's boundary without a corner (an arc tangent to the line on to another
point), subgradients on the chord have no bound: the families of nearest points say that they give +∞ there.
Nothing is asked of φ at such points; they are told by the hull alone, and counted.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import linprog

_EDGE = 1e-6
"""Chosen: so little of the way from the middle leaves the hull; a thousand times what the solver is off."""


def room_beyond(points: Float[np.ndarray, "m d"], x: Float[np.ndarray, " d"]) -> float:
    """The largest t with x + t(x − c) in the hull of the points, c their mean; 0 on the hull's boundary.

    Example:
        >>> corners = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
        >>> round(room_beyond(corners, np.array([1.5, 1.0])), 6)
        1.0
        >>> abs(room_beyond(corners, np.array([2.0, 1.0]))) < 1e-9
        True
    """
    out = x - points.mean(axis=0)
    scale = float(np.abs(points).max()) or 1.0
    equal = np.vstack(
        [np.append(points.T / scale, -out[:, None] / scale, axis=1), [[1.0] * len(points) + [0.0]]]
    )
    found = linprog(
        [0.0] * len(points) + [-1.0],
        A_eq=equal,
        b_eq=np.append(x / scale, 1.0),
        bounds=[(0, None)] * equal.shape[1],
    )
    return 0.0 if found.x is None else float(found.x[-1])  # None: off the hull by rounding


def off_edges(
    value: Float[np.ndarray, " n"], x: Float[np.ndarray, "n d"], points: Float[np.ndarray, "m d"]
) -> Bool[np.ndarray, " n"]:
    """Where φ(x) = ``value`` is finite, for x in the hull of the points.

    Raises:
        AssertionError: If φ is +∞ at an x that is not on the boundary of their hull.
    """
    for at in x[np.isinf(value)]:
        room = room_beyond(points, at)
        assert room <= _EDGE, (
            f"φ is +inf at {at.tolist()}, in the hull by {room:g} of the way from its middle"
        )
    return np.isfinite(value)
