"""index.html from report.json and the figure files beside it, alone."""

import base64
import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from reports.evidence import RECORDS, STRENGTHS
from reports.mathml import formula, number, prose
from reports.schema import check
from reports.summary import strongest, worst_share

SITE = Path(__file__).parent / "site"
IMAGE_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}
VERDICTS = ("refuted", "unsupported", "partial", "verified", "open", "not run")


def render(directory: Path) -> str:
    """The page of the report in a directory.

    Raises:
        ValueError: If report.json does not follow the schema, a formula cannot be shown, or a figure is
            missing.
    """
    report = json.loads((directory / "report.json").read_text(encoding="utf-8"))
    check(report)
    environment = Environment(
        loader=FileSystemLoader(SITE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"prose": prose, "number": number, "anchor": anchor, "emphasis": emphasis}
    environment.tests["corrected"] = lambda note: note.startswith("corrected:")
    environment.globals.update(
        same_quantity=_same_quantity, display=_display, image=partial(image, directory)
    )
    page = environment.get_template("page.html.j2")
    return page.render(
        style=Markup((SITE / "style.css").read_text(encoding="utf-8")),
        run=report["run"],
        claims=[_with_totals(claim) for claim in report["claims"]],
        counts=_counts(report["claims"]),
        strengths=RECORDS,
        points=total(report["claims"], "points"),
        left_out=total(report["claims"], "left_out"),
        audits=report["audits"],
        coverage=_by_source(report["coverage"]),
        verdicts={claim["id"]: claim["verdict"] for claim in report["claims"]},
    )


def _display(latex: str) -> Markup:
    return formula(latex, "block")


def _same_quantity(record: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two neighbouring rows measure the same, so that it is written once."""
    return (record["strength"], record["quantity"]) == (other["strength"], other["quantity"])


def anchor(identifier: str) -> str:
    """The fragment that a claim is linked by."""
    return "claim-" + "".join(c if c.isalnum() else "-" for c in identifier)


def image(directory: Path, name: str) -> Markup:
    """A figure file as a data address, so that the page is one file.

    Raises:
        ValueError: If the file is missing or lies elsewhere.
    """
    path = (directory / name).resolve()
    if not path.is_relative_to(directory.resolve()) or not path.is_file():
        raise ValueError(f"figure {name!r} is not a file beside report.json")
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return Markup(f"data:{IMAGE_TYPES[path.suffix]};base64,{data}")


def emphasis(text: str) -> Markup:
    """A text with words between asterisks, as the README writes them."""
    words = text.split("*")
    shown = [Markup("<em>{}</em>").format(word) if k % 2 else escape(word) for k, word in enumerate(words)]
    return Markup("").join(shown)


def total(claims: list[dict[str, Any]], counted: str) -> int:
    """How many points were checked, or left out; a test that checks several claims counts once."""
    seen = {}
    for claim in claims:
        for record in claim["evidence"]:
            seen[record["test"], record["strength"], record["quantity"], record["target"]] = record[counted]
        for record in claim["controls"]:
            seen[record["test"], "control", record["violation"], record["target"]] = record[counted]
    return sum(seen.values())


def _counts(claims: list[dict[str, Any]]) -> list[tuple[str, int]]:
    counted = Counter(claim["verdict"] for claim in claims)
    return [(verdict, counted[verdict]) for verdict in VERDICTS if counted[verdict]]


def _by_source(rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The rows of each source, sources and rows in the order in which they are declared."""
    sources = dict.fromkeys(row["source"] for row in rows)
    return [(source, [row for row in rows if row["source"] == source]) for source in sources]


def _with_totals(claim: dict[str, Any]) -> dict[str, Any]:
    checks = [record for record in claim["evidence"] if record["role"] == "check"]
    ordered = sorted(
        claim["evidence"], key=lambda r: (STRENGTHS.index(r["strength"]), r["quantity"], r["target"])
    )
    return claim | {
        "evidence": ordered,
        "strongest": strongest(claim["evidence"]),
        "worst": worst_share(checks),
        "draws": sum(record["draws"] for record in checks),
        "points": sum(record["points"] for record in checks),
        "rejected": sum(record["rejected"] for record in claim["controls"]),
    }
