"""HTML in fewer bytes: without what a reader of HTML puts in by itself."""

import re

_OPTIONAL_END = re.compile(r"</(?:td|th|tr|li|thead|tbody|option|dt|dd)>")
"""End tags that HTML leaves out wherever these pages have them: a sibling or the parent's end follows."""
_TAG = re.compile(r"<[A-Za-z][^<>]*>")
_NEEDLESS_QUOTES = re.compile(r'="([^\s"\'`=<>]*[^\s"\'`=<>/])"(?=[\s>])')


def shorter(page: str) -> str:
    """The same page, element for element, in about a tenth fewer bytes.

    Optional end tags go, and quotes around values of attributes that hold nothing but letters, digits and
    signs that do not end a value.

    Example:
        >>> shorter('<ul class="notes"><li>one</li><li class="a b">two</li></ul>')
        '<ul class=notes><li>one<li class="a b">two</ul>'
    """
    return _TAG.sub(_unquoted, _OPTIONAL_END.sub("", page))


def _unquoted(tag: re.Match[str]) -> str:
    return _NEEDLESS_QUOTES.sub(r"=\1", tag[0])
