r"""Parametrised curves as closed sets (theory.md §4.2, family 6)."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Int

from numerics.accuracy import EPS
from numerics.checks import as_array, positive_integer, positive_number
from numerics.geometry import norms
from numerics.potentials.closed_sets import Parameters, Points, Stratum, curved, isolated


class Curve:
    r"""A C² curve γ in R^d without self-intersections.

    nearest: the local minima of |x − γ(t)| over a net of parameters are refined by safeguarded Newton to
    rounding, and the least is taken. The net must resolve the curve: 512 points by default.

    Conditioning: T = γ(t) errs by eps·|x₀|/H with H = a|γ'|² − ⟨x₀ − aγ, γ''⟩ over |γ'|²; H = 0 at focal
    points, and T jumps on the medial axis.

    Args:
        position: γ, (n,) parameters to (n,d).
        velocity: γ'.
        acceleration: γ''.
        interval: (start, stop).
        closed: Whether γ(stop) = γ(start), with two derivatives; else both ends belong to the curve, as
            strata of dimension 0.
        samples: Size of the net.
        name: What ``repr`` prints.

    Raises:
        ValueError: If the interval is empty, values aren't finite (n,d), γ' vanishes or disagrees with
            differences of γ, or a closed curve doesn't close.
    """

    def __init__(
        self,
        position: Callable[[Parameters], Points],
        velocity: Callable[[Parameters], Points],
        acceleration: Callable[[Parameters], Points],
        interval: tuple[float, float] = (0.0, 2 * np.pi),
        *,
        closed: bool = True,
        samples: int = 512,
        name: str | None = None,
    ) -> None:
        start, stop = (float(t) for t in as_array("interval", interval, ndim=1).real)
        if not start < stop:
            raise ValueError(f"interval: got {interval}; it must be (start, stop) with start < stop")
        self._gamma, self._velocity, self._acceleration = position, velocity, acceleration
        self._start, self._stop, self.closed = start, stop, closed
        count = positive_integer("samples", samples, least=8)
        self._parameters = np.linspace(start, stop, count + 1)[: count if closed else None]
        self.net = as_array("position", position(self._parameters), ndim=2).real
        self.dim = self.net.shape[1]
        self._check(count)
        self.radius = float(norms(self.net).max())
        steps = np.diff(self.net, axis=0, append=self.net[:1] if closed else self.net[-1:])
        self.spacing = float(norms(steps).max())
        self._name = name or f"Curve(<{count} samples in R^{self.dim}>)"

    def _check(self, count: int) -> None:
        t = self._parameters
        speed = as_array("velocity", self._velocity(t), ndim=2).real
        bend = as_array("acceleration", self._acceleration(t), ndim=2).real
        if speed.shape != self.net.shape or bend.shape != self.net.shape:
            raise ValueError(
                f"velocity, acceleration: got {speed.shape}, {bend.shape}; need {self.net.shape}"
            )
        if (norms(speed) <= EPS * norms(speed).max()).any():
            raise ValueError(f"velocity: vanishes at t = {t[int(np.argmin(norms(speed)))]}; reparametrise")
        h = (self._stop - self._start) * 1e-6
        inner = t[1:-1]
        for name, f, df in (
            ("velocity", self._gamma, self._velocity),
            ("acceleration", self._velocity, self._acceleration),
        ):
            wrong = norms((f(inner + h) - f(inner - h)) / (2 * h) - df(inner))
            if (wrong > 1e-4 * norms(df(t)).max()).any():
                raise ValueError(f"{name}: is not the derivative at t = {inner[int(np.argmax(wrong))]}")
        ends = self._gamma(np.array([self._start, self._stop]))
        gap = float(norms(ends[1] - ends[0]))
        if self.closed != (gap <= 64 * EPS * norms(self.net).max()):
            raise ValueError(f"closed: got {self.closed}, but γ(stop) − γ(start) has length {gap:.3g}")

    def __repr__(self) -> str:
        return self._name

    @classmethod
    def ellipse(cls, a: float, b: float) -> "Curve":
        """(a cos t, b sin t)."""
        axes = np.array([positive_number("a", a), positive_number("b", b)])
        return cls(
            lambda t: axes * np.stack([np.cos(t), np.sin(t)], axis=1),
            lambda t: axes * np.stack([-np.sin(t), np.cos(t)], axis=1),
            lambda t: -axes * np.stack([np.cos(t), np.sin(t)], axis=1),
            name=f"Curve.ellipse({float(a)!r}, {float(b)!r})",
        )

    @classmethod
    def spiral(cls, turns: float) -> "Curve":
        """The section of a swiss roll: t(cos t, sin t)/2π for t from π to π + 2π·turns, with two ends."""
        stop = np.pi * (1 + 2 * positive_number("turns", turns))
        unit = 1 / (2 * np.pi)

        def frame(t: Parameters) -> tuple[Points, Points]:
            return np.stack([np.cos(t), np.sin(t)], axis=1), np.stack([-np.sin(t), np.cos(t)], axis=1)

        return cls(
            lambda t: unit * t[:, None] * frame(t)[0],
            lambda t: unit * (frame(t)[0] + t[:, None] * frame(t)[1]),
            lambda t: unit * (2 * frame(t)[1] - t[:, None] * frame(t)[0]),
            (np.pi, float(stop)),
            closed=False,
            samples=int(256 * max(1.0, turns)),
            name=f"Curve.spiral({float(turns)!r})",
        )

    @classmethod
    def trefoil(cls) -> "Curve":
        """The trefoil knot (sin t + 2 sin 2t, cos t − 2 cos 2t, −sin 3t) in R³."""
        return cls(
            lambda t: np.stack(
                [np.sin(t) + 2 * np.sin(2 * t), np.cos(t) - 2 * np.cos(2 * t), -np.sin(3 * t)], axis=1
            ),
            lambda t: np.stack(
                [np.cos(t) + 4 * np.cos(2 * t), -np.sin(t) + 4 * np.sin(2 * t), -3 * np.cos(3 * t)], axis=1
            ),
            lambda t: np.stack(
                [-np.sin(t) - 8 * np.sin(2 * t), -np.cos(t) + 8 * np.cos(2 * t), 9 * np.sin(3 * t)], axis=1
            ),
            name="Curve.trefoil()",
        )

    def nearest(self, points: Points) -> Points:
        """γ(t) with t the global minimiser of |x − γ(t)|."""
        return self._gamma(self._nearest_parameter(points))

    def _nearest_parameter(self, points: Points) -> Parameters:
        block = max(1, 4_000_000 // len(self.net))
        found = [self._search(points[i : i + block]) for i in range(0, len(points), block)]
        return np.concatenate(found)

    def _search(self, points: Points) -> Parameters:
        """Refine the three best local minima of the net, ends included."""
        square = (self.net**2).sum(axis=1) - 2 * points @ self.net.T
        before, after = np.roll(square, 1, axis=1), np.roll(square, -1, axis=1)
        if not self.closed:
            before[:, 0] = after[:, -1] = np.inf
        valleys = np.where((square <= before) & (square <= after), square, np.inf)
        best = np.argpartition(valleys, 2, axis=1)[:, :3]
        row, rank = np.nonzero(np.isfinite(np.take_along_axis(valleys, best, axis=1)))
        t = np.full(best.shape, self._start)
        t[row, rank] = self._refine(points[row], best[row, rank])
        distances = np.full(best.shape, np.inf)
        distances[row, rank] = norms(points[row] - self._gamma(t[row, rank]))
        return np.asarray(t[np.arange(len(points)), distances.argmin(axis=1)])

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
        """Snap to an end that is no farther than γ(t)."""
        if self.closed:
            return t
        for end in (self._start, self._stop):
            near = np.abs(t - end) <= width
            closer = norms(points - self._gamma(np.full(len(t), end))) <= norms(points - self._gamma(t))
            t = np.where(near & closer, end, t)
        return t

    def strata(self, points: Points) -> Sequence[Stratum]:
        """The ends of an open curve, m = 0, and the rest, m = 1, with II = (γ'')_normal/|γ'|²."""
        t = self._nearest_parameter(points)
        rounding = 64 * EPS * max(abs(self._start), abs(self._stop))
        first = (t - self._start <= rounding) & (not self.closed)
        end = first | ((self._stop - t <= rounding) & (not self.closed))
        rest = np.flatnonzero(~end)
        speed, bend = self._velocity(t), self._acceleration(t[rest])
        length = norms(speed)[:, None]
        unit = speed / length
        inward = np.where(first[:, None], unit, -unit)[end]
        unit, length = unit[rest], length[rest]
        normal = (bend - (bend * unit).sum(axis=1)[:, None] * unit) / length**2
        inner = curved(rest, unit[:, :, None], normal[:, None, None, :])
        return [s for s in (isolated(np.flatnonzero(end), inward), inner) if len(s.rows)]
