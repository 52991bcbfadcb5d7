"""What a run prints at its end: one line a claim that was asked, and what audits found."""

from typing import TYPE_CHECKING, Any

import pytest

from reports.evidence.records import STRENGTHS
from reports.run.audited import tell_audits
from reports.run.progress import COLOUR

if TYPE_CHECKING:
    from reports.run.outcome import Outcome
    from reports.run.state import Run
    from theorems.claim import Claim


def strengths(evidence: list[dict[str, Any]]) -> str:
    """From the strongest to the weakest strength of what checks left; empty if there is none."""
    found = {record["strength"] for record in evidence if record.get("role", "check") == "check"}
    ordered = [strength for strength in STRENGTHS if strength in found]
    return " … ".join(dict.fromkeys([*ordered[:1], *ordered[-1:]]))


def worst_share(evidence: list[dict[str, Any]]) -> float | None:
    """The largest share of its budget that any error uses; None where there is none.

    Of what is no error the share means nothing while it holds; what does not hold counts whatever it is,
    as infinite where it has no share.
    """
    counted = [r for r in evidence if r["kind"] == "error" or not r["holds"]]
    shares = [float("inf") if r["share"] is None and not r["holds"] else r["share"] for r in counted]
    return max((share for share in shares if share is not None), default=None)


def summarise(terminal: "pytest.TerminalReporter", run: "Run", written: str | None) -> None:
    """Print the verdicts of all claims that were asked, how many were not, and the audits."""
    verdicts = [(claim, run.verdict(claim)) for claim in run.claims if _counts(run, claim)]
    rows = [_row(run, claim, verdict) for claim, verdict in verdicts]
    if len(run.outcomes) == 1:
        _details(terminal, next(iter(run.outcomes.values())))
    tell_audits(terminal, run)
    terminal.section("theorems")
    _tell_verdicts(terminal, rows)
    not_run = len(run.claims) - len(rows)
    if not rows:
        terminal.write_line("no claim was asked for a verdict: audits decide none")
    elif not_run:
        terminal.write_line(f"not run: {not_run} claim{'s' * (not_run > 1)}")
    _tell_run(terminal, run, decided=bool(rows))
    if written:
        terminal.write_line(written)


def _counts(run: "Run", claim: "Claim") -> bool:
    """Whether anything of a claim was asked, or it has a verdict although nothing was."""
    tests = run.tests_of(claim)
    asked = any(test.name in run.outcomes or test.name in run.collection.selected for test in tests)
    return asked or run.verdict(claim) not in ("not run", "open")


def _row(run: "Run", claim: "Claim", verdict: str) -> tuple[str, ...]:
    """The line of a claim: its verdict, the strengths of its checks, their worst share and all points."""
    checks = [t.name for t in run.tests_of(claim) if claim.id in t.checks and t.name in run.outcomes]
    evidence = [record for name in checks for record in run.outcomes[name].evidence]
    used = worst_share(evidence)
    count = sum(record["points"] for record in evidence)
    margin = "" if used is None else f"{used:.2g}"
    return claim.id, claim.label, verdict, strengths(evidence), margin, f"{count:,}"


def _tell_verdicts(terminal: "pytest.TerminalReporter", rows: list[tuple[str, ...]]) -> None:
    """The table of claims under its header, each line in the colour of its verdict; nothing without one."""
    header = ("claim", "label", "verdict", "evidence", "of budget", "points")
    widths = [max(len(row[k]) for row in (header, *rows)) for k in range(len(header))]
    for row in (header, *rows) if rows else ():
        cells = [
            c.rjust(w) if k > 3 else c.ljust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        colour = {COLOUR.get(row[2], "red"): True} if row is not header else {"bold": True}
        terminal.write_line("  ".join(cells).rstrip(), **colour)


def _tell_run(terminal: "pytest.TerminalReporter", run: "Run", decided: bool) -> None:
    """Seed and profile, with all points and the level spent if there are verdicts; what fails the run."""
    from reports.run.verdict import LEVEL_BUDGET

    line = f"seed {run.seed}, profile {run.profile}"
    if decided:
        records = [r for o in run.outcomes.values() for r in (*o.evidence, *o.controls)]
        points, left_out = (sum(r[key] for r in records) for key in ("points", "left_out"))
        without = f" ({left_out:,} left out)" if left_out else ""
        line = f"{points:,} points checked{without}, {line}, level spent {run.level_spent:.2g}"
    terminal.write_line(line)
    if run.level_spent > LEVEL_BUDGET:
        terminal.write_line(f"the level exceeds its budget of {LEVEL_BUDGET:g}: the run fails", red=True)
    for module, message in sorted(run.errors.items()):
        terminal.write_line(f"not collected: {module}: {message.strip().splitlines()[-1]}", red=True)


def _details(terminal: "pytest.TerminalReporter", outcome: "Outcome") -> None:
    """Everything that the one test of a run measured: measured, bound, worst case."""
    terminal.section("measured")
    for record in outcome.evidence:
        measured = "not finite" if record["measured"] is None else f"{record['measured']:.4g}"
        share = "" if record["share"] is None else f", share {record['share']:.2g}"
        line = f"{record['strength']} {record['kind']}: {record['quantity']}"
        _told(
            terminal,
            line,
            f"measured {measured}, bound {record['bound']:.4g}{share}",
            record,
            record["holds"],
        )
    for record in outcome.controls:
        measured = "not finite" if record["measured"] is None else f"{record['measured']:.6g}"
        numbers = f"measured {measured}, predicted {record['predicted']:.6g} within {record['agreement']:.2g}"
        _told(terminal, f"control: {record['violation']}", numbers, record, record["rejected"])


def _told(
    terminal: "pytest.TerminalReporter", line: str, numbers: str, record: dict[str, Any], good: bool
) -> None:
    terminal.write_line(line, **({} if good else {"red": True}))
    terminal.write_line(f"    {numbers}; draws {record['draws']:,}, points {record['points']:,}")
    if record["worst"]:
        terminal.write_line(f"    worst case {record['worst']}")
