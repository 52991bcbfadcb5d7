r"""The exact field of OT-CFM on two moons, from φ lifted to the curves (docs/theory.md §4.3, L4).

Noise x₀ is sent to γ(s) with s the maximiser of ⟨x₀, γ⟩ − f, f = φ∘γ; near a trajectory the prox stays on the
moon and is γ(s) with s the minimiser of f + |γ − z|²/(2λ). Both are refined by Newton from the nearest atom.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.transport.lifts import CurveLift, lift, two_moons

Array = NDArray[np.float64]
NEWTON = 8


@dataclass(frozen=True)
class Landing:
    """Where noise goes.

    Attributes:
        x0: (k,2).
        moon: (k,) 0 or 1.
        place: (k,) arc lengths s.
    """

    x0: Array
    moon: NDArray[np.int_]
    place: Array

    def chosen(self, rows: NDArray[np.bool_]) -> "Landing":
        """Some of them."""
        return Landing(self.x0[rows], self.moon[rows], self.place[rows])


class Moons:
    """The uniform law on the two half circles, lifted from n atoms with exact weights.

    Args:
        n: The number of atoms.
    """

    def __init__(self, n: int) -> None:
        self.lift: CurveLift = lift(two_moons(), n)
        self._count = len(self.lift.fine_places[0])

    def land(self, x0: Array) -> Landing:
        """Where x0 (k,2) goes."""
        atoms = (x0 @ self.lift.fine.points.T - self.lift.fine.heights).argmax(axis=1)
        moon = (atoms >= self._count).astype(int)
        place = np.concatenate(self.lift.fine_places)[atoms]
        zero = np.zeros(len(x0))
        return Landing(x0, moon, self._refined(moon, place, x0, zero))

    def prox(self, start: Landing, z: Array, step: Array) -> Array:
        """prox_{λφ}(z) for z (k,2), λ (k,), near z = x₁ + λx₀ of the landing."""
        return self.point(start.moon, self._refined(start.moon, start.place, z / step[:, None], 1 / step))

    def _refined(self, moon: NDArray[np.int_], place: Array, pull: Array, weight: Array) -> Array:
        """Newton for f'(s) + w⟨γ, γ'⟩ = ⟨p, γ'⟩; a step past an end of the moon stops at the end."""
        s = place.copy()
        for _ in range(NEWTON):
            at, along, across = (self._curve(moon, s, part) for part in ("point", "tangent", "acceleration"))
            pulled = pull - weight[:, None] * at
            slope = self._first(moon, s) - (pulled * along).sum(axis=1)
            bend = self._second(moon, s) - (pulled * across).sum(axis=1) + weight
            s = np.clip(s - slope / np.maximum(bend, 1e-3), 0.0, np.pi)
        return s

    def point(self, moon: NDArray[np.int_], s: Array) -> Array:
        """γ(s)."""
        return self._curve(moon, s, "point")

    def tangent(self, landing: Landing) -> Array:
        """γ'(s), of length 1."""
        return self._curve(landing.moon, landing.place, "tangent")

    def hessian(self, landing: Landing) -> Array:
        """H = f'' − ⟨x₀, γ''⟩."""
        bend = (landing.x0 * self._curve(landing.moon, landing.place, "acceleration")).sum(axis=1)
        return np.asarray(self._second(landing.moon, landing.place) - bend)

    def hessian_error(self, landing: Landing) -> Array:
        """By how much H differs from that of half as many atoms: three times its error inside a moon."""
        return np.where(
            landing.moon == 0,
            self.lift.error(0, landing.place, 2),
            self.lift.error(1, landing.place, 2),
        )

    def interior(self, landing: Landing) -> Array:
        """A3: how far x₀ moves along the normal, either way, until it is sent elsewhere; to 1e-3."""
        tangent = self.tangent(landing)
        normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
        spacing = 3 * np.pi / self._count
        reach = []
        for sign in (1.0, -1.0):
            low, high = np.zeros(len(normal)), np.full(len(normal), 8.0)
            for _ in range(13):  # ∂φ(x₁) is convex: bisection
                middle = (low + high) / 2
                moved = self.land(landing.x0 + sign * middle[:, None] * normal)
                same = (moved.moon == landing.moon) & (np.abs(moved.place - landing.place) < spacing)
                low, high = np.where(same, middle, low), np.where(same, high, middle)
            reach.append(low)
        return np.minimum(*reach)

    def _curve(self, moon: NDArray[np.int_], s: Array, part: str) -> Array:
        values = [getattr(arc, part)(s) for arc in self.lift.arcs]
        return np.where((moon == 0)[:, None], *values)

    def _first(self, moon: NDArray[np.int_], s: Array) -> Array:
        return np.where(moon == 0, self.lift.slope(0, s), self.lift.slope(1, s))

    def _second(self, moon: NDArray[np.int_], s: Array) -> Array:
        zero = np.zeros((len(s), 2))
        return np.where(moon == 0, self.lift.hessian(0, s, zero), self.lift.hessian(1, s, zero))
