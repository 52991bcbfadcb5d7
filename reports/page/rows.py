"""The rows of a claim's page: quantities and violations with their records, and the checks they are of."""

import hashlib
import math
from dataclasses import dataclass, field
from typing import Any

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
        if not budgeted(self.worst):
            return None
        found = [r["share"] for r in self.records if budgeted(r) and r["share"] is not None]
        return (min(found), max(found)) if found else None

    @property
    def slack(self) -> float | None:
        """How far the worst record stays within its bound; None where a share, count or interval says it."""
        worst = self.worst
        if worst["kind"] in ("count", "rate") or budgeted(worst) or worst["measured"] is None:
            return None
        return float(worst["bound"] - worst["measured"])

    @property
    def families(self) -> list["Quantity"]:
        """Its records by families of targets: those of a test's parameters together."""
        return [Quantity(self.id, records) for records in _by_target(self.records)]

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

    @property
    def families(self) -> list["Violation"]:
        """Its records by families of targets: those of a test's parameters together."""
        return [Violation(self.id, records) for records in _by_target(self.records)]

    def total(self, counted: str) -> int:
        """The sum of a count over the records."""
        return sum(record[counted] for record in self.records)


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
    home: str | None = None
    """The claim with which it is told whole, where that is another: what two claims share is told once."""

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


def _by_target(records: list[Fields]) -> list[list[Fields]]:
    found: dict[str, list[Fields]] = {}
    for record in records:
        found.setdefault(record["target"], []).append(record)
    return list(found.values())


def budgeted(record: Fields) -> bool:
    """Whether it is an error with a budget: of a budget of nothing there is no share."""
    return record["kind"] == "error" and record["bound"] > 0


def _badness(record: Fields) -> float:
    if record["share"] is None:
        return 0.0 if record["holds"] else math.inf
    return float(record["share"])


def _disagreement(control: Fields) -> float:
    if control["measured"] is None:
        return math.inf
    apart = abs(control["measured"] - control["predicted"])
    return apart / control["agreement"] if control["agreement"] else apart and math.inf
