"""The truth table of verdicts and exit statuses, against an independent reading of the design."""

from dataclasses import replace
from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.run.verdict import Exit, Happened, State, Verdict, exit_status, verdict

PASSED_CHECK = Happened(True, False, "passed", evidence=1)
PASSED_CONTROL = Happened(False, True, "passed", rejections=1)
RANK: dict[Verdict, int] = {"refuted": 0, "unsupported": 1, "not run": 2, "partial": 3, "verified": 4}

# Every combination of role, state, beyond, evidence and rejections that a test can end in.
EVERYTHING = [
    Happened(check, control, state, beyond, evidence, rejections)
    for (check, control) in ((True, False), (False, True), (True, True))
    for state in get_args(State)
    for beyond, evidence, rejections in product((False, True), (0, 1), (0, 1))
    if state in ("passed", "failed", "skipped") or not (beyond or evidence or rejections)
    if not beyond or evidence
]
tests = st.lists(st.sampled_from(EVERYTHING), max_size=5)
flags = st.fixed_dictionaries({"all_collected": st.booleans(), "broken": st.booleans()})


def judge(
    *happened: Happened, is_open: bool = False, all_collected: bool = True, broken: bool = False
) -> Verdict:
    return verdict(happened, is_open=is_open, all_collected=all_collected, broken=broken)


def read_from_the_design(happened: tuple[Happened, ...], all_collected: bool) -> Verdict:
    """The table of the design row by row, written as one would read it aloud."""
    checks = [h for h in happened if h.check]
    controls = [h for h in happened if h.control]
    if any(h.beyond for h in checks):
        return "refuted"
    for h in happened:
        if h.state == "failed" or h.beyond:
            return "unsupported"
        if h.state == "passed" and ((h.check and h.evidence == 0) or (h.control and h.rejections == 0)):
            return "unsupported"
    if all(h.state in ("not selected", "not reached") for h in happened):
        return "not run"
    if all_collected and (not checks or not controls):
        return "unsupported"
    if "passed" not in {h.state for h in checks}:
        return "not run"
    if all_collected and {h.state for h in happened} == {"passed"}:
        return "verified"
    return "partial"


@pytest.mark.parametrize("all_collected", [True, False])
@pytest.mark.parametrize("size", [0, 1, 2])
def test_the_whole_table(size: int, all_collected: bool) -> None:
    for happened in product(EVERYTHING, repeat=size):
        expected = read_from_the_design(happened, all_collected)
        assert judge(*happened, all_collected=all_collected) == expected, happened


@pytest.mark.parametrize(
    ("expected", "happened"),
    [
        ("verified", [PASSED_CHECK, PASSED_CONTROL]),
        ("refuted", [replace(PASSED_CHECK, state="failed", beyond=True), PASSED_CONTROL]),
        ("refuted", [replace(PASSED_CHECK, beyond=True), PASSED_CONTROL]),  # the test swallowed the error
        ("refuted", [replace(PASSED_CHECK, state="skipped", beyond=True), PASSED_CONTROL]),
        ("unsupported", [PASSED_CHECK]),
        ("unsupported", [PASSED_CONTROL]),
        ("unsupported", [PASSED_CHECK, replace(PASSED_CONTROL, rejections=0)]),
        ("unsupported", [PASSED_CHECK, replace(PASSED_CONTROL, beyond=True)]),
        ("unsupported", [replace(PASSED_CHECK, evidence=0), PASSED_CONTROL]),
        ("unsupported", [replace(PASSED_CHECK, state="failed"), PASSED_CONTROL]),
        ("partial", [PASSED_CHECK, Happened(False, True, "not selected")]),
        ("partial", [PASSED_CHECK, PASSED_CONTROL, Happened(True, False, "skipped")]),
        ("partial", [PASSED_CHECK, PASSED_CONTROL, Happened(True, False, "not reached")]),
        ("not run", [Happened(True, False, "not selected"), Happened(False, True, "not selected")]),
        ("not run", [PASSED_CONTROL, Happened(True, False, "skipped")]),
        ("not run", []),
    ],
)
def test_rows_by_hand(expected: Verdict, happened: list[Happened]) -> None:
    assert judge(*happened) == expected


@given(tests, flags)
def test_an_open_claim_stays_open(happened: list[Happened], how: dict[str, bool]) -> None:
    assert judge(*happened, is_open=True, **how) == "open"


@given(tests, flags, st.sampled_from(EVERYTHING))
def test_a_refuting_record_refutes_whatever_else_there_is(
    happened: list[Happened], how: dict[str, bool], other: Happened
) -> None:
    worse = replace(other, check=True, beyond=True, evidence=1)
    assert judge(*happened, worse, **how) == "refuted"


@given(tests, flags, st.sampled_from([h for h in EVERYTHING if h.fails]))
def test_a_failure_can_only_lower_the_verdict(
    happened: list[Happened], how: dict[str, bool], failure: Happened
) -> None:
    before, after = judge(*happened, **how), judge(*happened, failure, **how)
    assert RANK[after] <= min(RANK[before], RANK["unsupported"])


@given(tests, flags)
def test_order_does_not_matter(happened: list[Happened], how: dict[str, bool]) -> None:
    assert judge(*happened, **how) == judge(*reversed(happened), **how)


@given(tests)
def test_verified_needs_everything_collected(happened: list[Happened]) -> None:
    assert judge(*happened, all_collected=False) != "verified"
    assert judge(*happened, broken=True) in ("refuted", "unsupported")


@given(st.lists(st.sampled_from(sorted(RANK)), max_size=4), st.booleans(), st.booleans(), st.floats(0, 1e-5))
def test_exit_status(verdicts: list[Verdict], failed: bool, collected: bool, spent: float) -> None:
    status = exit_status(verdicts, failed=failed, collected=collected, level_spent=spent)
    if failed or spent > 1e-6 or "refuted" in verdicts or "unsupported" in verdicts:
        assert status == Exit.FAILED == 1
    else:
        assert status == (0 if collected else 5)
