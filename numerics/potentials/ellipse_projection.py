r"""The nearest point of an ellipse, by its secular equation, and what it errs by.

For semi-axes A ≥ B, D = A² − B² and a point (p,q), the nearest point is (AX, BY) with

    X = Ap/(D+ν),   Y = Bq/ν,   F(ν) = X² + Y² − 1 = 0,   ν > 0,

ν − B² the multiplier. F is convex and falls on ν > 0, so Newton from a point where F ≥ 0 rises to the root.
On the medial axis, q = 0 and |p| ≤ D/A, X = Ap/D and Y = ±√(1 − X²), and so it is to rounding where q > 0 is
so small that ν may be no normal number. The side is the sign of q, that of −0 too: what was not 0 may be
rounded to it. So nothing is lost beside the medial axis. The radius of curvature over the distance to the
focal point is S²/(DY² + ν), S² = A²Y² + B²X²: no cancellation either.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from numerics.accuracy import UNIT
from numerics.potentials.strata import Numbers

_STEPS = 200
_TINY = float(np.finfo(float).tiny)
_GRAIN = float(np.finfo(float).smallest_subnormal)


@dataclass(frozen=True)
class EllipsePoint:
    """Nearest points: unit coordinates X, Y, multiplier ν, stretch S²/(DY²+ν), and the tangential error.

    Attributes:
        unit: (n,2) X and Y with X² + Y² = 1.
        multiplier: (n,) ν; 0 on the medial axis, and where Bq is no normal number beside it.
        stretch: (n,) length of the image of a unit tangent, the derivative of the projection.
        turned: (n,) bound on the error of the angle of (X,Y).
        off: (n,) bound on the error of ν.
        local: (n,) bound on the distance from the nearest point of the very doubles given.
        error: (n,) that of a point within ``moved`` of them, on either side of the medial axis.
    """

    unit: Float[np.ndarray, "n 2"]
    multiplier: Numbers
    stretch: Numbers
    turned: Numbers
    off: Numbers
    local: Numbers
    error: Numbers


def project(
    points: Float[np.ndarray, "n 2"], major: Numbers | float, minor: Numbers | float, moved: Numbers | float
) -> EllipsePoint:
    r"""The nearest point of the ellipse with semi-axes ``major`` ≥ ``minor``, numbers or (n,).

    Accuracy: p and q may be off by 1u themselves. X errs by (4 + 3ω)u relatively, ω = D/(D+ν) (D 3u, its
    sum, product, quotient, and p), Y by 3u (product, quotient, and q), so F by 2X²(4+3ω)u + 6Y²u and its own
    2u, hence, as X² + Y² is 1 to rounding and with 1u to spare, by f = (9 + 2X² + 6ωX²)u; ν by
    δν = (|F| + f)/|F'|, F' taken at the far end of that interval, as F is convex. tan of the angle of (X,Y)
    is (Bq/Ap)(D+ν)/ν, so that the angle errs by |XY|((7 + 3ω)u + δν·D/((ν−δν)(D+ν))), and by 2u|XY| of the
    quotients by the norm; an angle θ moves the point by Sθ + Aθ²/2 at most, for S changes by DXY/S ≤ A, and
    by Aθ; and the products A·X, B·Y, the norm and its quotients round 4u.

    At the cusp of the evolute, p = D/A, that says nothing: where ν ≤ 2δν all that is known is
    X ≥ X̂(1−8u)(D+ν)/(D+ν+δν), X̂ not yet divided by the norm, so the angle lies between 0 and the arccosine of
    that. There Y² ≤ 2(|F| + f): with r = (|F|+f)/2Y², F' at the far end makes δν ≤ r(1+r)³ν, less than ν/2
    for r < 1/4. For q = 0, where Ap exceeds D by 8uD at most, it is at most arccos(1−8u).

    With Ap ≤ D, Y² ≥ 1 − (1+ν/D)⁻² ≥ ν/D (for ν ≤ 0.6D), and Bq = Yν, so ν ≤ D(Bq/D)^(2/3): with Bq at most
    the least normal number and D u^(3/2) above it, that is uD, and X is Ap/D to 1u more than the 6u of p, the
    product, D and the quotient; where D is rounded up to Ap, X ≥ 1 − u likewise, as Bq ≥ Y(ν − Ap + D). So
    there and on the axis the angle is the arccosine of a number known to 8u, and ν at most D(Bq/D)^(2/3), and
    8uD more where Ap may exceed D.

    Numbers below the normal ones round by the least number g: p, q, Ap, Bq and the quotients, so that X errs
    by (1+A)g/(D+ν) + g more, Y by (1+B)g/ν + g, on a circle also where q is 0 beside such a p. (D, A² and B²
    must be normal, or D = 0.)

    ``moved``, in length, moves the answer by the stretch times it, and to the mirror image where it reaches
    the medial axis; where that is no longer small beside the distance f to the focal point, by as much as
    any point of the square around (p,q) does: X rises with p and falls with q, Y the other way round.
    """
    p, q = np.abs(points[:, 0]), np.abs(points[:, 1])
    focal = (major - minor) * (major + minor)  # D
    nu = np.maximum(np.maximum(major * p - focal, minor * q), 0.0)
    beneath = (minor * q <= _TINY) & (focal * UNIT**1.5 >= _TINY)
    axis = ((q == 0) | beneath) & (major * p <= focal) & ((p == 0) | (focal > 0))
    nu = np.where(axis, 0.0, np.maximum(nu, _TINY))
    for _ in range(_STEPS):
        value, slope = _secular(p, q, major, minor, focal, nu)
        with np.errstate(divide="ignore", invalid="ignore"):
            # Newton on (F+1)^(-1/2) − 1, which is nearly linear: it stays left of the root, as F's does,
            # until rounding carries it across, or moves it no more
            step = np.where(slope < 0, 2 * (value + 1) * (np.sqrt(value + 1) - 1) / -slope, 0.0)
        rises = ~axis & (step > 2 * UNIT * nu)
        if not rises.any():
            break
        nu = np.where(rises, nu + step, nu)
    found = _finished(points, p, q, major, minor, focal, nu, axis)
    if not np.any(moved):
        return found
    reach = np.broadcast_to(np.asarray(moved, dtype=float), nu.shape)
    return replace(found, error=found.local + _carried(p, q, major, minor, focal, reach, found))


def _secular(
    p: Numbers,
    q: Numbers,
    major: Numbers | float,
    minor: Numbers | float,
    focal: Numbers | float,
    nu: Numbers,
) -> tuple[Numbers, Numbers]:
    """F and F' at ν."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        x = np.where(p > 0, major * p / (focal + nu), 0.0)
        y = np.where(q > 0, minor * q / nu, 0.0)
        slope = -2 * (np.where(x > 0, x**2 / (focal + nu), 0.0) + np.where(y > 0, y**2 / nu, 0.0))
    return x**2 + y**2 - 1, slope


