"""Records are refused at birth when they say nothing, and no bad number ever holds."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.evidence.exhibits import Audit, Control, Figure, Table
from reports.evidence.record import share
from reports.evidence.records import Bounded, Certified, Estimated, Exact, Statistical, Trend

finite = st.floats(allow_nan=False, allow_infinity=False)
bad_numbers = st.sampled_from([math.nan, math.inf, -math.inf])
CONTAINS = "interval contains theory"


@pytest.mark.parametrize(
    ("record", "named"),
    [
        (lambda: Exact("", "Q", 0), "quantity"),
        (lambda: Exact("q", " ", 0), "domain"),
        (lambda: Certified("q", 0.0, 1.0, ""), "because"),
        (lambda: Certified("", 0.0, 1.0, "b"), "quantity"),
        (lambda: Certified("q", 0.0, math.inf, "b"), "bound"),
        (lambda: Certified("q", 0.0, math.nan, "b"), "bound"),
        (lambda: Bounded("q", 0.0, math.inf, "b", "r", 1), "rounding"),
        (lambda: Bounded("q", 0.0, math.nan, "b", "r", 1), "rounding"),
        (lambda: Bounded("q", 0.0, -1e-16, "b", "r", 1), "rounding"),
        (lambda: Bounded("q", 0.0, 1e-16, "b", "r", -1), "count of the rounding"),
        (lambda: Bounded("q", 0.0, 1e-16, "b", "r", math.inf), "count of the rounding"),
        (lambda: Bounded("q", 0.0, 1e-16, "b", " ", 1), "because of the rounding"),
        (lambda: Bounded("q", 0.0, 1e-16, " ", "r", 1), "because"),
        (lambda: Bounded("q", 0.0, 1e-16, "b", "r", 1, math.inf), "main"),
        (lambda: Bounded("q", -1e-30, 1e-16, "b", "r", 1), "absolute value"),
        (lambda: Estimated("q", 0.0, 1.0, "", "b"), "by"),
        (lambda: Estimated("q", 0.0, 1.0, "two resolutions", ""), "because"),
        (lambda: Estimated("q", 0.0, math.inf, "two resolutions", "b"), "bound"),
        (lambda: Statistical("q", 0.0, 1.0, 0.0, "b"), "level"),
        (lambda: Statistical("q", 0.0, 1.0, 1.0, "b"), "level"),
        (lambda: Statistical("q", 0.0, 1.0, math.nan, "b"), "level"),
        (lambda: Statistical("q", 0.0, math.nan, 1e-9, "b"), "threshold"),
        (lambda: Trend("q", -1.0, (-1.1, -0.9), -1.0, "looks fine"), "rule"),
        (lambda: Trend("q", 0.0, (-0.1, 0.1), 0.0, CONTAINS), "alternative"),
        (lambda: Trend("q", -2.0, (-1.1, -0.9), -1.0, CONTAINS), "interval"),
        (lambda: Trend("q", -1.0, (-1.1, -0.9), -1.0, CONTAINS, level=1.0), "level"),
        (lambda: Trend("q", -1.0, (-1.0, -1.0), -1.0, CONTAINS), "interval"),
        (lambda: Trend("q", -1.0, (-1.1, -0.9), math.nan, CONTAINS), "theory"),
        (lambda: Control("v", 0.0, 0.0, 1.0, "b"), "without any violation"),
        (lambda: Control("v", 0.0, 0.0, 0.0, "b"), "without any violation"),
        (lambda: Control("v", 0.5, 0.5, 0.5, "b"), "without any violation"),
        (lambda: Control("v", 0.9, 0.9, 0.1, "b", intact=1.0), "without any violation"),
        (lambda: Control("v", 1.0, 1.0, -0.1, "b"), "agreement"),
        (lambda: Control("v", math.inf, math.inf, 1.0, "b"), "predicted"),
        (lambda: Control("v", 1.0, 1.0, 0.1, "b", level=0.0), "level"),
        (lambda: Audit("s", "library", "q", "fails", 1.0, 1.0, "b"), "outcome"),  # type: ignore[arg-type]
        (lambda: Audit("s", "weather", "q", "agrees", 1.0, 1.0, "b"), "kind"),  # type: ignore[arg-type]
        (lambda: Audit("", "library", "q", "agrees", 1.0, 1.0, "b"), "subject"),
        (lambda: Table("t", ("a", "b"), ((1, 2), (3,))), "row 1"),
        (lambda: Table("t", ("a",), ()), "empty"),
        (lambda: Figure("t", "", "svg", b""), "alt"),
    ],
)
def test_refused_at_birth(record: Callable[[], Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        record()


@given(bad_numbers, finite)
def test_what_is_not_finite_never_holds(bad: float, bound: float) -> None:
    assert not Certified("q", bad, bound, "b").holds
    assert not Statistical("q", bad, bound, 1e-9, "b").holds
    assert not Control("v", 1.0, bad, 0.5, "b").holds
    assert not Trend("q", bad, (-1.1, -0.9), -1.0, CONTAINS).holds
    assert not Trend("q", -1.0, (-1.1, bad), -1.0, CONTAINS).holds
    if not bad < 0:
        assert not Bounded("q", bad, 1.0, "b", "r", 1).holds
    assert not Estimated("q", bad, bound, "two resolutions", "b").holds


@given(finite, finite)
def test_holding_is_being_at_most_the_bound(measured: float, bound: float) -> None:
    assert Certified("q", measured, bound, "b").holds == (measured <= bound)
    assert Statistical("q", measured, bound, 1e-9, "b").holds == (measured <= bound)
    assert Estimated("q", measured, bound, "two resolutions", "b").holds == (measured <= bound)
    if bound:
        assert Bounded("q", measured, 0.0, "b", "r", 0, bound).holds == (measured <= bound)


@given(st.floats(-1e100, 1e100), st.floats(-1e100, 1e100))
def test_the_share_agrees_with_the_bound(measured: float, bound: float) -> None:
    if measured > bound * (1 + 1e-9 * math.copysign(1, bound)) and bound != 0:
        assert share(measured, bound) > 1
    if measured <= bound:
        assert share(measured, bound) <= 1
    if bound == 0:
        assert share(measured, bound) == (math.inf if measured > 0 else 0)


@pytest.mark.parametrize(
    ("interval", "theory", "rule", "alternative", "holds"),
    [
        ((-1.1, -0.9), -1.0, CONTAINS, 0.0, True),
        ((-1.1, -0.9), -1.2, CONTAINS, 0.0, False),
        ((-9.0, 9.0), -1.0, CONTAINS, 0.0, False),  # so wide that it says nothing
        ((-1.1, -0.4), -1.0, CONTAINS, -0.5, False),
        ((-0.1, 0.1), 0.0, CONTAINS, -1.0, True),
        ((-1.1, -0.9), -0.9, "interval lies below theory", 0.0, True),
        ((-1.1, -0.8), -0.9, "interval lies below theory", 0.0, False),
        ((-1.1, -0.9), -1.1, "interval lies above theory", 0.0, True),
        ((-1.2, -0.9), -1.1, "interval lies above theory", 0.0, False),
    ],
)
def test_trend_rules(
    interval: tuple[float, float], theory: float, rule: str, alternative: float, holds: bool
) -> None:
    assert Trend("q", sum(interval) / 2, interval, theory, rule, alternative).holds is holds


@given(finite, st.floats(0, 1e6), finite)
def test_a_control_that_passes_is_not_intact(predicted: float, agreement: float, intact: float) -> None:
    try:
        record = Control("v", predicted, intact, agreement, "b", intact=intact)
    except ValueError:
        return
    assert not record.holds
