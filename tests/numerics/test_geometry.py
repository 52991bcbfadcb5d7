"""Tangent bases: orthonormal, across the normal, and right in every entry."""

import mpmath as mp
import numpy as np
import pytest

from numerics.accuracy import EPS
from numerics.geometry import norms, tangent_basis


@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_tangent_basis(d):
    rng = np.random.default_rng(d)
    normal = rng.standard_normal((200, d)) * 10.0 ** rng.uniform(-12, 0, (200, d))
    normal /= norms(normal)[:, None]
    basis = tangent_basis(normal)
    assert basis.shape == (200, d, d - 1)
    gram = basis.transpose(0, 2, 1) @ basis
    assert np.abs(gram - np.eye(d - 1)).max(initial=0.0) <= 8 * d * EPS
    assert np.abs(normal[:, None] @ basis).max(initial=0.0) <= 8 * d * EPS


def test_small_entries_are_relatively_right():
    """In the plane the tangent to ν is (∓ν₂, |ν₁|), each to rounding; 1 − ν₂² would lose ν₁."""
    with mp.workdps(40):
        angle = [mp.mpf(k) / 10**9 for k in range(1, 40)]
        normal = np.array([[float(mp.sin(a)), float(mp.cos(a))] for a in angle])
    basis = tangent_basis(normal)[:, :, 0]
    assert (np.abs(basis - np.stack([-normal[:, 1], normal[:, 0]], axis=1)) <= 4 * EPS * np.abs(basis)).all()
