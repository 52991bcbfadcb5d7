"""What one test recorded: the worst case of each quantity, with the number of draws and points behind it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from reports.evidence import (
    Audit,
    Bounded,
    Control,
    Figure,
    Measurement,
    Statistical,
    Table,
    Trend,
    finite_or_none,
)


@dataclass(slots=True)
class _Kept:
    """The worst measurement of one quantity on one family of targets, so far."""

    worst_record: Any
    share: float
    worst: str
    target: str
    draws: int = 0
    points: int = 0
    level: float = 0.0
    holds: bool = True


@dataclass(slots=True)
class Recorder:
    """Everything one test records.

    Attributes:
        frozen: Set once a draw has failed: shrinking repeats the test on ever simpler failing draws, and
            what it measures there must neither be counted nor replace the worst case.
        wants_figures: Whether a report is being written, so that figures are drawn.
        takes_evidence: Whether the test is marked as a check or a control of some claim.
        takes_controls: Whether the test is marked as a control of some claim.
    """

    wants_figures: bool = False
    takes_evidence: bool = True
    takes_controls: bool = True
    frozen: bool = False
    evidence: dict[tuple[str, str, str], _Kept] = field(default_factory=dict)
    controls: dict[tuple[str, str], _Kept] = field(default_factory=dict)
    audits: dict[tuple[str, str, str], Audit] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)

    def freeze(self) -> None:
        """Keep what is recorded as it is."""
        self.frozen = True

    def add(
        self, record: Measurement, target: str, points: int, used: float, where: Callable[[], str]
    ) -> None:
        """Count a measurement and keep it if it is the worst; one beyond its bound freezes.

        Raises:
            ValueError: If the test is not marked.
        """
        if not self.takes_evidence:
            raise ValueError('evidence belongs to a claim: mark the test with @pytest.mark.claim("id")')
        key = (record.strength, record.quantity, target)
        level = (record.level or 0.0) if isinstance(record, Statistical | Trend) else 0.0
        self._keep(self.evidence, key, record, target, points, used, where, level)

    def add_control(
        self, record: Control, target: str, points: int, used: float, where: Callable[[], str]
    ) -> None:
        """Count a control and keep it if its agreement is the worst; a disagreement freezes.

        Raises:
            ValueError: If the test is not marked as a control.
        """
        if not self.takes_controls:
            raise ValueError('a control belongs to a claim: mark the test with @pytest.mark.control("id")')
        key = (record.violation, target)
        self._keep(self.controls, key, record, target, points, used, where, record.level or 0.0)

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
        """The false-alarm probability that the test has spent."""
        kept = [*self.evidence.values(), *self.controls.values()]
        return sum(sorted(k.level for k in kept))

    def evidence_fields(self) -> list[dict[str, object]]:
        """The evidence as report.json lists it, sorted."""
        return [_evidence_fields(kept) for _, kept in sorted(self.evidence.items())]

    def control_fields(self) -> list[dict[str, object]]:
        """The controls as report.json lists them, sorted."""
        return [_control_fields(kept) for _, kept in sorted(self.controls.items())]

    def _keep(
        self,
        book: dict[Any, _Kept],
        key: tuple[str, ...],
        record: Measurement | Control,
        target: str,
        points: int,
        used: float,
        where: Callable[[], str],
        level: float,
    ) -> None:
        if self.frozen:
            return
        kept = book.get(key)
        if kept is None:
            kept = book[key] = _Kept(record, used, where(), target)
        elif used > kept.share or not record.holds:
            kept.worst_record, kept.share, kept.worst = record, used, where()
        kept.draws += 1
        kept.points += points
        kept.level += level
        if not record.holds:
            kept.holds = False
            self.frozen = True


def _evidence_fields(kept: _Kept) -> dict[str, object]:
    record: Measurement = kept.worst_record
    return {
        "target": kept.target,
        "quantity": record.quantity,
        "strength": record.strength,
        "measured": finite_or_none(record.measured),
        "bound": record.bound,
        "because": record.because,
        "condition": record.condition if isinstance(record, Bounded) else None,
        "level": kept.level if isinstance(record, Statistical) else None,
        "interval": [finite_or_none(end) for end in record.interval] if isinstance(record, Trend) else None,
        "holds": kept.holds,
        "draws": kept.draws,
        "points": kept.points,
        "worst": kept.worst,
    }


def _control_fields(kept: _Kept) -> dict[str, object]:
    record: Control = kept.worst_record
    return {
        "target": kept.target,
        "violation": record.violation,
        "predicted": record.predicted,
        "measured": finite_or_none(record.measured),
        "agreement": record.agreement,
        "intact": record.intact,
        "because": record.because,
        "level": kept.level if record.level is not None else None,
        "rejected": kept.holds,
        "draws": kept.draws,
        "points": kept.points,
        "worst": kept.worst,
    }
