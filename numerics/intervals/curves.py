r"""Nearest points of curves and points in balls: φ\* = max ⟨x₀,y⟩ − (a/2)|y|², proved to be global.

Where the objective of a curve is concave around a proposed maximiser it is bounded by its value, slope and
curvature there; everywhere else it is proved to be smaller by subdivision.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from flint import arb, arb_mat, arb_series, ctx
from numpy.typing import ArrayLike

from numerics.checks import positive_number
from numerics.deprecated import renamed
from numerics.intervals.balls import (
    UndecidedError,
    Vector,
    add,
    apply,
    dot,
    doubles,
    exact,
    identity,
    norm,
    outer,
    subtract,
    times,
    zeros,
)
from numerics.intervals.exact_potential import ByConjugate, Candidate
from numerics.intervals.faces import Place, solve_face
from numerics.intervals.parametrised import ExactCurve
from numerics.solvers import active_set

_NET = 2000
_COARSE = 64  # bits, where only an inequality is proved


class ExactNearestPoint(ByConjugate):
    """The nearest point of a curve, or of a curve and isolated points, to x₀/a.

    Args:
        curve: The curve.
        curvature: a > 0, a double.
        points: (N,d) isolated points.

    Raises:
        ValueError: If a is not positive.
    """

    @renamed("scale", "curvature")
    def __init__(self, curve: ExactCurve, curvature: float, points: ArrayLike = ()) -> None:
        self._curve, self._a = curve, arb(positive_number("curvature", curvature))
        self.dim = len(curve.position(curve.start))
        self._points = [exact(point) for point in np.asarray(points, dtype=float).reshape(-1, self.dim)]
        net = np.linspace(float(curve.start.mid()), float(curve.stop.mid()), _NET + 1)
        self._net = net[:_NET] if curve.closed else net

    @cached_property
    def _samples(self) -> np.ndarray:
        """The net's points, formed when they are first asked for: twins are listed wherever checks are."""
        with ctx.workprec(_COARSE):
            return np.array([doubles(self._curve.at(arb(float(t)))) for t in self._net])

    # --- the objective ⟨y,γ⟩ − (a/2)|γ|² ------------------------------------------------------------

    def lift(self, x: Vector) -> arb:
        """(a/2)|x|²."""
        return self._a / 2 * dot(x, x)

    def _objective(self, y: Vector, t: arb, order: int) -> Vector:
        """Its derivatives up to ``order`` at t or over a ball t."""
        x = arb_series([t, 1], order + 1)
        coordinates = self._curve.position(x)
        series = dot(y, coordinates) - dot(coordinates, coordinates) * (self._a / 2)
        found = (arb_series([0] * (order + 1), order + 1) + series).coeffs()
        found = found + [arb(0)] * (order + 1 - len(found))
        return [c * arb(k + 1).gamma() for k, c in enumerate(found)]

    def conjugate(self, y: Vector) -> arb:
        """The global maximum, proved."""
        best = [dot(y, point) - self.lift(point) for point in self._points]
        radius = self._curve.radius
        if radius is not None and norm(y) < arb(2) ** -100:
            # Every point of the arc is as good as the others: at most r|y| − (a/2)r².
            return _largest([*best, radius * norm(y) - self._a / 2 * radius * radius])
        neighbourhoods = [self._neighbourhood(y, t) for t in self._maximisers(y)]
        best += [bound for _, _, bound in neighbourhoods]
        most = _largest(best)
        for low, high in self._between([(low, high) for low, high, _ in neighbourhoods]):
            self._prove_smaller(y, low, high, most.lower())
        return most

    def _maximisers(self, y: Vector) -> list[arb]:
        """Parameters of the best local maxima, refined; nothing rests on there being no others."""
        values = self._samples @ doubles(y) - float(self._a) / 2 * (self._samples**2).sum(axis=1)
        return [self._refined(y, t) for t in self._peaks(values)]

    def _peaks(self, values: np.ndarray) -> list[float]:
        before, after = np.roll(values, 1), np.roll(values, -1)
        if not self._curve.closed:
            before[0] = after[-1] = -np.inf
        peaks = np.flatnonzero((values >= before) & (values >= after))
        high = values[peaks] >= values.max() - 1e-3 * (1 + np.abs(values).max())
        return [float(t) for t in self._net[peaks[high]]]

    def _refined(self, y: Vector, t: float) -> arb:
        """Newton's method to the maximum between the neighbours of t in the net, halving where it leaves."""
        width = float(self._net[1] - self._net[0])
        low, high = arb(t - width), arb(t + width)
        if not self._curve.closed:
            low, high = _larger(low, self._curve.start), _smaller(high, self._curve.stop)
            for end in (low, high):
                if self._points_out(end, self._objective(y, end, 1)[1]):
                    return end
        at = arb(t)
        for _ in range(200):
            _, slope, bend = self._objective(y, at, 2)
            if slope > 0:
                low = at
            elif slope < 0:
                high = at
            newton = (at - slope / bend).mid() if bend < 0 else low
            if bend < 0 and abs(newton - at) < arb(2) ** -300:
                return newton
            at = newton if low < newton < high else ((low + high) / 2).mid()
        return at

    def _neighbourhood(self, y: Vector, t: arb) -> tuple[arb, arb, arb]:
        """An interval around t and a bound over it: f + f'²/(2c), c the least −f''.

        At an end that f rises towards it is f, where f' has one sign or f is concave.
        """
        width = arb(0.125)
        for _ in range(40):
            low, high = (t - width).mid(), (t + width).mid()
            if not self._curve.closed:
                low, high = _larger(low, self._curve.start), _smaller(high, self._curve.stop)
            value, slope = self._objective(y, t, 1)
            with ctx.workprec(_COARSE):
                _, outward, bend = self._objective(y, low.union(high), 2)
            if self._points_out(t, outward) or (bend < 0 and self._points_out(t, slope)):
                return low, high, value
            if bend < 0:
                return low, high, value + arb(0).union(slope * slope / (-2 * bend))
            width = width / 2
        raise UndecidedError("a maximiser is degenerate: a focal point")

    def _points_out(self, t: arb, slope: arb) -> bool:
        """Whether t is an end that the objective rises towards."""
        return self._curve.ends_at(t) and bool(slope < 0 if t == self._curve.start else slope > 0)

    def _between(self, intervals: list[tuple[arb, arb]]) -> list[tuple[arb, arb]]:
        """What the neighbourhoods leave of the curve."""
        if not intervals:
            return [(self._curve.start, self._curve.stop)]
        intervals = sorted(intervals, key=lambda pair: float(pair[0].mid()))
        between = [(a[1], b[0]) for a, b in pairwise(intervals)]
        first, last = intervals[0][0], intervals[-1][1]
        if self._curve.closed:
            between.append((last, first + (self._curve.stop - self._curve.start)))
        else:
            between += [(self._curve.start, first), (last, self._curve.stop)]
        return between

    def _prove_smaller(self, y: Vector, low: arb, high: arb, most: arb) -> None:
        """That the objective is below ``most`` on [low, high], by mean values on halves of halves."""
        if not low < high:
            return
        with ctx.workprec(_COARSE):
            pieces, count = [(low, high)], 0
            while pieces:
                a, b = pieces.pop()
                count += 1
                middle = ((a + b) / 2).mid()
                slope = self._objective(y, a.union(b), 1)[1]
                value = self._objective(y, middle, 0)[0] + slope * (a.union(b) - middle)
                if value < most:
                    continue
                if count > 20_000:
                    raise UndecidedError("a second maximum is as high as the ones proposed")
                pieces += [(a, middle), (middle, b)]

    # --- what is asked ------------------------------------------------------------------------------

    def _best(self, y: Vector) -> tuple[arb | None, Vector]:
        """The proposed maximiser: its parameter (None for an isolated point) and its place."""
        found: list[tuple[arb | None, Vector]] = [(None, point) for point in self._points]
        found += [(t, self._curve.at(t)) for t in self._maximisers(y)]
        return max(found, key=lambda pair: float((dot(y, pair[1]) - self.lift(pair[1])).mid()))

    def transport(self, x0: Vector) -> Candidate:
        """The critical point, between parameters where the slope is proved to change its sign."""
        t, point = self._best(x0)
        if t is not None and not self._curve.ends_at(t):
            point = self._curve.at(self._critical(x0, t))
        return Candidate(point, self.lift(point))

    def _critical(self, y: Vector, t: arb) -> arb:
        """The maximiser: between two parameters close to t where the slope is proved to change its sign."""
        for bits in (280, 240, 200):  # wider where y itself is a wide ball
            low, high = t - arb(2) ** -bits, t + arb(2) ** -bits
            if self._objective(y, low, 1)[1] > 0 > self._objective(y, high, 1)[1]:
                return low.union(high)
        raise UndecidedError("the slope is not proved to change its sign at the nearest point")

    def candidate(self, z: Vector, step: arb) -> Candidate:
        """The nearest point to z/(1+aλ) where it maximises its own dual, else a point of a chord."""
        _, point = self._best(times(self._a / (1 + self._a * step), z))
        dual = times(1 / step, subtract(z, point))
        if self._is_best(dual, point):
            return Candidate(point, self.lift(point))
        places = self._face(z, step)
        total = [arb(0)] * self.dim
        value = arb(0)
        for place in places:
            total = add(total, times(place.weight, place.point))
            value = value + place.weight * self.lift(place.point)
        return Candidate(total, value)

    def _is_best(self, y: Vector, point: Vector) -> bool:
        """Whether no proposed maximiser is higher, in doubles."""
        _, best = self._best(y)
        return float(dot(subtract(best, point), subtract(best, point)).mid()) < 1e-20

    def _face(self, z: Vector, step: arb) -> list[Place]:
        """The face of the discretised problem, refined; its very points where Newton's method fails."""
        members, weights = self._discretised(z, step)
        try:
            return solve_face(_merged(self, members, weights), z, step, self._a)
        except UndecidedError:
            fixed = [replace(self.place(i, w), parameter=None) for i, w in zip(members, weights, strict=True)]
            return solve_face(fixed, z, step, self._a)

    def _discretised(self, z: Vector, step: arb) -> tuple[list[int], list[float]]:
        """Points of the net (negative: isolated ones) and their weights in the discretised problem."""
        isolated = [doubles(point) for point in self._points]
        net = np.array([*isolated, *self._samples])
        heights = float(self._a) / 2 * (net**2).sum(axis=1)
        (face,) = active_set.solve(net, heights, doubles(z)[None], np.array([float(step.mid())]))
        solution = active_set.on_face(net, heights, face.members, doubles(z)[None], np.array([float(step)]))
        return [int(i) - len(isolated) for i in face.members[0]], [float(w) for w in solution.weights[0]]

    def place(self, index: int, weight: float) -> Place:
        """A point of the net, or an isolated one (index < 0), as a seed."""
        curve = self._curve
        if index < 0:
            return Place(arb(weight), self._points[index + len(self._points)], None, curve)
        end = not curve.closed and index in (0, _NET)
        t = (curve.start if index == 0 else curve.stop) if end else arb(float(self._net[index]))
        return Place(arb(weight), curve.at(t), None if end else t, curve)

    # --- derivatives --------------------------------------------------------------------------------

    def _projection_jacobian(self, p: Vector) -> arb_mat:
        """D proj_M(p) = γ'γ'ᵀ/(|γ'|² − ⟨p−γ,γ''⟩), from ⟨p−γ,γ'⟩ = 0; 0 at ends and isolated points."""
        y = times(self._a, p)
        t, _ = self._best(y)
        if t is None or self._curve.ends_at(t):
            return zeros(self.dim, self.dim)
        at, velocity, acceleration = self._curve.jet(self._critical(y, t), 2)
        return outer(velocity, velocity) * (
            1 / (dot(velocity, velocity) - dot(subtract(p, at), acceleration))
        )

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """H⁻¹ on the tangent, H = a − ⟨x₀ − aγ, γ''_normal⟩/|γ'|²."""
        t, _ = self._best(x0)
        if t is None or self._curve.ends_at(t):
            return zeros(self.dim, self.dim)
        at, velocity, acceleration = self._curve.jet(self._critical(x0, t), 2)
        square = dot(velocity, velocity)
        tangent = outer(velocity, velocity) * (1 / square)
        bend = apply(identity(self.dim) - tangent, acceleration)
        hessian = self._a - dot(subtract(x0, times(self._a, at)), bend) / square
        return tangent * (1 / hessian)

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """On M: z ↦ proj_M(z/(1+aλ))."""
        shrink = 1 / (1 + self._a * step)
        return self._projection_jacobian(times(shrink, z)) * shrink


def _largest(values: Sequence[arb]) -> arb:
    most = values[0]
    for value in values[1:]:
        most = most.max(value)
    return most


def _larger(a: arb, b: arb) -> arb:
    return b if a <= b else a


def _smaller(a: arb, b: arb) -> arb:
    return b if a >= b else a


def _merged(potential: ExactNearestPoint, members: Sequence[int], weights: Sequence[float]) -> list[Place]:
    """Neighbours in the net count as one seed, the heavier, with both weights."""
    groups: list[list[tuple[int, float]]] = []
    for i, w in sorted(zip(members, weights, strict=True)):
        close = groups and i >= 0 and groups[-1][-1][0] >= 0 and i - groups[-1][-1][0] <= 3
        if close:
            groups[-1].append((i, w))
        else:
            groups.append([(i, w)])
    heaviest = [(max(g, key=lambda pair: pair[1])[0], sum(w for _, w in g)) for g in groups]
    return [potential.place(i, w) for i, w in heaviest]
