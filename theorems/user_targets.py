"""What the theorems' own checks are asked about a user's point cloud (--target=FILE.npz), as audits.

Assumed: what the file holds, distinct points with positive weights. The heights are found by transport; a
check is then called as it stands, with the potential they give, over a grid in place of Hypothesis' draws,
and an auditor in place of evidence: its measurements and bounds are its own. Nothing here decides a verdict.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis.errors import HypothesisDeprecationWarning, UnsatisfiedAssumption

from numerics.potentials import FiniteAtoms
from numerics.schedules import Linear, Logarithmic, Polynomial, Trigonometric, VariancePreserving
from numerics.transport.solution import SemidiscreteSolution
from theorems.targets import generator

GRID: Mapping[str, tuple[Any, ...]] = {
    "schedule": (Linear(), Trigonometric(), Polynomial(2.0), Logarithmic()),
    "t": (1e-3, 0.3, 0.7, 0.99),
    "gap": (0.3, 1e-2, 1e-3),
    "step": (2.0**-8, 0.75, 16.0),
    "ahead": (0.2, 0.5, 0.9),
    "steps": (1, 7, 30),
    "n": (1, 8, 24),
    "share": (1 / 64, 0.5, 63 / 64),
    "rho": (Fraction(1, 8), Fraction(4)),
}
"""Values for the arguments that checks draw."""
HYPERBOLIC = (Linear(), Trigonometric(), Polynomial(2.5), VariancePreserving())
"""Schedules with γ > 0, for checks that assume SC."""
REPEATS = 3
FAILURES = (RuntimeError, ValueError, np.linalg.LinAlgError)
Check = Callable[..., object]


def solved(user_target: Any) -> SemidiscreteSolution:
    """The solution; the test is skipped where the solver gives up, and the audit of the solver says why."""
    try:
        found: SemidiscreteSolution = user_target.solution
    except RuntimeError as error:
        pytest.skip(str(error))
    return found


def named(checks: Mapping[str, Iterable[Check]]) -> list[Any]:
    """Parameters (claim, check) with readable ids."""
    return [
        pytest.param(i, check, id=f"{i}-{check.__name__}") for i, group in checks.items() for check in group
    ]


def ask(auditor: Any, check: Check, target: FiniteAtoms, **grid: tuple[Any, ...]) -> None:
    """Call a check for every case of its grid; where it ends in an error, the audit says so.

    Args:
        auditor: `evidence.auditing(…)`.
        check: A test function of the theorems that takes ``target``, under Hypothesis or not.
        target: What it is asked about.
        **grid: Values in place of those of `GRID`.
    """
    inner: Check = check.hypothesis.inner_test if hasattr(check, "hypothesis") else check
    met = 0
    for case in cases(inner, **grid):
        try:
            with warnings.catch_warnings():  # Hypothesis warns of its `assume` in a plain call
                warnings.simplefilter("ignore", HypothesisDeprecationWarning)
                inner(auditor, target=target, **case)
        except UnsatisfiedAssumption:
            continue
        except FAILURES as error:
            auditor.ended_in(error, check.__name__.removeprefix("test_").replace("_", " "))
        met += 1
    if not met:
        pytest.skip("no case meets what the check supposes of its points")


def cases(check: Check, **grid: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    """The product of the values of what a check takes besides the target, each with a seed of its own."""
    code = check.__code__
    wanted, known = code.co_varnames[: code.co_argcount], {**GRID, **grid}
    values = {name: known[name] for name in wanted if name in known}
    combinations = list(product(*values.values())) if values else [()] * REPEATS
    for seed, chosen in enumerate(combinations, start=1):
        case = dict(zip(values, chosen, strict=True))
        if "seed" in wanted:
            case["seed"] = seed
        if "rng" in wanted:
            case["rng"] = generator(seed)
        yield case
