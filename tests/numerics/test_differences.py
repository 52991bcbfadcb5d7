"""Secants notice a kink wherever it is on their segment, and agree with smooth derivatives."""

import numpy as np
import pytest

from tests.numerics.differences import secants

X, WIDTH = np.zeros((1, 1)), np.array([2.0])


@pytest.mark.parametrize("at", [*np.linspace(-1.99, 1.99, 41), 0.12, -0.12, 1.97])
def test_a_kink_shows_in_the_truncation(at):
    """|x − c| at any c: also in the middle, where rules that are both even agree, and beside an end."""
    found = secants(
        lambda x: np.abs(x - at), lambda x: np.sign(x - at)[:, :, None], X, WIDTH, np.random.default_rng(0)
    )
    assert found.truncation[0] > 1e-3


def test_a_smooth_map_is_its_own_mean():
    found = secants(np.sin, lambda x: np.cos(x)[:, :, None], X, WIDTH / 20, np.random.default_rng(0))
    assert found.error[0] <= 1e-15
    assert found.truncation[0] <= 1e-11
