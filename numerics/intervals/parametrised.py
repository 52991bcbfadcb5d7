"""Parametrised curves in balls, with their derivatives by power series."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, arb_series

from numerics.intervals.balls import Vector, exact


@dataclass(frozen=True)
class ExactCurve:
    """A curve γ on [start, stop], by a function of balls and of power series.

    Attributes:
        position: γ, a list of coordinates.
        start: The first parameter.
        stop: The last; a full period on for a closed curve.
        closed: Whether γ(stop) = γ(start).
        radius: |γ| where it is constant, so that the objective is degenerate at y = 0; else None.
    """

    position: Callable[[Any], list[Any]]
    start: arb
    stop: arb
    closed: bool
    radius: arb | None = None

    def ends_at(self, t: arb) -> bool:
        """Whether t is the parameter of an end."""
        return not self.closed and bool(t == self.start or t == self.stop)

    def jet(self, t: arb, order: int) -> list[Vector]:
        """γ, γ', …, up to ``order`` derivatives."""
        zero = arb_series([0] * (order + 1), order + 1)
        rows = [(zero + c).coeffs() for c in self.position(arb_series([t, 1], order + 1))]
        rows = [row + [arb(0)] * (order + 1 - len(row)) for row in rows]
        return [[row[k] * arb(k + 1).gamma() for row in rows] for k in range(order + 1)]

    def at(self, t: arb) -> Vector:
        """γ(t)."""
        return self.jet(t, 0)[0]


def arc(radius: float, start: float, stop: float) -> ExactCurve:
    """An arc about the origin."""
    r, a, b = exact([radius, start, stop])
    return ExactCurve(lambda t: [_cos(t) * r, _sin(t) * r], a, b, closed=False, radius=r)


def ellipse(a: float, b: float) -> ExactCurve:
    """(a cos t, b sin t)."""
    p, q = exact([a, b])
    return ExactCurve(lambda t: [_cos(t) * p, _sin(t) * q], arb(0), 2 * arb.pi(), closed=True)


def spiral(turns: float) -> ExactCurve:
    """t(cos t, sin t)/2π from π to π + 2π·turns; the ends are the doubles nearest to these."""
    start, stop = exact([np.pi, np.pi * (1 + 2 * turns)])
    unit = 1 / (2 * arb.pi())
    return ExactCurve(lambda t: [t * _cos(t) * unit, t * _sin(t) * unit], start, stop, closed=False)


def trefoil() -> ExactCurve:
    """(sin t + 2 sin 2t, cos t − 2 cos 2t, −sin 3t)."""
    return ExactCurve(
        lambda t: [_sin(t) + 2 * _sin(2 * t), _cos(t) - 2 * _cos(2 * t), -_sin(3 * t)],
        arb(0),
        2 * arb.pi(),
        closed=True,
    )


def _cos(t: Any) -> Any:
    return t.sin_cos()[1]


def _sin(t: Any) -> Any:
    return t.sin_cos()[0]
