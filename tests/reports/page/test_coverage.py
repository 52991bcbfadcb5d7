"""The coverage tables: one a source, corrections counted, the verdict of its claim beside each item."""

import json
import shutil
from pathlib import Path

import pytest

from reports.page.site import render

EXAMPLE = Path(__file__).parents[1] / "example"


@pytest.fixture
def page(tmp_path):
    """The example's page with other coverage rows, its part after the heading of coverage."""
    copy = Path(shutil.copytree(EXAMPLE, tmp_path / "report"))
    report = json.loads((copy / "report.json").read_text())

    def written(*rows):
        fields = ("source", "item", "claim", "note")
        report["coverage"] = [dict(zip(fields, row, strict=True)) for row in rows]
        (copy / "report.json").write_text(json.dumps(report))
        return render(copy)["coverage.html"].split("<main", 1)[-1], report["claims"][0]

    return written


def test_one_table_a_source(page):
    claim = page()[1]["id"]
    text, first = page(
        ("Notes2024", "(1)", "", "definition, nothing to check"),
        ("Paper2026", "Lemma 1", claim, "as printed"),
        ("Notes2024", "(2)", claim, "corrected: a constant is dropped"),
    )
    assert text.count("<h2>Notes2024</h2>") == text.count("<h2>Paper2026</h2>") == 1
    notes = text[text.index("Notes2024</h2>") : text.index("Paper2026</h2>")]
    assert "2 items, 1 of them corrected: loose or wrong as printed, 1 with nothing to check." in notes
    assert notes.index("(1)") < notes.index("(2)")
    assert "Lemma 1" not in notes
    assert f"href=claims/{claim}.html" in notes
    assert first["verdict"] in notes


def test_an_unknown_claim_is_written_without_a_link(page):
    text, _ = page(("Notes2024", "(1)", "Z9", "as printed"))
    assert "Z9" in text
    assert "Z9.html" not in text
    assert "1 item." in text


def test_no_coverage_no_section(page):
    assert "Notes2024" not in page()[0]
