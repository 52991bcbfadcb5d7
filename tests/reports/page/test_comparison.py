"""Two runs compared: what changed is told, what did not is not."""

import copy as copying
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reports.page.comparison import compare
from tests.reports.page.conftest import EXAMPLE, Page

REPORT: dict[str, Any] = json.loads((EXAMPLE / "report.json").read_text(encoding="utf-8"))


@pytest.fixture
def after() -> dict[str, Any]:
    return copying.deepcopy(REPORT)


def test_a_run_does_not_differ_from_itself(after: dict[str, Any]) -> None:
    after["provenance"]["processor"] = "another"
    found = compare(REPORT, after)
    assert [rows for _, _, rows in found.parts] == [[]] * 5
    assert not found.worse


def test_changed_verdicts_and_audits(after: dict[str, Any]) -> None:
    after["claims"][0]["verdict"] = "refuted"
    after["audits"][0]["outcome"] = "agrees"
    found = compare(REPORT, after)
    assert found.verdicts == [("E1", "verified", "refuted")]
    assert [row[2:] for row in found.audits] == [("deviates", "agrees")]
    assert found.worse
    assert not compare(after, REPORT).worse


def test_a_failure_of_another_kind_is_not_worse(after: dict[str, Any]) -> None:
    after["claims"][1]["verdict"] = "unsupported"
    found = compare(REPORT, after)
    assert found.verdicts == [("E2", "refuted", "unsupported")]
    assert not found.worse


def test_a_claim_that_one_run_does_not_know(after: dict[str, Any]) -> None:
    del after["claims"][5]
    assert compare(REPORT, after).verdicts == [("E6", "not run", "absent")]
    assert compare(after, REPORT).verdicts == [("E6", "absent", "not run")]


def test_rows_new_and_lost(after: dict[str, Any]) -> None:
    lost = after["claims"][0]["evidence"].pop(0)
    control = after["claims"][0]["controls"].pop(0)
    found = compare(REPORT, after)
    assert found.new == []
    assert [row[2] for row in found.lost] == [lost["quantity"], control["violation"]]
    assert compare(after, REPORT).new == found.lost


@pytest.mark.parametrize(
    ("factor", "told"), [(1.9, 0), (2.1, 1), (1 / 1.9, 0), (1 / 2.1, 1), (0.0, 1), (1.0, 0)]
)
def test_shares_that_moved(after: dict[str, Any], factor: float, told: int) -> None:
    record = next(r for r in after["claims"][0]["evidence"] if r["kind"] == "error")
    record["share"] *= factor
    assert len(compare(REPORT, after).moved) == told


def test_only_errors_use_a_share(after: dict[str, Any]) -> None:
    record = next(r for r in after["claims"][0]["evidence"] if r["kind"] == "inequality")
    record["share"] /= 10
    assert compare(REPORT, after).moved == []


def test_from_the_command_line(copy: Path, tmp_path: Path, after: dict[str, Any]) -> None:
    after["claims"][0]["verdict"] = "unsupported"
    (copy / "report.json").write_text(json.dumps(after), encoding="utf-8")
    page = tmp_path / "compared.html"
    words = [sys.executable, "-m", "reports", "diff"]
    done = subprocess.run(
        [*words, str(EXAMPLE), str(copy), f"--page={page}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "E1 | verified | unsupported" in done.stdout
    read = Page(page.read_text(encoding="utf-8"))
    assert "E1 verified unsupported" in read.text
    assert read.open == []
    assert read.loaded == ["data:,"]
    same = subprocess.run([*words, str(copy), str(copy)], capture_output=True, text=True, check=False)
    assert (same.returncode, same.stdout.count("none")) == (0, 5)
