"""Atoms and, with the rest of the mass, a law with a density, as a map of the noise."""

from functools import cached_property
from math import fsum
from typing import Any

import numpy as np

from numerics.accuracy import UNIT
from numerics.potentials.continuous_laws import continuous_law
from numerics.potentials.normal import (
    CUT,
    DENSITY,
    TAIL,
    Corners,
    Values,
    both_tails,
    density,
    noise_error,
    noise_of,
    tail,
)
from numerics.potentials.primitive import Primitive, running_sums
from numerics.potentials.solved_once import LastSolve


class MixtureLaw:
    r"""Atoms with the given weights and, with the rest ρ of the mass, a law with a density, its part.

    At noise s off the atoms' intervals T is the part's at its own noise $r = Φ^{-1}((Φ(s) - W)/ρ)$, W the
    weights below, or from both upper tails where that is the smaller; so $T' = φ(s)T_0'(r)/(ρφ(r))$.

    Accuracy: W and ρ are sums rounded once (`math.fsum`). What cancels in Φ(s) − W is an absolute error of
    the probability, (TAIL + 4)Φ(s) + W roundings; it, the error of Φ⁻¹ and the part's own, these times ρφ(r),
    move the outer noise by 1/φ(s) times as much: ``backward``. The smaller ρ, the further T moves with it.
    An atom's interval ends at noise known as well; on an atom T is exact.

    Args:
        atoms: (k,) increasing.
        weights: (k,) positive, of sum less than 1.
        distribution: The continuous part, a frozen scipy law.

    Attributes:
        continuous: The law of that part.
        rest: ρ, its mass.
    """

    def __init__(self, atoms: Values, weights: Values, distribution: Any) -> None:
        self.continuous = continuous_law(distribution)
        self.rests_on = self.continuous.rests_on
        self.atoms, self.cut = atoms, (-CUT, CUT)
        self._last_inner = LastSolve[tuple[np.ndarray, np.ndarray, Values]]()
        self.rest = fsum([1.0, *(-weights)])
        self._before = np.concatenate([[0.0], running_sums(weights)])
        self._after = np.concatenate([running_sums(weights[::-1])[::-1], [0.0]])
        places = np.concatenate([atoms, self.continuous.ends])
        passed = np.concatenate([np.arange(len(atoms)), np.searchsorted(atoms, self.continuous.ends)])
        noise, errors = self._outer(places, passed), self._outer_error(places, passed)
        k = len(atoms)
        self.starts, self._edges, edge_errors = noise[:k], noise[k:], errors[k:]
        self.stops = self._outer(atoms, np.arange(1, k + 1))
        stop_errors = self._outer_error(atoms, np.arange(1, k + 1))
        self._corners = np.concatenate([self.starts, self.stops, self._edges, self.cut])
        self._corner_errors = np.concatenate([errors[:k], stop_errors, edge_errors, [0.0, 0.0]])
        self.ends = self.transport(np.array(self.cut))
        self._corner_places = np.concatenate([atoms, atoms, self.continuous.ends, self.ends])
        self.mean = self.rest * self.continuous.mean + float((weights * atoms).sum())
        second = self.rest * (self.continuous.deviation**2 + (self.continuous.mean - self.mean) ** 2)
        self.deviation = float(np.sqrt(second + (weights * (atoms - self.mean) ** 2).sum()))

    def _outer(self, x: Values, passed: np.ndarray) -> Values:
        """The noise at which F is ρF₀(x) and the weights of the atoms passed."""
        return noise_of(*self._tails(x, passed, self._part(x)))

    def _part(self, x: Values) -> Values:
        """The part's noise at x."""
        inner = np.clip(x, *self.continuous.ends)
        ends = self.continuous.interval(inner)
        r = np.clip(np.where(np.isfinite(ends[0]), ends[0], ends[1]), -CUT, CUT)
        return np.where(x <= self.continuous.ends[0], -CUT, np.where(x >= self.continuous.ends[1], CUT, r))

    def _tails(self, x: Values, passed: np.ndarray, r: Values) -> tuple[Values, Values]:
        below = np.where(x <= self.continuous.ends[0], 0.0, self.rest * tail(-r)) + self._before[passed]
        above = np.where(x >= self.continuous.ends[1], 0.0, self.rest * tail(r)) + self._after[passed]
        return below, above

    def _outer_error(self, x: Values, passed: np.ndarray) -> Values:
        """By how much that noise errs."""
        r = self._part(x)
        below, above = self._tails(x, passed, r)
        s = noise_of(below, above)
        outside = (x <= self.continuous.ends[0]) | (x >= self.continuous.ends[1])
        own = self.continuous.interval_error(np.clip(x, *self.continuous.ends), r)
        moved = np.where(outside, 0.0, self.rest * density(r) * own)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            error = (UNIT * (TAIL + 4) * np.minimum(below, above) + moved) / density(s)
        return np.where(np.abs(s) < CUT, error, 0.0) + noise_error(s)

    def _inner(self, s: Values) -> tuple[np.ndarray, np.ndarray, Values]:
        """The number of atoms begun, whether s is on the last of them, and the part's noise.

        Kept for the last noise: T, T' and what they err by are asked for together.
        """
        return self._last_inner(self._found_inside, s)

    def _found_inside(self, s: Values) -> tuple[np.ndarray, np.ndarray, Values]:
        place = np.searchsorted(self.starts, s)
        on_atom = (place > 0) & (s <= self.stops[np.maximum(place - 1, 0)])
        lower, upper = both_tails(s)
        below = np.clip((lower - self._before[place]) / self.rest, 0.0, 1.0)
        above = np.clip((upper - self._after[place]) / self.rest, 0.0, 1.0)
        r = noise_of(below, above)
        return place, on_atom, np.clip(r, *self.continuous.cut)

    def transport(self, s: Values) -> Values:
        """The atom whose interval holds s, else the quantile of the density at the probability left to it."""
        place, on_atom, r = self._inner(s)
        low = np.concatenate([[-np.inf], self.atoms])[place]
        high = np.concatenate([self.atoms, [np.inf]])[place]
        return np.where(on_atom, low, np.clip(self.continuous.transport(r), low, high))

    def slope(self, s: Values) -> Values:
        """T'(s): 0 on atoms."""
        _, on_atom, r = self._inner(s)
        return np.where(on_atom, 0.0, self._slope_at(s, r))

    def _slope_at(self, s: Values, r: Values) -> Values:
        """φ(s)T₀'(r)/(ρφ(r)), 0 at the part's cut."""
        inside = (r > self.continuous.cut[0]) & (r < self.continuous.cut[1])
        with np.errstate(all="ignore"):
            return np.where(inside, density(s) / (self.rest * density(r)) * self.continuous.slope(r), 0.0)

    def interval(self, x: Values) -> tuple[Values, Values]:
        """The atom's interval; elsewhere one point."""
        place = np.clip(np.searchsorted(self.atoms, x), 0, len(self.atoms) - 1)
        on_atom = self.atoms[place] == x
        s = self._outer(x, np.searchsorted(self.atoms, x))
        low = np.where(on_atom, self.starts[place], s)
        high = np.where(on_atom, self.stops[place], s)
        return np.where(x <= self.ends[0], -np.inf, low), np.where(x >= self.ends[1], np.inf, high)

    def curvature(self, x: Values, s: Values) -> Values:
        """+inf at atoms and at the cut, 0 in holes of the support, 1/T' elsewhere.

        On an atom both x and s must be: beside its interval T may rise too little to move x off the atom, and
        where T is steep s may not leave the interval.
        """
        _, in_interval, r = self._inner(s)
        at_atom = np.isin(x, self.atoms)
        hole = ~at_atom & ((x < self.continuous.ends[0]) | (x > self.continuous.ends[1]))
        inside = (s > self.cut[0]) & (s < self.cut[1]) & ~(at_atom & in_interval)
        with np.errstate(divide="ignore"):
            smooth = 1 / self._slope_at(s, r)
        return np.where(hole, 0.0, np.where(inside, smooth, np.inf))

    @cached_property
    def _quadrature(self) -> Primitive:
        """Between the ends of the atoms' intervals."""
        corners = self._corners, self._corner_errors
        return Primitive(self.transport, self.error, *corners, self.deviation, self.cut)

    def primitive(self, s: Values) -> Values:
        """φ*(s) by quadrature."""
        return self._quadrature(s)

    # --- accuracy -----------------------------------------------------------------------------------

    def _nearest_corner(self, s: Values) -> Values:
        """The error of a corner that s cannot be told from, else 0."""
        away = np.abs(s[:, None] - self._corners) <= 2 * self._corner_errors
        return np.where(away, self._corner_errors, 0.0).max(axis=1)

    def backward(self, s: Values) -> Values:
        """What cancellation, Φ⁻¹ and the part err by, in outer noise; 0 on an atom."""
        place, on_atom, r = self._inner(s)
        lower = r <= 0
        lost = np.where(
            lower,
            (TAIL + 4) * tail(-s) + self._before[place],
            (TAIL + 4) * tail(s) + self._after[place],
        )
        moved = self.rest * density(r) * (noise_error(r) + self.continuous.backward(r))
        found = np.where(on_atom, 0.0, (UNIT * lost + moved) / density(s))
        return np.minimum(np.maximum(found, self._nearest_corner(s)), 2 * CUT)

    def forward(self, s: Values) -> Values:
        """The part's; 0 on an atom."""
        _, on_atom, r = self._inner(s)
        return np.where(on_atom, 0.0, self.continuous.forward(r))

    def error(self, s: Values) -> Values:
        """T' times ``backward``, or its oscillation where it jumps or bends, and ``forward``."""
        back, here, own = self.backward(s), self.transport(s), self.forward(s)
        moved = np.where(back > 0, self.slope(s) * back, 0.0)
        places = np.concatenate([s - 2 * back, s + 2 * back])
        below, above = self.transport(np.clip(places, *self.cut)).reshape(2, -1)
        risen = np.maximum(here - below, above - here)
        return np.maximum(moved, np.where(back > 0, risen, 0.0)) + own

    def slope_error(self, s: Values) -> Values:
        """The densities' and the part's, relatively; the change of T' with the part's noise r; its jumps."""
        r = self._inner(s)[2]
        slope, back = self.slope(s), self.backward(s)
        with np.errstate(all="ignore"):
            relative = UNIT * (2 * DENSITY + 4) + self.continuous.slope_error(r) / self.continuous.slope(r)
            moved = np.minimum(back * density(s) / (self.rest * density(r)), 2 * CUT)
        near = [self._slope_at(s, np.clip(r + sign * moved, *self.continuous.cut)) for sign in (-1, 1)]
        ends = [self.slope(np.clip(s + sign * 2 * back, *self.cut)) for sign in (-1, 1)]
        jumps = np.maximum(np.abs(ends[0] - slope), np.abs(ends[1] - slope))
        bends = np.maximum(np.abs(near[0] - slope), np.abs(near[1] - slope))
        return np.where(slope > 0, relative * slope + bends, 0.0) + jumps

    def interval_error(self, x: Values, s: Values) -> Values:
        """Of the corner, at an atom; of the outer noise elsewhere."""
        place = np.clip(np.searchsorted(self.atoms, x), 0, len(self.atoms) - 1)
        start = s == self.starts[place]
        corner = np.where(start, self._corner_errors[place], self._corner_errors[len(self.atoms) + place])
        error = self._outer_error(x, np.searchsorted(self.atoms, x))
        found = np.where(self.atoms[place] == x, corner, error)
        return np.where(np.isfinite(s), np.minimum(found, 2 * CUT), 0.0)

    def primitive_error(self, s: Values) -> Values:
        """The quadrature's."""
        return self._quadrature.error(s)

    def corners(self, s: Values) -> Corners:
        """The atoms' intervals' ends, the ends of the density's support, and the cut."""
        shape = (len(s), len(self._corners))
        return np.broadcast_to(self._corners, shape), np.broadcast_to(self._corner_places, shape)
