"""Spectral functions of matrices in many digits, written apart from the code's formulas."""

import mpmath
import numpy as np

from numerics.potentials.grassmannian import Grassmannian
from numerics.potentials.rotations import SpecialOrthogonal
from numerics.potentials.stiefel import Stiefel


def places(p):
    """The places of the coordinates of a symmetric matrix."""
    return [(int(i), int(j)) for i, j in zip(*np.triu_indices(p.n), strict=True)]


def exact(x):
    return [mpmath.mpf(float(v)) for v in x]


def factors(p, x):
    """Left frame, values in decreasing order (signed for rotations), transposed right frame."""
    if isinstance(p, Grassmannian):
        matrix = mpmath.matrix(p.n, p.n)
        for value, (i, j) in zip(x, places(p), strict=True):
            matrix[i, j] = matrix[j, i] = value / (1 if i == j else mpmath.sqrt(2))
        values, vectors = mpmath.eigsy(matrix)
        vectors = vectors[:, ::-1]
        return vectors, [values[i] for i in range(p.n)][::-1], vectors.T
    n, q = (3, 3) if isinstance(p, SpecialOrthogonal) else (p.n, p.p)
    u, s, v = _svd(mpmath.matrix([x[q * i : q * i + q] for i in range(n)]))
    s = [s[i] for i in range(q)]
    if isinstance(p, SpecialOrthogonal) and mpmath.det(u) * mpmath.det(v) < 0:
        s[2] = -s[2]
        v[2, :] = -v[2, :]
    return u, s, v


def _svd(matrix):
    """mpmath gives up on a few matrices; their rows in another order will do."""
    try:
        return mpmath.svd_r(matrix)
    except RuntimeError:
        u, s, v = mpmath.svd_r(matrix[::-1, :])
        return u[::-1, :], s, v


def compose(p, frame, values):
    """The coordinates of u diag(values) v."""
    u, _, v = frame
    image = u * mpmath.diag(values) * v
    if isinstance(p, Grassmannian):
        return [image[i, j] * (1 if i == j else mpmath.sqrt(2)) for i, j in places(p)]
    return [image[i, j] for i in range(image.rows) for j in range(image.cols)]


def spectral_map(p, x, g):
    """Σ g(s)_i u_i v_iᵀ or Σ g(λ)_i v_i v_iᵀ; g takes and returns values in decreasing order."""
    frame = factors(p, x)
    return compose(p, frame, g(frame[1]))


def clip(p, values):
    """Projection of singular values or eigenvalues on the hull, by facets."""
    if isinstance(p, Stiefel):
        return [min(s, mpmath.mpf(1)) for s in values]
    if isinstance(p, SpecialOrthogonal):
        a, b, c = values
        lift = (a + b - c - 1) / 3
        if lift <= 0:
            return values
        if b - c >= 2 * lift:
            return [a - lift, b - lift, c + lift]
        return [mpmath.mpf(1), min((b + c) / 2, mpmath.mpf(1)), min((b + c) / 2, mpmath.mpf(1))]
    return _fantope(values, p.k)


def _fantope(values, k):
    """Of all ways to put a values at 1, b at 0 and shift the rest to the sum k, the nearest feasible one."""
    n, best = len(values), None
    for a in range(k + 1):
        for b in range(n - k + 1):
            free = values[a : n - b]
            shift = (sum(free) - (k - a)) / len(free) if free else 0
            point = [mpmath.mpf(1)] * a + [v - shift for v in free] + [mpmath.mpf(0)] * b
            if all(0 <= c <= 1 for c in point) and abs(sum(point) - k) < mpmath.mpf(10) ** (
                5 - mpmath.mp.dps
            ):
                away = sum((v - c) ** 2 for v, c in zip(values, point, strict=True))
                best = min(best or (away, point), (away, point))
    return best[1]


def plateau(p, values):
    """The eigenvalues or singular values of T."""
    if isinstance(p, Grassmannian):
        return [mpmath.mpf(int(i < p.k)) for i in range(p.n)]
    return [mpmath.mpf(1)] * len(values)


def derivative(p, x, g, digits):
    """The Jacobian of a spectral function at x, by central differences with step 10^(−digits/3)."""
    with mpmath.workdps(digits):
        h = mpmath.mpf(10) ** -(digits // 3)
        columns = []
        for i in range(p.dim):
            ahead, behind = exact(x), exact(x)
            ahead[i] += h
            behind[i] -= h
            difference = zip(spectral_map(p, ahead, g), spectral_map(p, behind, g), strict=True)
            columns.append([(a - b) / (2 * h) for a, b in difference])
    return mpmath.matrix(columns).T


def distance(computed, true):
    """|computed − true| for lists of doubles and of many digits."""
    return float(mpmath.norm([mpmath.mpf(float(a)) - b for a, b in zip(computed, true, strict=True)]))
