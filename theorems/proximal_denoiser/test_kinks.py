"""Where the prox has a kink: D prox is continuous as near to z as the library states, and jumps beyond.

Assumed: the contract. From z along a line D prox is asked at a grid of places; where two neighbours differ
the place is halved until only a jump is left. Checks of P5 leave points out, or take sets of Jacobians, by
what the library states: a distance that is too large would vouch for a derivative across a jump.
"""

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr, ndtri

from numerics.accuracy import EPS, Rounding
from numerics.potentials import (
    AtomAndDensity,
    Ellipsoid,
    FiniteAtoms,
    NearestPoint,
    PointCloud,
    Quantile,
    Sphere,
    Stiefel,
    Union,
    product,
    rotate,
    scale,
)
from theorems.setting.draws import generator
from theorems.setting.statements import WIDE
from theorems.setting.vectors import norm

N, PLACES, HALVINGS = 16, 12, 24
JUMP = 1e-3  # of D prox, whose norm is at most 1, within 2⁻²⁴ of the line
BLOCKS = product(Sphere(2, 1.0), FiniteAtoms.two([0.0], [1.0], 0.2))
SQUARE = FiniteAtoms.hypercube(2)
# Not of the one list: small ones, with faces of every dimension; two are met again below.
TARGETS = (
    FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3),
    FiniteAtoms.hypercube(3),
    FiniteAtoms([[0.0, 0.0], [3.0, 0.0], [0.0, 2.0], [1.0, 1.0]], [0.0, 0.4, 0.3, 0.1]),
    Sphere(3, 2.0),
    Ellipsoid([[4.0, 1.0], [1.0, 2.0]]),
    Quantile(stats.poisson(2.0)),
    Stiefel(2, 1),
    BLOCKS,
    scale(Sphere(2, 1.0), 3.0),
    rotate(SQUARE, [[0.6, -0.8], [0.8, 0.6]]),
)


def lines(target, z, step, rng, count):
    """Ways (n,d) from z: through the prox, which is how a body is left or entered, and random ones."""
    yield 3 * (target.prox(z, step) - z)
    for _ in range(count):
        way = rng.standard_normal(z.shape)
        yield way * (2 * (target.scale + norm(z)) / norm(way))[:, None]


def bracketed(target, z, step, way):
    """Which of z have a jump of D prox along their way (k,), and between which shares of it (k,) it lies."""
    places = np.linspace(0.0, 1.0, PLACES + 1) ** 2
    path = z + places[:, None, None] * way
    found = target.prox_jacobian(path.reshape(-1, target.dim), step).reshape(*path.shape, target.dim)
    changes = np.linalg.norm(np.diff(found, axis=0), axis=(2, 3))
    most = changes.argmax(axis=0)
    seen = np.flatnonzero(changes.max(axis=0) > JUMP)
    if not len(seen):
        return seen, np.zeros(0), np.zeros(0)
    low, high = places[most[seen]], places[most[seen] + 1]
    base, way = z[seen], way[seen]
    left, right = (target.prox_jacobian(base + s[:, None] * way, step) for s in (low, high))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        inner = target.prox_jacobian(base + middle[:, None] * way, step)
        earlier = _apart(left, inner) >= _apart(inner, right)
        low, high = np.where(earlier, low, middle), np.where(earlier, middle, high)
        left = np.where(earlier[:, None, None], left, inner)
        right = np.where(earlier[:, None, None], inner, right)
    told = _apart(left, right) > JUMP
    return seen[told], low[told], high[told]


def jump_along(target, z, step, way):
    """Distance (n,) from z to a jump of D prox where it changes most along its way; +inf if none is seen."""
    seen, _, high = bracketed(target, z, step, way)
    result = np.full(len(z), np.inf)
    result[seen] = high * norm(way[seen])
    return result


def excess_of_two_sides(target, z, step, way, factor=1.0):
    """By how much the kinks of both sides of a jump, times ``factor``, exceed their distance, and that."""
    seen, low, high = bracketed(target, z, step, way)
    first, second = (z[seen] + share[:, None] * way[seen] for share in (low, high))
    if not len(seen):
        return np.zeros(0), np.zeros(0)
    kinks = sum(target.proximal_point(side, step).kink for side in (first, second))
    return factor * kinks - norm(second - first), norm(second - first)


def _apart(first, second):
    return np.linalg.norm(first - second, axis=(1, 2))


