r"""A face of the envelope of (a/2)|·|² on a curve and points, refined by Newton's method in high precision.

Unknown are the parameters t_i of the face's points and their weights w_i: with u = Σw_iγ(t_i), y = (z−u)/λ
and f(x) = ⟨y,x⟩ − (a/2)|x|², the equations are ⟨y − aγ_i, γ_i'⟩ = 0, f equal at all points, and Σw = 1.
"""

from dataclasses import dataclass, replace

from flint import arb, arb_mat

from numerics.intervals.balls import UndecidedError, Vector, add, column, dot, subtract, times, zeros
from numerics.intervals.parametrised import ExactCurve


@dataclass(frozen=True)
class Place:
    """A point of a face: its weight, where it is, and its parameter, None where it cannot move."""

    weight: arb
    point: Vector
    parameter: arb | None
    curve: ExactCurve


def solve_face(seeds: list[Place], z: Vector, step: arb, a: arb) -> list[Place]:
    """Newton's method from the seeds; weights are exact, not negative, and sum to 1.

    Raises:
        UndecidedError: If it does not settle, its system is singular or a weight is negative.
    """
    places = seeds
    for _ in range(60):
        places, moved = _improved(places, z, step, a)
        if moved < arb(2) ** -300:
            break
    else:
        raise UndecidedError("Newton's method for the face did not settle")
    *rest, last = [replace(p, weight=_binary(p.weight)) for p in places]
    places = [*rest, replace(last, weight=1 - sum((p.weight for p in rest), arb(0)))]
    if not all(p.weight >= 0 for p in places):
        raise UndecidedError("the face has a negative weight")
    return places


def _binary(weight: arb) -> arb:
    """A multiple of 2⁻³⁰⁰, so that sums of weights are exact."""
    return (weight * arb(2) ** 300).mid().floor() / arb(2) ** 300


def _improved(places: list[Place], z: Vector, step: arb, a: arb) -> tuple[list[Place], arb]:
    """One step, and how far it went."""
    k = len(places)
    free = [i for i, p in enumerate(places) if p.parameter is not None]
    system, right = _newton_system(places, free, z, step, a)
    try:
        change = [c.mid() for c in system.solve(column(right)).entries()]
    except ZeroDivisionError as error:
        raise UndecidedError("Newton's system for the face is not proved to be regular") from error
    moved = sum((abs(c) for c in change), arb(0))
    improved = [replace(p, weight=(p.weight - c).mid()) for p, c in zip(places, change, strict=False)]
    for r, i in enumerate(free, start=k):
        t = (improved[i].parameter - change[r]).mid()  # type: ignore[operator]
        improved[i] = replace(improved[i], parameter=t, point=places[i].curve.at(t))
    return improved, moved


def _newton_system(
    places: list[Place], free: list[int], z: Vector, step: arb, a: arb
) -> tuple[arb_mat, list[arb]]:
    """The derivative of what a face solves, by its weights and free parameters, and its value.

    Weights sum to 1; ⟨y,p⟩ − (a/2)|p|² is the same at every place; its slope vanishes where a place is free.
    """
    k = len(places)
    jets = {i: places[i].curve.jet(places[i].parameter, 2) for i in free}  # type: ignore[arg-type]
    u = [arb(0) for _ in z]
    for p in places:
        u = add(u, times(p.weight, p.point))
    y = times(1 / step, subtract(z, u))
    pulls = [subtract(y, times(a, p.point)) for p in places]
    # du of every unknown: weights first, then free parameters.
    motions = [p.point for p in places] + [times(places[i].weight, jets[i][1]) for i in free]
    size = k + len(free)
    system, right = zeros(size, size), [arb(0)] * size
    for c, motion in enumerate(motions):
        dy = times(-1 / step, motion)
        for r in range(1, k):
            system[r, c] = dot(dy, subtract(places[r].point, places[0].point))
        for r, i in enumerate(free, start=k):
            system[r, c] = dot(dy, jets[i][1])
    for c in range(k):
        system[0, c] = arb(1)
    right[0] = sum((p.weight for p in places), arb(0)) - 1
    heights = [dot(y, p.point) - a / 2 * dot(p.point, p.point) for p in places]
    for r in range(1, k):
        right[r] = heights[r] - heights[0]
    for r, i in enumerate(free, start=k):
        _, velocity, acceleration = jets[i]
        slope = dot(pulls[i], velocity)
        right[r] = slope
        system[r, r] += dot(pulls[i], acceleration) - a * dot(velocity, velocity)
        if i > 0:
            system[i, r] += slope
        else:
            for other in range(1, k):
                system[other, r] -= slope
    return system, right
