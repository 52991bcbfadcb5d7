"""`for_all` is a random test, an example of every family and an audit at once; misfits are refused."""

from typing import Any

import pytest
from hypothesis import strategies as st

from numerics.potentials import Cantor, FiniteAtoms, Sphere
from numerics.schedules import Linear, Trigonometric
from reports.evidence.auditor import Auditor
from reports.evidence.recorder import Recorder
from theorems.setting import quantifiers
from theorems.setting.audits import ask, asked_in, quantified_in
from theorems.setting.instances import REPRESENTATIVES, named
from theorems.setting.quantifiers import (
    SCHEDULES,
    SEEDS,
    TARGETS,
    TIMES,
    VARYING,
    WITH_A_MANIFOLD,
    for_all,
)
from theorems.setting.values import Targets, Values

SOME = Targets(st.builds(Sphere, st.integers(1, 3)), REPRESENTATIVES)
TWO = FiniteAtoms.two([0.0], [1.0], 0.3)


@for_all("X1", target=SOME, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
def quantified(evidence: Any, target: Any, schedule: Any, t: float, seed: int) -> None:
    evidence.append((target, schedule, t, seed))


def test_random_test_meets_every_representative_with_the_usual_values() -> None:
    met: list[Any] = []
    quantified(met)  # type: ignore[call-arg]
    usual = [case for case in met if case[1:] == (Trigonometric(), 0.4, 1)]
    assert {id(case[0]) for case in usual} == set(map(id, REPRESENTATIVES))
    assert len(met) > len(REPRESENTATIVES) + 10  # and draws beside them


def test_mark_of_every_claim_is_set() -> None:
    @for_all("X1", "X2", seed=SEEDS)
    def check(evidence: Any, seed: int) -> None: ...

    assert [mark.args for mark in check.pytestmark] == [("X1", "X2")]  # type: ignore[attr-defined]


def test_cases_of_an_audit_are_the_product_of_the_grids_each_with_its_seed() -> None:
    cases = quantified.quantified.cases()  # type: ignore[attr-defined]
    assert len(cases) == len(SCHEDULES.grid) * len(TIMES.grid)
    assert [case["seed"] for case in cases] == list(range(1, len(cases) + 1))


def test_a_check_of_noise_alone_is_repeated() -> None:
    @for_all("X1", target=TARGETS, seed=SEEDS)
    def check(evidence: Any, target: Any, seed: int) -> None: ...

    assert [case["seed"] for case in check.quantified.cases()] == [1, 2, 3]  # type: ignore[attr-defined]


def test_more_examples_take_the_place_of_usual_values() -> None:
    met: list[Any] = []

    @for_all("X1", target=SOME, t=TIMES, seed=SEEDS, also=({"t": 1e-6, "seed": 2},))
    def check(evidence: Any, target: Any, t: float, seed: int) -> None:
        evidence.append((target, t, seed))

    check(met)
    assert sum(case[1:] == (1e-6, 2) for case in met) >= len(REPRESENTATIVES)


def test_part_of_the_targets() -> None:
    assert not any(isinstance(target, Cantor) for target in WITH_A_MANIFOLD.examples)
    left_out = {type(p).__name__ for p in REPRESENTATIVES if p not in WITH_A_MANIFOLD.examples}
    assert left_out == {"Cantor", "Bits"}
    assert not WITH_A_MANIFOLD.suits(Cantor())
    flat = WITH_A_MANIFOLD.among(lambda target: target.dim == 2, "in the plane")
    assert flat.why.endswith("in the plane")
    assert flat.suits(Sphere(2))
    assert not flat.suits(Sphere(3))
    with pytest.raises(ValueError, match="no example is among"):
        TARGETS.among(lambda _: False, "none")


def test_a_user_target_is_asked_with_the_bounds_of_the_check() -> None:
    @for_all("X1", target=TARGETS, t=TIMES)
    def test_check(evidence: Any, target: Any, t: float) -> None:
        if t > 0.9:
            raise RuntimeError("no convergence")
        evidence.on(target, t=t).certified("error", t, 0.5, because="half")

    keeper = Auditor(Recorder(), "cloud.npz", "data", "X1")
    ask(keeper, test_check.quantified, TWO)  # type: ignore[attr-defined]
    found = {audit.question: audit.outcome for audit in keeper.recorder.audits.values()}
    assert found == {
        "X1: is error within its bound?": "deviates",
        "X1: can it be asked? (check)": "cannot be told",
    }


def test_a_target_that_does_not_suit_is_skipped_with_the_reason() -> None:
    spheres = Targets(st.builds(Sphere, st.just(2)), (Sphere(2),), lambda p: isinstance(p, Sphere), "spheres")

    @for_all("X1", target=spheres, seed=SEEDS)
    def check(evidence: Any, target: Any, seed: int) -> None: ...

    with pytest.raises(pytest.skip.Exception, match="about spheres"):
        ask(Auditor(Recorder(), "cloud.npz", "data", "X1"), check.quantified, TWO)  # type: ignore[attr-defined]


def test_every_check_of_a_folder_is_found_and_asked_unless_it_says_why_not() -> None:
    found = quantified_in("theorems.definitions")
    assert len({check.name for check in found}) == len(found) > 4
    asked = [parameter.values[1] for parameter in asked_in("theorems.definitions")]
    assert asked == [check for check in found if check.targets is not None and not check.unasked]


@pytest.mark.parametrize(
    ("over", "options", "message"),
    [
        ({"target": TARGETS, "s": SEEDS}, {}, "takes no 's'"),
        ({"target": TARGETS, "t": st.floats(0, 1)}, {}, "'t' is a bare strategy"),
        ({"target": VARYING, "t": st.floats(0, 1)}, {}, "'t' is a bare strategy"),
        ({"t": TIMES}, {"also": ({"u": 1},)}, "takes no 'u'"),
    ],
)
def test_what_does_not_fit_is_refused(over: Any, options: Any, message: str) -> None:
    def check(evidence: Any, target: Any, t: float) -> None: ...

    with pytest.raises(ValueError, match=message):
        for_all("X1", **options, **over)(check)


def test_a_check_without_a_claim_is_refused() -> None:
    def check(evidence: Any, t: float) -> None: ...

    with pytest.raises(ValueError, match="names no claim"):
        for_all(t=TIMES)(check)


def test_a_bare_strategy_will_do_where_nothing_is_asked() -> None:
    @for_all("X1", target=VARYING, t=st.floats(0, 1), unasked="it draws its own times")
    def check(evidence: Any, target: Any, t: float) -> None: ...

    assert check.quantified.unasked  # type: ignore[attr-defined]


def test_values_are_checked_at_birth() -> None:
    with pytest.raises(ValueError, match="drawn"):
        Values(3, 3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="counted"):
        Values(st.integers(), 1, (1, 2), counted=True)
    assert TIMES.but(usual=0.9).usual == 0.9
    assert quantifiers.HYPERBOLIC[0] == Linear()


def test_instances_are_known_by_name() -> None:
    assert repr(named("circle")) == "Sphere(2, 2.0)"
    with pytest.raises(ValueError, match="two atoms"):
        named("heptadecagon")
