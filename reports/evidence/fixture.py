"""The `evidence` fixture: one call records a measurement and asserts it.

A check reads as the sentence it checks: draw, compute, one line of evidence::

    on = evidence.on(target, schedule=schedule, t=t)
    on.bounded("|prox − x₁|", error, target.roundings.prox(z, step), because="...")

`reports.evidence.measuring` has the methods that measure.
"""

from collections.abc import Callable, Mapping
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from reports.evidence.auditor import Auditor
from reports.evidence.basis import Basis, BasisFields
from reports.evidence.describing import describe
from reports.evidence.exhibits import AuditKind, Control
from reports.evidence.measuring import Measuring, all_finite
from reports.evidence.record import Record
from reports.evidence.recorder import Recorder
from reports.evidence.reduction import broadcast, floats, place_of, worst_entry
from reports.evidence.showing import Showing


class BeyondBoundError(AssertionError):
    """A measurement is beyond its bound: the claim is refuted."""


class NotRejectedAsPredictedError(AssertionError):
    """A control did not fail by the amount predicted: the suite does not see what it should."""


class Evidence(Showing, Measuring):
    """Records what a test measures. Every method that measures raises when the measurement is bad."""

    __slots__ = ("_details",)

    def __init__(
        self, recorder: Recorder, target: object = None, details: Mapping[str, object] | None = None
    ):
        super().__init__(recorder, target)
        self._details = details or {}

    def __repr__(self) -> str:
        return "evidence"

    def on(self, target: object, **details: object) -> "Evidence":
        """The same record keeper, bound to a target.

        Args:
            target: What is measured: an object whose ``repr`` is a constructor call, or a name.
            **details: What else describes the case (``schedule=…``, ``t=…``). An array with one value
                a point is reduced to the value at the worst point.
        """
        return Evidence(self.recorder, target, details)

    def control(
        self,
        violation: str,
        predicted: ArrayLike,
        measured: ArrayLike,
        agreement: ArrayLike,
        because: str,
        *,
        intact: ArrayLike = 0.0,
        level: float | None = None,
        **basis: Unpack[BasisFields],
    ) -> None:
        """A deliberate violation that must fail by the amount predicted.

        Args:
            violation: What is violated.
            predicted: The failure that theory predicts: one number or an array.
            measured: The failure found.
            agreement: How far the two may be apart, narrower than predicted is from ``intact``.
            because: Why this prediction and this agreement.
            intact: The value if nothing were violated: 0 for an error, 1 for a probability of recovery.
            level: The probability that a correct prediction disagrees, where agreement is statistical.
            **basis: ``points``, ``left_out``, ``at_kinks`` and ``chosen``, as above.
        """
        p, m, a, i = broadcast(
            violation,
            predicted=floats("predicted", predicted, violation),
            measured=floats("measured", measured, violation),
            agreement=floats("agreement", agreement, violation),
            intact=floats("intact", intact, violation),
        )
        for name, array in (("predicted", p), ("agreement", a), ("intact", i)):
            all_finite(name, array, violation)
        vacuous = ~(a < np.abs(p - i)) | (a < 0)
        place = place_of(vacuous, np.argmax) if vacuous.any() else worst_entry(np.abs(m - p), a).index
        predicts, found, apart, whole = (float(array[place]) for array in (p, m, a, i))
        record = Control(violation, predicts, found, apart, because, whole, level)
        self.recorder.add_control(
            record, self._family(), Basis.of(violation, p.size, basis), self._describer(place, p.shape)
        )
        if not record.holds:
            raise NotRejectedAsPredictedError(
                f"control {violation!r} was not rejected as predicted\n"
                f"  predicted  {record.predicted!r}\n  measured   {record.measured!r}\n"
                f"  agreement  {record.agreement!r}, because {because}\n"
                f"  target     {self._describer(place, p.shape)() or '(not named)'}"
            )

    def auditing(self, subject: str, claim: str, kind: AuditKind = "data") -> Auditor:
        """What takes the place of `evidence` in a check that is asked of something not ours.

        Args:
            subject: Who is asked: a file, a library.
            claim: The id of the claim that the check belongs to.
            kind: ``"data"``, ``"flow"``, ``"library"`` or ``"equation"``.
        """
        return Auditor(self.recorder, subject, kind, claim)

    def _record(self, record: Record, basis: Basis, index: tuple[int, ...], shape: tuple[int, ...]) -> None:
        describe = self._describer(index, shape)
        self.recorder.add(record, self._family(), basis, describe)
        if not record.holds:
            raise BeyondBoundError(
                f"{record.quantity} is beyond its bound ({record.strength})\n"
                f"  measured  {record.measured!r}\n  bound     {record.bound!r}\n"
                f"  because   {record.because}\n  target    {describe() or '(not named)'}"
            )

    def _describer(self, index: tuple[int, ...], shape: tuple[int, ...]) -> Callable[[], str]:
        return lambda: describe(self._target, self._details, index, shape)
