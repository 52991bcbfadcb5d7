r"""The Cantor distribution: neither atoms nor a density (docs/theory.md §4.2, family 2; P8).

Q turns the binary digits of p into ternary ones: $Q(Σ b_k2^{-k}) = Σ 2b_k3^{-k}$. T = Q∘Φ is constant nowhere
and rises only by jumps: at every dyadic p, by 3^{-k} where the last binary digit of p is the k-th.
"""

from fractions import Fraction
from math import comb

import numpy as np
from jaxtyping import Float

from numerics.accuracy import UNIT, Rounding
from numerics.potentials.line import LinePotential
from numerics.potentials.normal import CUT, TAIL, Corners, Values, mills, noise_error, quantile, tail
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.self_similar import from_digits, gauss_rule, periodic_digits, rational_between
from numerics.potentials.solved_once import LastSolve
from numerics.potentials.support_geometry import ManifoldGroup
from numerics.potentials.traits import Traits
from numerics.solvers.best_atoms import row_blocks

_DIGITS = 54
"""Of the mantissa, the last a 0: six blocks."""
_BLOCK = 9
_BLOCKS = np.array([float(Fraction(2 * int(f"{k:b}", 3), 3**_BLOCK)) for k in range(2**_BLOCK)])
"""Σ 2bᵢ3⁻ⁱ over the nine binary digits b₁b₂… of k."""
_GENERATIONS = 40


