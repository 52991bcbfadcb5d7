r"""How far T and K of the twin (twin.py) move in a ball of noise: from the parameters that the ball reaches.

T(v) = g(s) of the right arc lies on the line $v_1 + δs = 3s^2$, whose normal is (1, s): noise v is at the
distance $|3s^2 - δs - v_1|/\sqrt{1+s^2}$ from it. So a ball of radius ρ reaches s only where
$|3s^2 - δs - v_1| ≤ ρ\sqrt{1+s^2} ≤ ρ(1 + βs)$; the root is convex and so below its chord over [0, a], by
2.3 % at most. This is a quadratic inequality in s. On the left arc 24 stands for 3, and −v₁ for v₁.

Let s be the parameter of v and $b = 6s - δ$ its c'' − δ; at s = a let the line through the end be $m$ away
in v₁, else m = 0.

- Up, s + Δ is reached only where $3Δ^2 + (b - βρ)Δ ≤ m + ρ(1+βs)$.
- Down, s − Δ is reached only where $3Δ^2 - (b + βρ)Δ + ρ(1+βs) ≥ m$. If the ball reaches no jump, the
  parameters that it reaches are an interval, so Δ is at most the smaller root. They are at least those of the
  jump at the ball's least δ.
- If it reaches a jump, the largest parameter of the other side is that of the first inequality there.

The jumps are graphs v₁ = f(δ), so a ball reaches one only where $|v_1 - f(δ)| ≤ ρ\sqrt{1+L^2}$, where L is
the largest |f'| within it. A tie of y and y' has $f' = -(y_2-y'_2)/(y_1-y'_1)$, at most .185: a ball of 1.02ρ
does reach the jump. $|g(s+Δ) - g(s)| = Δ\sqrt{1+(s+Δ/2)^2}$ has no cancellation, and the farthest point that
is reached has the least or the largest parameter.

So the change of T is a bound at every ρ, and at most 6 times that over a ball of 1.02ρ: where no jump is near
the quadratics are off by the chord alone, and beyond one half of it is reached, of .55 to 1.46 to the atom.

**K** is ggᵀ/κ on the arcs, κ = c'' − δ, written with g = (1, s), and 0 at their ends and at the atom. From s
to s' = s ± Δ it changes by at most (Δ√(2 + (s+s')²) + (1+s²)|κ'−κ|/κ)/κ' with |κ'−κ| ≤ kΔ + ρ, k = 6 or 48,
and two such matrices are at most √(|K|²+|K'|²) apart, as tr KK' ≥ 0: that is stated over a jump. What a ball
reaches of the right arc has δ' ≤ 3.68s', and of the left one δ' ≤ 20.5|s'|, where the jumps are; so there κ'
is at least 2.32s' and 27.5|s'|, and c''(s') − δ − ρ, and .62|v' − (0, 1)|, less where δ' = 3.68s' than
anywhere. K has no bound where the ball reaches (0, 1), and +∞ is stated there.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from numerics.accuracy import UNIT
from numerics.geometry import norms
from numerics.potentials.twin_faces import ATOM, END, LAST, SECOND, SLOPE, jumps, larger_root, place

Points = Float[np.ndarray, "n 2"]
Numbers = Float[np.ndarray, " n"]
_CHORD = float((np.hypot(1, END) - 1) / END)
_CLEAR = 0.62
"""Of the distance from (0, 1): κ is at least that on the arcs, (6−k)/√(k² + (3−k)²a²) for k = 3.68."""
_ALL = 8.0
"""A ball of this radius around 0 reaches g(−a), at v = (−8, 0), and e₁, at (8, 0)."""


@dataclass(frozen=True)
class Tie:
    """A jump of T beside the noise.

    Attributes:
        near: (n,) whether the ball reaches it, up to the rounding of v₁ there.
        terms: (n,) size of the terms of v₁ there.
        ends: parameters of its ends at the noise's δ, each (n,).
    """

    near: Bool[np.ndarray, " n"]
    terms: Numbers
    ends: tuple[Numbers, Numbers]


def ties(v: Points, radius: Numbers) -> tuple[Tie, Tie]:
    """Both jumps of T, beside balls around v."""
    first, delta = v[:, 0], v[:, 1] - 1
    at, atom = jumps(delta), np.full(len(v), ATOM)
    steep = jumps(np.clip(SECOND, delta - radius, delta + radius))  # |f'| rises up to there, and falls
    last = jumps(delta + radius).last
    slopes = (steep.right + steep.left) / 2, last**2 / 2 / (1 - last)
    found = []
    for where, ends, slope in zip(
        (at.first, at.second), ((at.left, at.right), (at.last, atom)), slopes, strict=True
    ):
        terms = np.abs(delta * ends[0]) + 24 * ends[0] ** 2 + np.abs(where) + np.abs(first)
        near = np.abs(first - where) <= np.hypot(1, slope) * radius + 16 * UNIT * terms
        found.append(Tie(near, terms, ends))
    return found[0], found[1]


def moved(v: Points, s: Numbers, radius: Numbers) -> Numbers:
    """A bound of |T(v') − T(v)| for |v' − v| ≤ radius, where s (n,) is the parameter of T(v)."""
    radius = np.minimum(radius, norms(v) + _ALL)
    to_left, to_atom = (tie.near for tie in ties(v, radius))
    first, delta = v[:, 0], v[:, 1] - 1
    least = jumps(delta - radius)
    right = (s > 0) & (s <= END)
    own = np.where(right, first, -first)
    outwards, inwards = _along(np.minimum(np.abs(s), END), np.where(right, 3.0, 24.0), own, delta, radius)
    inwards = np.minimum(inwards, np.abs(s) * (1 + 32 * UNIT) - np.where(right, least.right, -least.left))
    down, up = np.where(right, inwards, outwards), np.where(right, outwards, inwards)
    along = [step * np.hypot(1, s + sign * step / 2) for step, sign in ((down, -1), (up, 1))]
    leftmost, rightmost = -_largest(24.0, -first, delta, radius), _largest(3.0, first, delta, radius)
    beyond = [
        np.where(to_left & (s > 0), _apart(leftmost, s), 0.0),
        np.where(to_left & (s <= 0), _apart(rightmost, s), 0.0),
        np.where(to_atom, _apart(np.where(s > END, least.right, ATOM), s), 0.0),
    ]
    inside = np.where(s <= END, np.maximum(*along), 0.0)
    return np.max([inside, *beyond], axis=0) * (1 + 64 * UNIT)


def turned(v: Points, s: Numbers, radius: Numbers) -> Numbers:
    """A bound of |K(v') − K(v)|, Frobenius, for |v' − v| ≤ radius, where s (n,) is the parameter of T(v)."""
    radius = np.minimum(radius, norms(v) + _ALL)
    to_left, to_atom = (tie.near for tie in ties(v, radius))
    first, delta = v[:, 0], v[:, 1] - 1
    right, on_arc, size = s > 0, np.abs(s) < END, np.minimum(np.abs(s), END)
    a, least = np.where(right, 3.0, 24.0), jumps(delta - radius)
    kappa = np.where(on_arc, 2 * a * size - delta, 1.0)
    own = np.where(on_arc, (1 + size**2) / kappa, 0.0)
    clear = _CLEAR * (np.hypot(first, delta) - radius)
    up, down = _along(size, a, np.where(right, first, -first), delta, radius)
    down = np.minimum(down, size * (1 + 32 * UNIT) - np.where(right, least.right, -least.left))
    to_right, left = (
        _steepest(k, sign * first, delta, radius, jump, clear)
        for k, sign, jump in ((3.0, 1.0, least.right), (24.0, -1.0, -least.left))
    )
    to_right = np.where(delta + radius > 0, to_right, 0.0)  # for δ ≤ 0 the left arc meets the atom
    here, other = np.where(right, to_right, left), np.where(right, left, to_right)
    found = [
        np.where(on_arc, _along_arc(size, a, kappa, (delta, radius, clear), (up, down)), 0.0),
        np.where((size == END) & (s <= END) & (down > 0), here, 0.0),
        np.where(to_left, np.hypot(own, other), 0.0),
        np.where(to_atom | (size + up >= END), own, 0.0),
        np.where(to_atom & (s > END), here, 0.0),
    ]
    return np.max(found, axis=0) * (1 + 256 * UNIT)


def _along_arc(
    size: Numbers,
    a: Numbers,
    kappa: Numbers,
    ball: tuple[Numbers, Numbers, Numbers],
    ways: tuple[Numbers, Numbers],
) -> Numbers:
    """The change of K while |s| grows and shrinks by as much as ``ways`` say."""
    (delta, radius, clear), (up, down) = ball, ways
    lowest = _least(a, np.maximum(size - down - 64 * UNIT * size, 0.0), delta + radius, clear)
    beyond = np.maximum(kappa - radius, _least(a, size, delta + radius, clear))
    grown = _changed(size, kappa, beyond, up, 2 * a * up + radius)
    shrunk = _changed(size, kappa, lowest, down, 2 * a * down + radius)
    with np.errstate(divide="ignore"):
        largest = np.where(lowest > 0, (1 + (size + up) ** 2) / lowest, np.inf)
    return np.minimum(np.maximum(grown, shrunk), np.hypot((1 + size**2) / kappa, largest))


def _changed(size: Numbers, kappa: Numbers, lowest: Numbers, step: Numbers, bent: Numbers) -> Numbers:
    """The change of K from |s| and κ by at most ``step`` and ``bent``, where κ' ≥ lowest; else +∞."""
    rise = step * np.hypot(np.sqrt(2), 2 * size + step) + (1 + size**2) * bent / kappa
    return np.where(lowest > 0, rise / np.where(lowest > 0, lowest, 1.0), np.inf)


def _floor(a: Numbers) -> Numbers:
    """The least κ'/|s'| on an arc."""
    return np.where(a == 3, 6 - SLOPE, 48 - LAST / END)


def _least(a: Numbers, low: Numbers, most: Numbers, clear: Numbers) -> Numbers:
    """The least κ' for |s'| ≥ low and δ' ≤ most, where it is at least ``clear``."""
    return np.maximum(np.maximum(2 * a * low - most, _floor(a) * low), clear)


def _steepest(
    a: float, own: Numbers, delta: Numbers, radius: Numbers, jump: Numbers, clear: Numbers
) -> Numbers:
    """The largest |K| that the ball may reach of an arc, whose least |s| is that of the ``jump``."""
    arc, reach = a + 0 * own, own - radius
    low = np.where(reach > 0, larger_root(arc, _CHORD * radius - delta, np.maximum(reach, 0.0)), 0.0)
    low = np.clip(low * (1 - 32 * UNIT), jump, END)
    high = np.maximum(_largest(a, own, delta, radius), low)
    least = _least(arc, low, delta + radius, clear)
    found = np.where(least > 0, (1 + high**2) / np.where(least > 0, least, 1.0), np.inf)
    return np.where(low < END, found, 0.0)


def _along(s: Numbers, a: Numbers, own: Numbers, delta: Numbers, radius: Numbers) -> tuple[Numbers, Numbers]:
    """By how much |s| may grow, and shrink, on its arc; ``own`` is v₁ or −v₁."""
    bend, reach = 2 * a * s - delta, radius * (1 + _CHORD * s)
    past, blur = _past(a, own, delta)
    beyond = np.where(s < END, 0.0, np.maximum(past - blur, 0.0))
    grown = np.minimum(larger_root(a, bend - _CHORD * radius, reach), END - s)
    slope, short = bend + _CHORD * radius, np.maximum(reach - beyond, 0.0)
    square = slope**2 - 4 * a * short
    real = (slope > 0) & (square >= 0)
    root = 2 * short / np.where(real, slope + np.sqrt(np.maximum(square, 0.0)), 1.0)
    return grown, np.where(real, root, np.where(short > 0, s, 0.0))


def _past(a: Numbers, own: Numbers, delta: Numbers) -> tuple[Numbers, Numbers]:
    """How far past the line of its arc's end v lies, in v₁, and what that and T's root there err by."""
    terms = np.abs(own) + np.abs(delta * END) + a * END**2
    return own + delta * END - a * END**2, 20 * UNIT * terms


def beside_an_end(v: Points, s: Numbers) -> Bool[np.ndarray, " n"]:
    """Whether T(v) may be the arc's end, or be beside it, where s is the other as it is computed.

    T's root errs by 7 roundings relatively, so v₁ by 7 of (2as − δ)s, which is at most 14 of its terms.
    """
    right, delta = s > 0, v[:, 1] - 1
    past, blur = _past(np.where(right, 3.0, 24.0), np.where(right, v[:, 0], -v[:, 0]), delta)
    return np.asarray((np.abs(s) <= END) & (np.abs(past) <= blur))


def _largest(a: float, own: Numbers, delta: Numbers, radius: Numbers) -> Numbers:
    """The largest |s| of an arc that the ball may reach; ``own`` is v₁ or −v₁."""
    return np.clip(larger_root(a + 0 * own, -delta - _CHORD * radius, own + radius), 0.0, END)


def _apart(s: Numbers, other: Numbers) -> Numbers:
    return norms(place(s) - place(other))
