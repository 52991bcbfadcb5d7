"""The share of faults that were noticed is said with the code that it was measured on."""

import json
from pathlib import Path

import pytest

from reports.run import power
from reports.schema import PROVENANCE

SAID = {"tried": 40, "noticed": 37, "interval": [0.8, 0.98], "claims": {"P2": 5, "H1": 0}}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (*power.CODE[:3], "benchmarks"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text(f"{name} = 1\n", encoding="utf-8")
    return tmp_path


def write(tree: Path, text: str) -> None:
    (tree / "benchmarks" / power.NAME).write_text(text, encoding="utf-8")


def test_it_says_whether_it_is_of_this_code(tree: Path) -> None:
    assert power.power(tree) is None
    code = power.code_hash(tree)
    write(tree, json.dumps(SAID | {"code": code}))
    assert power.power(tree) == SAID | {"code": code, "current": True}
    (tree / "numerics" / "a.py").write_text("numerics = 2\n", encoding="utf-8")
    assert power.power(tree) == SAID | {"code": code, "current": False}


def test_what_the_sweep_writes_is_read(tree: Path) -> None:
    from benchmarks.mutants.power import score

    write(tree, json.dumps(score([], {}, power.code_hash(tree), {"theorems.a::test_b": ["P2"]})))
    found = power.power(tree)
    assert found is not None
    assert (found["claims"], found["interval"], found["current"]) == ({"P2": 0}, [0.0, 1.0], True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "{}",
        "3",
        '{"tried": 1}',
        json.dumps(SAID),
        json.dumps(SAID | {"code": "not a hash"}),
        json.dumps(SAID | {"code": "0" * 12, "interval": [80, 98]}),
    ],
)
def test_what_says_nothing_is_not_believed(tree: Path, text: str) -> None:
    write(tree, text)
    assert power.power(tree) is None


def test_the_schema_knows_it_and_does_not_ask_for_it() -> None:
    assert set(PROVENANCE["properties"]["power"]["required"]) == {*SAID, "code", "current"}
    assert "power" not in PROVENANCE["required"]
