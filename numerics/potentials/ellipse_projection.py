r"""The nearest point of an ellipse, by its secular equation, and what it errs by.

For semi-axes A ≥ B, D = A² − B² and a point (p,q), the nearest point is (AX, BY) with

    X = Ap/(D+ν),   Y = Bq/ν,   F(ν) = X² + Y² − 1 = 0,   ν > 0,

ν − B² the multiplier. F is convex and falls on ν > 0, so Newton from a point where F ≥ 0 rises to the root.
On the medial axis, q = 0 and |p| ≤ D/A, X = Ap/D and Y = ±√(1 − X²). The side is the sign of q, so nothing is
lost beside the medial axis. The radius of curvature over the distance to the focal point is S²/(DY² + ν),
S² = A²Y² + B²X²: no cancellation either.
"""

from dataclasses import dataclass

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

    Accuracy: (p,q) are doubles, off by ``moved`` in length. X errs by 8u relatively (D 3u, its sum 1u,
    product, quotient, 1u of p itself, and 1u to spare), Y by 3u (1u of q itself), so F by 24u and its own
    4u; ν by (|F| + 28u)/|F'|, F' taken at the far end of that interval, as F is convex. Normalising (X,Y)
    leaves the angle's error
    |XY|·(11u + δν·D/(ν(D+ν))) + 2u, which moves the point by S times it; and the products A·X, B·Y, the norm,
    round 4u. A moved argument moves the answer by the stretch times it; where that reaches the medial axis,
    by the distance to its mirror image.
    """
    p, q = np.abs(points[:, 0]), np.abs(points[:, 1])
    focal = (major - minor) * (major + minor)  # D
    nu = np.maximum(np.maximum(major * p - focal, minor * q), 0.0)
    axis = (q == 0) & (major * p <= focal)
    nu = np.where(axis, 0.0, np.maximum(nu, np.finfo(float).tiny))
    for _ in range(_STEPS):
        value, slope = _secular(p, q, major, minor, focal, nu)
        with np.errstate(divide="ignore", invalid="ignore"):
            # Newton on (F+1)^(-1/2) − 1, which is nearly linear: it stays left of the root, as F's does
            step = np.where(slope < 0, 2 * (value + 1) * (np.sqrt(value + 1) - 1) / -slope, 0.0)
        following = np.where(axis, 0.0, np.maximum(nu + step, nu / 2))
        if (np.abs(following - nu) <= 2 * UNIT * nu).all():
            break
        nu = following
    return _finished(points, p, q, major, minor, focal, nu, axis, moved)


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
    moved: Numbers | float,
) -> EllipsePoint:
    value, slope = _secular(p, q, major, minor, focal, nu)
    off = (np.abs(value) + 28 * UNIT) / np.maximum(-slope, np.finfo(float).tiny)
    later = _secular(p, q, major, minor, focal, nu + off)[1]
    off = np.where(axis, 0.0, (np.abs(value) + 28 * UNIT) / np.maximum(-later, np.finfo(float).tiny))
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.where(p > 0, major * p / (focal + nu), 0.0)
        y = np.where(axis, np.sqrt(np.maximum((1 - x) * (1 + x), 0.0)), np.where(q > 0, minor * q / nu, 0.0))
        length = np.hypot(x, y)
        x, y = x / length, y / length
        spread = np.where(axis, 0.0, off / nu * (focal / (focal + nu)))
        square = (major * y) ** 2 + (minor * x) ** 2
        stretch = square / (focal * y**2 + nu)
        on_axis = np.where(axis & (x > 0), 8 * UNIT * x / np.maximum(y, np.sqrt(16 * UNIT)), 0.0)
    turned = np.where(axis, on_axis, np.minimum(x * y * (11 * UNIT + spread), np.pi / 2)) + 2 * UNIT
    error = np.sqrt(square) * turned + 4 * UNIT * np.hypot(major * x, minor * y)
    moves = np.asarray(moved) > 0
    shift = np.where(moves, np.where(moves, stretch, 0.0) * moved, 0.0)
    # the mirror image is as near where the move, or the step to the axis, reaches it
    mirror = np.where(moves & (q <= moved) & (major * p <= focal + major * moved), 2 * minor * y, 0.0)
    signs = np.where(points < 0, -1.0, 1.0)
    unit = np.stack([x, y], axis=1) * signs
    return EllipsePoint(unit, nu, stretch, turned, off, error, error + shift + mirror)
