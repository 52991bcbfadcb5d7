"""Both tails of a discrete scipy law on its atoms, with what they err by: SciPy's own, or sums of its masses.

A tail is believed where it rises by the masses of its atoms. Masses may err more than tails do: for large
parameters SciPy takes them from logarithms of Γ, which lose digits. By how much is seen in the body, where
differences of the tails resolve it; only what a tail misses beyond that speaks against it. A tail that is
1 − the other one has no digits far out, and there the masses are summed instead, from the end inwards.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Real
from scipy import stats
from scipy.special import ndtr

from numerics.accuracy import UNIT
from numerics.potentials.normal import CUT, Values
from numerics.potentials.primitive import running_sums

MOST_ATOMS = 2**20
TOO_MANY = f"distribution: has more than {MOST_ATOMS} atoms; use a continuous law"
_AGREED = 1e-9
_LEAST = 1e-100  # beyond the cut: nothing is asked of smaller tails
_BODY = 0.1  # of the largest mass, chosen
_SHOWN = 8.0  # chosen: so much more than in the body may masses err in the tails
_TAILS, _LOGARITHM = 64.0, 8.0
_NEAR, _FAR, _FIRST = 96.0, 4.0, 2000.0  # ulps of distances: to the nearer end up to 2000, and to the farther
_COMPLEMENT = 4.0  # roundings of 1 in 1 − cdf
_SUMMED, _PASSED = 12.0, 2.0  # roundings of sums of masses: for each unit of −log p, for each atom


def lattice_tails(distribution: Any) -> tuple[Values, Values, Values, Values]:
    """Atoms, P(X ≤ atom), P(X > atom), and by how much the smaller of both errs relatively.

    SciPy's tails err by 64 roundings, 8 for each unit of −log p, and some ulps of the distance k to the
    nearer end of the support, which move p by k·(mass/p) relatively: 96 of the first 2000, for it is in
    middle sizes that they cancel, and 4 of the distance to the farther end (a rounded 1 − p, to the power
    n); by what they miss of the masses, and of their sums beyond what sums err by; and by 4 roundings of 1
    where SciPy forms the upper one as 1 − cdf.

    Sums of masses err by 8 times what masses, or their total, err by in the body, 12 for each unit of −log p,
    and 2 for each atom to the farther end. The smaller statement is taken. SciPy's tails of families without
    a formula for them are sums of masses too, so nothing is learnt from them: of such masses the logarithms
    of Γ are counted, 4 roundings of K log K for K atoms, or a shape K that is larger. These counts are
    measured, and held against 40 digits by tests/numerics/accuracy/test_discrete.py.

    Raises:
        ValueError: If there are more than 2²⁰ atoms.
    """
    atoms = np.unique(np.asarray(_lattice(distribution), dtype=float))
    masses = np.asarray(distribution.pmf(atoms), dtype=float)
    atoms, masses = atoms[masses > 0], masses[masses > 0]
    first, last = distribution.support()
    ends = np.array([end for end in (first, last) if np.isfinite(end)] or [distribution.median()])
    distances = np.abs(atoms[:, None] - ends) + 1
    near, far = distances.min(axis=1), distances.max(axis=1)
    beyond = np.append(masses[1:], 0.0)[::-1]  # above an atom are those after it
    below, above = np.asarray(distribution.cdf(atoms)), np.asarray(distribution.sf(atoms))[::-1]
    missed = _missed(below, masses, bool(atoms[0] == first)), _missed(above, beyond, bool(atoms[-1] == last))
    wrong, is_sum = _of_masses(masses, missed), _only_masses(distribution)
    if is_sum:
        shapes = distribution.dist._parse_args(*distribution.args, **distribution.kwds)[0]
        most = max([float(len(atoms)), *(abs(float(shape)) for shape in shapes)])
        wrong = max(wrong, UNIT / 2 * most * np.log(most + 1.0))
    below, below_error = _tail(below, masses, missed[0], wrong, (near, far), is_sum)
    turned = _tail(
        above, beyond, missed[1], wrong, (near[::-1], far[::-1]), is_sum, _is_complement(distribution)
    )
    above, above_error = (part[::-1] for part in turned)
    return atoms, below, above, np.where(below < above, below_error, above_error)


def _only_masses(distribution: Any) -> bool:
    """Whether SciPy has no formula for a tail of the family, and sums its masses."""
    family, base = type(distribution.dist), stats.rv_discrete
    return bool(family._cdf is base._cdf and family._sf is base._sf)


def _is_complement(distribution: Any) -> bool:
    """Whether SciPy's sf of the family is 1 − cdf."""
    return bool(type(distribution.dist)._sf is stats.rv_discrete._sf)


