"""P7: what the denoiser and the field tend to at the two ends of time.

Assumed: φ* differentiable at the point for t → 0; assumption SC for t → 1. For t → 0 this module holds the
field at t = 0 and the atoms, which are found at once; the limit over the grammar is in `test_start_of_time`.
For t → 1 the limit is compared with projections that know nothing of potentials (`hull_projections`), for
every kind of support. Controls: γ = 0, where the rescaled field dies out, and the support in place of its
hull.
"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.accuracy import EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.geometry import norms
from numerics.potentials import (
    FiniteAtoms,
    Sphere,
)
from numerics.schedules import Linear, Logarithmic, Polynomial, Trigonometric, VariancePreserving
from theorems.proximal_denoiser.hull_projections import HULLS
from theorems.setting.draws import generator
from theorems.setting.instances import chosen
from theorems.setting.quantifiers import SEEDS, for_all
from theorems.setting.values import Targets

SMOOTH = chosen(
    "sphere",
    "tilted ellipse",
    "Gaussian in the plane",
    "exponential law",
    "orthonormal frames",
    "planes in 4 dimensions",
    "rotations",
    "torus",
    "ellipse as a curve",
    "ellipse times circle",
)


@pytest.mark.claim("P7")
@pytest.mark.parametrize("target", SMOOTH, ids=repr)
@pytest.mark.parametrize("schedule", [Linear(), Trigonometric()], ids=repr)
def test_field_at_time_zero_is_the_limit(evidence, rng, target, schedule):
    x, field = rng.standard_normal((200, target.dim)), ExactField(target, schedule)
    start = float(schedule.beta_dot(0.0)) * target.transport(x) + float(schedule.alpha_dot(0.0)) * x
    evidence.on(target, schedule=schedule).bounded(
        "|v₀ of the library − (β̇₀T + α̇₀Id)|",
        norms(field.velocity(0.0, x) - start),
        Rounding(norms(x) + 2 * norms(target.transport(x)), 4, "two products and a sum, formed twice"),
        because="the limit itself; T is the same double in both",
        clause="start",
    )
    _beside_the_prox(evidence, field, x, start)


def _unbroken(target, x, length, stretch):
    """Where T moves by at most 4(1 + |K|) times each of ten lengths along the axes: no jump is so near."""
    axes, here = np.concatenate([np.eye(target.dim), -np.eye(target.dim)]), target.transport(x)
    kept = np.ones(len(x), dtype=bool)
    for each in (length / 4**k for k in range(10)):
        there = target.transport((x[:, None] + each[:, None, None] * axes).reshape(-1, target.dim))
        moved = norms(there.reshape(len(x), -1, target.dim) - here[:, None]).max(axis=1)
        kept &= moved <= 4 * (1 + stretch) * each
    return kept


def _beside_the_prox(evidence, field, x, start):
    """Another route, which knows no T: 2v_h − v_2h by the prox, off by order h²; at 2h and 4h, too.

    Until 8h the noise of the denoiser stays within 16h(|x| + |T|) of x, where T must not jump.
    """
    stretch = np.linalg.norm(field.potential.transport_jacobian(x), ord=2, axis=(1, 2))
    h = 2.0**-10 / (1 + stretch)
    length = 16 * h * (norms(x) + norms(field.potential.transport(x)))
    kept = _unbroken(field.potential, x, length, stretch)
    assert kept.mean() >= MOST_KEPT, "T jumps near too many points"
    x, start, h = x[kept], start[kept], h[kept]
    values = [field.velocity(k * h, x) for k in (1, 2, 4, 8)]
    near, far, farther = (2 * first - second for first, second in pairwise(values))
    stated = sum(field.roundings.velocity(k * h, x).bound for k in (1, 1, 2, 2, 2, 4, 4, 8))
    evidence.on(field.potential, schedule=field.schedule).estimated(
        "|β̇₀T + α̇₀Id − v_t of the prox, extrapolated to t = 0|",
        norms(near - start),
        norms(near - far) + norms(far - farther) / 2 + stated + 8 * EPS * norms(start),
        by="extrapolations from times twice and four times as far, off by four and sixteen times as much",
        because="v_t is twice differentiable in t near 0 where T is: v_h = v₀ + ch + O(h²)",
        chosen="points near which T moves by at most 4(1 + |K|) times the length, at ten lengths",
        left_out=int((~kept).sum()),
        clause="start",
    )


MOST_KEPT = 0.8
"""Chosen: an ellipse's segment of jumps is met by a point in a hundred."""

ATOMS = (FiniteAtoms.hypercube(4), FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3))
SEVERAL_ATOMS = Targets(
    st.sampled_from(ATOMS),
    ATOMS,
    lambda target: isinstance(target, FiniteAtoms) and len(target.points) > 1,
    "finite atoms, more than one: the cell of a single atom has no boundary",
)


@for_all("P7", target=SEVERAL_ATOMS, seed=SEEDS)
def test_atoms_are_found_at_once(evidence, target, seed):
    """As soon as β|T(x)| < the distance of x to its cell's boundary the denoiser is T(x), not merely near."""
    x = generator(seed).standard_normal((50, target.dim))
    image = target.transport(x)
    margin = np.array(
        [target.subdifferential(y).boundary_distance(p)[0] for y, p in zip(image, x, strict=True)]
    )
    t = 0.4 * margin / (margin + norms(x) + norms(image))
    found = target.prox(x / t[:, None], (1 - t) / t)
    evidence.on(target, seed=seed, margin=margin).bounded(
        "|prox_{λφ}(x/t) − T(x)| with t small against the margin",
        norms(found - image),
        target.roundings.prox(x / t[:, None], (1 - t) / t),
        because="(x − tT(x))/(1−t) stays in the cell of T(x), so prox returns the atom itself",
        clause="start",
    )


