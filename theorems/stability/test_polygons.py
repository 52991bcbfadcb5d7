r"""N6 on regular polygons and the circle: every part of it in closed form, with its rate.

The suprema and their proofs are in `theorems.stability.polygon`; J_t = |β̇ − α̇β/α| multiplies them for
fields, and |β_t − α_tβ_s/α_s| for flows (N4). Graphs are as near as maps: the pair of z = u + λy in the one
graph is within √(1 + 1/λ²)|prox_n − prox| of its pair in the other.

Controls: pointwise convergence of φ_n, which fails on the circle; a constant that is not normalised.
"""

from functools import cache

import numpy as np
import pytest
from scipy.spatial import cKDTree

from numerics.accuracy import EPS, Rounding
from numerics.geometry import norms
from numerics.potentials import FiniteAtoms
from theorems.stability.figures import draw_rates
from theorems.stability.polygon import DISC, Polygon, within

CORNERS = (3, 8, 32, 128)
corners = pytest.mark.parametrize("corners", CORNERS)


@pytest.mark.claim("N6")
@corners
@pytest.mark.parametrize("radius", [0.99, 1.0, 1.05, 2.0, 3.0])
def test_maps_conjugates_envelopes(evidence, rng, corners, radius):
    """Below the supremum everywhere, and at it where it is attained; steps over six decades."""
    shape, step = Polygon(corners), 10.0 ** rng.uniform(-3, 3)
    polygon, worst = shape.potential, shape.worst(max(radius, 1.0)) * min(radius, 1.0)
    x = np.concatenate([worst, within(rng, radius)])
    on = evidence.on(polygon, radius=radius, step=step)
    apart = norms(polygon.prox(x, step) - DISC.prox(x, step))
    formed = Rounding(1 + norms(x), 16, "lengths")
    stated = polygon.roundings.prox(x, step) + DISC.roundings.prox(x, step) + formed
    bound = shape.of_maps(radius)
    on.bounded(
        "|prox_n − prox|",
        apart,
        stated,
        because="max(2 sin(θ/2), 1 − cos(π/n))",
        main=bound,
        clause="maps",
    )
    on.bounded(
        "supremum of |prox_n − prox| less its value where it is attained",
        abs(bound - apart[:2].max()),
        stated[:2].largest(),
        because="the end of a corner's cone, or an edge's normal",
        clause="maps",
    )
    _conjugates(on, shape, x, radius)
    if radius >= 1:
        _envelopes(on, shape, x, radius, step)


def _conjugates(on, shape, x, radius):
    polygon = shape.potential
    lack = DISC.conjugate(x) - polygon.conjugate(x)
    of_lack = DISC.roundings.conjugate(x) + polygon.roundings.conjugate(x)
    of_lack = of_lack + Rounding(norms(x), 8, "a difference")
    on.bounded(
        "φ* − φ*_n",
        np.abs(lack),
        of_lack,
        because="r(1 − cos(π/n))",
        main=shape.of_conjugates(radius),
        clause="potentials",
    )
    on.bounded(
        "supremum of φ* − φ*_n less its value where it is attained",
        abs(shape.of_conjugates(radius) - lack[1]),
        of_lack[1:2].largest(),
        because="an edge's normal",
        clause="potentials",
    )


def _envelopes(on, shape, x, radius, step):
    polygon = shape.potential
    excess = polygon.envelope(x, step) - DISC.envelope(x, step)
    mine, theirs = polygon.proximal_point(x, step), DISC.proximal_point(x, step)
    size = (norms(x) + 1) ** 2 / step
    stated = mine.rounding.envelope + theirs.rounding.envelope + Rounding(size, 16, "squares over 2λ")
    bound = shape.of_envelopes(radius, step)
    on.bounded(
        "e_λφ_n − e_λφ",
        np.abs(excess),
        stated,
        because="(1−c)(2r−1−c)/(2λ), c = cos(π/n)",
        main=bound,
        clause="potentials",
    )
    on.bounded(
        "supremum of e_λφ_n − e_λφ less its value where it is attained",
        abs(bound - excess[1]),
        stated[1:2].largest(),
        because="an edge's normal",
        clause="potentials",
    )


