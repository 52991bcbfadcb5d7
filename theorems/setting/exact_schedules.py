"""The coefficients of schedules in mpmath, by their definitions at 1 − t = r: nothing of the library's."""

from collections.abc import Callable

import mpmath as mp  # type: ignore[import-untyped]

from numerics.schedules import Linear, Logarithmic, Polynomial, Schedule, Trigonometric, VariancePreserving

Coefficients = Callable[[mp.mpf], tuple[mp.mpf, mp.mpf, mp.mpf, mp.mpf]]


def _polynomial(p: str) -> Coefficients:
    """Of α = r^p, β = 1 − r."""

    def coefficients(r: mp.mpf) -> tuple[mp.mpf, mp.mpf, mp.mpf, mp.mpf]:
        power = mp.mpf(p)
        return r**power, 1 - r, -power * r ** (power - 1), mp.mpf(1)

    return coefficients


def _trigonometric(r: mp.mpf) -> tuple[mp.mpf, mp.mpf, mp.mpf, mp.mpf]:
    """Of α = cos(πt/2), β = sin(πt/2)."""
    alpha, beta = mp.sin(mp.pi * r / 2), mp.sin(mp.pi * (1 - r) / 2)
    return alpha, beta, -mp.pi / 2 * beta, mp.pi / 2 * alpha


def _variance_preserving(r: mp.mpf) -> tuple[mp.mpf, mp.mpf, mp.mpf, mp.mpf]:
    """Of α = √(1−t²), β = t."""
    alpha = mp.sqrt(r * (2 - r))
    return alpha, 1 - r, -(1 - r) / alpha, mp.mpf(1)


def _logarithmic(r: mp.mpf) -> tuple[mp.mpf, mp.mpf, mp.mpf, mp.mpf]:
    """Of α = 1/(1 − log r), β = 1 − α."""
    alpha = 1 / (1 - mp.log(r))
    return alpha, 1 - alpha, -(alpha**2) / r, alpha**2 / r


EXACT: dict[Schedule, Coefficients] = {
    Linear(): lambda r: (r, 1 - r, mp.mpf(-1), mp.mpf(1)),
    Polynomial(2.5): _polynomial("2.5"),
    Polynomial(0.25): _polynomial("0.25"),
    Trigonometric(): _trigonometric,
    VariancePreserving(): _variance_preserving,
    Logarithmic(): _logarithmic,
}
"""α, β, α̇, β̇ at 1 − t = r, in the working precision."""
