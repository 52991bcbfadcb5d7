"""What one test recorded: the worst case of each quantity, with the number of draws and points behind it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from reports.evidence.basis import Basis
from reports.evidence.exhibits import Audit, Control, Figure, Table
from reports.evidence.record import Record
from reports.evidence.records import PARTS

R = TypeVar("R", Record, Control)


@dataclass(slots=True)
class _Kept(Generic[R]):
    """The worst measurement of one quantity on one family of targets, so far."""

    record: R
    worst: str
    basis: Basis
    target: str
    draws: int = 0
    points: int = 0
    left_out: int = 0
    at_kinks: int = 0
    level: float = 0.0
    holds: bool = True

    def fields(self) -> dict[str, object]:
        """What report.json says of it: the worst record, and what was counted over all draws."""
        fields = self.record.fields()
        level = {} if fields.get("level") is None else {"level": self.level}
        return {
            "target": self.target,
            **fields,
            **level,
            "draws": self.draws,
            "points": self.points,
            "left_out": self.left_out,
            "at_kinks": self.at_kinks,
            "chosen": self.basis.chosen,
            "clause": self.basis.clause,
            "worst": self.worst,
        }


@dataclass(slots=True)
class Recorder:
    """Everything one test records.

    Attributes:
        frozen: Set once a draw has failed: shrinking repeats the test on ever simpler failing draws, and
            what it measures there must neither be counted nor replace the worst case.
        wants_figures: Whether a report is being written, so that figures are drawn.
        takes_evidence: Whether the test is marked as a check or a control of some claim.
        takes_controls: Whether the test is marked as a control of some claim.
        clauses: Names of the clauses of the claims it is marked with; None if anything goes.
    """

    wants_figures: bool = False
    takes_evidence: bool = True
    takes_controls: bool = True
    clauses: frozenset[str] | None = None
    frozen: bool = False
    evidence: dict[tuple[str, str, str, str], _Kept[Record]] = field(default_factory=dict)
    controls: dict[tuple[str, str, str], _Kept[Control]] = field(default_factory=dict)
    audits: dict[tuple[str, str, str], Audit] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)

    def freeze(self) -> None:
        """Keep what is recorded as it is."""
        self.frozen = True

    def add(self, record: Record, target: str, basis: Basis, where: Callable[[], str]) -> None:
        """Count a measurement and keep it if it is the worst; one beyond its bound freezes.

        Raises:
            ValueError: If the test is not marked, or the clause is none of its claims'.
        """
        if not self.takes_evidence:
            raise ValueError('evidence belongs to a claim: mark the test with @pytest.mark.claim("id")')
        key = (record.strength, record.quantity, target, basis.clause or "")
        self._keep(self.evidence, key, record, target, basis, where)

    def add_control(self, record: Control, target: str, basis: Basis, where: Callable[[], str]) -> None:
        """Count a control and keep it if its agreement is the worst; a disagreement freezes.

        Raises:
            ValueError: If the test is not marked as a control, or the clause is none of its claims'.
        """
        if not self.takes_controls:
            raise ValueError('a control belongs to a claim: mark the test with @pytest.mark.control("id")')
        key = (record.violation, target, basis.clause or "")
        self._keep(self.controls, key, record, target, basis, where)

    @property
    def beyond(self) -> bool:
        """Whether some measurement is beyond its bound."""
        return any(not kept.holds for kept in self.evidence.values())

    @property
    def rejections(self) -> int:
        """The number of controls, if all were rejected as predicted; else 0."""
        agreed = all(kept.holds for kept in self.controls.values())
        return len(self.controls) if agreed else 0

    @property
    def level(self) -> float:
        """The probability of misleading that the test has spent: the sum of its records' risks."""
        levels = [k.level for k in self.evidence.values()] + [k.level for k in self.controls.values()]
        return sum(sorted(levels))

    def evidence_fields(self) -> list[dict[str, object]]:
        """The evidence as report.json lists it, sorted."""
        kept = [kept for _, kept in sorted(self.evidence.items())]
        listed = [k.fields() | {"kind": k.basis.kind_of(k.record.kind)} for k in kept]
        return [fields | {part: None for part in PARTS if part not in fields} for fields in listed]

    def control_fields(self) -> list[dict[str, object]]:
        """The controls as report.json lists them, sorted."""
        return [kept.fields() for _, kept in sorted(self.controls.items())]

    def _keep(
        self,
        book: dict[Any, _Kept[R]],
        key: tuple[str, ...],
        record: R,
        target: str,
        basis: Basis,
        where: Callable[[], str],
    ) -> None:
        if self.clauses is not None and basis.clause is not None and basis.clause not in self.clauses:
            known = ", ".join(sorted(self.clauses)) or "none"
            raise ValueError(
                f"clause of {basis.quantity!r}: got {basis.clause!r}, which no claim of this test declares;"
                f" declared: {known}"
            )
        if self.frozen:
            return
        kept = book.get(key)
        if kept is None:
            kept = book[key] = _Kept(record, where(), basis, target)
        elif record.badness > kept.record.badness or not record.holds:
            kept.record, kept.worst, kept.basis = record, where(), basis
        kept.draws += 1
        kept.points += basis.points
        kept.left_out += basis.left_out
        kept.at_kinks += basis.at_kinks
        kept.level += record.risk
        if not record.holds:
            kept.holds = False
            self.frozen = True
