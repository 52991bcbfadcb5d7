"""The assumptions of H4, measured at points: by how much they hold, or what is wrong.

A1  φ restricted to M is C²: H is finite, and changes little when the data point moves a little along M.
A2  ∂φ(x₁) has dimension d − m.
A3  x₀ lies in the relative interior of ∂φ(x₁): its distance to the relative boundary.
A4  ∂φ restricted to M is inner semicontinuous at x₁: x₀ is near ∂φ(y) for y near x₁ on M.
A5  H is positive definite on the tangent space.
SC  (1−t)α̇/α → −γ with γ > 0, and (1−t)β̇/β → 0.
A4 and A5 are this project's additions (H9, H10).

A check names `at_points` among the details of its evidence: the report's row then says by how much the
assumptions hold at its worst point. It is measured there alone, when the row is written.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.potentials import Manifold, Potential, Subdifferential
from numerics.schedules import Schedule

Array = NDArray[np.float64]
MOVE = 1e-7
"""How far the noise is moved, relative to 1 + |x₀|."""


@dataclass(frozen=True)
class Margins:
    """By how much A1–A5 hold at one pair (x₀, x₁).

    Attributes:
        curvature_jump: A1: change of H's spectrum over the move, relative to 1/scale + |H|; small when it
            holds.
        excess_dimension: A2: dim ∂φ(x₁) − (d − m); 0 when it holds.
        interior: A3: distance of x₀ to the relative boundary; positive when it holds, maybe +inf.
        distance: A4: distance of x₀ from ∂φ(y) over the move; small when it holds.
        least_curvature: A5: the least eigenvalue of H; positive when it holds, +inf for m = 0.
        reach: How far the noise was moved.
        scale: The size of the data.
    """

    curvature_jump: float
    excess_dimension: int
    interior: float
    distance: float
    least_curvature: float
    reach: float = MOVE
    scale: float = 1.0

    def __str__(self) -> str:
        return (
            f"A1 change of H {self.curvature_jump:.2g}, A2 excess {self.excess_dimension}, "
            f"A3 distance {self.interior:.2g}, A4 distance {self.distance:.2g}, "
            f"A5 least H {self.least_curvature:.2g}"
        )

    def violated(self) -> tuple[str, ...]:
        """Which of A1–A5 fail.

        A continuous H and a continuous ∂φ change by O(move); by its root or more, they jump. An interior
        point keeps a distance that the move does not reach; and under a definite H, which stretches noise by
        at most 1/H, the move shifts the data by less than their own size.
        """
        root = float(np.sqrt(MOVE))
        tests = {
            "A1": not self.curvature_jump <= root,
            "A2": self.excess_dimension != 0,
            "A3": not self.interior > self.reach,
            "A4": not self.distance <= root,
            "A5": not self.least_curvature * self.scale > self.reach,
        }
        return tuple(name for name, wrong in tests.items() if wrong)


def margins(
    manifold: Callable[[Array], tuple[Array, Manifold]],
    subdifferential: Callable[[Array], Subdifferential],
    x0: Array,
    nearby: Array,
    scale: float = 1.0,
) -> Margins:
    """Measure A1–A5 at x0 (d,).

    Args:
        manifold: From a noise (d,) to its data point and the support there.
        subdifferential: From a data point (d,) to ∂φ.
        x0: The noise.
        nearby: (k,d) noise of data points near x₁ on M.
        scale: The size of the data.
    """
    x1, here = manifold(x0)
    at = subdifferential(x1)
    spectrum = np.linalg.eigvalsh(here.hessian)
    jump = distance = 0.0
    for other in nearby:
        y, there = manifold(other)
        if there.dimension != here.dimension:
            jump = np.inf
            break
        change = np.abs(np.linalg.eigvalsh(there.hessian) - spectrum).max(initial=0.0)
        jump = max(jump, float(change / (1 / scale + np.abs(spectrum).max(initial=0.0))))
        near = at if np.array_equal(y, x1) else subdifferential(y)
        distance = max(distance, float(near.distance(x0)[0]))
    return Margins(
        jump,
        at.dimension - (len(x1) - here.dimension),
        float(at.boundary_distance(x0)[0]),
        distance,
        float(spectrum.min(initial=np.inf)),
        float(np.linalg.norm(nearby - x0, axis=1).max()),
        scale,
    )


def margins_of(target: Potential, x0: Array, count: int = 2) -> Margins:
    """A1–A5 of a potential at x0 (d,), moving the noise ``count`` times by `MOVE` relative to 1 + |x₀|."""

    def manifold(noise: Array) -> tuple[Array, Manifold]:
        data = target.transport(noise)[0]
        return data, target.manifold(data, noise)

    directions = np.random.default_rng(0).standard_normal((count, len(x0)))  # the same at every point
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    reach = MOVE * (1 + float(np.linalg.norm(x0)))
    return margins(manifold, target.subdifferential, x0, x0 + reach * directions, target.scale)


def order_margin(schedule: Schedule, remaining: Array) -> tuple[Array, Array]:
    """SC's two remainders, (1−t)α̇/α + γ and (1−t)β̇/β, at given 1−t; both must tend to 0, and γ > 0."""
    alpha, beta = schedule.alpha(remaining=remaining), schedule.beta(remaining=remaining)
    fall, rise = schedule.alpha_dot(remaining=remaining), schedule.beta_dot(remaining=remaining)
    return remaining * fall / alpha + schedule.terminal_order, remaining * rise / beta


@dataclass(frozen=True)
class AtPoint:
    """The assumptions at one point, measured when they are printed.

    Attributes:
        target: The potential.
        x0: (d,).
        schedule: Whose SC is measured, if any.
        remaining: At which 1 − t.
    """

    target: Potential
    x0: Array
    schedule: Schedule | None = None
    remaining: float = 1.0

    def item(self) -> "AtPoint":
        """Itself: what a report takes out of an array for its worst entry."""
        return self

    def __repr__(self) -> str:
        found = str(margins_of(self.target, self.x0))
        if self.schedule is None:
            return f"({found})"
        fall, rise = order_margin(self.schedule, np.array(self.remaining))
        order = self.schedule.terminal_order
        return f"({found}, SC γ = {order:g}, remainders {float(fall):.2g} and {float(rise):.2g})"


def at_points(
    target: Potential, x0: Array, schedule: Schedule | None = None, remaining: float = 1.0
) -> NDArray[np.object_]:
    """The margins of every point of x0 (n,d), as a detail of evidence: (n,) `AtPoint`."""
    result = np.empty(len(x0), dtype=object)
    result[:] = [AtPoint(target, noise, schedule, remaining) for noise in x0]
    return result
