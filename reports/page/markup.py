"""HTML in fewer bytes: without what a reader of HTML puts in by itself."""

import re

_APOSTROPHE = re.compile(r"&#(?:39|x27);")
_OPTIONAL_END = re.compile(r"</(?:td|th|tr|li|thead|tbody|option|dt|dd)>")
"""End tags that HTML leaves out wherever these pages have them: a sibling or the parent's end follows."""
_TAG = re.compile(r"<[A-Za-z][^<>]*>")
_BREAK_BEFORE = re.compile(r"\s+(?=<(?:/?table|caption|td|th|tr|thead|tbody)\b)")
"""Blanks before a cell or a row, which belong to no text."""
_NEEDLESS_QUOTES = re.compile(r'="([^\s"\'`=<>]*[^\s"\'`=<>/])"(?=[\s>])')


def shorter(page: str) -> str:
    """The same page, element for element, in about an eighth fewer bytes.

    Optional end tags go, and quotes around values of attributes that hold nothing but letters, digits and
    signs that do not end a value; apostrophes stand for themselves, as every value that keeps its quotes
    has double ones; no blank stands before a cell.

    Example:
        >>> shorter('<ul class="notes"><li>one</li><li class="a b">two</li></ul>')
        '<ul class=notes><li>one<li class="a b">two</ul>'
    """
    bare = _BREAK_BEFORE.sub("", _OPTIONAL_END.sub("", page))
    return _TAG.sub(_unquoted, _APOSTROPHE.sub("'", bare))


def _unquoted(tag: re.Match[str]) -> str:
    return _NEEDLESS_QUOTES.sub(r"=\1", tag[0])
