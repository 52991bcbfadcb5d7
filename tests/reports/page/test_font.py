"""The font of formulas holds what formulas are written with, and goes by a name of its own."""

import html
import re
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from reports.page import font
from reports.page.mathml import formula
from theorems.claim import all_claims


@pytest.fixture(scope="module")
def shipped() -> TTFont:
    return TTFont(font.FILE)


def characters() -> set[str]:
    """Every character that a formula of a declared claim shows; a lone letter is shown in italics."""
    found: set[str] = set()
    for claim in all_claims():
        texts = (claim.title, claim.statement, *claim.assumptions, *(clause.text for clause in claim.clauses))
        pieces = [claim.formula, *(piece for text in texts for piece in text.split("$")[1::2])]
        for markup in map(formula, pieces):
            for tag, text in re.findall(r"<(m[ion])[^>]*>([^<]*)<", markup):
                shown = html.unescape(text)
                found |= {_italic(shown)} if tag == "mi" and len(shown) == 1 else set(shown)
    return found


def _italic(letter: str) -> str:
    if letter == "h":
        return "ℎ"
    for first, italic in (("a", 0x1D44E), ("A", 0x1D434), ("α", 0x1D6FC)):
        if 0 <= ord(letter) - ord(first) < (26 if first in "aA" else 25):
            return chr(italic + ord(letter) - ord(first))
    return letter


def test_every_formula_is_set_in_it(shipped: TTFont) -> None:
    absent = {c for c in characters() if ord(c) not in shipped.getBestCmap() and not c.isspace()}
    assert absent == set()


def test_it_is_small_mathematical_and_named_apart(shipped: TTFont) -> None:
    assert font.FILE.stat().st_size < 64_000
    assert shipped["MATH"].table.MathVariants.VertGlyphCoverage.glyphs  # brackets and roots grow
    assert {str(n) for n in shipped["name"].names if n.nameID in (1, 4)} == {font.FAMILY}
    assert "GUST Font License" in str(shipped["name"].getName(0, 3, 1))


def test_cutting_keeps_what_is_listed_and_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        font.cut(font.FILE, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    codes = TTFont(tmp_path / "one").getBestCmap()
    assert codes.keys() == TTFont(font.FILE).getBestCmap().keys()
    beyond = {code for code in codes if not any(low <= code <= high for low, high in font.RANGES)}
    assert beyond <= {
        0xBB,
        0x22CD,
    }  # mirror images of « and ≃, which the cutter keeps for texts from the right


def test_what_is_no_mathematical_font_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no font", encoding="utf-8")
    with pytest.raises(ValueError, match="is no font"):
        font.cut(tmp_path / "text", tmp_path / "out")
    plain = TTFont(font.FILE)
    del plain["MATH"]
    plain.save(tmp_path / "plain")
    with pytest.raises(ValueError, match="no MATH table"):
        font.cut(tmp_path / "plain", tmp_path / "out")
    assert not (tmp_path / "out").exists()
