"""What a claim's page shows, arranged from its records: checks, quantities, controls, clauses."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from reports.evidence.records import STRENGTHS
from reports.page.rows import Check, Fields, Quantity, Violation, budgeted, stable_id

IN_WORDS = 3
"""Up to so many sources of rounding are said in words wherever they occur."""
Homes = dict[tuple[str, str], str]
"""By claim and id of a check the claim with which it is told whole, where that is another."""


def checks(claim: Fields) -> list[Check]:
    """The tests that left evidence for a claim, in the order of their files and lines."""
    found: dict[str, Check] = {}
    rows: dict[tuple[str, ...], Quantity] = {}
    for record in claim["evidence"]:
        check = _found(found, record, record["role"])
        key = (check.test, record["strength"], record["quantity"], record["clause"] or "")
        if key not in rows:
            rows[key] = Quantity(stable_id("q", *key), [])
            check.quantities.append(rows[key])
        rows[key].records.append(record)
    for check in found.values():
        check.quantities.sort(key=lambda q: STRENGTHS.index(q.worst["strength"]))
    return sorted(found.values(), key=_reading_order)


def controls(claim: Fields) -> list[Check]:
    """The tests that left controls for a claim, in the order of their files and lines."""
    found: dict[str, Check] = {}
    rows: dict[tuple[str, ...], Violation] = {}
    for record in claim["controls"]:
        check = _found(found, record, "violation")
        key = (check.test, record["violation"], record["clause"] or "")
        if key not in rows:
            rows[key] = Violation(stable_id("c", *key), [])
            check.violations.append(rows[key])
        rows[key].records.append(record)
    return sorted(found.values(), key=_reading_order)


def arranged(claim: Fields, homes: Homes) -> tuple[list[Check], list[Check]]:
    """The tests that measure something, checks first, and the controls; each with its home."""
    measuring, broken = sorted(checks(claim), key=lambda check: check.role), controls(claim)
    for check in (*measuring, *broken):
        check.home = homes.get((claim["id"], check.id))
    return measuring, broken


def homes(listed: Iterable[Fields]) -> Homes:
    """The first claim that shows the very same records, by claim and id of a check, where it is another."""
    first: dict[str, tuple[str, list[Any]]] = {}
    found = {}
    for claim in listed:
        for check in (*checks(claim), *controls(claim)):
            told: list[Quantity | Violation] = [*check.quantities, *check.violations]
            records = [row.records for row in told]
            home, same = first.setdefault(check.id, (claim["id"], records))
            if home != claim["id"] and same == records:
                found[claim["id"], check.id] = home
    return found


def shown(listed: list[list[Any]], most: int) -> list[list[Any]]:
    """Which rows of each module a claim's page shows unfolded: what fails, and in turn the first of each.

    Args:
        listed: The quantities or violations of each module, most telling first.
        most: How many rows are shown in all, if no more fail.
    """
    turns = sorted((turn, k) for k, rows in enumerate(listed) for turn in range(len(rows)))
    failing = [(turn, k) for turn, k in turns if listed[k][turn].fails]
    kept = {*failing, *[place for place in turns if place not in failing][: max(most - len(failing), 0)]}
    return [[row for turn, row in enumerate(rows) if (turn, k) in kept] for k, rows in enumerate(listed)]


def by_module(checks: list[Check], rows: str, most: int | None) -> list[tuple[str, list[Check], list[Any]]]:
    """Each module with its checks, and those of their ``rows`` that are shown unfolded: at most so many."""
    modules: dict[str, list[Check]] = {}
    for check in checks:
        modules.setdefault(check.module, []).append(check)
    listed = [[row for check in found for row in getattr(check, rows)] for found in modules.values()]
    kept = listed if most is None else shown(listed, most)
    return list(zip(modules, modules.values(), kept, strict=True))


def sources(checks: Iterable[Check]) -> dict[str, int]:
    """The sources of rounding that a page tells by number: those of quantities with more than a few.

    Many families share most of theirs, so that each is said once a page, at the end.
    """
    stated = [q.roundings for check in checks if not check.home for q in check.quantities]
    listed = [found[1].split("; ") for found in stated if found]
    named = dict.fromkeys(source for part in listed if len(part) > IN_WORDS for source in part)
    return {source: number for number, source in enumerate(named, 1)}


def told(stated: str, numbers: Mapping[str, int]) -> str:
    """The sources of one quantity: in words if they are few, and else by their numbers, ``1–3, 7``."""
    found = stated.split("; ")
    if len(found) <= IN_WORDS:
        return stated
    runs: list[list[int]] = []
    for number in sorted(numbers[source] for source in found):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def strengths(claim: Fields) -> dict[str, int]:
    """How many records of each strength the checks of a claim left, strongest first; none is left out."""
    counted = Counter(record["strength"] for record in claim["evidence"] if record["role"] == "check")
    return {strength: counted[strength] for strength in STRENGTHS if counted[strength]}


def strongest_control(claim: Fields) -> Fields | None:
    """The control that would be farthest from passing if nothing were violated, in units of its agreement.

    Of several that agree exactly, the one whose violation changes most.
    """
    rejected = [control for control in claim["controls"] if control["rejected"]]
    return max(rejected, key=_decisiveness, default=None)


def error_shares(claim: Fields) -> list[float]:
    """The shares of their bounds that errors used: what a histogram shows."""
    records = [r for r in claim["evidence"] if r["role"] == "check" and budgeted(r)]
    return [r["share"] for r in records if r["share"] is not None]


def clause_rows(claim: Fields) -> list[Fields]:
    """The clause table: each clause with the checks that name it, their strengths and their domains."""
    rows = []
    for clause in claim["clauses"]:
        named = [r for r in claim["evidence"] if r["role"] == "check" and r["clause"] == clause["name"]]
        rows.append(
            clause
            | {
                "checks": sorted({_bare(record["test"]) for record in named}),
                "strengths": strengths({"evidence": named}),
                "domain": sorted({record["target"] for record in named if record["target"]}),
                "points": sum(record["points"] for record in named),
            }
        )
    return rows


def total(claims: Iterable[Fields], counted: str) -> int:
    """How many points were checked, or left out; a test that checks several claims counts once."""
    seen = {}
    for claim in claims:
        for record in claim["evidence"]:
            key = (record["test"], record["strength"], record["quantity"], record["target"], record["clause"])
            seen[key] = record[counted]
        for record in claim["controls"]:
            key = (record["test"], "control", record["violation"], record["target"], record["clause"])
            seen[key] = record[counted]
    return sum(seen.values())


def _found(found: dict[str, Check], record: Fields, role: str) -> Check:
    """The check of a record's test function; its seconds are those of all its parameters together."""
    test, command = _bare(record["test"]), _bare(record["command"])
    check = found.setdefault(test, Check(test, record["place"], command, {}, role))
    check.durations[record["test"]] = record["seconds"]
    return check


def _bare(text: str) -> str:
    """A test's name, or the command that runs it, without the test's parameters and the quotes they need."""
    return re.sub(r"'?(theorems[\w.]*::[\w:]+)\[.*\]'?", r"\1", text)


def _reading_order(check: Check) -> tuple[str, int, str]:
    file, _, line = check.place.rpartition(":")
    return file, int(line), check.test


def _decisiveness(control: Fields) -> tuple[float, float]:
    change = abs(control["predicted"] - control["intact"])
    return (change / control["agreement"] if control["agreement"] else math.inf), change
