r"""Laws on the line, as a potential sees them: maps of the noise s (theory.md §4.2, family 2).

With the quantile function Q of a law, $T(s) = Q(Φ(s))$, $∂φ(x) = [Φ^{-1}(P(X<x)), Φ^{-1}(P(X≤x))]$ and
$φ^*(s) = ∫_0^s T$. Both tails are kept: probabilities below ½ are those of the lower tail for s ≤ 0 and of
the upper tail for s > 0.

Every law is cut at noise ±20, that is at probability 3e−89: beyond, T is constant. What is returned is the
exact potential of the law so cut.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Real
from scipy.special import ndtr, ndtri

from numerics.accuracy import EPS

CUT = 20.0
MOST_ATOMS = 2**20
MILLS = float(np.sqrt(np.pi / 2))
Values = Float[np.ndarray, " n"]


@runtime_checkable
class Law(Protocol):
    """What `LinePotential` needs to know; every method takes and returns arrays of one axis."""

    mean: float
    deviation: float

    def transport(self, s: Values) -> Values:
        """T(s) = Q(Φ(s)), for |s| ≤ 20."""

    def interval(self, x: Values) -> tuple[Values, Values]:
        """∂φ(x), for x in [T(−20), T(20)]."""

    def curvature(self, x: Values, s: Values) -> Values:
        """φ''(x) at s in ∂φ(x): 0 in a gap of the support, +inf at an atom."""

    def primitive(self, s: Values) -> Values:
        """φ*(s) = ∫_0^s T, for |s| ≤ 20."""


def normal_density(s: Values) -> Values:
    """The density of N(0, 1)."""
    return np.asarray(np.exp(-(s**2) / 2) / np.sqrt(2 * np.pi))


def noise_of(below: Values, above: Values) -> Values:
    """Φ⁻¹ of a probability given with its complement: the smaller one is used. Cut at ±20."""
    s = np.where(below < above, ndtri(np.minimum(below, 0.5)), -ndtri(np.minimum(above, 0.5)))
    return np.clip(s, -CUT, CUT)


class ContinuousLaw:
    """A law with a density that is positive between the ends of its support.

    Args:
        distribution: A frozen continuous scipy law.
    """

    def __init__(self, distribution: Any) -> None:
        self._distribution = distribution
        self.mean, self.deviation = float(distribution.mean()), float(distribution.std())
        with np.errstate(all="ignore"):
            self.ends = self.transport(np.array([-CUT, CUT]))
        if not np.isfinite(self.ends).all() or not self.ends[0] < self.ends[1]:
            raise ValueError(
                f"distribution: its quantiles at noise -20 and 20 are {self.ends.tolist()}; they must be "
                "finite and increase, so its ppf and isf must resolve probabilities down to 3e-89"
            )

    def transport(self, s: Values) -> Values:
        """T(s), by ppf in the lower and isf in the upper tail."""
        x, lower = np.empty_like(s), s <= 0
        x[lower] = self._distribution.ppf(ndtr(s[lower]))
        x[~lower] = self._distribution.isf(ndtr(-s[~lower]))
        return x

    def interval(self, x: Values) -> tuple[Values, Values]:
        """One point, except at the ends of the support."""
        s = noise_of(self._distribution.cdf(x), self._distribution.sf(x))
        return np.where(x <= self.ends[0], -np.inf, s), np.where(x >= self.ends[1], np.inf, s)

    def curvature(self, x: Values, s: Values) -> Values:
        """p(x)/φ_N(s)."""
        inside = (x > self.ends[0]) & (x < self.ends[1])
        return np.where(inside, self._distribution.pdf(x) / normal_density(s), np.inf)

    @cached_property
    def primitive(self) -> "Primitive":
        """By quadrature."""
        return Primitive(self.transport, np.array([]), self.deviation)


class DiscreteLaw:
    """A law on finitely or countably many atoms; T is a staircase.

    Args:
        atoms: (N,) increasing.
        below: (N,) P(X ≤ atom).
        above: (N,) P(X > atom).
    """

    def __init__(self, atoms: Values, below: Values, above: Values) -> None:
        steps = noise_of(below, above)[:-1]
        kept = np.append(True, (steps > -CUT) & (steps < CUT))
        self.atoms, self.steps = atoms[kept], steps[kept[1:]]
        weights = np.where(below < above, np.diff(below, prepend=0.0), -np.diff(above, prepend=1.0))
        self.mean = float((weights * atoms).sum())
        self.deviation = float(np.sqrt((weights * (atoms - self.mean) ** 2).sum()))
        start = int(np.searchsorted(self.steps, 0.0))
        rises = self.steps * np.diff(self.atoms)
        down, up = -np.cumsum(rises[:start][::-1])[::-1], np.cumsum(rises[start:])
        self.heights = np.concatenate([down, [0.0], up])

    def _place(self, s: Values) -> np.ndarray:
        return np.asarray(np.searchsorted(self.steps, s))

    def transport(self, s: Values) -> Values:
        """The atom of the step that s lies on; the lower one where two meet."""
        return np.asarray(self.atoms[self._place(s)])

    def interval(self, x: Values) -> tuple[Values, Values]:
        """The step of an atom, the single jump position between two atoms."""
        ends = np.concatenate([[-np.inf], self.steps, [np.inf]])
        place = np.clip(np.searchsorted(self.atoms, x), 0, len(self.atoms) - 1)
        return ends[place], ends[place + self._is_atom(x)]

    def _is_atom(self, x: Values) -> np.ndarray:
        place = np.clip(np.searchsorted(self.atoms, x), 0, len(self.atoms) - 1)
        return np.asarray(self.atoms[place] == x)

    def curvature(self, x: Values, s: Values) -> Values:
        """+inf at atoms, 0 between."""
        return np.where(self._is_atom(x), np.inf, 0.0)

    def prox(self, z: Values, step: Values) -> Values:
        """Exact: the graph of λs + T(s) is a staircase whose corners are compared with z by bisection."""
        low, high = np.zeros(len(z), dtype=int), np.full(len(z), len(self.steps))
        while (low < high).any():
            middle = (low + high) // 2
            inner = np.minimum(middle, len(self.steps) - 1)
            past = (low < high) & (z > self.atoms[inner] + step * self.steps[inner])
            low, high = np.where(past, middle + 1, low), np.where(past, high, middle)
        jump = self.steps[np.maximum(low - 1, 0)]
        rising = (low > 0) & (z < self.atoms[low] + step * jump)
        between = np.clip(z - step * jump, self.atoms[np.maximum(low - 1, 0)], self.atoms[low])
        return np.where(rising, between, self.atoms[low])

    def primitive(self, s: Values) -> Values:
        """Exact: x_i·s − g_i on step i."""
        place = self._place(s)
        return np.asarray(self.atoms[place] * s - self.heights[place])


class MixtureLaw:
    """Atoms with the given weights and, with the rest of the mass, a law with a density.

    Args:
        atoms: (k,) increasing.
        weights: (k,) positive, of sum less than 1.
        distribution: The continuous part, a frozen scipy law.
    """

    def __init__(self, atoms: Values, weights: Values, distribution: Any) -> None:
        self._part = ContinuousLaw(distribution)
        self._distribution, self._atoms = distribution, atoms
        self._rest = 1 - float(weights.sum())
        lower, upper = distribution.cdf(atoms), distribution.sf(atoms)
        self._before = np.concatenate([[0.0], np.cumsum(weights)])
        self._after = np.concatenate([np.cumsum(weights[::-1])[::-1], [0.0]])
        self.starts = noise_of(self._rest * lower + self._before[:-1], self._rest * upper + self._after[:-1])
        self.stops = noise_of(self._rest * lower + self._before[1:], self._rest * upper + self._after[1:])
        self.mean = self._rest * self._part.mean + float((weights * atoms).sum())
        second = self._rest * (self._part.deviation**2 + (self._part.mean - self.mean) ** 2)
        self.deviation = float(np.sqrt(second + (weights * (atoms - self.mean) ** 2).sum()))

    def transport(self, s: Values) -> Values:
        """The atom whose interval holds s, else the quantile of the density at the probability left to it."""
        place = np.searchsorted(self.starts, s)
        on_atom = (place > 0) & (s <= self.stops[np.maximum(place - 1, 0)])
        below = np.clip((ndtr(s) - self._before[place]) / self._rest, 0.0, 1.0)
        above = np.clip((ndtr(-s) - self._after[place]) / self._rest, 0.0, 1.0)
        inner = self._part.transport(noise_of(below, above))
        low = np.concatenate([[-np.inf], self._atoms])[place]
        high = np.concatenate([self._atoms, [np.inf]])[place]
        return np.where(on_atom, low, np.clip(inner, low, high))

    def interval(self, x: Values) -> tuple[Values, Values]:
        """The atom's interval; elsewhere one point."""
        place = np.clip(np.searchsorted(self._atoms, x), 0, len(self._atoms) - 1)
        on_atom = self._atoms[place] == x
        passed = np.searchsorted(self._atoms, x)
        inner = np.clip(x, *self._part.ends)
        s = noise_of(
            self._rest * self._distribution.cdf(inner) + self._before[passed],
            self._rest * self._distribution.sf(inner) + self._after[passed],
        )
        first, last = self.transport(np.array([-CUT, CUT]))
        low = np.where(on_atom, self.starts[place], s)
        high = np.where(on_atom, self.stops[place], s)
        return np.where(x <= first, -np.inf, low), np.where(x >= last, np.inf, high)

    def curvature(self, x: Values, s: Values) -> Values:
        """+inf at atoms and at the ends; the density's share elsewhere."""
        first, last = self.transport(np.array([-CUT, CUT]))
        smooth = ~np.isin(x, self._atoms) & (x > first) & (x < last)
        return np.where(smooth, self._rest * self._distribution.pdf(x) / normal_density(s), np.inf)

    @cached_property
    def primitive(self) -> "Primitive":
        """By quadrature between the ends of the atoms' intervals."""
        return Primitive(self.transport, np.concatenate([self.starts, self.stops]), self.deviation)


