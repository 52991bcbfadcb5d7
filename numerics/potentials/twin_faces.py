r"""The faces of the twin (twin.py) in closed form: which atoms noise ties, and where the tied noise lies.

Noise v is written (v₁, 1+δ), and heights without the part s²/2 that the second coordinate carries:
$c(s) = s^3$ for s > 0, $8|s|^3$ for s < 0, and 0 at the atom e₁ = (1, 0). So $φ = x_2 + C$, C the convex
envelope of c. An atom g(s) = (s, s²/2) is stationary where $v_1 = c'(s) - δs$.

At fixed δ the maximisers run, as v₁ increases, from g(−a) along the left arc to g(−r), jump to g(s), run
along the right arc to g(s'), and jump to e₁:

- δ ≤ 0: r = s = s' = 0;
- 0 < δ ≤ ka: s = δ/k and r = ρs, with ρ = .2615242 the root of 8ρ³ + 24ρ² − 3ρ − 1 and k = 12/(3+ρ)
  = 3.6792614, the least 2(8ρ³+3ρ+2)/(1+ρ)²; beyond, s = a, and r is the root of
  $δ/a = 32q - 16 + 18/(1+q)^2$, q = r/a, until r = a at δ = 41a/2;
- δ = (3s'−2s'²)/(1−s'/2) as long as s' < a.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq

from numerics.deprecated import goes

Numbers = Float[np.ndarray, " n"]

END = 0.45
ATOM = 1.0
"""What stands for e₁ where a parameter s is asked for."""
RATIO = float(brentq(lambda r: 8 * r**3 + 24 * r**2 - 3 * r - 1, 0.2, 0.3, xtol=1e-16, rtol=1e-15))
SLOPE = 12 / (3 + RATIO)
FIRST, SECOND, LAST = END * (3 - 2 * END) / (1 - END / 2), SLOPE * END, 41 * END / 2
"""δ from which on s' = a, s = a, r = a."""
_NEWTON = 7  # steps from the right on a convex function; the first error is below 1, each next its square


def place(s: Numbers) -> Float[np.ndarray, "n 2"]:
    """The atom of a parameter: g(s), or e₁."""
    return np.stack([s, np.where(s > END, 0.0, s**2 / 2)], axis=-1)


def cubic(s: Numbers) -> Numbers:
    """C at the atom of a parameter."""
    return np.where(s > END, 0.0, np.where(s > 0, 1.0, 8.0) * np.abs(s) ** 3)


def level(s: Numbers) -> Numbers:
    """The older name of `cubic`; it goes with the next version."""
    goes("level", "cubic")
    return cubic(s)


def steepness(s: Numbers) -> Numbers:
    """The derivative c' of c."""
    return np.where(s > 0, 3.0, -24.0) * s**2


def bend(s: Numbers) -> Numbers:
    """The second derivative c''."""
    return np.where(s > 0, 6.0, 48.0) * np.abs(s)


def before_atom(s: Numbers) -> Numbers:
    """The δ at which g(s), 0 ≤ s ≤ a, ties with e₁."""
    return s * (3 - 2 * s) / (1 - s / 2)


def across(r: Numbers) -> Numbers:
    """The δ at which g(−r) ties with the right arc, 0 ≤ r ≤ a."""
    q = r / END
    far = END * (32 * q - 16 + 18 / (1 + q) ** 2)
    return np.where(q <= RATIO, SLOPE / RATIO * r, far)


def _left_partner(delta: Numbers) -> Numbers:
    """The r of the first jump."""
    near = RATIO * np.clip(delta, 0.0, SECOND) / SLOPE
    k, q = np.clip(delta, SECOND, LAST) / END, np.ones_like(delta)
    for _ in range(_NEWTON):
        q = q - (32 * q - 16 + 18 / (1 + q) ** 2 - k) / (32 - 36 / (1 + q) ** 3)
    return np.where(delta <= SECOND, near, np.where(delta < LAST, END * q, END))


