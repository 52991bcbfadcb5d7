"""Matrices that are hard for Stiefel, Grassmannian and SO(3), and the sizes that they are asked at.

Cases: sizes 1e±3, gaps down to 1e−12, equal values, points on both sides of a kink, steps 1e±6.
"""

import numpy as np
import pytest

from numerics.potentials.grassmannian import Grassmannian
from numerics.potentials.rotations import SpecialOrthogonal
from numerics.potentials.stiefel import Stiefel

# Not of the one list: sizes from the least to the largest that multiprecision can pay for.
FAMILIES = [
    Stiefel(1, 1),
    Stiefel(3, 1),
    Stiefel(2, 2),
    Stiefel(3, 2),
    Stiefel(4, 4),
    Stiefel(5, 3),
    Grassmannian(2, 1),
    Grassmannian(3, 3),
    Grassmannian(4, 2),
    Grassmannian(5, 4),
    SpecialOrthogonal(),
]
every_family = pytest.mark.parametrize("p", FAMILIES, ids=repr)
SMOOTH = [p for p in FAMILIES if repr(p) not in ("Stiefel(1, 1)", "Grassmannian(3, 3)")]  # K = 0 exactly


def generator():
    return np.random.default_rng(7)


def turned(p, values, rng):
    """Matrices with these singular values or eigenvalues, to rounding, in random frames."""
    rows, n = values.shape[0], 3 if isinstance(p, SpecialOrthogonal) else p.n
    frame = np.linalg.qr(rng.standard_normal((rows, n, n))).Q
    if isinstance(p, Grassmannian):
        return p._coordinates.vectors((frame * values[:, None]) @ frame.transpose(0, 2, 1))
    m = values.shape[1]
    other = np.linalg.qr(rng.standard_normal((rows, m, m))).Q
    frame, other = (f * np.sign(np.linalg.det(f))[:, None, None] if n % 2 else f for f in (frame, other))
    return ((frame[:, :, :m] * values[:, None]) @ other.transpose(0, 2, 1)).reshape(rows, -1)


def count(p):
    return 3 if isinstance(p, SpecialOrthogonal) else p.n if isinstance(p, Grassmannian) else p.p


def noise_cases(p, n):
    """x0 of sizes 1e±3, and with the gap that T needs closed to 1e−1 … 1e−12, whole or in the last place."""
    rng = generator()
    plain = rng.standard_normal((n, p.dim)) * 10.0 ** rng.uniform(-3, 3, (n, 1))
    m = count(p)
    values = np.sort(np.abs(rng.standard_normal((n, m))), axis=1)[:, ::-1].copy()
    equal = np.ones((n, m))
    gap = 10.0 ** rng.uniform(-12, -1, n)
    for v in (values, equal):
        if isinstance(p, Grassmannian):
            v[:, : p.k] += (v[:, min(p.k, m - 1)] - v[:, p.k - 1] + gap)[:, None]
        else:
            v[:, -1] = gap - (v[:, 1] if isinstance(p, SpecialOrthogonal) else 0.0)
    return np.concatenate([plain, turned(p, values, rng), turned(p, equal, rng)])


def kinked_values(p, n, rng, exponents=(-10, -1)):
    """Values whose projection is within 10^exponents of a change of face, on either side."""
    m = count(p)
    near = np.sign(rng.standard_normal(n)) * 10.0 ** rng.uniform(*exponents, n)
    if isinstance(p, Stiefel):
        values = np.abs(rng.standard_normal((n, m))) * 2
        values[:, 0] = 1 + near
        return -np.sort(-values, axis=1)
    if isinstance(p, SpecialOrthogonal):
        values = rng.uniform(0.2, 0.6, (n, 3))
        values[:, 2] = values[:, 0] + values[:, 1] - 1 + near  # s₁ + s₂ − s₃ = 1 to near
        return np.sort(values, axis=1)[:, ::-1]
    mean = p.k / max(m - 1, 1)  # of all but the last, which is near 0
    spread = rng.uniform(-0.4, 0.4, (n, m)) * min(mean, 1 - mean)
    values = mean + spread - spread[:, :-1].mean(axis=1, keepdims=True)
    values[:, -1] = near
    return -np.sort(-(values + rng.standard_normal((n, 1))), axis=1)


def prox_cases(p, n):
    """z, step: x1 + step·x0, points anywhere, far points, and points near kinks."""
    rng = generator()
    x0, x1 = p.sample(n, rng)
    step = 10.0 ** rng.uniform(-6, 6, n)
    anywhere = rng.standard_normal((n, p.dim)) * 10.0 ** rng.uniform(-3, 3, (n, 1))
    near = turned(p, kinked_values(p, 2 * n, rng), rng)
    z = np.concatenate([x1 + step[:, None] * x0, anywhere, x1 * rng.uniform(0, 2, (n, 1)), near])
    return z, np.concatenate([step, np.ones(4 * n)])
