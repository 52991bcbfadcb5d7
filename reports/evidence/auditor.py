"""The checks of a theorem, asked of what is not ours: measurements become audits and decide nothing.

An `Auditor` stands in for the `evidence` of a check. The check draws, computes and bounds as ever, so that
nothing of it is written twice; what it would assert is recorded in the words *agrees* and *deviates*.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from reports.evidence.basis import Basis
from reports.evidence.describing import describe
from reports.evidence.exhibits import Audit, AuditKind
from reports.evidence.measuring import Measuring
from reports.evidence.record import Record
from reports.evidence.recorder import Recorder
from reports.evidence.showing import Showing


@dataclass(slots=True)
class Tally:
    """The worst case of one quantity, and how many points and cases stand behind it."""

    record: Record
    worst: str
    chosen: str = ""
    points: int = 0
    left_out: int = 0
    at_kinks: int = 0
    cases: int = 0

    @property
    def seen(self) -> str:
        """What was counted, in words."""
        words = [f"{self.points} points in {self.cases} {'case' if self.cases == 1 else 'cases'}"]
        words += [f"{self.at_kinks} of them at kinks"] if self.at_kinks else []
        words += [f"{self.left_out} left out"] if self.left_out else []
        words += [f"worst at {self.worst}"] if self.worst else []
        words += [f"chosen: {self.chosen}"] if self.chosen else []
        return ", ".join(words)


class Auditor(Showing, Measuring):
    """Evidence about something that is not ours: a measurement beyond its bound is a finding.

    Args:
        recorder: Where the audits are kept.
        subject: Who is asked: a file, a library.
        kind: What kind of thing it is.
        claim: The id of the claim whose checks are asked.
    """

    __slots__ = ("_claim", "_details", "_kind", "_subject", "_tallies")

    def __init__(
        self,
        recorder: Recorder,
        subject: str,
        kind: AuditKind,
        claim: str,
        target: object = None,
        details: Mapping[str, object] | None = None,
        tallies: dict[str, Tally] | None = None,
    ) -> None:
        super().__init__(recorder, target)
        self._details = details or {}
        self._subject, self._kind, self._claim = subject, kind, claim
        self._tallies = {} if tallies is None else tallies

    def on(self, target: object, **details: object) -> "Auditor":
        """The same auditor, bound to a case."""
        return Auditor(self.recorder, self._subject, self._kind, self._claim, target, details, self._tallies)

    def control(self, *_: object, **__: object) -> NoReturn:
        """Not for audits.

        Raises:
            TypeError: Always.
        """
        raise TypeError("a control violates an assumption of ours on purpose; it cannot be an audit")

    def ended_in(self, error: Exception, what: str) -> None:
        """Record that a computation on the subject ended in an error: what it asks cannot be told."""
        self.audit(
            f"{self._claim}: can it be asked? ({what})",
            "cannot be told",
            expected="an answer",
            measured=f"{type(error).__name__}: {error}",
            because="the computation must end with a result",
            subject=self._subject,
            kind=self._kind,
        )

    def _record(self, record: Record, basis: Basis, index: tuple[int, ...], shape: tuple[int, ...]) -> None:
        tally = self._tallies.get(record.quantity)
        if tally is None or record.badness > tally.record.badness:
            worst = describe(None, self._details, index, shape)
            if tally is None:
                tally = self._tallies[record.quantity] = Tally(record, worst)
            tally.record, tally.worst, tally.chosen = record, worst, basis.chosen
        tally.cases += 1
        tally.points += basis.points
        tally.left_out += basis.left_out
        tally.at_kinks += basis.at_kinks
        if not self.recorder.frozen:
            audit = self._audit_of(tally)
            self.recorder.audits[self._subject, audit.question, ""] = audit

    def _audit_of(self, tally: Tally) -> Audit:
        worst = tally.record
        return Audit(
            subject=self._subject,
            kind=self._kind,
            question=f"{self._claim}: is {worst.quantity} within its bound?",
            outcome="agrees" if worst.holds else "deviates",
            expected=worst.expected,
            measured=worst.measured if math.isfinite(worst.measured) else str(worst.measured),
            because=f"{worst.because} ({worst.strength}; {tally.seen})",
            target=self._subject,
        )
