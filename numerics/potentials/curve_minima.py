"""The local minima of the distance from a point to a parametrised curve, by a net and safeguarded Newton."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from numerics.accuracy import EPS
from numerics.geometry import norms
from numerics.potentials.strata import Parameters, Points, farther

_REMEMBERED = 8
_OWN = 20_000


class CurveMinima:
    """The search, for a curve that sets these attributes.

    Attributes:
        net, dim, closed: As of the curve.
    """

    net: Float[np.ndarray, "N d"]
    dim: int
    closed: bool
    _gamma: Callable[[Parameters], Points]
    _velocity: Callable[[Parameters], Points]
    _acceleration: Callable[[Parameters], Points]
    _start: float
    _stop: float
    _parameters: Parameters
    _remembered: dict[bytes, Float[np.ndarray, "n k"]]
    _own: dict[bytes, float]

    def _bend(self, points: Points, t: Parameters) -> Parameters:
        """Second derivative of |x − γ|²/2 by arc length, without the part of the tangential offset."""
        offset, speed = points - self._gamma(t), self._velocity(t)
        square = (speed**2).sum(axis=1)
        along = (offset * speed).sum(axis=1)[:, None] * speed / square[:, None]
        return 1 - ((offset - along) * self._acceleration(t)).sum(axis=1) / square

    def _minima(self, points: Points) -> Float[np.ndarray, "n k"]:
        """Parameters of local minima, the best first; those of the last few batches are remembered."""
        key = points.tobytes()
        if key not in self._remembered:
            found = self._all_minima(points)
            while len(self._remembered) >= _REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[key] = found
        return self._remembered[key]

    def _at(self, t: Parameters) -> Points:
        """γ(t); its parameters are remembered, point by point."""
        images = self._gamma(t)
        if len(self._own) + len(t) > _OWN:
            self._own.clear()
        self._own.update(zip(_each(images), t.tolist(), strict=True))
        return images

    def _nearest_parameter(self, points: Points) -> Parameters:
        """The best of the minima; of points that this curve made, the parameter that made them."""
        if points.tobytes() in self._remembered:
            return self._minima(points)[:, 0]
        known = [self._own.get(each) for each in _each(points)]
        t = np.array([np.nan if own is None else own for own in known])
        new = np.isnan(t)
        if new.any():
            t[new] = self._minima(points if new.all() else points[new])[:, 0]
        return t

    def _all_minima(self, points: Points) -> Float[np.ndarray, "n 4"]:
        block = max(1, 4_000_000 // len(self.net))
        found = [self._search(points[i : i + block]) for i in range(0, len(points), block)]
        return np.concatenate(found)

    def _search(self, points: Points) -> Float[np.ndarray, "n 4"]:
        """Refine the three best local minima of the net, ends included, and the twin of the best.

        Where there are fewer, the best is repeated.
        """
        square = (self.net**2).sum(axis=1) - 2 * points @ self.net.T
        before, after = np.roll(square, 1, axis=1), np.roll(square, -1, axis=1)
        if not self.closed:
            before[:, 0] = after[:, -1] = np.inf
        valleys = np.where((square <= before) & (square <= after), square, np.inf)
        best = np.argpartition(valleys, 2, axis=1)[:, :3]
        row, rank = np.nonzero(np.isfinite(np.take_along_axis(valleys, best, axis=1)))
        t = np.full((len(points), 4), np.nan)
        t[row, rank] = self._refine(points[row], best[row, rank])
        t = self._sorted(points, t)
        t[:, 3] = self._twin(points, t[:, 0])
        return self._sorted(points, t)

    def _sorted(self, points: Points, t: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, "n 4"]:
        """By distance; what is not there is replaced by the best."""
        known = np.isfinite(t)
        filled = np.where(known, t, self._start)
        at = self._gamma(filled.ravel()).reshape(*t.shape, self.dim)
        distance = np.where(known, farther(points[:, None], at[:, :1], at), np.inf)
        order = np.argsort(distance, axis=1, kind="stable")
        t = np.take_along_axis(t, order, axis=1)
        return np.where(np.isfinite(t), t, t[:, :1])

    def _twin(self, points: Points, t: Parameters) -> Parameters:
        """A second local minimum within 4 cells of the first: near the ends of the medial axis there is one.

        Looked for where the second derivative is small beside its values a cell away: the sign of the first
        changes from − to + between neighbours at t ± 4·width·2⁻ᵏ, k in halves.
        """
        width = self._parameters[1] - self._parameters[0]
        here = self._bend(points, t)
        away = np.maximum(self._bend(points, t - width), self._bend(points, t + width))
        twins = t.copy()
        rows = np.flatnonzero(here < 0.5 * away)
        if not rows.size:
            return twins
        offsets = 4 * width * 0.5 ** np.arange(0, 37, 0.5)
        grid = t[rows, None] + np.concatenate([-offsets, [0.0], offsets[::-1]])
        if not self.closed:
            grid = np.clip(grid, self._start, self._stop)
        slopes = self._slopes(points[rows], grid)
        middle = len(offsets)
        change = (slopes[:, :-1] < 0) & (slopes[:, 1:] >= 0)
        change[:, [middle - 1, middle]] = False
        for j in np.flatnonzero(change.any(axis=1)):
            cells = np.flatnonzero(change[j])
            i = rows[j]
            ends = grid[j, cells], grid[j, cells + 1]
            found = self._bisected(points[i], *ends)
            # signs near t itself are rounding: the twin is the root that is apart
            twins[i] = found[int(np.abs(found - t[i]).argmax())]
        return twins

    def _slopes(self, points: Points, t: Float[np.ndarray, "n q"]) -> Float[np.ndarray, "n q"]:
        """d/dt |x − γ|²/2 at every t of a row."""
        at = self._gamma(t.ravel()).reshape(*t.shape, self.dim)
        speed = self._velocity(t.ravel()).reshape(*t.shape, self.dim)
        return -((points[:, None] - at) * speed).sum(axis=2)

    def _bisected(self, point: Float[np.ndarray, " d"], low: Parameters, high: Parameters) -> Parameters:
        """Roots of the slope in brackets."""
        for _ in range(60):
            middle = (low + high) / 2
            rising = self._slopes(point[None], middle[None])[0] >= 0
            low, high = np.where(rising, low, middle), np.where(rising, middle, high)
        return high

    def _refine(self, points: Points, place: Int[np.ndarray, " n"]) -> Parameters:
        """Newton on d/dt |x − γ|²/2 between the neighbours in the net, halving where it leaves them."""
        width = self._parameters[1] - self._parameters[0]
        t = self._parameters[place].copy()
        low, high = t - width, t + width
        if not self.closed:
            low, high = np.maximum(low, self._start), np.minimum(high, self._stop)
        active = np.arange(len(t))
        for _ in range(100):
            at = self._gamma(t[active])
            offset, speed = points[active] - at, self._velocity(t[active])
            slope = -(offset * speed).sum(axis=1)
            bend = (speed**2).sum(axis=1) - (offset * self._acceleration(t[active])).sum(axis=1)
            low[active] = np.where(slope <= 0, t[active], low[active])
            high[active] = np.where(slope >= 0, t[active], high[active])
            newton = t[active] - slope / np.where(bend > 0, bend, 1.0)
            usable = (bend > 0) & (newton > low[active]) & (newton < high[active])
            to_end = self._pushed_to_end(active, low, high, t, slope)
            level = np.abs(slope) <= 2 * EPS * (norms(offset) + norms(at)) * norms(speed)
            halved = np.where(to_end | level, t[active], (low[active] + high[active]) / 2)
            step = np.where(usable, newton, halved)
            moved = np.abs(step - t[active])
            t[active] = step
            active = active[(moved > 2 * EPS * np.maximum(np.abs(step), width)) & ~level]
            if not active.size:
                break
        return self._closest_end(points, t, width)

    def _pushed_to_end(
        self,
        active: Int[np.ndarray, " k"],
        low: Parameters,
        high: Parameters,
        t: Parameters,
        slope: Float[np.ndarray, " k"],
    ) -> np.ndarray:
        """Whether the bracket has shrunk to a point or t sits on an end that it wants to cross."""
        shut = high[active] - low[active] <= 0
        if self.closed:
            return shut
        return shut | ((t[active] == self._start) & (slope >= 0)) | ((t[active] == self._stop) & (slope <= 0))

    def _closest_end(self, points: Points, t: Parameters, width: float) -> Parameters:
        """Snap to an end that is no farther than γ(t), if |x − γ| rises from it into the curve.

        Where it falls the end is no minimum, even where rounded distances do not tell it from γ(t).
        """
        if self.closed:
            return t
        for end, inward in ((self._start, 1), (self._stop, -1)):
            at = np.full(len(t), end)
            rises = inward * self._slopes(points, at[:, None])[:, 0] >= 0
            near = np.abs(t - end) <= width
            closer = farther(points, self._gamma(t), self._gamma(at)) <= 0
            t = np.where(near & closer & rises, end, t)
        return t


def _each(points: Points) -> list[bytes]:
    """Every point as its bytes."""
    data, width = points.tobytes(), points.itemsize * points.shape[1]
    return [data[i : i + width] for i in range(0, len(data), width)]
