"""The share of faults that were noticed is said of the code that it was measured on, and of no other."""

import json
from pathlib import Path

import pytest

from reports.run import power
from reports.schema import PROVENANCE

SAID = {"tried": 40, "noticed": 37, "interval": [0.8, 0.98]}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (*power.CODE[:3], "benchmarks"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text(f"{name} = 1\n", encoding="utf-8")
    return tmp_path


def write(tree: Path, text: str) -> None:
    (tree / "benchmarks" / power.NAME).write_text(text, encoding="utf-8")


def test_it_is_of_this_code_only(tree: Path) -> None:
    assert power.power(tree) is None
    write(tree, json.dumps(SAID | {"code": power.code_hash(tree)}))
    assert power.power(tree) == SAID
    (tree / "numerics" / "a.py").write_text("numerics = 2\n", encoding="utf-8")
    assert power.power(tree) is None


@pytest.mark.parametrize("text", ["", "[]", "{", "{}", "3", '{"tried": 1}'])
def test_what_says_nothing_is_not_believed(tree: Path, text: str) -> None:
    write(tree, text)
    assert power.power(tree) is None


def test_the_schema_knows_it_and_does_not_ask_for_it() -> None:
    assert set(PROVENANCE["properties"]["power"]["required"]) == set(SAID)
    assert "power" not in PROVENANCE["required"]
