from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reports.house import House
from tests.theorems.setting.user import fields


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current directory with modules of fields, forgotten afterwards."""
    yield from fields.written(tmp_path, monkeypatch)
