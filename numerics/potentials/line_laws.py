r"""Laws on the line, as a potential sees them: maps of the noise s (docs/theory.md §4.2, family 2).

With the quantile function Q of a law, $T(s) = Q(Φ(s))$, $∂φ(x) = [Φ^{-1}(P(X<x)), Φ^{-1}(P(X≤x))]$ and
$φ^*(s) = ∫_0^s T$. Both tails are kept: probabilities below ½ are those of the lower tail for s ≤ 0 and of
the upper tail for s > 0.

Every law is cut at noise ±20, that is at probability 3e−89, or before, where SciPy does not resolve its
quantiles: beyond, T is constant. What is returned is the exact potential of the law so cut.

A computed T is exact at a noise nearby, and then off by a little: $\hat T(s) = T(\tilde s) + e$ with
|s̃ − s| ≤ ``backward(s)`` and |e| ≤ ``forward(s)``. That covers smooth places, jumps and flat pieces alike.
"""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool

from numerics.accuracy import UNIT
from numerics.potentials.normal import CUT, Corners, Values, noise_of
from numerics.potentials.primitive import Primitive
from numerics.solvers.crossings import crossing

_POLISHED = 3
_BESIDE = 64.0  # a noise is found where T misses x by no more roundings of its own
_DOUBLINGS = 40


@runtime_checkable
class Law(Protocol):
    """What `LinePotential` needs to know; every method takes and returns arrays of one axis.

    Attributes:
        mean, deviation: Its moments.
        cut: Noise beyond which T is constant.
        rests_on: What its statements rest on that is measured, not proved; empty if nothing.
    """

    mean: float
    deviation: float
    cut: tuple[float, float]
    rests_on: str

    @property
    def atoms(self) -> Values:
        """Points of positive mass, increasing."""

    def transport(self, s: Values) -> Values:
        """T(s) = Q(Φ(s)), for s inside the cut."""

    def slope(self, s: Values) -> Values:
        """T'(s), for s inside the cut: 0 at an atom."""

    def interval(self, x: Values) -> tuple[Values, Values]:
        """∂φ(x), for x between the values of T at the cut."""

    def curvature(self, x: Values, s: Values) -> Values:
        """φ''(x) at s in ∂φ(x): 0 in a hole of the support, +inf at an atom."""

    def primitive(self, s: Values) -> Values:
        """φ*(s) = ∫_0^s T, for s inside the cut."""

    def backward(self, s: Values) -> Values:
        """How far the noise may be at which the computed T(s) is right, up to ``forward``."""

    def forward(self, s: Values) -> Values:
        """By how much the computed T(s) then errs."""

    def error(self, s: Values) -> Values:
        """By how much the computed T(s) errs from T(s)."""

    def slope_error(self, s: Values) -> Values:
        """By how much ``slope`` errs."""

    def interval_error(self, x: Values, s: Values) -> Values:
        """By how much an end s of the computed ∂φ(x) errs, for x as given."""

    def primitive_error(self, s: Values) -> Values:
        """By how much φ*(s) errs."""

    def corners(self, s: Values) -> Corners:
        """Noise and position, each (n,k), of the places next to s where T has no derivative."""


