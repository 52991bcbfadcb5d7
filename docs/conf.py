"""The documentation site: `make docs` writes it to docs/_build/html, to be read without a network."""

import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from numerics import __version__  # noqa: E402 - the checkout beside this file, not what is installed

project = "otcfm-theorems"
author = "The otcfm-theorems authors"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "otcfm-theorems"
html_math_renderer = "mathml"
html_show_sourcelink = False
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_default_options = {"members": True, "show-inheritance": False}


PROSE = re.compile(r"(``.+?``|`.+?`|:\w+:`.+?`)|\$([^$]+)\$|(\|)")


def _as_restructured_text(*event: Any) -> None:
    """Docstrings write $x$ for formulas and |x| for lengths; reStructuredText has other words for both."""
    lines = event[-1]
    for number, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            lines[number] = PROSE.sub(
                lambda found: found[1] or (r"\|" if found[3] else f":math:`{found[2]}`"), line
            )


def _inline(writer: object, node: nodes.math) -> None:
    writer.body.append(convert(node.astext()))  # type: ignore[attr-defined]
    raise nodes.SkipNode


def _block(writer: object, node: nodes.math_block) -> None:
    writer.body.append(convert(node.astext(), display="block"))  # type: ignore[attr-defined]
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Formulas as MathML, and the generated pages before anything is read."""
    from generate import pages

    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    app.connect("autodoc-process-docstring", _as_restructured_text, priority=900)
    app.connect("builder-inited", lambda built: pages(Path(built.srcdir) / "generated"))
