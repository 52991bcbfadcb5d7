"""Faces that hold a point: found for every mixture of points of the set, as near as the domain states."""

import numpy as np
import pytest

from numerics.potentials import Arc, NearestPoint, PointCloud, Torus, Union
from numerics.potentials.curves import Ellipse
from numerics.potentials.proximal_faces import faces_at
from tests.numerics.accuracy.harness import judge_with_twins

ARC = Arc(1.0, -0.25, 1.5)
SETS = {  # round, thin, short, and parts of different sizes
    "arc": ARC,
    "short arc": Arc(1.0, 0.0, 1e-3),
    "circle": Ellipse(1.0, 1.0),
    "thin ellipse": Ellipse(2.0, 1e-2),
    "torus": Torus(2.0, 0.25),
    "wide torus": Torus(2.0, 1.9),
    "arc and point": Union(ARC, PointCloud([[1.0, -2.0]])),
    "arcs": Union(ARC, Arc(3.0, 0.0, 0.01, (5.0, 5.0))),
    "thin torus and point": Union(Torus(2.0, 1e-3), PointCloud([[1.0, 2.0, 3.0]])),
    "torus and points": Union(Torus(2.0, 0.25), PointCloud([[1.0, 2.0, 3.0], [0.0, 0.0, 1e-3]])),
}


def mixtures(closed_set, rng, count):
    """Of two to d+1 points of the set, with weights of one size, or down to 1e-8."""
    d = closed_set.net.shape[1]
    for _ in range(count):
        k = rng.integers(2, d + 2)
        exponents = rng.uniform(-8, 0, k) if rng.random() < 0.5 else np.zeros(k)
        weights = rng.dirichlet(np.ones(k)) * 10.0**exponents
        yield weights / weights.sum() @ closed_set.net[rng.integers(0, len(closed_set.net), k)]


def beyond_chords(target, rng, count):
    """Points up to twice `_rounding` outside of the chord of an arc, which bounds the hull: near a face."""
    arc = target.closed_set
    share, out = rng.uniform(0, 1, (count, 1)), rng.uniform(0, 1.9, (count, 1)) * target._rounding
    return arc.ends[0] + share * (arc.ends[1] - arc.ends[0]) - out * arc.frame[:, 0]


def _missed(target, x):
    faces = faces_at(target._lifted, x, target._rounding)
    points = np.array([np.full(x.shape[1], np.nan) if face is None else face.point for face in faces])
    return np.linalg.norm(points - x, axis=1), target.roundings.domain(x).bound


@pytest.fixture(scope="module")
def missed():
    """By how much the faces' points miss theirs, and what the domain states, over all sets."""
    rng, found = np.random.default_rng(29), []
    for closed_set in SETS.values():
        target = NearestPoint(closed_set, 10.0 ** rng.uniform(-1, 1))
        found.append(_missed(target, np.stack(list(mixtures(closed_set, rng, 4)))))
        if isinstance(closed_set, Arc):
            found.append(_missed(target, beyond_chords(target, rng, 8)))
    return [np.concatenate(part) for part in zip(*found, strict=True)]


def test_faces_come_as_near_as_the_domain_states(missed):
    """In the hull Newton ends a hundred times nearer; beyond it, as far off as a point may be."""
    judge_with_twins(*missed)


@pytest.mark.parametrize("minor", [1e-3, 1e-2, 0.25])
def test_in_the_discs_of_a_part_that_is_a_tube_phi_is_affine_however_near_the_surface(rng, minor):
    """There φ = aRρ + a(r² − R²)/2; its slope aR·e leaves the point on the axis below its level."""
    torus, a = Torus(2.0, minor), 10.0 ** rng.uniform(-1, 1)
    target = NearestPoint(Union(torus, PointCloud([[0.0, 0.0, 2 * minor]])), a)
    u, v = rng.uniform(0, 2 * np.pi, (2, 4))
    # A torus of 1e-3 had no face at the last.
    found = np.array([1.5883444247455407, -1.2162022852929912, -8.680704757565746e-4])
    depth = minor * 10.0 ** rng.uniform(-12, -0.3, 4)
    rho, up = 2 + (minor - depth) * np.cos(v), (minor - depth) * np.sin(v)
    x = np.stack([rho * np.cos(u), rho * np.sin(u), up], axis=1)
    x = np.concatenate([x, found[None]])
    expected = a * 2 * np.hypot(x[:, 0], x[:, 1]) + a * (minor**2 - 4) / 2
    allowed = target.roundings.value(x).bound + 2 * a * target.roundings.domain(x).bound
    assert (np.abs(target.value(x) - expected) <= allowed).all()
