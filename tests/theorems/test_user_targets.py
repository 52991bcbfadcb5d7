"""How the theorems' checks are asked of a user's points: over which cases, and what ends in an error."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from numerics.potentials import FiniteAtoms
from reports.evidence.auditor import Auditor
from reports.evidence.recorder import Recorder
from theorems.user_targets import GRID, ask, cases, named

TARGET = FiniteAtoms.two([0.0], [1.0], 0.3)


def auditor() -> Auditor:
    return Auditor(Recorder(), "cloud.npz", "data", "P1")


def test_cases_are_the_product_of_what_is_drawn() -> None:
    def check(evidence: Any, target: Any, schedule: Any, t: float, seed: int) -> None: ...

    found = list(cases(check))
    assert len(found) == len(GRID["schedule"]) * len(GRID["t"])
    assert sorted(case["seed"] for case in found) == list(range(1, len(found) + 1))
    assert {case["t"] for case in cases(check, t=(0.5,))} == {0.5}


def test_seeds_and_generators_alone_are_repeated() -> None:
    def check(evidence: Any, target: Any, rng: np.random.Generator) -> None: ...

    drawn = [case["rng"].random() for case in cases(check)]
    assert len(set(drawn)) == 3


def test_a_check_records_audits_and_an_error_is_a_deviation() -> None:
    @given(t=st.floats(0, 1))
    def test_check(evidence: Any, target: Any, t: float) -> None:
        if t > 0.9:
            raise RuntimeError("no convergence")
        evidence.on(target, t=t).certified("error", t, 0.5, because="half")

    keeper = auditor()
    ask(keeper, test_check, TARGET)
    found = {audit.question: audit.outcome for audit in keeper.recorder.audits.values()}
    assert found == {
        "P1: is error within its bound?": "deviates",
        "P1: can it be asked? (check)": "deviates",
    }


def test_a_check_that_no_case_suits_is_skipped() -> None:
    @given(t=st.floats(0, 1))
    def test_check(evidence: Any, target: Any, t: float) -> None:
        assume((evidence, target, t) is None)

    with pytest.raises(pytest.skip.Exception, match="no case"):
        ask(auditor(), test_check, TARGET)


def test_names_carry_claim_and_check() -> None:
    (only,) = named({"P1": (test_cases_are_the_product_of_what_is_drawn,)})
    assert only.id == "P1-test_cases_are_the_product_of_what_is_drawn"
