"""Small drawings say what their numbers say, and the graph has every edge once."""

import re
from typing import Any

import pytest

from reports.page import charts, graph, words

CONTROL = {
    "violation": "<v>",
    "predicted": 1.0,
    "intact": 0.0,
    "agreement": 0.1,
    "measured": 1.0,
    "rejected": True,
}


def numbers(svg: str, attribute: str, kind: str) -> list[float]:
    return [float(n) for n in re.findall(rf'class="{kind}"[^>]* {attribute}="([\d.]+)"', svg)]


def test_a_strip_is_divided_in_proportion() -> None:
    svg = charts.strip({"exact": 1, "trend": 3}, 80)
    assert re.findall(r'width="([\d.]+)" height="8"/>', svg) == ["20.0", "60.0"]


def test_dots_stand_between_the_intact_and_the_predicted_value() -> None:
    shares = (0.0, 0.5, 1.0)
    records = [CONTROL | {"measured": share, "rejected": share == 1} for share in shares]
    svg = charts.dots([[record] for record in records])
    centres = numbers(svg, "cx", "dot beyond") + numbers(svg, "cx", "dot")
    assert centres[1] - centres[0] == pytest.approx(centres[2] - centres[1], abs=0.11)
    marks = [float(n) for n in re.findall(r'class="mark" x1="([\d.]+)"', svg)]
    assert marks == pytest.approx([centres[0], centres[2]], abs=0.11)
    assert "1 of 3 controls" in svg
    assert re.findall(r"<text[^>]*>(\d)</text>", svg) == ["1", "2", "3"]


def test_a_band_is_drawn_where_its_dot_does_not_hide_it() -> None:
    assert 'class="band"' in charts.dots([[CONTROL]])
    assert 'class="band"' not in charts.dots([[CONTROL | {"agreement": 1e-3}]])


def test_a_falling_quantity_is_drawn_the_same_way() -> None:
    falling = {"predicted": -3.0, "intact": 1.0, "agreement": 0.4, "measured": -3.0}
    assert charts.dots([[CONTROL | falling]]) == charts.dots([[CONTROL]])


def test_a_histogram_counts_every_share_once() -> None:
    svg = charts.histogram([0.0, 5e-7, 1e-6, 0.05, 0.3, 0.7, 1.0, 2.0])
    counts = [int(n) for n in re.findall(r"<text[^>]*>(\d+)</text>", svg) if n]
    label = re.search(r'aria-label="([^"]*)"', svg)
    assert label
    assert label[1].endswith("1 up to 0, 2 up to 10⁻⁶, 1 up to 0.1, 1 up to 0.5, 2 up to 1, 1 up to beyond")
    assert sum(counts) >= 8


def report(**depends: tuple[str, ...]) -> dict[str, Any]:
    claims = [
        {"id": name, "depends": list(needs), "verdict": "verified", "status": "stated", "title": "t"}
        for name, needs in depends.items()
    ]
    return {"claims": claims, "hypotheses": {"A1": "h", "A2": "h"}}


def test_layers_put_what_is_needed_above() -> None:
    content = report(P1=(), P2=("P1", "A1"), P3=("P2", "P1"), P10=("P1",), X=("unknown",))
    pairs = graph.edges(content)
    assert pairs == [("A1", "P2"), ("P1", "P10"), ("P1", "P2"), ("P1", "P3"), ("P2", "P3")]
    rows = graph.layers(pairs)
    level = {name: k for k, row in enumerate(rows) for name in row}
    assert all(level[need] < level[claim] for need, claim in pairs)
    assert sum(map(len, rows)) == len(level) == 5
    svg = graph.drawing(content)
    assert svg.count('class="edge"') == len(pairs)
    assert svg.count("<rect") == 5
    assert 'href="claims/P2.html"' in svg


def test_a_circle_is_drawn_and_nothing_is_drawn_of_nothing() -> None:
    assert sorted(graph.layers([("a", "b"), ("b", "a")])[0]) == ["a", "b"]
    assert graph.drawing(report(P1=())) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x_t", "<i>x</i><sub><i>t</i></sub>"),
        ("v^{(n)}", "<i>v</i><sup>(<i>n</i>)</sup>"),
        ("|ẋ_t − v_t|", "|<i>ẋ</i><sub><i>t</i></sub> − <i>v</i><sub><i>t</i></sub>|"),
        ("prox_{λφ}(x₁)", "prox<sub><i>λφ</i></sub>(<i>x</i>₁)"),
        ("prox_n", "prox<sub><i>n</i></sub>"),
        ("Dv_t, σ_min", "Dv<sub><i>t</i></sub>, <i>σ</i><sub>min</sub>"),
        ("4^n and c^−q", "4<sup><i>n</i></sup> and <i>c</i><sup>−<i>q</i></sup>"),
        ("test_prox and a_long_name", "test_prox and a_long_name"),
        ("a < b_1", "<i>a</i> &lt; <i>b</i><sub>1</sub>"),
        ("a matrix of a 3×3 shape; A sum", "a matrix of a 3×3 shape; A sum"),
        (
            "the cell's end isn't x', i.e. P4's",
            "the cell&#x27;s end isn&#x27;t <i>x</i>&#x27;, i.e. P4&#x27;s",
        ),
        ("Σ of α̇β and ẋ", "Σ of <i>α̇β</i> and <i>ẋ</i>"),
        ("an a-posteriori bound of a-b", "an a-posteriori bound of <i>a</i>-<i>b</i>"),
        ("1−t = 1e-06", "1−<i>t</i> = 10⁻⁶"),
        ("2.5e+07 is 1e7", "2.5·10⁷ is 10⁷"),
        ("step 2e and 3·10", "step 2<i>e</i> and 3·10"),
    ],
)
def test_plain_mathematics_is_set(text: str, shown: str) -> None:
    assert words.quantity(text) == shown


@pytest.mark.parametrize(
    ("texts", "same"),
    [
        (["Sphere(2, 1.0), t=0.4, seed=1", "Arc([1.0, 2.0], 3), t=0.4, seed=1"], ["t=0.4", "seed=1"]),
        (["Sphere(2, 1.0), t=0.4, seed=1", "Sphere(2, 1.0), t=0.5, seed=1"], ["seed=1"]),
        (["product(Sphere(2), Arc(1)), t=1", "product(Sphere(2), Arc(2)), t=2"], []),
        (["Sphere(2, 1.0), t=0.4"], []),
        (["", ""], []),
    ],
)
def test_what_targets_have_in_common_is_said_once(texts: list[str], same: list[str]) -> None:
    assert words.common(texts) == same
    for text in texts:
        assert ", ".join(words.arguments(text)) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (0.5, "0.5"),
        (0.999, "<1"),
        (1.0, "1"),
        (2.0, "2"),
        (3e-4, "10⁻⁴"),
        (1e-16, "10⁻¹⁶"),
        (None, "beyond"),
    ],
)
def test_shares_are_short(value: float | None, shown: str) -> None:
    assert words.ratio(value) == shown
