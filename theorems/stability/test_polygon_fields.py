r"""N6 on regular polygons and the circle: fields, flows and transports, in closed form.

J_t = |β̇ − α̇β/α| times the supremum for maps is that for fields, and |β_t − α_tβ_s/α_s| times it that for
flows (N4), at both ends of time too. T_n is the nearest corner of a direction.
"""

import numpy as np
import pytest

from numerics.accuracy import Rounding
from numerics.flows.exact import ExactField
from numerics.flows.perturbed import between
from numerics.geometry import norms
from numerics.schedules import Linear, Trigonometric
from theorems.stability.polygon import DISC, Polygon, within

CORNERS = (3, 8, 32, 128)
corners = pytest.mark.parametrize("corners", CORNERS)


@pytest.mark.claim("N6")
@corners
@pytest.mark.parametrize("schedule", [Linear(), Trigonometric()], ids=repr)
def test_fields_and_flows(evidence, rng, corners, schedule):
    """Over |x| ≤ 1.5 at t = .1, .5, .9; from there to both ends of time and between."""
    shape, radius = Polygon(corners), 1.5
    mine, theirs = ExactField(shape.potential, schedule), ExactField(DISC, schedule)
    for s in (0.1, 0.5, 0.9):
        alpha, beta, fall, rise = (
            float(f(s)) for f in (schedule.alpha, schedule.beta, schedule.alpha_dot, schedule.beta_dot)
        )
        x = np.concatenate([beta * shape.worst(radius / beta), within(rng, radius, 60)])
        on = evidence.on(shape.potential, schedule=schedule, s=s)
        of_maps = shape.of_maps(radius / beta)
        _fields(on, (mine, theirs), s, x, abs(rise - fall * beta / alpha), of_maps)
        for t in (0.0, 0.3, 0.7, 1.0):
            _flows(on, (mine, theirs), s, t, x, of_maps)


def _fields(on, of, s, x, factor, of_maps):
    """|v^n_s − v_s| at x: J_s times the supremum of the maps, attained at the first two points."""
    mine, theirs = of
    size = norms(x) / float(mine.schedule.beta(s)) + 1
    apart = norms(mine.velocity(s, x) - theirs.velocity(s, x))
    stated = mine.roundings.velocity(s, x) + theirs.roundings.velocity(s, x)
    stated = stated + Rounding(factor * size, 32, "x/β, lengths")
    bound = factor * of_maps
    on.bounded("|v^n_t − v_t|", apart, stated, because="J_t sup|prox_n − prox|", main=bound, clause="fields")
    on.bounded(
        "supremum of |v^n_t − v_t| less its value where it is attained",
        abs(bound - apart[:2].max()),
        stated[:2].largest(),
        because="where that of the maps is",
        clause="fields",
    )


def _flows(on, of, s, t, x, of_maps):
    """|X^n_{s→t} − X_{s→t}| at x, in the same way."""
    mine, theirs = of
    schedule = mine.schedule
    alpha, beta = float(schedule.alpha(s)), float(schedule.beta(s))
    to = float(schedule.alpha(t)), float(schedule.beta(t))
    stretch = abs(to[1] - to[0] * beta / alpha)
    gone = norms(between(mine, s, t, x) - between(theirs, s, t, x))
    of_way = Rounding.none()
    for field in of:
        of_ends = field.roundings.denoise(s, x), field.roundings.noise(s, x)
        of_way = of_way + of_ends[0].amplified(to[1]) + of_ends[1].amplified(to[0])
    size = norms(x) / beta + 1
    of_way = of_way + Rounding((to[0] / alpha + 1) * (norms(x) + size), 32, "αy + βu, lengths")
    wanted = stretch * of_maps
    on.bounded(
        "|X^n_{s→t} − X_{s→t}|",
        gone,
        of_way,
        because="|β_t − α_tβ_s/α_s| sup|prox_n − prox|",
        main=wanted,
        clause="flows",
    )
    on.bounded(
        "supremum of |X^n_{s→t} − X_{s→t}| less its value where it is attained",
        abs(wanted - gone[:2].max()),
        of_way[:2].largest(),
        because="where that of the maps is",
        clause="flows",
    )


@pytest.mark.claim("N6")
@corners
def test_transports_where_the_limit_is_differentiable(evidence, rng, corners):
    """|T_n − T| ≤ 2 sin(π/(2n)) for x₀ ≠ 0: the nearest corner of a direction; attained at cells' ends."""
    shape = Polygon(corners)
    x0 = rng.standard_normal((400, 2))
    ends = shape.half * (1 - 1e-9) * np.array([-1.0, 1.0])
    x0 = np.concatenate([np.column_stack([np.cos(ends), np.sin(ends)]), x0])
    apart, bound = norms(shape.potential.transport(x0) - DISC.transport(x0)), 2 * np.sin(shape.half / 2)
    on = evidence.on(shape.potential)
    rounding = DISC.roundings.transport(x0) + Rounding(np.full(len(x0), 2.0), 8, "a length")
    on.bounded("|T_n − T|", apart, rounding, because="2 sin(π/(2n))", main=bound, clause="transports")
    on.bounded(
        "supremum of |T_n − T| less its value near where it is attained",
        abs(bound - apart[:2].max()),
        rounding[:2].largest(),
        because="within 1e−9 of a cell's end",
        main=1.1e-9 * shape.half,
        clause="transports",
    )
