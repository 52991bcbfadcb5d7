r"""Biased bits: the law of $Σ 2^{-k}ξ_k$, singular unless the bits are fair (docs/theory.md N1).

With $P(ξ=1) = p$ and q = 1 − p, Q takes [0, q] to [0, ½] and [q, 1] to [½, 1], each a copy of itself:
$Q(qu) = Q(u)/2$, $Q(q+pu) = (1+Q(u))/2$. The support is [0, 1], and T is continuous and strictly increasing,
but T' = 0 almost everywhere for p ≠ ½; p = ½ is the uniform law.
"""

from fractions import Fraction
from functools import cache
from math import comb
from numbers import Rational

import mpmath as mp  # type: ignore[import-untyped]
import numpy as np
from jaxtyping import Float

from numerics.accuracy import UNIT, Rounding
from numerics.potentials.line import LinePotential
from numerics.potentials.normal import (
    CUT,
    DENSITY,
    TAIL,
    Corners,
    Values,
    density,
    mills,
    noise_error,
    noise_of,
    tail,
)
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.self_similar import gauss_rule, periodic_digits, rational_between
from numerics.potentials.solved_once import LastSolve
from numerics.potentials.support_geometry import ManifoldGroup
from numerics.potentials.traits import Traits
from numerics.solvers.best_atoms import row_blocks

LEAST = 1 / 16
_BITS = 64
_FEW = 48
Rule = tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]


class Bits(LinePotential):
    r"""The law of $Σ_{k≥1} 2^{-k}ξ_k$ with independent bits, of mean p and variance pq/3.

    $T(s) = Q(Φ(s))$ from 64 bits of Φ(s), or of Φ(−s) with the bits exchanged for s > 0.
    `distribution_exact` works in rationals. φ\* and φ are sums over the cells, with a Gauss rule for the
    self-similar measure of their positions.

    Accuracy: a bit costs 4 roundings of the part of the probability that is left, so together they move the
    probability relatively by 4(n + 1/min(p, q)) roundings, n the number of leading zeros; T errs by its
    oscillation within that, and a rounding. Where p ≠ ½ it has T' = 0 almost everywhere, `manifold` refuses
    (A1 fails), and nothing is known of prox' at a point but that it is 0 almost everywhere.

    Args:
        p: The probability of a one, from 1/16 to 15/16; a float, or a `Fraction`, which is taken as it is.

    Raises:
        ValueError: If p is no such number.

    Example:
        >>> from numerics.potentials import Bits
        >>> float(Bits(0.5).transport([[0.0]])[0, 0])
        0.5
    """

    def __init__(self, p: float | Fraction) -> None:
        if isinstance(p, bool) or not isinstance(p, float | int | Rational) or not LEAST <= p <= 1 - LEAST:
            raise ValueError(f"p: got {p!r}; the probability of a one must be from 1/16 to 15/16")
        self.p = Fraction(p)
        super().__init__(BitsLaw(self.p), f"Bits({p!r})")

    @property
    def traits(self) -> Traits:
        """A1 can hold for fair bits only."""
        return Traits(manifold=not self.is_singular)

    @property
    def is_singular(self) -> bool:
        """Whether T' = 0 almost everywhere: unless the bits are fair."""
        return self.p != Fraction(1, 2)

    def distribution_exact(self, x: Fraction) -> Fraction:
        """P(X ≤ x) for a rational x in [0, 1], exactly: binary digits are periodic.

        Raises:
            ValueError: If x is not in [0, 1].
        """
        if rational_between("x", x) == 1:
            return Fraction(1)
        digits, period = periodic_digits(Fraction(x), 2)
        below, weight, places = Fraction(0), Fraction(1), [(Fraction(0), Fraction(1))]
        for digit in digits:
            below, weight = below + digit * weight * (1 - self.p), weight * (self.p if digit else 1 - self.p)
            places.append((below, weight))
        start, length = places[len(digits) - period]
        return start + (below - start) / (1 - weight / length)

    def _proximal_point(self, z: Float[np.ndarray, "n 1"], step: Float[np.ndarray, " n"]) -> ProximalPoint:
        """Prox' = 0 almost everywhere, but nowhere constant: kinks are everywhere near."""
        line = super()._proximal_point(z, step)
        if not self.is_singular:
            return line
        return ProximalPoint(
            z,
            step,
            line.point,
            envelope=lambda: line.envelope,
            jacobian=lambda: np.zeros((len(z), 1, 1)),
            kink=lambda: np.zeros(len(z)),
            errors=(
                lambda: line.rounding.point,
                lambda: line.rounding.envelope,
                lambda: Rounding.measured(
                    np.ones(len(z)), "0 almost everywhere; at a point nothing is known"
                ),
            ),
        )

    def _manifolds(self, x1: Float[np.ndarray, "n 1"], x0: Float[np.ndarray, "n 1"]) -> list[ManifoldGroup]:
        if self.is_singular:
            raise ValueError(
                f"x1: {x1[0].tolist()} is of a singular law: A1 holds on a manifold near none of its points"
            )
        return list(super()._manifolds(x1, x0))


