"""MNIST's directory: which files it must hold, and what is said of others."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports.run import inputs
from theorems.setting.user.idx import IMAGES, LABELS


class Given:
    """A configuration with the options given."""

    def __init__(self, **options: Any) -> None:
        self.options = {f"--{name}": value for name, value in options.items()}

    def getoption(self, name: str) -> Any:
        return self.options.get(name, inputs.DEFAULTS.get(name))


def idx(count: int, *, magic: int, extra: bytes = b"") -> bytes:
    axes = magic % 256
    sizes = (count, 2, 3)[:axes]
    body = bytes(count * (6 if axes == 3 else 1))
    return struct.pack(f">{1 + axes}I", magic, *sizes) + body + extra


def good(path: Path) -> None:
    (path / IMAGES).write_bytes(idx(5, magic=0x803))
    (path / LABELS).write_bytes(idx(5, magic=0x801))


def test_plain_and_gzipped_files_are_found(tmp_path: Path) -> None:
    assert inputs.mnist_directory(Given()) is None
    good(tmp_path)
    assert inputs.mnist_directory(Given(mnist=str(tmp_path))) == tmp_path
    (tmp_path / f"{IMAGES}.gz").write_bytes(gzip.compress(idx(5, magic=0x803)))
    (tmp_path / IMAGES).unlink()
    assert inputs.mnist_directory(Given(mnist=str(tmp_path))) == tmp_path


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda path: path, f"{IMAGES}: there is no such file, nor {IMAGES}.gz"),
    "no labels": (lambda path: (good(path), (path / LABELS).unlink()), f"{LABELS}: there is no such file"),
    "swapped": (
        lambda path: [
            (path / name).write_bytes(idx(5, magic=m)) for name, m in ((IMAGES, 0x801), (LABELS, 0x803))
        ],
        "begins with 00 00 08 01; an IDX file of bytes with 3 axes",
    ),
    "text": (lambda path: (good(path), (path / IMAGES).write_text("not images")), "begins with 6e 6f 74 20"),
    "short": (lambda path: (good(path), (path / IMAGES).write_bytes(b"\0\0")), "begins with 00 00;"),
    "cut": (
        lambda path: (good(path), (path / IMAGES).write_bytes(idx(5, magic=0x803)[:-1])),
        "holds 29 bytes; shape (5, 2, 3) needs 30",
    ),
    "long": (
        lambda path: (good(path), (path / LABELS).write_bytes(idx(5, magic=0x801, extra=b"1"))),
        "holds 6 bytes; shape (5,) needs 5",
    ),
    "unequal": (
        lambda path: (good(path), (path / LABELS).write_bytes(idx(4, magic=0x801))),
        "differ in number",
    ),
    "no gzip": (
        lambda path: (good(path), (path / IMAGES).rename(path / f"{IMAGES}.gz")),
        "cannot be read",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_directories_are_refused_in_one_line(tmp_path: Path, case: str) -> None:
    prepare, words = BAD[case]
    prepare(tmp_path)
    with pytest.raises(pytest.UsageError, match=r"^--mnist=") as error:
        inputs.mnist_directory(Given(mnist=str(tmp_path)))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_devices() -> None:
    assert inputs.device(Given()) == "cpu"
    for name in ("gpu", "cuda:", "cuda:-1", "cuda:x", "CPU"):
        with pytest.raises(pytest.UsageError, match="use cpu, cuda or cuda:N"):
            inputs.device(Given(device=name))


def test_an_absent_gpu_is_said_to_be_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(pytest.UsageError, match="--device=cuda: torch finds 0 CUDA devices here; use cpu"):
        inputs.device(Given(device="cuda"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert inputs.device(Given(device="cuda:1")) == "cuda:1"
    with pytest.raises(pytest.UsageError, match="torch finds 2 CUDA devices"):
        inputs.device(Given(device="cuda:2"))
