r"""Both tails of a law on the line as integrals of its density.

Each tail is summed from its own end inwards: all terms are positive, so nothing cancels however far out,
which SciPy's own tails often do (1 − cdf, Owen's T, expansions for large parameters). The line is cut into
panels that double away from a place in the middle and halve towards finite ends; each is halved until a
16-point Gauss–Legendre rule on it and on its halves differ by less than a quarter of the density's own
roundings in the smaller tail there, and until it holds at most 3 times what lies beyond. Between panels' ends
the same rule is used on what is left of the panel.

Accuracy, measured, not proved: a density is taken to err by 64 roundings and 4 of its logarithm. To these
come the differences of all panels out to the end, 16 times, which show how rough it is; what it is at the
outermost place times the distance to the end, or from the middle, which holds the rest of any tail of finite
variance that falls as a power or faster; and what its integral misses 1 by, though tails are divided by it.
An error that is smooth and has no mass is not seen: the law is what its density says. Nor is a peak between
all nodes placed: what it misses 1 by counts as a factor of every tail.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool
from scipy.ndimage import maximum_filter1d

from numerics.accuracy import UNIT
from numerics.potentials.differenced_density import FLAT, LOGARITHM
from numerics.potentials.normal import Values, exponent, tail
from numerics.potentials.normal_series import AnyShape
from numerics.potentials.primitive import running_sums

_SAFETY = 16.0
_NEIGHBOURS = 31  # panels: by chance rules agree on one
_WIDE = 3.0  # of what lies beyond it a panel may hold so much
_FINEST = 16.0  # doubles in a panel
_LEAST = 1e-110  # nothing is asked of smaller tails
_MOST_PANELS = 1024
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
Density = Callable[[Values], Values]


class IntegratedTails:
    """P(X ≤ x) and P(X > x) of a density, and what they err by.

    Args:
        density: Of X, vectorised; where it is no number it counts as 0.
        ends: Of the support; may be infinite.
        middle: A place inside.
        spread: About how far from it X is.

    Attributes:
        total: The density's integral before it was divided by it.

    Example:
        >>> tails = IntegratedTails(lambda x: np.exp(-x), (0.0, np.inf), 1.0, 1.0)
        >>> bool(abs(tails.upper(np.array([50.0]))[0] / np.exp(-50.0) - 1) < 1e-14)
        True
    """

    def __init__(self, density: Density, ends: tuple[float, float], middle: float, spread: float) -> None:
        self._density, self._ends = density, ends
        self._inner = np.nextafter(ends[0], np.inf), np.nextafter(ends[1], -np.inf)
        edges = _mesh(self._at, ends, middle, spread)
        self._edges, masses, errors = self._panels(edges)
        self.total = float(running_sums(masses)[-1])
        masses, errors = masses / self.total, errors / self.total
        self._below = np.concatenate([[0.0], running_sums(masses)])
        self._above = np.concatenate([running_sums(masses[::-1])[::-1], [0.0]])
        rest = [self._beyond(end, middle) / self.total for end in ends]
        with np.errstate(all="ignore"):
            rough = np.nan_to_num(errors / masses, nan=1.0, posinf=1.0)
        # on average, too: rules on many neighbours may agree by chance
        self._rough = maximum_filter1d(rough, _NEIGHBOURS) + 2 * errors.sum()
        self._lost_below = rest[0] + np.cumsum(errors)
        self._lost_above = rest[1] + np.cumsum(errors[::-1])[::-1]

    def _at(self, x: Values) -> Values:
        return np.nan_to_num(np.asarray(self._density(x), dtype=float), nan=0.0, posinf=0.0)

    def _beyond(self, end: float, middle: float) -> float:
        """What may lie beyond the last edge with a density: that, times the distance left.

        Densities of SciPy fall to 0 before their end where a part of their formula underflows.
        """
        found = self._at(self._edges)
        away = np.abs(self._edges - (end if np.isfinite(end) else middle))
        held = (found * away)[found > 0]
        return float(held[-1 if end > middle else 0]) if len(held) else 0.0

    def _mass(self, low: Values, high: Values) -> Values:
        """The density's integral over [low, high], before it is divided by the whole."""
        half = (high - low) / 2
        nodes = np.clip((low + half)[:, None] + half[:, None] * _NODES, *self._inner)
        return np.asarray(half * (self._at(nodes.ravel()).reshape(nodes.shape) @ _WEIGHTS))

    def _panels(self, edges: AnyShape) -> tuple[AnyShape, AnyShape, AnyShape]:
        """Edges, masses, and by how much the last halving moved these."""
        low, high = edges[:-1], edges[1:]
        mass, error, is_open = self._mass(low, high), np.zeros(len(low)), np.ones(len(low), dtype=bool)
        while is_open.any():
            rows = np.flatnonzero(is_open)
            middle = low[rows] + (high[rows] - low[rows]) / 2
            left, right = self._mass(low[rows], middle), self._mass(middle, high[rows])
            error[rows] = np.abs(mass[rows] - (left + right))
            mass[rows] = left + right
            outer = np.minimum(np.cumsum(mass) - mass, np.cumsum(mass[::-1])[::-1] - mass)[rows]
            allowed = _agreement(outer + mass[rows]) * (outer + mass[rows])
            is_wide = mass[rows] > _WIDE * np.maximum(outer, _LEAST)
            coarse = high[rows] - low[rows] <= _FINEST * np.spacing(np.abs(middle))
            has_room = ~coarse & (len(low) < _MOST_PANELS)
            halved = has_room & (is_wide | (error[rows] > np.maximum(allowed, _LEAST)))
            split = rows[halved]
            low = np.insert(low, split + 1, middle[halved])
            high = np.insert(high, split, middle[halved])
            mass[split] = right[halved]
            mass = np.insert(mass, split, left[halved])
            error = np.insert(error, split, 0.0)
            is_open[rows] = halved
            is_open = np.insert(is_open, split, True)
        return np.append(low, high[-1]), mass, error

    def lower(self, x: Values) -> Values:
        """P(X ≤ x)."""
        x = np.clip(x, self._edges[0], self._edges[-1])
        j = self._panel(x)
        return np.asarray(self._below[j] + self._mass(self._edges[j], x) / self.total)

    def upper(self, x: Values) -> Values:
        """P(X > x)."""
        x = np.clip(x, self._edges[0], self._edges[-1])
        j = self._panel(x)
        return np.asarray(self._above[j + 1] + self._mass(x, self._edges[j + 1]) / self.total)

    def guess(self, p: Values, is_upper: Bool[np.ndarray, " n"]) -> Values:
        """A quantile of either tail probability: in its panel the tail's logarithm is taken to be linear."""
        x = np.empty_like(p)
        for rows, side in ((is_upper, 1), (~is_upper, -1)):
            j = self._panel_of(p[rows], side)
            tails = self._above if side > 0 else self._below
            with np.errstate(all="ignore"):
                logs = np.log(tails[j]), np.log(tails[j + 1])
                share = (np.log(p[rows]) - logs[0]) / (logs[1] - logs[0])
                linear = (p[rows] - tails[j]) / (tails[j + 1] - tails[j])
            share = np.where(np.isfinite(logs[0]) & np.isfinite(logs[1]), share, linear)
            x[rows] = self._edges[j] + np.nan_to_num(share, nan=0.5) * (self._edges[j + 1] - self._edges[j])
        return x

    def relative_error(self, s: Values) -> Values:
        """By how much the tail at noise s errs relatively, beyond what a rounded density makes it err by."""
        found, p = np.empty_like(s), tail(np.abs(s))
        for rows, side, lost in ((s > 0, 1, self._lost_above), (s <= 0, -1, self._lost_below)):
            found[rows] = _SAFETY * lost[self._panel_of(p[rows], side)] / p[rows]
        return found + abs(self.total - 1)

    def roughness(self, x: Values) -> Values:
        """By how much the density at x errs relatively, as far as it is not smooth there, or not normed."""
        return _SAFETY * self._rough[self._panel(x)] + abs(self.total - 1)

    def _panel(self, x: Values) -> np.ndarray:
        return np.clip(np.searchsorted(self._edges, x, side="right") - 1, 0, len(self._edges) - 2)

    def _panel_of(self, p: Values, side: int) -> np.ndarray:
        """The panel in which a tail is p."""
        if side > 0:
            j = np.searchsorted(-self._above, -p, side="right")
        else:
            j = np.searchsorted(self._below, p, side="right")
        return np.clip(j - 1, 0, len(self._edges) - 2)


