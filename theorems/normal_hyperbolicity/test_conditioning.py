"""How close to t = 1 each route may go: measured, beside what its rounding predicts.

Assumed: A1–A5 and SC. The field in extended precision goes where no float64 route can, and checks H1 and H5
there. The table measures, on the sphere, up to which τ each route is right to one digit, on N and on T; a
route must not break down before the τ up to which its rounding is bounded. Control: K as a matrix beyond its
horizon.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest

from numerics.accuracy import EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.flows.spectrum import (
    complex_jacobian,
    jacobian,
    path_eigenvalues,
    path_jacobians,
    path_singular_values,
    qr_growth,
    rounding_horizon,
    slopes,
    stretches,
)
from numerics.potentials import Sphere
from numerics.schedules import Linear, VariancePreserving
from theorems.normal_hyperbolicity import extended
from theorems.normal_hyperbolicity.assumptions import at_points
from theorems.normal_hyperbolicity.trajectories import bundles, field_jacobian, formula_rounding

TARGET = Sphere(3, 2.0)
DIGITS, TOLERANCE, DIGIT, ROUNDINGS = 50, 1e-9, 0.1, 64
REMAINING = ("1e-3", "1e-8", "1e-16", "1e-30", "1e-45")
CLOSED = (
    extended.sphere(3, 2.0),
    extended.ellipsoid((4.0, 1.0, 0.25)),
    extended.gaussian((2.0, 0.5, 0.0)),
    extended.two_atoms((0.0, 1.0), (2.0, 0.0), 0.3),
    extended.torus(2.0, 0.5, 1.0),
)


@pytest.mark.claim("H1", "H5")
def test_field_in_extended_precision(evidence, rng):
    schedules = ((Linear(), extended.linear), (VariancePreserving(), extended.variance_preserving))
    for closed, (schedule, coefficients), text in product(CLOSED, schedules, REMAINING):
        target, gap = closed.target, float(text)
        for bundle in bundles(target, 3, rng):
            found = [
                extended.rescaled_jacobian(closed, coefficients, x0, text, digits=80) for x0 in bundle.x0
            ]
            margins = at_points(target, bundle.x0, schedule, gap)
            stated = formula_rounding(target, bundle, schedule, gap).amplified(gap, "times 1−t")
            off = target.roundings.transport(bundle.x0).bound
            moved = Rounding.measured(target.dim * off / target.scale, "the tangent at a rounded x₁")
            evidence.on(target, schedule=schedule, remaining=gap, margins=margins).bounded(
                "|(1−t)Dv_t by differences in 80 digits − the stated one|, 1−t from 1e-3 to 1e-45",
                np.abs(found - gap * field_jacobian(bundle, schedule, gap)).max(axis=(1, 2)),
                stated + moved + Rounding(2.0, 4 * target.dim, "α and its derivative, and products"),
                because="80 digits truncate and round below 1e-19; float64's H, tangent and α are left",
                clause="curve",
            )


@dataclass(frozen=True)
class Route:
    """A way to the spectrum near t = 1.

    Attributes:
        name: What it is.
        limit: What limits it.
        nominal: The τ at which one rounding costs the first digit.
        proved: The τ up to which as many roundings leave a digit; None if there is no such count.
        error: From τ to the worst errors over points: on N of (1−t)Dv's eigenvalues or of exponents, on T of
            Dv's, as (1−t)Dv vanishes there with any error; nan on T where the route is asked about N alone.
        grid: Increasing τ at which it is measured.
        tangent: The same on T; None if the route is asked about N alone.
    """

    name: str
    limit: str
    nominal: float
    proved: float | None
    error: Callable[[float], tuple[float, float]]
    grid: np.ndarray
    tangent: float | None = None

    def reached(self) -> tuple[float, float]:
        """On N and on T, the last τ of the grid before the first error of more than a digit; 0 if none."""
        wrong = ~(np.array([self.error(float(tau)) for tau in self.grid]) <= DIGIT)
        good = np.where(wrong.any(axis=0), wrong.argmax(axis=0), len(self.grid))
        on_normal, on_tangent = np.concatenate([[0.0], self.grid])[good]
        return float(on_normal), float(on_tangent)


def _routes(x0):
    field, kappa = ExactField(TARGET), stretches(TARGET, x0)
    kernel = TARGET.transport_jacobian(x0)
    length, x1 = np.linalg.norm(x0, axis=1), TARGET.transport(x0)
    least, multiple = float(length.min()), ROUNDINGS * TARGET.dim
    size = TARGET.radius / least
    condition = 4 * size  # K is R/|x0| across x0: rounding T by R and x0 by |x0|, both squared in K

    def curve(tau):
        gap = float(np.exp(-tau))
        return np.sort(path_eigenvalues(Linear(), kappa, remaining=gap), axis=-1) * gap

    def far(matrices, tau):
        with np.errstate(all="ignore"):
            rescaled = float(np.exp(-tau)) * matrices
            return worst(np.linalg.eigvalsh((rescaled + rescaled.transpose(0, 2, 1)) / 2), tau)

    def worst(found, tau):
        """From eigenvalues of (1−t)Dv, the normal one first."""
        error = np.abs(found - curve(tau)[: len(found)]).max(axis=0)
        return float(error[0]), float(error[1:].max() * np.exp(tau))

    def normal(sigma):
        with np.errstate(all="ignore"):
            growth = np.log(np.abs(sigma))
            return float(np.abs(growth[1] - growth[0] + 1).max()), np.nan

    def from_zeros(tau):
        gaps = np.exp([1 - tau, -tau])
        return normal(path_singular_values(Linear(), kappa, remaining=gaps)[..., -1])

    def from_matrix(tau):
        alpha = np.exp([1 - tau, -tau])[:, None, None, None]
        return normal(np.linalg.eigvalsh(alpha * np.eye(3) + (1 - alpha) * kernel)[..., 0])

    def at(tau):
        gap = float(np.exp(-tau))
        return gap, gap * x0 + (1 - gap) * x1

    def by_complex_steps(tau):
        gap, xt = at(tau)
        return far(
            complex_jacobian(lambda _, x: (TARGET.prox(x / (1 - gap), gap / (1 - gap)) - x) / gap, 0.0, xt),
            tau,
        )

    def by_differences(tau):
        gap, xt = at(tau)
        step = 1e-2 * gap * length
        return far(jacobian(lambda r, x: field.velocity(None, x, remaining=r), gap, xt, step).jacobian, tau)

    def in_digits(tau):
        closed, text = CLOSED[0], f"{np.exp(-tau):.17e}"
        found = [extended.rescaled_jacobian(closed, extended.linear, s, text, digits=DIGITS) for s in x0[:3]]
        return worst(np.linalg.eigvalsh(np.array(found)), tau)

    grown = qr_growth(
        lambda gap, x: field.velocity(None, x, remaining=gap),
        lambda gap, x: field.jacobian(None, x, remaining=gap),
        x0[:8],
        np.arange(1.0, 46.0),
        tolerance=TOLERANCE,
    )

    def integrated(tau):
        k = int(tau)
        return float(
            np.abs(np.sort(slopes(grown.log_growth, grown.tau)[k - 1], axis=-1)[:, 0] + 1).max()
        ), np.nan

    floats = np.arange(2.0, 61.0)
    off = -np.log(EPS * size)
    step = np.log(1e-2 * DIGIT / 8)
    entries = float(-np.log(multiple * EPS / DIGIT))  # of a matrix of norm 1, over 1 − t
    return (
        Route(
            "κ with exact zeros",
            "underflow of e^−τ",
            -np.log(5e-324),
            708.0,
            from_zeros,
            np.arange(2.0, 760.0),
        ),
        Route(
            "K as a matrix",
            "rounding of K over α",
            rounding_horizon(1.0, float(kappa.max())),
            float(-np.log(multiple * EPS * condition / (DIGIT / 3))),
            from_matrix,
            floats,
        ),
        Route(
            "prox Jacobian at x_t",
            "whether x_t is outside the ball",
            off,
            off - np.log(8),
            lambda tau: far(path_jacobians(field, x0, np.exp(-tau))[0], tau),
            floats,
            entries,
        ),
        Route(
            "complex steps through prox",
            "whether x_t is outside the ball",
            off,
            off - np.log(8),
            by_complex_steps,
            floats,
            entries,
        ),
        Route(
            "differences of the field",
            "rounding of v over the half-step α|x₀|/100, /8",
            off + step,
            off + step - np.log(multiple),
            by_differences,
            floats,
            (off + step - np.log(multiple)) / 2,
        ),
        Route(
            f"integrating the field, tolerance {TOLERANCE:g}",
            "whether x_t is outside the ball; not the tolerance, as x_t's offset decays by a linear law",
            off,
            None,
            integrated,
            np.arange(10.0, 46.0),  # before, the directions still align with N
        ),
        Route(
            f"differences in {DIGITS} digits",
            "rounding of v over the half-step 10^−10 α",
            (DIGITS - extended.STEP_DIGITS) * np.log(10) + np.log(DIGIT / TARGET.radius),
            (DIGITS - extended.STEP_DIGITS) * np.log(10) + np.log(DIGIT / TARGET.radius / multiple),
            in_digits,
            np.arange(24.0, 131.0, 2.0),
            entries,
        ),
    )


@pytest.mark.claim("H4", "H5")
def test_how_close_to_the_end(evidence, rng):
    rows = []
    for route in _routes(TARGET.sample(20, rng)[0]):
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
        rows.append(
            (
                route.name,
                route.limit,
                "none" if route.proved is None else f"{route.proved:.1f}",
                f"{route.nominal:.1f}",
                f"{reached:.0f}" + (", as far as was tried" if reached == route.grid[-1] else ""),
                f"{np.exp(-reached):.0e}",
                "not asked" if route.tangent is None else f"{route.tangent:.1f}",
                "not asked" if route.tangent is None else f"{on_tangent:.0f}",
            )
        )
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


@pytest.mark.control("H4")
@pytest.mark.parametrize("tau", [45.0, 100.0])
def test_matrix_beyond_its_horizon(evidence, rng, tau):
    """αI + βK rounds to K at both times: its least eigenvalue, of rounding size, does not fall any more."""
    kernel = TARGET.transport_jacobian(rng.standard_normal((20, 3)))
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
    )
