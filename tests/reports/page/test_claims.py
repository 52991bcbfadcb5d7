"""Records arranged for a page: nothing is lost, the worst is shown, the strongest control is strongest."""

import copy as copying
import json
from typing import Any

import pytest

from reports.page import claims
from reports.page.rows import Quantity, Violation
from tests.reports.page.conftest import EXAMPLE

REPORT: dict[str, Any] = json.loads((EXAMPLE / "report.json").read_text(encoding="utf-8"))
FIRST: dict[str, Any] = REPORT["claims"][0]


def edited(**changes: Any) -> dict[str, Any]:
    return copying.deepcopy(FIRST["evidence"][0]) | changes


@pytest.mark.parametrize("claim", REPORT["claims"], ids=lambda claim: claim["id"])
def test_no_record_is_lost(claim: dict[str, Any]) -> None:
    shown = [r for check in claims.checks(claim) for q in check.quantities for r in q.records]
    assert sorted(map(repr, shown)) == sorted(map(repr, claim["evidence"]))
    broken = [r for check in claims.controls(claim) for v in check.violations for r in v.records]
    assert sorted(map(repr, broken)) == sorted(map(repr, claim["controls"]))


def test_parameters_of_a_test_are_one_check() -> None:
    records = [
        edited(
            test=f"theorems.a.test_b::test_c[the interval [0, {k}]]",
            command=f"pytest --pyargs 'theorems.a.test_b::test_c[the interval [0, {k}]]' --seed=0",
            share=k,
            seconds=1.0,
        )
        for k in (0.25, 0.5)
    ]
    (check,) = claims.checks({"evidence": records})
    assert (check.test, check.command) == (
        "theorems.a.test_b::test_c",
        "pytest --pyargs theorems.a.test_b::test_c --seed=0",
    )
    assert check.seconds == 2.0
    (quantity,) = check.quantities
    assert quantity.worst["share"] == 0.5


def test_parameters_of_a_family_are_one_row() -> None:
    records = [
        edited(target=target, share=share, points=points)
        for target, share, points in (("Sphere", 0.1, 3), ("Arc", 0.5, 4), ("Sphere", 0.4, 5))
    ]
    sphere, arc = Quantity("q", records).families
    assert (sphere.worst["share"], sphere.total("points"), len(sphere.records)) == (0.4, 8, 2)
    assert arc.records == [records[1]]
    control = FIRST["controls"][0]
    broken = [
        control | {"target": "A"},
        control | {"target": "B"},
        control | {"target": "A", "rejected": False},
    ]
    first, second = Violation("c", broken).families
    assert first.fails
    assert not second.fails


def test_what_claims_share_is_told_with_the_first_and_nothing_else_is() -> None:
    shared, own = edited(test="theorems.a::test_b"), edited(test="theorems.a::test_c")
    first = {"id": "P1", "evidence": [shared], "controls": FIRST["controls"]}
    second = {"id": "P2", "evidence": [shared, own], "controls": FIRST["controls"]}
    third = {"id": "P3", "evidence": [shared | {"measured": 7.0}], "controls": []}
    homes = claims.homes([first, second, third])
    assert set(homes.values()) == {"P1"}
    assert {claim for claim, _ in homes} == {"P2"}  # the third has other numbers
    checks, controls = claims.arranged(second, homes)
    assert {check.test: check.home for check in checks} == {shared["test"]: "P1", own["test"]: None}
    assert {check.home for check in controls} == {"P1"}
    assert {check.home for check in claims.arranged(first, homes)[0]} == {None}


def test_roundings_of_many_families_are_said_once() -> None:
    records = [
        edited(rounding_count=3.0, rounding_because="a sum; a product"),
        edited(rounding_count=7.0, rounding_because="a product; a quotient"),
    ]
    assert Quantity("q", records).roundings == (7.0, "a sum; a product; a quotient")
    assert Quantity("q", [edited(rounding_because=None)]).roundings is None


def test_long_lists_of_roundings_are_told_by_number_and_none_is_lost() -> None:
    many, few = "a sum; a product; a root; a quotient; a sum of squares", "a product; a shift"
    most = "a root; a quotient; a power; a product"
    texts = [f"theorems.a::test_{k}" for k in range(3)]
    records = [
        edited(test=t, rounding_count=1.0, rounding_because=b)
        for t, b in zip(texts, (many, few, most), strict=True)
    ]
    checks = claims.checks({"evidence": records})
    numbers = claims.sources(checks)
    assert list(numbers) == [*many.split("; "), "a power"]
    assert [claims.told(text, numbers) for text in (many, few, most)] == ["1–5", few, "2–4, 6"]
    assert claims.told("a sum; a root; a sum of squares; a power", numbers) == "1, 3, 5, 6"
    checks[0].home = "P1"  # told there
    assert list(claims.sources(checks)) == most.split("; ")


