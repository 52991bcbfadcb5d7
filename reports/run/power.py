"""Which share of the faults put into the code its checks noticed, and on which version of it."""

import hashlib
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CODE = ("numerics", "theorems", "reports", "constraints.txt", "pyproject.toml")
NAME = "POWER.json"
"""What `make mutants` writes beside benchmarks/POWER.md."""
ENOUGH = 3
"""The checks of a claim should notice so many faults of the code that they are about: *chosen*."""


def code_hash(root: Path = ROOT) -> str:
    """SHA-256 of every file that a run depends on, names and contents, in twelve digits."""
    digest = hashlib.sha256()
    for name in CODE:
        place = root / name
        files = sorted(place.rglob("*")) if place.is_dir() else [place]
        for path in files:
            written = "__pycache__" in path.parts or (root / "reports" / "html") in path.parents
            if path.is_file() and not written:
                digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def power(root: Path = ROOT) -> dict[str, Any] | None:
    """What benchmarks/POWER.json says, and whether it was measured on this code; None where it says nothing.

    A measurement takes an hour, so that most code is newer than the last one: who shows it says so.

    Returns:
        The hash of the ``code`` that was measured, and whether it is ``current``; the faults ``tried``, those
        that the theorems ``noticed``, and the ``interval`` of the share, at 95 %; of each of the ``claims``,
        how many faults its checks and controls were the first to notice.
    """
    from jsonschema import Draft202012Validator

    from reports.schema import POWER

    try:
        measured = json.loads((root / "benchmarks" / NAME).read_text(encoding="utf-8"))
        found = measured | {"current": measured["code"] == code_hash(root)}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if Draft202012Validator(POWER).is_valid(found) else None