@dataclass(frozen=True)
class Jumps:
    """The jumps of the maximiser at given δ (n,), as v₁ increases.

    Attributes:
        left, right: g(−r) and g(s) of the first, as parameters −r and s.
        first: v₁ there.
        last: s', from where it jumps to e₁.
        second: v₁ there.
    """

    left: Numbers
    right: Numbers
    first: Numbers
    last: Numbers
    second: Numbers


def jumps(delta: Numbers) -> Jumps:
    """Both jumps at δ."""
    r = _left_partner(delta)
    first = np.where(delta < LAST, (delta - 24 * r) * r, -3.5 * END**2)
    inner = np.clip(delta, 0.0, FIRST)
    half = 3 + inner / 2
    last = np.where(delta >= FIRST, END, 2 * inner / (half + np.sqrt(half**2 - 8 * inner)))
    curved = last**3 / (2 - last)
    second = np.where(delta > FIRST, END**2 * (delta / 2 - END) / (1 - END), curved)
    return Jumps(-r, np.clip(delta / SLOPE, 0.0, END), first, last, second)


@dataclass(frozen=True)
class Face:
    """A point of gph ∂φ: the point of the face [left, right] with ``share`` at its right end.

    Attributes:
        left, right: (n,) parameters of its atoms; equal for an atom.
        share: (n,) in [0, 1].
        first: (n,) v₁.
        delta: (n,) v₂ − 1.
    """

    left: Numbers
    right: Numbers
    share: Numbers
    first: Numbers
    delta: Numbers

    @property
    def point(self) -> Float[np.ndarray, "n 2"]:
        """The point u (n,2)."""
        ends = place(self.left), place(self.right)
        return ends[0] + self.share[:, None] * (ends[1] - ends[0])

    @property
    def value(self) -> Numbers:
        """φ at the point."""
        ends = cubic(self.left), cubic(self.right)
        return self.point[:, 1] + (ends[0] + self.share * (ends[1] - ends[0]))

    @property
    def on_segment(self) -> np.ndarray:
        """Whether the face is more than an atom."""
        return np.asarray(self.left < self.right)

    def dual(self) -> Float[np.ndarray, "n 2"]:
        """The noise v (n,2)."""
        return np.stack([self.first, 1 + self.delta], axis=1)


def face_at(delta: Numbers, first: Numbers, step: Numbers) -> Face:
    """The u and v of gph ∂φ with v₂ = 1+δ and u₁ + λv₁ = z₁; with λ = 1 and z₁ the noise's of an atom's cell.

    Args:
        delta: (n,).
        first: (n,) z₁.
        step: (n,) λ.
    """
    at = jumps(delta)
    start = np.where(delta < LAST, (delta - 24 * END) * END, at.first)  # v₁ up to which g(−a) wins
    top = np.where(at.right < END, (3 * at.last - delta) * at.last, at.first)
    left = np.clip(larger_root(24 * step, 1 - step * delta, -first), -at.left, END)
    right = np.clip(larger_root(3 * step, 1 - step * delta, first), at.right, at.last)
    one, two = first - step * at.first, first - step * at.second  # u₁ on the two jumps
    share = [
        (u - low) / np.where(high > low, high - low, 1.0)
        for u, low, high in ((one, at.left, at.right), (two, at.last, np.full_like(two, ATOM)))
    ]
    kinds = [
        first <= step * start - END,
        one < at.left,
        one <= at.right,
        first < at.last + step * top,
        two <= at.last,
        two < ATOM,
    ]
    own = (first - np.array([-END, 0, 0, 0, END, ATOM])[:, None]) / step
    ends = np.full_like(delta, END)
    low = np.select(kinds, [-ends, -left, at.left, right, at.last, at.last], ATOM)
    high = np.select(kinds, [-ends, -left, at.right, right, at.last, ATOM + 0 * ends], ATOM)
    part = np.select(kinds, [0 * ends, 0 * ends, share[0], 0 * ends, 0 * ends, share[1]], 0.0)
    arc = steepness(low) - delta * low
    dual = np.select(kinds, [own[0], arc, at.first, arc, own[4], at.second], own[5])
    return Face(low, high, np.clip(part, 0.0, 1.0), dual, delta)


