"""What a claim's page shows, arranged from its records: checks, quantities, controls, clauses."""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from reports.evidence.records import STRENGTHS

Fields = dict[str, Any]


def stable_id(prefix: str, *words: object) -> str:
    """An id that depends on what it names alone, so that links outlive a run."""
    text = "\n".join(map(str, words))
    return f"{prefix}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@dataclass
class Quantity:
    """The records of one test about one quantity: one row a family of targets."""

    id: str
    records: list[Fields]

    @property
    def worst(self) -> Fields:
        """The record that is beyond its bound, or else that uses most of it."""
        return max(self.records, key=lambda r: (not r["holds"], _badness(r)))

    @property
    def fails(self) -> bool:
        """Whether a record is beyond its bound."""
        return not self.worst["holds"]

    @property
    def shares(self) -> tuple[float, float] | None:
        """The least and the largest share of its bound that an error used; None if the worst is none."""
        if self.worst["kind"] != "error":
            return None
        found = [r["share"] for r in self.records if r["kind"] == "error" and r["share"] is not None]
        return (min(found), max(found)) if found else None

    @property
    def slack(self) -> float | None:
        """How far the worst record stays within its bound; None where a share, count or interval says it."""
        worst = self.worst
        if worst["kind"] not in ("inequality", "margin") or worst["measured"] is None:
            return None
        return float(worst["bound"] - worst["measured"])

    def total(self, counted: str) -> int:
        """The sum of a count over the records."""
        return sum(record[counted] for record in self.records)

    @property
    def roundings(self) -> tuple[float, str] | None:
        """The largest count of roundings and each of their sources; None where none is stated."""
        stated = [record for record in self.records if record["rounding_because"] is not None]
        if not stated:
            return None
        sources = [source for record in stated for source in record["rounding_because"].split("; ")]
        return max(record["rounding_count"] for record in stated), "; ".join(dict.fromkeys(sources))


@dataclass
class Violation:
    """The records of one test about one violation: one a family of targets."""

    id: str
    records: list[Fields]

    @property
    def worst(self) -> Fields:
        """The record that was not rejected, or else whose agreement was used up most."""
        return max(self.records, key=lambda r: (not r["rejected"], _disagreement(r)))

    @property
    def fails(self) -> bool:
        """Whether a case was not rejected as predicted."""
        return not self.worst["rejected"]


@dataclass
class Check:
    """One test function, with whatever parameters: its place, its command, and what it measured."""

    test: str
    place: str
    command: str
    durations: dict[str, float]
    role: str
    quantities: list[Quantity] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The id of its rows."""
        return stable_id("t", self.test, self.role)

    @property
    def module(self) -> str:
        """The file of theorems that it is in, without the packages."""
        return self.test.partition("::")[0].rpartition(".")[2]

    @property
    def name(self) -> str:
        """The function, as words."""
        return self.test.partition("::")[2].removeprefix("test_").replace("_", " ")

    @property
    def seconds(self) -> float:
        """How long it took, with all its parameters."""
        return sum(self.durations.values())


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
    records = [r for r in claim["evidence"] if r["role"] == "check" and r["kind"] == "error"]
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


def _badness(record: Fields) -> float:
    if record["share"] is None:
        return 0.0 if record["holds"] else math.inf
    return float(record["share"])


def _disagreement(control: Fields) -> float:
    if control["measured"] is None:
        return math.inf
    apart = abs(control["measured"] - control["predicted"])
    return apart / control["agreement"] if control["agreement"] else apart and math.inf


def _decisiveness(control: Fields) -> tuple[float, float]:
    change = abs(control["predicted"] - control["intact"])
    return (change / control["agreement"] if control["agreement"] else math.inf), change
