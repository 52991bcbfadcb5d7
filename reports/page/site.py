"""All pages of a report, from report.json and the figure files beside it, alone."""

import re
import shlex
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports.evidence.basis import KINDS
from reports.evidence.exhibits import tally
from reports.evidence.records import RECORDS
from reports.page import charts, claims, graph, words
from reports.page.loading import Report, load
from reports.page.markup import shorter
from reports.page.mathml import formula, number, prose
from reports.page.rows import stable_id
from reports.page.theory import derivation
from reports.run.power import ENOUGH
from reports.schema import written

HERE = Path(__file__).parent
ASSETS = ("report.css", "report.js")
VERDICTS = ("refuted", "unsupported", "partial", "verified", "open", "not run")
PAGES = ("index", "graph", "audits", "coverage", "run", "guide", "print")
OURS = {f"{page}.html" for page in (*PAGES, "viewer")} | {"claims", "assets", "report.schema.json"}
"""What a report's directory holds besides report.json and the figures."""


def render(directory: Path) -> dict[str, str]:
    """Every page of the report in a directory, and what the pages load, by its path there.

    Raises:
        ValueError: If report.json does not follow the schema, a formula cannot be shown, or a figure is
            missing.
    """
    from reports.page import font, viewer

    report = load(directory)
    _require_figures(report, directory)
    homes = claims.homes(report["claims"])
    pages = {f"{page}.html": _page(page, report, homes) for page in PAGES}
    for place, claim in enumerate(report["claims"]):
        pages[f"claims/{words.file_name(claim['id'])}.html"] = _claim_page(report, claim, place, homes)
    pages["viewer.html"] = viewer.page()
    for name in ASSETS:
        pages[f"assets/{name}"] = (HERE / "assets" / name).read_text(encoding="utf-8")
    pages["assets/report.css"] = font.face() + pages["assets/report.css"]
    return pages | {"report.schema.json": written(indent=None)}


def write(directory: Path) -> list[Path]:
    """Write every page into the directory that holds report.json; nothing if one cannot be rendered."""
    pages = render(directory)
    for name, text in pages.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
    return [directory / name for name in pages]


@cache
def environment() -> Environment:
    """The templates, their filters and what they draw with."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "prose": prose,
        "number": number,
        "quantity": words.quantity,
        "emphasis": words.emphasis,
        "ratio": words.ratio,
        "folder": words.folder,
        "duration": words.duration,
        "file_name": words.file_name,
        "searched": words.searched,
    }
    made.tests["corrected"] = lambda note: note.startswith("corrected:")
    made.globals |= {"arguments": words.arguments, "brief": words.brief, "common": words.common}
    made.globals |= {"plural": words.plural, "tally": tally, "charts": charts, "stable_id": stable_id}
    made.globals |= {"arranged": claims, "display": lambda latex: formula(latex, "block")}
    made.globals |= {"explained": RECORDS, "kinds": KINDS, "enough": ENOUGH}
    return made


def _page(name: str, report: Report, homes: claims.Homes) -> str:
    template = environment().get_template(f"{name}.html.j2")
    return shorter(template.render(_shared(report), root="", page=name, homes=homes))


def _claim_page(report: Report, claim: dict[str, Any], place: int, homes: claims.Homes) -> str:
    listed = report["claims"]
    checks, controls = claims.arranged(claim, homes)
    used_by = [other["id"] for other in listed if claim["id"] in other["depends"]]
    return shorter(
        environment()
        .get_template("claim.html.j2")
        .render(
            _shared(report),
            root="../",
            page="claim",
            claim=claim,
            previous=listed[place - 1] if place else None,
            following=listed[place + 1] if place + 1 < len(listed) else None,
            checks=checks,
            controls=controls,
            tables=_once(report, place, "tables"),
            figures=_once(report, place, "figures"),
            used_by=used_by,
            why=derivation(claim["id"]),
            cited=[entry for entry in report["references"] if entry["key"] in claim["source"]],
        )
    )


def _shared(report: Report) -> dict[str, Any]:
    listed = report["claims"]
    verdicts = Counter(claim["verdict"] for claim in listed)
    subjects = [(name, _in_short_first(rows)) for name, rows in _by(report["audits"], "subject")]
    return {
        "report": report,
        "run": report["run"],
        "claims": listed,
        "audits": report["audits"],
        "verdicts": {claim["id"]: claim["verdict"] for claim in listed},
        "counted": [(verdict, verdicts[verdict]) for verdict in VERDICTS if verdicts[verdict]],
        "statuses": Counter(claim["status"] for claim in listed).most_common(),
        "failing": [claim for claim in listed if claim["verdict"] in VERDICTS[:2]],
        "theorems": _by(listed, "theorem"),
        "sources": _by(report["coverage"], "source"),
        "subjects": subjects,
        "own": [(name, rows) for name, rows in subjects if _is_own(report, name, rows[0]["kind"])],
        "points": claims.total(listed, "points"),
        "left_out": claims.total(listed, "left_out"),
        "graph": graph,
        "power": report["provenance"].get("power"),
    }


def _by(rows: list[dict[str, Any]], name: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """Rows by the value of a member, values and rows in the order in which they are declared."""
    values = dict.fromkeys(row[name] for row in rows)
    return [(value, [row for row in rows if row[name] == value]) for value in values]


def _in_short_first(audits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    marked = [audit | {"in_short": audit["question"].startswith("In short")} for audit in audits]
    return sorted(marked, key=lambda audit: not audit["in_short"])


def _is_own(report: Report, subject: str, kind: str) -> bool:
    """Whether a subject was handed in by --target or --flow, by the name of the file or of the field."""
    try:
        words = shlex.split(report["run"]["command"])
    except ValueError:  # another's report, with a quotation mark that is not closed
        words = []
    given = {option: value for option, _, value in (word.partition("=") for word in words)}
    if kind == "data":
        return "--target" in given and subject == Path(given["--target"]).name
    return kind == "flow" and given.get("--flow", "").startswith(re.split(r" of |, label ", subject)[0])


def _once(report: Report, place: int, kind: str) -> list[dict[str, Any]]:
    """Tables or figures of a claim, each with the id of the first claim that shows the same, or None."""
    earlier: dict[str, str] = {}
    for claim in report["claims"][:place]:
        for shown in claim[kind]:
            earlier.setdefault(repr(shown), claim["id"])
    return [shown | {"first": earlier.get(repr(shown))} for shown in report["claims"][place][kind]]


def _require_figures(report: Report, directory: Path) -> None:
    holders = [*report["claims"], *report["audits"]]
    for figure in (figure for holder in holders for figure in holder["figures"]):
        path = (directory / figure["file"]).resolve()
        if not path.is_relative_to(directory.resolve()) or not path.is_file():
            raise ValueError(f"figure {figure['file']!r} is not a file beside report.json")
