r"""M6's third quantity: W₂²(π_n,π) is K_n, noise moved with labels kept, but for an exponentially small part.

Derivation. Both plans live on the noise z along e and the label l. T_l, rank by rank, moves the noise of
label l best; f_l(z) = 2∫_b^z(s − T_l(s))ds and its conjugate g_l have f_l(z) + g_l(z') ≤ (z−z')², and
together the value K_n. Beyond Z = 9 + |b| the f_l are kept constant: T_l(s) − s falls like 1/s only, as
G_n(0,w) < 1, and its integral would diverge; g_l loses by that where its partner lies there, less than
noise beyond Z costs, of probability 2e−19. The noise of y₀ beyond b, and that of y₁ before it, has to come
in: T_0(s) ≤ s ≤ T_1(s). So f_1 falls beyond b, by A_1 = 2∫_b^Z(T_1(s) − s)ds in all, and g_1(z') ≤ −f_1(z')
≤ A_1 on z' ≥ b, where π has the label y₁; likewise A_0. Hence min(f_0, Δ² − A_1), min(f_1, Δ² − A_0), g_0,
g_1 obey every constraint, f_0(z) + g_1(z') ≤ Δ² + (z−z')² too, and K_n − C_n ≤ W₂²(π_n,π) ≤ K_n, C_n the
integral of what is cut off. With a = T_0(b), f_0(z) ≤ (z−a)² − (b−a)² beyond b: cut off is noise of the
wrong label farther than about Δ beyond b, and the tilt identity bounds its mass by b(u)^{2n−1}.

Assumed: nothing but what M6 does. Control: atoms so near that labels are changed instead.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import ndtr, ndtri
from scipy.stats import norm

from numerics.accuracy import EPS, Rounding
from numerics.potentials.primitive import running_sums
from numerics.transport.minibatch import mass_below
from numerics.transport.two_atoms import TwoAtomLaw
from theorems.minibatch_convergence.field_errors import RESOLUTIONS

Array = NDArray[np.float64]
CELLS = 480
FAR = 9.0
"""Chosen: where the potentials are kept constant, beyond |b|; the range of `TwoAtomLaw.integrate`."""


@dataclass(frozen=True)
class Side:
    """Label y₀ of a law, or y₁ in the mirror: z ↦ −z and w ↦ 1 − w.

    Attributes:
        law: The law seen from this side.
    """

    law: TwoAtomLaw

    @property
    def end(self) -> float:
        """b: the label's noise lies before it under π."""
        return self.law.threshold

    def moved(self, z: Array) -> Array:
        """T(z) ≤ z, as far as Φ⁻¹ is known there."""
        target = ndtri(mass_below(ndtr(z), self.law.weight, self.law.n or 1))
        return np.asarray(np.minimum(target, z))

    def room(self) -> tuple[float, float]:
        """A = 2∫_{−Z}^b (s − T(s))ds and its error."""
        far = FAR + abs(self.end)
        found = self.law.integrate(
            lambda z: np.where((z < self.end) & (z > -far), 2 * (z - self.moved(z)), 0.0)
        )
        return found.value, found.error

    def excess(self, z: Array, cut: float) -> Array:
        """At least f − cut, where it is positive, beyond b."""
        start = float(self.moved(np.array([self.end]))[0])
        over = (z - start) ** 2 - (self.end - start) ** 2 - cut
        return np.asarray(np.where(z > self.end, np.maximum(over, 0.0), 0.0))

    def lost(self, cut: float) -> tuple[float, float]:
        """C: what cutting f at ``cut`` loses at most, and its error."""
        found = self.law.integrate(lambda z: norm.pdf(z) * self.law.probability(z) * self.excess(z, cut))
        return found.value, found.error

    def tail(self, cut: float) -> float:
        """A bound of C by G_n(u,w) ≤ √((1−w)/(1−u))·b(u)^{2n−1}, b falling beyond w."""
        w, start = self.law.weight, float(self.moved(np.array([self.end]))[0])
        first = start + np.sqrt(cut + (self.end - start) ** 2)
        height = np.sqrt(ndtr(first) * w) + np.sqrt(ndtr(-first) * (1 - w))
        weighed = sum(
            quad(
                lambda z: norm.pdf(z) / np.sqrt(ndtr(-z)) * float(self.excess(np.array([z]), cut)[0]),
                first,
                first + 12,
            )
        )  # the integral, and what it may be off
        return float(height ** (2 * (self.law.n or 1) - 1) * np.sqrt(1 - w) * weighed)


