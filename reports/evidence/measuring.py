"""The methods that measure: each reduces its arrays to one record, and leaves to others what to do with it.

Every method also takes ``points`` (how many were checked, where it is not the number of entries),
``left_out`` (how many a filter of the check left out), ``at_kinks`` (for how many of the points the formula
is set-valued and both sides were compared), ``chosen`` (what is a convention in it: a threshold, a count, a
margin), ``clause`` (the clause of the claim that it checks) and ``kind`` (see `KINDS` in
`reports.evidence.basis`). Counts add up over the draws and are shown in the report.
"""

from abc import ABC, abstractmethod
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from reports.evidence.basis import Basis, BasisFields, StatedRounding
from reports.evidence.record import Record
from reports.evidence.records import Bounded, Certified, Estimated, Exact, Statistical, Trend
from reports.evidence.reduction import Floats, broadcast, floats, place_of, truths, worst_entry


class Measuring(ABC):
    """Measurements of every strength; a subclass says what becomes of a record."""

    __slots__ = ()

    @abstractmethod
    def _record(self, record: Record, basis: Basis, index: tuple[int, ...], shape: tuple[int, ...]) -> None:
        """Keep a record: the worst entry of an array of this shape, at this index."""

    def exact(
        self,
        quantity: str,
        holds: object,
        domain: str,
        **basis: Unpack[BasisFields],
    ) -> None:
        """An identity in rational or symbolic arithmetic, without tolerance.

        Args:
            quantity: The identity.
            holds: Whether it holds: a boolean or an array of them, one an instance.
            domain: What it was proved or checked on.
            **basis: ``points``, ``left_out``, ``at_kinks`` and ``chosen``, as above.
        """
        array = truths(holds, quantity)
        failures = int(array.size - np.count_nonzero(array))
        record = Exact(quantity, domain, failures)
        self._record(record, Basis.of(quantity, array.size, basis), place_of(array, np.argmin), array.shape)

    def certified(
        self,
        quantity: str,
        measured: ArrayLike,
        bound: ArrayLike,
        because: str,
        **basis: Unpack[BasisFields],
    ) -> None:
        """Assert measured ≤ bound, which is proved.

        The proof is rational or interval arithmetic, or an inequality with every rounding counted, those of
        ``measured`` and ``bound`` as computed too. Where the library's own `Rounding` is added to a proved
        main term, use `bounded`; where a part is found by two resolutions or holds in a limit, `estimated`.

        Args:
            quantity: What is measured.
            measured: One number or an array of them.
            bound: One number, or one for each measurement.
            because: Why the bound is the bound.
            **basis: ``points``, ``left_out``, ``at_kinks`` and ``chosen``, as above.
        """
        m, b = self._pair(quantity, measured, bound)
        place = worst_entry(m, b).index
        self._record(
            Certified(quantity, float(m[place]), float(b[place]), because),
            Basis.of(quantity, m.size, basis),
            place,
            m.shape,
        )

    def bounded(
        self,
        quantity: str,
        measured: ArrayLike,
        rounding: StatedRounding,
        because: str,
        *,
        main: ArrayLike = 0.0,
        **basis: Unpack[BasisFields],
    ) -> None:
        """Assert measured ≤ main + rounding.bound.

        Entry by entry. Whatever else rounds on the way (the sum itself, where the main term is large; a z
        that the check forms) belongs into the rounding: roundings add up, and a map amplifies them.

        Args:
            quantity: What is measured.
            measured: One number or an array of them; an error, not negative, where ``main`` is 0.
            rounding: What the library states that it errs by: a `numerics.accuracy.Rounding`, or anything
                with its ``bound`` (one, or one for each measurement), ``count`` and ``because``.
            because: Why main term and rounding bound the measurement.
            main: The proved main term: one number, or one for each measurement.
            **basis: ``points``, ``left_out``, ``at_kinks`` and ``chosen``, as above.
        """
        m, r, a = broadcast(
            quantity,
            measured=floats("measured", measured, quantity),
            rounding=floats("rounding", rounding.bound, quantity),
            main=floats("main", main, quantity),
        )
        all_finite("main", a, quantity)
        all_finite("rounding", r, quantity)
        wrong = ((m < 0) & (a == 0)) | (r < 0)
        place = place_of(wrong, np.argmax) if wrong.any() else worst_entry(m, a + r).index
        record = Bounded(
            quantity,
            float(m[place]),
            float(r[place]),
            because,
            rounding.because,
            float(rounding.count),
            float(a[place]),
        )
        self._record(record, Basis.of(quantity, m.size, basis), place, m.shape)

    def estimated(
        self,
        quantity: str,
        measured: ArrayLike,
        bound: ArrayLike,
        by: str,
        because: str,
        **basis: Unpack[BasisFields],
    ) -> None:
        """Assert measured ≤ bound, where a part of the bound is estimated.

        Args:
            quantity: What is measured.
            measured: One number or an array of them.
            bound: One number, or one for each measurement.
            by: By what it was estimated: two resolutions, two tolerances, an asymptotic remainder.
            because: Why the bound is the bound, if the estimate is right.
            **basis: ``points``, ``left_out``, ``at_kinks`` and ``chosen``, as above.
        """
        m, b = self._pair(quantity, measured, bound)
        place = worst_entry(m, b).index
        record = Estimated(quantity, float(m[place]), float(b[place]), by, because)
        self._record(record, Basis.of(quantity, m.size, basis), place, m.shape)

    def statistical(
        self,
        quantity: str,
        measured: ArrayLike,
        threshold: ArrayLike,
        level: float,
        because: str,
        **basis: Unpack[BasisFields],
    ) -> None:
        """Assert measured ≤ threshold, which a true claim violates with probability at most ``level``.

        Or, where ``because`` says *demonstration*: which a false claim meets with that probability at most.

        Args:
            quantity: What is measured.
            measured: One number or an array of them.
            threshold: One number, or one for each measurement.
            level: That probability for this call, all its entries together. Every call adds
                its level to the run's, which must stay below 1e-6.
            because: The inequality or test behind threshold and level.
            **basis: ``points``, ``left_out``, ``at_kinks`` and ``chosen``, as above.
        """
        m, b = self._pair(quantity, measured, threshold, "threshold")
        place = worst_entry(m, b).index
        record = Statistical(quantity, float(m[place]), float(b[place]), float(level), because)
        self._record(record, Basis.of(quantity, m.size, basis), place, m.shape)

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
        **basis: Unpack[BasisFields],
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
                interval of random draws: under a one-sided rule that of accepting a false claim. Every call
                adds its level to the run's.
            **basis: ``points`` (how many were fitted), ``left_out`` and ``chosen``, as above.
        """
        low, high = (float(end) for end in interval)
        record = Trend(quantity, float(slope), (low, high), float(theory), rule, float(alternative), level)
        self._record(record, Basis.of(quantity, 1, basis), (), ())

    def _pair(
        self, quantity: str, measured: ArrayLike, bound: ArrayLike, name: str = "bound"
    ) -> tuple[Floats, Floats]:
        m, b = broadcast(
            quantity,
            **{"measured": floats("measured", measured, quantity), name: floats(name, bound, quantity)},
        )
        all_finite(name, b, quantity)
        return m, b


def all_finite(name: str, array: Floats, quantity: str) -> None:
    """Refuse an array with an entry that is not finite."""
    if not np.isfinite(array).all():
        raise ValueError(f"{name} of {quantity!r}: got {array[~np.isfinite(array)][0]}, must be finite")
