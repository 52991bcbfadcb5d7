"""D prox of curves at steps far below the rounding of z: right where no kink is said to be in reach.

With λ = 1e−14 the columns of λp in the optimality conditions are as small as rounding of the others; an
inverse that takes them for 0 has a row of zeros, which Krawczyk's test would let pass.
"""

from dataclasses import replace

import numpy as np
import pytest

from numerics.accuracy import UNIT
from numerics.geometry import norms
from numerics.potentials import Arc, Curve, NearestPoint, PointCloud, Potential, Union
from numerics.potentials.face_kinks import jacobian_errors
from numerics.potentials.face_newton import Systems
from numerics.potentials.set_calculus import pressure
from numerics.potentials.solved_faces import SolvedFaces

ARC = Arc(1.0, 0.3, 2.0)
# Not of the one list: sets with ends, and points beside them, near which faces are small.
SETS = {
    "spiral of a quarter": (Curve.spiral(0.25), 0.25),
    "spiral": (Curve.spiral(1.5), 0.5),
    "arc": (ARC, 0.5),
    "arc and points": (Union(ARC, PointCloud([[0.2, 0.1], [-3.0, 1.0]])), 0.5),
    "spiral and a point": (Union(Curve.spiral(0.5), PointCloud([[2.0, 2.0]])), 0.25),
    "ellipse": (Curve.ellipse(2.0, 1.0), 0.75),
}


def _exact(target: Potential, x0: np.ndarray, x1: np.ndarray, step: float) -> np.ndarray:
    """T(I + λH)⁻¹Tᵀ."""
    found = np.zeros((len(x0), target.dim, target.dim))
    for group in target.manifolds(x1, x0):
        inner = np.linalg.inv(np.eye(group.dimension) + step * group.hessian)
        found[group.rows] = group.tangent @ inner @ group.tangent.transpose(0, 2, 1)
    return found


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("power", range(8, 19))
def test_jacobians_are_right_where_no_kink_is_in_reach(
    name: str, power: int, rng: np.random.Generator
) -> None:
    target, step = NearestPoint(*SETS[name]), 10.0**-power
    x0, x1 = target.sample(80, rng)
    z = x1 + step * x0
    off = target.roundings.transport(x0).bound + 3 * UNIT * (norms(x1) + step * norms(x0))
    found = target.proximal_point(z, step)
    told = found.kink > 2 * off
    stated = target.roundings.prox_jacobian(z, step, moved=off).bound + 64 * UNIT
    error = np.linalg.norm(found.jacobian - _exact(target, x0, x1, step), axis=(1, 2))
    assert (error[told] <= stated[told]).all()
    assert power > 10 or told.mean() > 0.5


@pytest.mark.parametrize("name", ["arc and points", "spiral and a point", "spiral of a quarter", "arc"])
@pytest.mark.parametrize("power", [2, 6, 10, 12, 13, 14, 15, 17])
def test_kinks_are_no_farther_than_a_jump_of_the_transport(
    name: str, power: int, rng: np.random.Generator
) -> None:
    """At ends and isolated points T is constant: where it jumps over δ, D prox changes within λδ."""
    target, step = NearestPoint(*SETS[name]), 10.0**-power
    x0, x1 = target.sample(200, rng)
    ends = np.concatenate([s.rows for s in target.closed_set.strata(x1) if not s.dimension])
    x0, x1 = x0[ends], x1[ends]
    z = x1 + step * x0
    kink, off = target.proximal_point(z, step).kink, 3 * UNIT * (norms(x1) + step * norms(x0))
    for length in (0.1, 0.5, 2.0, 8.0):
        way = rng.standard_normal(x0.shape)
        way *= length / norms(way)[:, None]
        jumps = norms(target.transport(x0 + way) - x1) > 0
        assert (kink[jumps] <= step * length + off[jumps]).all()
        assert length < 8 or jumps.any()


