"""Marks of minibatch coupling: against closed laws on the line, and what is said where there is none."""

import numpy as np
import pytest

from numerics.flows.batches import BatchField
from numerics.flows.independent import IndependentField
from tests.theorems.setting.user.test_flow_scale import ATOMS, SHARES, law
from theorems.normal_hyperbolicity import test_user_flow as hyperbolicity
from theorems.proximal_denoiser import test_user_flow as denoiser
from theorems.setting.user import flow_batches
from theorems.setting.user.flow_audits import LAST, LATE, TIMES
from theorems.setting.user.flow_batches import drawn, extrapolated, followed, number_of, scatter
from theorems.setting.user.flow_references import Marks, beside
from theorems.setting.user.flows import UserFlow
from theorems.setting.user.targets import UserTarget
from theorems.setting.user.trying import DOUBLE, NumpyField, by_differences

MEASURES = {
    "P4": lambda whole: denoiser._curl(whole)[2].mean(),
    "P6": lambda whole: denoiser._bent(whole)[0],
    "H1": lambda whole: hyperbolicity._followed(whole)[2][: LATE + 1].mean(),
    "H5": lambda whole: hyperbolicity._from_the_limits(hyperbolicity._followed(whole)[0][LAST]).mean(),
    "H5, from ½": lambda whole: hyperbolicity._followed(whole)[2][LAST].mean(),
}


class Law:
    """The closed field of batches of n on the line, in place of a drawn one."""

    def __init__(self, n):
        self.velocity = law(n)

    def jacobian(self, t, x):
        return by_differences(self.velocity, t, x, DOUBLE)


def test_marks_on_the_line_are_those_of_the_law():
    """The law's field has no scatter, and its Jacobian is by differences: within five stated errors.

    How far two halves are apart is one number, so the error is told to a factor only: five is chosen.
    """
    n, noise = 16, np.random.default_rng(16).standard_normal((12, 1))
    exact, kept = followed(Law(n), noise, 4)
    assert kept == 12
    seen = drawn(ATOMS, SHARES, noise, n, 0)
    assert seen.lost <= flow_batches.MOST_LOST
    for name, measure in MEASURES.items():
        number, error = extrapolated(*(measure(one) for one in (seen.whole, *seen.halves)))
        assert abs(number - measure(exact)) <= 5 * error + 1e-6, name
        assert error < 0.1, name
        assert number_of(seen, measure) == (number, error + scatter(seen.whole, measure)), name
    assert number_of(seen, MEASURES["P6"])[0] > 0.03


def test_a_bias_of_noise_is_extrapolated_away_and_counted():
    """Of 0 with noise, whose square falls like 1/batches; of 3 with a small bias."""
    noise, biased = (lambda share: 0.1 / np.sqrt(share)), (lambda share: 3 + 0.01 / share)
    assert extrapolated(noise(1), noise(0.5), noise(0.5)) == pytest.approx((0.0, 0.1), abs=1e-6)
    number, error = extrapolated(biased(1), biased(0.5), biased(0.5))
    assert number == pytest.approx(3, abs=1e-4)
    assert error == pytest.approx(0.01, abs=1e-4)
    assert extrapolated(1.0, 0.9, 1.2)[1] >= 0.3


def test_scatter_is_that_of_other_trajectories():
    """Of 30 trajectories of independent pairs on the line, drawn 40 times over; there is no curl (P4).

    The root mean square of five groups' deviations is within a tenth of its own in 40 draws, and so is the
    deviation of the 40 numbers; a number's root bends. A factor of two is allowed: chosen.
    """
    noise = np.random.default_rng(31).standard_normal((40 * 30, 1))
    pairs = Law(1)
    pairs.velocity = IndependentField(ATOMS, SHARES).velocity
    whole = followed(pairs, noise, 1)[0]
    draws = [whole.part(np.arange(30 * k, 30 * (k + 1))) for k in range(40)]
    for name in MEASURES.keys() - {"P4"}:
        numbers = np.array([MEASURES[name](draw) for draw in draws])
        stated = np.sqrt(np.mean([scatter(draw, MEASURES[name]) ** 2 for draw in draws]))
        assert 0.5 < stated / numbers.std(ddof=1) < 2, name


