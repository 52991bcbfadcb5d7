"""Where an increasing function crosses zero: by interpolation, then by halving, to neighbouring doubles."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from numerics.accuracy import EPS
from numerics.solvers.doubles import halved

Values = Float[np.ndarray, " n"]
_STEPS = 16
"""By interpolation, of which smooth functions need half a dozen; where one jumps it may need a thousand."""
_LEAST = 1e-300


def crossing(
    excess: Callable[..., Values],
    below: Values,
    above: Values,
    given: tuple[Values, ...] = (),
    ends: tuple[Values, Values] | None = None,
) -> tuple[Values, Values]:
    """Narrow brackets of a sign change until doubles leave no room, as far as relative places go.

    Chandrupatla's method (1997) on all rows at once, and `halved` for the rows that it leaves open. SciPy's
    `find_root` does the same, with bookkeeping that costs ten times as much as a batch of a few hundred.

    Args:
        excess: Of (m,) doubles, and of as many rows of each of ``given``, a number each; negative at
            ``below``, positive at ``above``.
        below: (n,) finite doubles.
        above: (n,) finite doubles, none less than its row's ``below``.
        given: Arrays (n,), what else the function depends on.
        ends: The function at ``below`` and ``above``, where they are known.

    Returns:
        For each row a ≤ b with excess(a) ≤ 0 ≤ excess(b): neighbours, or a = b where the excess is 0.

    Example:
        >>> a, b = crossing(lambda x, y: x**3 - y, np.zeros(2), np.full(2, 4.0), (np.array([8.0, 27.0]),))
        >>> a.round(12).tolist(), bool((b - a <= 4 * EPS).all())
        ([2.0, 3.0], True)
    """
    low, high = below.copy(), above.copy()
    rows, share = np.arange(len(below)), np.full(len(below), 0.5)
    # The latest place, the other end of its bracket, and the one before: places, then the function there.
    ends = (excess(below, *given), excess(above, *given)) if ends is None else ends
    state, left = np.stack([below, above, below, *ends, ends[0]]), given
    for _ in range(_STEPS):
        x = state[0] + share * (state[1] - state[0])
        f = excess(x, *left)
        stays = (f > 0) == (state[3] > 0)
        kept = np.where(stays, state[[0, 1, 3, 4]], state[[1, 0, 4, 3]])
        state = np.stack([x, kept[1], kept[0], f, kept[3], kept[2]])
        met, finest = f == 0, EPS * np.minimum(np.abs(x), np.abs(state[1])) + _LEAST
        width = np.abs(state[1] - x)
        ends = np.where(met, x, state[1])
        low[rows], high[rows] = np.minimum(x, ends), np.maximum(x, ends)
        open_ = ~met & (width >= finest)
        if not open_.any():
            return low, high
        rows, state, left = rows[open_], state[:, open_], tuple(part[open_] for part in left)
        share = _share(state, 0.5 * finest[open_] / width[open_])
    below, above = halved(lambda s: excess(s, *left), low[rows], high[rows])
    low[rows], high[rows] = below, above
    return low, high


def _share(state: Float[np.ndarray, "6 n"], least: Values) -> Values:
    """How far to go from the latest place to the other end: by a parabola where it is trusted, else half."""
    (a, b, c), (fa, fb, fc) = state[:3], state[3:]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        trusted = (1 - np.sqrt(1 - xi) < phi) & (phi < np.sqrt(xi))
        parabola = fa / (fa - fb) * fc / (fc - fb) - (c - a) / (b - a) * fa / (fc - fa) * fb / (fb - fc)
    return np.clip(np.where(trusted, parabola, 0.5), least, 1 - least)