def test_an_end_of_a_spiral_does_not_move() -> None:
    target = NearestPoint(*SETS["spiral of a quarter"])
    x0 = np.array([[1.34587542, 0.7813114], [1.42098202, 0.72609379]])
    found = target.prox_jacobian(target.transport(x0) + 1e-14 * x0, 1e-14)
    assert np.abs(found).max() <= 64 * UNIT


def test_a_series_that_diverges_states_that_nothing_is_known() -> None:
    target, step = NearestPoint(*SETS["spiral"]), np.array([0.5])
    z = np.array([[0.3, 0.1]])
    solved = SolvedFaces(target._lifted, z, step)
    (found,) = solved.certificates
    assert found.change is not None
    small, large = (
        jacobian_errors(target._lifted, solved.chords, [replace(found, change=change)], z, step)
        for change in (found.change, found.change + 1e3)
    )
    assert small < 1e-9
    assert large == np.sqrt(2)


@pytest.mark.parametrize("row", [0, 1])
def test_an_inverse_with_a_row_of_zeros_proves_nothing(row: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither that the face holds the prox, nor D prox, nor that no kink is near."""
    target = NearestPoint(*SETS["spiral of a quarter"])
    x0 = np.array([[1.34587542, 0.7813114]])
    step = np.array([1e-14])
    z = target.transport(x0) + step * x0
    assert SolvedFaces(target._lifted, z, step).certificates[0].sharp
    inverse = Systems.inverse

    def truncated(at: Systems) -> np.ndarray:
        found = inverse(at).copy()
        found[:, row] = 0.0
        return found

    monkeypatch.setattr(Systems, "inverse", truncated)
    solved = SolvedFaces(target._lifted, z, step)
    assert not solved.certificates[0].sharp
    assert solved.jacobian_error() == pytest.approx(np.sqrt(2))
    assert solved.kink() == 0


@pytest.mark.parametrize("power", [3, 6, 9, 12, 15])
def test_an_end_of_a_curve_is_left_within_its_pressure(power: int) -> None:
    """While the slope presses the end by δ against the curve no kink is said to be farther than λδ."""
    target, step = NearestPoint(Curve.spiral(0.25), 0.25), 10.0**-power
    end = target.transport([[1.34587542, 0.7813114]])
    (stratum,) = target.closed_set.strata(end)
    inward = stratum.inward[0]
    aside = np.array([-inward[1], inward[0]])
    for pushed in (1e-1, 1e-3):
        x0 = 0.25 * end - pushed * inward + np.array([[-0.3], [0.3]]) * aside
        x0 = x0[norms(target.transport(x0) - end) == 0]  # beyond a chord, on one side, is another point
        assert len(x0)
        found = pressure(target._lifted, np.repeat(end, len(x0), axis=0), x0)
        assert found == pytest.approx(pushed, rel=1e-9)
        kink = target.proximal_point(end + step * x0, step).kink
        assert (kink <= step * pushed * (1 + 1e-9) + 4 * UNIT).all()


@pytest.mark.parametrize("away", [0.25, 0.5, 0.75])
def test_a_chord_between_ends_is_left_where_one_of_them_is(away: float) -> None:
    """As z moves along the chord's normal by δ, p does by δ/λ, until an end's tangent is at a right angle."""
    target, step = NearestPoint(*SETS["spiral of a quarter"]), np.array([0.5])
    curve, a = target.closed_set, 0.25
    ends = curve.nearest(np.array([[-0.4, 0.1], [0.1, -0.8]]))
    edge, squares = ends[1] - ends[0], (ends**2).sum(axis=1)
    normal = np.array([-edge[1], edge[0]]) / norms(edge)
    slope = a / 2 * (squares[1] - squares[0]) / (edge @ edge) * edge + away * normal
    solved = SolvedFaces(target._lifted, (ends.mean(axis=0) + step * slope)[None], step)
    assert len(solved.chords[0].atoms) == 2
    (stratum,) = curve.strata(ends)
    room = ((a * ends - slope) * stratum.inward).sum(axis=1) / np.abs(stratum.inward @ normal)
    assert 0 < solved.kink()[0] <= step[0] * room.min()