class BitsLaw:
    """Biased bits as a map of the noise.

    Args:
        p: The probability of a one.
    """

    cut = (-CUT, CUT)
    rests_on = ""
    atoms = np.empty(0)

    def __init__(self, p: Fraction) -> None:
        self._one, self._zero = float(p), float(1 - p)
        self._fair = p == Fraction(1, 2)
        self.mean, self.deviation = float(p), float(np.sqrt(float(p * (1 - p) / 3)))
        self._rules = [_position_rule(1 - p), _position_rule(p)]  # of the law, and of the law reflected
        self._split = float(noise_of(np.array([self._zero]), np.array([self._one]))[0])
        self._last_half = LastSolve[tuple[Values, Values, Values]]()
        middle = self._half(np.zeros(1))
        self._start, self._size = float(middle[0][0]), float(middle[1][0])

    def _chances(self, s: Values) -> tuple[Values, Values]:
        """The smaller tail at s, and the probability of the bit that is 0 there."""
        return tail(np.abs(s)), np.where(s > 0, self._one, self._zero)

    def transport(self, s: Values) -> Values:
        """Q(Φ(s)), for s > 0 from the other end with the bits exchanged."""
        lower = _quantile(*self._chances(s))
        return np.where(s > 0, 1 - lower, lower)

    def _lost(self, s: Values) -> Values:
        """By how much the tail, and its bits, err relatively."""
        p, zero = self._chances(s)
        leading = np.minimum(np.log(p) / np.log(zero), _BITS)
        return UNIT * (TAIL + 4 * (leading + 1 + 1 / min(self._one, self._zero)))

    def backward(self, s: Values) -> Values:
        """What the tail and its bits err by, in noise."""
        return self._lost(s) * mills(s)

    def forward(self, s: Values) -> Values:
        """The sum of the bits, for s > 0 taken from 1, and the bits left out."""
        return _summed(s, self.transport(s))

    def error(self, s: Values) -> Values:
        """The oscillation of T within ``backward``, and ``forward``."""
        reach = 2 * self.backward(s)
        places = np.concatenate([np.clip(s - reach, -CUT, CUT), s, np.clip(s + reach, -CUT, CUT)])
        below, here, above = self.transport(places).reshape(3, -1)  # three calls would cost threefold
        return np.maximum(here - below, above - here) + _summed(s, here)

    def slope(self, s: Values) -> Values:
        """0 where it exists; the normal density for fair bits."""
        return density(s) if self._fair else np.zeros_like(s)

    def slope_error(self, s: Values) -> Values:
        """That of the normal density, or 0."""
        return DENSITY * UNIT * self.slope(s)

    def curvature(self, x: Values, s: Values) -> Values:
        """1/T'; +inf: T' = 0 almost everywhere."""
        with np.errstate(divide="ignore"):
            return 1 / self.slope(s)

    def interval(self, x: Values) -> tuple[Values, Values]:
        """One point: the law has no atoms; all noise beyond the ends."""
        s = noise_of(*_distribution(np.clip(x, 0.0, 1.0), self._zero, self._one))
        return np.where(x <= 0, -np.inf, s), np.where(x >= 1, np.inf, s)

    def interval_error(self, x: Values, s: Values) -> Values:
        """Φ⁻¹ of a product of at most as many factors as the double has bits, with its leading zeros."""
        inner = np.clip(s, -CUT, CUT)
        bits = 64 - np.log2(np.clip(np.minimum(x, 1 - x), 2.0**-1000, 1.0))
        return np.where(np.isfinite(s), noise_error(inner) + 3 * UNIT * bits * mills(inner), 0.0)

    def corners(self, s: Values) -> Corners:
        """The cut."""
        ends = np.array(self.cut)
        shape = (len(s), 2)
        return np.broadcast_to(ends, shape), np.broadcast_to(self.transport(ends), shape)

    def primitive(self, s: Values) -> Values:
        """By parts, sT(s) + ∫_{(s, c]} r dT(r), c = Φ⁻¹(q), both of one probability; less the same at 0."""
        rises, _, image = self._half(s)
        return s * image + (rises - self._start)

    def primitive_error(self, s: Values) -> Values:
        """6 roundings of sT(s), 128 of ∫|r|dT, and what the bits' errors cost, of second order as φ*' = T.

        Of the 128, 64 are additions, the others the rule's, those of Φ⁻¹, and of its places.
        """
        sizes = self._half(s)[1] + self._size
        product = np.abs(s * self.transport(s))
        second = 2 * (self.backward(s) * self.error(s) + self.backward(0 * s) * self.error(0 * s))
        return UNIT * (6 * product + 128 * sizes + 3 * np.abs(self.primitive(s))) + second

    def _half(self, s: Values) -> tuple[Values, Values, Values]:
        """∫ r dT and ∫|r| dT from s to c, the end of the first cell, from the right beyond it; and T(s)."""
        return self._last_half(self._halved, s)

    def _halved(self, s: Values) -> tuple[Values, Values, Values]:
        flipped = s > self._split
        found = np.zeros((3, len(s)))
        for rows, sign, zero, rule in (
            (~flipped, 1, self._zero, self._rules[0]),
            (flipped, -1, self._one, self._rules[1]),
        ):
            if rows.any():
                p = tail(-sign * s[rows])
                image = _quantile(p, np.full(len(p), zero))
                found[:2, rows], found[2, rows] = _rises(p, zero, rule), image if sign > 0 else 1 - image
        return found[0], found[1], found[2]