class Cantor(LinePotential):
    r"""The uniform law on the ternary Cantor set, of mean 1/2 and variance 1/8.

    $T(s) = Q(Φ(s))$ from the 53 binary digits of the double Φ(s), or of Φ(−s) by symmetry for s > 0: within
    2 eps of Q at that double. `quantile_exact` and `distribution_exact` work in rationals. φ\* and φ are sums
    over the holes, with a Gauss rule for the self-similar measure of their sizes; they err by 64 eps.

    T has jumps in every interval, so what x₀ is off by costs an oscillation (``roundings.transport``); prox,
    which is nonexpansive, does not suffer. K = 0 almost everywhere, though no point is an atom: the
    support is no manifold, and `manifold` refuses (A1 fails).

    Example:
        >>> from fractions import Fraction
        >>> Cantor().quantile_exact(Fraction(1, 4)), Cantor().distribution_exact(Fraction(1, 2))
        (Fraction(2, 9), Fraction(1, 2))
    """

    _traits = Traits(manifold=False)

    def __init__(self) -> None:
        super().__init__(CantorLaw(), "Cantor()")

    @staticmethod
    def quantile_exact(p: Fraction) -> Fraction:
        """Q(p) for a rational p in [0, 1], exactly: binary digits are periodic, so are the ternary ones.

        Of the two values at a dyadic p this is the upper one, the right end of the hole.

        Raises:
            ValueError: If p is not in [0, 1].
        """
        digits, period = periodic_digits(rational_between("p", p), 2)
        return from_digits([2 * digit for digit in digits], period, 3)

    @staticmethod
    def distribution_exact(x: Fraction) -> Fraction:
        """P(X ≤ x) for a rational x in [0, 1], exactly: the Cantor function.

        Raises:
            ValueError: If x is not in [0, 1].
        """
        digits, period = periodic_digits(rational_between("x", x), 3)
        if 1 in digits:
            first = digits.index(1)
            return from_digits([d // 2 for d in digits[:first]] + [1], 0, 2)
        return from_digits([d // 2 for d in digits], period, 2)

    def _proximal_point(self, z: Float[np.ndarray, "n 1"], step: Float[np.ndarray, " n"]) -> ProximalPoint:
        """Prox' is 1 in a hole, the kinks its two ends; elsewhere 0, and kinks are everywhere near."""
        found = self._solve(z, step)
        line = super()._proximal_point(z, step)
        low, high = self.law.transport(found.below), self.law.transport(found.above)
        inside = np.minimum(found.point - low, high - found.point)
        kink = np.maximum(inside - 2 * found.bound, 0.0)
        errors = (
            lambda: Rounding.measured(found.bound, "the bracket of the noise"),
            lambda: line.rounding.envelope,
            lambda: Rounding.measured(np.where(kink > 0, 0.0, 1.0), "0 or 1, on a kink unknown which"),
        )
        return ProximalPoint(
            z,
            step,
            found.point[:, None].copy(),
            envelope=lambda: line.envelope,
            jacobian=lambda: np.where(kink > 0, 1.0, 0.0)[:, None, None],
            kink=lambda: kink,
            errors=errors,
        )

    def _manifolds(self, x1: Float[np.ndarray, "n 1"], x0: Float[np.ndarray, "n 1"]) -> list[ManifoldGroup]:
        raise ValueError(
            f"x1: {x1[0].tolist()} lies on the Cantor set, which is a manifold near none of its points"
        )


class CantorLaw:
    """The Cantor distribution as a map of the noise."""

    mean = 0.5
    deviation = float(np.sqrt(0.125))
    cut = (-CUT, CUT)
    rests_on = ""
    atoms = np.empty(0)

    def __init__(self) -> None:
        self._nodes, self._weights = hole_rule(12)
        self._last_rises = LastSolve[Values]()

    def transport(self, s: Values) -> Values:
        """Q(Φ(s)), by symmetry from the lower half."""
        lower = self._below(tail(np.abs(s)))
        return np.where(s > 0, 1 - lower, lower)

    @staticmethod
    def _below(p: Values) -> Values:
        """Q(p) for p ≤ ½, and the lower end of the middle hole at ½: so T increases across 0."""
        return np.where(p == 0.5, 1 / 3, _quantile(p))

    def backward(self, s: Values) -> Values:
        """What the tail errs by, in noise."""
        return TAIL * UNIT * mills(s)

    def forward(self, s: Values) -> Values:
        """Q at a double: its blocks and sums err by 3 roundings together, power, product and 1 − Q by 1."""
        return _formed(s, self.transport(s))

    def error(self, s: Values) -> Values:
        """The oscillation of T within ``backward``, and ``forward``."""
        reach = 2 * self.backward(s)
        places = np.concatenate([np.clip(s - reach, -CUT, CUT), s, np.clip(s + reach, -CUT, CUT)])
        below, here, above = self.transport(places).reshape(3, -1)  # three calls would cost threefold
        return np.maximum(here - below, above - here) + _formed(s, here)

    def slope(self, s: Values) -> Values:
        """0 where it exists."""
        return np.zeros_like(s)

    def slope_error(self, s: Values) -> Values:
        """0: T' is 0 where it exists."""
        return np.zeros_like(s)

    def interval_error(self, x: Values, s: Values) -> Values:
        """Φ⁻¹ of the Cantor function, whose digits are exact for a double up to 2⁻¹⁰⁰."""
        return np.where(np.isfinite(s), noise_error(np.clip(s, -CUT, CUT)), 0.0)

    def corners(self, s: Values) -> Corners:
        """The cut; holes are `Cantor`'s to find."""
        shape = (len(s), 2)
        places = self.transport(np.array(self.cut))
        return np.broadcast_to(np.array(self.cut), shape), np.broadcast_to(places, shape)

    def interval(self, x: Values) -> tuple[Values, Values]:
        """One point: the law has no atoms."""
        inner = np.clip(x, 0.0, 1.0)
        s = np.maximum(quantile(_distribution(np.minimum(inner, 1 - inner))), -CUT)
        s = np.where(inner > 0.5, -s, s)
        return np.where(x <= 0, -np.inf, s), np.where(x >= 1, np.inf, s)

    def curvature(self, x: Values, s: Values) -> Values:
        """+inf: T' = 0 almost everywhere."""
        return np.full_like(x, np.inf)

    def primitive(self, s: Values) -> Values:
        """By parts, φ*(s) = sT(s) + ∫_{(s, 0]} r dT(r) for s ≤ 0; φ*(−s) = φ*(s) − s by symmetry."""
        lower = -np.abs(s)
        p = tail(-lower)
        value = lower * self._below(p) + self._rises(p)
        return np.where(s > 0, value + s, value)

    def primitive_error(self, s: Values) -> Values:
        """6 roundings of sT(s), 2 of the sum, and 61 of ∫ r dT, whose terms have one sign.

        Of these 39 are additions, 14 the rule's products and sums, 7 Φ⁻¹ and 1 its weight; places inside a
        hole are rounded twice, which moves Φ⁻¹ by 2 Mills' ratios, 2.6 roundings of T's rise. That p errs
        costs δ·(T(s+δ) − T(s−δ)), which is of second order, since φ*' = T. The rule's truncation is below
        (3+√8)⁻²⁴ = 4e−19, for Φ⁻¹ is analytic up to a panel's length from it.
        """
        lower = -np.abs(s)
        p = tail(-lower)
        image, rises = _quantile(p), np.abs(self._rises(p))
        own = 6 * np.abs(lower) * image + 61 * rises + 2.6 * np.maximum(1 / 3 - image, 0.0)
        return UNIT * (own + 2 * np.abs(self.primitive(s)))

    def _rises(self, p: Values) -> Values:
        """∫ r dT(r) over probabilities in (p, ½]: hole by hole down to generation 40.

        Where the k-th digit of p is 0, its right neighbour of length 2⁻ᵏ lies wholly in (p, ½], behind a hole
        of size 3⁻ᵏ; the holes inside it have the total size 3⁻ᵏ and the self-similar law of `hole_rule`.
        """
        return self._last_rises(self._risen, p)

    def _risen(self, p: Values) -> Values:
        start, rest = np.zeros_like(p), p.copy()
        # Ends of the neighbours, and whether they count.
        left, whole = np.zeros((2, _GENERATIONS - 1, len(p)))
        for k in range(_GENERATIONS - 1):
            length = 2.0 ** -(k + 2)
            above = rest >= length
            left[k], whole[k] = start + length, ~above
            start, rest = np.where(above, left[k], start), np.where(above, rest - length, rest)
        found, (generation, row) = np.zeros_like(left), np.nonzero(whole)
        for rows in row_blocks(len(row), len(self._nodes)):
            at = generation[rows], row[rows]
            lengths = np.exp2(-(generation[rows] + 2.0))
            places = quantile(left[at][:, None] + lengths[:, None] * self._nodes)
            inner = (places * self._weights).sum(axis=1)
            found[at] = 3.0 ** -(generation[rows] + 2.0) * (quantile(left[at]) + inner)
        return np.asarray(sum(found))  # one after another, whatever n is


def _formed(s: Values, image: Values) -> Values:
    """What Q errs by at a double, where it gives the image T(s)."""
    return np.asarray(UNIT * (np.where(s > 0, 5 * (1 - image) + image, 5 * image)))


def _quantile(p: Values) -> Values:
    """Q(p) for 0 ≤ p ≤ ½: the mantissa's digits from the last to the first, times 3 to the exponent.

    Read by blocks, a block's value and each sum being rounded once and what comes after divided by 3⁹.
    """
    mantissa, exponent = np.frexp(p)
    bits = np.ldexp(mantissa, _DIGITS).astype(np.int64)
    value = np.zeros_like(p)
    for k in range(0, _DIGITS, _BLOCK):
        value = _BLOCKS[(bits >> k) & (2**_BLOCK - 1)] + value / 3.0**_BLOCK
    return value * 3.0 ** np.maximum(exponent, -600)


def _distribution(x: Values) -> Values:
    """The Cantor function for 0 ≤ x ≤ ½, digit by digit up to the first 1; only 3x is rounded."""
    value, weight = np.zeros_like(x), np.full_like(x, 0.5)
    rest, open_ = x.copy(), np.ones(x.shape, dtype=bool)
    for _ in range(200):
        rest = 3 * rest
        digit = np.minimum(np.floor(rest), 2.0)
        value += np.where(open_ & (digit > 0), weight, 0.0)
        open_ &= digit != 1
        rest, weight = rest - digit, weight / 2
    return value


def hole_rule(n: int) -> tuple[Values, Values]:
    r"""The n-point Gauss rule of the probability measure ν = ⅓(δ_½ + ν∘(2p) + ν∘(2p−1)) on [0, 1].

    It is the law of the holes' positions, weighted by size. Its Jacobi matrix follows from rational moments
    $(1-\tfrac23 2^{-j})M_j = ⅓(2^{-j} + 2^{-j}Σ_{i<j}\tbinom ji M_i)$ by Chebyshev's algorithm.
    """
    moments: list[Fraction] = []
    for j in range(2 * n):
        lower = sum((Fraction(comb(j, i)) * moments[i] for i in range(j)), Fraction(0))
        right = Fraction(1, 3) * (Fraction(1, 2**j) + Fraction(1, 2**j) * lower)
        moments.append(right / (1 - Fraction(2, 3 * 2**j)))
    return gauss_rule(moments, n)