@pytest.mark.claim("P5")
@pytest.mark.parametrize("step", [0.25, 2.0])
def test_no_jump_is_nearer_than_the_stated_kink(evidence, step):
    for target in TARGETS:
        rng = generator(8)
        x0, x1 = target.sample(N, rng)
        z = x1 + step * x0
        kink = target.proximal_point(z, step).kink
        jump = np.min([jump_along(target, z, step, way) for way in lines(target, z, step, rng, 2)], axis=0)
        seen = np.isfinite(jump)
        on = evidence.on(target, step=step)
        on.estimated(
            "stated distance to a kink beyond the nearest jump of D prox that was seen",
            np.maximum(kink[seen] - jump[seen], 0.0) if seen.any() else 0.0,
            np.broadcast_to(16 * EPS * (norm(z[seen]) + target.scale), seen.sum()) if seen.any() else 0.0,
            by=f"{PLACES} places on three lines, halved {HALVINGS} times; the bound: rounding of the places",
            because="D prox is continuous within the stated distance",
            chosen="a jump: a change of D prox by 1e−3 and more within a share 2⁻²⁴ of the way",
            kind="error",
            left_out=int((~seen).sum()),
        )


@pytest.mark.claim("P5")
@pytest.mark.parametrize("step", [0.25, 2.0])
def test_the_kinks_of_two_sides_of_a_jump_reach_no_further_than_each_other(evidence, step):
    """Within both stated distances D prox is continuous: they cannot cover the way from side to side.

    What rounding of a distance may add is subtracted by the library; along the normal nothing else is left.
    """
    for target in TARGETS:
        rng = generator(10)
        x0, x1 = target.sample(N, rng)
        z = x1 + step * x0
        found = [excess_of_two_sides(target, z, step, way) for way in lines(target, z, step, rng, 3)]
        excess, apart = (np.concatenate(part) for part in zip(*found, strict=True))
        evidence.on(target, step=step).estimated(
            "distances to a kink on both sides of a jump of D prox, together, beyond that of the sides",
            np.maximum(excess, 0.0) if len(excess) else 0.0,
            4 * target.dim * EPS * apart if len(excess) else 0.0,
            by=f"{PLACES} places on four lines, halved {HALVINGS} times; the bound: rounding of a length",
            because="D prox is continuous within the stated distances",
            chosen="a jump: a change of D prox by 1e−3 and more within a share 2⁻²⁴ of the way",
            kind="error",
            left_out=4 * len(z) - len(excess),
        )


@pytest.mark.claim("P5")
def test_stated_kinks_are_not_far_too_near(evidence):
    """A distance of 0 would leave every point out: for atoms and bodies it is of the jump's size."""
    step = 0.75
    for target in (
        FiniteAtoms.hypercube(3),
        FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3),
        Sphere(3, 2.0),
        BLOCKS,
    ):
        rng = generator(9)
        x0, x1 = target.sample(N, rng)
        z = x1 + step * x0
        kink = target.proximal_point(z, step).kink
        jump = np.min([jump_along(target, z, step, way) for way in lines(target, z, step, rng, 3)], axis=0)
        seen = np.isfinite(jump)
        evidence.on(target, step=step).estimated(
            "nearest jump seen over the stated distance to a kink, median",
            float(np.median(jump[seen] / np.maximum(kink[seen], EPS))) if seen.any() else np.inf,
            WIDE,
            by=f"{PLACES} places on four lines, halved {HALVINGS} times",
            because="the stated distance is a share of the distance to the nearest change of face",
            chosen="a thousandth; a jump: a change of D prox by 1e−3 and more",
            left_out=int((~seen).sum()),
        )


@pytest.mark.claim("P5")
@pytest.mark.parametrize("step", [0.1, 1.0, 9.0])
def test_a_statement_on_this_side_of_a_kink_stays_as_it_is_beside_it(evidence, step):
    """Beside an atom of weight w the kinks are at λs, Φ(s) = (1 − w)F and w more: D prox is smooth beyond.

    A difference across the kink would make the statement of D prox, for a z that is off, a jump over it.
    """
    target = AtomAndDensity([0.0], [0.375], stats.norm(1.0))
    below = 0.625 * ndtr(-1.0)
    kinks, outward = step * ndtri([below, below + 0.375]), np.array([-1.0, 1.0])
    near, far = (
        target.roundings.prox_jacobian((kinks + away * outward)[:, None], step, moved=1e-15).bound
        for away in (1e-6, 1e-2)
    )
    evidence.on(target, step=step).estimated(
        "statement of D prox 1e−6 from a kink over that 1e−2 from it, z off by 1e−15",
        near / far,
        WIDE,
        by="its values at two distances on the smooth side of two kinks",
        because="D prox is smooth on this side, and so is what it errs by",
        chosen="a thousand times",
    )


