"""Lifts of the sphere, where φ is known, and of the torus, where symmetry and the error estimate are."""

from functools import partial

import numpy as np
import pytest

from numerics.transport import surfaces
from numerics.transport.surfaces import SurfaceLift, lift_surface, sphere_places, torus_places

SIZES = np.array([128, 256, 512, 1024])
NOISE = np.random.default_rng(0).normal(size=(2000, 3))
RADIUS = 1.5


def sphere_errors(n: int) -> tuple[float, float, float, float]:
    """Mean errors of φ* = R|x₀| and of T, that of W₂², and the mean estimate of the first."""
    lifted = lift_surface(partial(sphere_places, radius=RADIUS), n)
    r = np.linalg.norm(NOISE, axis=1)
    off = np.abs(lifted.potential.conjugate(NOISE) - RADIUS * r)
    wrong = np.linalg.norm(lifted.potential.transport(NOISE) - RADIUS * NOISE / r[:, None], axis=1)
    cost = 3 + RADIUS**2 - 2 * RADIUS * np.sqrt(8 / np.pi)
    assert abs(lifted.w2_squared - cost) <= lifted.w2_error / 4
    return off.mean(), wrong.mean(), abs(lifted.fine.w2_squared - cost), lifted.error(NOISE).mean()


def test_on_the_sphere_the_errors_have_their_orders_and_the_estimate_holds():
    errors = np.array([sphere_errors(int(n)) for n in SIZES])
    for column, order in ((0, -1.0), (1, -0.5), (2, -1.0), (3, -1.0)):
        assert abs(np.polyfit(np.log(SIZES), np.log(errors[:, column]), 1)[0] - order) <= 0.05
    assert (errors[:, 0] <= 1.2 * errors[:, 3]).all()
    assert (errors[:, 3] <= 2 * errors[:, 0]).all()


def test_on_the_torus_the_estimates_halve_and_the_potential_has_its_symmetries():
    lifts = [lift_surface(torus_places, int(n)) for n in SIZES]
    estimates = np.array([[lifted.error(NOISE).mean(), lifted.w2_error] for lifted in lifts]).T
    for estimate in estimates:
        assert abs(np.polyfit(np.log(SIZES), np.log(estimate), 1)[0] + 1) <= 0.25
    here = lifts[-1].potential.conjugate(NOISE)
    around = np.array([[0.6, -0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
    for turn in (np.diag([1.0, 1.0, -1.0]), around):
        assert np.abs(lifts[-1].potential.conjugate(NOISE @ turn.T) - here).mean() <= 3 * estimates[0, -1]


def test_places_are_on_their_surface_and_share_its_area_evenly():
    points = torus_places(2000, 2.0, 1.9)
    distance = np.hypot(points[:, 0], points[:, 1])
    np.testing.assert_allclose((distance - 2) ** 2 + points[:, 2] ** 2, 1.9**2, atol=1e-12)
    # By Pappus the part inside the circle of radius 2 has area share ½ − (minor/major)/π.
    assert (distance < 2).mean() == pytest.approx(0.5 - 0.95 / np.pi, abs=1e-3)
    np.testing.assert_allclose(sphere_places(2000).mean(axis=0), 0, atol=1e-3)


def test_a_lift_of_the_wrong_weights_is_rejected(monkeypatch):
    right = surfaces.solve
    skew = lambda points: right(points, (w := 2.0 + points[:, 2]) / w.sum())  # noqa: E731
    monkeypatch.setattr(surfaces, "solve", skew)
    with pytest.raises(AssertionError):
        sphere_errors(256)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lift_surface(sphere_places, 100 + 1), "n: got 101; it must be even"),
        (lambda: lift_surface(sphere_places, 62), "n: got 62"),
        (lambda: lift_surface(lambda n: sphere_places(n + 1), 64), "places: returned 65 points for n = 64"),
        (lambda: lift_surface(lambda n: np.zeros((n, 2)), 64), r"places\(n\): got shape"),
        (lambda: torus_places(9, 1.0, 1.0), "minor: got 1.0; it must be below major"),
        (lambda: sphere_places(9, -1.0), "radius: got -1.0"),
        (lambda: SurfaceLift.error(lift_surface(sphere_places, 64), [[0.0, 1.0]]), "x0: got shape"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
