"""A point cloud from a file: what is refused, in one line before any check, and what a good one leaves."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numerics.transport import SolveInterrupted, load_heights, solve
from theorems.setting.user import targets
from theorems.setting.user.targets import UserTarget, load

SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.5]])


def changed(array: np.ndarray, index: Any, value: float) -> np.ndarray:
    new = array.copy()
    new[index] = value
    return new


BAD = {
    "no points": ({"other": SQUARE, "weights": np.ones(4)}, ["points", "is missing", "other, weights"]),
    "objects": ({"points": np.array([[1, "a"], [None, 2]], dtype=object)}, ["points", "pickled"]),
    "object weights": ({"points": SQUARE, "weights": np.array([1, 2], dtype=object)}, ["weights", "pickled"]),
    "strings": ({"points": np.array([["a", "b"]])}, ["points", "real numbers"]),
    "complex": ({"points": SQUARE + 1j}, ["points", "complex128"]),
    "one axis": ({"points": np.arange(3.0)}, ["points", "(3,)", "(n, d)"]),
    "three axes": ({"points": np.zeros((2, 2, 2))}, ["points", "(2, 2, 2)"]),
    "no rows": ({"points": np.zeros((0, 2))}, ["points", "(0, 2)", "empty"]),
    "no columns": ({"points": np.zeros((4, 0))}, ["points", "(4, 0)", "empty"]),
    "NaN": ({"points": changed(SQUARE, (2, 1), np.nan)}, ["points", "(2, 1)", "nan"]),
    "infinity": ({"points": changed(SQUARE, (3, 0), -np.inf)}, ["points", "(3, 0)", "-inf"]),
    "NaN weight": ({"points": SQUARE, "weights": changed(np.full(4, 0.25), 1, np.nan)}, ["weights", "(1,)"]),
    "negative": ({"points": SQUARE, "weights": [0.5, 0.75, -0.5, 0.25]}, ["weights", "entry 2 is -0.5"]),
    "zero": ({"points": SQUARE, "weights": [0.5, 0.25, 0.25, 0.0]}, ["weights", "entry 3 is 0.0"]),
    "sum": ({"points": SQUARE, "weights": [0.25, 0.25, 0.25, 0.125]}, ["weights", "sum to 0.875"]),
    "count": ({"points": SQUARE, "weights": [0.5, 0.5]}, ["weights", "got 2 for 4 points"]),
    "weights of two axes": ({"points": SQUARE, "weights": np.full((4, 1), 0.25)}, ["weights", "(4, 1)"]),
    "duplicates": ({"points": SQUARE[[0, 1, 2, 1]]}, ["atoms 1 and 3 coincide", "--merge-duplicates"]),
    "wide duplicates": ({"points": np.ones((2, 3000))}, ["points", "[1, 1, 1, 1, …]"]),
    "many points": ({"points": np.zeros((100_001, 1), np.int8)}, ["points", "(100001, 1)", "at most 100000"]),
    "many in space": ({"points": np.zeros((20_001, 3), np.int8)}, ["points", "(20001, 3)", "at most 20000"]),
    "many beyond": ({"points": np.zeros((5001, 4), np.int8)}, ["points", "(5001, 4)", "at most 5000"]),
    "many numbers": ({"points": np.zeros((20, 50_001), np.int8)}, ["1000020 numbers", "1000000 numbers"]),
    "many spanned": ({"points": np.zeros((801, 801), np.int8)}, ["(801, 801)", "320000"]),
}


def write(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("case", BAD)
def test_bad_arrays_are_named(tmp_path: Path, case: str) -> None:
    arrays, words = BAD[case]
    with pytest.raises(ValueError, match=words[0]) as error:
        load(write(tmp_path / "cloud.npz", **arrays))
    said = str(error.value)
    assert all(word in said for word in words), said
    assert "\n" not in said
    assert len(said) < 250


def header_only(path: Path, shape: tuple[int, ...]) -> Path:
    """An archive whose array says that it is huge, and holds nothing."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("points.npy", header.getvalue())
    return path


@pytest.mark.parametrize(
    ("shape", "word"), [((10**12, 2), "(1000000000000, 2)"), ((2, 10**12), "1000000000000"), ((4, 2), "read")]
)
def test_sizes_are_read_before_memory_is_taken(tmp_path: Path, shape: tuple[int, ...], word: str) -> None:
    with pytest.raises(ValueError, match="points") as error:
        load(header_only(tmp_path / "bomb.npz", shape))
    assert word in str(error.value)


@pytest.mark.parametrize("content", [b"", b"PK nothing", b"\x80\x04N."], ids=["empty", "text", "pickle"])
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cloud.npz").write_bytes(content)
    with pytest.raises(ValueError, match="not an"):
        load(tmp_path / "cloud.npz")
    with pytest.raises(ValueError, match="it is no file"):
        load(tmp_path)
    with pytest.raises(ValueError, match="no such file"):
        load(tmp_path / "absent.npz")
    (tmp_path / "cloud.npy").write_bytes(content)
    with pytest.raises(ValueError, match="not an"):
        load(tmp_path / "cloud.npy")


