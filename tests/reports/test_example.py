"""The kept example follows the schema, and is what a run writes today."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.evidence.record import Record
from reports.evidence.records import PARTS, RECORDS, STRENGTHS
from reports.schema import FILE, SCHEMA, check, written
from tests.reports.example.theorem import CLAIMS, TESTS
from tests.reports.house import House, without_seconds

HERE = Path(__file__).parent / "example"


def kept() -> dict[str, Any]:
    return json.loads((HERE / "report.json").read_text(encoding="utf-8"))


def test_the_schema_is_a_schema() -> None:
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_ships() -> None:
    assert FILE.read_text(encoding="utf-8") == written(), "run python -m reports.schema"


def test_the_example_follows_the_schema() -> None:
    check(kept())


def test_the_example_is_current(house: House) -> None:
    """If this fails on purpose, run ``python -m tests.reports.example`` and read the difference."""
    ran = house.build(TESTS, CLAIMS).run()
    now, then = ran.report, kept()
    now["run"]["versions"] = then["run"]["versions"] = {}
    assert without_seconds(now) == without_seconds(then)


def test_the_example_is_the_same_through_other_processes(house: House) -> None:
    """What each strength carries travels as one string; NumPy's counts in it would crash the run."""
    now, then = house.build(TESTS, CLAIMS).run("-n", "2").report, kept()
    now["run"]["versions"] = then["run"]["versions"] = {}
    assert without_seconds(now) == without_seconds(then)


def test_the_example_has_one_of_everything() -> None:
    report = kept()
    verdicts = {claim["verdict"] for claim in report["claims"]}
    assert verdicts == {"verified", "refuted", "unsupported", "partial", "open", "not run"}
    strengths = {record["strength"] for claim in report["claims"] for record in claim["evidence"]}
    assert strengths == set(STRENGTHS)
    records = [r for claim in report["claims"] for r in claim["evidence"]]
    assert all(any(r[part] is not None for r in records) for part in PARTS)
    assert all(any(r[name] for r in records) for name in ("left_out", "at_kinks", "chosen"))


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every object member in the report whose absence must be noticed."""
    if isinstance(value, dict):
        free = path in (("run", "versions"), ("hypotheses",))
        inner = [p for key, item in value.items() for p in paths(item, (*path, key))]
        return ([] if free else [(*path, key) for key in value]) + inner
    if isinstance(value, list):
        return [p for index, item in enumerate(value) for p in paths(item, (*path, index))]
    return []


@given(st.data())
def test_a_missing_or_foreign_member_is_refused(data: st.DataObject) -> None:
    report = copy.deepcopy(kept())
    path = data.draw(st.sampled_from(paths(report)))
    holder = report
    for step in path[:-1]:
        holder = holder[step]
    if data.draw(st.booleans()):
        del holder[path[-1]]
    elif path[:2] != ("run", "versions"):
        holder["surprise"] = 1
    else:
        del holder[path[-1]]
    if path[:2] == ("run", "versions") and len(path) == 3 and path[-1] != "python":
        return
    with pytest.raises(ValueError, match=r"report\.json"):
        check(report)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.strength)
def test_strengths_carry_what_they_must_and_nothing_else(record: type[Record]) -> None:
    for part in PARTS:
        report = kept()
        mine = [r for r in report["claims"][0]["evidence"] if r["strength"] == record.strength]
        assert mine
        mine[0][part] = None if part in record.parts else 1
        with pytest.raises(ValueError, match=part):
            check(report)
