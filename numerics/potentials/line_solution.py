r"""One solve of λs + T(s) ∋ z for the noise s, and what everything read off it errs by.

The bracket [s₋, s₊] has λs₋ + T(s₋) ≤ z ≤ λs₊ + T(s₊) as computed. With T right up to a noise δ and a length
e (line_laws.py), and ρ the rounding of λs + T − z, monotonicity puts the exact noise within

$Δ = (s_+ - s_-) + 2δ + (ρ + e)/λ$

of the bracket, also where T is asked at its own end, which counts δ again. The prox is z − λs for an end of
the bracket, clipped to [T(s₋), T(s₊)]. It errs by no more than $λ(s_+ - s_- + δ) + ρ + e$ and the rounding of
z − λs, or ρ where it is clipped; nor by more than T(s₊+Δ) − T(s₋−Δ) + 2e: the smaller is stated.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from numerics.accuracy import EPS, UNIT
from numerics.potentials.line_laws import Law
from numerics.potentials.normal import Values
from numerics.solvers.crossings import crossing

_BESIDE_0 = 5e-324


@dataclass(frozen=True)
class LineSolution:
    """The solution at z (n,) with step (n,).

    Attributes:
        law, z, step: What was solved.
        below, above: (n,) the bracket of the noise.
        point: (n,) the prox.
    """

    law: Law
    z: Values
    step: Values
    below: Values
    above: Values
    point: Values

    @cached_property
    def noise(self) -> Values:
        """The middle of the bracket."""
        return np.asarray((self.below + self.above) / 2)

    @cached_property
    def _own(self) -> tuple[Values, Values]:
        """δ, and e + ρ."""
        ends = (self.below, self.above)
        delta = np.maximum(*(self.law.backward(s) for s in ends))
        forward = np.maximum(*(self.law.forward(s) for s in ends))
        return delta, forward + UNIT * (np.abs(self.step * self.noise) + np.abs(self.z))

    @cached_property
    def reach(self) -> Values:
        """Δ, at most the whole line of noise."""
        delta, length = self._own
        with np.errstate(over="ignore"):
            found = (self.above - self.below) + 2 * delta + length / self.step
        return np.minimum(found, self.law.cut[1] - self.law.cut[0])

    @cached_property
    def bound(self) -> Values:
        """By how much the prox errs."""
        inside = (self.below > self.law.cut[0]) & (self.above < self.law.cut[1])
        formed = UNIT * (np.abs(self.step * self.noise) + np.maximum(np.abs(self.point), np.abs(self.z)))
        delta, length = self._own
        along = self.step * (self.above - self.below + delta) + length + formed
        ends = [np.clip(s, *self.law.cut) for s in (self.below - self.reach, self.above + self.reach)]
        risen = self.law.transport(ends[1]) - self.law.transport(ends[0])
        own = [
            np.where(inside, self.law.forward(s), self.law.error(s)) for s in ends
        ]  # at the cut T errs by δ, too
        across = np.maximum(risen + own[0] + own[1], 0.0)
        return np.where(inside, np.minimum(along, across), across)

    @cached_property
    def kink(self) -> Values:
        """Distance of z to the nearest corner λs + T(s) of the graph, less what it errs by."""
        noise, places = self.law.corners(self.noise)
        at = self.step[:, None] * noise + places
        nearest = np.abs(at - self.z[:, None])
        k = nearest.argmin(axis=1)[:, None]
        s, x = (np.take_along_axis(values, k, axis=1)[:, 0] for values in (noise, places))
        off = self.step * self.law.backward(s) + self.law.forward(s)
        off = off + 4 * UNIT * (np.abs(self.step * s) + np.abs(x) + np.abs(self.z))
        return np.maximum(nearest.min(axis=1) - off, 0.0)

    @cached_property
    def _curvature(self) -> Values:
        return self.law.curvature(self.point, self.noise)

    @cached_property
    def jacobian(self) -> Values:
        """1/(1 + λφ''): 1 in a hole of the support, 0 at an atom and beyond the ends."""
        return np.asarray(1 / (1 + self.step * self._curvature))

    @cached_property
    def jacobian_bound(self) -> Values:
        """J(1−J) times the relative error of T' at the noise, and 3 roundings; 1 on a kink.

        The noise is known within Δ, or as λs + T(s) at the slope λ + T', up to twice that.
        """
        j = self.jacobian
        smooth = (self._curvature > 0) & np.isfinite(self._curvature)
        slope = 1 / np.where(smooth, self._curvature, 1.0)
        delta, length = self._own
        near = (self.above - self.below) + 2 * delta + 2 * length / (self.step + slope)
        moved = np.where(smooth, np.minimum(self.reach, near), 0.0)
        ends = [self.law.slope(np.clip(self.noise + sign * moved, *self.law.cut)) for sign in (-1, 1)]
        changed = np.maximum(np.abs(ends[0] - slope), np.abs(ends[1] - slope))
        with np.errstate(all="ignore"):
            relative = np.where(smooth, (self.law.slope_error(self.noise) + changed) / slope, 0.0)
        bound = j * (1 - j) * relative + 3 * UNIT * j * smooth
        return np.where(self.kink > 0, np.minimum(bound, 1.0), 1.0)

    @cached_property
    def envelope(self) -> Values:
        """Sx − φ*(s) + |z−x|²/(2λ) at the point x: second order in the noise's error."""
        moved = (self.z - self.point) ** 2 / (2 * self.step)
        return self.noise * self.point - self.law.primitive(self.noise) + moved

    @cached_property
    def envelope_bound(self) -> Values:
        """The concave dual sz − λs²/2 − φ*(s) is that much below its maximum, and what is left of it.

        With m = z − x − λs the value is the dual's at s plus m²/(2λ); beyond the ends the point is the end,
        and only its own error matters. φ*'s statement and 4 roundings of the terms are added.
        """
        s, x = self.noise, self.point
        m = self.z - x - self.step * s
        inside = (self.below > self.law.cut[0]) & (self.above < self.law.cut[1])
        missed = np.abs(m) + self.law.error(s) + 4 * UNIT * (np.abs(self.z) + np.abs(self.step * s))
        near = np.minimum(self.reach, 2 * missed / self.step)
        second = np.where(inside, near * missed + m**2 / (2 * self.step), np.abs(m) / self.step * self.bound)
        terms = np.abs(s * x) + np.abs(self.law.primitive(s)) + (self.z - x) ** 2 / self.step
        return second + self.law.primitive_error(s) + 4 * UNIT * terms