def _of_masses(masses: Values, missed: tuple[Values, Values]) -> float:
    """What masses err by relatively, as the better tail shows in the body, and as their total does."""
    body = masses >= _BODY * masses.max()
    least = np.minimum(missed[0], np.append(missed[1][::-1][1:], np.inf))
    return max(float((least[body] / masses[body]).max()), abs(float(running_sums(masses)[-1]) - 1))


def _missed(tail: Values, masses: Values, is_end: bool) -> Values:
    """By how much a tail does not rise by its masses; of the first, only if none lie beyond."""
    missed = np.abs(np.diff(tail, prepend=0.0) - masses)
    missed[0] = missed[0] if is_end else 0.0
    return missed


def _tail(
    tail: Values,
    masses: Values,
    missed: Values,
    wrong: float,
    away: tuple[Values, Values],
    is_sum: bool,
    is_complement: bool = False,
) -> tuple[Values, Values]:
    """The tail as given, or summed, increasing from its end; and its relative error."""
    sums, (near, far) = running_sums(masses), away
    asked = (sums > _LEAST) & (sums < 0.5)
    summed = _SHOWN * wrong + UNIT * (2 + _SUMMED * _depth(sums) + _PASSED * far)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        off = np.nan_to_num(np.maximum(missed - wrong * masses, 0.0) / tail, nan=0.0, posinf=1.0)
        ulps = _NEAR * np.minimum(near, _FIRST) + _FAR * far
        argument = np.nan_to_num(np.minimum(masses / tail, 1.0) * ulps)
        apart = np.nan_to_num(np.maximum(np.abs(tail - sums) / tail - summed, 0.0), nan=0.0, posinf=1.0)
        lost = np.minimum(_COMPLEMENT / tail, 1 / UNIT) if is_complement else 0.0
    own = off + apart + UNIT * (_TAILS + _LOGARITHM * _depth(tail) + argument + lost)
    if is_sum or summed[asked].sum() < own[asked].sum() or off[asked].max(initial=0.0) > _AGREED:
        return sums, summed
    return tail, own


def _depth(tail: Values) -> Values:
    return -np.log(np.clip(tail, 1e-300, 1.0))


def _lattice(distribution: Any) -> Real[np.ndarray, " n"]:
    """The integers (shifted by loc) that carry mass, so far beyond the cut that the rest is rounding."""
    first, last = distribution.support()
    centre, least = float(distribution.median()), UNIT * float(ndtr(-CUT))
    blind = _is_complement(distribution)  # 1 − cdf may never be 0: its masses alone say where it ends

    def above(x: float) -> float:
        return float(distribution.pmf(x)) * MOST_ATOMS if blind else float(distribution.sf(x))

    low = _end(distribution, centre, -1.0, first, lambda x: float(distribution.cdf(x)), least)
    high = _end(distribution, centre, 1.0, last, above, least)
    if high - low > MOST_ATOMS:
        raise ValueError(TOO_MANY)
    return low + np.arange(round(high - low) + 1)


def _end(
    distribution: Any, centre: float, way: float, end: float, tail: Callable[[float], float], least: float
) -> float:
    """The first of centre ± 1, 2, 4, … beyond which next to nothing lies, or the end of the support."""
    width = 1.0
    while width < abs(end - centre):
        x = centre + way * width
        if max(tail(x), float(distribution.pmf(x))) <= least:
            return x
        if width > MOST_ATOMS:  # before a cdf that sums its masses is asked further out
            raise ValueError(TOO_MANY)
        width *= 2
    return float(end)
