"""What the theorems' own checks are asked about a user's point cloud (--target=FILE.npz), as audits.

Assumed: what the file holds, distinct points with positive weights. The heights are found by transport; a
check is then called as it stands, with the potential they give, over its grids in place of Hypothesis' draws,
and an auditor in place of evidence: its measurements and bounds are its own. Nothing here decides a verdict.
"""

import warnings
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest
from hypothesis.errors import HypothesisDeprecationWarning, UnsatisfiedAssumption

from numerics.potentials import FiniteAtoms, Potential
from numerics.transport.solution import SemidiscreteSolution
from theorems.setting.quantifiers import Quantified
from theorems.setting.user.targets import UserTarget

FAILURES = (RuntimeError, ValueError, np.linalg.LinAlgError)


def solved(user_target: UserTarget) -> SemidiscreteSolution:
    """The solution; the test is skipped where the solver gives up, and the audit of the solver says why."""
    try:
        found: SemidiscreteSolution = user_target.solution
    except RuntimeError as error:
        pytest.skip(str(error))
    return found


def potential(user_target: UserTarget) -> FiniteAtoms:
    """The potential that checks are asked of (`UserTarget.asked`); skipped where the solver gives up."""
    solved(user_target)
    return user_target.asked


def quantified_in(package: str) -> list[Quantified]:
    """Every check of a theorem folder that is said with `for_all`, in the order of modules and lines."""
    folder = import_module(package)
    names = sorted(m.name for m in iter_modules(folder.__path__) if m.name.startswith("test_"))
    modules = [import_module(f"{package}.{name}") for name in names if name != "test_user_target"]
    found = [getattr(value, "quantified", None) for module in modules for value in vars(module).values()]
    return [check for check in found if isinstance(check, Quantified)]


def asked_in(package: str) -> list[Any]:
    """Parameters (claim, check), with readable ids and marks: the checks that a user's target is asked."""
    return [
        pytest.param(claim, check, id=f"{claim}-{check.name}", marks=pytest.mark.asks(claim))
        for check in quantified_in(package)
        if check.targets is not None and not check.unasked
        for claim in check.claims
    ]


def ask(auditor: Any, check: Quantified, target: Potential) -> None:
    """Call a check for every case of its grids; where it ends in an error, the audit says so.

    Args:
        auditor: `evidence.auditing(…)`.
        check: What to ask, a check said with `for_all`.
        target: What it is asked about; the test is skipped if the check does not suppose such a target.
    """
    assert check.targets is not None
    if not check.targets.suits(target):
        pytest.skip(f"the check is about {check.targets.why}")
    met = 0
    for case in check.cases():
        try:
            with warnings.catch_warnings():  # Hypothesis warns of its `assume` in a plain call
                warnings.simplefilter("ignore", HypothesisDeprecationWarning)
                check.check(auditor, target=target, **case)
        except UnsatisfiedAssumption:
            continue
        except FAILURES as error:
            auditor.ended_in(error, check.name.removeprefix("test_").replace("_", " "))
        met += 1
    if not met:
        pytest.skip("no case meets what the check supposes of its points")
