"""Checkpoints: what is kept is found again bit for bit; what is damaged, cut or foreign is trained again."""

import logging
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from numerics.flows import checkpoints, pairs
from numerics.flows.checkpoints import cache_directory, key, trained
from numerics.flows.learned import train
from numerics.flows.recipe import Training
from numerics.potentials import Sphere
from numerics.schedules import Trigonometric

SHORT = Training(steps=3, batch=16, width=8, depth=2)
PAIRS = pairs.exact(Sphere(2, 2.0))


class Bomb:
    """What a malicious file would hold: it runs when it is unpickled."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('code in a checkpoint was run')",))


@pytest.fixture
def counted(monkeypatch):
    """How often a field was trained."""
    calls = []

    def counting(*args, **options):
        calls.append(args)
        return train(*args, **options)

    monkeypatch.setattr(checkpoints, "train", counting)
    return calls


def field(folder, training=SHORT, drawn=PAIRS, **options):
    return trained(drawn, 2, training, directory=folder, **options)


def weights(found):
    return torch.cat([p.flatten() for p in found.module.parameters()])


def test_a_kept_field_is_the_trained_one_bit_for_bit(tmp_path, counted):
    first, second = field(tmp_path), field(tmp_path)
    assert len(counted) == 1
    assert torch.equal(weights(first), weights(second))
    np.testing.assert_array_equal(first.losses, second.losses)
    x = np.ones((2, 2))
    np.testing.assert_array_equal(first.velocity(0.5, x), second.velocity(0.5, x))
    np.testing.assert_array_equal(train(PAIRS, 2, SHORT).velocity(0.5, x), second.velocity(0.5, x))


def flip(content, place):
    return content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]


def tampered(content):
    """The same file with one weight changed and everything else in order."""
    content["state"]["layers.0.weight"][0, 0] += 1
    return content


DAMAGE = {
    "empty": lambda path, _: path.write_bytes(b""),
    "cut": lambda path, whole: path.write_bytes(whole[: len(whole) // 2]),
    "text": lambda path, _: path.write_text("not a checkpoint\n", encoding="utf-8"),
    "pickle that runs code": lambda path, _: path.write_bytes(pickle.dumps(Bomb())),
    "torch file that runs code": lambda path, _: torch.save({"key": Bomb()}, path),
    "another object": lambda path, _: torch.save([1, 2, 3], path),
    "no state": lambda path, _: torch.save({"key": "x"}, path),
    "no tensors": lambda path, _: torch.save(
        {"key": path.stem, "state": {"a": 1}, "losses": 0, "digest": ""}, path
    ),
    "a weight changed": lambda path, _: torch.save(tampered(torch.load(path, weights_only=True)), path),
    "another key": lambda path, _: torch.save(torch.load(path, weights_only=True) | {"key": "f" * 32}, path),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_bad_file_is_named_and_trained_again(tmp_path, counted, caplog, damage):
    first = field(tmp_path)
    (path,) = tmp_path.glob("*.pt")
    damage(path, path.read_bytes())
    with caplog.at_level(logging.WARNING):
        second = field(tmp_path)
    assert len(counted) == 2
    assert str(path) in caplog.text
    assert "trained again" in caplog.text
    assert torch.equal(weights(first), weights(second))
    field(tmp_path)
    assert len(counted) == 2, "the file was replaced"


def test_a_flipped_bit_anywhere_never_changes_the_field(tmp_path):
    """It is either in padding, where nothing reads it, or the field is trained again."""
    first = field(tmp_path)
    (path,) = tmp_path.glob("*.pt")
    whole = path.read_bytes()
    for place in np.random.default_rng(0).integers(len(whole), size=60):
        path.write_bytes(flip(whole, int(place)))
        assert torch.equal(weights(first), weights(field(tmp_path)))


def test_a_checkpoint_of_another_field_is_refused(tmp_path, counted, caplog):
    """Renamed by hand: its key inside tells."""
    field(tmp_path)
    field(tmp_path, replace(SHORT, seed=1))
    first, second = sorted(tmp_path.glob("*.pt"))
    second.write_bytes(first.read_bytes())
    with caplog.at_level(logging.WARNING):
        for seed in (0, 1):
            field(tmp_path, replace(SHORT, seed=seed))
    assert len(counted) == 3
    assert "its key is" in caplog.text


def test_where_nothing_can_be_written_it_is_trained(tmp_path, counted, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("here is no directory", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        field(blocked / "cache")
    assert len(counted) == 1
    assert "not kept" in caplog.text


def test_what_cannot_be_replaced_is_named_and_trained(tmp_path, counted, caplog):
    """A directory where the file should be: neither read nor removed."""
    first = field(tmp_path)
    (path,) = tmp_path.glob("*.pt")
    path.unlink()
    path.mkdir()
    with caplog.at_level(logging.WARNING):
        assert torch.equal(weights(first), weights(field(tmp_path)))
    assert len(counted) == 2
    assert "not kept" in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 4},
        {"batch": 17},
        {"width": 9},
        {"depth": 1},
        {"learning_rate": 1e-2},
        {"seed": 1},
        {"unprompted": 0.2},
        {"threads": 2},
        {"schedule": Trigonometric()},
    ],
    ids=str,
)
def test_every_entry_of_the_configuration_is_in_the_key(change):
    assert key(PAIRS, 2, SHORT, "", "cpu") != key(PAIRS, 2, replace(SHORT, **change), "", "cpu")


def test_data_coupling_words_device_code_and_versions_are_in_the_key(monkeypatch):
    plain = key(PAIRS, 2, SHORT, "", "cpu")
    assert plain == key(pairs.exact(Sphere(2, 2.0)), 2, SHORT, "", "cpu")
    others = [
        key(pairs.exact(Sphere(2, 2.0 + 1e-6)), 2, SHORT, "", "cpu"),
        key(pairs.independent(pairs.data_of(Sphere(2, 2.0))), 2, SHORT, "", "cpu"),
        key(PAIRS, 2, SHORT, "other words", "cpu"),
        key(PAIRS, 2, SHORT, "", "cuda"),
    ]
    monkeypatch.setattr(checkpoints, "version", lambda _: "0")
    others.append(key(PAIRS, 2, SHORT, "", "cpu"))
    monkeypatch.undo()
    monkeypatch.setattr(checkpoints, "_SOURCES", ("learned.py", "sampling.py"))
    others.append(key(PAIRS, 2, SHORT, "", "cpu"))
    assert len({plain, *others}) == len(others) + 1


def test_processes_that_ask_at_once_train_once(tmp_path, counted):
    """The lock is a file's: threads, which take it as processes do, stand for them here."""
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: field(tmp_path), range(4)))
    assert len(counted) == 1
    assert all(torch.equal(weights(found[0]), weights(other)) for other in found)


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def fails(*_):
        raise OSError("disk full")

    monkeypatch.setattr(checkpoints.torch, "save", fails)
    with pytest.raises(OSError, match="disk full"):
        checkpoints.save(tmp_path / "x.pt", "x", train(PAIRS, 2, SHORT))
    assert list(tmp_path.iterdir()) == []


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(checkpoints.VARIABLE, raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_directory() == tmp_path / ".cache" / "otcfm-theorems"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_directory() == tmp_path / "xdg" / "otcfm-theorems"
    monkeypatch.setenv(checkpoints.VARIABLE, str(tmp_path / "here"))
    assert cache_directory() == tmp_path / "here"