def larger_root(a: Numbers, b: Numbers, c: Numbers) -> Numbers:
    """The larger root of ax² + bx = c, a > 0, or of its vertex where there is none; no cancellation."""
    root = np.sqrt(np.maximum(b**2 + 4 * a * c, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        small = np.where(b > 0, 2 * c / (b + root), 0.0)
    return np.where(b > 0, small, (root - b) / (2 * a))


def face_of(x: Float[np.ndarray, "n 2"]) -> Face:
    """The face of a point of the hull, and the noise that ties it; an atom is an end of its face."""
    first, second = x[:, 0], np.maximum(x[:, 1], 0.0)
    under = (first > 0) & (second <= first**2 / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        slant = np.where(under & (first < 1), 2 * second / (1 - first), 0.0)
        s = np.where(slant > 0, 2 * slant / (slant + np.sqrt(slant**2 + 4 * slant)), 0.0)
        s = np.minimum(s, END)
        part = (first - s) / (1 - s)
        root = np.sqrt((1 - RATIO) ** 2 * first**2 + 8 * RATIO * second)
        near = (1 - RATIO) * first
        chord = np.where(first > 0, 4 * second / (near + root), (root - near) / (2 * RATIO))
        r = np.clip((2 * second - END * first) / (END - first), RATIO * END, END)
    fan = ~under & (chord > END)
    tip = np.where(fan, END, np.nan_to_num(chord))
    tail = np.where(fan, r, RATIO * tip)
    width = np.where(tip + tail > 0, tip + tail, 1.0)
    low, high = np.where(under, s, -tail), np.where(under, ATOM, tip)
    share = np.clip(np.where(under, part, (first + tail) / width), 0.0, 1.0)
    delta = np.where(under, before_atom(s), across(tail))
    tied = np.where(under, s**3 / (2 - s), (delta - 24 * tail) * tail)
    return Face(low, high, share, tied, delta)


def turning(face: Face) -> tuple[Numbers, Numbers]:
    """How faces of two atoms turn with their parameter: |⟨n, u'⟩| and |⟨n, v'⟩| (n,), n across the face.

    φ is affine along a face and has the curvature κ = ⟨n, v'⟩/⟨n, u'⟩ across. On an edge of the hull, which
    does not turn, the first is 0.
    """
    low, high, rest = face.left, face.right, 1 - face.share
    r, zero = -low, np.zeros_like(low)
    to_atom = np.stack([rest, rest * low, low**2 * (3 - low) / 2, (1 - low) * (3 - low)])
    to_atom[2:] /= (1 - low / 2) ** 2
    pair = np.stack(
        [
            face.share - RATIO * rest,
            high * (face.share + RATIO**2 * rest),
            2 * (3 - SLOPE) * high,
            SLOPE + zero,
        ]
    )
    rise = 32 - 36 * END**3 / (END + np.maximum(r, 0.0)) ** 3
    fan = np.stack([-rest, rest * r, face.delta + r * rise - 48 * r, rise])
    found = np.where(high > END, to_atom, np.where(high < END, pair, fan))
    edge = np.where(high > END, (face.delta <= 0) | (low >= END), (high >= END) & (low <= -END))
    ends = place(high) - place(low)
    length = np.hypot(ends[:, 0], ends[:, 1])
    normal = np.stack([-ends[:, 1], ends[:, 0]]) / np.where(length > 0, length, 1.0)
    lifted = np.abs((normal * found[:2]).sum(axis=0))
    return np.where(edge | ~face.on_segment, 0.0, lifted), np.abs((normal * found[2:]).sum(axis=0))
