"""Ctrl-C during a solve: the heights it reached are kept, fit the cloud, and shorten the next solve."""

import numpy as np
import pytest

from numerics.transport import SolveInterrupted, load_heights, newton, sampled, save_heights, solve
from numerics.transport.sampled import Budget
from numerics.transport.stochastic_newton import Passes

CLOUD = np.random.default_rng(0).exponential(size=(200, 2)) ** 2
WIDE = np.random.default_rng(1).exponential(size=(60, 5))


def stop_at(monkeypatch, owner, name, call):
    """The given call of a method is cut by Ctrl-C."""
    own, count = getattr(owner, name), [0]

    def cut(*arguments):
        count[0] += 1
        if count[0] == call:
            raise KeyboardInterrupt
        return own(*arguments)

    monkeypatch.setattr(owner, name, cut)


@pytest.mark.parametrize("points", [CLOUD, 1e5 * CLOUD, np.c_[CLOUD, CLOUD[:, 0] ** 2]])
def test_newton_goes_on_from_where_it_was(points, monkeypatch):
    whole = solve(points)
    assert whole.iterations >= 4
    seen = []
    with monkeypatch.context() as patch:
        stop_at(patch, newton, "_line_search", whole.iterations - 1)
        with pytest.raises(SolveInterrupted, match="largest weight error") as stop:
            solve(points, progress=lambda *state: seen.append(state[1]))
    assert stop.value.error == seen[-1] < seen[0]
    rest = solve(points, start=stop.value.heights)
    assert rest.iterations <= whole.iterations - len(seen) + 2
    np.testing.assert_allclose(rest.masses, whole.masses, atol=1e-11)
    difference = rest.heights - whole.heights
    assert np.ptp(difference) <= 1e-7 * np.ptp(whole.heights)


@pytest.mark.parametrize(("name", "call"), [("step", 30), ("step", 7), ("step", 1)])
def test_sampling_goes_on_from_where_it_was(name, call, monkeypatch):
    budget = Budget(draws=400, held_out=400)
    with monkeypatch.context() as patch:
        stop_at(patch, Passes, name, call)
        with pytest.raises(SolveInterrupted) as stop:
            solve(WIDE, budget=budget)
    passes = []
    found = solve(WIDE, budget=budget, start=stop.value.heights, progress=lambda *state: passes.append(state))
    if call == 30:
        assert passes[0][1] < 0.02  # the first error: the heights were good, and the search is over at once
        assert len(passes) <= 25 + 12
    assert found.total_variation_interval()[0] <= 0.05


def test_the_measurement_may_be_cut_too(monkeypatch):
    stop_at(monkeypatch, sampled, "_measure", 1)
    with pytest.raises(SolveInterrupted):
        solve(WIDE, budget=Budget(draws=100, held_out=100))


def test_a_useless_start_is_left_for_ours():
    assert solve(CLOUD, start=1e6 * np.arange(200.0)).error.max() < 1e-12
    with pytest.raises(ValueError, match="start: got 2 heights for 200 points"):
        solve(CLOUD, start=[0.0, 1.0])


def test_heights_are_kept_for_their_cloud_alone(tmp_path):
    weights, heights = np.full(3, 1 / 3), np.array([0.0, 1.0, 0.5])
    points = np.array([[0.0, 1.0], [2.0, 1.0], [0.0, 0.0]])
    place = save_heights(tmp_path / "a.heights.npz", points, weights, heights)
    other = save_heights(tmp_path / "a.heights.npz", points, weights, heights + 1)
    assert (place.name, other.name) == ("a.heights.npz", "a.heights-2.npz")
    np.testing.assert_array_equal(load_heights(place, points, weights), heights)
    with pytest.raises(ValueError, match="its points are not those"):
        load_heights(place, points + 1, weights)
    with pytest.raises(ValueError, match="its weights are not those"):
        load_heights(place, points, [0.5, 0.25, 0.25])
    np.savez(tmp_path / "b.npz", points=points)
    with pytest.raises(ValueError, match="holds no set of heights"):
        load_heights(tmp_path / "b.npz", points, weights)
    content = bytearray(place.read_bytes())
    content[content.index(np.float64(0.5).tobytes())] ^= 1
    place.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged|cannot be read"):
        load_heights(place, points, weights)
