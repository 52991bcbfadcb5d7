"""Two runs compared: verdicts that changed, rows new or lost, shares that moved by more than 2×."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from reports.page.loading import Report
from reports.page.words import plural, ratio

FACTOR = 2.0
"""How far a share must have moved to be told: a convention."""
RANK = ("refuted", "unsupported", "not run", "partial", "open", "verified")
Row = tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """What differs between two runs.

    Attributes:
        runs: The commands of both.
        verdicts: Claim, verdict before, verdict after; "absent" where a run does not know the claim.
        new: Rows that only the later run has: claim, strength, quantity, target, test.
        lost: Rows that only the earlier run has.
        moved: Claim, quantity, target, share before, share after.
        audits: Subject, question, outcome before, outcome after.
    """

    runs: tuple[str, str]
    verdicts: list[Row]
    new: list[Row]
    lost: list[Row]
    moved: list[Row]
    audits: list[Row]

    @property
    def parts(self) -> list[tuple[str, tuple[str, ...], list[Row]]]:
        """Title, columns and rows of each part."""
        row = ("claim", "strength", "quantity", "target", "test")
        return [
            ("Verdicts that changed", ("claim", "before", "after"), self.verdicts),
            ("Rows that are new", row, self.new),
            ("Rows that are lost", row, self.lost),
            (
                f"Shares of their bounds that moved by more than {FACTOR:g}×",
                ("claim", "quantity", "target", "before", "after"),
                self.moved,
            ),
            ("Audits that changed", ("subject", "question", "before", "after"), self.audits),
        ]

    @property
    def worse(self) -> bool:
        """Whether a claim is refuted or unsupported that was neither."""
        failing = RANK[:2]
        return any(after in failing and before not in failing for _, before, after in self.verdicts)

    def text(self) -> str:
        """What a terminal shows: one line a difference."""
        lines = []
        for title, _, rows in self.parts:
            lines.append(f"{title}: {len(rows) or 'none'}")
            lines += ["  " + " | ".join(row) for row in rows]
        return "\n".join(lines)

    def page(self) -> str:
        """The same as one page that loads nothing."""
        from reports.page.site import HERE, environment
        from reports.page.viewer import digest

        style = "\n" + (HERE / "assets" / "report.css").read_text(encoding="utf-8")
        template = environment().get_template("comparison.html.j2")
        return template.render(found=self, style=Markup(style), digest=digest(style), counted=plural)


def compare(before: Report, after: Report) -> Comparison:
    """What differs between two runs, whose reports follow the schema."""
    old, new = _rows(before), _rows(after)
    return Comparison(
        runs=(before["run"]["command"], after["run"]["command"]),
        verdicts=_changes(before["claims"], after["claims"], ("id",), "verdict"),
        new=[key for key in new if key not in old],
        lost=[key for key in old if key not in new],
        moved=[
            (key[0], key[2], key[3], ratio(old[key]["share"]), ratio(new[key]["share"]))
            for key in old
            if key in new and _moved(old[key], new[key])
        ],
        audits=_changes(before["audits"], after["audits"], ("subject", "question"), "outcome"),
    )


def _rows(report: Report) -> dict[Row, dict[str, Any]]:
    """Every piece of evidence and every control by what it is about."""
    rows: dict[Row, dict[str, Any]] = {}
    for claim in report["claims"]:
        for record in claim["evidence"]:
            words = (record["strength"], record["quantity"], record["target"], record["test"])
            rows[claim["id"], *words] = record
        for record in claim["controls"]:
            words = ("control", record["violation"], record["target"], record["test"])
            rows[claim["id"], *words] = record | {"share": None, "kind": "control"}
    return rows


def _moved(old: dict[str, Any], new: dict[str, Any]) -> bool:
    if new["kind"] != "error" or old["kind"] != "error":
        return False
    a, b = (math.inf if r["share"] is None else max(r["share"], 0.0) for r in (old, new))
    return a != b and not (a <= FACTOR * b and b <= FACTOR * a)


def _changes(
    before: list[dict[str, Any]], after: list[dict[str, Any]], key: tuple[str, ...], value: str
) -> list[Row]:
    """What changed its value, or is only in one of the lists."""
    name: Callable[[dict[str, Any]], Row] = lambda item: tuple(str(item[k]) for k in key)  # noqa: E731
    old, new = ({name(item): str(item[value]) for item in items} for items in (before, after))
    both = list(dict.fromkeys([*old, *new]))
    pairs = [(k, old.get(k, "absent"), new.get(k, "absent")) for k in both]
    return [(*k, a, b) for k, a, b in pairs if a != b]
