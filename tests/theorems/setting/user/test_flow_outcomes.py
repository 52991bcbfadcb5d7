"""When a flow's number agrees; an untrained network agrees in few questions, the exact field in all."""

import inspect
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import theorems
from numerics.flows.exact import ExactField
from numerics.transport import solve
from reports.evidence.fixture import Evidence
from reports.evidence.recorder import Recorder
from theorems.setting.libraries import seeded
from theorems.setting.user.flow_outcomes import Rival, outcome, rival
from theorems.setting.user.flows import UserFlow
from theorems.setting.user.reading import USUAL
from theorems.setting.user.targets import UserTarget
from theorems.setting.user.torch_field import ways
from theorems.setting.user.trying import NumpyField

MODULES = sorted(Path(theorems.__path__[0]).glob("*/test_user_flow*.py"))


@pytest.mark.parametrize("allowed", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("number", [0.02, 0.2, 2.0])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_a_number_agrees_within_its_tolerance_on_the_exact_side(
    allowed: float, number: float, share: float
) -> None:
    """Wherever in its error the mark is: nearer to 0 agrees, nearer to the mark deviates; else it is open.

    A mark that is within the tolerance itself makes nothing deviate that is within it.
    """
    wrong = "deviates" if number > allowed else "cannot be told"
    for measured in np.linspace(0.003, 3.003, 301):
        nearer = [measured < abs(measured - number * (1 + move)) for move in (-share, share)]
        beside = "agrees" if all(nearer) else "cannot be told" if any(nearer) else wrong
        mark = Rival("batches of 16", number, share * number)
        assert outcome(measured, allowed, mark) == (beside if measured <= allowed else "deviates")
        assert outcome(measured, allowed, None) == ("cannot be told" if measured <= allowed else "deviates")
        unsure = outcome(measured, allowed, mark, 0.3 * allowed)
        between = allowed < measured <= 1.3 * allowed
        assert unsure == ("cannot be told" if between else outcome(measured, allowed, mark))
    assert outcome(np.nan, allowed, None) == "deviates"


def test_the_rival_is_the_first_that_is_told_from_0() -> None:
    places = {"a": (0.3, 0.2), "b": (0.4, 0.2), "c": (0.9, 0.0), "d": (0.0, 0.0)}
    assert rival(places, "a", "b", "c") == Rival("b", 0.4, 0.2)
    assert rival(places, "c", "b") == Rival("c", 0.9, 0.0)
    assert rival(places, "a", "d", "absent") is None
    assert rival({"a": (9e-7, 0.0)}, "a") is None, "of rounding"


# --- all questions ---------------------------------------------------------------------------------------


def cases(audit: Any) -> Iterator[dict[str, Any]]:
    """The parameters that an audit is asked with."""
    marks = [mark for mark in getattr(audit, "pytestmark", []) if mark.name == "parametrize"]
    if not marks:
        yield {}
    for mark in marks:
        for case in mark.args[1]:
            yield dict(zip(mark.args[0], case.values, strict=True))


def asked(flow: UserFlow) -> Counter[str]:
    """How many of all questions, of all theorems, have each outcome."""
    recorder = Recorder(takes_evidence=False, takes_controls=False)
    given = {"evidence": Evidence(recorder), "user_flow": flow, "user_target": flow.target}
    for path in MODULES:
        module = import_module(f"theorems.{path.parent.name}.{path.stem}")
        for audit in [value for name, value in vars(module).items() if name.startswith("test_")]:
            for case in cases(audit):
                everything = given | {"rng": np.random.default_rng(3)} | case
                with suppress(pytest.skip.Exception):
                    audit(**{name: everything[name] for name in inspect.signature(audit).parameters})
    return Counter(audit.outcome for audit in recorder.audits.values())


class Network(torch.nn.Module):
    """A small one, as torch makes it."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        layers = torch.nn.Linear(3, width), torch.nn.Linear(width, width), torch.nn.Linear(width, 2)
        self.layers = torch.nn.Sequential(layers[0], torch.nn.SiLU(), layers[1], torch.nn.SiLU(), layers[2])

    def forward(self, t: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """v(t, x)."""
        return self.layers(torch.cat([x, t.expand(len(x), 1)], dim=1))


def untrained() -> UserFlow:
    """Its field, with automatic derivatives."""
    with seeded(0):
        field = next(iter(ways(Network(), "cpu", USUAL)))
    return UserFlow("mine:net", 2, field, differentiates=True)


def test_an_untrained_network_agrees_in_few_questions_and_the_exact_field_in_all_that_tell() -> None:
    """On one target: fewer than half of all, and nine in ten of those that can be told."""
    points = np.random.default_rng(1).standard_normal((5, 2)) * 1.5
    target = UserTarget("cloud.npz", points, np.full(5, 0.2))
    field = NumpyField(ExactField(solve(points).potential).velocity)
    network = asked(replace(untrained(), target=target))
    exact = asked(UserFlow("mine:exact", 2, field, target=target))
    assert network.total() == exact.total() == 21
    assert 2 * network["agrees"] < network.total(), network
    assert exact["agrees"] >= 0.9 * (exact["agrees"] + exact["deviates"]), exact
    assert exact["agrees"] > exact["cannot be told"], exact
