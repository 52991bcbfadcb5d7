"""The fixture reduces arrays to their worst entry, and asserts every one of them."""

import json
import math
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from numerics.accuracy import EPS, Rounding
from reports.evidence.fixture import BeyondBoundError, Evidence, NotRejectedAsPredictedError
from reports.evidence.recorder import Recorder

numbers = st.floats(-1e6, 1e6)


class Ball:
    def __init__(self, radius: float) -> None:
        self.radius = radius

    def __repr__(self) -> str:
        return f"Ball({self.radius!r})"


def fresh() -> Evidence:
    return Evidence(Recorder())


def only(evidence: Evidence) -> dict[str, Any]:
    (record,) = evidence.recorder.evidence_fields()
    return record


@given(
    arrays(
        float, array_shapes(max_dims=3, max_side=4), elements=st.floats(allow_nan=True, allow_infinity=True)
    ),
    numbers,
)
def test_an_array_passes_exactly_if_every_entry_does(measured: np.ndarray, bound: float) -> None:
    evidence = fresh()
    if all(math.isfinite(m) and m <= bound for m in measured.flat):
        evidence.certified("gap", measured, bound, "b")
        assert only(evidence)["points"] == measured.size
        assert bound == 0 or only(evidence)["measured"] == measured.max()
    else:
        with pytest.raises(BeyondBoundError):
            evidence.certified("gap", measured, bound, "b")
        assert evidence.recorder.beyond
        assert only(evidence)["holds"] is False


ROUNDED = st.tuples(st.floats(0, 1e3), st.floats(0, 1e3), st.floats(-1e3, 1e3))


@given(st.lists(ROUNDED, min_size=1), st.integers(1, 100))
def test_bounded_is_main_plus_rounding_entry_by_entry(
    triples: list[tuple[float, float, float]], count: int
) -> None:
    measured, size, main = np.array(triples).T
    rounding = Rounding(size, count, "products")
    evidence = fresh()

    def call() -> None:
        evidence.bounded("excess", measured, rounding, "b", main=main)

    if np.all(measured <= main + rounding.bound):
        call()
        record = only(evidence)
        assert record["bound"] == record["main"] + record["rounding"]
        assert (record["rounding_count"], record["rounding_because"]) == (count, "products")
    else:
        with pytest.raises(BeyondBoundError):
            call()


def test_the_worst_is_the_largest_share_and_not_the_largest_error() -> None:
    evidence = fresh()
    on = evidence.on(Ball(2.0), t=np.array([0.25, 0.5, 0.75]), schedule="Linear()")
    rounding = Rounding(np.array([100.0, 4.0, 3.0]), 2, "two")
    on.bounded("error", np.array([9.0, 2.0, 1.0]) * EPS, rounding, "b")
    record = only(evidence)
    assert record["worst"] == "Ball(2.0), t=0.5, schedule='Linear()'"
    assert (record["measured"], record["main"], record["target"]) == (2 * EPS, 0.0, "Ball")
    assert record["rounding"] == rounding.bound[1]


@pytest.mark.parametrize("bound", [math.inf, math.nan])
def test_a_rounding_that_bounds_nothing_is_refused(bound: float) -> None:
    stated = SimpleNamespace(bound=[1e-16, bound], count=1, because="r")
    with pytest.raises(ValueError, match=r"rounding of .q.: got (inf|nan), must be finite"):
        fresh().bounded("q", [0.0, 0.0], stated, "b")


def test_estimated_says_by_what() -> None:
    evidence = fresh()
    evidence.estimated("length", [1.0, 3.0], [2.0, 4.0], "two resolutions", "b")
    assert (only(evidence)["by"], only(evidence)["share"]) == ("two resolutions", 0.75)
    with pytest.raises(BeyondBoundError):
        evidence.estimated("length", [1.0, 5.0], [2.0, 4.0], "two resolutions", "b")


