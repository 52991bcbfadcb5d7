"""A law of SciPy that is not on the list and has a density: its tails are integrals of that."""

from typing import Any

import numpy as np

from numerics.accuracy import UNIT
from numerics.potentials.differenced_density import density_of
from numerics.potentials.integrated_tails import IntegratedTails, count
from numerics.potentials.normal import Values, tail
from numerics.potentials.scipy_tails import (
    LEAST,
    NOISES,
    WORST,
    quiet,
    quietly,
    refuse_unresolved,
    resolved_to,
)
from numerics.potentials.tails import Tails

_ASKED, _DEPARTED = np.array([0.25, 1.0, 2.0, 3.0, LEAST]), 1 / 16


def density_tails(distribution: Any, name: str) -> tuple[Tails, tuple[float, float]] | None:
    """The tails of a frozen standard law, and the noise at which it must be cut.

    None if its density does not resolve quantiles up to noise 4, as where it is infinite at an end that is
    not 0, or misses a mass of 1 by as much: the law is measured then (`scipy_tails`).

    Raises:
        ValueError: If SciPy's cdf or sf departs from the integral by a sixteenth of a tail up to noise 4:
            they may be approximations, but not of another law.
    """
    ends = _ends(distribution, name)
    density, density_count = (quietly(form) for form in density_of(distribution))
    with quiet():
        found = IntegratedTails(density, (ends[0], ends[1]), *_place(distribution, ends))
    if not abs(found.total - 1) <= WORST:
        return None
    cut = [side * resolved_to(found.relative_error(side * NOISES)) for side in (-1, 1)]
    if min(-cut[0], cut[1]) < LEAST:
        return None

    def counted(s: Values) -> Values:
        return count(s) + found.relative_error(s) / UNIT

    def density_counted(x: Values) -> Values:
        return density_count(x) + found.roughness(x) / UNIT

    sides = found.lower, found.upper
    tails = Tails((ends[0], ends[1]), *sides, density, found.guess, counted, density_counted)
    agrees = [
        side * resolved_to(_departure(tails, distribution, side), _ASKED, _DEPARTED) for side in (-1, 1)
    ]
    refuse_unresolved(name, agrees[0], agrees[1])
    return tails, (cut[0], cut[1])


def _ends(distribution: Any, name: str) -> tuple[float, float]:
    """Of the support: SciPy gives the whole line to a circular law, and to one that ends at −2/skewness."""
    low, high = (float(end) for end in distribution.support())
    if name == "vonmises":
        return -np.pi, np.pi
    if name == "pearson3" and distribution.args[0] != 0:
        end = -2 / float(distribution.args[0])
        return (end, high) if end < 0 else (low, end)
    return low, high


def _place(distribution: Any, ends: tuple[float, ...]) -> tuple[float, float]:
    """A place inside the support, and about how far from it X is."""
    if np.isfinite(ends).all():
        return (ends[0] + ends[1]) / 2, ends[1] - ends[0]
    return float(distribution.mean()), float(distribution.std())


def _departure(tails: Tails, distribution: Any, side: int) -> Values:
    """By how much SciPy's own tail departs relatively from the integral."""
    x = tails.quantile(side * _ASKED)
    with quiet():
        given = np.asarray(distribution.sf(x) if side > 0 else distribution.cdf(x), dtype=float)
    return np.nan_to_num(np.abs(given / tail(_ASKED) - 1), nan=np.inf)
