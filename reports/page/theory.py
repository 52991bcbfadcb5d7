"""Why a claim holds, in brief: its section of docs/theory.md, which ships with the pages."""

import re
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

from reports.page.mathml import formula

FILE = Path(__file__).parent / "assets" / "theory.md"
_SECTION = re.compile(r"^### ([A-Z]+\d+)\. [^\n]*\n(.*?)(?=^##|\Z)", re.DOTALL | re.MULTILINE)


@cache
def sections() -> dict[str, str]:
    """The text of each section that is about a claim, by the claim's id."""
    return dict(_SECTION.findall(FILE.read_text(encoding="utf-8")))


@cache
def derivation(claim: str) -> Markup:
    """The section about a claim as HTML; empty where the theory has none.

    It knows what the text uses: paragraphs, formulas, emphasis and tables.

    Raises:
        FormulaError: If a formula cannot be shown.
    """
    parts = re.split(r"(\$\$.*?\$\$)", sections().get(claim, ""), flags=re.DOTALL)
    blocks = [b for k, p in enumerate(parts) for b in ([p] if k % 2 else re.split(r"\n\s*\n", p))]
    return Markup("\n").join(_block(block.strip()) for block in blocks if block.strip())


def _block(text: str) -> Markup:
    if text.startswith("$$"):
        shown = formula(" ".join(text.strip("$").split()), "block")
        return Markup('<div class="scroll formula" role="region" aria-label="Formula">{}</div>').format(shown)
    if text.startswith("|"):
        head, _, *rows = text.splitlines()
        return _table([head, *rows])
    return Markup("<p>{}</p>").format(_line(text))


def _table(lines: list[str]) -> Markup:
    head, *rows = ([_line(cell.strip()) for cell in line.strip("|").split("|")] for line in lines)
    titles = Markup("").join(Markup('<th scope="col">{}</th>').format(cell) for cell in head)
    made = [Markup("").join(Markup("<td>{}</td>").format(cell) for cell in row) for row in rows]
    body = Markup("").join(Markup("<tr>{}</tr>").format(cells) for cells in made)
    return Markup(
        '<div class="scroll" role="region" aria-label="Table"><table class="plain">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(titles, body)


def _line(text: str) -> Markup:
    """Words with formulas between dollar signs and words between asterisks."""
    pieces = " ".join(text.split()).split("$")
    shown = [formula(piece) if k % 2 else _emphasised(piece) for k, piece in enumerate(pieces)]
    return Markup("").join(shown)


def _emphasised(text: str) -> Markup:
    strong = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", str(escape(text)))
    return Markup(re.sub(r"\*([^*]+)\*", r"<em>\1</em>", strong))
