"""Two moons, the uniform law on two half circles: exact pairs from the plane's exact semidiscrete transport.

The law is that of 1000 atoms with exact weights, at most 0.0032 from the arcs; the curve's own potential is
lifted from them for spectra (numerics.transport.lifts).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from numerics import flows
from numerics.flows.pairs import Pairs, independent, minibatch
from numerics.transport.lifts import CurveLift, lift, two_moons
from theorems.learned_flows.circle import PAPER, THOROUGH

Array = NDArray[np.float64]
EQUAL, LONG = (2000, 12_800) if THOROUGH else (300, 3200)
POOL = 100_000
"""Exact pairs that are drawn once and trained on."""
CUT, END = 0.1, 0.1
"""What counts as near: the conjugate's lead of one moon over the other, and arc length from an end point."""


@cache
def moons() -> CurveLift:
    """φ on the two arcs, from 1000 atoms."""
    return lift(two_moons(), 1000)


@dataclass(frozen=True)
class Transported:
    """Noise and where it goes.

    Attributes:
        x0: (n,2).
        x1: (n,2), T(x₀).
        arc: (n,), which moon.
        place: (n,), arc length there.
        lead: (n,), what the other moon lacks in ⟨x₀, y⟩ − φ(y): 0 where T jumps from moon to moon.
    """

    x0: Array
    x1: Array
    arc: NDArray[np.int64]
    place: Array
    lead: Array

    @property
    def to_end(self) -> Array:
        """Arc length to the nearer end point of the moon."""
        length = moons().arcs[0].length
        return np.minimum(self.place, length - self.place)


def transported(x0: Array) -> Transported:
    """Where noise goes: the atom that maximises ⟨x₀, y⟩ − g."""
    both = moons()
    points, heights, first = both.fine.points, both.fine.heights, len(both.fine_places[0])
    parts = []
    for block in np.array_split(x0, max(1, len(x0) // 2000)):
        score = block @ points.T - heights
        lead = np.abs(score[:, :first].max(axis=1) - score[:, first:].max(axis=1))
        parts.append((score.argmax(axis=1), lead))
    atom, lead = (np.concatenate(part) for part in zip(*parts, strict=True))
    place = np.concatenate(both.fine_places)[atom]
    return Transported(x0, points[atom], (atom >= first).astype(np.int64), place, lead)


def stretch(moved: Transported) -> Array:
    """κ = 1/H along the curve, (n,): the lifted potential's Hessian at the atom (H3)."""
    kappa = np.empty(len(moved.x0))
    for arc in (0, 1):
        here = moved.arc == arc
        kappa[here] = 1 / moons().hessian(arc, moved.place[here], moved.x0[here])
    return kappa


@cache
def _pool() -> tuple[Array, Array]:
    moved = transported(np.random.default_rng(7).standard_normal((POOL, 2)))
    return moved.x0, moved.x1


def exact_pairs(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Pairs from the pool."""
    x0, x1 = _pool()
    row = rng.integers(POOL, size=n)
    return x0[row], x1[row]


def data(n: int, rng: np.random.Generator) -> Array:
    """Points of the moons, uniform by length."""
    arcs = moons().arcs
    place, arc = rng.random(n) * arcs[0].length, rng.integers(2, size=n)
    return np.where(arc[:, None] == 0, arcs[0].point(place), arcs[1].point(place))


@cache
def network(coupling: str, steps: int, device: str = "cpu") -> "flows.LearnedField":
    """A field trained on ``"exact"`` pairs, the paper's ``"minibatch"`` ones, or ``"independent"`` ones."""
    training = flows.Training(steps=steps, batch=PAPER, learning_rate=1e-2)
    others = {"minibatch": minibatch, "independent": independent}
    pairs: Pairs = exact_pairs if coupling == "exact" else others[coupling](data)
    return flows.trained(pairs, 2, training, device=device)


def errors(learned: "flows.LearnedField", t: float, moved: Transported) -> Array:
    """|v_θ − (x₁ − x₀)|² at the interpolants."""
    x = (1 - t) * moved.x0 + t * moved.x1
    return np.asarray(((learned.velocity(t, x) - (moved.x1 - moved.x0)) ** 2).sum(axis=1))


def distance(x: Array) -> Array:
    """Distance to the two arcs: to the circle where the angle is the arc's, else to an end."""
    found = []
    for arc in moons().arcs:
        offset = x - np.asarray(arc.centre)
        angle = np.mod(np.arctan2(offset[:, 1], offset[:, 0]) - arc.begin, 2 * np.pi)
        inside = np.abs(np.linalg.norm(offset, axis=1) - arc.radius)
        ends = arc.point(np.array([0.0, arc.length]))
        outside = np.linalg.norm(x[:, None] - ends, axis=2).min(axis=1)
        found.append(np.where(angle <= arc.angle, inside, outside))
    return np.asarray(np.minimum(*found))
