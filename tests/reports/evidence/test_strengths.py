"""Records answer for their own strength: share, parts and words come from them and from nowhere else."""

import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reports
from reports.evidence.record import Record, share
from reports.evidence.records import (
    PARTS,
    RECORDS,
    STRENGTHS,
    Bounded,
    Certified,
    Estimated,
    Exact,
    Statistical,
    Trend,
)
from reports.run.summary import strengths, worst_share

HERE = Path(reports.__path__[0])
README = HERE.parent / "README.md"
CONTAINS = "interval contains theory"
BEYOND_AND_WITHIN: dict[str, tuple[Record, Record]] = {
    "exact": (Exact("q", "Q", 1), Exact("q", "Q", 0)),
    "certified": (Certified("q", 3.0, 2.0, "b"), Certified("q", 1.0, 2.0, "b")),
    "bounded": (Bounded("q", 3.0, 0.5, "b", "r", 1, 1.5), Bounded("q", 1.0, 0.5, "b", "r", 1, 1.5)),
    "estimated": (Estimated("q", 3.0, 2.0, "two grids", "b"), Estimated("q", 1.0, 2.0, "two grids", "b")),
    "statistical": (Statistical("q", 3.0, 2.0, 1e-9, "b"), Statistical("q", 1.0, 2.0, 1e-9, "b")),
    "trend": (
        Trend("q", -2.0, (-2.1, -1.9), -1.0, CONTAINS, level=1e-9),
        Trend("q", -1.0, (-1.1, -0.9), -1.0, CONTAINS, level=1e-9),
    ),
}
finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


def test_the_order_is_that_of_the_design() -> None:
    assert STRENGTHS == ("exact", "certified", "bounded", "estimated", "statistical", "trend")
    assert set(BEYOND_AND_WITHIN) == set(STRENGTHS)
    assert len(set(PARTS)) == len(PARTS)


def test_nobody_else_asks_of_which_strength_a_record_is() -> None:
    """Neither its class nor its name is tested, in no file but the one that defines them."""
    classes = "|".join(record.__name__ for record in RECORDS)
    names = "|".join(STRENGTHS)
    asks = re.compile(
        rf"isinstance\([^()]*\b({classes})\b|[\"']({names})[\"']|\btype\(\w*record\w*\) (is|==)"
    )
    files = [*HERE.rglob("*.py"), *HERE.rglob("*.j2")]
    asking = [f"{p.name}: {hit[0]}" for p in files for hit in asks.finditer(p.read_text(encoding="utf-8"))]
    assert asking == [f'records.py: "{name}"' for name in STRENGTHS]


def test_the_readme_explains_them_in_their_own_words() -> None:
    rows = re.findall(r"^\| (\w+) \| (.+) \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    explained = [row for row in rows if row[0] in STRENGTHS]
    assert explained == [(record.strength, record.meaning) for record in RECORDS]


@pytest.mark.parametrize("strength", STRENGTHS)
def test_what_is_beyond_is_worse_than_anything_within(strength: str) -> None:
    beyond, within = BEYOND_AND_WITHIN[strength]
    assert (beyond.holds, within.holds) == (False, True)
    assert beyond.badness > 1 >= within.badness >= 0
    assert beyond.share is None or beyond.share == 1.5
    assert within.share is None or within.share == 0.5
    assert beyond.risk == within.risk == (1e-9 if strength in ("statistical", "trend") else 0)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_the_fields_are_its_own_parts_and_what_all_have(strength: str) -> None:
    for record in BEYOND_AND_WITHIN[strength]:
        fields: dict[str, Any] = record.fields()
        assert set(fields) & set(PARTS) == set(record.parts)
        assert all(fields[part] is not None for part in record.parts)
        assert (fields["strength"], fields["holds"]) == (strength, record.holds)
        assert (fields["measured"], fields["bound"]) == (record.measured, record.bound)
        used = record.badness if record.share or not record.holds else None
        assert worst_share([fields | {"kind": "error"}]) == used
        assert worst_share([fields | {"kind": "inequality"}]) == (None if record.holds else used)
        assert strengths([fields]) == strength


def test_a_claim_is_told_by_its_weakest_evidence_too() -> None:
    found = [BEYOND_AND_WITHIN[name][1].fields() for name in ("statistical", "exact", "bounded")]
    assert strengths(found) == "exact … statistical"
    assert strengths([]) == ""


@given(finite, finite)
def test_the_share_of_a_record_says_whether_it_holds(measured: float, bound: float) -> None:
    records: list[Record] = [Certified("q", measured, bound, "b"), Estimated("q", measured, bound, "by", "b")]
    records += [Statistical("q", measured, bound, 1e-9, "b")]
    records += [Bounded("q", measured, 0.0, "b", "r", 0, bound)] if bound else []
    for record in records:
        assert record.holds == (measured <= bound)
        assert record.share is not None
        assert record.share <= 1 if record.holds else record.share >= 1
        assert not record.holds or record.share == share(measured, bound)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_has_no_share_in_the_report(bad: float) -> None:
    record = Certified("q", bad, 1.0, "b")
    assert (record.fields()["share"], record.fields()["measured"]) == (None, None)
    assert record.badness == math.inf
    assert worst_share([record.fields() | {"kind": record.kind}]) == math.inf


@given(st.floats(0, 10), st.floats(0, 10), st.floats(0, 10))
def test_both_parts_count(measured: float, main: float, rounding: float) -> None:
    record = Bounded("q", measured, rounding, "b", "r", 3, main)
    assert record.bound == main + rounding
    assert record.holds == (measured <= main + rounding)