CALLS: dict[str, Callable[..., None]] = {
    "exact": lambda e, **k: e.exact("q", [True] * 5, "Q", **k),
    "certified": lambda e, **k: e.certified("q", np.zeros(5), 1, "b", **k),
    "bounded": lambda e, **k: e.bounded("q", np.zeros(5), Rounding(1, 1, "r"), "b", **k),
    "estimated": lambda e, **k: e.estimated("q", np.zeros(5), 1, "two resolutions", "b", **k),
    "statistical": lambda e, **k: e.statistical("q", np.zeros(5), 1, 1e-9, "b", **k),
    "trend": lambda e, **k: e.trend("q", -1, (-2, -0.5), -1, "interval contains theory", **{"points": 5} | k),
    "control": lambda e, **k: e.control("v", np.ones(5), 1, 0.1, "b", **k),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_was_left_out_is_counted(call: Callable[..., None]) -> None:
    evidence = fresh()
    call(evidence)
    call(evidence, left_out=np.int64(3), at_kinks=2)
    call(evidence, left_out=4, chosen="a margin of 2", points=50)
    (record,) = evidence.recorder.evidence_fields() + evidence.recorder.control_fields()
    assert (record["points"], record["left_out"], record["at_kinks"]) == (60, 7, 2)
    assert record["chosen"] == ""  # that of the worst case, and the first was as bad
    json.dumps(record, allow_nan=False)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"left_out": -1}, "left_out"),
        ({"left_out": 0.5}, "left_out"),
        ({"left_out": True}, "left_out"),
        ({"at_kinks": -1}, "at_kinks"),
        ({"at_kinks": 6}, "at_kinks of '.': got 6 of 5 points"),
        ({"points": 0}, "points"),
        ({"points": 2.5}, "points"),
        ({"chosen": " "}, "chosen"),
        ({"chosen": 3}, "chosen"),
    ],
)
def test_a_bad_basis_is_refused(call: Callable[..., None], given: dict[str, Any], named: str) -> None:
    evidence = fresh()
    with pytest.raises(ValueError, match=named):
        call(evidence, **given)
    assert not evidence.recorder.evidence
    with pytest.raises(TypeError, match="surprise"):
        call(evidence, surprise=1)


def test_calls_are_gathered_by_quantity_and_family() -> None:
    evidence = fresh()
    for radius, gap in ((1.0, 0.1), (2.0, 0.4), (3.0, 0.2)):
        evidence.on(Ball(radius)).certified("gap", [gap, 0.0], 1, "b")
    evidence.on("Sphere").certified("gap", 0.3, 1, "b", points=50)
    ball, sphere = evidence.recorder.evidence_fields()
    assert (ball["draws"], ball["points"], ball["worst"]) == (3, 6, "Ball(2.0)")
    assert (sphere["draws"], sphere["points"], sphere["worst"]) == (1, 50, "Sphere")


def test_nothing_is_recorded_after_a_failure() -> None:
    evidence = fresh()
    with pytest.raises(BeyondBoundError):
        evidence.on(Ball(1.0)).certified("gap", 2.0, 1, "b")
    before = evidence.recorder.evidence_fields()
    with pytest.raises(BeyondBoundError):  # shrinking still has to see the failure
        evidence.on(Ball(0.0)).certified("gap", 9.0, 1, "b")
    evidence.certified("other", 0.0, 1, "b")
    evidence.audit("q", "agrees", 1, 1, "b", subject="s")
    evidence.table("t", ["a"], [[1]])
    assert evidence.recorder.evidence_fields() == before
    assert not evidence.recorder.audits
    assert not evidence.recorder.tables


@pytest.mark.parametrize("nothing", [[], np.zeros((0, 3)), np.zeros((3, 0))])
def test_nothing_checked_is_an_error(nothing: Any) -> None:
    evidence = fresh()
    for call in (
        lambda: evidence.certified("q", nothing, 1, "b"),
        lambda: evidence.bounded("q", nothing, Rounding(1, 1, "r"), "b"),
        lambda: evidence.estimated("q", nothing, 1, "two resolutions", "b"),
        lambda: evidence.statistical("q", nothing, 1, 1e-9, "b"),
        lambda: evidence.exact("q", nothing, "Q"),
        lambda: evidence.control("q", 1.0, nothing, 0.1, "b"),
        lambda: evidence.certified("q", 0.0, 1, "b", points=0),
    ):
        with pytest.raises(ValueError, match="check"):
            call()
    assert not evidence.recorder.evidence


