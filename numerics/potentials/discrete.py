"""Laws on finitely or countably many atoms; T is a staircase."""

from typing import Any

import numpy as np

from numerics.accuracy import UNIT
from numerics.potentials.discrete_tails import lattice_tails
from numerics.potentials.normal import CUT, Corners, Values, mills, noise_error, noise_of
from numerics.potentials.primitive import running_sums
from numerics.potentials.tails import OF_SCIPY


class DiscreteLaw:
    """A law on finitely or countably many atoms.

    Accuracy: T takes atoms, so it is exact except within ``step_errors`` of a step. A step is Φ⁻¹ of a tail
    probability that errs by ``relative``, so by that times Mills' ratio, and by the rounding of Φ⁻¹.

    Args:
        atoms: (N,) increasing.
        below: (N,) P(X ≤ atom).
        above: (N,) P(X > atom).
        relative: (N,) By how much the smaller of both errs, relatively.
        rests_on: What ``relative`` rests on that is measured, not proved.

    Raises:
        ValueError: If only one atom is left inside the cut.
    """

    def __init__(
        self, atoms: Values, below: Values, above: Values, relative: Values, rests_on: str = ""
    ) -> None:
        self.cut, self.rests_on = (-CUT, CUT), rests_on
        steps = noise_of(below, above)[:-1]
        errors = relative[:-1] * mills(steps) + noise_error(steps)
        ends = np.concatenate([[-np.inf], steps, [np.inf]])
        kept = (ends[1:] > -CUT) & (ends[:-1] < CUT)  # an atom whose noise reaches into the cut
        inside = (steps > -CUT) & (steps < CUT)
        self.atoms, self.steps, self.step_errors = atoms[kept], steps[inside], errors[inside]
        weights = np.where(below < above, np.diff(below, prepend=0.0), -np.diff(above, prepend=1.0))
        self.mean = float((weights * atoms).sum())
        self.deviation = float(np.sqrt((weights * (atoms - self.mean) ** 2).sum()))
        if not len(self.steps):
            raise ValueError(
                f"distribution: all its mass within noise ±{CUT:g} is at one point; use FiniteAtoms"
            )
        start = int(np.searchsorted(self.steps, 0.0))
        spacings = np.diff(self.atoms)
        rises = self.steps * spacings
        lost = spacings * self.step_errors + 2 * UNIT * np.abs(rises)
        down, up = -running_sums(rises[:start][::-1])[::-1], running_sums(rises[start:])
        self.heights = np.concatenate([down, [0.0], up])
        below_zero, above_zero = np.cumsum(lost[:start][::-1])[::-1], np.cumsum(lost[start:])
        at_zero = lost[np.abs(self.steps) <= self.step_errors].sum()  # on either side of 0, for all we know
        own = at_zero + UNIT * np.abs(self.heights)
        self._height_errors = np.concatenate([below_zero, [0.0], above_zero]) + own

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

    def brackets(self, z: Values, step: Values) -> tuple[Values, Values]:
        """Noise with λs + T(s) ∋ z: the corners of the staircase are compared with z by bisection."""
        low, high = np.zeros(len(z), dtype=int), np.full(len(z), len(self.steps))
        while (low < high).any():
            middle = (low + high) // 2
            inner = np.minimum(middle, len(self.steps) - 1)
            past = (low < high) & (z > self.atoms[inner] + step * self.steps[inner])
            low, high = np.where(past, middle + 1, low), np.where(past, high, middle)
        jump = self.steps[np.maximum(low - 1, 0)]
        rising = (low > 0) & (z < self.atoms[low] + step * jump)
        ends = np.concatenate([[-CUT], self.steps, [CUT]])
        on_step = np.clip((z - self.atoms[low]) / step, np.nextafter(ends[low], np.inf), ends[low + 1])
        return np.where(rising, jump, on_step), np.where(rising, np.nextafter(jump, np.inf), on_step)

    def primitive(self, s: Values) -> Values:
        """x_i·s − g_i on step i."""
        place = self._place(s)
        return np.asarray(self.atoms[place] * s - self.heights[place])

    # --- accuracy -----------------------------------------------------------------------------------

    def _nearest(self, s: Values) -> tuple[np.ndarray, np.ndarray]:
        """The two steps around s."""
        place = self._place(s)
        last = len(self.steps) - 1
        return np.clip(place - 1, 0, last), np.clip(place, 0, last)

    def backward(self, s: Values) -> Values:
        """The larger error of the two steps around s."""
        before, after = self._nearest(s)
        return np.maximum(self.step_errors[before], self.step_errors[after])

    def forward(self, s: Values) -> Values:
        """0: atoms are exact."""
        return np.zeros_like(s)

    def error(self, s: Values) -> Values:
        """The atoms' distance where s is within a step's error of it, else 0."""
        reach = 2 * self.backward(s)
        return np.maximum(
            self.transport(s + reach) - self.transport(s), self.transport(s) - self.transport(s - reach)
        )

    def slope(self, s: Values) -> Values:
        """0 where it exists."""
        return np.zeros_like(s)

    def slope_error(self, s: Values) -> Values:
        """0: T' is 0 on steps."""
        return np.zeros_like(s)

    def interval_error(self, x: Values, s: Values) -> Values:
        """That of the step."""
        return np.where(np.isfinite(s), self.backward(np.clip(s, -CUT, CUT)), 0.0)

    def primitive_error(self, s: Values) -> Values:
        """The heights': steps' errors times their rises, products, one sum; and x_i·s − g_i.

        Within δ of a step known within δ, s may lie on its other side: then δ times the rise is added.
        """
        place = self._place(s)
        product = np.abs(self.atoms[place] * s)
        found = self._height_errors[place] + UNIT * (product + np.abs(self.primitive(s)))
        for near in self._nearest(s):
            own = self.step_errors[near]
            rise = self.atoms[near + 1] - self.atoms[near]
            found = found + np.where(np.abs(s - self.steps[near]) <= own, own * rise, 0.0)
        return found

    def corners(self, s: Values) -> Corners:
        """Both ends of two steps before and after s."""
        place = np.clip(self._place(s)[:, None] + np.arange(-2, 2), 0, len(self.steps) - 1)
        noise = np.concatenate([self.steps[place]] * 2, axis=1)
        return noise, np.concatenate([self.atoms[place], self.atoms[place + 1]], axis=1)


def discrete_law(distribution: Any) -> DiscreteLaw:
    """The law of a discrete scipy distribution, its atoms listed as far as noise ±20 reaches.

    A finite list of atoms and weights is summed exactly. Other laws are asked for both tails, or
    their masses are summed (`lattice_tails`).

    Raises:
        ValueError: If there are more than 2²⁰ atoms.
    """
    if hasattr(distribution, "xk"):
        return _listed(np.asarray(distribution.xk, dtype=float), np.asarray(distribution.pk, dtype=float))
    return DiscreteLaw(*lattice_tails(distribution), OF_SCIPY)


def _listed(points: Values, masses: Values) -> DiscreteLaw:
    """From a finite list: masses are added exactly and rounded once."""
    order = np.argsort(points)
    points, masses = points[order][masses[order] > 0], masses[order][masses[order] > 0]
    below = running_sums(masses)
    above = np.append(running_sums(masses[::-1])[::-1][1:], 0.0)
    return DiscreteLaw(points, below, above, np.full(len(points), 2 * UNIT))