class Primitive:
    r"""$∫_0^s T$ by 16-point Gauss–Legendre rules on panels, halved until they agree with their halves.

    A panel [a, b] is accepted when the two differ by no more than rounding: 8 eps·(∫|T| + deviation·(b−a))
    and what the rounding δ = 2 eps(|s| + √(π/2)) of the noise makes of it, 8δ·(T(b) − T(a)); or when it is
    shorter than 1e−13 (a jump inside costs 1e−13 of its height). The sum errs by 64 eps·∫(|T|+deviation).
    Below 2⁻¹² a relative difference of 1e−8 is accepted, too: a kink costs nothing there, and quantile
    functions that are themselves staircases in their tail (`triang`) end in it.

    Args:
        transport: T, vectorised.
        breaks: Noise values where T is known not to be smooth.
        deviation: Of the law.
    """

    def __init__(self, transport: Callable[[Values], Values], breaks: Values, deviation: float) -> None:
        self._transport, self._deviation = transport, deviation
        nodes, weights = np.polynomial.legendre.leggauss(16)
        self._nodes, self._weights = (nodes + 1) / 2, weights / 2
        inner = breaks[np.abs(breaks) < CUT]
        edges = np.unique(np.concatenate([np.linspace(-CUT, CUT, 161), inner]))
        self._edges, sums = self._refined(edges)
        zero = int(np.searchsorted(self._edges, 0.0))
        down, up = -np.cumsum(sums[:zero][::-1])[::-1], np.cumsum(sums[zero:])
        self._totals = np.concatenate([down, [0.0], up])

    def _integrals(self, a: Values, b: Values) -> tuple[Values, Values]:
        """∫T and ∫|T| over [a, b]."""
        s = a[:, None] + (b - a)[:, None] * self._nodes
        values = self._transport(s.ravel()).reshape(s.shape)
        return (b - a) * (values @ self._weights), (b - a) * (np.abs(values) @ self._weights)

    def _refined(self, edges: Values) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m-1"]]:
        a, b = edges[:-1], edges[1:]
        starts, sums = [], []
        while a.size:
            middle = (a + b) / 2
            whole, _ = self._integrals(a, b)
            left, left_size = self._integrals(a, middle)
            right, right_size = self._integrals(middle, b)
            noise = 2 * (np.abs(middle) + MILLS) * np.abs(self._transport(b) - self._transport(a))
            size = left_size + right_size + self._deviation * (b - a)
            rounding = 8 * EPS * (size + noise) + np.where(b - a < 2.0**-12, 1e-8 * size, 0.0)
            agree = (np.abs(left + right - whole) <= rounding) | (b - a < 1e-13)
            starts.append(a[agree])
            sums.append((left + right)[agree])
            a, b = (
                np.concatenate([a[~agree], middle[~agree]]),
                np.concatenate([middle[~agree], b[~agree]]),
            )
        first = np.concatenate(starts)
        order = np.argsort(first)
        return np.append(first[order], edges[-1]), np.concatenate(sums)[order]

    def __call__(self, s: Values) -> Values:
        """∫_0^s T for |s| ≤ 20: the panels passed, and one more rule on the rest."""
        place = np.clip(np.searchsorted(self._edges, s, side="right") - 1, 0, len(self._edges) - 2)
        return np.asarray(self._totals[place] + self._integrals(self._edges[place], s)[0])


