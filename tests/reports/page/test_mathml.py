"""Formulas either come out whole or name themselves."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.page.mathml import FormulaError, formula, number, prose
from theorems.claim import all_claims


@pytest.mark.parametrize(
    "latex", [r"\prox_{\lambda}", r"\undefined", r"\frac{1", "x}", "a & b", "\beta", "\tau", "\nu"]
)
def test_what_the_converter_does_not_know_is_named(latex: str) -> None:
    with pytest.raises(FormulaError) as caught:
        formula(latex)
    assert repr(latex) in str(caught.value)


@pytest.mark.parametrize(
    "latex", [r"\mathrm{prox}_{\lambda\varphi}(x)", r"x < y", r"\alpha_t \leq \frac{1}{2}", "d−m"]
)
def test_a_formula_is_mathml(latex: str) -> None:
    assert formula(latex).startswith("<math")
    assert "\\" not in formula(latex)
    assert "http" not in formula(latex)


def test_operators_are_operators() -> None:
    assert ">argmin</mo>" in formula(r"\operatorname*{argmin}_u")
    assert "<mi>prox</mi>" in formula(r"\mathrm{prox}_{\lambda}")
    for relation in (r"\succeq", r"\preceq", r"\langle", r"\rangle", r"\Longleftrightarrow", r"\leq", r"\in"):
        assert "<mo" in formula(f"x {relation} y"), relation


def test_every_declared_claim_can_be_shown() -> None:
    for claim in all_claims():
        formula(claim.formula, "block")
        for text in (claim.title, claim.statement, claim.label, *claim.assumptions):
            prose(text)


def test_prose() -> None:
    assert prose("a < b & $x$").startswith("a &lt; b &amp; <math")
    with pytest.raises(FormulaError, match="partner"):
        prose("costs 5$")


def test_keys_of_the_bibliography_read_as_name_and_year() -> None:
    assert prose("moreau1965proximite, p. 3; in 1965") == "Moreau (1965), p. 3; in 1965"


@given(st.text(alphabet=st.characters(exclude_characters="$", exclude_categories=["Cs"])))
def test_prose_escapes(text: str) -> None:
    shown = prose(text)
    assert "<" not in shown
    assert ">" not in shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (3.0, "3"),
        (-2.5, "−2.5"),
        (1234567, "1\u202f234\u202f567"),
        (0.00123456, "0.00123"),
        (3587.3, "3\u202f587"),
        (107_512.5, "107\u202f512"),
        (999_999.9, "1.00×10⁶"),
        (None, "not&nbsp;finite"),
        ("word", "word"),
    ],
)
def test_numbers(value: float | str | None, shown: str) -> None:
    assert number(value) == shown


def test_powers_of_ten() -> None:
    assert "2.66" in number(2.66e-15)
    assert "10⁻¹⁵" in number(2.66e-15)


@pytest.mark.parametrize("latex", [r"\arg\min_u f(u)", r"\arg \max\{x\}"])
def test_an_operator_of_two_words_is_one(latex: str) -> None:
    assert ">argm" in formula(latex)


@pytest.mark.parametrize("name", [r"\lim", r"\sup", r"\max", r"\limsup", r"\operatorname{argmin}"])
def test_limits_stand_below(name: str) -> None:
    shown = formula(rf"a + {name}_{{t \to 0}} x_t", "block")
    assert re.search(r'<munder><mo movablelimits="true">[^<]*</mo><mrow><mi>t</mi>', shown)
    assert "<msub><mi>x</mi>" in shown  # an index stays beside its letter
    assert "<munderover>" in formula(rf"{name}_a^b", "block")


def test_a_line_over_many_letters_is_as_long_as_they() -> None:
    assert '<mrow class="over"><mi>dom</mi></mrow><mi>φ</mi>' in formula(r"\overline{\mathrm{dom}}\varphi")
    assert "<mover>" in formula(r"\bar x")


def test_a_sign_after_an_operator_is_that_of_what_follows() -> None:
    assert '<mo form="prefix">−</mo>' in formula(r"\tau=-\log t")
    for latex in ("a-b", "-a", "(a)-b", "|a|-b"):
        assert "prefix" not in formula(latex)


def test_bars_stand_close() -> None:
    assert formula("|x|").count('lspace="0" rspace="0"') == 2
    assert "lspace" not in formula("x < y")
