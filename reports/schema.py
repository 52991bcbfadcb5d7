"""The JSON Schema of report.json, `schema: 2`.

``report.schema.json`` beside this file is the same, written by ``python -m reports.schema``.
"""

import json
from pathlib import Path
from typing import Any, get_args

from reports.evidence.basis import KINDS
from reports.evidence.exhibits import AuditOutcome
from reports.evidence.records import PARTS, RECORDS, STRENGTHS
from reports.run.verdict import Verdict

TEXT = {"type": "string"}
WORDS = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 0}
NUMBER = {"type": "number"}
POSITIVE = {"type": "number", "minimum": 0}
NUMBER_OR_NULL = {"type": ["number", "null"]}
VALUE = {"type": ["number", "string", "null"]}


def _object(**properties: Any) -> dict[str, Any]:
    """An object with exactly these members."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _verdicts() -> list[str]:
    return list(get_args(Verdict))


RUN = _object(
    versions={"type": "object", "additionalProperties": WORDS, "required": ["python"]},
    seed=COUNT,
    profile=WORDS,
    command=WORDS,
    level_spent=POSITIVE,
    errors=_list(_object(module=WORDS, message=TEXT)),
)
COUNTS = {
    "draws": {"type": "integer", "minimum": 1},
    "points": {"type": "integer", "minimum": 1},
    "left_out": COUNT,
    "at_kinks": COUNT,
}
PART_TYPES: dict[str, dict[str, Any]] = {
    "failures": COUNT,
    "main": NUMBER,
    "rounding": POSITIVE,
    "rounding_count": POSITIVE,
    "rounding_because": WORDS,
    "by": WORDS,
    "level": {"type": "number", "exclusiveMinimum": 0},
    "interval": {"type": "array", "items": NUMBER_OR_NULL, "minItems": 2, "maxItems": 2},
}
CLAUSE = {"type": ["string", "null"], "minLength": 1}
PLACE = {"type": "string", "pattern": r"^[\w/.-]+:\d+$"}
EVIDENCE = _object(
    test=WORDS,
    place=PLACE,
    target=TEXT,
    quantity=WORDS,
    strength={"enum": list(STRENGTHS)},
    measured=NUMBER_OR_NULL,
    bound=NUMBER,
    share=NUMBER_OR_NULL,
    because=WORDS,
    chosen=TEXT,
    kind={"enum": list(KINDS)},
    clause=CLAUSE,
    **{part: {} for part in PARTS},
    holds={"type": "boolean"},
    **COUNTS,
    worst=TEXT,
    command=WORDS,
    seconds=POSITIVE,
    role={"enum": ["check", "control"]},
)
EVIDENCE["allOf"] = [
    {
        "if": {"properties": {"strength": {"const": record.strength}}},
        "then": {
            "properties": {
                part: PART_TYPES[part] if part in record.parts else {"type": "null"} for part in PARTS
            }
        },
    }
    for record in RECORDS
]
CONTROL = _object(
    test=WORDS,
    place=PLACE,
    target=TEXT,
    violation=WORDS,
    predicted=NUMBER,
    measured=NUMBER_OR_NULL,
    agreement=POSITIVE,
    intact=NUMBER,
    because=WORDS,
    chosen=TEXT,
    clause=CLAUSE,
    level=NUMBER_OR_NULL,
    rejected={"type": "boolean"},
    **COUNTS,
    worst=TEXT,
    command=WORDS,
    seconds=POSITIVE,
)
TABLE = _object(title=WORDS, columns=_list(TEXT), rows=_list(_list(VALUE)))
FIGURE = _object(title=WORDS, alt=WORDS, file={"type": "string", "pattern": r"^figures/[\w.-]+\.(svg|png)$"})
CLAIM = _object(
    id=WORDS,
    theorem=TEXT,
    label=WORDS,
    title=WORDS,
    statement=WORDS,
    formula=WORDS,
    assumptions=_list(WORDS),
    depends=_list(WORDS),
    clauses=_list(_object(name=WORDS, text=WORDS)),
    source=WORDS,
    status={"enum": ["stated", "reconstructed", "this project", "open", "corrected"]},
    verdict={"enum": _verdicts()},
    selected=COUNT,
    ran=COUNT,
    notes=_list(WORDS),
    evidence=_list(EVIDENCE),
    controls=_list(CONTROL),
    tables=_list(TABLE),
    figures=_list(FIGURE),
)
AUDIT = _object(
    subject=WORDS,
    kind={"enum": ["data", "flow", "library", "equation"]},
    question=WORDS,
    outcome={"enum": list(get_args(AuditOutcome))},
    expected=VALUE,
    measured=VALUE,
    because=WORDS,
    target=TEXT,
    test=WORDS,
    command=WORDS,
    figures=_list(FIGURE),
    tables=_list(TABLE),
)
PROVENANCE = _object(
    started=WORDS,
    seconds=POSITIVE,
    commit={"type": ["string", "null"], "pattern": "^[0-9a-f]{40,64}$"},
    dirty={"type": ["boolean", "null"]},
    processor=WORDS,
    cores={"type": ["integer", "null"], "minimum": 1},
    libraries=_list(_object(name=WORDS, version=TEXT, threads={"type": "integer", "minimum": 1})),
    skipped=_list(_object(test=WORDS, reason=TEXT)),
)
"""Where a run was made, and how long it took: the one part that may differ between equal runs."""
POWER = _object(
    code={"type": "string", "pattern": "^[0-9a-f]{12}$"},
    current={"type": "boolean"},
    tried=COUNT,
    noticed=COUNT,
    interval={**_list({"type": "number", "minimum": 0, "maximum": 1}), "minItems": 2, "maxItems": 2},
    claims={"type": "object", "additionalProperties": COUNT},
)
"""Which faults were noticed, on the version of the code with that hash."""
PROVENANCE["properties"]["power"] = {**POWER, "type": ["object", "null"]}  # earlier runs say nothing of it
PROVENANCE["properties"]["seconds_by_claim"] = {"type": "object", "additionalProperties": POSITIVE}
REFERENCE = _object(
    key=WORDS, authors=_list(WORDS), title=WORDS, venue=TEXT, year=WORDS, doi=TEXT, arxiv=TEXT
)
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "report.json",
    **_object(
        schema={"const": 2},
        run=RUN,
        provenance=PROVENANCE,
        hypotheses={"type": "object", "additionalProperties": WORDS},
        claims=_list(CLAIM),
        audits=_list(AUDIT),
        coverage=_list(_object(source=WORDS, item=WORDS, claim=TEXT, note=TEXT)),
        references=_list(REFERENCE),
    ),
}


VERSION = SCHEMA["properties"]["schema"]["const"]
FILE = Path(__file__).with_name("report.schema.json")


def written(indent: int | None = 1) -> str:
    """The text of report.schema.json; on one line beside the pages, where None is said."""
    separators = (",", ":") if indent is None else None
    return json.dumps(SCHEMA, indent=indent, separators=separators, ensure_ascii=False) + "\n"


def check(report: object) -> None:
    """Make sure that a report follows the schema.

    Raises:
        ValueError: Naming the place and what is wrong with it.
    """
    from jsonschema import Draft202012Validator

    if not isinstance(report, dict) or "schema" not in report:
        raise ValueError("report.json says no `schema`: it is no report of this project")
    if report["schema"] != VERSION:
        raise ValueError(
            f"report.json is of schema {report['schema']!r}, and this version reads {VERSION}: run again"
        )
    error = next(iter(sorted(Draft202012Validator(SCHEMA).iter_errors(report), key=str)), None)
    if error is not None:
        raise ValueError(f"report.json, {error.json_path}: {error.message}")


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