def _finished(
    points: Float[np.ndarray, "n 2"],
    p: Numbers,
    q: Numbers,
    major: Numbers | float,
    minor: Numbers | float,
    focal: Numbers | float,
    nu: Numbers,
    axis: np.ndarray,
) -> EllipsePoint:
    value, slope = _secular(p, q, major, minor, focal, nu)
    inner = ~axis & (q > 0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        x = np.where(p > 0, major * p / (focal + nu), 0.0)
        y = np.where(inner, minor * q / nu, 0.0)
        part = np.where(p > 0, focal / (focal + nu), 0.0)
        lost_x = np.where(p > 0, _GRAIN / (focal + nu) * (1 + major) + _GRAIN, 0.0)
        below = ~axis & ((q > 0) | ((focal == 0) & (p < _TINY)))
        lost_y = np.where(below, _GRAIN / nu * (1 + minor) + _GRAIN, 0.0)
        missed = np.abs(value) + (9 + (2 + 6 * part) * x**2) * UNIT
        missed += lost_x * (2 * x + lost_x) + lost_y * (2 * y + lost_y)
        off = missed / np.maximum(-slope, _TINY)
        later = _secular(p, q, major, minor, focal, nu + off)[1]
        flat = np.cbrt(focal) * np.cbrt(_TINY) ** 2 + np.where(x >= 1 - 8 * UNIT, 8 * UNIT * focal, 0.0)
        off = np.where(axis, flat, missed / np.maximum(-later, _TINY))
        y = np.where(axis, np.sqrt(np.maximum((1 - x) * (1 + x), 0.0)), y)
        y = np.where((x == 0) & (y == 0), 1.0, y)  # products that are less than every number
        length = np.hypot(x, y)
        found = _Angle(x, lost_x, lost_y, x / length, y / length)
        x, y = found.x, found.y
        square = (major * y) ** 2 + (minor * x) ** 2
        stretch = square / (focal * y**2 + nu)
    turned = _turned(found, q, focal, nu, off, axis, part) + 2 * UNIT * x * y
    error = np.minimum(major, np.sqrt(square) + major * turned / 2) * turned + 4 * UNIT * np.hypot(
        major * x, minor * y
    )
    signs = np.where(np.signbit(points), -1.0, 1.0)
    unit = np.stack([x, y], axis=1) * signs
    return EllipsePoint(unit, nu, stretch, turned, off, error, error)


@dataclass(frozen=True)
class _Angle:
    """X as found, what X and Y lose below the normal numbers, and both divided by the norm."""

    cosine: Numbers
    lost_x: Numbers
    lost_y: Numbers
    x: Numbers
    y: Numbers


def _turned(
    found: _Angle,
    q: Numbers,
    focal: Numbers | float,
    nu: Numbers,
    off: Numbers,
    axis: np.ndarray,
    part: Numbers,
) -> Numbers:
    """What the angle of (X,Y) errs by, but for normalising: see `project`."""
    x, y = found.x, found.y
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        spread = np.where(nu > 2 * off, off / (nu - off) * (focal / (focal + nu)), 0.0)
        least = (found.cosine * (1 - 8 * UNIT) - found.lost_x) * ((focal + nu) / (focal + nu + off))
        wide = np.maximum(np.arccos(np.clip(least, 0.0, 1.0)), np.arctan2(y, x))
        known = np.sqrt(np.maximum(y**2 - 16 * UNIT - 2 * found.lost_x, 0.0))
        slip = 16 * UNIT * x + 2 * found.lost_x
        on_axis = np.where(known > 0, slip / (y + known), 4 * np.sqrt(UNIT) * (x > 0))
    aside = (q > 0) | (focal == 0)
    cusp = np.where(aside, nu <= 2 * off, nu <= 8 * UNIT * focal)
    wide = np.where(aside, wide, 4 * np.sqrt(UNIT))  # arccos(1 − 8u)
    lost = x * found.lost_y + y * found.lost_x
    beside = np.minimum(x * y * ((7 + 3 * part) * UNIT + spread) + lost, np.pi / 2)
    return np.where(axis, on_axis, np.where(cusp, wide, beside))


def _carried(
    p: Numbers,
    q: Numbers,
    major: Numbers | float,
    minor: Numbers | float,
    focal: Numbers | float,
    moved: Numbers,
    found: EllipsePoint,
) -> Numbers:
    """By how much the image moves where (p,q) does by ``moved``."""
    x, y = np.abs(found.unit).T
    tangent = np.hypot(major * y, minor * x)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        away = tangent * (focal * y**2 + found.multiplier) / (major * minor)  # f
        bend = 1 + 3 * focal * x * y / (major * minor) * found.stretch  # by how much f may change per move
        share = np.where(moved > 0, moved * bend / away, 0.0)
        shift = np.where(moved > 0, found.stretch * moved * (1 + 4 * share), 0.0)
    near = moved * (1 + 8 * UNIT)  # (p,q) and D are rounded themselves
    mirror = (moved > 0) & (q <= near) & (major * p <= focal * (1 + 8 * UNIT) + major * near)
    change = shift + np.where(mirror, 2 * minor * y, 0.0)
    rows = np.flatnonzero(~(share <= 1 / 64))
    if rows.size:
        major, minor = (np.broadcast_to(axis, p.shape)[rows] for axis in (major, minor))
        change[rows] = _around(p[rows], q[rows], major, minor, moved[rows], x[rows], y[rows])
    return change


def _around(
    p: Numbers, q: Numbers, major: Numbers, minor: Numbers, moved: Numbers, x: Numbers, y: Numbers
) -> Numbers:
    """By how much the image moves within the square of half the side ``moved`` around (p,q)."""
    low_p, low_q = (np.maximum(v - moved, 0.0) for v in (p, q))
    right = project(np.stack([p + moved, low_q], axis=1), major, minor, 0.0)
    up = project(np.stack([low_p, q + moved], axis=1), major, minor, 0.0)
    across = np.where(p <= moved, x + right.unit[:, 0], np.maximum(right.unit[:, 0] - x, x - up.unit[:, 0]))
    along = np.where(q <= moved, y + up.unit[:, 1], np.maximum(up.unit[:, 1] - y, y - right.unit[:, 1]))
    return np.hypot(major * across, minor * along) + right.local + up.local
