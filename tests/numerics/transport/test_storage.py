"""Solved targets on disk come back bit for bit, or are refused in one line."""

from dataclasses import fields

import numpy as np
import pytest

from numerics.fingerprint import fingerprint
from numerics.transport import solve, storage
from numerics.transport.archives import write_arrays
from numerics.transport.storage import load, save

LINE, PLANE = [[0.0], [1.0], [3.0]], [[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [1.5, 1.5]]


@pytest.mark.parametrize("points", [LINE, PLANE], ids=["line", "plane"])
def test_a_solution_comes_back_bit_for_bit(points, tmp_path):
    solution = solve(points)
    found = load(save(solution, tmp_path / "solved"))
    for field in fields(solution):
        was, now = getattr(solution, field.name), getattr(found, field.name)
        assert type(was) is type(now)
        assert np.array_equal(was, now)
    x0 = np.random.default_rng(0).standard_normal((9, len(points[0])))
    assert np.array_equal(found.potential.transport(x0), solution.potential.transport(x0))


@pytest.mark.parametrize("points", [LINE, PLANE, np.eye(4)[:, :3], np.eye(5)], ids=len)
def test_a_solution_says_which_code_solved_it(points, tmp_path, caplog):
    solution = solve(points)
    assert solution.solved_by == fingerprint()
    assert load(save(solution, tmp_path / "a")).solved_by == fingerprint()
    assert not caplog.records


def test_that_other_code_solved_it_is_told_in_one_line(tmp_path, caplog, monkeypatch):
    place, now = save(solve(LINE), tmp_path / "a"), fingerprint()
    monkeypatch.setattr(storage, "fingerprint", lambda: "otcfm-theorems 9.0, numerics 0123")
    found = load(place)
    assert found.solved_by == now
    assert np.array_equal(found.heights, solve(LINE).heights)
    (line,) = caplog.messages
    assert line.startswith(f"{place}: solved by {now}; this is otcfm-theorems 9.0, numerics 0123")


def test_a_file_from_before_codes_were_kept_loads_as_it_did(tmp_path, caplog):
    solution = solve(PLANE)
    kept = {f.name: np.asarray(getattr(solution, f.name)) for f in fields(solution) if f.name != "solved_by"}
    found = load(write_arrays(tmp_path / "a.npz", storage.FORMAT, kept))
    assert found.solved_by == ""
    assert all(np.array_equal(getattr(found, name), kept[name]) for name in kept)
    assert "solved by an earlier version, which did not say; this is" in caplog.text


@pytest.mark.parametrize("name", ["heights", "method"])
def test_what_every_file_must_hold_is_asked_for(name, tmp_path):
    solution = solve(LINE)
    kept = {f.name: np.asarray(getattr(solution, f.name)) for f in fields(solution) if f.name != name}
    with pytest.raises(ValueError, match=r"a\.npz: has arrays .*, need"):
        load(write_arrays(tmp_path / "a.npz", storage.FORMAT, kept))
    with pytest.raises(ValueError, match=r"b\.npz: has arrays .*'more'.*, need"):
        load(
            write_arrays(tmp_path / "b.npz", storage.FORMAT, kept | {name: np.zeros(3), "more": np.zeros(1)})
        )


def test_another_code_written_into_a_file_is_told(tmp_path):
    with np.load(save(solve(LINE), tmp_path / "a.npz")) as file:
        arrays = dict(file)
    np.savez(tmp_path / "b.npz", **arrays | {"solved_by": np.asarray("otcfm-theorems 9.0, numerics 0123")})
    with pytest.raises(ValueError, match=r"b\.npz: is damaged"):
        load(tmp_path / "b.npz")


def test_nothing_is_overwritten_and_nothing_is_left_behind(tmp_path):
    place = save(solve(LINE), tmp_path / "a.npz")
    before = place.read_bytes()
    with pytest.raises(FileExistsError, match=r"a\.npz: exists"):
        save(solve(PLANE), place)
    assert place.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    with pytest.raises(FileNotFoundError):
        save(solve(LINE), tmp_path / "absent" / "a.npz")


def test_damage_at_any_byte_is_told(tmp_path):
    place = save(solve(LINE), tmp_path / "a.npz")
    whole = place.read_bytes()
    rng = np.random.default_rng(0)
    for at in rng.integers(len(whole), size=60):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << int(rng.integers(8))
        place.write_bytes(bytes(damaged))
        told = _told(place)
        if told is None:  # a bit of the archive's own dates and flags
            assert np.array_equal(load(place).heights, solve(LINE).heights)
        else:
            assert told.startswith(str(place))
            assert "\n" not in told


def _told(place):
    try:
        load(place)
    except ValueError as error:
        return str(error)
    return None


def test_an_array_of_another_value_is_told(tmp_path):
    with np.load(save(solve(LINE), tmp_path / "a.npz")) as file:
        arrays = dict(file)
    arrays["heights"] = arrays["heights"] + np.spacing(1.0)
    np.savez(tmp_path / "b.npz", **arrays)
    with pytest.raises(ValueError, match=r"b\.npz: is damaged"):
        load(tmp_path / "b.npz")


@pytest.mark.parametrize("content", [b"", b"nothing", b"PK\x03\x04"])
def test_what_is_no_such_file_is_refused_in_one_line(content, tmp_path):
    place = tmp_path / "a.npz"
    place.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.npz: cannot be read"):
        load(place)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent.npz")


def test_another_file_of_arrays_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", points=np.zeros((2, 2)))
    with pytest.raises(ValueError, match="holds no solution"):
        load(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", points=np.array([object()]))
    with pytest.raises(ValueError, match="cannot be read"):
        load(tmp_path / "b.npz")
