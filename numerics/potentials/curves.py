r"""Parametrised curves as closed sets (docs/theory.md §4.2, family 6)."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from numerics.accuracy import EPS, UNIT
from numerics.checks import as_array, positive_integer, positive_number
from numerics.geometry import norms
from numerics.potentials.curve_minima import CurveMinima
from numerics.potentials.ellipse_projection import EllipsePoint, project
from numerics.potentials.strata import Parameters, Points, Stratum, curved, farther, isolated
from numerics.rebuilt import Rebuilt


class Curve(Rebuilt, CurveMinima):
    r"""A C² curve γ in R^d without self-intersections.

    nearest: the local minima of |x − γ(t)| over a net of parameters are refined by safeguarded Newton to
    rounding, and the least is taken. The net must resolve the curve: 512 points by default.

    Accuracy: γ is assumed to err by 12 roundings of its largest length (``error``), γ' relatively by 12; what
    follows for T is said in `nearest_rounding`. Sines and cosines err by a twentieth of that, and less along
    the curve than off it, so beside focal points the statement may be 1000 times the error. The nearest point
    is ill conditioned at focal points, and jumps on the medial axis.

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

    Example:
        >>> Curve.ellipse(2.0, 1.0).nearest(np.array([[5.0, 0.0], [0.0, -3.0]])).round(12).tolist()
        [[2.0, 0.0], [0.0, -1.0]]
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
        start, stop = (float(t) for t in as_array("interval", interval, ndim=1))
        if not start < stop:
            raise ValueError(f"interval: got {interval}; it must be (start, stop) with start < stop")
        self._gamma, self._velocity, self._acceleration = position, velocity, acceleration
        self._start, self._stop, self.closed = start, stop, closed
        count = positive_integer("samples", samples, least=8)
        self._parameters = np.linspace(start, stop, count + 1)[: count if closed else None]
        self.net = as_array("position", position(self._parameters), ndim=2)
        self.dim = self.net.shape[1]
        self._check(count)
        self.radius = float(norms(self.net).max())
        steps = np.diff(self.net, axis=0, append=self.net[:1] if closed else self.net[-1:])
        self.spacing = float(norms(steps).max())
        self._remembered: dict[bytes, Float[np.ndarray, "n k"]] = {}
        self._own: dict[bytes, float] = {}
        self.error = 12 * UNIT * self.radius
        self._name = name or f"Curve(<{count} samples in R^{self.dim}>)"

    def _check(self, count: int) -> None:
        t = self._parameters
        speed = as_array("velocity", self._velocity(t), ndim=2)
        bend = as_array("acceleration", self._acceleration(t), ndim=2)
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
        apart = float(norms(ends[1] - ends[0]))
        if self.closed != (apart <= 32 * UNIT * norms(self.net).max()):
            raise ValueError(f"closed: got {self.closed}, but γ(stop) − γ(start) has length {apart:.3g}")

    def __repr__(self) -> str:
        return self._name

    @classmethod
    def ellipse(cls, a: float, b: float) -> "Ellipse":
        """(a cos t, b sin t)."""
        return Ellipse(a, b)

    @classmethod
    def spiral(cls, turns: float) -> "Curve":
        """The section of a swiss roll: t(cos t, sin t)/2π for t from π to π + 2π·turns, with two ends."""
        stop = np.pi * (1 + 2 * positive_number("turns", turns))
        unit = 1 / (2 * np.pi)

        def frame(t: Parameters) -> tuple[Points, Points]:
            out, turned = np.empty((2, len(t), 2))
            out[:, 0], out[:, 1] = np.cos(t), np.sin(t)
            turned[:, 0], turned[:, 1] = -out[:, 1], out[:, 0]
            return out, turned

        def along(t: Parameters) -> Points:
            out, turned = frame(t)
            return unit * (out + t[:, None] * turned)

        def bend(t: Parameters) -> Points:
            out, turned = frame(t)
            return unit * (2 * turned - t[:, None] * out)

        curve = cls(
            lambda t: unit * t[:, None] * frame(t)[0],
            along,
            bend,
            (np.pi, float(stop)),
            closed=False,
            samples=int(256 * max(1.0, turns)),
            name=f"Curve.spiral({float(turns)!r})",
        )
        curve.made_by(cls.spiral, turns)
        return curve

    @classmethod
    def trefoil(cls) -> "Curve":
        """The trefoil knot (sin t + 2 sin 2t, cos t − 2 cos 2t, −sin 3t) in R³."""
        curve = cls(
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
        curve.made_by(cls.trefoil)
        return curve

    def nearest(self, points: Points) -> Points:
        """γ(t) with t the global minimiser of |x − γ(t)|."""
        return self._at(self._nearest_parameter(points))

    def retract(self, points: Points, moves: Points) -> Points:
        """γ(t + ⟨move,γ'⟩/|γ'|²) for points γ(t) of the curve, at most to its ends; round a closed one."""
        t = self._nearest_parameter(points)
        speed = self._velocity(t)
        t = t + (moves * speed).sum(axis=1) / (speed**2).sum(axis=1)
        if not self.closed:
            return self._at(np.clip(t, self._start, self._stop))
        round_ = self._start + np.mod(t - self._start, self._stop - self._start)
        return self._at(np.where((t < self._start) | (t > self._stop), round_, t))

    def rivals(self, points: Points) -> Float[np.ndarray, "n k d"]:
        """The three best local minima, and the twin of the best in its own cell of the net, nearest first."""
        t = self._minima(points)
        return self._gamma(t.ravel()).reshape(*t.shape, self.dim)

    def nearest_rounding(self, points: Points, images: Points, moved: Parameters) -> Parameters:
        r"""γ's own error η; what the minimum is off by along the curve (`_misplaced`); and ties.

        Two minima tie where ⟨2x − y − y', y − y'⟩ is 0 to d + 5 roundings, to η at both, to what x moves by
        times 2|y − y'|, and to what both fall over what their places are off by. Then the other's place is
        off by its own.
        """
        del images
        t = self._minima(points)
        others = self._gamma(t.ravel()).reshape(*t.shape, self.dim)
        many = np.repeat(points, t.shape[1], axis=0), t.ravel(), np.repeat(moved, t.shape[1])
        local, fallen = (part.reshape(t.shape) for part in self._misplaced(*many))
        best, apart, away = others[:, :1], norms(others - others[:, :1]), norms(points[:, None] - others)
        level = 2 * self.error * (away + away[:, :1]) + fallen + fallen[:, :1]
        level += (self.dim + 5) * UNIT * apart * norms(others + best - 2 * points[:, None])
        level += 2 * moved[:, None] * (apart + local)
        tied = farther(points[:, None], best, others) <= level
        return self.error + np.where(tied, apart + local, 0.0).max(axis=1)

    def _misplaced(self, points: Points, t: Parameters, moved: Parameters) -> tuple[Parameters, Parameters]:
        r"""How far along the curve the minimum near t may be, and by how much |x − γ|² may fall up to there.

        From the residual of ⟨x−γ,γ'⟩ = 0 over h = 1 − ⟨x−γ,γ''⟩/|γ'|². The residual ⟨x−γ,γ'⟩/|γ'| is
        computed, and errs by η + (d+25)u|x−γ| (γ' errs by 12u relatively). With what x moves by, it is off by
        r, and t by at most r/(h|γ'|) for the least h up to there, which is within 2r/(h|γ'|) if half of h is
        left. It is looked up at t and at both ends, and errs by 40u of its terms, 1 and 1 − h. Between the
        three h is taken for a parabola (not proved: a curve may bend more often), which falls below the least
        by an eighth of their range at most: a vertex at d ≤ s/2 from the nearer of two places s apart is
        s + d or more from the third, and d² ≤ ((s + d)² − d²)/8. Where less than half of h is left, or an end
        has more than twice (near a focal point), the minimum is somewhere in its cell of the net, if x moves
        by a 64th (chosen) of its size at most. An end that the residual presses against stays.
        """
        offset, speed = points - self._gamma(t), norms(self._velocity(t))
        noise = self.error + (self.dim + 25) * UNIT * norms(offset) + moved
        residual = (offset * self._velocity(t)).sum(axis=1) / speed
        inner = self.closed | ((t > self._start) & (t < self._stop))
        pressed = ~inner & (np.where(t == self._start, -residual, residual) > noise)
        here, off = self._bend(points, t), np.abs(residual) * inner + noise
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(here > 0, 2 * off / here, np.inf)
        sure = np.isfinite(reach) & (reach <= self.spacing)
        shift = np.where(sure, reach, 0.0) / speed
        bends = np.stack([here, *(self._bend(points, t + sign * shift) for sign in (1, -1))])
        least = (bends - 40 * UNIT * (1 + np.abs(1 - bends))).min(axis=0) - np.ptp(bends, axis=0) / 8
        sure &= (least >= here / 2) & (bends.max(axis=0) <= 2 * here)
        cell = np.where(moved <= self.spacing / 64, 2 * self.spacing, 2 * self.radius)
        local = np.where(pressed, 0.0, np.where(sure, off / np.where(sure, least, 1.0), cell))
        return local, (np.abs(residual) + noise) * local

    def strata(self, points: Points) -> Sequence[Stratum]:
        """The ends of an open curve, m = 0, and the rest, m = 1, with II = (γ'')_normal/|γ'|²."""
        t = self._nearest_parameter(points)
        rounding = 8 * UNIT * max(abs(self._start), abs(self._stop))  # t is refined to 4 roundings
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


class Ellipse(Curve):
    """(a cos t, b sin t), whose nearest points solve a secular equation (`ellipse_projection`).

    Args:
        a: > 0.
        b: > 0.

    Raises:
        ValueError: If a semi-axis isn't positive.
    """

    def __init__(self, a: float, b: float) -> None:
        axes = self.semi_axes = np.array([positive_number("a", a), positive_number("b", b)])
        self.major, self.minor = float(axes.max()), float(axes.min())
        self.long = int(axes.argmax())
        super().__init__(
            lambda t: axes * np.stack([np.cos(t), np.sin(t)], axis=1),
            lambda t: axes * np.stack([-np.sin(t), np.cos(t)], axis=1),
            lambda t: -axes * np.stack([np.cos(t), np.sin(t)], axis=1),
            name=f"Curve.ellipse({float(a)!r}, {float(b)!r})",
        )
        self.error = 4 * UNIT * self.major

    def project(self, points: Points, moved: Parameters | float = 0.0) -> EllipsePoint:
        """The nearest points, in the set's own order of axes, with what they err by."""
        order = [self.long, 1 - self.long]
        found = project(points[:, order], self.major, self.minor, moved)
        return replace(found, unit=found.unit[:, order])

    def nearest(self, points: Points) -> Points:
        """The nearest point; of two, on the medial axis, that on the side of the signs of 0 and −0."""
        return self.project(points).unit * self.semi_axes

    def nearest_rounding(self, points: Points, images: Points, moved: Parameters) -> Parameters:
        """That of `project`."""
        del images
        return self.project(points, moved).error

    def rivals(self, points: Points) -> Float[np.ndarray, "n k d"]:
        """The nearest point and its mirror image across the major axis."""
        images = self.nearest(points)
        mirror = np.ones(2)
        mirror[1 - self.long] = -1.0
        return np.stack([images, images * mirror], axis=1)

    def _nearest_parameter(self, points: Points) -> Parameters:
        unit = self.project(points).unit
        return np.arctan2(unit[:, 1], unit[:, 0])
