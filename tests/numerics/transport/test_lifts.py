"""Lifts of φ to curves: the circle, where φ is known, and the moons, where only the error estimate is."""

import numpy as np
import pytest
from sklearn.datasets import make_moons

from numerics.transport.lifts import Arc, lift, two_moons

CIRCLE = Arc((0.5, -1.0), 2.0)


def errors_on_the_circle(n, order):
    """Largest true and estimated error: φ is constant there, and the mean over the law is taken off."""
    lifted = lift((CIRCLE,), n, grading=0.5)
    s = np.linspace(0, CIRCLE.length, 201)
    found = lifted.value(0, s) if order == 0 else lifted.slope(0, s)
    return np.abs(found).max(), lifted.error(0, s, order).max()


@pytest.mark.parametrize("order", [0, 1])
def test_the_estimate_bounds_the_true_error_and_both_fall_like_n_to_minus_2(order):
    sizes = np.array([64, 128, 256, 512])
    true, estimated = np.array([errors_on_the_circle(n, order) for n in sizes]).T
    assert (true <= estimated).all()
    assert (estimated <= 4 * true).all()
    for values in (true, estimated):
        slope = np.polyfit(np.log(sizes), np.log(values), 1)[0]
        assert abs(slope + 2) <= 0.05


def test_hessian_on_the_circle_is_the_noise_over_the_radius():
    lifted = lift((CIRCLE,), 256, grading=0.5)
    s = np.linspace(0, CIRCLE.length, 50)
    normal = -CIRCLE.acceleration(s) * CIRCLE.radius
    size = np.linspace(0.1, 3, 50)
    hessian = lifted.hessian(0, s, size[:, None] * normal)
    assert np.abs(hessian - size / CIRCLE.radius).max() <= lifted.error(0, s, 2).max()


def test_even_pieces_of_a_circle_are_exact():
    lifted = lift((CIRCLE,), 64)
    assert np.abs(lifted.value(0, np.linspace(0, 1, 9))).max() <= 1e-12


def test_on_two_moons_the_estimate_falls_and_the_moons_are_congruent():
    s = np.linspace(0.3, np.pi - 0.3, 50)
    lifts = [lift(two_moons(), n) for n in (128, 256, 512)]
    for order, most in ((0, -1.7), (1, -1.7)):
        errors = [lifted.error(0, s, order).max() for lifted in lifts]
        assert np.polyfit(np.log([128, 256, 512]), np.log(errors), 1)[0] <= most
    # The half turn about (½, ¼) exchanges the moons and their potentials.
    assert np.abs(lifts[-1].slope(0, s) - lifts[-1].slope(1, s)).max() <= 1e-9


def test_the_slope_is_that_of_the_noise_which_is_sent_there():
    lifted = lift(two_moons(), 400)
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(2000, 2))
    best = (noise @ lifted.fine.points.T - lifted.fine.heights).argmax(axis=1)
    places = np.concatenate(lifted.fine_places)[best]
    on_first = best < len(lifted.fine_places[0])
    inside = on_first & (places > 0.3) & (places < np.pi - 0.3)
    tangential = (noise[inside] * lifted.arcs[0].tangent(places[inside])).sum(axis=1)
    # A cell is about as wide as its piece times H, which is below 6 here.
    assert np.abs(tangential - lifted.slope(0, places[inside])).max() <= 6 * 2 * np.pi / 400


def test_splines_pass_through_the_heights_of_their_own_arc():
    lifted = lift((Arc((0.0, 0.0), 1.0), Arc((4.0, 1.0), 0.5, 0.3, 2.0)), 200)
    heights = lifted.fine.heights - lifted.fine.weights @ lifted.fine.heights
    found = [lifted.value(arc, s) for arc, s in enumerate(lifted.fine_places)]
    np.testing.assert_allclose(np.concatenate(found), heights, atol=1e-11)


def test_moons_are_those_of_scikit_learn():
    points = make_moons(40, shuffle=False)[0]
    arcs = two_moons()
    s = np.linspace(0, np.pi, 20)
    np.testing.assert_allclose(np.vstack([arc.point(s) for arc in arcs]), points, atol=1e-15)


@pytest.mark.parametrize("arc", [CIRCLE, *two_moons()])
def test_arcs_run_at_unit_speed(arc):
    s, step = np.linspace(0.1, 3, 7), 1e-6
    slope = (arc.point(s + step) - arc.point(s - step)) / (2 * step)
    np.testing.assert_allclose(slope, arc.tangent(s), atol=1e-9)
    bend = (arc.tangent(s + step) - arc.tangent(s - step)) / (2 * step)
    np.testing.assert_allclose(bend, arc.acceleration(s), atol=1e-9)


def test_the_circle_rejects_a_lift_of_the_wrong_weights(monkeypatch):
    from numerics.transport import lifts

    right = lifts.solve
    monkeypatch.setattr(lifts, "solve", lambda points, _: right(points))
    true, estimated = errors_on_the_circle(256, 0)
    assert true > 100 * estimated


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Arc((0, 0), -1.0), "radius: got -1.0"),
        (lambda: Arc((0, 0), 1.0, 0.0, 7.0), "angle: got 7.0; it must be at most 2π"),
        (lambda: Arc((0, np.nan), 1.0), "centre: entry"),
        (lambda: lift((CIRCLE,), 20), "n: 10 leaves 10 atoms"),
        (lambda: lift((CIRCLE,), 64, grading=1.0), "grading: got 1.0"),
        (lambda: lift((CIRCLE,), 64).value(1, 0.0), "arc: got 1"),
        (lambda: lift((CIRCLE,), 64).slope(0, -0.1), "s: got values from -0.1"),
        (lambda: lift((CIRCLE,), 64).hessian(0, [0.1, 0.2], [[1.0, 0.0]]), "x0: got 1 points for 2"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