def solve(law: Law, z: Values, step: Values) -> LineSolution:
    """Bracket the noise between neighbouring doubles, from 0 and (z − T(0))/λ."""
    middle, beyond = (float(x) for x in law.transport(np.array([0.0, _BESIDE_0])))
    if hasattr(law, "brackets"):
        below, above = law.brackets(z, step)
    else:
        below, above = _bracket(law, z, step, (middle, beyond))
    point = z - step * np.where(z < middle, above, below)
    return LineSolution(
        law, z, step, below, above, np.clip(point, law.transport(below), law.transport(above))
    )


def _bracket(law: Law, z: Values, step: Values, images: tuple[float, float]) -> tuple[Values, Values]:
    """By the values of T at 0 and next to it: where it jumps over z there, halving would take 64 steps."""

    def excess(s: Values, z: Values, step: Values) -> Values:
        return step * s + law.transport(s) - z

    with np.errstate(over="ignore"):
        ratio = (z - images[0]) / step
    slack = 4 * EPS * np.minimum(np.abs(ratio), law.cut[1]) + 1e-300
    below = np.clip(np.minimum(0.0, ratio) - slack, law.cut[0], 0.0)
    above = np.clip(np.maximum(0.0, ratio) + slack, 0.0, law.cut[1])
    at_below, at_above = excess(below, z, step), excess(above, z, step)
    for end, at, beyond, cut in (
        (below, at_below, at_below > 0, law.cut[0]),
        (above, at_above, at_above < 0, law.cut[1]),
    ):
        if beyond.any():
            end[beyond] = cut
            at[beyond] = excess(end[beyond], z[beyond], step[beyond])
    below, above = np.where(at_above <= 0, above, below), np.where(at_below >= 0, below, above)
    at_jump = (images[0] < z) & (z < images[1])
    below[at_jump], above[at_jump] = 0.0, _BESIDE_0
    inner = (at_below < 0) & (at_above > 0) & ~at_jump
    if inner.any():
        below[inner], above[inner] = crossing(
            excess,
            *(below[inner], above[inner]),
            given=(z[inner], step[inner]),
            ends=(at_below[inner], at_above[inner]),
        )
    return below, above