class ContinuousLaw(ABC):
    """A law with a density that is positive between the ends of its support.

    ``interval`` inverts T by Newton's step from the tails at x, or by enclosing x between the cuts where that
    does not end beside x; where T is flat, any noise there may be found. Its error is a posteriori: twice
    (|x − T(s)| + what T errs by)/T'(s) from s T must be beyond x, or as far as it takes; over that stretch
    the least T' counts, which is taken to be at s or at an end.

    Attributes:
        ends: T at the cut.
        rests_on: What its statements rest on that is measured, not proved; empty if nothing.
    """

    mean: float
    deviation: float
    cut: tuple[float, float] = (-CUT, CUT)
    ends: np.ndarray
    rests_on: str = ""
    atoms: Values = np.empty(0)
    _distribution: Any

    @abstractmethod
    def transport(self, s: Values) -> Values:
        """T(s)."""

    @abstractmethod
    def slope(self, s: Values) -> Values:
        """T'(s)."""

    @abstractmethod
    def backward(self, s: Values) -> Values:
        """What T's inversion errs by, in noise."""

    @abstractmethod
    def forward(self, s: Values) -> Values:
        """What T errs by besides."""

    @abstractmethod
    def slope_error(self, s: Values) -> Values:
        """By how much ``slope`` errs."""

    @abstractmethod
    def _first_noise(self, x: Values) -> Values:
        """About Φ⁻¹(P(X ≤ x)), by either tail."""

    def error(self, s: Values) -> Values:
        """``forward``, and T' times ``backward``."""
        back = self.backward(s)
        with np.errstate(invalid="ignore", over="ignore"):
            moved = np.where(back > 0, self.slope(s) * back, 0.0)
        return moved + self.forward(s)

    def interval(self, x: Values) -> tuple[Values, Values]:
        """One point, except at the ends of the support."""
        inside = (x > self.ends[0]) & (x < self.ends[1])
        s = np.where(inside, self._first_noise(x), np.where(x <= self.ends[0], -np.inf, np.inf))
        s = np.clip(s, *self.cut)
        left = x - self.transport(s)
        for _ in range(_POLISHED):
            with np.errstate(all="ignore"):
                new = np.clip(s + left / self.slope(s), *self.cut)
                then = x - self.transport(new)
                better = np.abs(then) < np.abs(left)
            if not better.any():
                break
            s, left = np.where(better, new, s), np.where(better, then, left)
        with np.errstate(invalid="ignore"):  # SciPy's cdf may be nan
            far = ~(np.abs(left) <= _BESIDE * (self.error(s) + UNIT * np.abs(x)))
        if far.any():
            s[far] = self._enclosed(x[far])
        return np.where(x <= self.ends[0], -np.inf, s), np.where(x >= self.ends[1], np.inf, s)

    def _enclosed(self, x: Values) -> Values:
        """The noise of x, between neighbouring doubles or, where T jumps over x, beside the jump."""

        def excess(s: Values, x: Values) -> Values:
            return self.transport(s) - x

        s = np.where(x <= self.ends[0], *self.cut)
        inside = (x > self.ends[0]) & (x < self.ends[1])
        low, high = (np.full_like(x[inside], end) for end in self.cut)
        s[inside] = np.mean(crossing(excess, low, high, (x[inside],)), axis=0)
        return s

    def interval_error(self, x: Values, s: Values) -> Values:
        """From the residual of T; all of the noise where T is too flat to tell."""
        inner = np.clip(s, *self.cut)
        missed = np.abs(x - self.transport(inner)) + self.error(inner)
        reach = 2 * _quotient(missed, self.slope(inner))
        for _ in range(_DOUBLINGS):
            held = self._are_beyond(x, inner + reach, inner - reach)
            if held.all():
                break
            reach = np.where(held, reach, np.minimum(2 * reach, 2 * CUT))
        places = (inner, *(np.clip(inner + side * reach, *self.cut) for side in (-1, 1)))
        least = np.min([self.slope(place) for place in places], axis=0)
        found = np.minimum(_quotient(missed, least), reach)
        return np.where(np.isfinite(s), found + UNIT * np.abs(inner), 0.0)

    def _are_beyond(self, x: Values, above: Values, below: Values) -> Bool[np.ndarray, " n"]:
        """Whether T there is on either side of x in spite of its error, or the noise outside the cut."""
        s = np.concatenate([above, below])
        inner = np.clip(s, *self.cut)
        missed = self.transport(inner).reshape(2, -1) - x
        missed[1] *= -1
        held = (s != inner).reshape(2, -1) | (missed >= self.error(inner).reshape(2, -1))
        return np.asarray(held[0] & held[1])

    def curvature(self, x: Values, s: Values) -> Values:
        """1/T'(s), wherever x is rounded to."""
        inside = (s > self.cut[0]) & (s < self.cut[1])
        with np.errstate(divide="ignore"):
            return np.where(inside, 1 / self.slope(s), np.inf)

    @cached_property
    def _quadrature(self) -> Primitive:
        none = np.empty(0)
        return Primitive(self.transport, self.error, none, none, self.deviation, self.cut)

    def primitive(self, s: Values) -> Values:
        """φ*(s) by quadrature."""
        return self._quadrature(s)

    def primitive_error(self, s: Values) -> Values:
        """The quadrature's."""
        return self._quadrature.error(s)

    def corners(self, s: Values) -> Corners:
        """The cut."""
        shape = (len(s), 2)
        return np.broadcast_to(np.array(self.cut), shape), np.broadcast_to(self.ends, shape)


def _quotient(missed: Values, slope: Values) -> Values:
    """At most all of the noise."""
    with np.errstate(all="ignore"):
        return np.minimum(np.nan_to_num(missed / slope, nan=2 * CUT), 2 * CUT)


def refuse_ends(ends: Values, cut: tuple[float, float]) -> None:
    """Pass if a law's quantiles at its cut are finite and increase.

    Raises:
        ValueError: If not, with both.
    """
    if not np.isfinite(ends).all() or not ends[0] < ends[1]:
        raise ValueError(
            f"distribution: its quantiles at noise {cut[0]:g} and {cut[1]:g} are {ends.tolist()}; "
            "they must be finite and increase"
        )


def noise_by(distribution: Any, x: Values) -> Values:
    """Φ⁻¹(P(X ≤ x)) by a law's own cdf and sf."""
    return noise_of(np.asarray(distribution.cdf(x)), np.asarray(distribution.sf(x)))
