"""What a check leaves behind: one frozen record type for each strength of evidence.

Strongest first: `Exact`, `Certified`, `Bounded`, `Estimated`, `Statistical`, `Trend`, as `RECORDS` lists
them. A record answers for its own strength: whether it `holds`, the `share` of its bound that it uses, the
`risk` it spends, and the `parts` of the report that it alone fills; nobody else asks of
which type it is. Records are checked at birth: what cannot be read by a reviewer, or could not have failed,
raises ``ValueError``. A threshold, count or margin that is a convention is said in ``chosen``.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from reports.evidence.basis import Kind
from reports.evidence.birth import finite, not_negative, probability, text
from reports.evidence.record import Record, finite_or_none

Rule = Literal["interval contains theory", "interval lies below theory", "interval lies above theory"]
RULES: tuple[Rule, ...] = get_args(Rule)


@dataclass(frozen=True, slots=True)
class Exact(Record):
    """Equality in rational or symbolic arithmetic: ``failures`` counts the instances where it fails."""

    strength: ClassVar[str] = "exact"
    meaning: ClassVar[str] = "rational or symbolic arithmetic: equality, no tolerance"
    parts: ClassVar[tuple[str, ...]] = ("failures",)
    quantity: str
    domain: str
    failures: int

    def __post_init__(self) -> None:
        text("domain", self.domain)
        self._check()

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
    def kind(self) -> Kind:
        """A count of failures."""
        return "count"

    @property
    def share(self) -> None:
        """None: no instance may fail, and there is no part of that."""
        return

    @property
    def expected(self) -> str:
        """What was expected, in words."""
        return "no exception"


@dataclass(frozen=True, slots=True)
class Certified(Record):
    """measured ≤ bound, proved: by rational or interval arithmetic, or with every rounding counted."""

    strength: ClassVar[str] = "certified"
    meaning: ClassVar[str] = (
        "proved: by interval or rational arithmetic, or by an inequality with every rounding counted"
    )
    quantity: str
    measured: float
    bound: float
    because: str

    def __post_init__(self) -> None:
        self._check()


@dataclass(frozen=True, slots=True)
class Bounded(Record):
    """measured ≤ main + rounding: a proved main term, and what the numbers err by.

    The rounding is what the library states for itself (`numerics.accuracy.Rounding`): its bound, how many
    roundings it counts, and where they come from. Where the main term is 0, what is measured is an error,
    and an error is not negative.
    """

    strength: ClassVar[str] = "bounded"
    meaning: ClassVar[str] = (
        "a proved main term plus the rounding that the library states for itself; both are shown"
    )
    parts: ClassVar[tuple[str, ...]] = ("main", "rounding", "rounding_count", "rounding_because")
    quantity: str
    measured: float
    rounding: float
    because: str
    rounding_because: str
    rounding_count: float
    main: float = 0.0

    def __post_init__(self) -> None:
        finite("main", self.main, self.quantity)
        text("because of the rounding", self.rounding_because)
        not_negative("rounding", self.rounding, self.quantity)
        not_negative("count of the rounding", self.rounding_count, self.quantity)
        self._check()
        if self.main == 0 and self.measured < 0:
            raise ValueError(
                f"error {self.quantity!r}: got {self.measured}, an error is not negative;"
                " take its absolute value, or np.maximum(error, 0) where only excess is wrong"
            )

    @property
    def bound(self) -> float:
        """The main term and the largest error that rounding explains."""
        return self.main + self.rounding

    @property
    def kind(self) -> Kind:
        """An error where rounding is the larger part of the bound; an inequality where the main term is."""
        return "error" if abs(self.main) <= self.rounding else "inequality"


@dataclass(frozen=True, slots=True)
class Estimated(Record):
    """measured ≤ bound, where a part of the bound is estimated; ``by`` says by what."""

    strength: ClassVar[str] = "estimated"
    meaning: ClassVar[str] = (
        "a part of the bound is estimated, not proved: by two resolutions or tolerances, or as an"
        " asymptotic remainder; it says by what"
    )
    parts: ClassVar[tuple[str, ...]] = ("by",)
    quantity: str
    measured: float
    bound: float
    by: str
    because: str

    def __post_init__(self) -> None:
        text("by", self.by)
        self._check()


@dataclass(frozen=True, slots=True)
class Statistical(Record):
    """measured ≤ threshold, which a true claim violates with probability at most ``level``.

    Or, of a *demonstration*, which a false claim meets with that probability at most.
    """

    strength: ClassVar[str] = "statistical"
    meaning: ClassVar[str] = (
        "a confidence statement with its level: the probability of a false alarm or, where it says"
        " *demonstration*, of accepting what is false; a run's levels sum to less than 1e−6"
    )
    parts: ClassVar[tuple[str, ...]] = ("level",)
    quantity: str
    measured: float
    threshold: float
    level: float
    because: str

    def __post_init__(self) -> None:
        finite("threshold", self.threshold, self.quantity)
        probability(self.level, self.quantity)
        self._check()

    @property
    def bound(self) -> float:
        """The threshold."""
        return self.threshold

    @property
    def risk(self) -> float:
        """Its level."""
        return self.level

    @property
    def expected(self) -> str:
        """What was expected, in words."""
        return f"at most {self.bound:.3g} but for probability {self.level:.2g}"


@dataclass(frozen=True, slots=True)
class Trend(Record):
    """A fitted rate and the rule that decides.

    ``"interval contains theory"`` could be met by an interval so wide that it says nothing; so the
    interval must also exclude ``alternative``, the slope that a false claim would show. ``level`` is the
    probability that the interval misses, where it is a confidence interval of random draws. Under a one-sided
    rule that is the probability that a false claim meets it, not that of a false alarm: the record says
    *demonstration*.
    """

    strength: ClassVar[str] = "trend"
    meaning: ClassVar[str] = "a fitted rate with its interval and the rule that decides"
    parts: ClassVar[tuple[str, ...]] = ("interval",)
    quantity: str
    slope: float
    ends: tuple[float, float]
    theory: float
    rule: str
    alternative: float = 0.0
    level: float | None = None

    def __post_init__(self) -> None:
        for name in ("theory", "alternative"):
            finite(name, getattr(self, name), self.quantity)
        if self.level is not None:
            probability(self.level, self.quantity)
        if self.rule not in RULES:
            raise ValueError(f"rule of {self.quantity!r}: got {self.rule!r}, use one of {RULES}")
        if self.rule == "interval contains theory" and self.alternative == self.theory:
            raise ValueError(
                f"alternative of {self.quantity!r}: got {self.alternative}, the theoretical slope itself;"
                " name the slope that a false claim would show"
            )
        low, high = self.ends
        if all(map(math.isfinite, (low, high, self.slope))) and not (
            low <= self.slope <= high and low < high
        ):
            raise ValueError(
                f"interval of {self.quantity!r}: got [{low}, {high}] for slope {self.slope};"
                " it must have a width and contain the fitted slope"
            )
        self._check()

    @property
    def interval(self) -> list[float | None]:
        """The ends of its interval as report.json lists them."""
        return [finite_or_none(end) for end in self.ends]

    @property
    def measured(self) -> float:
        """The fitted slope, or NaN where the fit or its interval is not finite."""
        return self.slope if all(map(math.isfinite, self.ends)) else math.nan

    @property
    def bound(self) -> float:
        """The theoretical slope."""
        return self.theory

    @property
    def because(self) -> str:
        """The rule that decides, with the alternative it excludes and what the level of the interval says."""
        two_sided = self.rule == "interval contains theory"
        words = f"{self.rule} and excludes {self.alternative:g}" if two_sided else self.rule
        if self.level is None:
            return words
        says = "it misses" if two_sided else "a demonstration: a false claim meets that"
        return f"{words}; {says} with probability at most {self.level:g}"

    @property
    def holds(self) -> bool:
        """Whether the rule is met by finite numbers."""
        low, high = self.ends
        if not math.isfinite(self.measured):
            return False
        if self.rule == "interval lies below theory":
            return high <= self.theory
        if self.rule == "interval lies above theory":
            return low >= self.theory
        return low <= self.theory <= high and not low <= self.alternative <= high

    @property
    def kind(self) -> Kind:
        """A rate."""
        return "rate"

    @property
    def share(self) -> None:
        """None: the theoretical slope is no one-sided bound."""
        return

    @property
    def risk(self) -> float:
        """The probability that the interval misses; 0 where nothing is random."""
        return self.level or 0.0

    @property
    def expected(self) -> str:
        """What was expected, in words."""
        return f"a slope of {self.theory:.3g} ({self.because})"


RECORDS: tuple[type[Record], ...] = (Exact, Certified, Bounded, Estimated, Statistical, Trend)
STRENGTHS = tuple(record.strength for record in RECORDS)
PARTS = tuple(part for record in RECORDS for part in record.parts)
