r"""The nearest point of a torus: everything happens in the half-plane through the axis and z.

φ is invariant under rotations about the axis and reflections in planes that hold it, so prox keeps the
azimuth e of z. With ρ, ζ cylindrical coordinates, φ*(x₀) = Rρ + r|(ρ − aR, ζ)| − a(R² + r²)/2, and with
k = (z_ρ − R(1+aλ), z_ζ) the dual min φ* + λ|·|²/2 − ⟨z,·⟩ gives

- disc, |k| ≤ r: slope aR·e, u = (z_ρ − λaR)e + z_ζe₃, in the tube's disc at e, a continuum of atoms;
- tube, λρ₀ = z_ρ − R − r k_ρ/|k| ≥ 0: u = Re + rk/|k|, on the torus;
- axis, else: slope ζ₀e₃ with rζ₀/√(a²R² + ζ₀²) + λζ₀ = z_ζ, u = (z₁, z₂, z_ζ − λζ₀), in a horizontal disc
  that a circle of the torus bounds.

So φ is aRρ + a(r² − R²)/2 on the tube's discs and a(R² + r²)/2 − aR√(r² − ζ²) on the horizontal ones,
infinitely steep at the top circle: there a rounded point of the torus is taken for the point of M beside it.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from numerics.accuracy import UNIT, Rounding
from numerics.geometry import norms
from numerics.potentials.nearest_curved import NearestCurvedPoint
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.strata import Numbers, Points
from numerics.potentials.torus import Torus

_DISC, _TUBE, _AXIS = range(3)
_STEPS = 100


@dataclass(frozen=True)
class Meridian:
    """z in its half-plane: azimuth e (n,3), ρ, k (n,2) and |k|, the region, ζ₀ on the axis and its error."""

    azimuth: Points
    radius: Numbers
    tube: Float[np.ndarray, "n 2"]
    length: Numbers
    region: np.ndarray
    slope: Numbers
    slope_error: Numbers


class NearestTorusPoint(NearestCurvedPoint, of=Torus):
    r"""The nearest point of a torus.

    Accuracy, u = 2⁻⁵³. z_ρ errs by 2u, e by 4u, k by δ = u(2z_ρ + 3R(1+aλ) + |k|):

    - disc: z_ρ − λaR by u(2z_ρ + 2λaR) and its difference, times e: 5u|u|. Tube: R·e 5u, r·k/|k| 4u and
      δ/|k|, times e 5u, and the sum. Axis: ζ₀ by its residual over the equation's slope, a posteriori, then
      r a²R²/(…)^{3/2} times it, and 5u.
    - At a border, where z is within its error of it, once more; D prox may be the other side's there.
    - K = (R + r n_ρ)/ρ·ααᵀ + (r/|q|)mmᵀ with q = (ρ − aR, ζ) (α azimuthal, m along the meridian), D prox
      alike: m turns by δ/|k|; the first size errs by 4u of itself and of r/ρ (n_ρ, its product), ααᵀ by 8u (e
      4u, which counts as common to both, the coordinates and two products 4u); the second with mmᵀ by 14u.
    """

    closed_set: Torus

    def _constants(self) -> tuple[float, float, float]:
        return self.closed_set.major, self.closed_set.minor, self.curvature

    # --- values ---------------------------------------------------------------------------------

    def _value(self, x: Points) -> Numbers:
        major, minor, _ = self._constants()
        rho, zeta = np.hypot(x[:, 0], x[:, 1]), np.abs(x[:, 2])
        from_tube = np.hypot(rho - major, zeta) - minor
        beyond = np.where(rho > major, from_tube, zeta - minor)
        return np.where(beyond > self._rounding, np.inf, self._inside(rho, zeta, from_tube))

    def _inside(self, rho: Numbers, zeta: Numbers, from_tube: Numbers) -> Numbers:
        major, minor, a = self._constants()
        reach, on_axis = self._over_the_hole(rho, zeta, from_tube)
        disc = a * major * (rho - major) + a * (major**2 + minor**2) / 2
        axis = a * (major**2 + minor**2) / 2 - a * major * reach
        return np.where(on_axis, axis, disc)

    def _over_the_hole(self, rho: Numbers, zeta: Numbers, from_tube: Numbers) -> tuple[Numbers, np.ndarray]:
        """√(r²−ζ²), and whether the horizontal disc at ζ holds the point, off the tube."""
        major, minor, _ = self._constants()
        reach = np.sqrt(np.maximum((minor - zeta) * (minor + zeta), 0.0))
        return reach, (rho <= major - reach) & (from_tube > self._rounding)

    def _value_rounding(self, x: Points) -> Rounding:
        """On the tube's discs ρ errs by 2u; √((r−ζ)(r+ζ)) by 2.5u relatively, so the axis' term by 4.5u."""
        major, minor, a = self._constants()
        rho, zeta = np.hypot(x[:, 0], x[:, 1]), np.abs(x[:, 2])
        reach, on_axis = self._over_the_hole(rho, zeta, np.hypot(rho - major, zeta) - minor)
        disc = Rounding(a * major * np.abs(rho - major), 3, "aR(ρ−R)") + Rounding(a * major * rho, 2, "ρ")
        axis = Rounding(a * major * reach, 4.5, "aR√(r²−ζ²)")
        term = Rounding.measured(np.where(on_axis, axis.bound, disc.bound), "aR(ρ−R), or aR√(r²−ζ²)")
        value = np.nan_to_num(np.abs(self._value(x)), posinf=0.0)
        return term + self._squares() + Rounding(value, 1, "their sum")

    def _squares(self) -> Rounding:
        major, minor, a = self._constants()
        return Rounding(a * (major**2 + minor**2) / 2, 3, "a(R²+r²)/2")

    def _transport_jacobian(self, x0: Points) -> Float[np.ndarray, "n d d"]:
        major, minor, a = self._constants()
        rho = np.hypot(x0[:, 0], x0[:, 1])
        q = np.stack([rho - a * major, x0[:, 2]], axis=1)
        length = norms(q)
        self._refuse_focal((rho == 0) | (length <= UNIT * (a * major + rho)))
        around = (major + minor * q[:, 0] / length) / rho
        return self._frames(x0, q, around, minor / length, np.zeros(len(x0)))

    def _transport_jacobian_rounding(self, x0: Points) -> Rounding:
        major, minor, a = self._constants()
        rho = np.hypot(x0[:, 0], x0[:, 1])
        length = np.hypot(rho - a * major, x0[:, 2])
        twist = UNIT * (3 * rho + 2 * a * major) / length + 4 * UNIT
        around = np.abs(major + minor * (rho - a * major) / length) / rho
        own = around * 12 * UNIT + minor / rho * (4 * UNIT + twist)
        bound = own + minor / length * (3 * twist + 14 * UNIT)
        return Rounding.measured(bound, "the circles' curvatures and the meridian's direction")

    def _frames(
        self, x: Points, normal: Float[np.ndarray, "n 2"], around: Numbers, along: Numbers, across: Numbers
    ) -> Float[np.ndarray, "n d d"]:
        """around·ααᵀ + along·mmᵀ + across·nnᵀ for the azimuth of x and the normal n in its half-plane."""
        e = self._azimuth(x)
        alpha = np.stack([-e[:, 1], e[:, 0], np.zeros(len(x))], axis=1)
        n = normal / norms(normal)[:, None]
        up = np.array([0.0, 0.0, 1.0])
        outward = n[:, :1] * e + n[:, 1:] * up
        meridian = -n[:, 1:] * e + n[:, :1] * up
        parts = ((around, alpha), (along, meridian), (across, outward))
        return np.asarray(sum(s[:, None, None] * v[:, :, None] * v[:, None, :] for s, v in parts))

    def _azimuth(self, z: Points) -> Points:
        rho = np.hypot(z[:, 0], z[:, 1])
        e = z * np.array([1.0, 1.0, 0.0]) / np.where(rho > 0, rho, 1.0)[:, None]
        e[rho == 0, 0] = 1.0
        return e

    # --- proximal maps --------------------------------------------------------------------------

    def _solve(self, z: Points, step: Numbers) -> ProximalPoint:
        at = self._meridian(z, step)
        point = self._point(z, step, at)
        kink = self._border(z, step, at)
        error = self._error(z, step, at, kink)
        return ProximalPoint(
            z,
            step,
            point,
            envelope=lambda: self._heights(at, point) + ((z - point) ** 2).sum(axis=1) / (2 * step),
            jacobian=lambda: self._slopes(z, step, at),
            kink=lambda: kink,
            errors=(
                lambda: Rounding.measured(error, "disc, tube or axis in closed form"),
                lambda: self._envelope_error(z, step, at, point, error),
                lambda: self._slope_error(z, step, at, kink),
            ),
        )

    def _meridian(self, z: Points, step: Numbers) -> Meridian:
        major, minor, a = self._constants()
        rho = np.hypot(z[:, 0], z[:, 1])
        tube = np.stack([rho - major * (1 + a * step), z[:, 2]], axis=1)
        length = norms(tube)
        disc = length <= minor
        cosine = tube[:, 0] / np.where(length > 0, length, 1.0)
        region = np.where(disc, _DISC, np.where(rho - major - minor * cosine >= 0, _TUBE, _AXIS))
        slope, error = _axis_slope(np.abs(z[:, 2]), step, a * major, minor)
        return Meridian(self._azimuth(z), rho, tube, length, region, np.copysign(slope, z[:, 2]), error)

    def _point(self, z: Points, step: Numbers, at: Meridian) -> Points:
        major, minor, a = self._constants()
        up = np.array([0.0, 0.0, 1.0])
        disc = (at.radius - step * (a * major))[:, None] * at.azimuth + z * up
        n = at.tube / np.where(at.length > 0, at.length, 1.0)[:, None]
        tube = (major + minor * n[:, :1]) * at.azimuth + minor * n[:, 1:] * up
        axis = z * np.array([1.0, 1.0, 0.0])
        axis[:, 2] = minor * at.slope / np.hypot(a * major, at.slope)
        return np.choose(at.region[:, None], [disc, tube, axis])

    def _heights(self, at: Meridian, point: Points) -> Numbers:
        """φ at the prox, by the region."""
        major, minor, a = self._constants()
        disc = a * major * (np.hypot(point[:, 0], point[:, 1]) - major) + a * (major**2 + minor**2) / 2
        reach = minor * (a * major / np.hypot(a * major, at.slope))
        axis = a * (major**2 + minor**2) / 2 - a * major * reach
        return np.choose(at.region, [disc, a / 2 * (point**2).sum(axis=1), axis])

    def _border(self, z: Points, step: Numbers, at: Meridian) -> Numbers:
        """Distance from z to another region, or a bound.

        λρ₀ is 2-Lipschitz where |k| ≥ r, and on the axis R − √(r² − u_ζ²) is with tan ψ·du_ζ/dz_ζ ≤
        min(.385q, .53q^⅓), q = r/(λaR), sin ψ = u_ζ/r.
        """
        major, minor, a = self._constants()
        cosine = at.tube[:, 0] / np.where(at.length > 0, at.length, 1.0)
        tube = np.minimum(at.length - minor, (at.radius - major - minor * cosine) / 2)
        q = minor / (step * a * major)
        steep = np.minimum(0.385 * q, 0.53 * np.cbrt(q))
        reach = minor * (a * major / np.hypot(a * major, at.slope))
        axis = (major - reach - at.radius) / np.hypot(1.0, steep)
        return np.maximum(np.choose(at.region, [minor - at.length, tube, axis]), 0.0)

    def _shift(self, z: Points, step: Numbers, at: Meridian) -> Numbers:
        major, _, a = self._constants()
        return UNIT * (2 * at.radius + 3 * major * (1 + a * step) + np.abs(at.tube[:, 0]))

    def _error(self, z: Points, step: Numbers, at: Meridian, kink: Numbers) -> Numbers:
        major, minor, a = self._constants()
        reach = np.abs(at.radius - step * (a * major))
        disc = UNIT * (2 * at.radius + 2 * step * a * major + 6 * reach)
        shift = self._shift(z, step, at)
        twist = np.minimum(shift / np.where(at.length > 0, at.length, np.inf), 1.0)
        tube = UNIT * (6 * major + 10 * minor) + minor * twist
        steep = minor * (a * major) ** 2 / np.hypot(a * major, at.slope) ** 3
        height = minor * np.abs(at.slope) / np.hypot(a * major, at.slope)
        axis = steep * at.slope_error + 5 * UNIT * height
        near = np.where(kink <= 2 * shift + axis, 2 * shift + axis, 0.0)
        return np.choose(at.region, [disc, tube, axis]) + near

    def _slopes(self, z: Points, step: Numbers, at: Meridian) -> Float[np.ndarray, "n d d"]:
        sizes = self._sizes(step, at)
        normal = np.where((at.region == _TUBE)[:, None], at.tube, np.array([1.0, 0.0]))
        return self._frames(z, normal, *sizes)

    def _sizes(self, step: Numbers, at: Meridian) -> tuple[Numbers, Numbers, Numbers]:
        """D prox around the axis, along the meridian (in the disc and on the axis: along e₃), and across."""
        major, minor, a = self._constants()
        rho = np.where(at.radius > 0, at.radius, 1.0)
        length = np.where(at.length > 0, at.length, 1.0)
        steep = minor * (a * major) ** 2 / np.hypot(a * major, at.slope) ** 3
        one, zero = np.ones(len(rho)), np.zeros(len(rho))
        with np.errstate(over="ignore"):  # beside the axis, where another region is taken
            around = [1 - step * a * major / rho, (major + minor * at.tube[:, 0] / length) / rho, one]
        along = [one, minor / length, steep / (steep + step)]
        return (
            np.choose(at.region, around),
            np.choose(at.region, along),
            np.choose(at.region, [one, zero, one]),
        )

    def _slope_error(self, z: Points, step: Numbers, at: Meridian, kink: Numbers) -> Rounding:
        major, minor, a = self._constants()
        around, along, _ = self._sizes(step, at)
        twist = self._shift(z, step, at) / np.where(at.length > 0, at.length, np.inf)
        rho = np.where(at.radius > 0, at.radius, np.inf)
        with np.errstate(over="ignore", invalid="ignore"):  # beside the axis, where another region is taken
            disc = UNIT * (10 + 6 * step * a * major / rho)
            tube = UNIT * (8 * around + 6 * (major + minor) / rho) + minor / rho * twist
            tube = tube + along * (16 * UNIT + 3 * twist)
        far = np.hypot(a * major, at.slope)
        axis = 8 * UNIT + along * (1 - along) * (14 * UNIT + 3 * at.slope_error / far)
        near = np.where(kink <= 4 * self._shift(z, step, at), np.sqrt(3), 0.0)
        return Rounding.measured(
            np.choose(at.region, [disc, tube, axis]) + near, "sizes and directions of D prox"
        )

    def _height_rounding(self, at: Meridian, point: Points) -> Rounding:
        """Of φ as `_heights` forms it: as φ itself on discs, four roundings of (a/2)|u|² on the tube.

        On the axis r·aR/√(a²R² + ζ₀²) has 5 roundings, its product with aR 2 more.
        """
        major, minor, a = self._constants()
        square = Rounding(a / 2 * (point**2).sum(axis=1), 4, "(a/2)|u|²")
        reach = minor * (a * major / np.hypot(a * major, at.slope))
        axis = Rounding(a * major * reach, 7, "aR√(r²−ζ²)") + self._squares()
        axis = axis + Rounding(np.abs(self._heights(at, point)), 1, "their difference")
        bounds = [self._value_rounding(point).bound, square.bound, axis.bound]
        return Rounding.measured(np.choose(at.region, bounds), "φ by its region")

    def _envelope_error(
        self, z: Points, step: Numbers, at: Meridian, point: Points, error: Numbers
    ) -> Rounding:
        """φ to rounding, the square, and what the prox's error makes of them.

        φ is a(R+r)-Lipschitz on tube and discs, and has on the axis the slope ζ₀ = y itself.
        """
        away = norms(z - point)
        lipschitz = np.maximum(self.curvature * self.closed_set.radius, away / step)
        slip = Rounding.measured(error * (lipschitz + away / step + error / step), "the prox's error")
        moved = Rounding(away**2 / (2 * step), 7.0, "|z−u|²/(2λ)")
        total = Rounding(np.abs(self._heights(at, point)) + away**2 / (2 * step), 1.0, "the sum")
        return self._height_rounding(at, point) + moved + slip + total

    # --- geometry -------------------------------------------------------------------------------

    def _face(self, x: Float[np.ndarray, " d"], rounding: float) -> Points | None:
        """Three points of the border of the tube's disc, or of the horizontal disc, through x."""
        major, minor, _ = self._constants()
        if not np.isfinite(self._value(x[None])[0]):
            return None
        near = self.closed_set.nearest(x[None])
        if norms(near - x)[0] <= rounding:
            return near
        up, e = np.array([0.0, 0.0, 1.0]), self._azimuth(x[None])[0]
        rho, zeta = float(np.hypot(x[0], x[1])), float(np.clip(x[2], -minor, minor))
        reach = np.sqrt((minor - zeta) * (minor + zeta))
        if rho <= major - reach:
            side, centre, size = np.array([-e[1], e[0], 0.0]), zeta * up, major - reach
        else:
            side, centre, size = up, major * e, minor
        angle = np.array([0.0, 2.0, 4.0]) * np.pi / 3
        return centre + size * (np.cos(angle)[:, None] * e + np.sin(angle)[:, None] * side)


def _axis_slope(height: Numbers, step: Numbers, pull: float, minor: float) -> tuple[Numbers, Numbers]:
    """ζ₀ ≥ 0 with rζ₀/√(pull² + ζ₀²) + λζ₀ = height, and what it errs by.

    The left side is concave and increasing, so Newton from below stays below and rises. Its value errs by
    7u of itself; ζ₀ by that and the residual over the slope, which falls: taken beyond the interval.
    """
    slope = np.maximum(height / (minor / pull + step), np.maximum(height - minor, 0.0) / step)
    for _ in range(_STEPS):
        far = np.hypot(pull, slope)
        residual = height - minor * slope / far - step * slope
        following = slope + np.maximum(residual, 0.0) / (minor * (pull / far) ** 2 / far + step)
        if (following - slope <= 2 * UNIT * slope).all():
            break
        slope = following
    far = np.hypot(pull, slope)
    residual = np.abs(height - minor * slope / far - step * slope) + 8 * UNIT * height
    error = residual / (minor * (pull / far) ** 2 / far + step)
    far = np.hypot(pull, slope + error)
    return slope, residual / (minor * (pull / far) ** 2 / far + step)
