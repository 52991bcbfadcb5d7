r"""A law of SciPy whose density cannot be integrated: its own tails, with what they err by measured at birth.

At eight places in every half of noise the tail probability is compared with the density beside the quantile:
over a window that holds about 1 % of the tail, F must rise by what the density integrates to. Their
difference, relative to the tail, is what it errs by there. The second largest of the eight, for a density
may jump at one of them, times 16 is stated; where it exceeds `WORST`, quantiles are no longer resolved, and
the law is cut at the noise before. A family that gives no density has differences of its tails for one
(`differenced_density`).

It is measured, not proved: an error that is the same at neighbours is not seen, and there the law is what
its probabilities say. Of those the commonest is counted: a tail that is the exponential of a rounded number
errs by roundings of its logarithm, 4 of them. A law whose density resolves its quantiles is integrated
instead (`density_tails`): SciPy's tails by cancellation, or by expansions, err alike at neighbours, by up to
6 times what was measured here.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import numpy as np

from numerics.accuracy import UNIT
from numerics.potentials.differenced_density import density_of
from numerics.potentials.normal import CUT, Values, exponent, tail
from numerics.potentials.tails import Form, Tails

WORST = 2.0**-10
LEAST = 4.0  # noise up to which a law must be resolved
NOISES = np.arange(0.25, CUT, 0.5)
_PLACES = np.arange(-3.5, 4) / 16  # about each of these noises
_WINDOW = 0.005
_SAFETY = 16.0  # the windows' errors vary
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


@contextmanager
def quiet() -> Iterator[None]:
    """SciPy warns where its own formulas overflow in far tails; what comes back is checked here instead."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


@lru_cache(maxsize=1)
def moments(distribution: Any) -> tuple[float, float]:
    """Mean and standard deviation of a frozen law, kept for the law last asked for: they may be integrals."""
    with quiet():
        return float(distribution.mean()), float(distribution.std())


def resolved_to(measured: Values, noises: Values = NOISES, worst: float = WORST) -> float:
    """The last noise before the first at which errors are too large; all of the noise if there is none."""
    resolved = np.append(measured <= worst, False)
    last = int(np.argmin(resolved))
    return CUT if last == len(noises) else float(noises[max(last - 1, 0)])


def refuse_unresolved(name: str, low: float, high: float) -> None:
    """Pass if a law is known as far as it must be.

    Raises:
        ValueError: If not, with how far it is.
    """
    if min(-low, high) < LEAST:
        raise ValueError(
            f"distribution: {name}'s cdf, sf and pdf agree only for noise {low:g} to {high:g}; "
            f"quantiles must be resolved from {-LEAST:g} to {LEAST:g}"
        )


def quietly(function: Form) -> Form:
    """The function, without SciPy's warnings."""

    def called(x: Values) -> Values:
        with quiet():
            return np.asarray(function(x), dtype=float)

    return called


def _quantiles(distribution: Any) -> Form:
    """Quantiles of either tail probability by SciPy's own inverses; nan where they are not finite or fail."""

    def guess(p: Values, is_upper: np.ndarray) -> Values:
        x = np.full_like(p, np.nan)
        for rows, inverse in ((is_upper, distribution.isf), (~is_upper, distribution.ppf)):
            with quiet(), suppress(RuntimeError):  # a root of SciPy's that does not converge
                x[rows] = inverse(p[rows])
        return np.where(np.isfinite(x), x, np.nan)

    return guess


