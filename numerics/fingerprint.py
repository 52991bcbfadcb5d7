"""Which code runs: the version of this package, and a hash of its source files."""

import hashlib
from functools import cache
from pathlib import Path

from numerics import __version__


@cache
def fingerprint() -> str:
    """Version and source hash of `numerics`: where two are equal the same code ran, but for its libraries.

    The hash is of every module, not of those that a solver calls: a list of these would go stale unseen.

    Example:
        >>> fingerprint().startswith(f"otcfm-theorems {__version__}, numerics ")
        True
    """
    return f"otcfm-theorems {__version__}, numerics {source_hash(Path(__file__).parent)[:16]}"


def source_hash(folder: Path) -> str:
    r"""SHA-256, in hexadecimals, of names and contents of all modules in a folder and those within it.

    Raises:
        OSError: If one cannot be read.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     written = (Path(folder) / "one.py").write_bytes(b"x = 1")
        ...     source_hash(Path(folder)) == hashlib.sha256(b"one.py 5\nx = 1").hexdigest()
        True
    """
    digest = hashlib.sha256()
    for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()
