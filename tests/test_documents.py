"""README, bibliography and declarations say the same."""

import re
from pathlib import Path

import pytest

from theorems.claim import Claim, all_claims, all_coverage
from theorems.table import markdown

ROOT = Path(__file__).parents[1]
KEY = re.compile(r"\b[a-z]+(?:19|20)\d\d[a-z]+\b")


def _sources():
    for folder in ("numerics", "theorems", "reports"):
        yield from (ROOT / folder).rglob("*.py")


def _cited():
    cited = set()
    for path in _sources():
        text = path.read_text(encoding="utf-8")
        cited |= {key for group in re.findall(r"\[@([^\]]*)\]", text) for key in KEY.findall(group)}
    for claim in all_claims():
        cited |= set(KEY.findall(claim.source))
    return cited | {key for row in all_coverage() for key in KEY.findall(row.source)}


def _in_bibliography():
    return set(re.findall(r"^@\w+\{([^,]+),", (ROOT / "references.bib").read_text(encoding="utf-8"), re.M))


def test_every_citation_is_in_the_bibliography_and_every_entry_is_cited():
    assert _cited() == _in_bibliography()


def test_list_of_claims_is_generated_from_the_declarations():
    kept = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    assert kept == markdown(), "run python -m theorems.table"


def test_modules_of_claims_exist():
    missing = [
        m for c in all_claims() for m in c.modules if not (ROOT / (m.replace(".", "/") + ".py")).exists()
    ]
    assert not missing


def test_coverage_names_claims_that_exist():
    ids = {claim.id for claim in all_claims()}
    assert {row.claim for row in all_coverage() if row.claim} <= ids


@pytest.mark.parametrize(("field", "value"), [("status", "proved"), ("formula", ""), ("modules", ())])
def test_claims_are_checked_at_birth(field, value):
    right = {name: getattr(all_claims()[0], name) for name in Claim.__dataclass_fields__}
    with pytest.raises(ValueError, match=field):
        Claim(**{**right, field: value})


def test_learned_flows_of_the_documentation_run(tmp_path, monkeypatch, capsys):
    """As printed but for the number of steps: trained once, read the second time, and one line a coupling."""
    text = (ROOT / "docs" / "learned-flows.md").read_text(encoding="utf-8")
    source = text.partition("```python\n")[2].partition("```")[0]
    assert "steps=400" in source
    monkeypatch.setenv("OTCFM_CACHE", str(tmp_path))
    printed = []
    for _ in range(2):
        exec(compile(source.replace("steps=400", "steps=60"), "learned-flows.md", "exec"), {})
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert len(list(tmp_path.glob("*.pt"))) == 2
    exact, independent = (float(loss) for loss in re.findall(r"last losses ([\d.]+)", printed[0]))
    assert exact < independent / 2


def test_readme_is_short_and_its_links_lead_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert links
    assert not [link for link in links if "://" not in link and not (ROOT / link).exists()]
