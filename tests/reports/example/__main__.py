"""Writes the kept report anew: ``python -m tests.reports.example``."""

import shutil
import tempfile
from pathlib import Path

from tests.reports.example.theorem import CLAIMS, TESTS
from tests.reports.house import House

HERE = Path(__file__).parent


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ran = House(Path(folder)).build(TESTS, CLAIMS).run()
        if not (ran.directory / "report.json").exists():
            raise SystemExit(ran.output)
        shutil.copy(ran.directory / "report.json", HERE / "report.json")
        shutil.rmtree(HERE / "figures", ignore_errors=True)
        shutil.copytree(ran.directory / "figures", HERE / "figures")


if __name__ == "__main__":
    main()
