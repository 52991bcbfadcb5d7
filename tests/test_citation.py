"""CITATION.cff is what the Citation File Format 1.2.0 asks for, and says what pyproject.toml says.

The schema is the format's own (https://citation-file-format.github.io/1.2.0/schema.json, CC BY 4.0).
"""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[1]
SCHEMA = json.loads(
    (ROOT / "tests" / "schemas" / "citation-file-format-1.2.0.json").read_text(encoding="utf-8")
)
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_citation_is_valid():
    jsonschema.validate(CITATION, SCHEMA)


@pytest.mark.parametrize(
    "broken",
    [
        {"authors": []},
        {"license": "BSD-3"},
        {"cff-version": "1.3.0"},
        {"publisher": "nobody"},
        {"references": [{"type": "article"}]},
    ],
    ids=str,
)
def test_what_is_broken_is_told(broken):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(CITATION | broken, SCHEMA)


def test_it_agrees_with_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert CITATION["version"] == project["version"]
    assert CITATION["license"] == project["license"]
    assert [author["name"] for author in CITATION["authors"]] == [a["name"] for a in project["authors"]]
    assert [paper["url"] for paper in CITATION["references"]] == [project["urls"]["Paper"]]