def test_weights_are_uniform_where_there_are_none(tmp_path: Path) -> None:
    cloud = load(write(tmp_path / "a.npz", points=SQUARE.astype(np.float32)))
    assert cloud.points.dtype == cloud.weights.dtype == np.float64
    np.testing.assert_array_equal(cloud.points, SQUARE)
    np.testing.assert_array_equal(cloud.weights, np.full(4, 0.25))
    given = load(write(tmp_path / "b.npz", points=SQUARE, weights=[0.1, 0.2, 0.3, 0.4])).weights
    np.testing.assert_allclose(given, [0.1, 0.2, 0.3, 0.4], rtol=1e-15)


def test_weights_that_were_changed_are_said_to_be(tmp_path: Path) -> None:
    """Of float32, whose doubles do not sum to 1; not the last digit of doubles."""
    lines: list[str] = []
    for name, weights in {
        "single": np.full(3, 1 / 3, np.float32),
        "half": np.array([0.1, 0.2, 0.7], np.float16),
        "double": np.array([0.6, 0.3, 0.1]),
        "exact": np.array([0.25, 0.25, 0.5], np.float32),
    }.items():
        file = write(tmp_path / f"{name}.npz", points=SQUARE[:3], weights=weights)
        cloud = load(file, say=lines.append)
        assert cloud.weights.sum() == pytest.approx(1, abs=4e-16)
    assert lines == [
        "target single.npz: its weights are float32 and sum to 1.0000000298023224; they were divided by that",
        "target half.npz: its weights are float16 and sum to 1.0001220703125; they were divided by that",
    ]


def test_progress_names_the_file_and_the_result() -> None:
    lines: list[str] = []
    target = UserTarget("cloud.npz", SQUARE, np.full(4, 0.25), say=lines.append)
    assert target.solution is target.solution
    assert "4 points in dimension 2" in lines[0]
    assert "newton" in lines[-1]
    assert "% of a weight" in lines[-1]
    assert len(lines) == 2


def test_a_solve_that_gives_up_is_not_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def gives_up(*_: Any, **__: Any) -> None:
        calls.append(1)
        raise RuntimeError("cap reached")

    monkeypatch.setattr(targets, "solve", gives_up)
    target = UserTarget("cloud.npz", SQUARE, np.full(4, 0.25))
    for _ in range(3):
        with pytest.raises(RuntimeError, match="cap reached"):
            _ = target.solution
    assert len(calls) == 1


def test_an_interrupted_solve_keeps_its_heights_for_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines: list[str] = []
    weights, reached = np.full(4, 0.25), np.array([0.1, 0.2, 0.3, 0.4])

    def stopped(*_: Any, **__: Any) -> None:
        raise SolveInterrupted(reached, 0.5)

    with monkeypatch.context() as patch:
        patch.setattr(targets, "solve", stopped)
        with pytest.raises(KeyboardInterrupt):
            _ = UserTarget("cloud.npz", SQUARE, weights, say=lines.append).solution
    assert "interrupted at a largest weight error of 0.5" in lines[-1]
    assert "--resume=cloud.heights.npz" in lines[-1]
    start = load_heights("cloud.heights.npz", SQUARE, weights)
    np.testing.assert_array_equal(start, reached)
    given: list[Any] = []
    monkeypatch.setattr(targets, "solve", lambda *_, start, **__: given.append(start) or solve(SQUARE))
    assert UserTarget("cloud.npz", SQUARE, weights, start=start).seconds >= 0
    assert given[0] is start


@pytest.mark.parametrize("d", [64, 65, 300])
def test_checks_are_asked_where_the_points_span_a_space(d: int) -> None:
    """Beyond 64 dimensions: a turned copy, with the same cells, prox and envelope but for what is across."""
    rng = np.random.default_rng(d)
    points = rng.standard_normal((12, d)) + 3.0
    target = UserTarget("cloud.npz", points, np.full(12, 1 / 12))
    whole, asked = target.solution.potential, target.asked
    if d == 64:
        assert asked.dim == d
        np.testing.assert_array_equal(asked.points, points)
        return
    assert asked.dim == 11
    centre = points.mean(axis=0)
    axes, _, across = np.linalg.lstsq(asked.points, points - centre, rcond=None)[:3]
    assert across == 11
    np.testing.assert_allclose(axes @ axes.T, np.eye(11), atol=1e-13)
    np.testing.assert_allclose(asked.points @ axes + centre, points, atol=1e-13)
    noise, step = rng.standard_normal((200, d)), 0.7
    inside = noise @ axes.T
    np.testing.assert_allclose(asked.transport(inside) @ axes + centre, whole.transport(noise), atol=1e-13)
    z = centre + 2 * noise
    found = asked.prox((z - centre) @ axes.T, step)
    np.testing.assert_allclose(found @ axes + centre, whole.prox(z, step), atol=1e-12)


def test_a_target_without_a_solution_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def gives_up(*_: object, **__: object) -> None:
        raise RuntimeError("reached the cap")

    monkeypatch.setattr(targets, "solve", gives_up)
    with pytest.raises(RuntimeError, match="reached the cap"):
        _ = UserTarget("cloud.npz", np.eye(70), np.full(70, 1 / 70)).asked


@pytest.mark.parametrize("n", [1, 90])
def test_points_that_span_nothing_or_all_are_asked_where_they_lie(n: int) -> None:
    points = np.random.default_rng(n).standard_normal((n, 70))
    asked = UserTarget("cloud.npz", points, np.full(n, 1 / n)).asked
    np.testing.assert_array_equal(asked.points, points)