def sides(w: float, distance: float, n: int) -> tuple[tuple[Side, float], ...]:
    """Both labels, each with the height Δ² − A at which its potential is cut."""
    both = [Side(TwoAtomLaw([[0.0], [distance]], share, n)) for share in (w, 1 - w)]
    rooms = [sum(side.room()) for side in both]
    return (both[0], distance**2 - rooms[1]), (both[1], distance**2 - rooms[0])


@pytest.mark.claim("M6")
@pytest.mark.parametrize("w", [0.1, 0.3, 0.8])
def test_labels_are_kept_but_for_an_exponential(evidence, w):
    for n in (64, 256):
        plan = TwoAtomLaw([[0.0], [2.0]], w, n).plan_distance()
        lost, error, bound = 0.0, 0.0, 0.0
        for side, cut in sides(w, 2.0, n):
            value, of_value = side.lost(cut)
            lost, error, bound = lost + value, error + of_value, bound + side.tail(cut)
        evidence.on("TwoAtomLaw", w=w, distance=2.0, n=n).estimated(
            "(K_n − a feasible dual value)/K_n: W₂²(π_n,π) lies between",
            lost / plan.value,
            (bound + error) / plan.value,
            by=RESOLUTIONS,
            because="weak duality; G_n ≤ √((1−w)/(1−u))·b(u)^{2n−1} by the tilt identity: falls as b²ⁿ",
            kind="inequality",
            clause="optimal",
        )


@pytest.mark.claim("M6")
@pytest.mark.parametrize("distance", [1.5, 2.0, 3.0])
def test_the_dual_is_feasible(evidence, distance):
    """At n = 4, where the cut is felt: every constraint on a grid, f by Simpson's rule, g at points T(s)."""
    n, w = 4, 0.3
    (first, cut_first), (second, cut_second) = sides(w, distance, n)
    z, value, image, dual = _potentials(first)
    y, other, image_other, dual_other = _potentials(second)
    y, image_other = -y, -image_other
    cut, cut_other = np.minimum(value[0], cut_first), np.minimum(other[0], cut_second)
    on = evidence.on("TwoAtomLaw", w=w, n=n, distance=distance)
    change = max(float(np.abs(a[0] - a[1]).max()) for a in (value, other))
    # In roundings of 400: f twice, ten of ∫|f'| ≤ 60 each, 3; squares up to 200, six, 3; sums, three of 300,
    # 3; T in f' = 2(s − T(s)), sixteen of |T| ≤ 8 over a length of 14 for f and for g, 18.
    of_sums = Rounding(400.0, 27, "f and g, their slopes, panels and sums; squares of the cost")
    for name, f, g, at, to, apart in (
        ("y₀ to y₀", cut, dual, z, image, 0.0),
        ("y₁ to y₁", cut_other, dual_other, y, image_other, 0.0),
        ("y₀ to y₁", cut, dual_other, z, image_other, distance**2),
        ("y₁ to y₀", cut_other, dual, y, image, distance**2),
    ):
        over = f[:, None] + g[None, :] - (at[:, None] - to[None, :]) ** 2 - apart
        on.estimated(
            f"f(z) + g(z') above the cost, {name}",
            max(float(over.max()), 0.0),
            3 * change + of_sums.bound,
            by="Simpson's rule at two steps",
            because="the exact excess is ≤ 0; f, and g made of it; squares up to 400",
            clause="optimal",
        )


