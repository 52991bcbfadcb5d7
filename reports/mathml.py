"""Formulas as MathML: no JavaScript, no network."""

import re
from functools import cache
from html import escape

from latex2mathml.converter import convert
from markupsafe import Markup

_EMPTY_OPERATOR = re.compile(r"<mo\s*/>|<mo[^>]*>\s*</mo>")


class FormulaError(ValueError):
    """A formula that cannot be shown."""


@cache
def formula(latex: str, display: str = "inline") -> Markup:
    """A formula as MathML.

    The converter passes on what it does not know; its output is therefore rejected where a backslash or
    an empty operator is left.

    Raises:
        FormulaError: Naming the formula.
    """
    try:
        text = convert(latex, display=display)
    except Exception as error:
        raise FormulaError(f"formula {latex!r} cannot be read: {type(error).__name__}: {error}") from error
    if "\\" in text or _EMPTY_OPERATOR.search(text):
        raise FormulaError(f"formula {latex!r} uses a command that latex2mathml does not know: {text}")
    return Markup(text.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', ""))


def prose(text: str) -> Markup:
    """A text with formulas between dollar signs.

    Raises:
        FormulaError: If a dollar sign has no partner, or a formula cannot be shown.
    """
    pieces = text.split("$")
    if len(pieces) % 2 == 0:
        raise FormulaError(f"a dollar sign has no partner in {text!r}")
    shown = [formula(piece) if k % 2 else Markup(escape(piece)) for k, piece in enumerate(pieces)]
    return Markup("").join(shown)


def number(value: float | str | None, digits: int = 3) -> Markup:
    """A number as one reads it: 3.2 × 10⁻¹⁵. None stands for what is not a finite number."""
    if value is None:
        return Markup("not&nbsp;finite")
    if isinstance(value, str):
        return prose(value)
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e6):
        return Markup(f"{int(value):,}".replace("-", "−").replace(",", "\u202f"))
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    if -4 < int(exponent) < 6:
        return Markup(f"{value:.{digits}g}".replace("-", "−"))
    power = str(int(exponent)).replace("-", "−")
    return Markup(f'<span class="n">{mantissa.replace("-", "−")}&#8239;×&#8239;10<sup>{power}</sup></span>')
