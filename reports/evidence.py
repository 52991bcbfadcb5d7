"""What a check or a control leaves behind: one frozen record type for each strength of evidence.

Strongest first: `Exact`, `Certified`, `Bounded`, `Statistical`, `Trend`. A `Control` is a deliberate
violation that fails by a predicted amount. An `Audit` describes something that is not ours (a library,
a user's data, an equation as printed) and decides nothing. Records are checked at birth: what cannot be
read by a reviewer, or could not have failed, raises ``ValueError``.
"""

import math
import sys
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, get_args

Strength = Literal["exact", "certified", "bounded", "statistical", "trend"]
STRENGTHS: tuple[Strength, ...] = get_args(Strength)
AuditOutcome = Literal["agrees", "deviates"]
AuditKind = Literal["data", "flow", "library", "equation"]
EPS = sys.float_info.epsilon

Rule = Literal["interval contains theory", "interval lies below theory", "interval lies above theory"]
RULES: tuple[Rule, ...] = get_args(Rule)


def share(measured: float, bound: float) -> float:
    """How much of its bound a measurement uses: 1 is the bound itself, more is beyond it.

    For a positive bound this is measured/bound; for a negative one 1 + (measured − bound)/|bound|; for
    a bound of zero 0 or infinity. A measurement that is not a finite number uses infinitely much.
    """
    if not math.isfinite(measured):
        return math.inf
    if bound > 0:
        return measured / bound
    if bound < 0:
        return 2 - measured / bound
    return 0.0 if measured <= 0 else math.inf


def finite_or_none(number: float | None) -> float | None:
    """The number as report.json writes it: None where it is not finite."""
    return number if number is None or math.isfinite(number) else None


@dataclass(frozen=True, slots=True)
class Exact:
    """Equality in rational or symbolic arithmetic: ``failures`` counts the instances where it fails."""

    strength: ClassVar[Strength] = "exact"
    quantity: str
    domain: str
    failures: int

    def __post_init__(self) -> None:
        _text("quantity", self.quantity)
        _text("domain", self.domain)

    @property
    def measured(self) -> float:
        """The number of instances in which the identity fails."""
        return float(self.failures)

    @property
    def bound(self) -> float:
        """Zero: not one instance may fail."""
        return 0.0

    @property
    def because(self) -> str:
        """The domain on which the identity was proved or checked."""
        return self.domain

    @property
    def holds(self) -> bool:
        """Whether no instance fails."""
        return self.failures == 0


@dataclass(frozen=True, slots=True)
class Certified:
    """measured ≤ bound, where the bound is proved from computed numbers, rounding included."""

    strength: ClassVar[Strength] = "certified"
    quantity: str
    measured: float
    bound: float
    because: str

    def __post_init__(self) -> None:
        _text("quantity", self.quantity)
        _text("because", self.because)
        _finite("bound", self.bound, self.quantity)

    @property
    def holds(self) -> bool:
        """Whether the measurement is a finite number within its bound."""
        return math.isfinite(self.measured) and self.measured <= self.bound


@dataclass(frozen=True, slots=True)
class Bounded:
    """error ≤ multiple · unit roundoff · condition, the condition being a computed number."""

    strength: ClassVar[Strength] = "bounded"
    quantity: str
    measured: float
    condition: float
    multiple: float
    because: str

    def __post_init__(self) -> None:
        _text("quantity", self.quantity)
        _text("because", self.because)
        _finite("bound", self.bound, self.quantity)
        if self.multiple <= 0:
            raise ValueError(f"multiple of {self.quantity!r}: got {self.multiple}, must be positive")
        if self.condition < 0:
            raise ValueError(f"condition of {self.quantity!r}: got {self.condition}, must not be negative")
        if self.measured < 0:
            raise ValueError(
                f"error {self.quantity!r}: got {self.measured}, an error is not negative;"
                " take its absolute value, or np.maximum(error, 0) where only excess is wrong"
            )

    @property
    def bound(self) -> float:
        """The largest error that rounding explains."""
        return self.multiple * EPS * self.condition

    @property
    def holds(self) -> bool:
        """Whether the error is a finite number within its bound."""
        return math.isfinite(self.measured) and self.measured <= self.bound


@dataclass(frozen=True, slots=True)
class Statistical:
    """measured ≤ threshold, which a true claim violates with probability at most ``level``."""

    strength: ClassVar[Strength] = "statistical"
    quantity: str
    measured: float
    threshold: float
    level: float
    because: str

    def __post_init__(self) -> None:
        _text("quantity", self.quantity)
        _text("because", self.because)
        _finite("threshold", self.threshold, self.quantity)
        _level(self.level, self.quantity)

    @property
    def bound(self) -> float:
        """The threshold."""
        return self.threshold

    @property
    def holds(self) -> bool:
        """Whether the measurement is a finite number within the threshold."""
        return math.isfinite(self.measured) and self.measured <= self.threshold


