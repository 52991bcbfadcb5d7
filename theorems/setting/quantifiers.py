"""`for_all`: a check and what it holds for, said once.

::

    @for_all("P2", target=TARGETS, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
    def test_prox_returns_the_data_point(evidence, target, schedule, t, seed):
        ...

is three things at once: a random test, which draws every variable; one explicit example for every target that
is always met, with the usual values of the others; and an audit of the user's own target (``--target``), over
the product of the grids (`theorems.setting.audits`).
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from numerics.schedules import Linear, Logarithmic, Polynomial, Trigonometric, VariancePreserving
from theorems.setting import grammar
from theorems.setting.instances import REPRESENTATIVES
from theorems.setting.values import Targets, Values

Check = Callable[..., object]
REPEATS = 3
"""Cases of an audit whose check draws nothing but noise."""


# --- what most statements are about ---------------------------------------------------------------------

TARGETS = Targets(grammar.targets(), REPRESENTATIVES)
"""Every family, wrapped in the rules of the calculus; every representative."""
ANALYTIC = TARGETS.among(lambda target: target.traits.analytic, "those whose T and prox take complex steps")
WITH_A_MANIFOLD = TARGETS.among(lambda target: target.traits.manifold, "those with a manifold (A1)")
VARYING = Targets(grammar.varying(), ())
"""Families whose φ is not constant on its domain; drawn only."""

SCHEDULES = Values(
    grammar.schedules(), Trigonometric(), (Linear(), Trigonometric(), Polynomial(2.0), Logarithmic())
)
HYPERBOLIC = (Linear(), Trigonometric(), Polynomial(2.5), VariancePreserving())
"""Schedules with γ > 0, for checks that assume SC."""
TIMES = Values(grammar.times(), 0.4, (1e-3, 0.3, 0.7, 0.99))
SEEDS = Values(grammar.seeds, 1, counted=True)
STEPS = Values(st.integers(-6, 6).map(lambda k: 10.0**k), 0.75, (2.0**-8, 0.75, 16.0))
"""λ over twelve decades."""
SHARES = Values(st.integers(1, 63).map(lambda k: k / 64), 0.5, (1 / 64, 0.5, 63 / 64))
"""A share of a threshold, below 1."""
MODULI = Values(st.integers(1, 64).map(lambda k: Fraction(k, 8)), Fraction(2), (Fraction(1, 8), Fraction(4)))
"""ρ, exactly."""


# --- the quantifier ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Quantified:
    """A check with what it holds for.

    Attributes:
        claims: Ids of the claims it checks.
        check: The function itself, without Hypothesis.
        over: Its variables.
        unasked: Why it is not asked of a user's target; empty if it is.
    """

    claims: tuple[str, ...]
    check: Check
    over: Mapping[str, Values | Targets | st.SearchStrategy[Any]]
    unasked: str = ""

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.check.__name__

    @property
    def targets(self) -> Targets | None:
        """What its target ranges over, None if it has none or one that no user's can stand for."""
        found = self.over.get("target")
        return found if isinstance(found, Targets) else None

    def examples(self, also: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Every target that is always met, with the usual values, and with those of ``also`` for them."""
        targets = self.targets
        if targets is None or not targets.examples:
            return []
        usual = {name: values.usual for name, values in self.over.items() if isinstance(values, Values)}
        return [
            {"target": target, **usual, **changes} for changes in ({}, *also) for target in targets.examples
        ]

    def cases(self) -> list[dict[str, Any]]:
        """The product of the grids, with a seed of its own in each case."""
        grids = {
            n: v.grid or (v.usual,) for n, v in self.over.items() if isinstance(v, Values) and not v.counted
        }
        counted = [n for n, v in self.over.items() if isinstance(v, Values) and v.counted]
        combinations = list(product(*grids.values())) if grids else [()] * REPEATS
        return [
            dict(zip(grids, chosen, strict=True)) | dict.fromkeys(counted, number)
            for number, chosen in enumerate(combinations, start=1)
        ]


def for_all(
    *claims: str,
    also: Sequence[Mapping[str, Any]] = (),
    unasked: str = "",
    **over: Values | Targets | st.SearchStrategy[Any],
) -> Callable[[Check], Check]:
    """The check of a claim, for all values of its variables.

    Args:
        *claims: Ids of the claims that it checks.
        also: More explicit examples of every target: values in place of the usual ones.
        unasked: Why the check is not asked of a user's target, where it is not.
        **over: What each argument of the check ranges over, fixtures aside: `Values`, `Targets`
            for ``target``, or, where nothing is asked of a user's target, a bare strategy.

    Raises:
        ValueError: If a variable is no argument of the check, or lacks a usual value that an example needs.

    Example:
        >>> from theorems.setting.quantifiers import SEEDS, TARGETS, for_all
        >>> @for_all("P1", target=TARGETS, seed=SEEDS)
        ... def test_something(evidence, target, seed): ...
        >>> len(test_something.quantified.cases())
        3
    """

    def decorate(check: Check) -> Check:
        found = Quantified(claims, check, over, unasked)
        _refuse_misfits(found, also)
        function: Any = check
        test: Any = given(**{name: _drawn(values) for name, values in over.items()})(function)
        for case in reversed(found.examples(also)):
            test = example(**case)(test)
        test = pytest.mark.claim(*claims)(test)
        test.quantified = found
        return test

    return decorate


def _drawn(values: Values | Targets | st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values if isinstance(values, st.SearchStrategy) else values.drawn


def _refuse_misfits(found: Quantified, also: Sequence[Mapping[str, Any]]) -> None:
    taken = inspect.signature(found.check).parameters
    strangers = [name for name in (*found.over, *(n for case in also for n in case)) if name not in taken]
    if strangers:
        raise ValueError(f"{found.name}: takes no {strangers[0]!r}; its arguments are {', '.join(taken)}")
    if not found.claims:
        raise ValueError(f"{found.name}: names no claim; write for_all('P2', …)")
    if found.targets is None:
        return
    bare = [name for name, values in found.over.items() if isinstance(values, st.SearchStrategy)]
    if bare and (found.targets.examples or not found.unasked):
        raise ValueError(
            f"{found.name}: {bare[0]!r} is a bare strategy; examples of every family need its usual value,"
            " and the user's audit its grid: write Values(strategy, usual, grid)"
        )