def count(s: Values) -> Values:
    """Roundings of a tail at noise s that its density's make."""
    return FLAT + LOGARITHM * exponent(np.abs(s))


def _agreement(p: Values) -> Values:
    """By how much rules may differ on a panel with so much in it and beyond: a quarter of its roundings."""
    return UNIT / 4 * (FLAT - LOGARITHM * np.log(np.clip(p, _LEAST, 1.0)))


def _mesh(density: Density, ends: tuple[float, float], middle: float, spread: float) -> Values:
    """Places that double away from the middle, and from half way halve towards a finite end as doubles go.

    They stop where the density times the distance is next to nothing, or more than any density of such a
    spread has that falls: P(|X − middle| > d/2) is at most (2·spread/d)².
    """
    edges = [np.array([middle])]
    for sign, end in zip((-1, 1), ends, strict=True):
        if np.isfinite(end):
            length = abs(end - middle)
            halvings = np.log2(length) - np.log2(max(np.spacing(abs(end)), 1e-300))
            outwards = spread * 2.0 ** np.arange(-2.0, np.log2(length / spread) - 1)
            inwards = length * 2.0 ** -np.arange(1.0, max(halvings, 2.0))
            away = np.concatenate([outwards, inwards])
            places = np.concatenate([middle + sign * outwards, end - sign * inwards])
            most, last = np.full(len(away), np.inf), np.array([end])
        else:
            away = spread * 2.0 ** np.arange(-2.0, 1000.0 - np.log2(spread))
            places, most, last = middle + sign * away, 8 * (spread / away) ** 2, np.empty(0)
        held = density(places) * away
        beyond = np.append(np.flatnonzero((held > most) & (away > 8 * spread)), len(places))
        within = np.flatnonzero(held[: beyond[0]] > _LEAST)
        edges += [places[: min(beyond[0], within.max(initial=0) + 2)], last]
    return np.unique(np.concatenate(edges))
