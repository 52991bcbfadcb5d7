"""The theory's sections come out whole, and every claim of ours has one."""

import re

import pytest

from reports.page import theory
from theorems.claim import all_claims


@pytest.mark.parametrize("claim", all_claims(), ids=lambda claim: claim.id)
def test_every_claim_has_its_reasons(claim: object) -> None:
    shown = theory.derivation(claim.id)  # type: ignore[attr-defined]
    assert len(shown) > 100
    words = re.sub(r"<math.*?</math>", "", shown)
    assert "$" not in words
    assert not re.search(r"(?<!\w)\*+\w", words)
    assert "|---" not in words


def test_nothing_of_a_section_is_lost() -> None:
    for claim, text in theory.sections().items():
        written = re.sub(r"\$\$?.*?\$\$?|[*|]|---", " ", text, flags=re.DOTALL)
        shown = re.sub(r"<math.*?</math>|<[^>]*>", " ", theory.derivation(claim))
        assert shown.replace("&#39;", "'").replace("&lt;", "<").split() == written.split(), claim


def test_sections_end_where_the_next_heading_begins() -> None:
    found = theory.sections()
    assert len(found) >= 52
    assert not any(re.search(r"^#", text, re.MULTILINE) for text in found.values())
    assert "optimality condition" in found["P2"]


def test_kinds_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "A *why* & **because** of $x_0$.\n\n$$\na\n=b$$\nthen\n\n| $c$ | d |\n|---|---|\n| 1 | *2* |"
    monkeypatch.setattr(theory, "sections", lambda: {"X1": text})
    theory.derivation.cache_clear()
    shown = theory.derivation("X1")
    theory.derivation.cache_clear()
    assert shown.startswith("<p>A <em>why</em> &amp; <strong>because</strong> of <math")
    assert '<math display="block">' in shown
    assert "<p>then</p>" in shown
    assert '<th scope="col">d</th>' in shown
    assert "<td>1</td><td><em>2</em></td>" in shown
    assert theory.derivation("no such claim") == ""
