"""E φ* along rays against closed forms, within the stated bound, which falls like the square of the step."""

import numpy as np
import pytest
from scipy.stats import norm

from theorems.proximal_denoiser.duality import mean_conjugate

SQUARE = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
THRESHOLD = 0.7
KNOWN = {
    "one atom": ([[3.0, -2.0]], [1.5], -1.5),
    "two atoms, unequal": ([[0.0, 0.0], [2.0, 0.0]], [0.0, 2 * THRESHOLD],
                           2 * (norm.pdf(THRESHOLD) - THRESHOLD * norm.sf(THRESHOLD))),
    "square, E|x|₁": (SQUARE, np.zeros(4), 2 * np.sqrt(2 / np.pi)),
    "square, moved": (SQUARE + np.array([5.0, -7.0]), np.full(4, 0.25), 2 * np.sqrt(2 / np.pi) - 0.25),
    "square with a hidden atom": (np.vstack([SQUARE, [0.0, 0.0]]), [0, 0, 0, 0, 9.0], 2 * np.sqrt(2 / np.pi)),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("rays", [101, 1024])
def test_means_are_those_of_closed_forms(name: str, rays: int) -> None:
    points, heights, expected = KNOWN[name]
    found, bound = mean_conjugate(np.array(points), np.array(heights, dtype=float), rays)
    assert abs(found - expected) <= bound + 1e-14 * (1 + np.abs(points).max())


def test_the_bound_falls_with_the_square_of_the_step() -> None:
    bounds = [mean_conjugate(SQUARE, np.zeros(4), rays)[1] for rays in (100, 200)]
    assert bounds[0] == pytest.approx(4 * bounds[1])