@pytest.mark.parametrize(
    ("measured", "bound", "named"),
    [
        (1j, 1, "real numbers"),
        (True, 1, "real numbers"),
        (["a"], 1, "real numbers"),
        (["1", None], 1, "real numbers"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], "do not fit"),
        (np.zeros(3), np.ones((3, 1)), "every entry with every other"),
        (0.0, [1.0, math.inf], "finite"),
        (0.0, [1.0, math.nan], "finite"),
    ],
)
def test_bad_measurements_are_refused(measured: Any, bound: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        fresh().certified("q", measured, bound, "b")


def test_a_negative_error_anywhere_is_refused() -> None:
    with pytest.raises(ValueError, match="absolute value"):
        fresh().bounded("q", [1e-17, -1e-30], Rounding(1, 4, "r"), "b")
    with pytest.raises(ValueError, match="absolute value"):
        fresh().bounded("q", [-1.0, -1e-30], Rounding(1, 4, "r"), "b", main=[1.0, 0.0])


@pytest.mark.parametrize(
    "holds", [True, np.True_, [True, True], np.ones((2, 2), bool), sympy.true, [sympy.true]]
)
def test_exact_takes_booleans(holds: Any) -> None:
    evidence = fresh()
    evidence.exact("a = b", holds, "Q")
    assert only(evidence)["measured"] == 0


@pytest.mark.parametrize("holds", [False, [True, False], sympy.false])
def test_exact_refutes(holds: Any) -> None:
    evidence = fresh()
    with pytest.raises(BeyondBoundError):
        evidence.exact("a = b", holds, "Q")
    assert only(evidence)["measured"] == 1


@pytest.mark.parametrize("holds", [1, 1.0, "yes", None, sympy.Symbol("x")])
def test_exact_refuses_what_is_merely_truthy(holds: Any) -> None:
    with pytest.raises(ValueError, match="boolean"):
        fresh().exact("a = b", holds, "Q")


@given(numbers, numbers, st.floats(0, 1e6), st.sampled_from([0.0, 1.0]))
def test_a_control_passes_exactly_if_it_fails_as_predicted(
    predicted: float, measured: float, agreement: float, intact: float
) -> None:
    evidence = fresh()

    def call() -> None:
        evidence.control("v", predicted, measured, agreement, "b", intact=intact)

    if agreement >= abs(predicted - intact):
        with pytest.raises(ValueError, match="without any violation"):
            call()
    elif abs(measured - predicted) <= agreement:
        call()
        assert evidence.recorder.rejections == 1
    else:
        with pytest.raises(NotRejectedAsPredictedError):
            call()
        assert evidence.recorder.rejections == 0


def test_the_worst_control_is_the_one_that_uses_most_of_its_agreement() -> None:
    evidence = fresh()
    for measured, agreement in ((1.25, 0.5), (1.125, 0.125), (1.5, 0.75)):
        evidence.control("v", 1.0, [1.0, measured], agreement, "b")
    (record,) = evidence.recorder.control_fields()
    assert (record["measured"], record["agreement"]) == (1.125, 0.125)
    assert (record["draws"], record["points"], record["rejected"]) == (3, 6, True)


def test_one_vacuous_entry_spoils_a_control() -> None:
    with pytest.raises(ValueError, match="without any violation"):
        fresh().control("v", [1.0, 0.0], [1.0, 0.0], 0.1, "b")


def test_levels_add_up_over_calls() -> None:
    evidence = fresh()
    for _ in range(3):
        evidence.statistical("mean", 0.1, 0.2, 1e-9, "b")
    evidence.control("v", 0.25, 0.25, 0.1, "b", level=1e-8)
    assert only(evidence)["level"] == pytest.approx(3e-9)
    assert evidence.recorder.level == pytest.approx(1.3e-8)


def test_the_message_names_everything() -> None:
    with pytest.raises(BeyondBoundError) as caught:
        fresh().on(Ball(3.0), t=np.float64(0.5)).certified("the gap", 2.5, 1.5, "duality")
    for word in ("the gap", "2.5", "1.5", "duality", "Ball(3.0), t=0.5"):
        assert word in str(caught.value)


def test_figures_are_drawn_only_for_a_report_and_always_the_same() -> None:
    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.plot([0, 1], [1, 0])
        axes.set_xlabel("λ → x₀ ∂φ $\\beta_t$")

    evidence = fresh()
    evidence.figure("A line", "a falling line", lambda _: pytest.fail("drawn without a report"))
    images = []
    for format in ("svg", "png", "svg", "png"):  # noqa: A001
        evidence = Evidence(Recorder(wants_figures=True))
        evidence.figure("A line", "a falling line", draw, format=format)  # type: ignore[arg-type]
        images.append(evidence.recorder.figures["A line"].data)
    assert images[0] == images[2]
    assert images[1] == images[3]
    assert b"date" not in images[0].lower()


def test_table_cells_become_plain() -> None:
    evidence = fresh()
    evidence.table("t", ["a", "b", "c"], [[np.float64(1.5), np.int64(2), float("nan")]])
    (table,) = evidence.recorder.tables.values()
    assert table.rows == ((1.5, 2, "nan"),)
    assert [type(cell) for cell in table.rows[0]] == [float, int, str]


def test_a_call_is_cheap() -> None:
    """A run makes some ten thousand: each makes some seventy, counted, as time depends on the day."""
    on, measured, calls = fresh().on(Ball(1.0), t=0.5), np.zeros(8), 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event == "call"

    on.certified("gap", measured, 1.0, "b")
    sys.setprofile(count)
    try:
        for _ in range(10):
            on.certified("gap", measured, 1.0, "b")
    finally:
        sys.setprofile(None)
    assert 0 < calls < 10 * 150  # chosen: twice what they are