def scipy_tails(distribution: Any, name: str) -> tuple[Tails, tuple[float, float]]:
    """The tails of a frozen standard law, and the noise at which it must be cut.

    Raises:
        ValueError: If quantiles are not resolved up to noise 4, or fall.
    """
    ends = tuple(float(end) for end in distribution.support())
    density, density_count = density_of(distribution)
    error = {+1: np.full(len(NOISES), 4 * UNIT), -1: np.full(len(NOISES), 4 * UNIT)}

    def count(s: Values) -> Values:
        place = np.minimum(np.searchsorted(NOISES, np.abs(s)), len(NOISES) - 1)
        return 8 + 4 * exponent(np.abs(s)) + np.where(s > 0, error[1][place], error[-1][place]) / UNIT

    tails = Tails(
        (ends[0], ends[1]),
        quietly(distribution.cdf),
        quietly(distribution.sf),
        quietly(density),
        _quantiles(distribution),
        count,
        quietly(density_count),
    )
    cut = []
    for side in (-1, 1):
        measured = _measured(tails, side)
        cut.append(side * resolved_to(measured))
        error[side] = _SAFETY * np.maximum.accumulate(np.minimum(measured, WORST))
    refuse_unresolved(name, *cut)
    _check_increasing(tails, cut, name)
    return tails, (cut[0], cut[1])


def _measured(tails: Tails, side: int) -> Values:
    """Relative error of one tail's probability about every noise up to the first not resolved; inf beyond."""
    found = np.full(len(NOISES), np.inf)
    for rows in np.array_split(np.arange(len(NOISES)), len(NOISES) // 4):
        s = side * (NOISES[rows, None] + _PLACES).ravel()
        seen = _mismatch(tails, tails.quantile(s), s).reshape(len(rows), -1)
        found[rows] = np.sort(np.nan_to_num(seen, nan=np.inf), axis=1)[:, -2]
        if not (found[rows] <= WORST).all():
            break
    return found


def _mismatch(tails: Tails, x: Values, s: Values) -> Values:
    """Relative error of the tail probability near x, beyond what the spacing of doubles there explains.

    Where doubles are too far apart for a window, x must be next to the quantile: neighbours enclose p, and
    hold what the density says to a factor of 4, unless the support ends there.
    """
    is_upper, p = s > 0, tail(np.abs(s))
    with np.errstate(all="ignore"):
        half = _WINDOW * p / tails.density(x)
        spacing = np.spacing(np.abs(x))
        coarse = spacing > 1e-3 * half
        half = np.where(coarse, spacing, half)
        low, high = np.maximum(x - half, tails.ends[0]), np.minimum(x + half, tails.ends[1])
        nodes = (low + high)[:, None] / 2 + (high - low)[:, None] / 2 * _NODES
        mass = (high - low) / 2 * (tails.density(nodes.ravel()).reshape(nodes.shape) @ _WEIGHTS)
        sides = [tails.probability(end, is_upper) for end in (low, high)]
        rise = np.where(is_upper, sides[0] - sides[1], sides[1] - sides[0])
        error = np.abs(rise - mass) / p + np.abs(tails.probability(x, is_upper) - p) / p
        error = np.maximum(error - 6 * _WINDOW * spacing / half, 0.0)
        enclosed = (np.minimum(*sides) <= p) & (p <= np.maximum(*sides))
        near = (x - tails.ends[0] <= 2 * spacing) | (tails.ends[1] - x <= 2 * spacing)
        enclosed &= near | ((rise <= 4 * mass) & (mass <= 4 * rise))
    return np.where(coarse, np.where(enclosed, 0.0, np.inf), np.where(np.isfinite(x), error, np.inf))


def _check_increasing(tails: Tails, cut: list[float], name: str) -> None:
    """Quantiles must not fall anywhere on a grid of both tails.

    Raises:
        ValueError: Naming where they do.
    """
    s = np.arange(np.ceil(4 * cut[0]) / 4, cut[1] + 0.125, 0.25)
    x = tails.quantile(s)
    falls = np.flatnonzero(~(np.diff(x) >= -4 * np.spacing(np.abs(x[1:]))))
    if falls.size:
        i = falls[0]
        raise ValueError(
            f"distribution: {name}'s quantiles fall from {x[i]} at noise {s[i]:g} to {x[i + 1]} "
            f"at {s[i + 1]:g}; its ppf and isf must increase"
        )
