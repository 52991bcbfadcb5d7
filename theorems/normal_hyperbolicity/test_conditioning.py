"""How close to t = 1 each route may go: measured, beside what its rounding predicts.

Assumed: A1–A5 and SC. The field in extended precision goes where no float64 route can, and checks H1 and H5
there. The table measures, on the sphere, up to which τ each route is right to one digit, on N and on T; a
route must not break down before the τ up to which its rounding is bounded. Control: K as a matrix beyond its
horizon.
"""

from itertools import product

import numpy as np
import pytest

from numerics.accuracy import EPS, Rounding
from numerics.flows.spectrum import slopes
from numerics.schedules import Linear, VariancePreserving
from theorems.normal_hyperbolicity import extended
from theorems.normal_hyperbolicity.assumptions import at_points
from theorems.normal_hyperbolicity.bundles import bundles, field_jacobian, formula_rounding
from theorems.normal_hyperbolicity.routes import ROUNDINGS, TARGET, routes
from theorems.setting.vectors import norm

REMAINING = ("1e-3", "1e-8", "1e-16", "1e-30", "1e-45")


@pytest.mark.claim("H1", "H5")
def test_field_in_extended_precision(evidence, rng):
    for closed, schedule, text in product(extended.CLOSED, (Linear(), VariancePreserving()), REMAINING):
        target, remaining = closed.target, float(text)
        for bundle in bundles(target, 3, rng):
            found = [extended.rescaled_jacobian(closed, schedule, x0, text, digits=80) for x0 in bundle.x0]
            margins = at_points(target, bundle.x0, schedule, remaining)
            stated = formula_rounding(target, bundle, schedule, remaining).amplified(remaining, "times 1−t")
            turned = target.dim * target.roundings.transport(bundle.x0).bound / target.scale
            # M bends by at most d/scale: to first order, and by what a bend of the bend can add to it
            moved = Rounding.measured(turned / (1 - turned), "the tangent at a rounded x₁")
            evidence.on(target, schedule=schedule, remaining=remaining, margins=margins).bounded(
                "|(1−t)Dv_t by differences in 80 digits − the stated one|, 1−t from 1e-3 to 1e-45",
                np.abs(found - remaining * field_jacobian(bundle, schedule, remaining)).max(axis=(1, 2)),
                stated + moved + Rounding(2.0, 4 * target.dim, "α and its derivative, and products"),
                because="80 digits truncate and round below 1e-19; float64's H, tangent and α are left",
                clause="curve",
            )


@pytest.mark.claim("H4", "H5")
def test_how_close_to_the_end(evidence, rng):
    rows = []
    for route in routes(TARGET.sample(20, rng)[0]):
        reached, on_tangent = route.reached()
        if route.proved is not None:
            evidence.on(TARGET, route=route.name).estimated(
                "τ up to which a digit is expected on N, against the τ reached",
                np.floor(route.proved),
                reached,
                by=f"{ROUNDINGS}·d roundings at most, 8 where only x_t is rounded",
                because=f"limited by {route.limit}",
                chosen="the number of roundings, and one digit",
            )
        if route.tangent is not None:
            evidence.on(TARGET, route=route.name).estimated(
                "τ up to which a digit of Dv is expected on T, against the τ reached",
                2 * np.floor(route.tangent / 2),
                on_tangent,
                by=f"{ROUNDINGS}·d roundings at most",
                because="Dv is bounded on T, so the error of (1−t)Dv, or of prox's Jacobian, counts over 1−t",
                chosen="the number of roundings, one digit, and even τ, as the grid in extended precision",
            )
        rows.append(_row(route, reached, on_tangent))
    evidence.table(
        "How close to t = 1: τ = −log(1−t) up to which each route is right to a digit, on a sphere",
        (
            "route",
            "limited by",
            "expected to τ on N",
            "one rounding predicts τ",
            "measured τ",
            "1−t there",
            "expected to τ on T",
            "measured τ on T",
        ),
        rows,
    )


def _row(route, reached, on_tangent):
    beyond = ", as far as was tried" if reached == route.grid[-1] else ""
    return (
        route.name,
        route.limit,
        "none" if route.proved is None else f"{route.proved:.1f}",
        f"{route.nominal:.1f}",
        f"{reached:.0f}{beyond}",
        f"{np.exp(-reached):.0e}",
        "not asked" if route.tangent is None else f"{route.tangent:.1f}",
        "not asked" if route.tangent is None else f"{on_tangent:.0f}",
    )


@pytest.mark.control("H4")
@pytest.mark.parametrize("tau", [45.0, 100.0])
def test_matrix_beyond_its_horizon(evidence, rng, tau):
    """αI + βK rounds to K at both times: its least eigenvalue, of rounding size, does not fall any more.

    On a sphere K_ii = R(1 − x̂_i²)/|x|. Noise along an axis, where this is too small, is left out.
    """
    drawn = rng.standard_normal((20, 3))
    least = TARGET.radius * (1 - (drawn**2).max(axis=1) / norm(drawn) ** 2) / norm(drawn)
    kept = np.exp(-tau) < EPS / 8 * least  # half of what is said below: for the rounding of 1 − x̂²
    kernel = TARGET.transport_jacobian(drawn[kept])
    growth = []
    for alpha in np.exp([-tau, -tau - 1]):
        sigma = np.linalg.svd(alpha * np.eye(3) + (1 - alpha) * kernel, compute_uv=False)[:, -1]
        growth.append(np.log(np.maximum(sigma, np.finfo(float).tiny)))
    evidence.on(TARGET, tau=tau).control(
        "K as a matrix beyond its horizon τ = 36: exponent on N",
        predicted=0.0,
        measured=slopes(growth, [tau, tau + 1])[0],
        agreement=1e-12,
        because="α < eps·|K_ii|/4, so both matrices are K itself, bit by bit",
        intact=-1.0,
        left_out=int((~kept).sum()),
    )
