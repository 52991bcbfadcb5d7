"""Shorter HTML is the same HTML: a parser that follows the standard finds the same tree."""

import re
from typing import Any

import pytest

from reports.page import site
from reports.page.markup import shorter
from tests.reports.page.conftest import EXAMPLE

html5lib = pytest.importorskip("html5lib", reason="html5lib is not installed")


def tree(text: str) -> Any:
    """The tree of a page, without the blanks at the end of a text: an end tag left out takes them in."""
    found = html5lib.serialize(html5lib.parse(text), omit_optional_tags=False, quote_attr_values="always")
    return re.sub(r"\s+(?=</?[a-z])", "", found)


def test_the_pages_keep_their_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    short = site.render(EXAMPLE)
    monkeypatch.setattr(site, "shorter", lambda page: page)
    full = site.render(EXAMPLE)
    for name in full:
        if name.endswith(".html"):
            assert tree(short[name]) == tree(full[name]), name
    assert sum(map(len, short.values())) < sum(map(len, full.values()))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (
            '<a href="../claims/P2.html#q-1" class="anchor">#</a>',
            "<a href=../claims/P2.html#q-1 class=anchor>#</a>",
        ),
        ('<a href="claims/">x</a>', '<a href="claims/">x</a>'),  # a slash could end the tag
        ('<rect width="9" height="8"/>', '<rect width=9 height="8"/>'),
        ('<b title="">x</b> class="y"', '<b title="">x</b> class="y"'),
        ('<i data-text="a=b">x</i>', '<i data-text="a=b">x</i>'),
        ('<p title="it\'s">', '<p title="it\'s">'),
        ('<p title="it&#39;s">it&#x27;s</p>', "<p title=\"it's\">it's</p>"),
        ("<tr>\n<td>1</td>\n  <td>2</td></tr>\n</table>", "<tr><td>1<td>2</table>"),
    ],
)
def test_what_html_needs_not_goes(given: str, found: str) -> None:
    assert shorter(given) == found
