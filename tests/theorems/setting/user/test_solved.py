"""Solved targets and kept heights as --target: used as they are; damaged ones are refused in one line."""

import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numerics.transport import SemidiscreteSolution, load_heights, save, save_heights, solve
from theorems.setting.user import sizes, targets
from theorems.setting.user.targets import load

SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.5]])
WEIGHTS = np.random.default_rng(18).dirichlet(np.ones(4))  # dividing by their sum changes them again


@pytest.fixture
def unsolved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever solves fails."""

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("it was solved again")

    monkeypatch.setattr(targets, "solve", never)


def told(file: Path, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)) as error:
        load(file)
    assert str(file) not in str(error.value)
    assert "\n" not in str(error.value)


def rewritten(file: Path, **changed: Any) -> Path:
    """The same archive with arrays changed, under the old hash."""
    with np.load(file) as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(file, **{name: value for name, value in (arrays | changed).items() if value is not None})
    return file


@pytest.mark.usefixtures("unsolved")
def test_a_solution_is_used_as_it_is(tmp_path: Path) -> None:
    lines: list[str] = []
    solution = solve(SQUARE, WEIGHTS)
    cloud = load(save(solution, tmp_path / "a.npz"), say=lines.append, merge=True)
    for name in ("points", "weights", "heights", "masses"):
        np.testing.assert_array_equal(getattr(cloud.solution, name), getattr(solution, name))
    np.testing.assert_array_equal(cloud.points, SQUARE)
    np.testing.assert_array_equal(cloud.weights, solution.weights)
    assert (solution.weights / solution.weights.sum() != solution.weights).any()
    np.testing.assert_array_equal(cloud.asked.heights, solution.heights)
    assert np.isnan(cloud.seconds)
    (line,) = lines
    assert "holds its solution (newton, " in line
    assert "nothing is solved" in line


def test_from_kept_heights_solving_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    heights = solve(SQUARE, WEIGHTS).heights
    cloud = load(save_heights(tmp_path / "a.npz", SQUARE, WEIGHTS, heights), say=lines.append)
    given: list[Any] = []
    monkeypatch.setattr(
        targets, "solve", lambda *_, start, **__: given.append(start) or solve(SQUARE, WEIGHTS)
    )
    assert isinstance(cloud.solution, SemidiscreteSolution)
    np.testing.assert_array_equal(given[0], heights)
    assert "holds heights that an earlier run had reached" in lines[0]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"heights": np.zeros(4)}, "is damaged: its arrays don't have the hash"),
        ({"points": SQUARE + 1}, "is damaged"),
        ({"digest": "0"}, "is damaged"),
        ({"format": "otcfm-theorems semidiscrete solution 0"}, "no solution that was saved by this version"),
        ({"format": None}, "no solution that was saved by this version"),
        ({"digest": None}, "is damaged"),
        ({"level": None}, "has arrays"),
        ({"points": np.zeros((100_001, 1), np.int8)}, "at most 100000 points"),
        ({"masses": np.array([None])}, "masses: holds pickled Python objects"),
    ],
)
def test_a_damaged_solution_is_refused(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    told(rewritten(save(solve(SQUARE, WEIGHTS), tmp_path / "a.npz"), **changed), words)


def test_an_array_that_says_to_be_huge_takes_no_memory(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**13,)})
    file = save(solve(SQUARE, WEIGHTS), tmp_path / "a.npz")
    rewritten(file, heights=None)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("heights.npy", header.getvalue())
    told(file, "heights: says shape (10000000000000,)")


def test_damaged_heights_are_refused(tmp_path: Path) -> None:
    file = save_heights(tmp_path / "a.npz", SQUARE, WEIGHTS, np.zeros(4))
    told(rewritten(file, heights=np.ones(4)), "is damaged")


@pytest.mark.parametrize("name", ["heights", "masses", "uncertainty", "stalled"])
def test_what_a_hash_does_not_tell_is_looked_at(tmp_path: Path, name: str) -> None:
    """A forged file with a hash of its own: other shapes and no numbers are named."""
    solution = solve(SQUARE, WEIGHTS)
    short = replace(solution, **{name: getattr(solution, name)[:3]})
    told(save(short, tmp_path / "a.npz"), f"{name}: got 3 for 4 points")
    if name != "stalled":
        bad = replace(solution, **{name: np.array([0, 1, np.nan, 2])})
        told(save(bad, tmp_path / "b.npz"), f"{name}: ")
    double = replace(solution, points=SQUARE[[0, 1, 1, 2]])
    told(save(double, tmp_path / "c.npz"), "atoms 1 and 2 coincide")


def test_sizes_are_looked_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = save(solve(SQUARE, WEIGHTS), tmp_path / "a.npz")
    monkeypatch.setattr("theorems.setting.user.arrays.MOST_BYTES", 1000)
    told(file, "take more than 1000 bytes")
    assert sizes.MOST_BYTES > 1000


def test_others_with_heights_are_points(tmp_path: Path) -> None:
    """Without our marks: the arrays that are not read are named."""
    np.savez(tmp_path / "a.npz", points=SQUARE, weights=WEIGHTS, heights=np.zeros(4))
    cloud = load(tmp_path / "a.npz")
    assert cloud.notes == ("arrays that are not read: heights",)
    assert (cloud.given, cloud.start) == (None, None)


def test_a_long_solve_is_kept_when_the_run_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for each call, under a free name; a short one, a failed one and one of a file are not."""
    monkeypatch.chdir(tmp_path)
    np.savez("cloud.npz", points=SQUARE, weights=WEIGHTS)
    lines: list[str] = []
    cloud = load("cloud.npz", say=lines.append)
    cloud.keep()
    solved = cloud.solution
    cloud.keep()
    assert [path.name for path in tmp_path.iterdir()] == ["cloud.npz"]
    monkeypatch.setattr(targets, "WORTH_KEEPING", 0.0)
    cloud.keep()
    assert lines[-1].endswith("its solution is kept; --target=cloud.solved.npz uses it without solving")
    again = load("cloud.solved.npz")
    np.testing.assert_array_equal(again.solution.heights, solved.heights)
    again.keep()
    cloud.keep()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("cloud.npz", "cloud.solved-2.npz", "cloud.solved.npz")
    ]


def test_kept_heights_are_those_of_the_same_cloud(tmp_path: Path) -> None:
    """What --resume reads, --target reads, too."""
    file = save_heights(tmp_path / "a.npz", SQUARE, WEIGHTS, np.arange(4.0))
    cloud = load(file)
    np.testing.assert_array_equal(load_heights(file, cloud.points, cloud.weights), np.arange(4.0))
