from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.theorems.setting.user import fields
from theorems.setting.user import flow_batches


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current directory with modules of fields, forgotten afterwards."""
    yield from fields.written(tmp_path, monkeypatch)


@pytest.fixture
def few_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two batch sizes, of which few are drawn: the marks themselves are tried in test_flow_batches."""
    monkeypatch.setattr(flow_batches, "DRAWN", {256: (8, 1), 16: (64, 1)})
    monkeypatch.setattr(flow_batches, "TRAJECTORIES", 10)
