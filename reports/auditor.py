"""The checks of a theorem, asked of what is not ours: measurements become audits and decide nothing.

An `Auditor` stands in for the `evidence` of a check. The check draws, computes and bounds as ever, so that
nothing of it is written twice; what it would assert is recorded in the words *agrees* and *deviates*.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from reports.describing import describe
from reports.evidence import Audit, AuditKind, Exact, Measurement, Statistical
from reports.fixture import Evidence, share_of
from reports.recorder import Recorder


@dataclass(slots=True)
class Tally:
    """The worst case of one quantity, and how many points and cases stand behind it."""

    used: float = -1.0
    worst: str = ""
    record: Measurement | None = None
    points: int = 0
    cases: int = 0


class Auditor(Evidence):
    """Evidence about something that is not ours: a measurement beyond its bound is a finding.

    Args:
        recorder: Where the audits are kept.
        subject: Who is asked: a file, a library.
        kind: What kind of thing it is.
        claim: The id of the claim whose checks are asked.
    """

    __slots__ = ("_claim", "_kind", "_subject", "_tallies")

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
        super().__init__(recorder, target, details)
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
        """Record that a computation on the subject ended in an error."""
        self.audit(
            f"{self._claim}: can it be asked? ({what})",
            "deviates",
            expected="an answer",
            measured=f"{type(error).__name__}: {error}",
            because="the computation must end with a result",
            subject=self._subject,
            kind=self._kind,
        )

    def _record(
        self, record: Measurement, points: int, index: tuple[int, ...], shape: tuple[int, ...]
    ) -> None:
        tally = self._tallies.setdefault(record.quantity, Tally())
        tally.points += points
        tally.cases += 1
        used = share_of(record)
        if used > tally.used or tally.record is None:
            tally.used, tally.record = used, record
            tally.worst = describe(None, self._details, index, shape)
        if not self.recorder.frozen:
            audit = self._audit_of(record.quantity, tally, tally.record)
            self.recorder.audits[self._subject, audit.question, ""] = audit

    def _audit_of(self, quantity: str, tally: Tally, worst: Measurement) -> Audit:
        exact = isinstance(worst, Exact)
        level = f" but for probability {worst.level:.2g}" if isinstance(worst, Statistical) else ""
        seen = f"{tally.points} points in {tally.cases} {'case' if tally.cases == 1 else 'cases'}"
        where = f", worst at {tally.worst}" if tally.worst else ""
        finite = abs(worst.measured) < float("inf")
        return Audit(
            subject=self._subject,
            kind=self._kind,
            question=f"{self._claim}: is {quantity} within its bound?",
            outcome="agrees" if worst.holds else "deviates",
            expected="no exception" if exact else f"at most {worst.bound:.3g}{level}",
            measured=worst.measured if finite else str(worst.measured),
            because=f"{worst.because} ({worst.strength}; {seen}{where})",
            target=self._subject,
        )
