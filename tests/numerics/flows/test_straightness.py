"""The straightness number: closed forms, the order of its error, invariances, bad input."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.accuracy import EPS
from numerics.flows.straightness import straightness

SEEDS = st.integers(0, 2**32 - 1)


def times(rng: np.random.Generator, k: int) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(rng.uniform(0.2, 1.0, k - 1))])


@given(seed=SEEDS, k=st.integers(2, 9))
def test_it_vanishes_at_constant_speed_alone(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    t, start, speed = times(rng, k), *rng.standard_normal((2, 5, 3))
    line = start + t[:, None, None] * speed
    size = (np.abs(line).max() / np.diff(t).min()) ** 2 * t[-1]
    given_speed = np.broadcast_to(speed, line.shape)
    for found in (straightness(t, line), straightness(t, line, given_speed)):
        assert (found <= 64 * k * (EPS**2) * size + 1e-300).all()
    hurried = start + (t**2 / t[-1])[:, None, None] * speed
    predicted = t[-1] * (speed**2).sum(axis=1) / 3  # ∫(2t/b − 1)²dt = b/3 on the same straight line
    moving = (2 * t / t[-1])[:, None, None] * speed
    np.testing.assert_allclose(straightness(t, hurried, moving), predicted, rtol=1e-11)
    assert (straightness(t, hurried) < predicted).all()


@given(seed=SEEDS)
def test_cubic_paths_are_exact_with_velocities(seed: int) -> None:
    """Against Gauss–Legendre, which is exact on the quartic integrand."""
    rng = np.random.default_rng(seed)
    coefficients = rng.standard_normal((4, 6, 2))
    t = times(rng, 4)

    def value(at: np.ndarray) -> np.ndarray:
        return np.einsum("kp,pnd->knd", at[:, None] ** np.arange(4), coefficients)

    def slope(at: np.ndarray) -> np.ndarray:
        return np.einsum(
            "kp,pnd->knd", at[:, None] ** np.arange(3), coefficients[1:] * np.arange(1, 4)[:, None, None]
        )

    nodes, weights = np.polynomial.legendre.leggauss(4)
    nodes, weights = t[-1] * (nodes + 1) / 2, t[-1] * weights / 2
    mean = (value(t[-1:]) - value(t[:1]))[0] / t[-1]
    exact = np.einsum("k,knd->n", weights, (slope(nodes) - mean) ** 2)
    np.testing.assert_allclose(straightness(t, value(t), slope(t)), exact, rtol=1e-9)


@pytest.mark.parametrize(("given_velocity", "order"), [(False, 2), (True, 4)])
def test_order_of_the_error_on_a_circular_arc(given_velocity: bool, order: int) -> None:
    """Half a circle at unit speed: ∫|ẋ|² − |Δ|²/π = π − 4/π."""
    exact, errors = np.pi - 4 / np.pi, []
    for k in (9, 17, 33):
        t = np.linspace(0, np.pi, k)
        path = np.stack([np.cos(t), np.sin(t)], axis=1)[:, None]
        velocity = np.stack([-np.sin(t), np.cos(t)], axis=1)[:, None] if given_velocity else None
        errors.append(exact - float(straightness(t, path, velocity)[0]))
    if not given_velocity:
        assert min(errors) > 0  # the polygon is straighter
    found = np.log2(np.abs(np.array(errors[:-1]) / np.array(errors[1:])))
    np.testing.assert_allclose(found, order, atol=0.1)


@given(seed=SEEDS)
def test_moved_turned_and_stretched_paths(seed: int) -> None:
    """Translations and rotations change nothing, a factor s and a clock c times faster give s²c."""
    rng = np.random.default_rng(seed)
    t, path, velocity = times(rng, 6), *rng.standard_normal((2, 6, 4, 3))
    before = straightness(t, path, velocity)
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    drift = rng.standard_normal((4, 3))
    moved = path @ turn.T + drift * (1 + t[:, None, None])
    np.testing.assert_allclose(straightness(t, moved, velocity @ turn.T + drift), before, rtol=1e-9)
    fast = straightness(t / 4, 3 * path, 12 * velocity)
    np.testing.assert_allclose(fast, 36 * before, rtol=1e-10)


BAD: list[tuple[str, Any]] = [
    ("t", ([0, 1, 1], np.zeros((3, 1, 2)))),
    ("t", ([0, np.nan, 1], np.zeros((3, 1, 2)))),
    ("path", ([0, 1], np.zeros((3, 1, 2)))),
    ("path", ([0], np.zeros((1, 1, 2)))),
    ("path", ([0, 1], np.zeros((2, 2)))),
    ("path", ([0, 1], np.full((2, 1, 1), np.inf))),
    ("velocity", ([0, 1], np.zeros((2, 1, 2)), np.zeros((2, 1, 1)))),
    ("velocity", ([0, 1], np.zeros((2, 1, 2)), np.full((2, 1, 2), np.nan))),
]


@pytest.mark.parametrize(("name", "arguments"), BAD)
def test_bad_input_is_named(name: str, arguments: Any) -> None:
    with pytest.raises(ValueError, match=name):
        straightness(*arguments)