def _summed(s: Values, image: Values) -> Values:
    """What the bits' sum errs by at T(s), and those left out."""
    return np.asarray(2 * UNIT * np.where(s > 0, 1.0, image) + 2.0**-_BITS)


def _quantile(p: Values, zero: Values) -> Values:
    """Q(p) from 64 bits, a 0 having the probability ``zero``; a few points one by one, which is sooner."""
    if p.size <= _FEW:
        return np.array([_quantile_at(*at) for at in zip(p.tolist(), zero.tolist(), strict=True)])
    value, rest, one = np.zeros_like(p), p.copy(), 1 - zero
    for k in range(1, _BITS + 1):
        bit = rest >= zero
        value += bit * 2.0**-k
        rest -= bit * zero
        rest /= np.where(bit, one, zero)  # at most 1, as rounding keeps the order
    return value


def _quantile_at(p: float, zero: float) -> float:
    value, one, unit = 0.0, 1 - zero, 1.0
    for _ in range(_BITS):
        unit /= 2
        if p >= zero:
            value += unit
            p = (p - zero) / one
        else:
            p /= zero
    return value


def _distribution(x: Values, zero: float, one: float) -> tuple[Values, Values]:
    """P(X ≤ x) and P(X > x) for doubles x in [0, 1], from their bits."""
    mantissa, exponent = np.frexp(x)
    leading = np.where(x >= 1, 0, -exponent).astype(float)
    below, above, weight = np.zeros_like(x), np.zeros_like(x), np.ones_like(x)
    rest = np.where(x >= 1, 0.0, mantissa)
    for _ in range(54):
        rest = 2 * rest
        bit = rest >= 1
        rest = rest - bit
        below += np.where(bit, weight * zero, 0.0)
        above += np.where(bit, 0.0, weight * one)
        weight = weight * np.where(bit, one, zero)
    whole = zero**leading
    below, above = whole * below, whole * (above + weight) - np.expm1(leading * np.log(zero))
    return np.where(x >= 1, 1.0, below), np.where(x >= 1, 0.0, above)


