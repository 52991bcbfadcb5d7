import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reports.flows import MODULE, TORCH
from tests.reports.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current directory with modules of fields, forgotten afterwards."""
    (tmp_path / "my_flow.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "my_torch.py").write_text(TORCH, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith(("my_", "broken", "impolite")):
            del sys.modules[name]
