r"""The nearest point of an ellipse: φ is a quadratic on the solid ellipse.

With semi-axes A ≥ B along p and q, |y|² = B² + κp² on the ellipse, κ = 1 − B²/A² ≥ 0; the right side is
convex and constant along the chords parallel to the minor axis, whose ends lie on the ellipse: it is the
envelope, φ = (a/2)(B² + κp²). So prox_{λφ}(z) is (p/(1+λaκ), q) where that lies inside, and elsewhere the
projection of z/(1+aλ).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from numerics.accuracy import UNIT, Rounding
from numerics.geometry import norms
from numerics.potentials.curves import Ellipse
from numerics.potentials.ellipse_projection import EllipsePoint, project
from numerics.potentials.nearest_curved import NearestCurvedPoint
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.strata import Numbers, Points


class NearestEllipsePoint(NearestCurvedPoint, of=Ellipse):
    r"""The nearest point of an ellipse.

    Accuracy, u = 2⁻⁵³:

    - prox inside: q exactly, and sp with s = 1/(1 + λaκ), κ = (A−B)(A+B)/A² (5u): λaκ errs by 7u, so s by
      (7(1−s) + 2)u relatively, and sp by one rounding more; on the ellipse that of `project` at z/(1+aλ),
      whose quotient it allows for and whose 1+aλ errs by 2u. Where z is within rounding of the border of the
      two, both.
    - K = (stretch/a)ττᵀ and D prox = (stretch/(1+aλ))ττᵀ on the ellipse, stretch = S²/(DY² + ν): with t the
      error of the angle of (X,Y), relatively 2tD|XY||1/S² − 1/(DY²+ν)| + δν/(DY²+ν), and √2 times what τ
      turns by, t·AB/S². Then roundings: S² 4u; DY² + ν 1u of the sum, and 5u of DY², or, in the share of ν,
      6u: the length of (X,Y) errs by 3u (norm and quotient), twice in S² and in DY², and not in ν; the
      quotients by it and by a, the products with τ 2u; the length of τ, of which the norm errs by 2u and the
      quotient by 1u, 6u; and the turn by which products and quotients part the coordinates, |sin cos|·4u,
      √2·2u: both 7u. Together 22u. Inside, diag(s, 1), s as above. Within rounding of the border, √2 for the
      other side's.
    - Where z is off by m, of which t along τ and n across, the angle turns by dθ = t·S/(DY²+ν), and ν, as
      z = (X(D+ν)/A, Yν/B), changes by −(ν−B²)DXY/S²·dθ + (AB/S)n. So stretch, whose S² and DY² grow by
      2DXY·dθ each, changes relatively by 3DXY·dθ(1/S² − 1/(DY²+ν)) − (AB/S)n/(DY²+ν), to first order.
    - Beside the cusp only DY²+ν changes by much, by r of itself, D·dθ² included, and stretch by r/(1−r).
      Where that is not less than 1, K is refused, as it may be infinite; D prox is at most 1, and two of rank
      1 differ by √2 times the larger.
    - φ = (a/2)(B² + κp²): κp² 7u, B² 1u, and 2u of φ. The envelope, of slope y along the hull: an error δ of
      the prox counts (|y − ∇φ|)δ + δ²(1/λ + aκ)/2, and 6u of |z−u|²/(2λ).
    """

    closed_set: Ellipse

    def _flatness(self) -> float:
        """κ."""
        major, minor = self.closed_set.major, self.closed_set.minor
        return (major - minor) * (major + minor) / major**2

    def _value(self, x: Points) -> Numbers:
        e = self.closed_set
        off = norms(x - e.nearest(x))
        outside = ((x / e.semi_axes) ** 2).sum(axis=1) > 1
        return np.where(outside & (off > self._rounding), np.inf, self._quadratic(x))

    def _quadratic(self, x: Points) -> Numbers:
        p = x[:, self.closed_set.long]
        return np.asarray(self.curvature / 2 * (self.closed_set.minor**2 + self._flatness() * p**2))

    def _value_rounding(self, x: Points) -> Rounding:
        square, total = self.closed_set.minor**2, self._quadratic(x)
        bent = Rounding(np.maximum(total - self.curvature / 2 * square, 0.0), 7, "κp², κ to 5 roundings")
        return bent + Rounding(self.curvature / 2 * square, 1, "B²") + Rounding(total, 2, "(a/2)(B² + κp²)")

    def _transport_rounding(self, x0: Points) -> Rounding:
        """x₀/a errs relatively in each coordinate, not across the medial axis; `project` allows for it."""
        found = self.closed_set.project(x0 / self.curvature)
        return Rounding.measured(found.local, "secular equation, a posteriori")

    def _transport_change(self, x0: Points, radius: Numbers) -> Numbers:
        found = self.closed_set.project(x0 / self.curvature, radius / self.curvature)
        return found.error - found.local

    def _transport_jacobian(self, x0: Points) -> Float[np.ndarray, "n d d"]:
        found = self.closed_set.project(x0 / self.curvature)
        self._refuse_focal(~(self._relative(found, np.zeros(len(x0))) < 1))
        return self._tangential(found, found.stretch / self.curvature)

    def _transport_jacobian_rounding(self, x0: Points) -> Rounding:
        """`project` allows for the rounding of x₀/a."""
        found = self.closed_set.project(x0 / self.curvature)
        relative = self._relative(found, np.zeros(len(x0)))
        return Rounding.measured(found.stretch / self.curvature * relative, "S²/(DY²+ν) and τ")

    def _relative(self, found: EllipsePoint, moved: Numbers) -> Numbers:
        """Relative error of stretch·ττᵀ at a projection whose argument is off by ``moved``."""
        e = self.closed_set
        focal = (e.major - e.minor) * (e.major + e.minor)
        x, y = np.abs(found.unit[:, e.long]), np.abs(found.unit[:, 1 - e.long])
        square = (e.major * y) ** 2 + (e.minor * x) ** 2
        below = focal * y**2 + found.multiplier
        nu = found.off + e.major * e.minor / np.sqrt(square) * moved
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            carried = np.where(moved > 0, found.stretch * moved / np.sqrt(square), 0.0)
            slope = focal * x * y * np.abs(1 / square - 1 / below)
            angle = found.turned + carried
            bend = (2 * found.turned + 3 * carried) * slope + (nu + focal * angle**2) / below
            bend = np.where(bend < 1, bend / (1 - bend), np.inf)
        return bend + np.sqrt(2) * angle * e.major * e.minor / square + 22 * UNIT

    def _tangential(self, found: EllipsePoint, size: Numbers) -> Float[np.ndarray, "n d d"]:
        """size·ττᵀ, τ the unit tangent."""
        along = found.unit[:, ::-1] * self.closed_set.semi_axes * np.array([-1.0, 1.0])
        along /= norms(along)[:, None]
        return size[:, None, None] * along[:, :, None] * along[:, None, :]

    # --- proximal maps --------------------------------------------------------------------------

    def _solve(self, z: Points, step: Numbers) -> ProximalPoint:
        e, growth = self.closed_set, 1 + self.curvature * step
        shrink = np.ones_like(z)
        shrink[:, e.long] = 1 / (1 + step * self.curvature * self._flatness())
        inner = z * shrink
        inside = ((inner / e.semi_axes) ** 2).sum(axis=1) <= 1
        size = 2 * UNIT * norms(z) / growth
        found = e.project(z / growth[:, None])
        point = np.where(inside[:, None], inner, found.unit * e.semi_axes)
        face = _Faces(inside, found, growth, shrink, size)
        kink = self._border(z, shrink)
        # on the ellipse the projection's mirror image is no rival: ν > 0 is bounded below there
        errors = self._error(z, point, face, kink)
        return ProximalPoint(
            z,
            step,
            point,
            envelope=lambda: self._quadratic(point) + ((z - point) ** 2).sum(axis=1) / (2 * step),
            jacobian=lambda: self._slopes(face),
            kink=lambda: kink,
            errors=(
                lambda: Rounding.measured(errors, "secular equation, a posteriori"),
                lambda: self._envelope_error(z, step, point, errors),
                lambda: self._slope_error(z, face, kink),
            ),
        )

    def _border(self, z: Points, shrink: Points) -> Numbers:
        """Distance of z from the ellipse that prox maps onto this one's inside, semi-axes A(1+λaκ) and B."""
        e = self.closed_set
        long, short = z[:, e.long], z[:, 1 - e.long]
        axes = e.major / shrink[:, e.long], np.full(len(z), e.minor)
        turned = np.stack([long, short], axis=1)
        found = project(turned, axes[0], axes[1], 0.0)
        return norms(turned - found.unit * np.stack(axes, axis=1)) / (1 + 1e-12)

    def _error(self, z: Points, point: Points, face: "_Faces", kink: Numbers) -> Numbers:
        shrink = face.shrink[:, self.closed_set.long]
        alone = (7 * (1 - shrink) + 3) * UNIT * np.abs(point[:, self.closed_set.long])
        blur = self._blur(z, face)
        near = np.where(kink <= blur, blur, 0.0)
        on_set = face.found.local + np.minimum(face.found.stretch, face.growth) * face.size
        return np.where(face.inside, alone, on_set) + near

    def _blur(self, z: Points, face: "_Faces") -> Numbers:
        """How near the border z may be taken for a point beyond it."""
        return 16 * UNIT * (norms(z) + self.closed_set.major / face.shrink[:, self.closed_set.long])

    def _slopes(self, face: "_Faces") -> Float[np.ndarray, "n d d"]:
        stretch = np.where(face.inside, 0.0, face.found.stretch)  # +inf at a circle's centre
        jacobian = self._tangential(face.found, stretch / face.growth)
        flat = face.shrink[:, :, None] * np.eye(2)
        return np.where(face.inside[:, None, None], flat, jacobian)

    def _slope_error(self, z: Points, face: "_Faces", kink: Numbers) -> Rounding:
        e = self.closed_set
        bent = face.found.stretch / face.growth * (self._relative(face.found, face.size) + 3 * UNIT)
        bent = np.minimum(bent, np.sqrt(2) * np.maximum(face.found.stretch / face.growth, 1.0))
        shrink = face.shrink[:, e.long]
        flat = (7 * (1 - shrink) + 2) * UNIT * shrink
        bound = np.where(face.inside, flat, bent) + np.where(kink <= self._blur(z, face), np.sqrt(2), 0.0)
        return Rounding.measured(bound, "S²/(DY²+ν) and τ, or 1/(1+λaκ)")

    def _envelope_error(self, z: Points, step: Numbers, point: Points, error: Numbers) -> Rounding:
        e = self.closed_set
        away = norms(z - point)
        tilt = (z - point) / step[:, None]
        tilt[:, e.long] -= self.curvature * self._flatness() * point[:, e.long]
        slip = error * (norms(tilt) + error * (1 / step + self.curvature) / 2)
        moved = Rounding(away**2 / (2 * step), 6.0, "|z−u|²/(2λ)")
        total = Rounding(self._quadratic(point) + away**2 / (2 * step), 1.0, "the sum")
        return self._value_rounding(point) + moved + total + Rounding.measured(slip, "the prox's error")

    # --- geometry -------------------------------------------------------------------------------

    def _face(self, x: Float[np.ndarray, " d"], rounding: float) -> Points | None:
        """The ends of the chord through x along the minor axis; of a circle, three points."""
        e = self.closed_set
        if not np.isfinite(self._value(x[None])[0]):
            return None
        near = e.nearest(x[None])
        if norms(near - x)[0] <= rounding:
            return near
        if e.major == e.minor:
            angle = np.array([0.0, 2.0, 4.0]) * np.pi / 3
            return e.major * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        ratio = x[e.long] / e.major
        atoms = np.stack([x, x])
        atoms[:, 1 - e.long] = np.array([1, -1]) * e.minor * np.sqrt(max((1 - ratio) * (1 + ratio), 0.0))
        return atoms


@dataclass(frozen=True)
class _Faces:
    """What `_solve` found: the points inside, projections, 1 + aλ, 1/(1+λaκ), the argument's error."""

    inside: np.ndarray
    found: EllipsePoint
    growth: Numbers
    shrink: Points
    size: Numbers