def _rises(p: Values, zero: float, rule: Rule) -> np.ndarray:
    """∫ r dT(r), and ∫|r|dT, over probabilities in (p, zero], for p ≤ zero.

    Where a bit of p is 0, its right neighbour, half the mass of their parent, lies wholly in (p, zero].
    """
    nodes, weights = rule
    rest, start, length = np.minimum(p / zero, 1.0), np.zeros_like(p), np.full_like(p, zero)
    whole = np.zeros((3, _BITS - 1, len(p)))  # left ends and widths of the neighbours, and whether they count
    for k in range(_BITS - 1):
        bit = rest >= zero
        left, width = start + length * zero, length * (1 - zero)
        whole[:, k] = left, width, ~bit
        rest = np.clip(np.where(bit, (rest - zero) / (1 - zero), rest / zero), 0.0, 1.0)
        start, length = np.where(bit, left, start), np.where(bit, width, length * zero)
    found, (generation, row) = np.zeros((2, *whole.shape[1:])), np.nonzero(whole[2])
    for rows in row_blocks(len(row), len(nodes)):
        at = generation[rows], row[rows]
        inside = whole[0][at][:, None] + whole[1][at][:, None] * nodes
        places = noise_of(inside, 1 - inside)
        parts = np.stack([(part * weights).sum(axis=1) for part in (places, np.abs(places))])
        found[:, *at] = parts * 2.0 ** -(2.0 + generation[rows])
    return np.asarray(sum(found.swapaxes(0, 1)))  # one after another, whatever n is


@cache
def _position_rule(zero: Fraction) -> Rule:
    r"""A Gauss rule for ν = ½(ν∘S₀⁻¹ + ν∘S₁⁻¹), S₀u = qu, S₁u = q + pu: the law of F(X), X uniform.

    Moments: $(1 - ½(q^j+p^j))M_j = ½Σ_{i<j}\tbinom ji q^{j-i}p^iM_i$; the recurrence by Chebyshev's
    algorithm, in as many digits as it loses. Cells are used at a distance of q/p of their length from the
    singularity of Φ⁻¹, so n nodes leave $ρ^{-2n}$, $ρ = 1 + 2r + 2\sqrt{r(1+r)}$, r = q/p: below 1e−18.
    """
    r = float(zero / (1 - zero))
    n = int(np.ceil(18 * np.log(10) / (2 * np.log(1 + 2 * r + 2 * np.sqrt(r * (1 + r)))))) + 2
    with mp.workdps(60 + 4 * n):
        q = mp.mpf(zero.numerator) / zero.denominator
        moments = [mp.mpf(1)]
        for j in range(1, 2 * n):
            lower = mp.fsum(comb(j, i) * q ** (j - i) * (1 - q) ** i * moments[i] for i in range(j))
            moments.append(lower / 2 / (1 - (q**j + (1 - q) ** j) / 2))
        return gauss_rule(moments, n)
