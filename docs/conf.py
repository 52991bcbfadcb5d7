"""The documentation site: `make docs` writes it to docs/_build/html, to be read without a network."""

import sys
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from numerics import __version__  # noqa: E402 - the checkout beside this file, not what is installed

project = "otcfm-theorems"
author = "The otcfm-theorems authors"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
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
autosummary_generate = True
autosummary_imported_members = False
suppress_warnings = ["docutils", "ref.python"]  # docstrings speak Google's dialect; names of numpy's types


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
    app.connect("builder-inited", lambda built: pages(Path(built.srcdir) / "generated"))
