from collections.abc import Iterator
from pathlib import Path

import pytest

import otcfm_theorems
from tests.reports.house import House
from tests.theorems.setting.user import fields

ROOT = Path(otcfm_theorems.__file__).parent
PACKAGES = ("numerics", "reports", "theorems")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed packages that holds ours and its entry point, as a wheel would leave them."""
    site = tmp_path_factory.mktemp("site")
    for name in PACKAGES:
        (site / name).symlink_to(ROOT / name)
    (site / "otcfm_theorems.py").symlink_to(ROOT / "otcfm_theorems.py")
    info = site / "otcfm_theorems-9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: otcfm-theorems\nVersion: 9\n")
    (info / "entry_points.txt").write_text("[pytest11]\notcfm_theorems = otcfm_theorems\n")
    return site


@pytest.fixture
def house(tmp_path: Path, installed: Path) -> House:
    return House(tmp_path, environment={"PYTHONPATH": str(installed)})


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current directory with modules of fields, forgotten afterwards."""
    yield from fields.written(tmp_path, monkeypatch)
