"""The description for a package index: README.md, whose links and picture lead to files of the source tree.

An index resolves no relative link. Where pyproject.toml names a Repository they become addresses in it, at
the version's tag; else a link says which file of the source distribution it means, and the picture is what
it shows. All else stands in pyproject.toml.
"""

import re
import tomllib
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
PICTURE = re.compile(r"!\[([^\]]*)\]\((?!https?:)([^)]+)\)")
LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|#)([^)]+)\)")


def description(readme: str, version: str, repository: str | None) -> str:
    """README.md without a link that an index cannot follow."""
    if repository is None:
        shown = PICTURE.sub(r"*\1*", readme)
        return LINK.sub(lambda m: m[1] if m[1] == m[2] else f"{m[1]} (`{m[2]}`)", shown)
    base = repository.removesuffix("/")
    shown = PICTURE.sub(rf"![\1]({base}/raw/v{version}/\2)", readme)
    return LINK.sub(rf"[\1]({base}/blob/v{version}/\2)", shown)


if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    setup(
        long_description=description(
            (ROOT / "README.md").read_text(encoding="utf-8"),
            project["version"],
            project.get("urls", {}).get("Repository"),
        ),
        long_description_content_type="text/markdown",
    )
