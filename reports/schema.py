"""The JSON Schema of report.json, `schema: 1`."""

from typing import Any

from reports.evidence import PARTS, RECORDS, STRENGTHS
from reports.verdict import Verdict

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
    from typing import get_args

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
EVIDENCE = _object(
    test=WORDS,
    target=TEXT,
    quantity=WORDS,
    strength={"enum": list(STRENGTHS)},
    measured=NUMBER_OR_NULL,
    bound=NUMBER,
    share=NUMBER_OR_NULL,
    because=WORDS,
    chosen=TEXT,
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
    target=TEXT,
    violation=WORDS,
    predicted=NUMBER,
    measured=NUMBER_OR_NULL,
    agreement=POSITIVE,
    intact=NUMBER,
    because=WORDS,
    chosen=TEXT,
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
    label=WORDS,
    title=WORDS,
    statement=WORDS,
    formula=WORDS,
    assumptions=_list(WORDS),
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
    outcome={"enum": ["agrees", "deviates"]},
    expected=VALUE,
    measured=VALUE,
    because=WORDS,
    target=TEXT,
    figures=_list(FIGURE),
    tables=_list(TABLE),
)
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "report.json",
    **_object(
        schema={"const": 1},
        run=RUN,
        claims=_list(CLAIM),
        audits=_list(AUDIT),
        coverage=_list(_object(source=WORDS, item=WORDS, claim=TEXT, note=TEXT)),
    ),
}


def check(report: object) -> None:
    """Make sure that a report follows the schema.

    Raises:
        ValueError: Naming the place and what is wrong with it.
    """
    from jsonschema import Draft202012Validator

    error = next(iter(sorted(Draft202012Validator(SCHEMA).iter_errors(report), key=str)), None)
    if error is not None:
        raise ValueError(f"report.json, {error.json_path}: {error.message}")
