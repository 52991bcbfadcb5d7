"""What a run prints of its audits: who was asked, how many answers agree, what was answered, what did not."""

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from reports.evidence.exhibits import tally
from reports.run.progress import COLOUR

if TYPE_CHECKING:
    from reports.run.state import Run

OWN = ("data", "flow")
"""What is the user's own is told finding by finding; of others the questions are counted."""
OPEN = ("deviates", "cannot be told")


def audits_of(run: "Run") -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The audits of a run by kind and subject, the user's own first."""
    found = defaultdict(list)
    for _, outcome in sorted(run.outcomes.items()):
        for audit in outcome.audits:
            found[audit["kind"], audit["subject"]].append(audit)
    return dict(sorted(found.items(), key=lambda item: (item[0][0] not in OWN, item[0])))


def tell_audits(terminal: "pytest.TerminalReporter", run: "Run") -> None:
    """Print counts for every subject, and for the user's own what was answered in words or did not agree."""
    by_subject = audits_of(run)
    if by_subject:
        terminal.section("audits")
    for (kind, subject), audits in by_subject.items():
        outcomes = [audit["outcome"] for audit in audits]
        asked = f"{len(audits)} question{'s' * (len(audits) != 1)}"
        colour = COLOUR["partial" if set(outcomes) & set(OPEN) else "verified"]
        terminal.write_line(f"{subject} ({kind}): {asked}, {tally(outcomes)}", **{colour: True})
        if kind in OWN:
            _tell_findings(terminal, audits)


def _tell_findings(terminal: "pytest.TerminalReporter", audits: list[dict[str, Any]]) -> None:
    for audit in audits:
        if isinstance(audit["measured"], str):
            terminal.write_line(f"  {audit['question']}\n      {audit['measured']}")
    for outcome in OPEN:
        for audit in audits:
            if audit["outcome"] != outcome or isinstance(audit["measured"], str):
                continue
            terminal.write_line(f"  {outcome}: {audit['question']}", yellow=True)
            terminal.write_line(f"      {_shown(audit['measured'])}; expected {_shown(audit['expected'])}")


def _shown(value: float | str | None) -> str:
    return value if isinstance(value, str) else "not finite" if value is None else f"{value:.4g}"