def _potentials(side: Side) -> tuple[Array, tuple[Array, Array], Array, Array]:
    """Z (k,), f by two steps, T(z) and g(T(z)) = (z − T(z))² − f(z), z within 7 of b on every fourth node."""
    nodes = side.end + np.arange(-2800, 2801) / 400
    slope = 2 * (nodes - side.moved(nodes))
    middle = 2800
    found = []
    for step in (1, 2):
        s = slope[::step]
        panels = (s[:-2:2] + 4 * s[1::2] + s[2::2]) * step / 400 / 3
        total = np.concatenate([[0.0], running_sums(panels)])
        found.append((total - total[middle // (2 * step)])[:: 2 // step])
    z, image = nodes[::4], side.moved(nodes[::4])
    return z, (found[0], found[1]), image, (z - image) ** 2 - found[0]


def _cells(law: TwoAtomLaw) -> tuple[Array, Array, Array, float]:
    """Points (k,) of cells around b, masses of π_n (2,k) and π (2,k), and how far that moves both, in W₂."""
    edges = law.threshold + np.sinh(np.linspace(-2.8, 2.8, CELLS + 1))
    edges[CELLS // 2] = law.threshold
    below = mass_below(ndtr(edges), law.weight, law.n or 1)
    below[0], below[-1] = 0.0, law.weight
    rank = ndtr(edges)
    rank[0], rank[-1] = 0.0, 1.0
    mass = np.diff(rank)
    first = np.clip(np.diff(below), 0.0, mass)
    target = np.where(np.arange(CELLS) < CELLS // 2, mass, 0.0)
    half = np.diff(edges) / 2
    outside = 2 * norm.pdf(7.5)  # E(|z| − 7.5)²; beyond either end, and more than it
    moved = 2 * float(np.sqrt(mass @ half**2 + outside))
    points = (edges[1:] + edges[:-1]) / 2
    return points, np.stack([first, mass - first]), np.stack([target, mass - target]), moved


def _program(law: TwoAtomLaw, distance: float) -> tuple[float, float]:
    """W₂² between the plans on cells, by POT's linear program, and `_cells`' distance."""
    import ot  # it imports torch: a second for every run that asks something else

    points, plan, limit, moved = _cells(law)
    labels = np.array([0.0, distance])
    cost = (points[:, None] - points[None, :]) ** 2
    whole = cost[None, :, None, :] + ((labels[:, None] - labels) ** 2)[:, None, :, None]
    source, target = plan.ravel() / plan.sum(), limit.ravel() / limit.sum()
    kept = target > 0
    matrix = whole.reshape(2 * CELLS, 2 * CELLS)[:, kept]
    value = ot.emd2(source, target[kept] / target[kept].sum(), np.ascontiguousarray(matrix), numItermax=10**7)
    return float(value), moved


@pytest.mark.claim("M6")
@pytest.mark.parametrize("n", [4, 16])
def test_distance_of_the_plans_by_a_linear_program(evidence, n):
    """Another route, which knows neither labels kept nor the dual: both plans put on cells."""
    law = TwoAtomLaw([[0.0], [2.0]], 0.3, n)
    plan = law.plan_distance()
    lost = sum(sum(side.lost(cut)) for side, cut in sides(0.3, 2.0, n))
    value, moved = _program(law, 2.0)
    low, high = np.sqrt(plan.value - plan.error - lost), np.sqrt(plan.value + plan.error)
    rounding = Rounding(300 / low, 2 * CELLS, "masses rounded to eps, times the largest cost")
    evidence.on("TwoAtomLaw", w=0.3, distance=2.0, n=n).estimated(
        "W₂(π_n,π) by a linear program outside [√(K_n − C_n), √K_n]",
        max(low - np.sqrt(value), np.sqrt(value) - high, 0.0),
        moved + rounding.bound,
        by=RESOLUTIONS,
        because="the triangle inequality: what putting both plans on cells moves them by, and rounded masses",
        clause="optimal",
    )


@pytest.mark.control("M6")
@pytest.mark.parametrize("n", [4, 64])
def test_near_atoms_change_labels(evidence, n):
    """Δ below the distance of any two cells: what must change cell or label pays Δ² at least, and no more."""
    distance = 0.005
    law = TwoAtomLaw([[0.0], [distance]], 0.3, n)
    mass = law.misassigned_mass()
    value, _ = _program(law, distance)
    evidence.on("TwoAtomLaw", w=0.3, distance=distance, n=n).control(
        "labels kept where atoms are near: W₂²(π_n,π) on cells",
        predicted=distance**2 * mass.value,
        measured=value,
        agreement=distance**2 * mass.error + 300 * 2 * CELLS * EPS,
        because="the misassigned mass changes labels in place; masses rounded, times the largest cost",
        intact=law.plan_distance().value,
        clause="optimal",
    )