# --- t → 1 ------------------------------------------------------------------------------------------------


@pytest.mark.claim("P7")
@pytest.mark.parametrize("hull", HULLS, ids=lambda hull: hull.name)
@pytest.mark.parametrize(
    "schedule", [Linear(), Polynomial(2.0), Trigonometric(), VariancePreserving()], ids=repr
)
def test_field_ends_as_the_projection_on_the_hull(evidence, rng, hull, schedule):
    """|(1−t)v_t(x) − γ(proj(x) − x)| is bounded by what SC's remainders and λ leave, and that vanishes."""
    target = hull.target
    x = target.scale * 2 * rng.standard_normal((200, target.dim))
    aim = hull.project(x)
    field, gamma = ExactField(target, schedule), schedule.terminal_order
    for remaining in (1e-3, 1e-6, 1e-9, 1e-12):
        alpha, beta = (float(f(remaining=remaining)) for f in (schedule.alpha, schedule.beta))
        fall = remaining * float(schedule.alpha_dot(remaining=remaining)) / alpha
        rise = remaining * float(schedule.beta_dot(remaining=remaining))
        measured = norms(remaining * field.velocity(None, x, remaining=remaining) - gamma * (aim - x))
        near = hull.distance_of_prox(x / beta, alpha / beta) + norms(x) * (1 - beta) / beta
        allowed = abs(fall + gamma) * norms(x - aim) + (abs(fall) + rise) * near + rise * norms(aim)
        allowed += abs(fall) * (1 - beta) * norms(aim)
        stated = field.roundings.velocity(None, x, remaining=remaining).amplified(remaining)
        evidence.on(target, schedule=schedule, remaining=remaining).bounded(
            f"|(1−t)v_t(x) − γ(proj(x) − x)| at 1−t = {remaining:g}",
            measured,
            stated + hull.rounding(x, aim),
            because="SC's remainders times |x − proj|, and |prox_{λφ}(z) − proj(z)| ≤ √(2λ(φ(proj) − min φ)),"
            " or λ times φ's slope there",
            main=allowed,
            clause="end",
        )


@pytest.mark.claim("P7")
@pytest.mark.parametrize("step", [1e-9, 1e-3, 0.25])
def test_the_distance_of_the_prox_from_the_projection_is_attained(evidence, rng, step):
    """Between two atoms φ is linear: prox is the projection moved by λ·slope, while both are inside."""
    (hull,) = (hull for hull in HULLS if hull.name == "segment")
    first, second = hull.target.points
    inner = rng.uniform(0.35, 0.65, (50, 1))
    across = np.array([1.0, 2.0]) * rng.standard_normal((50, 1))
    z = first + inner * (second - first) + across
    aim, found = hull.project(z), hull.target.proximal_point(z, step)
    evidence.on(hull.target, step=step).bounded(
        "|λ·slope − |prox_{λφ}(z) − proj(z)||",
        np.abs(hull.distance_of_prox(z, step) - norms(found.point - aim)),
        found.rounding.point + hull.rounding(z, aim) + Rounding(step + hull.target.scale, 16, "the slope"),
        because="the bound of the end is an equality inside a face on which φ is linear",
        clause="end",
    )


# --- controls -----------------------------------------------------------------------------------------


def _on_ball(x):
    return x / np.maximum(norms(x), 1)[:, None]


@pytest.mark.control("P7")
@pytest.mark.parametrize("decades", [3, 6, 12])
def test_without_terminal_order_the_field_dies_out(evidence, rng, decades):
    """γ = 0 violates SC: here |(1−t)v_t| = α_t|proj(x) − x| exactly, with α = 1/(1 + k log 10)."""
    target, remaining = Sphere(3), 10.0**-decades
    x = rng.standard_normal((300, 3))
    x *= 2 / norms(x)[:, None]  # outside of the ball, all of them
    field = ExactField(target, Logarithmic())
    found = norms(remaining * field.velocity(None, x, remaining=remaining)) / norms(x - _on_ball(x))
    alpha = 1 / (1 + decades * np.log(10))
    # (1−t)v = −α(x − βu) + α²u with u = x/|x|, |x| = 2, β = 1 − α: −α(2 − (1−α)) + α² = −α.
    evidence.on(target, schedule=Logarithmic(), remaining=remaining).control(
        "γ = 0: |(1−t)v_t(x)| over |proj(x) − x|",
        predicted=alpha,
        measured=found,
        agreement=64 * EPS * 4,
        because="(1−t)α̇/α = −α for this schedule, |x| = 2 and the hull is the unit ball",
        intact=1.0,
    )


@pytest.mark.control("P7")
def test_nearest_atom_is_not_the_limit(evidence, rng):
    """Projecting on the support instead of its hull: on a segment the two differ by the way to its end."""
    target, remaining = FiniteAtoms.two([0.0], [2.0], 0.3), 1e-9
    x = rng.uniform(0.1, 1.9, (300, 1))
    limit = x + remaining * ExactField(target).velocity(None, x, remaining=remaining)
    nearest = np.where(x < 1, 0.0, 2.0)
    evidence.on(target, remaining=remaining).control(
        "support instead of its convex hull: distance of the field's limit from it",
        predicted=np.minimum(x, 2 - x)[:, 0],
        measured=norms(limit - nearest),
        agreement=4 * remaining * (1 + np.abs(target.heights).max()) + 64 * EPS,
        because="points of the hull are their own projection; the remainder is of order 1 − t",
    )
