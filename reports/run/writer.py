"""Writing a report into a directory, whole or not at all."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

DATA = {"report.json", "figures"}
IGNORED = {".DS_Store"}


def refuse_foreign(directory: Path) -> None:
    """Make sure that a directory may be replaced by a report.

    Raises:
        ValueError: If it is a file, or holds anything that is not a report of ours.
    """
    if not directory.exists():
        return
    if not directory.is_dir():
        raise ValueError("this is a file; name a directory")
    names = {path.name for path in directory.iterdir()} - IGNORED
    if not names:
        return
    if not is_report(directory / "report.json"):
        raise ValueError("the directory is not empty and holds no report of ours; name a new or empty one")
    from reports.page.site import OURS

    if foreign := sorted(names - DATA - OURS):
        raise ValueError(
            f"besides a report the directory holds {', '.join(foreign)}; name another or move these away"
        )


def is_report(path: Path) -> bool:
    """Whether a file is a report.json of ours."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and "schema" in content and "claims" in content and "run" in content


def dumps(content: dict[str, Any]) -> str:
    """The text of report.json."""
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write(directory: Path, content: dict[str, Any], figures: dict[str, bytes]) -> None:
    """Replace a directory by a report: report.json, the figures and the pages.

    Everything is written beside it first and then renamed, so that a crash leaves the old report.

    Args:
        directory: Where; `refuse_foreign` says what may be there.
        content: What report.json says.
        figures: The bytes of every figure by its path in the directory.
    """
    from reports.page import site

    directory = directory.resolve()
    directory.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        fresh.chmod(0o755)
        (fresh / "report.json").write_text(dumps(content), encoding="utf-8")
        for name, data in sorted(figures.items()):
            (fresh / name).parent.mkdir(exist_ok=True)
            (fresh / name).write_bytes(data)
        site.write(fresh)
        _swap(fresh, directory)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _swap(fresh: Path, directory: Path) -> None:
    if not directory.exists():
        fresh.rename(directory)
        return
    old = fresh.with_name(fresh.name + "-old")
    directory.rename(old)
    try:
        fresh.rename(directory)
    except OSError:
        old.rename(directory)
        raise
    shutil.rmtree(old, ignore_errors=True)
