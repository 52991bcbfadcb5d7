"""The twin: its cells by sampling its definition, its hull, and what it refuses."""

import numpy as np
import pytest

from numerics.potentials import Twin
from numerics.potentials.twin_faces import END, RATIO, SLOPE, cubic, level

P = Twin()
S = np.linspace(-END, END, 90_001)
ATOMS = np.concatenate([np.stack([S, S**2 / 2], axis=1), [[1.0, 0.0]]])
HEIGHTS = np.append(S**2 / 2 + np.where(S > 0, S**3, 8 * np.abs(S) ** 3), 0.0)


def _scores(v):
    """⟨v, y⟩ − height at every sampled atom, heights typed in from the definition."""
    return v @ ATOMS.T - HEIGHTS


def test_conjugate_and_transport_are_a_maximum_and_where_it_is():
    rng = np.random.default_rng(5)
    v = rng.standard_normal((400, 2)) * 10.0 ** rng.uniform(-2, 1, (400, 1)) + [0.0, 1.0]
    sampled = _scores(v).max(axis=1)
    slack = P.conjugate(v) - sampled
    assert slack.min() > -1e-14 * 30
    assert slack.max() < 1e-5**2 * (1 + np.abs(v)).max() * 10  # the spacing, squared, times curvature
    image = P.transport(v)
    height = image[:, 1] + np.where(
        image[:, 0] > END, 0, np.where(image[:, 0] > 0, 1, 8) * np.abs(image[:, 0]) ** 3
    )
    assert np.abs((v * image).sum(axis=1) - height - P.conjugate(v)).max() < 1e-13


@pytest.mark.parametrize("s", [1e-6, 1e-3, 0.1, 0.3, 0.449])
def test_cells_of_the_right_arc(s):
    """{(3s² − ds, 1 + d) : (3s−2s²)/(1−s/2) ≤ d ≤ (3+k*)s}, k* = .6792614."""
    assert abs(SLOPE - 3.6792614) < 5e-8
    assert abs(RATIO - 0.2615242) < 5e-8
    low, high = s * (3 - 2 * s) / (1 - s / 2), SLOPE * s
    found = P.subdifferential([s, s**2 / 2])
    assert found.dimension == 1
    for d, member in (
        (low, True),
        ((low + high) / 2, True),
        (high, True),
        (low - 1e-3 * s, False),
        (high * 1.001, False),
    ):
        v = np.array([[3 * s**2 - d * s, 1 + d]])
        assert found.contains(v)[0] == member, d
    middle = np.array([[3 * s**2 - s * (low + high) / 2, 1 + (low + high) / 2]])
    assert np.allclose(found.boundary_distance(middle), (high - low) / 2 * np.hypot(1, s), rtol=1e-9)
    assert np.abs(P.transport(middle) - [s, s**2 / 2]).max() < 1e-14


def test_subdifferentials_hold_what_the_definition_ties():
    """A member ties the points of the face; noise at a distance δ from the cell has a positive gap."""
    rng = np.random.default_rng(6)
    z = np.stack([rng.uniform(-0.6, 1.2, 300), rng.uniform(-0.2, 0.3, 300)], axis=1)
    z += np.stack([rng.uniform(-0.5, 0.5, 300), rng.uniform(-1, 12, 300)], axis=1)
    found = P.proximal_point(z, 1.0)
    seen = set()
    for u, y in zip(found.point, found.dual, strict=True):
        cell = P.subdifferential(u)
        seen.add((type(cell).__name__, cell.dimension))
        assert cell.distance(y)[0] < 1e-11
        radius = min(cell.boundary_distance(y)[0], 10.0)
        if cell.dimension == 2 and radius > 1e-6:
            turns = np.linspace(0, 2 * np.pi, 64, endpoint=False)
            circle = y + 0.999 * radius * np.stack([np.cos(turns), np.sin(turns)], axis=1)
            assert cell.contains(circle).all()
            beyond = y + 1.001 * radius * np.stack([np.cos(turns), np.sin(turns)], axis=1)
            finer = y + 1.01 * radius * np.stack([np.cos(turns), np.sin(turns)], axis=1)
            assert radius == 10.0 or not (cell.contains(beyond).all() and cell.contains(finer).all())
    assert seen == {("Straight", 0), ("Straight", 1), ("PlanarCell", 2)}


def test_the_domain_is_the_hull():
    inside = np.array([[0.0, 0.0], [0.5, 0.0], [1.0, 0.0], [0.0, END**2 / 2], [0.0, 0.05], [-0.2, 0.02]])
    outside = np.array(
        [[0.5, -1e-12], [1.0, 1e-12], [0.0, END**2 / 2 + 1e-12], [-0.2, 0.02 - 1e-12], [1.1, 0.0]]
    )
    assert np.isfinite(P.value(inside)).all()
    assert np.isinf(P.value(outside)).all()
    assert np.abs(P.value(inside[:3])).max() == 0  # affine between g(0) and the atom, of equal heights


def test_at_the_tie():
    """∂φ(g(0)) = {0} × (−∞, 1], where H = 1 at the noise 0."""
    at = P.subdifferential([0.0, 0.0])
    assert at.dimension == 1
    assert at.contains([[0.0, 0.0], [0.0, -50.0], [0.0, 1.0]]).all()
    assert not at.contains([[1e-9, 0.0], [-1e-9, 0.0], [0.0, 1 + 1e-9]]).any()
    assert at.boundary_distance([[0.0, 0.0]])[0] == 1
    found = P.manifold([0.0, 0.0], [0.0, 0.0])
    assert found.dimension == 1
    assert np.array_equal(found.tangent, [[1.0], [0.0]])
    assert np.array_equal(found.hessian, [[1.0]])


def test_refusals():
    with pytest.raises(ValueError, match="outside the hull"):
        P.subdifferential([2.0, 0.0])
    with pytest.raises(ValueError, match="is not T"):
        P.manifold([0.2, 0.02], [5.0, 0.0])
    with pytest.raises(ValueError, match="x0"):
        P.transport(np.array([[1j, 0.0]]))


def test_the_older_name_of_cubic_still_answers():
    with pytest.warns(DeprecationWarning, match="use cubic"):
        assert level(np.array([0.1]))[0] == cubic(np.array([0.1]))[0] > 0