@cache
def _graph_of_the_circle(reach):
    """A tree of pairs (u, s·u) of gph ∂φ with |u| = 1, s up to a little beyond reach, and their mesh."""
    dense = 2 * np.pi * np.arange(4000) / 4000
    ring = np.column_stack([np.cos(dense), np.sin(dense)])
    lengths = np.linspace(0, reach * 1.05, 60)
    disc = np.concatenate([np.concatenate([ring, s * ring], axis=1) for s in lengths])
    return cKDTree(disc), np.hypot(lengths[1] / 2, max(reach, 1.0) * np.pi / 4000 * np.sqrt(2))


@pytest.mark.claim("N6")
@corners
@pytest.mark.parametrize("reach", [0.5, 2.0])
def test_graphs_approach_each_other(evidence, rng, corners, reach):
    """Painlevé–Kuratowski on a grid: from either graph to the other, within |y| ≤ reach."""
    shape, count = Polygon(corners), 15
    theirs = shape.graph(reach, count)
    inside = norms(theirs[:, 2:]) <= reach
    bound = np.sqrt(2) * shape.of_maps(1 + reach)

    at, length = 2 * np.pi * rng.random(300), reach * rng.random(300)
    u = np.column_stack([np.cos(at), np.sin(at)])
    mine = np.concatenate([u, length[:, None] * u], axis=1)
    away, _ = cKDTree(theirs).query(mine)
    disc, spacing = _graph_of_the_circle(reach)
    back, _ = disc.query(theirs[inside])
    on = evidence.on(shape.potential, reach=reach)
    # Grids and points come from angles and lengths, in a dozen roundings of their size; then four squares.
    formed = Rounding(2 * (1 + 1.05 * reach + bound), 16, "points of both graphs, and their distance")
    on.bounded(
        "distance from points of gph ∂φ to a grid of gph ∂φ_n",
        away,
        formed,
        # a Minty pair has |y| up to reach + the bound, which the grid may lack: it is as far as that again
        main=2 * bound + np.sqrt(2) * shape.mesh(reach, count),
        because="√2 sup|prox_n − prox| over |z| ≤ 1 + reach, to where |y| ≤ reach again, and the grid's mesh",
        clause="graphs",
    )
    on.bounded(
        "distance from a grid of gph ∂φ_n to points of gph ∂φ",
        back,
        formed,
        main=2 * bound + spacing,
        left_out=int((~inside).sum()),
        chosen="pairs of the grid with |y| at most the reach, where the rings end",
        because="√2 sup|prox_n − prox| over |z| ≤ 1 + reach, to where |y| ≤ reach again, and the ring's mesh",
        clause="graphs",
    )
    _gaps_of_the_grid(on, shape, theirs[:: max(1, len(theirs) // 40)])


def _gaps_of_the_grid(on, shape, members):
    gap = shape.potential.value(members[:, :2]) + shape.potential.conjugate(members[:, 2:])
    on.bounded(
        "Fenchel–Young gap of the grid of gph ∂φ_n",
        np.abs(gap - (members[:, :2] * members[:, 2:]).sum(axis=1)),
        shape.potential.roundings.conjugate(members[:, 2:])
        + Rounding(1 + norms(members[:, 2:]), 32, "turned grid"),
        because="members of the graph have gap 0",
        clause="graphs",
    )


def _suprema(n, radius):
    """Of the difference to the circle: maps, conjugates and envelopes, and maps close to the disc."""
    shape = Polygon(n)
    polygon, x, close = shape.potential, shape.worst(radius), shape.worst(1.05)
    return (
        norms(polygon.prox(x, 1.0) - DISC.prox(x, 1.0)).max(),
        float((DISC.conjugate(x) - polygon.conjugate(x)).max()),
        float((polygon.envelope(x, 1.0) - DISC.envelope(x, 1.0)).max()),
        norms(polygon.prox(close, 1.0) - DISC.prox(close, 1.0)).max(),
    )


def _rate(on, name, sizes, values, theory):
    slopes = np.diff(np.log(values)) / np.diff(np.log(sizes))
    spread = 2 * abs(slopes[-1] - slopes[-2]) + 1e-6
    on.trend(
        f"log sup of the difference of {name} against log n",
        slopes[-1],
        (slopes[-1] - spread, slopes[-1] + spread),
        theory=theory,
        rule="interval contains theory",
        alternative=theory / 2,
        points=2,
        clause="maps" if name == "maps" else "potentials",
    )


@pytest.mark.claim("N6")
def test_rates_and_what_remains(evidence):
    """Measured where attained: maps, fields and flows like 1/n, conjugates and envelopes like 1/n²."""
    sizes, radius = np.array([8, 32, 128, 512]), 3.0
    maps, conjugates, envelopes, near = zip(*(_suprema(int(n), radius) for n in sizes), strict=True)
    on = evidence.on("regular polygons against the circle", radius=radius)
    for name, values, theory in (
        ("maps", maps, -1.0),
        ("conjugates", conjugates, -2.0),
        ("envelopes", envelopes, -2.0),
    ):
        _rate(on, name, sizes, values, theory)
    left = sizes * np.array(maps) - (1 - 1 / radius) * np.pi
    on.estimated(
        "|n sup|prox_n − prox| − (1 − 1/r)π|, n = 512",
        abs(left[-1]),
        2 * abs(left[-2] - left[-1]),
        by="the change from n = 128 to 512: a remainder of order 1/n²",
        because="θ ~ (1 − 1/r)π/n",
        clause="maps",
    )
    on.table(
        "polygons against the circle: suprema over |x| ≤ 3 (last column: maps over |x| ≤ 1.05)",
        ["n", "maps", "n·maps → 2π/3", "conjugates", "envelopes, λ = 1", "maps, r = 1.05"],
        [
            [int(n), of_maps, n * of_maps, *rest]
            for n, of_maps, *rest in zip(sizes, maps, conjugates, envelopes, near, strict=True)
        ],
    )
    lines = {
        "proximal maps": (sizes, np.array(maps)),
        "Moreau envelopes": (sizes, np.array(envelopes)),
        "conjugates": (sizes, np.array(conjugates)),
    }
    on.figure(
        "Regular polygons approach the circle: suprema over |x| ≤ 3",
        "On log–log axes maps fall like 1/n, envelopes and conjugates like 1/n²",
        lambda figure: draw_rates(figure, lines, ("corners $n$", "largest difference"), (-1.0, -2.0)),
    )


# --- controls -------------------------------------------------------------------------------------------


@pytest.mark.control("N6")
@pytest.mark.parametrize("corners", [32, 512])
def test_values_do_not_converge_pointwise(evidence, rng, corners):
    """φ_n = +∞ on the circle but for the corners, where φ = 0: epi-convergence is not pointwise."""
    at = 2 * np.pi * rng.random(1000)
    points = np.column_stack([np.cos(at), np.sin(at)])
    polygon = FiniteAtoms.regular_polygon(corners)
    off = np.abs((at * corners / (2 * np.pi) + 0.5) % 1 - 0.5) > 1e-4  # not at a corner to rounding
    share = np.isinf(polygon.value(points[off])).mean()
    evidence.on(polygon).control(
        "pointwise convergence: share of the circle's points where φ_n is infinite and φ = 0",
        predicted=1.0,
        measured=share - float((DISC.value(points[off]) != 0).mean()),
        agreement=0.0,
        because="a strictly convex curve meets the polygon at its corners alone",
        left_out=int((~off).sum()),
        chosen="left out within 1e−4 of an arc from a corner",
    )


@pytest.mark.control("N6")
@pytest.mark.parametrize("constant", [0.5, -2.0])
def test_without_normalisation_conjugates_are_off_by_the_constant(evidence, rng, constant):
    """Heights lifted by k: the same law and maps, and φ*_n is off by k at every n."""
    shape, radius = Polygon(128), 2.0
    lifted = FiniteAtoms(shape.potential.points, np.full(128, -constant))
    x = within(rng, radius)
    evidence.on(lifted).control(
        "φ*_n(0) = φ*(0) dropped: φ*_n − φ*",
        predicted=constant,
        measured=lifted.conjugate(x) - DISC.conjugate(x),
        agreement=shape.of_conjugates(radius) + 64 * EPS,
        because="r(1 − cos(π/n)) beside the constant",
    )
