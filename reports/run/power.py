"""Which share of the faults put into the code its checks noticed, if that was measured on this very code."""

import hashlib
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CODE = ("numerics", "theorems", "reports", "constraints.txt", "pyproject.toml")
NAME = "POWER.json"
"""What `make mutants` writes beside benchmarks/POWER.md."""


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
    """What benchmarks/POWER.json says of this code; None where there is none, or it is about other code.

    Returns:
        The faults ``tried``, those that the theorems ``noticed``, and the ``interval`` of the share, at 95 %.
    """
    try:
        measured = json.loads((root / "benchmarks" / NAME).read_text(encoding="utf-8"))
        about, found = measured["code"], {name: measured[name] for name in ("tried", "noticed", "interval")}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if about == code_hash(root) else None
