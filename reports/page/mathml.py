"""Formulas as MathML: no JavaScript, no network."""

import re
import xml.etree.ElementTree as ET
from functools import cache
from html import escape

from latex2mathml.converter import convert
from markupsafe import Markup

_EMPTY_OPERATOR = re.compile(r"<mo\s*/>|<mo[^>]*>\s*</mo>")
_LETTER = re.compile(r'<mi mathvariant="normal">(\w)</mi>')
_SPELT = re.compile(r'<mrow>((?:<mi mathvariant="normal">\w</mi>){2,})</mrow>')
"""A word that the converter spelt letter by letter; as one identifier it is set and read as a word."""
_RELATION = re.compile(r"<mi>(&#x0(?:2AB0|2AAF|27E8|27E9|27FA|27F9);)</mi>")
"""Relations and brackets (⪰ ⪯ ⟨ ⟩ ⟺ ⟹) that the converter takes for identifiers, without their space."""

_WITH_LIMITS = frozenset(
    ("lim", "lim\u2006sup", "lim\u2006inf", "sup", "inf", "max", "min", "argmax", "argmin")
)
"""Operators under which a display sets what the converter sets beside them."""
_SIGNS, _CLOSING = frozenset("−-+±"), frozenset(")]}|‖!′")
"""Signs before a number, and the operators after which they are none."""
_TIGHT = frozenset("|‖/")
"""Signs that stand close to their neighbours, whichever side they are taken to be of."""

_SPLIT_NAME = re.compile(r"\\arg\s*\\(min|max)(?![A-Za-z])")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_KEY = re.compile(r"\b([a-z]+)((?:18|19|20)\d\d)[a-z]+\b")
"""A key of references.bib: name, year and a word of the title."""


class FormulaError(ValueError):
    """A formula that cannot be shown."""


@cache
def formula(latex: str, display: str = "inline") -> Markup:
    """A formula as MathML.

    The converter passes on what it does not know. Its output is therefore rejected where a backslash or
    an empty operator is left, and so is what it misreads in silence: braces without a partner, and an
    ampersand outside an environment.

    Raises:
        FormulaError: Naming the formula.
    """
    if misread := _misread(latex):
        raise FormulaError(f"formula {latex!r}: {misread}")
    try:
        text = convert(_SPLIT_NAME.sub(r"\\operatorname{arg\1}", latex), display=display)
    except Exception as error:
        raise FormulaError(f"formula {latex!r} cannot be read: {type(error).__name__}: {error}") from error
    if "\\" in text or _EMPTY_OPERATOR.search(text):
        unknown = ", ".join(re.findall(r"\\[A-Za-z]*", text)) or "an operator left empty"
        raise FormulaError(f"formula {latex!r} uses what latex2mathml does not know: {unknown}")
    text = _SPELT.sub(lambda word: "<mi>" + _LETTER.sub(r"\1", word[1]) + "</mi>", text)
    text = _RELATION.sub(r'<mo stretchy="false">\1</mo>', text)
    root = ET.fromstring(text.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', ""))
    if display == "inline":  # as every formula is that says nothing
        del root.attrib["display"]
    _mend(root)
    if len(root) == 1 and root[0].tag == "mrow" and not root[0].attrib:  # a formula is a row itself
        root[:] = list(root[0])
    return Markup(ET.tostring(root, encoding="unicode"))


def _mend(element: ET.Element) -> None:
    """Set limits under their operators, bars and signs close to theirs, take the rows of one element away.

    A sign after an operator is that of what follows; ∂ is a letter.
    A line over several letters is the style sheet's: no browser stretches the converter's dash over them.
    """
    if element.tag == "mo" and element.text in _TIGHT:
        element.attrib |= {"lspace": "0", "rspace": "0"}
    if element.tag == "mo" and element.text == "∂":
        element.tag = "mi"
    for place, child in enumerate(list(element)):
        before = element[place - 1] if place else None
        if child.tag == "mo" and child.text in _SIGNS and before is not None and before.tag == "mo":
            child.attrib |= {} if before.text in _CLOSING else {"form": "prefix"}
        _mend(child)
        if child.tag == "mrow" and len(child) == 1 and not child.attrib:
            element[place] = child = child[0]
        if child.tag in ("msub", "msubsup") and child[0].tag == "mo" and child[0].text in _WITH_LIMITS:
            child.tag = "munder" if child.tag == "msub" else "munderover"
            child[0].set("movablelimits", "true")
        if child.tag == "mover" and child[1].text == "―":
            over = ET.Element("mrow", {"class": "over"})
            over.append(child[0])
            over.tail, element[place] = child.tail, over


def _misread(latex: str) -> str:
    if control := next((c for c in latex if ord(c) < 32), ""):
        return f"it contains {control!r}, as a string that should be raw, r'...', does"
    if latex.replace(r"\{", "").count("{") != latex.replace(r"\}", "").count("}"):
        return "braces do not match"
    if "&" in latex.replace(r"\&", "") and r"\begin" not in latex:
        return "an ampersand belongs into an environment"
    return ""


def prose(text: str) -> Markup:
    """A text with formulas between dollar signs and keys of the bibliography, which read as name and year.

    Raises:
        FormulaError: If a dollar sign has no partner, or a formula cannot be shown.
    """
    pieces = text.split("$")
    if len(pieces) % 2 == 0:
        raise FormulaError(f"a dollar sign has no partner in {text!r}")
    shown = [formula(piece) if k % 2 else Markup(escape(_named(piece))) for k, piece in enumerate(pieces)]
    return Markup("").join(shown)


def _named(text: str) -> str:
    """``moreau1965proximite, p. 3`` as Moreau (1965), p. 3."""
    return _KEY.sub(lambda key: f"{key[1].capitalize()} ({key[2]})", text)


def number(value: float | str | None, digits: int = 3) -> Markup:
    """A number as one reads it: 3.2×10⁻¹⁵. None stands for what is not a finite number."""
    if value is None:
        return Markup("not&nbsp;finite")
    if isinstance(value, str):
        return prose(value)
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e6):
        return Markup(f"{int(value):,}".replace("-", "−").replace(",", "\u202f"))
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    if digits <= int(exponent) < 6:
        return number(round(value))
    if -4 < int(exponent) < 6:
        return Markup(f"{value:.{digits}g}".replace("-", "−"))
    power = str(int(exponent)).translate(_RAISED)
    return Markup(f"{mantissa.replace('-', '−')}×10{power}")
