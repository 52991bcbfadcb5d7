"""E x₁² of a law on the line: the law's own, checked by quadrature, or the quadrature where it knows better.

A quadrature over the noise misses what lies beyond 20 deviations, or beyond the cut of a law whose quantiles
scipy does not resolve; for powers close to 2 that matters (for Student's law of 2.05 degrees, some
thousandths beyond 20). A law of scipy knows its second moment in closed form, or integrates numerically. So
both are formed, and the one with the smaller error is taken, the law's own only if it comes from a formula.
Where the quadrature is within 1e−11, a formula must agree with it to what it errs by itself. Elsewhere, where
they contradict each other, the error of both and the distance between them is stated.

A formula of scipy's is taken to err by 8u of itself and by what it changes by when each parameter moves by an
ulp or two: as a function that is backward stable, such as Γ at a rounded argument. Compared with 40 digits
for each family that the tests list.
"""

from typing import Any

import numpy as np
from scipy import stats

from numerics.accuracy import EPS, UNIT
from numerics.potentials import AtomAndDensity, Quantile
from numerics.transport.noise_integrals import Integrals

_SETTLED = 1e-11  # relatively: of formulas, expansions near a limit of the family err by more than they show


def second_moment(target: Quantile | AtomAndDensity, found: Integrals) -> tuple[float, float]:
    """E x₁² and its error.

    Args:
        target: A law with a density, or such a law mixed with atoms.
        found: Its integrals over the noise.
    """
    square, error = _by_quadrature(found)
    own, own_error = _of_family(target.distribution)
    if isinstance(target, AtomAndDensity):
        own, own_error = _mixed(target, own, own_error)
    apart = abs(own - square)
    if own_error >= error or (error <= _SETTLED * square and apart > own_error):
        return square, error
    return own, own_error if apart <= error + own_error else own_error + apart + error


def _by_quadrature(found: Integrals) -> tuple[float, float]:
    """E(T−c)² + 2cE(T−c) + c²."""
    c, (first, square), errors = found.centre, found.values[3:], found.errors[3:]
    total = square + 2 * c * first + c**2
    if not np.isfinite([found.tail_of_square, *errors]).all():
        return float(total), np.inf
    rounding = 4 * UNIT * (square + 2 * abs(c * first) + c**2)
    return float(total), float(errors[1] + 2 * abs(c) * errors[0] + rounding + found.tail_of_square)


def _of_family(distribution: Any) -> tuple[float, float]:
    """Var + mean² by scipy, and its error; +inf where scipy has no formula."""
    family, base = type(distribution.dist), stats.rv_continuous
    if family._stats is base._stats and family._munp is base._munp:
        return 0.0, np.inf
    value = _var_and_mean(distribution)
    change = sum(abs(_var_and_mean(moved) - value) for moved in _moved(distribution))
    return value, 8 * UNIT * value + change


def _var_and_mean(distribution: Any) -> float:
    with np.errstate(all="ignore"):
        return float(distribution.var()) + float(distribution.mean()) ** 2


def _moved(distribution: Any) -> list[Any]:
    """The law with each parameter in turn up by an ulp or two, where it is still a law."""
    laws = []
    for i, value in enumerate(distribution.args):
        args = [*distribution.args[:i], value * (1 + EPS), *distribution.args[i + 1 :]]
        laws.append(distribution.dist(*args, **distribution.kwds))
    for name, value in distribution.kwds.items():
        kwds = {**distribution.kwds, name: value * (1 + EPS)}
        laws.append(distribution.dist(*distribution.args, **kwds))
    return [law for law in laws if np.isfinite(_var_and_mean(law))]


def _mixed(target: AtomAndDensity, own: float, error: float) -> tuple[float, float]:
    """Σ w_i y_i² + (1 − Σ w_i) times the density's."""
    rest = float(1 - target.weights.astype(np.longdouble).sum())
    atoms = float(target.weights @ target.atoms**2)
    return atoms + rest * own, rest * error + 8 * UNIT * (atoms + rest * own)
