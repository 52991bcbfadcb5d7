"""The `evidence` fixture: one call records a measurement and asserts it.

A check reads as the sentence it checks: draw, compute, one line of evidence::

    on = evidence.on(target, schedule=schedule, t=t)
    on.bounded("|prox − x₁|", error, condition=condition, multiple=64, because="...")
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from reports.describing import describe, plain
from reports.evidence import (
    EPS,
    Audit,
    AuditKind,
    AuditOutcome,
    Bounded,
    Certified,
    Control,
    Exact,
    Measurement,
    Statistical,
    Table,
    Trend,
    share,
)
from reports.recorder import Recorder
from reports.reduction import broadcast, floats, truths, worst_entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from reports.auditor import Auditor


class BeyondBoundError(AssertionError):
    """A measurement is beyond its bound: the claim is refuted."""


class NotRejectedAsPredictedError(AssertionError):
    """A control did not fail by the amount predicted: the suite does not see what it should."""


class Evidence:
    """Records what a test measures. Every method that measures raises when the measurement is bad.

    Attributes:
        recorder: Where the records are kept.
    """

    __slots__ = ("_details", "_target", "recorder")

    def __init__(
        self, recorder: Recorder, target: object = None, details: Mapping[str, object] | None = None
    ):
        self.recorder = recorder
        self._target = target
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

    def exact(self, quantity: str, holds: object, domain: str) -> None:
        """An identity in rational or symbolic arithmetic, without tolerance.

        Args:
            quantity: The identity.
            holds: Whether it holds: a boolean or an array of them, one an instance.
            domain: What it was proved or checked on.
        """
        array = truths(holds, quantity)
        failures = int(array.size - np.count_nonzero(array))
        index = np.unravel_index(int(np.argmin(array)), array.shape) if array.ndim else ()
        self._record(Exact(quantity, domain, failures), array.size, tuple(map(int, index)), array.shape)

    def certified(
        self, quantity: str, measured: ArrayLike, bound: ArrayLike, because: str, *, points: int | None = None
    ) -> None:
        """Assert measured ≤ bound, where the bound is proved from computed numbers, rounding included.

        Args:
            quantity: What is measured.
            measured: One number or an array of them.
            bound: One number, or one for each measurement.
            because: Why the bound is the bound.
            points: How many points were checked, where it is not the number of entries.
        """
        m, b = broadcast(
            quantity, measured=floats("measured", measured, quantity), bound=floats("bound", bound, quantity)
        )
        _all_finite("bound", b, quantity)
        worst = worst_entry(m, b)
        record = Certified(quantity, float(m[worst.index]), float(b[worst.index]), because)
        self._record(record, worst.points if points is None else points, worst.index, m.shape)

    def bounded(
        self,
        quantity: str,
        measured: ArrayLike,
        condition: ArrayLike,
        multiple: float,
        because: str,
        *,
        points: int | None = None,
    ) -> None:
        """Assert error ≤ multiple · eps · condition, entry by entry.

        Args:
            quantity: What is measured.
            measured: One error or an array of them, none negative.
            condition: The condition number, with the scale of the result in it: one, or one an error.
            multiple: How many roundings there are, at most.
            because: Why this multiple of this condition.
            points: How many points were checked, where it is not the number of entries.
        """
        m, c = broadcast(
            quantity,
            measured=floats("measured", measured, quantity),
            condition=floats("condition", condition, quantity),
        )
        _all_finite("condition", c, quantity)
        if (m < 0).any() or (c < 0).any():
            negative = m if (m < 0).any() else c
            place = tuple(int(i) for i in np.unravel_index(int(np.argmin(negative)), m.shape))
        else:
            place = worst_entry(m, multiple * EPS * c).index
        record = Bounded(quantity, float(m[place]), float(c[place]), float(multiple), because)
        self._record(record, m.size if points is None else points, place, m.shape)

    def statistical(
        self,
        quantity: str,
        measured: ArrayLike,
        threshold: ArrayLike,
        level: float,
        because: str,
        *,
        points: int | None = None,
    ) -> None:
        """Assert measured ≤ threshold, which a true claim violates with probability at most ``level``.

        Args:
            quantity: What is measured.
            measured: One number or an array of them.
            threshold: One number, or one for each measurement.
            level: The false-alarm probability of this call, all its entries together. Every call adds
                its level to the run's, which must stay below 1e-6.
            because: The inequality or test behind threshold and level.
            points: How many points were checked, where it is not the number of entries.
        """
        m, b = broadcast(
            quantity,
            measured=floats("measured", measured, quantity),
            threshold=floats("threshold", threshold, quantity),
        )
        _all_finite("threshold", b, quantity)
        worst = worst_entry(m, b)
        record = Statistical(quantity, float(m[worst.index]), float(b[worst.index]), float(level), because)
        self._record(record, worst.points if points is None else points, worst.index, m.shape)

    def trend(
        self,
        quantity: str,
        slope: float,
        interval: tuple[float, float],
        theory: float,
        rule: str,
        *,
        alternative: float = 0.0,
        level: float | None = None,
        points: int = 1,
    ) -> None:
        """A fitted rate.

        Args:
            quantity: What is fitted against what.
            slope: The fitted slope.
            interval: Its confidence interval.
            theory: The theoretical slope.
            rule: ``"interval contains theory"``, ``"interval lies below theory"`` or
                ``"interval lies above theory"``.
            alternative: The slope a false claim would show; an interval that contains the theory must
                exclude it. Must be named where the theory is 0.
            level: The probability that the interval misses the true slope, where it is a confidence
                interval of random draws. Every call adds its level to the run's.
            points: How many points were fitted.
        """
        low, high = (float(end) for end in interval)
        record = Trend(quantity, float(slope), (low, high), float(theory), rule, float(alternative), level)
        self._record(record, points, (), ())

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
        points: int | None = None,
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
            points: How many points were checked, where it is not the number of entries.
        """
        p, m, a, i = broadcast(
            violation,
            predicted=floats("predicted", predicted, violation),
            measured=floats("measured", measured, violation),
            agreement=floats("agreement", agreement, violation),
            intact=floats("intact", intact, violation),
        )
        for name, array in (("predicted", p), ("agreement", a), ("intact", i)):
            _all_finite(name, array, violation)
        vacuous = ~(a < np.abs(p - i)) | (a < 0)
        if vacuous.any():
            place = tuple(int(k) for k in np.unravel_index(int(np.argmax(vacuous)), p.shape))
        else:
            place = worst_entry(np.abs(m - p), a).index
        record = Control(
            violation, float(p[place]), float(m[place]), float(a[place]), because, float(i[place]), level
        )
        used = share(abs(record.measured - record.predicted), record.agreement)
        count = p.size if points is None else points
        self.recorder.add_control(record, self._family(), count, used, self._describer(place, p.shape))
        if not record.holds:
            raise NotRejectedAsPredictedError(
                f"control {violation!r} was not rejected as predicted\n"
                f"  predicted  {record.predicted!r}\n  measured   {record.measured!r}\n"
                f"  agreement  {record.agreement!r}, because {because}\n"
                f"  target     {self._describer(place, p.shape)() or '(not named)'}"
            )

    def audit(
        self,
        question: str,
        outcome: AuditOutcome,
        expected: float | str,
        measured: float | str,
        because: str,
        *,
        subject: str = "",
        kind: AuditKind = "library",
    ) -> None:
        """What something that is not ours does; it decides nothing.

        Args:
            question: What was asked.
            outcome: ``"agrees"`` or ``"deviates"``.
            expected: What theory expects, a number or words.
            measured: What was found.
            because: Why that is expected.
            subject: Who was asked: a library, a file, an equation; the target's name if left out.
            kind: ``"data"``, ``"flow"``, ``"library"`` or ``"equation"``.
        """
        family = self._family()
        record = Audit(
            subject or family, kind, question, outcome, plain(expected), plain(measured), because, family
        )
        if not self.recorder.frozen:
            self.recorder.audits[record.subject, question, family] = record

    def auditing(self, subject: str, claim: str, kind: AuditKind = "data") -> "Auditor":
        """What takes the place of `evidence` in a check that is asked of something not ours.

        Args:
            subject: Who is asked: a file, a library.
            claim: The id of the claim that the check belongs to.
            kind: ``"data"``, ``"flow"``, ``"library"`` or ``"equation"``.
        """
        from reports.auditor import Auditor

        return Auditor(self.recorder, subject, kind, claim)

    def table(self, title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
        """A table shown with the claim. The first table of a title is kept."""
        if title not in self.recorder.tables and not self.recorder.frozen:
            cells = tuple(tuple(plain(cell) for cell in row) for row in rows)
            self.recorder.tables[title] = Table(title, tuple(columns), cells)

    def figure(
        self,
        title: str,
        alt: str,
        draw: Callable[["Figure"], object],
        *,
        size: tuple[float, float] = (6.4, 3.6),
        format: Literal["svg", "png"] = "svg",  # noqa: A002
    ) -> None:
        """A figure shown with the claim, drawn only when a report is written. The first of a title is kept.

        Args:
            title: Its caption.
            alt: What it shows, in words, for those who do not see it.
            draw: Called with an empty Matplotlib figure of constrained layout, on which it draws.
            size: Width and height in inches.
            format: ``"png"`` where an SVG would be large (images, many thousand points).
        """
        if self.recorder.frozen or not self.recorder.wants_figures or title in self.recorder.figures:
            return
        from reports.drawing import render

        self.recorder.figures[title] = render(title, alt, draw, size, format)

    def _record(
        self, record: Measurement, points: int, index: tuple[int, ...], shape: tuple[int, ...]
    ) -> None:
        if points < 1:
            raise ValueError(f"points of {record.quantity!r}: got {points}, a check must check something")
        describe = self._describer(index, shape)
        self.recorder.add(record, self._family(), points, share_of(record), describe)
        if not record.holds:
            raise BeyondBoundError(
                f"{record.quantity} is beyond its bound ({record.strength})\n"
                f"  measured  {record.measured!r}\n  bound     {record.bound!r}\n"
                f"  because   {record.because}\n  target    {describe() or '(not named)'}"
            )

    def _family(self) -> str:
        if self._target is None:
            return ""
        return self._target if isinstance(self._target, str) else type(self._target).__name__

    def _describer(self, index: tuple[int, ...], shape: tuple[int, ...]) -> Callable[[], str]:
        return lambda: describe(self._target, self._details, index, shape)


def share_of(record: Measurement) -> float:
    """How much of its bound a record uses; for a trend, 0 if it holds, as it has no one-sided bound."""
    if not record.holds:
        return float("inf") if isinstance(record, Trend) else max(share(record.measured, record.bound), 1.0)
    return 0.0 if isinstance(record, Trend) else share(record.measured, record.bound)


def _all_finite(name: str, array: np.ndarray[Any, np.dtype[np.float64]], quantity: str) -> None:
    if not np.isfinite(array).all():
        raise ValueError(f"{name} of {quantity!r}: got {array[~np.isfinite(array)][0]}, must be finite")