def test_rows_unfold_in_turn_and_what_fails_always() -> None:
    def rows(*failing: bool) -> list[Any]:
        return [Quantity(f"q{k}", [edited(holds=not fails)]) for k, fails in enumerate(failing)]

    many, few = rows(False, False, False, True), rows(False)
    assert claims.shown([many, few], 3) == [[many[0], many[3]], few]
    assert claims.shown([many, few], 1) == [[many[3]], []]
    assert claims.shown([many, few], 9) == [many, few]
    assert claims.shown([rows(True, True)], 0)[0] == rows(True, True)


def test_modules_keep_every_check() -> None:
    checks = claims.checks(FIRST)
    for most in (None, 0, 1):
        found = claims.by_module(checks, "quantities", most)
        assert [check for _, listed, _ in found for check in listed] == checks
        unfolded = sum(len(rows) for _, _, rows in found)
        assert (
            unfolded == sum(len(c.quantities) for c in checks) if most is None else unfolded <= max(most, 0)
        )


def test_what_is_beyond_is_worst_whatever_its_share() -> None:
    within, beyond = edited(share=0.9), edited(share=None, holds=False, measured=None)
    assert Quantity("q", [within, beyond]).worst is beyond
    assert Quantity("q", [beyond, within]).worst is beyond


def test_only_errors_have_shares_and_only_inequalities_slack() -> None:
    record = {"kind": "error", "share": 0.3, "measured": 3.0, "bound": 10.0, "holds": True}
    quantity = Quantity("q", [edited(**record), edited(**record | {"share": 0.1})])
    assert (quantity.shares, quantity.slack) == ((0.1, 0.3), None)
    mixed = Quantity("q", [edited(**record), edited(**record | {"kind": "inequality", "share": 0.9})])
    assert (mixed.shares, mixed.slack) == (None, 7.0)  # the row shows its worst record
    for kind in ("inequality", "margin"):
        quantity = Quantity("q", [edited(**record | {"kind": kind})])
        assert (quantity.shares, quantity.slack) == (None, 7.0)
    for kind in ("count", "rate"):
        quantity = Quantity("q", [edited(**record | {"kind": kind})])
        assert (quantity.shares, quantity.slack) == (None, None)


def test_of_no_budget_there_is_no_share() -> None:
    nothing = edited(kind="error", share=0.0, measured=0.0, bound=0.0, holds=True)
    quantity = Quantity("q", [nothing, nothing])
    assert (quantity.shares, quantity.slack) == (None, 0.0)
    assert claims.error_shares({"evidence": [nothing | {"role": "check"}]}) == []


def test_the_strongest_control_is_farthest_from_going_unnoticed() -> None:
    def control(**fields: float | bool) -> dict[str, Any]:
        return FIRST["controls"][0] | {"predicted": 1.0, "intact": 0.0, "rejected": True} | fields

    weak, strong, failed = (
        control(agreement=0.5),
        control(agreement=1e-9),
        control(agreement=0.0, rejected=False),
    )
    assert claims.strongest_control({"controls": [weak, strong, failed]}) is strong
    exact, larger = control(agreement=0.0), control(agreement=0.0, predicted=5.0)
    assert claims.strongest_control({"controls": [exact, larger, strong]}) is larger
    assert claims.strongest_control({"controls": [failed]}) is None


def test_strengths_count_what_checks_left() -> None:
    assert sum(claims.strengths(FIRST).values()) == len(FIRST["evidence"])
    assert next(iter(claims.strengths(FIRST))) == "exact"
    in_a_control = {"evidence": [edited(role="control")]}
    assert claims.strengths(in_a_control) == {}


def test_clauses_name_their_checks() -> None:
    rows = {row["name"]: row for row in claims.clause_rows(FIRST)}
    assert rows["recovery"]["checks"] == ["theorems.demo.test_demo::test_recovery"]
    assert rows["recovery"]["strengths"] == {"bounded": 1}
    assert (rows["recovery"]["domain"], rows["recovery"]["points"]) == (["Sphere"], 15)
    assert claims.clause_rows(FIRST | {"evidence": []})[0]["checks"] == []