def test_a_part_is_the_measure_of_these_trajectories_alone():
    """As if only they had been followed; Jacobians are not computed again."""
    noise = np.random.default_rng(5).standard_normal((9, 1))
    calls = []

    class Counted(Law):
        def jacobian(self, t, x):
            calls.append(len(x))
            return super().jacobian(t, x)

    whole, rows = followed(Counted(4), noise, 1)[0], np.array([1, 4, 8])
    alone = followed(Law(4), noise[rows], 1)[0]
    for measure in MEASURES.values():
        assert measure(whole.part(rows)) == pytest.approx(measure(alone), rel=1e-6, abs=1e-9)
    assert calls == [9] * len(TIMES)


def test_one_trajectory_tells_no_scatter():
    whole = followed(Law(4), np.array([[0.3]]), 1)[0]
    assert scatter(whole, MEASURES["P6"]) == np.inf


def test_a_single_point_is_a_straight_flow():
    seen = drawn(np.array([[1.0, 2.0]]), np.ones(1), np.random.default_rng(0).standard_normal((5, 2)), 16, 0)
    assert all(number_of(seen, measure)[0] < 1e-6 for measure in MEASURES.values())
    np.testing.assert_allclose(seen.whole.path[-1], 0.01 * seen.whole.path[0] + 0.99 * np.array([1, 2]))


def test_heun_steps_are_of_second_order():
    """On independent pairs of many batches: halving the steps quarters what they err by."""
    field = BatchField([[-1.0], [1.0]], [0.5, 0.5], 1, 400, 0)
    noise = np.linspace(-2, 2, 9)[:, None]
    field.velocity = lambda t, x: np.sin(3 * t) * x  # type: ignore[method-assign]
    exact = noise * np.exp((1 - np.cos(3 * TIMES[-1])) / 3)
    one, two = (np.abs(followed(field, noise, k)[0].path[-1] - exact).max() for k in (1, 2))
    assert 3.5 < one / two < 4.5


def test_trajectories_that_no_batch_reaches_are_left_out():
    class Holed(Law):
        def __init__(self):
            self.velocity = lambda t, x: np.where(x > 1.5 - t, np.nan, 0.0)

    noise = np.array([[0.0], [1.4], [2.0], [-1.0]])
    seen, kept = followed(Holed(), noise, 1)
    assert kept == 2
    np.testing.assert_array_equal(seen.path[-1], noise[[0, 3]])


def test_what_is_not_known_is_said(monkeypatch):
    monkeypatch.setattr(flow_batches, "DRAWN", {16: (8, 1)})
    monkeypatch.setattr(flow_batches, "MOST_LOST", -1)
    square = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    target = UserTarget("square.npz", square, np.full(4, 1 / 4))
    marks = beside(UserFlow("f", 2, NumpyField(lambda _, x: -x), target=target), MEASURES["P6"])
    assert set(marks.places) == {"independent coupling"}
    assert "% of its trajectories come where no drawn batch does" in marks.words
    monkeypatch.setattr(flow_batches, "MOST_ATOMS", 3)
    marks = beside(UserFlow("g", 2, NumpyField(lambda _, x: -x), target=target), MEASURES["P6"])
    assert "batches of 16 not known, as it has more than 3 points" in marks.words


def test_words():
    places = {"batches of 256": (0.2, 0.01), "batches of 64": (0.1, 0.09), "batches of 16": (1e-9, 1e-10)}
    marks = Marks("moons.npz", {**places, "independent coupling": (0.5, 0.0)}, {"batches of 4": "as I say"})
    assert marks.words == (
        "; on moons.npz batches of 256 0.2 ± 0.01, batches of 64 below about 0.2, batches of 16 below 1e-06,"
        " independent coupling 0.5, batches of 4 not known, as I say (±: of trajectories or points,"
        " drawn batches and steps); it must be nearer to 0 than to that of independent coupling"
    )
    none = Marks("moons.npz", {"independent coupling": (0.5, 0.3)})
    assert none.words.endswith(
        "none of these is told from 0, so that nothing is decided within the tolerance"
    )
    assert "±" not in Marks("moons.npz", {}, {"batches of 4": "as I say"}).words
    assert Marks(nothing="as I say").words == ", where other couplings are known; here they are not, as I say"
