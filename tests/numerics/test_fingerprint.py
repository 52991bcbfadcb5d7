"""Which code runs: any change of a source file is another hash, and nothing else is."""

import re
from pathlib import Path

import pytest

import numerics
from numerics.fingerprint import fingerprint, source_hash


@pytest.fixture
def folder(tmp_path):
    """A package of two modules, one inside a folder."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "one.py").write_text("x = 1\ny = 2\n")
    (tmp_path / "inner" / "two.py").write_text("z = 3\n")
    return tmp_path


CHANGES = {
    "a byte": lambda at: (at / "one.py").write_text("x = 1\ny = 3\n"),
    "a byte within": lambda at: (at / "inner" / "two.py").write_text("z = 4\n"),
    "a name": lambda at: (at / "one.py").rename(at / "won.py"),
    "a place": lambda at: (at / "inner").rename(at / "inside"),
    "one more": lambda at: (at / "three.py").write_text(""),
    "one less": lambda at: (at / "one.py").unlink(),
    "a line that moved": lambda at: (
        (at / "one.py").write_text("x = 1\n"),
        (at / "inner" / "two.py").write_text("y = 2\nz = 3\n"),
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_source_is_another_hash(folder, change):
    before = source_hash(folder)
    change(folder)
    assert source_hash(folder) != before


def test_what_is_no_source_changes_nothing(folder):
    before = source_hash(folder)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "one.cpython-311.pyc").write_bytes(b"\0")
    (folder / "notes.md").write_text("y = 3\n")
    (folder / "one.py").touch()
    assert source_hash(folder) == before


def test_the_fingerprint_is_of_this_package():
    whole = source_hash(Path(numerics.__file__).parent)
    assert fingerprint() == f"otcfm-theorems {numerics.__version__}, numerics {whole[:16]}"
    assert re.fullmatch("[0-9a-f]{64}", whole)
