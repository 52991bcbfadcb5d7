"""Routes to the spectrum of (1−t)Dv_t near t = 1 on a sphere, and up to which τ each may be trusted."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from numerics.accuracy import EPS
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
from numerics.schedules import Linear
from theorems.normal_hyperbolicity import extended

TARGET = Sphere(3, 2.0)
CLOSED = extended.sphere(3, 2.0)
DIGITS, TOLERANCE, DIGIT, ROUNDINGS = 50, 1e-9, 0.1, 64
_FLOATS = np.arange(2.0, 61.0)
Errors = tuple[float, float]


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
    error: Callable[[float], Errors]
    grid: np.ndarray
    tangent: float | None = None

    def reached(self) -> Errors:
        """On N and on T, the last τ of the grid before the first error of more than a digit; 0 if none."""
        wrong = ~(np.array([self.error(float(tau)) for tau in self.grid]) <= DIGIT)
        good = np.where(wrong.any(axis=0), wrong.argmax(axis=0), len(self.grid))
        on_normal, on_tangent = np.concatenate([[0.0], self.grid])[good]
        return float(on_normal), float(on_tangent)


class Trajectories:
    """What every route finds at time τ on the trajectories of noise x0 (n,3): its worst errors on N and T."""

    def __init__(self, x0: np.ndarray) -> None:
        self.x0, self.x1 = x0, TARGET.transport(x0)
        self.field, self.kappa = ExactField(TARGET), stretches(TARGET, x0)
        self.kernel, self.length = TARGET.transport_jacobian(x0), np.linalg.norm(x0, axis=1)
        self._grown = qr_growth(
            lambda remaining, x: self.field.velocity(None, x, remaining=remaining),
            lambda remaining, x: self.field.jacobian(None, x, remaining=remaining),
            x0[:8],
            np.arange(1.0, 46.0),
            tolerance=TOLERANCE,
        )

    def from_zeros(self, tau: float) -> Errors:
        """σ from κ, of which one is exactly 0."""
        remaining = np.exp([1 - tau, -tau])
        return _exponent(path_singular_values(Linear(), self.kappa, remaining=remaining)[..., -1])

    def from_matrix(self, tau: float) -> Errors:
        """σ from αI + βK."""
        alpha = np.exp([1 - tau, -tau])[:, None, None, None]
        return _exponent(np.linalg.eigvalsh(alpha * np.eye(3) + (1 - alpha) * self.kernel)[..., 0])

    def by_prox_jacobian(self, tau: float) -> Errors:
        """Dv from D prox at x_t."""
        return self._of_field(path_jacobians(self.field, self.x0, np.exp(-tau))[0], tau)

    def by_complex_steps(self, tau: float) -> Errors:
        """Dv from prox at complex points."""
        remaining, xt = self._at(tau)

        def velocity(_: object, x: np.ndarray) -> np.ndarray:
            return np.asarray((TARGET.prox(x / (1 - remaining), remaining / (1 - remaining)) - x) / remaining)

        return self._of_field(complex_jacobian(velocity, 0.0, xt), tau)

    def by_differences(self, tau: float) -> Errors:
        """Dv from differences of v."""
        remaining, xt = self._at(tau)

        def velocity(r: np.ndarray, x: np.ndarray) -> np.ndarray:
            return self.field.velocity(None, x, remaining=r)

        return self._of_field(jacobian(velocity, remaining, xt, 1e-2 * remaining * self.length).jacobian, tau)

    def in_digits(self, tau: float) -> Errors:
        """Dv from differences in `DIGITS` digits."""
        text = f"{np.exp(-tau):.17e}"
        found = [extended.rescaled_jacobian(CLOSED, Linear(), s, text, digits=DIGITS) for s in self.x0[:3]]
        return self._worst(np.linalg.eigvalsh(np.array(found)), tau)

    def integrated(self, tau: float) -> Errors:
        """The exponent by integrating the field."""
        rates = slopes(self._grown.log_growth, self._grown.tau)[int(tau) - 1]
        return float(np.abs(np.sort(rates, axis=-1)[:, 0] + 1).max()), np.nan

    def _at(self, tau: float) -> tuple[float, np.ndarray]:
        remaining = float(np.exp(-tau))
        return remaining, remaining * self.x0 + (1 - remaining) * self.x1

    def _of_field(self, matrices: np.ndarray, tau: float) -> Errors:
        with np.errstate(all="ignore"):
            rescaled = float(np.exp(-tau)) * matrices
            return self._worst(np.linalg.eigvalsh((rescaled + rescaled.transpose(0, 2, 1)) / 2), tau)

    def _worst(self, found: np.ndarray, tau: float) -> Errors:
        """From eigenvalues of (1−t)Dv, the normal one first."""
        remaining = float(np.exp(-tau))
        curve = np.sort(path_eigenvalues(Linear(), self.kappa, remaining=remaining), axis=-1) * remaining
        error = np.abs(found - curve[: len(found)]).max(axis=0)
        return float(error[0]), float(error[1:].max() * np.exp(tau))


def _exponent(sigma: np.ndarray) -> Errors:
    """On N, from σ at τ − 1 and τ."""
    with np.errstate(all="ignore"):
        growth = np.log(np.abs(sigma))
        return float(np.abs(growth[1] - growth[0] + 1).max()), np.nan


def routes(x0: np.ndarray) -> tuple[Route, ...]:
    """Every route on the trajectories of x0 (n,3)."""
    along = Trajectories(x0)
    return (*_through_k(along), *_through_prox(along), *_through_time(along))


def _size(along: Trajectories) -> float:
    return TARGET.radius / float(along.length.min())


def _entries() -> float:
    """On T: a matrix of norm 1, over 1 − t."""
    return float(-np.log(ROUNDINGS * TARGET.dim * EPS / DIGIT))


def _through_k(along: Trajectories) -> tuple[Route, ...]:
    """K is R/|x0| across x0: rounding T by R and x0 by |x0|, both squared in K."""
    condition_number, multiple = 4 * _size(along), ROUNDINGS * TARGET.dim
    nominal = rounding_horizon(1.0, float(along.kappa.max()))
    proved = float(-np.log(multiple * EPS * condition_number / (DIGIT / 3)))
    least = -np.log(5e-324)
    zeros = np.arange(2.0, 760.0)
    return (
        Route("κ with exact zeros", "underflow of e^−τ", least, 708.0, along.from_zeros, zeros),
        Route("K as a matrix", "rounding of K over α", nominal, proved, along.from_matrix, _FLOATS),
    )


def _through_prox(along: Trajectories) -> tuple[Route, ...]:
    off = -np.log(EPS * _size(along))
    outside = "whether x_t is outside the ball"
    step = np.log(1e-2 * DIGIT / 8)
    proved = off + step - np.log(ROUNDINGS * TARGET.dim)
    inside, on_tangent = off - np.log(8), _entries()
    return (
        Route("prox Jacobian at x_t", outside, off, inside, along.by_prox_jacobian, _FLOATS, on_tangent),
        Route(
            "complex steps through prox", outside, off, inside, along.by_complex_steps, _FLOATS, on_tangent
        ),
        Route(
            "differences of the field",
            "rounding of v over the half-step α|x₀|/100, /8",
            off + step,
            proved,
            along.by_differences,
            _FLOATS,
            proved / 2,
        ),
    )


def _through_time(along: Trajectories) -> tuple[Route, ...]:
    digits = (DIGITS - extended.STEP_DIGITS) * np.log(10)
    return (
        Route(
            f"integrating the field, tolerance {TOLERANCE:g}",
            "whether x_t is outside the ball; not the tolerance, as x_t's offset decays by a linear law",
            -np.log(EPS * _size(along)),
            None,
            along.integrated,
            np.arange(10.0, 46.0),  # before, the directions still align with N
        ),
        Route(
            f"differences in {DIGITS} digits",
            "rounding of v over the half-step 10^−10 α",
            digits + np.log(DIGIT / TARGET.radius),
            digits + np.log(DIGIT / TARGET.radius / (ROUNDINGS * TARGET.dim)),
            along.in_digits,
            np.arange(24.0, 131.0, 2.0),
            _entries(),
        ),
    )