def discrete_law(distribution: Any) -> DiscreteLaw:
    """The law of a discrete scipy distribution, its atoms listed as far as noise ±20 reaches.

    Raises:
        ValueError: If there are more than 2²⁰ atoms.
    """
    atoms = getattr(distribution, "xk", None)
    if atoms is None:
        atoms = _lattice(distribution)
    atoms = np.unique(np.asarray(atoms, dtype=float))
    atoms = atoms[distribution.pmf(atoms) > 0]
    return DiscreteLaw(atoms, distribution.cdf(atoms), distribution.sf(atoms))


def _lattice(distribution: Any) -> Real[np.ndarray, " n"]:
    """The integers (shifted by loc) that carry mass above the cut."""
    first, last = distribution.support()
    centre, tail = float(distribution.median()), float(ndtr(-CUT))
    width = 1.0
    while distribution.cdf(max(centre - width, first)) > tail and centre - width > first:
        width *= 2
    low = max(centre - width, first)
    width = 1.0
    while distribution.sf(min(centre + width, last)) > tail and centre + width < last:
        width *= 2
    high = min(centre + width, last)
    if high - low > MOST_ATOMS:
        raise ValueError(f"distribution: has more than {MOST_ATOMS} atoms; use a continuous law")
    return low + np.arange(round(high - low) + 1)
