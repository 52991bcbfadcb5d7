"""Texts and numbers as the pages set them."""

import math
import re
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

from reports.page.mathml import prose

_LETTER = "A-Za-z\u0370-\u03ff\u00c0-\u024f\u1e00-\u1eff"
_NAMED = rf"(?<![{_LETTER}_])(?:prox|proj|tr|Lip|Var|sup|inf|max|min|lim)"
_BRACED = re.compile(rf"([{_LETTER}\u0307)\]|′])([_^])\{{([^{{}}]*)\}}")
_SINGLE = re.compile(  # a named operator or one letter, after another operator perhaps
    rf"({_NAMED}|(?:(?<![{_LETTER}])|(?<=\b[A-Z]))[{_LETTER}\d]\u0307?|[)\]|′])"
    r"([_^])([−-]?(?:min|max|[A-Z]{2,4}|[A-Za-z0-9\u0370-\u03ff*])(?![A-Za-z0-9]))"
)
_TAG_OR_LETTERS = re.compile(rf"<[^>]*>|&#?\w+;|[{_LETTER}]+\u0307?[{_LETTER}]*")
_POWER_OF_TEN = re.compile(r"\b(?:(\d+(?:\.\d+)?)e|1e)([-−]?)\+?0*(\d+)\b")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LIST = 16
"""A list of arguments of so many characters is never left out."""


def quantity(text: str) -> Markup:
    """A quantity: formulas between dollar signs, and plain mathematics with its indices set as such.

    ``v^{(n)}`` and ``x_t`` become a letter with a raised or a lowered mark; words stay words.
    """
    pieces = text.split("$")
    if len(pieces) % 2 == 0:
        return prose(text)
    shown = [prose(f"${piece}$") if k % 2 else _plain(piece) for k, piece in enumerate(pieces)]
    return Markup("").join(shown)


def _plain(text: str) -> Markup:
    scripted = _SINGLE.sub(_scripted, _BRACED.sub(_scripted, _POWER_OF_TEN.sub(_power, str(prose(text)))))
    return Markup(_TAG_OR_LETTERS.sub(_italic, scripted))


def _scripted(hit: re.Match[str]) -> str:
    tag = "sub" if hit[2] == "_" else "sup"
    return f"{hit[1]}<{tag}>{hit[3]}</{tag}>"


def _power(hit: re.Match[str]) -> str:
    """``1e-06`` as 10⁻⁶."""
    power = ("⁻" if hit[2] else "") + hit[3].translate(_RAISED)
    return f"{hit[1]}·10{power}" if hit[1] and float(hit[1]) != 1 else f"10{power}"


def _italic(hit: re.Match[str]) -> str:
    """A letter that stands alone, or a product with a Greek one, as a variable; words stay upright.

    A letter is part of a word or a number's name after an apostrophe, in *i.e.* and *P4*, and where it is an
    article; capital Greek letters are sums and products.
    """
    word, before, after = hit[0], hit.string[: hit.start()], hit.string[hit.end() :]
    letters = word.replace("\u0307", "")
    greek = re.search("[α-ω]", letters)
    if word[0] in "<&" or len(letters) > (3 if greek else 1) or re.search("[Α-Ω]", letters):
        return word
    named = re.match(r"\.?[A-Za-z0-9]|_", after) or re.search(r"(&#(39|x27);|’|[A-Za-z]\.)$", before)
    article = word in ("a", "A", "I") and re.match(rf"[ -](\d|[{_LETTER}]{{2,}})", after)
    return word if named or article else f"<i>{word}</i>"


def emphasis(text: str) -> Markup:
    """A text with words between asterisks, as the README writes them."""
    words = text.split("*")
    shown = [Markup("<em>{}</em>").format(word) if k % 2 else escape(word) for k, word in enumerate(words)]
    return Markup("").join(shown)


def plural(count: int, word: str) -> str:
    """``1 claim``, ``2 claims``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}".replace(",", "\u202f")


def duration(seconds: float) -> str:
    """Seconds as one says them."""
    if seconds < 100:
        return f"{seconds:.3g} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def folder(name: str) -> str:
    """The name of a theorem's folder as a heading."""
    return (name[:1].upper() + name[1:]).replace("_", " ") or "Claims"


def bare(text: str) -> str:
    """A text for a search box: lower case, without commands of LaTeX."""
    return re.sub(r"\s+", " ", re.sub(r"\\[A-Za-z]+|[$\\{}]", " ", text)).strip().lower()


def ratio(value: float | None) -> str:
    """A share of a bound in at most four characters."""
    if value is None or math.isinf(value):
        return "beyond"
    if value == 0 or value >= 0.0095:
        return "<1" if 0.995 < value < 1 else f"{value:.2g}"
    power = "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(-math.floor(math.log10(value))))
    return f"10⁻{power}"


def arguments(text: str) -> list[str]:
    """A target and what was drawn for it, ``Sphere(2, 1.0), t=0.4``, split at its outermost commas."""
    found, depth = [""], 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            found.append("")
        else:
            found[-1] += sign
    return [part.strip() for part in found]


def brief(text: str, most: int) -> str:
    """Arguments in about ``most`` characters: long ones without what their lists and tuples hold, then cut.

    Example:
        >>> brief("FiniteAtoms([[0.0, 0.0], [1.0, 2.0]]), t=0.4", 40)
        'FiniteAtoms([…]), t=0.4'
        >>> brief("FiniteAtoms([[0.0, 0.0], [1.0, 2.0]]), t=0.4", 60)
        'FiniteAtoms([[0.0, 0.0], [1.0, 2.0]]), t=0.4'
    """
    if len(text) <= most:
        return text
    kept, place = "", 0
    while place < len(text):
        called = place > 0 and (text[place - 1].isalnum() or text[place - 1] in "_]")
        end = _closing(text, place) if text[place] == "[" or (text[place] == "(" and not called) else 0
        whole = text[place : max(end, place) + 1]
        kept += whole if len(whole) <= _LIST else f"{whole[0]}…{whole[-1]}"
        place += len(whole)
    return kept if len(kept) <= most else f"{kept[:most]}…"


def _closing(text: str, start: int) -> int:
    """Where a bracket closes; 0 where none does."""
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] in "([{") - (text[place] in ")]}")
        if depth == 0:
            return place
    return 0


def common(texts: Sequence[str]) -> list[str]:
    """The arguments that several targets have in common: said once, they are left out of each."""
    first, *others = (arguments(text)[1:] for text in texts)
    return [part for part in first if others and all(part in other for other in others)]


def searched(claim: dict[str, Any]) -> str:
    """What the search box reads of a claim: each word once, and none that is part of another."""
    texts = [claim["id"], claim["label"], claim["title"], claim["statement"], claim["theorem"]]
    texts += [record["quantity"] for record in claim["evidence"]]
    texts += [record["target"] for record in claim["evidence"]]
    texts += [record["violation"] for record in claim["controls"]]
    found = ""
    for word in sorted(set(" ".join(map(bare, texts)).split()), key=lambda word: (-len(word), word)):
        found += "" if word in found else f" {word}"
    return found.strip()


def file_name(identifier: str) -> str:
    """The name of a claim's page: its id, with whatever is neither letter nor digit replaced."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in identifier)
