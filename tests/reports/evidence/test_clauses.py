"""A clause that a claim declares is checked by name, or the claim is unsupported."""

import pytest

from reports.evidence.basis import KINDS, Basis
from reports.evidence.fixture import Evidence
from reports.evidence.recorder import Recorder
from reports.evidence.records import Bounded, Certified, Exact, Trend
from reports.schema import check
from tests.reports.house import GOOD, House
from theorems.claim import HYPOTHESES, Clause, all_claims

CLAIMS = (
    """claim("A", clauses=(Clause("half", "Halves are below one."), Clause("third", "So are thirds."))),"""
)
NAMED = GOOD.replace('"halves are below one"', '"halves are below one", clause="half"')
BOTH = (
    NAMED
    + """
@pytest.mark.claim("A")
def test_third(evidence):
    evidence.certified("third", 1 / 3, 1, "thirds are below one", clause="third")
"""
)


def test_every_clause_checked(house: House) -> None:
    ran = house.build(BOTH, CLAIMS).run()
    assert (ran.status, ran.verdicts) == (0, {"A": "verified"})
    check(ran.report)
    (claim,) = ran.report["claims"]
    assert [clause["name"] for clause in claim["clauses"]] == ["half", "third"]
    assert {record["clause"] for record in claim["evidence"]} == {"half", "third"}


def test_an_unchecked_clause_leaves_the_claim_unsupported(house: House) -> None:
    ran = house.build(NAMED, CLAIMS).run()
    assert (ran.status, ran.verdicts) == (1, {"A": "unsupported"})
    assert ran.report["claims"][0]["notes"] == ["no evidence names the clause 'third'"]


def test_a_clause_whose_check_was_not_selected_is_no_fault(house: House) -> None:
    ran = house.build(BOTH, CLAIMS).run("-k", "not third")
    assert (ran.status, ran.verdicts) == (0, {"A": "partial"})


def test_a_clause_that_nobody_declares_is_refused(house: House) -> None:
    ran = house.build(NAMED.replace('"half"', '"quarter"'), CLAIMS).run()
    assert (ran.status, ran.verdicts) == (1, {"A": "unsupported"})
    assert "got 'quarter', which no claim of this test declares; declared: half, third" in ran.output


def test_one_quantity_may_check_two_clauses() -> None:
    evidence = Evidence(Recorder())
    for clause in ("half", "third", None):
        evidence.certified("gap", 0.5, 1, "b", clause=clause)
    assert [f["clause"] for f in evidence.recorder.evidence_fields()] == [None, "half", "third"]


@pytest.mark.parametrize("field", ["name", "text"])
def test_clauses_are_checked_at_birth(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        Clause(**({"name": "n", "text": "t"} | {field: " "}))


def test_claims_depend_on_what_is_declared() -> None:
    claims = all_claims()
    known = {claim.id for claim in claims} | set(HYPOTHESES)
    assert {
        claim.id: sorted(set(claim.depends) - known) for claim in claims if set(claim.depends) - known
    } == {}


def test_dependencies_have_no_circle() -> None:
    depends = {claim.id: set(claim.depends) for claim in all_claims()}
    while ready := {name for name, needs in depends.items() if not needs & set(depends)}:
        depends = {name: needs for name, needs in depends.items() if name not in ready}
    assert not depends, f"these claims depend on each other in a circle: {sorted(depends)}"


def test_the_kind_of_a_record() -> None:
    assert Exact("q", "Q", 0).kind == "count"
    assert Trend("q", -1.0, (-1.1, -0.9), -1.0, "interval contains theory").kind == "rate"
    assert Bounded("q", 0.0, 1e-15, "b", "r", 1).kind == "error"
    assert Bounded("q", 0.5, 1e-15, "b", "r", 1, 1.0).kind == "inequality"
    assert Bounded("q", -2.0, 1e-15, "b", "r", 1, -1.0).kind == "inequality"
    assert Certified("q", 0.0, 1.0, "b").kind == "inequality"


def test_a_declared_kind_wins_and_what_is_chosen_is_a_margin() -> None:
    assert Basis("q", 1, kind="error", chosen="a tenth").kind_of("inequality") == "error"
    assert Basis("q", 1, chosen="a tenth").kind_of("inequality") == "margin"
    assert Basis("q", 1, chosen="40 instances").kind_of("count") == "count"
    assert Basis("q", 1).kind_of("rate") == "rate"
    assert set(KINDS) == {"error", "inequality", "count", "rate", "margin"}
    with pytest.raises(ValueError, match="kind of 'q': got 'guess'"):
        Basis("q", 1, kind="guess")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="clause of 'q'"):
        Basis("q", 1, clause=" ")
