r"""The nearest point of an arc: φ is affine on a circular segment.

On the circle |y − C| = R, |y|² is the affine function R² − |C|² + 2⟨C,y⟩; so the envelope of (a/2)|·|² on
an arc is (a/2)(R² − |C|²) + a⟨C,·⟩ on the arc's hull, a circular segment, and prox_{λφ}(z) is the
projection of z − λaC on it: an interior point, a radial one, one on the chord, or an end.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from numerics.accuracy import UNIT, Rounding
from numerics.geometry import norms, outer_complement, widest_turn
from numerics.potentials.closed_sets import Arc
from numerics.potentials.nearest_curved import NearestCurvedPoint
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.strata import Numbers, Points
from numerics.potentials.support_geometry import ManifoldGroup

_INSIDE, _RADIAL, _CHORD, _END = range(4)


class NearestArcPoint(NearestCurvedPoint, of=Arc):
    r"""The nearest point of an arc.

    Accuracy, u = 2⁻⁵³, w = z − λaC − C:

    - prox: projections are nonexpansive, so w's error δ counts once: λaC 2u, and u of each difference if C
      ≠ 0. Inside nothing else rounds; radially 4u·R and the sum; on the chord the frame (9u of |w|, 2u of a
      product, and 11u of each coordinate) and the sum; an end 9u·R and the sum. Where w is within its error
      of another region, that error once more.
    - D prox: inside 0; radial (R/|w|)(I − ŵŵᵀ): (10u + 3δ/|w|)R/|w|, 10 as of a circle (`Sphere`); the
      chord's direction 9u, so 28u. Within rounding of a border it may be that of the other side, √2 away at
      most.
    - K = (R/a|w|)(I − ŵŵᵀ) at w = x₀/a − C: the same with δ = u|x₀|/a + u|w|, and one rounding more; where w
      may be on either side of the ray through an end, beyond which K is 0, R/(a|w|) more, which errs by as
      much itself. H is ⟨aw, n⟩/R, so as accurate as K where n is along w.
    - φ = a((R² − |C|²)/2 + ⟨C,·⟩), term by term. The envelope: its slope along the hull is z − λaC − u over
      λ, so an error δ_u of u counts |y − aC|δ_u + δ_u²/(2λ); and 6u of |z−u|²/(2λ).
    """

    closed_set: Arc

    def _value(self, x: Points) -> Numbers:
        arc = self.closed_set
        w = (x - arc.centre) @ arc.frame
        off = np.maximum(norms(w) - arc.length, arc.length * arc.chord[0] - w[:, 0])
        return np.where(off > self._rounding, np.inf, self._affine(x))

    def _affine(self, x: Points) -> Numbers:
        arc = self.closed_set
        constant = (arc.length**2 - arc.centre @ arc.centre) / 2
        return np.asarray(self.curvature * (constant + x @ arc.centre))

    def _value_rounding(self, x: Points) -> Rounding:
        """The terms R²/2 once, |C|²/2 and ⟨C,x⟩ twice, their difference once; their sum and a times it."""
        arc, a = self.closed_set, self.curvature
        square = arc.centre @ arc.centre
        constant = arc.length**2 / 2 + square + np.abs(arc.length**2 - square) / 2
        return (
            Rounding(a * constant, 1, "a(R²−|C|²)/2")
            + Rounding(a * (np.abs(x) @ np.abs(arc.centre)), 2, "a⟨C,x⟩")
            + Rounding(np.abs(self._affine(x)), 2, "their sum, times a")
        )

    def _transport_jacobian(self, x0: Points) -> Float[np.ndarray, "n d d"]:
        w = x0 / self.curvature - self.closed_set.centre
        inside = np.abs(self.closed_set.turned(x0 / self.curvature)) < self.closed_set.half
        self._refuse_focal(norms(w) <= 2 * UNIT * norms(x0) / self.curvature)
        return _bent(w, inside, self.closed_set.length) / self.curvature

    def _transport_jacobian_rounding(self, x0: Points) -> Rounding:
        w = norms(x0 / self.curvature - self.closed_set.centre)
        inside = np.abs(self.closed_set.turned(x0 / self.curvature)) < self.closed_set.half
        shift = UNIT * (norms(x0) / self.curvature + w * bool(self.closed_set.centre.any()))
        size = self.closed_set.length / (self.curvature * w)
        beside = self._beside_an_end(x0, shift)
        own = np.where(inside | beside, size * (11 * UNIT + 3 * shift / w), 0.0)
        other = np.where(beside, size, 0.0)
        return Rounding.measured(own + other, "R/(a|w|) and the direction of w, or the other side's")

    def _beside_an_end(self, x0: Points, shift: Numbers) -> np.ndarray:
        """Whether w, off by ``shift``, may lie on the other side of the ray through an end.

        The angle from the middle errs by 17u of π, as in `Arc.nearest_rounding`.
        """
        image, arc = x0 / self.curvature, self.closed_set
        blur = widest_turn(shift, norms(image - arc.centre)) + 17 * np.pi * UNIT
        return np.asarray(np.abs(np.abs(arc.turned(image)) - arc.half) <= blur)

    def _transport_jacobian_change(self, x0: Points, radius: Numbers) -> Numbers:
        """√2·R/(a|w|²) is the slope of K, and K is 0 beyond the rays through the ends."""
        arc, a = self.closed_set, self.curvature
        w = norms(x0 / a - arc.centre)
        least = w - radius / a
        with np.errstate(divide="ignore"):
            size = np.where(least > 0, arc.length / (a * least), np.inf)
        inside = np.abs(arc.turned(x0 / a)) < arc.half
        bent = np.where(inside, np.sqrt(2) * radius / (a * w) * size, 0.0)
        jump = self._beside_an_end(x0, radius / a + UNIT * (norms(x0) / a + w))
        return np.where(radius > 0, np.where(jump, np.maximum(size, bent), bent), 0.0)

    def _manifolds(self, x1: Points, x0: Points) -> Sequence[ManifoldGroup]:
        """H = ⟨x₀ − aC, n⟩/R, n the outward normal at x₁: a − ⟨x₀ − ax₁, II⟩ without its cancellation."""
        arc, groups = self.closed_set, super()._manifolds(x1, x0)
        normal = x1 - arc.centre
        normal = normal / norms(normal)[:, None]
        bend = ((x0 - self.curvature * arc.centre) * normal).sum(axis=1) / arc.length
        return [
            ManifoldGroup(g.rows, g.tangent, bend[g.rows, None, None] if g.dimension else g.hessian)
            for g in groups
        ]

    # --- proximal maps --------------------------------------------------------------------------

    def _solve(self, z: Points, step: Numbers) -> ProximalPoint:
        arc = self.closed_set
        inner = z - (step * self.curvature)[:, None] * arc.centre
        w = inner - arc.centre
        along = w @ arc.frame
        region, kink = self._region(along)
        point = self._projected(inner, w, along, region)
        error = self._error(inner, w, along, step, region, kink)
        return ProximalPoint(
            z,
            step,
            point,
            envelope=lambda: self._affine(point) + ((z - point) ** 2).sum(axis=1) / (2 * step),
            jacobian=lambda: self._slopes(w, region),
            kink=lambda: kink,
            errors=(
                lambda: Rounding.measured(error, "projection on a circular segment, a posteriori"),
                lambda: self._envelope_error(z, step, point, error),
                lambda: self._slope_error(w, region, kink, self._shift(inner, w, step)),
            ),
        )

    def _region(self, along: Points) -> tuple[np.ndarray, Numbers]:
        """Where w lies, and its distance from the region's border."""
        arc = self.closed_set
        cosine, sine = arc.chord
        length, turned = norms(along), np.abs(np.arctan2(along[:, 1], along[:, 0]))
        over, aside = along[:, 0] - arc.length * cosine, arc.length * sine - np.abs(along[:, 1])
        inside = (length <= arc.length) & (over >= 0)
        radial = ~inside & (turned <= arc.half) & (length > arc.length)
        chord = ~inside & ~radial & (over <= 0) & (aside >= 0)
        region = np.select([inside, radial, chord], [_INSIDE, _RADIAL, _CHORD], _END)
        apart = np.abs(turned - arc.half)
        to_ray = length * np.sin(np.minimum(apart, np.pi / 2))
        kinks = [
            np.minimum(arc.length - length, over),
            np.minimum(length - arc.length, to_ray),
            np.minimum(-over, aside),
            np.minimum(-aside, to_ray),
        ]
        return region, np.maximum(np.choose(region, kinks), 0.0)

    def _projected(self, inner: Points, w: Points, along: Points, region: np.ndarray) -> Points:
        arc = self.closed_set
        length = np.where(region == _RADIAL, norms(w), 1.0)[:, None]
        radial = arc.centre + arc.length * w / length
        flat = np.stack([np.full(len(w), arc.length * arc.chord[0]), along[:, 1]], axis=1)
        chord = arc.centre + flat @ arc.frame.T
        ends = arc.ends[(along[:, 1] > 0).astype(int)]
        return np.choose(region[:, None], [inner, radial, chord, ends])

    def _shift(self, inner: Points, w: Points, step: Numbers) -> Numbers:
        """By how much w may be off."""
        size = norms(self.closed_set.centre)
        return UNIT * (2 * step * self.curvature * size + (norms(inner) + norms(w)) * bool(size))

    def _error(
        self, inner: Points, w: Points, along: Points, step: Numbers, region: np.ndarray, kink: Numbers
    ) -> Numbers:
        arc = self.closed_set
        size, length = norms(arc.centre), norms(w)
        shift = self._shift(inner, w, step)
        sum_ = UNIT * (size + arc.length) * bool(size)
        alone = UNIT * (2 * step * self.curvature * size + norms(inner) * bool(size))
        chord = shift + UNIT * (11 * length + 22 * arc.length) + sum_
        each = [alone, shift + 4 * UNIT * arc.length + sum_, chord, 9 * UNIT * arc.length + sum_]
        blur = self._blur(w, shift)
        return np.choose(region, each) + np.where(kink <= blur, blur + 11 * UNIT * arc.length, 0.0)

    def _blur(self, w: Points, shift: Numbers) -> Numbers:
        """How near a border w may be taken for a point beyond it."""
        return shift + 12 * UNIT * norms(w)

    def _slopes(self, w: Points, region: np.ndarray) -> Float[np.ndarray, "n d d"]:
        along = self.closed_set.frame[:, 1]
        jacobian = _bent(w, region == _RADIAL, self.closed_set.length)
        jacobian[region == _INSIDE] = np.eye(2)
        jacobian[region == _CHORD] = np.outer(along, along)
        return jacobian

    def _slope_error(self, w: Points, region: np.ndarray, kink: Numbers, shift: Numbers) -> Rounding:
        length = np.where(region == _RADIAL, norms(w), np.inf)
        size = self.closed_set.length / length
        bound = size * (10 * UNIT + 3 * shift / length) + 28 * UNIT * (region == _CHORD)
        bound += np.where(kink <= self._blur(w, shift), np.sqrt(2), 0.0)
        return Rounding.measured(bound, "(R/|w|)(I − ŵŵᵀ), or the chord's direction")

    def _envelope_error(self, z: Points, step: Numbers, point: Points, error: Numbers) -> Rounding:
        away = norms(z - point)
        tilt = norms(z - point - (step * self.curvature)[:, None] * self.closed_set.centre) / step
        moved = Rounding(away**2 / (2 * step), 6.0, "|z−u|²/(2λ)")
        slip = Rounding.measured(error * (tilt + error / (2 * step)), "the prox's error, times the slope")
        total = Rounding(np.abs(self._affine(point)) + away**2 / (2 * step), 1.0, "the sum")
        return self._value_rounding(point) + moved + slip + total

    # --- geometry -------------------------------------------------------------------------------

    def _face(self, x: Float[np.ndarray, " d"], rounding: float) -> Points | None:
        """The ends for the chord; inside, the ends and the middle of the arc."""
        arc = self.closed_set
        if not np.isfinite(self._value(x[None])[0]):
            return None
        near = arc.nearest(x[None])
        if norms(near - x)[0] <= rounding:
            return near
        over = ((x - arc.centre) @ arc.frame)[0] - arc.length * arc.chord[0]
        middle = arc.centre + arc.length * arc.frame[:, 0]
        return arc.ends if over <= rounding else np.concatenate([arc.ends, middle[None]])


def _bent(w: Points, rows: np.ndarray, length: float) -> Float[np.ndarray, "n d d"]:
    """(length/|w|)(I − ŵŵᵀ) where ``rows``, 0 elsewhere."""
    jacobian = np.zeros((len(w), 2, 2))
    size = norms(w[rows])
    jacobian[rows] = (length / size)[:, None, None] * outer_complement(w[rows] / size[:, None])
    return jacobian
