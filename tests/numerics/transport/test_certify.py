"""Enclosures against mpmath and closed forms, and their refusals."""

import mpmath
import numpy as np
import pytest

from numerics.accuracy import EPS
from numerics.transport.certify import Certificate, certify


@mpmath.workdps(30)
def mp_wedge(points, heights, i):
    """Mass of a cell by mpmath: slices x₁ = const, to 25 digits where the cell has no kinks inside."""
    u = [
        (mpmath.mpf(p[0]) - mpmath.mpf(points[i][0]), mpmath.mpf(p[1]) - mpmath.mpf(points[i][1]))
        for p in points
    ]
    r = [mpmath.mpf(g) - mpmath.mpf(heights[i]) for g in heights]
    kinks = {mpmath.mpf(0)}
    for a in range(len(points)):
        for b in range(a):
            det = u[a][0] * u[b][1] - u[a][1] * u[b][0]
            if a != i and b != i and det != 0:
                kinks.add((r[a] * u[b][1] - r[b] * u[a][1]) / det)

    def slice_mass(x):
        high, low = mpmath.inf, -mpmath.inf
        for k in range(len(points)):
            if k == i:
                continue
            if u[k][1] > 0:
                high = min(high, (r[k] - u[k][0] * x) / u[k][1])
            elif u[k][1] < 0:
                low = max(low, (r[k] - u[k][0] * x) / u[k][1])
            elif u[k][0] * x > r[k]:
                return mpmath.mpf(0)
        return mpmath.npdf(x) * (mpmath.ncdf(high) - mpmath.ncdf(low)) if low < high else mpmath.mpf(0)

    return mpmath.quad(slice_mass, [-12, *sorted(k for k in kinks if abs(k) < 12), 12])


def test_masses_agree_with_mpmath():
    points = [[0.0, 0.1], [1.3, 0.25], [-0.4, 1.1], [0.3, -0.9]]
    heights = [0.0, 0.4, 0.7, 0.3]
    proved = certify(points, heights)
    for i in range(4):
        mass = mp_wedge(points, heights, i)
        assert mpmath.mpf(proved.low[i]) <= mass <= mpmath.mpf(proved.high[i])
    assert (proved.high - proved.low).max() <= 4 * EPS


@pytest.mark.parametrize(
    ("points", "heights", "masses"),
    [
        ([[1, 1], [1, -1], [-1, 1], [-1, -1]], [0, 0, 0, 0], [0.25] * 4),
        ([[1, 1], [1, -1], [-1, 1], [-1, -1], [0, 0]], [0, 0, 0, 0, 0], [0.25] * 4 + [0]),
        ([[0, 0], [1, 0], [0, 1]], [0, 0, 0], [0.25, 0.375, 0.375]),
        ([[0, 0], [1, 1], [2, 2]], [0, 1, 2], None),
        ([[0, 0], [1, 1], [2, 2]], [0, 0, 0], [0.5, 0, 0.5]),
        ([[0, 0], [1, 0]], [0, 0], [0.5, 0.5]),
        ([[5, 5]], [3], [1.0]),
    ],
)
def test_ties_and_lines(points, heights, masses):
    proved = certify(points, heights)
    assert proved.low.sum() <= 1 <= proved.high.sum()
    if masses is not None:
        assert (proved.low <= masses).all()
        assert (masses <= proved.high).all()


def test_three_level_atoms_on_a_line_share_one_edge():
    proved = certify([[0, 0], [1, 1], [2, 2]], [0, 1, 2])
    cut = float(mpmath.ncdf(1 / mpmath.sqrt(2)))
    assert proved.low[0] <= cut <= proved.high[0]
    assert proved.high[1] <= 1e-300


def test_error_bound_holds_and_is_rounded_up():
    proved = Certificate(np.array([0.25]), np.array([0.25]))
    assert 0 < proved.error_bound([0.25])[0] <= 1e-15
    assert proved.error_bound([0.5])[0] > 0.25


@pytest.mark.parametrize(
    ("points", "heights", "message"),
    [
        (np.random.default_rng(0).normal(size=(51, 2)), np.zeros(51), "got 51 atoms; .* at most 50"),
        ([[0, 0], [1, 0]], [0], "heights: got 1 for 2"),
        ([[0, 0], [0, 0]], [0, 0], "atoms 0 and 1 coincide"),
        ([[0, 0, 1]], [0], "points: got shape"),
        ([[0, np.nan]], [0], "points: entry"),
    ],
)
def test_bad_input_is_named(points, heights, message):
    with pytest.raises(ValueError, match=message):
        certify(points, heights)


def test_weights_of_another_length_are_refused():
    with pytest.raises(ValueError, match="weights: got 2 for 1"):
        certify([[0, 0]], [0]).error_bound([0.5, 0.5])
