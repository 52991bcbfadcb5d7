r"""The nearest point of an ellipse, by its secular equation, and what it errs by.

For semi-axes A ≥ B, D = A² − B² and a point (p,q), the nearest point is (AX, BY) with

    X = Ap/(D+ν),   Y = Bq/ν,   F(ν) = X² + Y² − 1 = 0,   ν > 0,

ν − B² the multiplier. F is convex and falls on ν > 0, so Newton from a point where F ≥ 0 rises to the root.
On the medial axis, q = 0 and |p| ≤ D/A, X = Ap/D and Y = ±√(1 − X²). The side is the sign of q, so nothing is
lost beside the medial axis. The radius of curvature over the distance to the focal point is S²/(DY² + ν),
S² = A²Y² + B²X²: no cancellation either.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from numerics.accuracy import UNIT
from numerics.potentials.strata import Numbers

_STEPS = 200


@dataclass(frozen=True)
class EllipsePoint:
    """Nearest points: unit coordinates X, Y, multiplier ν, stretch S²/(DY²+ν), and the tangential error.

    Attributes:
        unit: (n,2) X and Y with X² + Y² = 1.
        multiplier: (n,) ν; 0 on the medial axis.
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
    quotients by the norm; that moves the point by S times it; and the products A·X, B·Y, the norm and its
    quotients round 4u.

    At the cusp of the evolute, p = D/A, that says nothing: where ν ≤ 2δν (so Y² ≤ 17u) all that is known is
    X ≥ X̂(1−8u)(D+ν)/(D+ν+δν), so the angle lies between 0 and the arccosine of that. On the axis it is the
    arccosine of a number known to 8u, and for q = 0, where Ap exceeds D by 8uD at most, at most arccos(1−8u).

    ``moved``, in length, moves the answer by the stretch times it, and to the mirror image where it reaches
    the medial axis; where that is no longer small beside the distance f to the focal point, by as much as
    any point of the square around (p,q) does: X rises with p and falls with q, Y the other way round.
    """
    p, q = np.abs(points[:, 0]), np.abs(points[:, 1])
    focal = (major - minor) * (major + minor)  # D
    nu = np.maximum(np.maximum(major * p - focal, minor * q), 0.0)
    axis = (q == 0) & (major * p <= focal)
    nu = np.where(axis, 0.0, np.maximum(nu, np.finfo(float).tiny))
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
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.where(p > 0, major * p / (focal + nu), 0.0)
        part = np.where(p > 0, focal / (focal + nu), 0.0)
    missed = np.abs(value) + (9 + (2 + 6 * part) * x**2) * UNIT
    off = missed / np.maximum(-slope, np.finfo(float).tiny)
    later = _secular(p, q, major, minor, focal, nu + off)[1]
    off = np.where(axis, 0.0, missed / np.maximum(-later, np.finfo(float).tiny))
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.where(axis, np.sqrt(np.maximum((1 - x) * (1 + x), 0.0)), np.where(q > 0, minor * q / nu, 0.0))
        length = np.hypot(x, y)
        x, y = x / length, y / length
        square = (major * y) ** 2 + (minor * x) ** 2
        stretch = square / (focal * y**2 + nu)
    turned = _turned(x, y, q, focal, nu, off, axis, part) + 2 * UNIT * x * y
    error = np.sqrt(square) * turned + 4 * UNIT * np.hypot(major * x, minor * y)
    signs = np.where(points < 0, -1.0, 1.0)
    unit = np.stack([x, y], axis=1) * signs
    return EllipsePoint(unit, nu, stretch, turned, off, error, error)


def _turned(
    x: Numbers,
    y: Numbers,
    q: Numbers,
    focal: Numbers | float,
    nu: Numbers,
    off: Numbers,
    axis: np.ndarray,
    part: Numbers,
) -> Numbers:
    """What the angle of (X,Y) errs by, but for normalising: see `project`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(nu > 2 * off, off / (nu - off) * (focal / (focal + nu)), 0.0)
        least = x * (1 - 8 * UNIT) * ((focal + nu) / (focal + nu + off))
        wide = np.maximum(np.arccos(np.clip(least, 0.0, 1.0)), y)
        known = np.sqrt(np.maximum(y**2 - 16 * UNIT, 0.0))
        on_axis = np.where(known > 0, 16 * UNIT * x / (y + known), 4 * np.sqrt(UNIT) * (x > 0))
    cusp = np.where(q > 0, nu <= 2 * off, nu <= 8 * UNIT * focal)
    wide = np.where(q > 0, wide, 4 * np.sqrt(UNIT))  # arccos(1 − 8u)
    beside = np.where(cusp, wide, np.minimum(x * y * ((7 + 3 * part) * UNIT + spread), np.pi / 2))
    return np.where(axis, on_axis, beside)


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
