"""What the audits of a flow find, on fields whose every answer is known in closed form.

They are v = A_t x with diagonal A_t, exact for a Gaussian on a line, and the same broken in one way at a
time: each must deviate exactly where predicted, and by the amount predicted.
"""

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from numerics.flows.exact import ExactField
from numerics.flows.independent import IndependentField
from numerics.potentials import FiniteAtoms
from reports.evidence.fixture import Evidence
from reports.evidence.recorder import Recorder
from theorems.normal_hyperbolicity import test_user_flow as hyperbolicity
from theorems.proximal_denoiser import test_user_flow as denoiser
from theorems.setting.user import flow_audits
from theorems.setting.user.flows import UserFlow
from theorems.setting.user.targets import UserTarget
from theorems.setting.user.trying import NumpyField

pytestmark = pytest.mark.usefixtures("few_batches")
TIMES, LAST = flow_audits.TIMES, flow_audits.TIMES[-1]
SQUARE = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])

Rate = Callable[[float], tuple[float, float]]


def linear(rate: Rate, spin: float = 0.0) -> UserFlow:
    """V = A_t x, diagonal but for a rotation."""

    def velocity(t: float, x: np.ndarray) -> np.ndarray:
        return x * np.array(rate(t)) + spin * np.stack([-x[:, 1], x[:, 0]], axis=1)

    return UserFlow("mine:field", 2, NumpyField(velocity))


def exact(t: float) -> tuple[float, float]:
    """OT-CFM to N(0, diag(4, 0)): κ = 2 and 0."""
    return 1 / (1 + t), -1 / (1 - t)


def scaled(factor: float) -> Rate:
    return lambda t: (factor * exact(t)[0], factor * exact(t)[1])


def damped(t: float) -> tuple[float, float]:
    """The normal contraction of a network: it stops growing, here at t = 0.75."""
    return exact(t)[0], -1 / max(1 - t, 0.25)


AUDITS = (
    hyperbolicity.test_the_spectrum_follows_the_straight_path,
    hyperbolicity.test_the_terminal_spectrum,
    hyperbolicity.test_the_exponents,
    hyperbolicity.test_the_intrinsic_dimension,
    denoiser.test_the_spectral_bounds,
    denoiser.test_the_field_has_no_curl,
    denoiser.test_trajectories_are_straight,
    denoiser.test_trajectories_keep_apart,
)
NAMES = {
    "H1: do the eigenvalues": "H1",
    "H5: are the eigenvalues": "H5 limit",
    "H5: are they": "H5 curve",
    "H4: are the exponents": "H4",
    "H7: do exponents": "H7",
    "P5: is −1/(1−t) ≤ eig Dv_t ≤ 1/t on": "P5 on",
    "P5: is −1/(1−t) ≤ eig Dv_t ≤ 1/t off": "P5 off",
    "P4: is Dv_t symmetric": "P4",
    "P6: are trajectories straight": "straight",
    "P6: do trajectories keep apart": "apart",
    "P3: is it the exact field": "P3",
    "P6: is the energy": "energy",
    "P6: is the cost": "cost",
}


def found(flow: UserFlow, *audits: Any, **fixtures: Any) -> dict[str, tuple[str, float]]:
    """Outcome and number of every audit, by its short name."""
    recorder = Recorder(takes_evidence=False, takes_controls=False)
    for audit in audits or AUDITS:
        given = {
            "evidence": Evidence(recorder),
            "user_flow": flow,
            "rng": np.random.default_rng(3),
        } | fixtures
        audit(**{name: given[name] for name in inspect.signature(audit).parameters})
    assert {audit.subject for audit in recorder.audits.values()} == {flow.name}
    assert {audit.kind for audit in recorder.audits.values()} == {"flow"}
    assert not recorder.evidence
    return {
        next(short for start, short in NAMES.items() if audit.question.startswith(start)): (
            audit.outcome,
            audit.measured,
        )
        for audit in recorder.audits.values()
    }


def deviating(results: dict[str, tuple[str, float]]) -> set[str]:
    return {name for name, (outcome, _) in results.items() if outcome == "deviates"}


@pytest.mark.parametrize("seed", [0, 1])
def test_the_exact_field_agrees_in_everything(seed: int) -> None:
    results = found(replace(linear(exact), seed=seed))
    assert set(results) == set(NAMES.values()) - {"P3", "energy", "cost"}
    assert deviating(results) == set()
    undecided = {name for name, (outcome, _) in results.items() if outcome == "cannot be told"}
    assert undecided >= {"H1", "H5 limit", "H5 curve", "apart"}, "other couplings have no number, or the same"
    assert results["straight"][0] == "agrees"
    for name in ("H1", "H5 curve", "P5 on", "P5 off", "P4", "straight", "apart"):
        assert results[name][1] < 1e-7, name
    left = 0.01 / (1.99) / 2  # (1−t)(κ−1)/(1+t(κ−1)) for κ = 2, one eigenvalue of two
    assert results["H5 limit"][1] == pytest.approx(left, rel=1e-6)