@pytest.mark.claim("P5")
@pytest.mark.parametrize("step", [0.1, 1.0, 9.0])
def test_prox_moves_with_z_in_a_hole_of_the_support(evidence, step):
    """Between an atom at 2 and uniform data on [−1, 1] φ is affine of the slope s, Φ(s) = ¾: prox is z − λs.

    There D prox is 1, on the atom 0, and a kink lies at each end of the hole.
    """
    target, s = AtomAndDensity([2.0], [0.25], stats.uniform(-1.0, 2.0)), float(ndtri(0.75))
    x = np.array([1.1, 1.5, 1.9])
    found = target.proximal_point((x + step * s)[:, None], step)
    formed = Rounding(x + step * s, 4, "x + λs, and Φ⁻¹")
    on = evidence.on(target, step=step)
    on.bounded(
        "|prox(x + λs) − x| in the hole",
        np.abs(found.point[:, 0] - x),
        found.rounding.point + formed,
        because="s ∈ ∂φ(x) for every x of the hole",
    )
    on.bounded(
        "|D prox − 1| in the hole",
        np.abs(found.jacobian[:, 0, 0] - 1),
        found.rounding.jacobian,
        because="prox(z) = z − λs there",
    )
    beyond = target.proximal_point([[2.0 + step * (s + 0.5)]], step)
    on.bounded("D prox on the atom", beyond.jacobian[:, 0, 0], beyond.rounding.jacobian, because="prox is 2")
    ends = np.minimum(x - 1, 2 - x)
    on.bounded(
        "stated distance to a kink beyond that to the nearer end of the hole",
        np.maximum(found.kink - ends, 0.0),
        formed,
        because="D prox is 1 up to both ends, and not beyond",
    )
    on.estimated(
        "distance to the nearer end of the hole over the stated one",
        ends / found.kink,
        1 + 1e-9,
        by="the ends of the hole",
        because="rounding alone is subtracted",
        chosen="1e−9, millions of roundings",
    )


@pytest.mark.claim("P1")
@pytest.mark.parametrize("curvature", [0.5, 1.0])
def test_a_tie_is_stated_as_the_distance_of_the_tied(evidence, curvature):
    """Noise as near to two points of a cloud as to each other, in binary fractions: T may be either."""
    cloud = PointCloud([[2.0, -4.0], [-2.0, -4.0], [0.0, -9.0], [6.0, -4.0]])
    places, apart = np.array([[0.0, -4.5], [4.0, -5.0], [0.0, -3.875]]), np.full(3, 4.0)
    for closed_set in (cloud, Union(cloud, PointCloud([[0.0, 60.0]]))):
        target = NearestPoint(closed_set, curvature)
        stated = target.roundings.transport(curvature * places).bound
        evidence.on(target).bounded(
            "|statement of T at a tie − the distance of the tied points|",
            np.abs(stated - apart),
            Rounding(apart, 64, "statements are computed, and those of the parts added"),
            because="nobody can say which of the two is meant, and no other is as near",
        )


@pytest.mark.control("P5")
@pytest.mark.parametrize("radius", [0.5, 2.0])
def test_twice_the_distance_to_a_kink_is_told(evidence, radius):
    """The ball's prox has its kink on the sphere: along the ray through z the jump is at | |z| − R |."""
    target, step = Sphere(1, radius), 1.0
    z = radius * np.linspace(1.25, 1.75, 6)[:, None]
    kink = target.proximal_point(z, step).kink
    jump = np.min(
        [jump_along(target, z, step, way) for way in lines(target, z, step, generator(1), 2)], axis=0
    )
    seen = np.isfinite(jump)
    evidence.on(target).control(
        "distance to the kink doubled: its ratio to the jump that is seen",
        predicted=2.0,
        measured=2 * kink[seen] / jump[seen],
        agreement=1e-6,
        because="on the line the ball is an interval, and both are | |z| − R |; 24 halvings",
        intact=1.0,
        left_out=int((~seen).sum()),
        chosen="a jump: a change of D prox by 1e−3 and more",
    )


@pytest.mark.control("P5")
@pytest.mark.parametrize("radius", [0.5, 2.0])
def test_distances_that_overlap_across_a_kink_are_told(evidence, radius):
    """On the line the kinks of two sides add up to the sides' distance: a half more is a half of it."""
    sphere, step = Sphere(1, radius), 1.0
    z = radius * np.linspace(1.25, 1.75, 6)[:, None]
    way = 3 * (sphere.prox(z, step) - z)
    excess, apart = excess_of_two_sides(sphere, z, step, way, factor=1.5)
    evidence.on(sphere).control(
        "distances to a kink times 1.5: what they exceed that of two sides by, over it",
        predicted=0.5,
        measured=excess / apart,
        agreement=1e-6,
        because="| |a| − R | + | |b| − R | = |a − b| for a and b on two sides, on a line through 0",
        left_out=len(z) - len(excess),
        chosen="a jump: a change of D prox by 1e−3 and more",
    )
