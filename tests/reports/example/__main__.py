"""Writes the kept report anew: ``python -m tests.reports.example``."""

import shutil
import tempfile
from pathlib import Path

from reports.run.writer import dumps
from tests.reports.example.theorem import CLAIMS, TESTS
from tests.reports.house import House

HERE = Path(__file__).parent
PROVENANCE = {
    "started": "2026-11-28T09:00:00+00:00",
    "seconds": 1.5,
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "dirty": False,
    "processor": "an example's processor",
    "cores": 2,
    "libraries": [{"name": "openblas", "version": "0.3.31", "threads": 1}],
}
"""In place of the machine's own: the kept report is compared without it."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ran = House(Path(folder)).build(TESTS, CLAIMS).run()
        if not (ran.directory / "report.json").exists():
            raise SystemExit(ran.output)
        report = ran.report
        report["provenance"] |= PROVENANCE
        (HERE / "report.json").write_text(dumps(report), encoding="utf-8")
        shutil.rmtree(HERE / "figures", ignore_errors=True)
        shutil.copytree(ran.directory / "figures", HERE / "figures")


if __name__ == "__main__":
    main()
