"""The font of formulas: ``python -m reports.page.font texgyrepagella-math.otf`` writes assets/math.woff.

A part of TeX Gyre Pagella Math (GUST Font License, Debian's fonts-texgyre-math), under a name of its own as
that licence asks: what formulas and quantities are written with, brackets and roots that grow, and letters
for indices. The report's style sheet holds it as data, since a page that is opened from a file may load no
font from a folder beside its own.
"""

import argparse
import base64
import sys
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "assets" / "math.woff"
FAMILY = "Report Math"
RANGES = (
    (0x20, 0x7E),  # letters, digits and signs of ASCII
    (0xA8, 0xB9),  # ¨ ¬ ¯ ° ± ² ³ ´ · ¹
    (0xD7, 0xD7),  # ×
    (0x2C6, 0x2DD),  # ˆ ˙ ˜
    (0x300, 0x308),  # accents above a letter
    (0x391, 0x3F5),  # Greek
    (0x2010, 0x2016),  # dashes and ‖
    (0x2026, 0x2034),  # … ′ ″
    (0x2070, 0x208E),  # raised and lowered digits
    (0x210E, 0x210E),  # h in italics
    (0x2190, 0x2199),  # arrows
    (0x21A6, 0x21A6),  # ↦
    (0x21D0, 0x21D5),  # ⇒ ⇔
    (0x2200, 0x222E),  # ∀ to ∮
    (0x223C, 0x2265),  # ∼ to ≥
    (0x226A, 0x226B),  # ≪ ≫
    (0x227A, 0x227D),  # ≺ to ≽
    (0x2282, 0x228B),  # ⊂ to ⊋
    (0x2295, 0x2297),  # ⊕ ⊗
    (0x22A4, 0x22A5),  # ⊤ ⊥
    (0x22C5, 0x22C6),  # ⋅ ⋆
    (0x2308, 0x230B),  # ceiling and floor
    (0x27C2, 0x27C2),  # ⟂
    (0x27E8, 0x27E9),  # ⟨ ⟩
    (0x27F6, 0x27FA),  # ⟶ ⟺
    (0x2AAF, 0x2AB0),  # ⪯ ⪰
    (0x1D400, 0x1D419),  # bold capitals
    (0x1D434, 0x1D467),  # italics
    (0x1D6E2, 0x1D71B),  # Greek italics
)


def cut(source: Path, file: Path) -> None:
    """Write the part of a mathematical font that the report needs.

    Args:
        source: An OpenType font with a MATH table.
        file: Where the part goes, as WOFF.

    Raises:
        ValueError: If the source is no such font.
    """
    from fontTools import subset  # only whoever cuts it needs it; it comes with matplotlib
    from fontTools.ttLib import TTFont, TTLibError

    try:
        font = TTFont(source, recalcTimestamp=False)
    except TTLibError as error:
        raise ValueError(f"{source} is no font: {error}") from error
    if "MATH" not in font:
        raise ValueError(f"{source} has no MATH table, so that no formula can be set in it")
    options = subset.Options(layout_features=["ccmp"], name_IDs=[0, 1, 2, 4, 6, 13, 14], hinting=False)
    options.drop_tables += ["FFTM"]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[code for low, high in RANGES for code in range(low, high + 1)])
    cutter.subset(font)
    for entry in font["name"].names:
        if entry.nameID in (1, 4, 6):
            entry.string = FAMILY.replace(" ", "-") if entry.nameID == 6 else FAMILY
    font["head"].modified = font["head"].created
    font.flavor = "woff"
    font.save(file)


@cache
def face() -> str:
    """The rule of a style sheet that brings the font along."""
    data = base64.b64encode(FILE.read_bytes()).decode("ascii")
    return (
        f'@font-face {{ font-family: "{FAMILY}"; src: url(data:font/woff;base64,{data}) format("woff"); }}\n'
    )


def main() -> int:
    """Cut; 4 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m reports.page.font", description=__doc__)
    parser.add_argument("source", type=Path, metavar="FONT.otf", help="texgyrepagella-math.otf")
    source = parser.parse_args().source
    try:
        cut(source, FILE)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 4
    print(f"{FILE}: {FILE.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