BROKEN = {
    "spin": (linear(exact, spin=1.0), {"P4", "straight"}),
    "wrong sign": (
        linear(scaled(-1.0)),
        {"H1", "H4", "H5 limit", "H5 curve", "P5 on", "P5 off", "straight"},
    ),
    "too slow": (linear(scaled(0.7)), {"H1", "H4", "H5 limit", "H5 curve", "straight"}),
    "too fast": (
        linear(scaled(2.0)),
        {"H1", "H4", "H5 limit", "H5 curve", "P5 on", "P5 off", "straight", "apart"},
    ),
    "no contraction at the end": (linear(damped), {"H4", "H5 curve", "straight"}),
    "another target": (linear(lambda t: (exact(t)[0], 0.0)), set()),  # the exact field of N(0, diag(4, 1))
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_field_deviates_where_predicted(name: str) -> None:
    flow, predicted = BROKEN[name]
    assert deviating(found(flow)) == predicted


def test_a_spin_is_measured() -> None:
    """Dv = diag(a, b) + ωJ: the antisymmetric share is ω√2/√(a² + b² + 2ω²) at every time."""
    for spin in (0.5, 2.0):
        squares = np.array([np.square(exact(t)).sum() for t in TIMES])
        predicted = (np.sqrt(2) * spin / np.sqrt(squares + 2 * spin**2)).mean()
        flow = linear(exact, spin=spin)
        measured = found(flow, denoiser.test_the_field_has_no_curl)["P4"][1]
        assert measured == pytest.approx(predicted, rel=1e-7)


@pytest.mark.parametrize("factor", [0.7, 2.0])
def test_a_wrong_factor_is_measured(factor: float) -> None:
    """V = −s x/(1−t), for s = 1 exact for a point: X_t = (1−t)^s x, and every number follows."""
    results = found(linear(lambda t: (-factor / (1 - t),) * 2))
    left = 1 - LAST
    energy = factor**2 * (1 - left ** (2 * factor - 1)) / (2 * factor - 1)
    straight = (1 - left**factor) ** 2 / LAST
    assert results["straight"][1] == pytest.approx(np.sqrt(1 - straight / energy), rel=2e-2)
    assert results["apart"][1] == pytest.approx(max(0.0, 1 - left ** (factor - 1)), abs=5e-3)
    assert results["P5 on"][1] == pytest.approx(max(0.0, factor - 1), abs=1e-6)
    for name in ("H4", "H5 limit"):
        assert results[name][1] == pytest.approx(abs(factor - 1), abs=2e-3)


def square_flow(factor: float) -> UserFlow:
    field = ExactField(FiniteAtoms.hypercube(2))
    return UserFlow("mine:field", 2, NumpyField(lambda t, x: factor * field.velocity(t, x)))


@pytest.mark.parametrize("factor", [1.0, 0.0, 0.5, -1.0])
def test_with_a_target_the_distance_is_measured(factor: float) -> None:
    """Against the exact field of the four points: |s − 1| for s times it; at rest no energy and no cost."""
    target = UserTarget("square.npz", SQUARE, np.full(4, 0.25))
    audits = (denoiser.test_the_distance_to_the_exact_field, denoiser.test_energy_and_cost)
    results = found(square_flow(factor), *audits, user_target=target)
    assert set(results) == {"P3", "energy", "cost"}
    assert results["P3"][1] == pytest.approx(abs(factor - 1), abs=1e-9)
    assert deviating(results) == (set() if factor == 1 else {"P3", "energy", "cost"})
    if factor == 0:
        for name in ("energy", "cost"):
            assert results[name][1] == pytest.approx(1.0, abs=0.2)  # a sample's mean over W₂²


def test_energy_and_cost_do_not_depend_on_where_the_target_lies() -> None:
    """Of independent pairs: a shift raises neither what they spend too much nor how that scatters."""
    here, there = (
        found(
            UserFlow("mine:field", 2, NumpyField(IndependentField(points, np.full(4, 0.25)).velocity)),
            denoiser.test_energy_and_cost,
            user_target=UserTarget("square.npz", points, np.full(4, 0.25)),
        )
        for points in (SQUARE, SQUARE + 30)
    )
    for name in ("energy", "cost"):
        assert there[name][1] == pytest.approx(here[name][1], rel=1e-2), name
        assert there[name][0] == here[name][0], name


def test_a_field_that_breaks_down_is_a_finding() -> None:
    """A field too rough to be integrated: said in an audit, as what cannot be told; nothing is raised."""
    rough = UserFlow("mine:field", 2, NumpyField(lambda _, x: 1e3 * np.sign(np.sin(1e4 * x))))
    recorder = Recorder(takes_evidence=False, takes_controls=False)
    denoiser.test_trajectories_are_straight(Evidence(recorder), rough)
    (audit,) = recorder.audits.values()
    assert (audit.question, audit.outcome) == ("P6: can it be asked? (trajectories)", "cannot be told")
    assert "too rough" in str(audit.measured)