@dataclass(frozen=True, slots=True)
class Trend:
    """A fitted rate and the rule that decides.

    ``"interval contains theory"`` could be met by an interval so wide that it says nothing; so the
    interval must also exclude ``alternative``, the slope that a false claim would show. ``level`` is the
    probability that the interval misses, where it is a confidence interval of random draws.
    """

    strength: ClassVar[Strength] = "trend"
    quantity: str
    slope: float
    interval: tuple[float, float]
    theory: float
    rule: str
    alternative: float = 0.0
    level: float | None = None

    def __post_init__(self) -> None:
        _text("quantity", self.quantity)
        for name in ("theory", "alternative"):
            _finite(name, getattr(self, name), self.quantity)
        if self.level is not None:
            _level(self.level, self.quantity)
        if self.rule not in RULES:
            raise ValueError(f"rule of {self.quantity!r}: got {self.rule!r}, use one of {RULES}")
        if self.rule == "interval contains theory" and self.alternative == self.theory:
            raise ValueError(
                f"alternative of {self.quantity!r}: got {self.alternative}, the theoretical slope itself;"
                " name the slope that a false claim would show"
            )
        low, high = self.interval
        if all(map(math.isfinite, (low, high, self.slope))) and not (
            low <= self.slope <= high and low < high
        ):
            raise ValueError(
                f"interval of {self.quantity!r}: got [{low}, {high}] for slope {self.slope};"
                " it must have a width and contain the fitted slope"
            )

    @property
    def measured(self) -> float:
        """The fitted slope, or NaN where the fit or its interval is not finite."""
        return self.slope if all(map(math.isfinite, self.interval)) else math.nan

    @property
    def bound(self) -> float:
        """The theoretical slope."""
        return self.theory

    @property
    def because(self) -> str:
        """The rule that decides, with the alternative it excludes and the level of the interval."""
        excludes = f" and excludes {self.alternative:g}" if self.rule == "interval contains theory" else ""
        misses = "" if self.level is None else f"; it misses with probability at most {self.level:g}"
        return f"{self.rule}{excludes}{misses}"

    @property
    def holds(self) -> bool:
        """Whether the rule is met by finite numbers."""
        low, high = self.interval
        if not math.isfinite(self.measured):
            return False
        if self.rule == "interval lies below theory":
            return high <= self.theory
        if self.rule == "interval lies above theory":
            return low >= self.theory
        return low <= self.theory <= high and not low <= self.alternative <= high


@dataclass(frozen=True, slots=True)
class Control:
    """A deliberate violation: it must fail by the predicted amount, to within ``agreement``.

    ``intact`` is the value that the quantity would have if nothing were violated (0 for an error, 1 for
    a probability of recovery). Agreement must be too narrow to reach it, or the control proves nothing.
    ``level`` is the probability that a correct prediction disagrees, where the agreement is statistical.
    """

    violation: str
    predicted: float
    measured: float
    agreement: float
    because: str
    intact: float = 0.0
    level: float | None = None

    def __post_init__(self) -> None:
        _text("violation", self.violation)
        _text("because", self.because)
        for name in ("predicted", "agreement", "intact"):
            _finite(name, getattr(self, name), self.violation)
        if self.level is not None:
            _level(self.level, self.violation)
        if self.agreement < 0:
            raise ValueError(f"agreement of {self.violation!r}: got {self.agreement}, must not be negative")
        if not self.agreement < abs(self.predicted - self.intact):
            raise ValueError(
                f"control {self.violation!r} could pass without any violation: predicted {self.predicted}"
                f" within agreement {self.agreement} of the intact value {self.intact};"
                " narrow the agreement or choose a stronger violation"
            )

    @property
    def holds(self) -> bool:
        """Whether it was rejected as predicted."""
        return math.isfinite(self.measured) and abs(self.measured - self.predicted) <= self.agreement


@dataclass(frozen=True, slots=True)
class Audit:
    """What something that is not ours does, in its own words; it has no effect on any verdict."""

    subject: str
    kind: AuditKind
    question: str
    outcome: AuditOutcome
    expected: float | str
    measured: float | str
    because: str
    target: str = ""

    def __post_init__(self) -> None:
        for name in ("subject", "question", "because"):
            _text(name, getattr(self, name))
        if self.outcome not in get_args(AuditOutcome):
            raise ValueError(
                f"outcome of {self.question!r}: got {self.outcome!r}, use 'agrees' or 'deviates'"
            )
        if self.kind not in get_args(AuditKind):
            raise ValueError(
                f"kind of {self.question!r}: got {self.kind!r}, use one of {get_args(AuditKind)}"
            )


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers or words shown beside a claim, one tuple a row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[float | int | str | None, ...], ...]

    def __post_init__(self) -> None:
        _text("title", self.title)
        if not self.columns or not self.rows:
            raise ValueError(f"table {self.title!r} is empty")
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"table {self.title!r}, row {number}: {len(row)} cells for {len(self.columns)} columns"
                )


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawn figure: ``alt`` says in words what it shows; ``data`` are the bytes of the image."""

    title: str
    alt: str
    format: Literal["svg", "png"]
    data: bytes

    def __post_init__(self) -> None:
        _text("title", self.title)
        _text("alt", self.alt)


Measurement: TypeAlias = Exact | Certified | Bounded | Statistical | Trend


def _text(name: str, value: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name}: got {value!r}, must be a non-empty sentence or name")


def _finite(name: str, value: float, quantity: str) -> None:
    if not math.isfinite(value):
        raise ValueError(f"{name} of {quantity!r}: got {value}, must be finite, or nothing could exceed it")


def _level(level: float, quantity: str) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level of {quantity!r}: got {level}, a false-alarm probability lies in (0, 1)")
