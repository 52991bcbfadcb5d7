r"""Two functions on which the normal law rests, by power series from tables that ball arithmetic makes.

- $r(s) = Φ(-s)e^{s²/2}$, Mills' ratio over √(2π), for s ≥ 0: Taylor's series about the nearest sixteenth.
  With $R(s) = ∫_0^∞ e^{-st-t²/2}dt$ its terms are $a_n = (-1)^n∫t^ne^{-st-t²/2}dt/n!$, whose sizes fall in s
  and of which one is at most 0.8 of the one before; $|d| ≤ 1/32$ leaves less than 0.003 UNIT after ten of
  them. Beyond s = 40 the continued fraction $R = 1/(s+1/(s+2/(s+…)))$, whose convergents enclose R.
- $Φ(s) - ½ = s(g_0 + g_1s² + …)$, $g_n = (-1)^n/(2^nn!(2n+1)\sqrt{2π})$, for |s| ≤ 1: alternating and
  falling, so that sixteen terms leave less than the next, 0.001 UNIT.

Accuracy [@higham2002accuracy]: the distance d to the sixteenth is exact. Horner's rule keeps what is wrong
with all terms but the first times |d·p₁/p₀|, at most 0.026 and 0.169 here, and the first is held in two
doubles: `scaled_mills` errs by 1.11 roundings, by 2.6 beyond 40, and `from_middle` by 3, by 2.53 for
|s| ≤ ¾. Nothing rests on SciPy.
"""

from functools import cache

import numpy as np
from flint import arb, ctx
from jaxtyping import Float

AnyShape = Float[np.ndarray, "..."]
_CELLS = 16  # in each unit of s
_LAST = 40
_TERMS = 10
_TERMS_OF_MIDDLE = 16
_FRACTIONS = 7
_FEW = 16
"""So few points, as in nearly half of all calls, are sooner had one by one, in Python's doubles."""
_BITS = 256
"""Terms by their recurrence lose six bits each at s = 40, where they fall as fast."""
PER_ROOT = 0.3989422804014327
"""1/√(2π), 0.57 of a rounding from it."""


def scaled_mills(s: AnyShape) -> AnyShape:
    """Φ(−s)·exp(s²/2) for s ≥ 0, within 1.11 roundings; beyond s = 40 within 2.6.

    Args:
        s: Of any shape, ≥ 0; NaN gives NaN.

    Example:
        >>> import numpy as np
        >>> scaled_mills(np.array([0.0])).tolist()
        [0.5]
    """
    if s.size <= _FEW and s.max(initial=0.0) <= _LAST:
        return np.array([_mills_at(at) for at in s.ravel().tolist()]).reshape(s.shape)
    cell = np.fmin(np.rint(s * _CELLS), _LAST * _CELLS).astype(int)
    with np.errstate(over="ignore", invalid="ignore"):  # rows beyond the last cell are had below
        found = _horner(_mills_table()[:, cell], s - cell / _CELLS)
    far = s > _LAST
    if far.any():
        found = np.where(far, _fraction(np.maximum(s, _LAST)), found)
    return found


def from_middle(s: AnyShape) -> AnyShape:
    """Φ(s) − ½ for |s| ≤ 1, relatively within 3 roundings; within 2.53 for |s| ≤ ¾.

    Args:
        s: Of any shape, |s| ≤ 1; NaN gives NaN.

    Example:
        >>> import numpy as np
        >>> from_middle(np.array([0.0, 1e-300])).tolist()
        [0.0, 3.989422804014327e-301]
    """
    if s.size <= _FEW:
        terms = _middle_terms()
        return np.array([at * _horner_at(terms, at * at) for at in s.ravel().tolist()]).reshape(s.shape)
    return np.asarray(s * _horner(_middle_table(), s * s))


def _horner(terms: np.ndarray, d: AnyShape) -> AnyShape:
    """Σ terms[j]·d^j; the first row is the low part of the constant, the second its high part."""
    value = terms[-1] * d
    for term in terms[-2:1:-1]:
        value += term
        value *= d
    value += terms[0]
    value += terms[1]
    return value


def _mills_at(s: float) -> float:
    cell = round(s * _CELLS)
    return _horner_at(_mills_terms()[cell], s - cell / _CELLS)


def _horner_at(terms: list[float], d: float) -> float:
    value = terms[-1]
    for term in terms[-2:1:-1]:
        value = term + d * value
    return terms[1] + (terms[0] + d * value)


def _fraction(s: AnyShape) -> AnyShape:
    """r(s) = 1/√(2π)/(s + 1/(s + 2/(s + …)))."""
    below = s
    for n in range(_FRACTIONS, 0, -1):
        below = s + n / below
    return PER_ROOT / below


@cache
def _mills_table() -> Float[np.ndarray, "k n"]:
    """Terms of r about k/16: a₁ = s·a₀ − 1, (n+1)a_{n+1} = s·a_n + a_{n−1}, all over √(2π)."""
    table = []
    with ctx.workprec(_BITS):
        root = (2 * arb.pi()).sqrt()
        for k in range(_LAST * _CELLS + 1):
            s = arb(k) / _CELLS
            first = (s / arb(2).sqrt()).erfc() / 2 * (s * s / 2).exp()
            terms = [first, s * first - 1 / root]
            for n in range(1, _TERMS - 1):
                terms.append((s * terms[n] + terms[n - 1]) / (n + 1))
            table.append(_in_doubles(terms))
    return np.array(table).T.copy()


@cache
def _mills_terms() -> list[list[float]]:
    """The columns of the table."""
    return _mills_table().T.tolist()


@cache
def _middle_terms() -> list[float]:
    return _middle_table().tolist()


@cache
def _middle_table() -> Float[np.ndarray, " n"]:
    """g₀ = 1/√(2π), g_{n+1}/g_n = −(2n+1)/(2(n+1)(2n+3))."""
    with ctx.workprec(_BITS):
        terms = [1 / (2 * arb.pi()).sqrt()]
        for n in range(_TERMS_OF_MIDDLE - 1):
            terms.append(-terms[n] * (2 * n + 1) / (2 * (n + 1) * (2 * n + 3)))
        return np.array(_in_doubles(terms))


def _in_doubles(terms: list[arb]) -> list[float]:
    """The nearest doubles, before them what the first misses."""
    high = float(terms[0].mid())
    return [float((terms[0] - high).mid()), high, *(float(term.mid()) for term in terms[1:])]
