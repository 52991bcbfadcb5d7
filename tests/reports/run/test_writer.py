"""A directory is replaced by a whole report or not at all."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from reports.page.site import OURS
from reports.run import writer

EXAMPLE = Path(__file__).parents[1] / "example"
REPORT: dict[str, Any] = json.loads((EXAMPLE / "report.json").read_text(encoding="utf-8"))
FIGURES = {f"figures/{path.name}": path.read_bytes() for path in (EXAMPLE / "figures").iterdir()}


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_written_whole_and_replaced(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "report"
    writer.write(directory, REPORT, FIGURES)
    writer.refuse_foreign(directory)
    (directory / "figures" / "old.svg").write_text("old")
    writer.write(directory, REPORT, FIGURES)
    assert names(directory) == writer.DATA | OURS
    assert not (directory / "figures" / "old.svg").exists()
    assert names(directory.parent) == {"report"}
    assert json.loads((directory / "report.json").read_text()) == REPORT


@pytest.mark.parametrize("crash", ["write_text", "rename"])
def test_a_crash_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crash: str) -> None:
    directory = tmp_path / "report"
    writer.write(directory, REPORT, FIGURES)
    before = (directory / "index.html").read_bytes()
    original, calls = getattr(Path, crash), []

    def failing(self: Path, *arguments: Any, **options: Any) -> Any:
        calls.append(self)
        if len(calls) == 2:
            raise OSError("no space left")
        return original(self, *arguments, **options)

    monkeypatch.setattr(Path, crash, failing)
    with pytest.raises(OSError, match="no space left"):
        writer.write(directory, REPORT, FIGURES)
    monkeypatch.undo()
    assert (directory / "index.html").read_bytes() == before
    assert names(tmp_path) == {"report"}


def test_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    writer.write(tmp_path / "link", REPORT, FIGURES)
    assert (tmp_path / "link").is_symlink()
    assert "index.html" in names(tmp_path / "real")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"schema": 2}', "not json"])
def test_foreign_directories_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(ValueError, match="no report of ours"):
        writer.refuse_foreign(tmp_path)


def test_empty_and_new_directories_are_fine(tmp_path: Path) -> None:
    writer.refuse_foreign(tmp_path)
    writer.refuse_foreign(tmp_path / "new")


def test_nan_is_not_written(tmp_path: Path) -> None:
    report = json.loads(json.dumps(REPORT))
    report["run"]["level_spent"] = float("nan")
    with pytest.raises(ValueError, match="JSON"):
        writer.write(tmp_path / "report", report, FIGURES)
    assert names(tmp_path) == set()


def test_a_missing_figure_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="figure"):
        writer.write(tmp_path / "report", REPORT, {})
    assert names(tmp_path) == set()
    shutil.rmtree(tmp_path)
