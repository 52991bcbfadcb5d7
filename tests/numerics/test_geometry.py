"""Lengths at every size; tangent bases: orthonormal, across the normal, and right in every entry."""

import mpmath as mp
import numpy as np
import pytest

from numerics.accuracy import EPS, UNIT
from numerics.geometry import norms, tangent_basis, widest_turn


@pytest.mark.parametrize("d", [1, 2, 5])
def test_norms_are_right_at_every_size(d):
    """From the least subnormal number to the largest number, entries of a row alike or far apart."""
    rng = np.random.default_rng(d)
    power, spread = rng.uniform(-323, 307, (400, 1)), rng.choice([0.0, 1.0, 200.0], (400, 1))
    x = rng.standard_normal((400, d)) * 10.0 ** np.minimum(power - spread * rng.random((400, d)), 307)
    with mp.workdps(60):
        exact = [mp.sqrt(mp.fsum(mp.mpf(float(v)) ** 2 for v in row)) for row in x]
        off = [abs(mp.mpf(float(f)) - e) for f, e in zip(norms(x), exact, strict=True)]
        stated = [(mp.mpf(d) / 2 + 1) * UNIT * e * (1 + 1e-12) + mp.mpf(2) ** -1074 / 2 for e in exact]
        assert all(o <= s for o, s in zip(off, stated, strict=True))
        worst = max(o / s for o, s in zip(off, stated, strict=True))
        assert worst == 0 if d == 1 else worst >= 1 / 64


def test_norms_of_what_is_no_number_and_of_nothing():
    found = norms(np.array([[0.0, 0.0], [np.inf, 1.0], [np.nan, 1.0], [1.7e308, 1.7e308]]))
    assert found[0] == 0
    assert np.isinf(found[[1, 3]]).all()
    assert np.isnan(found[2])
    assert norms(np.zeros((2, 0))).tolist() == [0.0, 0.0]
    assert norms(np.ldexp([3.0, 4.0], 900)) == np.ldexp(5.0, 900)


@pytest.mark.parametrize("size", [1e-250, 1.0, 1e250])
def test_complex_steps_pass_norms(size):
    """The derivative along the first axis is x/|x|."""
    x = size * np.array([[3.0 + 1e-30j, 4.0]])
    assert abs(norms(x).imag[0] / (1e-30 * size) - 0.6) < 4 * EPS


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


def test_widest_turn_is_no_less_near_a_right_angle(rng):
    """A rounding of the quotient is 1.5e−8 of the angle there."""
    for _ in range(300):
        w = rng.standard_normal(2)
        length = norms(w[None])
        radius = length * (1 - rng.integers(1, 40) * 2.0**-53)
        with mp.workdps(50):
            exact = mp.asin(min(mp.mpf(radius[0]) / mp.sqrt(mp.mpf(w[0]) ** 2 + mp.mpf(w[1]) ** 2), 1))
        found = widest_turn(radius, length)[0]
        assert found >= exact
        assert found == np.pi or found <= exact + 4e-8
