r"""What numbers err by: the unit roundoff, and a rounding error as a value with its rules.

Every statement about accuracy in this library is a `Rounding`: a bound on |computed − exact| for the exact
function of the very doubles that went in. It is either proved beforehand, as so many roundings of quantities
of a known size, or read off the answer afterwards (`Rounding.measured`, a certificate).

The standard model [@higham2002accuracy]: an operation on doubles errs by at most u = eps/2 relatively, and n
of them in a row by at most $γ_n = nu/(1-nu)$.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

__all__ = ["COMPLEX", "EPS", "UNIT", "Rounding", "spread_over"]

EPS = float(np.finfo(np.float64).eps)
UNIT = EPS / 2
COMPLEX = 4.0
"""Real operations in a complex one: by so much more than stated ones may complex steps round."""


@dataclass(frozen=True)
class Rounding:
    """A bound on a rounding error: ``count`` roundings of quantities of absolute size ``size``.

    Attributes:
        size: (n,) or a number, ≥ 0: absolute size of what is rounded, in the unit of the result.
        count: How many roundings of that size there are at most; not necessarily an integer.
        because: Where they come from, in words.

    Raises:
        ValueError: If a size or the count is no real number, or negative or NaN, or the reason is no text or
            empty.

    Example:
        >>> bool(3 * EPS <= Rounding(2.0, 3, "three products").bound <= 3.01 * EPS)
        True
    """

    size: Any  # a number or an array; kept as a float64 array
    count: int | float
    because: str

    def __post_init__(self) -> None:
        if not isinstance(self.because, str) or not self.because.strip():
            raise ValueError(f"because of a rounding: got {self.because!r}; say where they come from")
        size, count = _numbers("size", self.because, self.size), self.count
        plain = type(count) in (int, float)  # as most are
        many = not plain and _numbers("count", self.because, count).ndim
        if not (size >= 0).all():  # nor is NaN
            bad = size[np.isnan(size) | (size < 0)].flat[0]
            raise ValueError(f"size of a rounding ({self.because}): got {bad}; it must be 0 or more")
        if many or not 0 <= count < 0.5 / UNIT:
            raise ValueError(f"count of a rounding ({self.because}): got {self.count}; need 0 to 2**52")
        object.__setattr__(self, "size", size)

    @classmethod
    def measured(cls, bound: ArrayLike, because: str) -> "Rounding":
        """An a-posteriori statement: ``bound`` (n,) on the error, from a certificate of the answer itself."""
        return cls(np.asarray(bound, dtype=float) * ((1 - UNIT) / UNIT), 1, because)

    @classmethod
    def none(cls, because: str = "no operation rounds") -> "Rounding":
        """The rounding of what is exact."""
        return cls(np.float64(0.0), 0.0, because)

    @property
    def bound(self) -> Float[np.ndarray, "*n"]:
        """γ_count·size, with γ_n = nu/(1 − nu), and 8 eps of itself for its own roundings."""
        return np.asarray(self.size * (self.count * UNIT / (1 - self.count * UNIT) * (1 + 8 * EPS)))

    def __add__(self, other: "Rounding") -> "Rounding":
        """Both errors: the bounds add (and γ_m a + γ_n b ≤ γ_{m+n}(ma + nb)/(m+n))."""
        if not isinstance(other, Rounding):
            return NotImplemented
        if not other.count:
            return self
        if not self.count:
            return other
        count = self.count + other.count
        size = (self.count * self.size + other.count * other.size) / count
        reasons = dict.fromkeys([*self.because.split("; "), *other.because.split("; ")])
        return Rounding(size, count, "; ".join(reasons))

    def amplified(self, lipschitz: ArrayLike, because: str = "") -> "Rounding":
        """What a map of this Lipschitz constant, scalar or (n,), makes of it; inf beyond all numbers."""
        reason = f"{self.because}; {because}" if because else self.because
        with np.errstate(over="ignore"):
            return Rounding(self.size * np.asarray(lipschitz, dtype=float), self.count, reason)

    def largest(self) -> "Rounding":
        """The worst of a batch, as one number."""
        return Rounding(np.max(self.size, initial=0.0), self.count, self.because)

    def __getitem__(self, rows: Any) -> "Rounding":
        """The statement for some rows of the batch."""
        size = self.size[rows] if self.size.ndim else self.size
        return Rounding(size, self.count, self.because)


def spread_over(roundings: list[tuple[np.ndarray, Rounding]], n: int) -> Rounding:
    """One statement for a batch of n from statements for disjoint sets of its rows.

    Args:
        roundings: Pairs of row indices, 0 to n − 1, and their statement.
        n: The size of the batch.

    Raises:
        ValueError: Unless every row has one statement and no more.

    Example:
        >>> measured = Rounding.measured(1e-9, "a certificate")
        >>> parts = [(np.array([0, 2]), measured), (np.array([1]), Rounding.none())]
        >>> spread_over(parts, 3).bound.round(12).tolist()
        [1e-09, 0.0, 1e-09]
    """
    rows = np.concatenate([np.zeros(0, dtype=int), *(np.asarray(of) for of, _ in roundings)])
    if not np.array_equal(np.sort(rows), np.arange(n)):
        raise ValueError(f"roundings: rows {rows.tolist()} of a batch of {n}; each row needs one statement")
    bound = np.zeros(n)
    for of, rounding in roundings:
        bound[of] = rounding.bound
    reasons = dict.fromkeys(rounding.because for _, rounding in roundings)
    return Rounding.measured(bound, "; ".join(reasons) or "no row")


def _numbers(name: str, because: str, value: object) -> Float[np.ndarray, "..."]:
    """The value as float64; texts are none, nor complex numbers."""
    found = np.asarray(value)
    if found.dtype.kind not in "biuf":
        of = f"{name} of a rounding ({because})"
        raise ValueError(f"{of}: got {value!r}; it must be a real number, or an array of them")
    return found.astype(float)
