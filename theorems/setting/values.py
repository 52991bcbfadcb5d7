"""What one variable of a statement ranges over: how it is drawn, its usual value, its values for audits."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from numerics.potentials import Potential


@dataclass(frozen=True)
class Values:
    """What a variable ranges over.

    Attributes:
        drawn: The Hypothesis strategy of the random test.
        usual: Its value in the explicit examples, where another variable runs through a list.
        grid: Its values where a check is asked of a user's target. Empty: ``usual`` alone.
        counted: Whether every case of such an audit gets a number of its own instead: a seed.
    """

    drawn: st.SearchStrategy[Any]
    usual: Any
    grid: tuple[Any, ...] = ()
    counted: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.drawn, st.SearchStrategy):
            raise ValueError(f"drawn: got {self.drawn!r}, must be a Hypothesis strategy")
        if self.counted and self.grid:
            raise ValueError(f"grid: got {self.grid!r}, but the values of audits are counted; leave one out")

    def but(self, **changes: Any) -> "Values":
        """The same but for some fields: ``TIMES.but(usual=0.9)``."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Targets:
    """The potentials that a statement is about: drawn, met one by one, and a user's where it suits.

    Attributes:
        drawn: The strategy of the random test.
        examples: Targets that are met in every run, whatever is drawn.
        suits: Which potentials the statement is about.
        why: Why not all, in words; printed where a user's target does not suit.
    """

    drawn: st.SearchStrategy[Potential]
    examples: tuple[Potential, ...]
    suits: Callable[[Potential], bool] = field(default=lambda _: True)
    why: str = ""

    def among(self, suits: Callable[[Potential], bool], why: str) -> "Targets":
        """The part with a property.

        Args:
            suits: Whether a potential has it.
            why: What the property is, in words: ``"those with a manifold (A1)"``.
        """
        kept = tuple(filter(suits, self.examples))
        if not kept:
            raise ValueError(f"suits: no example is among {why}")

        def both(target: Potential) -> bool:
            return self.suits(target) and suits(target)

        return Targets(self.drawn.filter(suits), kept, both, "; ".join(filter(None, (self.why, why))))

    def without_examples(self) -> "Targets":
        """Drawn only, for checks that take long at each target."""
        return replace(self, examples=())
