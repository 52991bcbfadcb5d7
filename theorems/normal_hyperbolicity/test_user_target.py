"""The user's own point cloud (--target=FILE.npz): the claims of terminal normal hyperbolicity, as audits.

Assumed: what the file holds. Atoms are manifolds of dimension 0: T is trivial, N everything, K = 0 and all d
exponents are −γ. What the data were drawn from may have a dimension of its own, which distances between
neighbours estimate at several scales. Nothing here decides a verdict.
"""

import numpy as np
import pytest

from numerics.accuracy import EPS
from numerics.flows.exact import ExactField
from numerics.flows.spectrum import intrinsic_dimension, path_jacobians, qr_growth
from numerics.transport.dimensions import neighbour_dimensions
from theorems.normal_hyperbolicity.user_dimensions import (
    COLUMNS,
    draw_dimensions,
    in_words,
    is_possible,
    row_of,
)
from theorems.setting.audits import ask, asked_in, potential
from theorems.setting.quantifiers import HYPERBOLIC

MOST_DIMENSIONS = 4
"""Up to which the field is integrated."""


@pytest.mark.parametrize(("claim", "check"), asked_in(__package__))
def test_the_claims_on_this_target(evidence, user_target, claim, check):
    auditor = evidence.auditing(user_target.name, claim)
    ask(auditor, check, potential(user_target))


@pytest.mark.asks("H4")
def test_the_exponents_by_integrating_the_field(evidence, user_target, rng):
    """The diagonal of R from the ODE, which knows neither K nor the atoms, against log α."""
    target = potential(user_target)
    if target.dim > MOST_DIMENSIONS:
        pytest.skip(f"integrated up to dimension {MOST_DIMENSIONS}; the data have {target.dim}")
    x0, _ = target.sample(3, rng)
    for schedule in HYPERBOLIC[::3]:
        field, tau = ExactField(target, schedule), np.array([3.0, 6.0, 8.0]) / schedule.terminal_order
        tight, loose = (
            qr_growth(
                lambda remaining, x, field=field: field.velocity(None, x, remaining=remaining),
                lambda remaining, x, field=field: field.jacobian(None, x, remaining=remaining),
                x0,
                tau,
                tolerance=tolerance,
            ).log_growth[1:]
            for tolerance in (1e-9, 1e-7)
        )
        alpha = schedule.alpha(remaining=np.exp(-tau))
        evidence.auditing(user_target.name, "H4").on(target, schedule=schedule).estimated(
            "|log R_ii by integration − log α|: all d exponents are −γ",
            np.abs(tight - np.log(alpha)[:, None, None]),
            2 * np.abs(tight - loose).max() + 64 * target.dim * EPS / alpha.min(),
            by="twice the solutions' difference at tolerances 1e-7 and 1e-9",
            because="R_ii = α on atoms, K = 0; the integrator's error, and rounding of x over α",
        )


@pytest.mark.asks("H7")
def test_the_data_have_dimension_zero(evidence, user_target, rng):
    """Rates d log σ/dτ = (1−t)·eig Dv_t near t = 1, from the field's Jacobian, which is that of the prox."""
    target = potential(user_target)
    x0, _ = target.sample(max(4, min(100, 10_000 // target.dim**2)), rng)
    for schedule in HYPERBOLIC:
        field, order = ExactField(target, schedule), schedule.terminal_order
        remaining = np.exp(-np.array([6.0, 7.0, 8.0]) / order)
        rates = np.linalg.eigvalsh(path_jacobians(field, x0, remaining)) * remaining[:, None, None]
        found = intrinsic_dimension(rates[-1], order)
        evidence.auditing(user_target.name, "H7").on(target, schedule=schedule).estimated(
            "number of rates (1−t)·eig Dv_t above −γ/2: 0, the dimension of atoms",
            found,
            0.0,
            by="rates at 1−t = e^(−8/γ), in doubles, of which those of atoms are near −γ",
            because="integers agree or differ by 1",
            chosen="half of γ",
            kind="count",
        )


@pytest.mark.asks("H7")
def test_the_dimension_of_the_data_themselves(evidence, user_target):
    """Not of atoms, but of what they sample: an estimate, which no theorem gives a level, at each scale."""
    name, points = user_target.name, user_target.points
    found = neighbour_dimensions(points)
    if not found:
        pytest.skip(f"{len(points)} points have no neighbours to compare; at least 3 are needed")
    d = points.shape[1]
    evidence.audit(
        "H7: which dimension have the data themselves, by distances to neighbours (estimated)?",
        "informs" if all(is_possible(one, len(points), d) for one in found) else "deviates",
        expected=f"between 0 and {d}",
        measured=in_words(found, len(points)),
        because="(r_k/r_2k)^m is Beta(k, k) where the density is constant on a ball of dimension m; noise"
        " across a manifold shows at small scales, the manifold at larger ones",
        subject=name,
        kind="data",
    )
    evidence.table(
        f"{name}: dimension of the data at the scale of their neighbours (weights play no part)",
        COLUMNS,
        [row_of(one) for one in found],
    )
    if any(np.isfinite(one.dimension) for one in found):  # of a lattice's corners there is nothing to draw
        evidence.figure(
            f"{name}: dimension of the data against the scale",
            "Estimates with two standard errors, by the median distance to the outer neighbour.",
            lambda figure: draw_dimensions(figure, found, d),
        )
