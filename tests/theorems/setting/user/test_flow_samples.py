"""Until when to trust a flow and how to sample it, on fields whose answers are known."""

import numpy as np
import pytest

from numerics.flows.exact import ExactField
from numerics.flows.independent import IndependentField
from numerics.potentials import FiniteAtoms
from reports.evidence.fixture import Evidence
from reports.evidence.recorder import Recorder
from theorems.setting.user import flow_samples, flow_words
from theorems.setting.user.flow_samples import FINE, ending, sampling, steps_to
from theorems.setting.user.flows import UserFlow
from theorems.setting.user.targets import UserTarget
from theorems.setting.user.trying import NumpyField
from theorems.stability import test_user_flow as stability

SQUARE = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
TARGET = UserTarget("square.npz", SQUARE, np.full(4, 0.25))
EXACT = ExactField(FiniteAtoms.hypercube(2))


def flow_of(velocity, target=None):
    return UserFlow("mine:field", 2, NumpyField(velocity), target=target)


def turning(until):
    """The exact field of N(0, diag(4, 0)) whose normal eigenvalue stays behind from a time on."""

    def velocity(t, x):
        return x * np.array([1 / (1 + t), -1 / max(1 - t, 1 - until)])

    return velocity


@pytest.mark.parametrize(("until", "last"), [(0.75, 0.75), (0.9, 0.9), (1.0, 0.99)])
def test_the_normal_eigenvalue_turns_back(until, last):
    """(1−t)/(1−until) is within a tenth of 1 up to t = 1 − 0.9(1−until)."""
    end = ending(flow_of(turning(until)))
    assert end.share == 1
    assert end.t_max == pytest.approx(last)
    assert end.normal[-1] == pytest.approx(-0.01 / (1 - min(until, 0.99)))


def test_without_codimension_nothing_turns_back():
    end = ending(flow_of(lambda t, x: x / (1 + t)))
    assert (end.share, end.t_max) == (0.0, 0.99)
    assert "no normal direction" in flow_words.where_it_fails(flow_of(lambda t, x: x / (1 + t)))


def test_a_flow_that_never_contracts_has_lost_what_its_target_has():
    """Atoms have normal directions everywhere; without a target the data may have none (N(0, 4I))."""
    lost = flow_of(lambda _, x: -0.45 * x, TARGET)
    end = ending(lost)
    assert (end.share, end.whole) == (0.0, False)
    assert end.least == pytest.approx(-0.045)
    assert "no normal direction" in flow_words.where_it_fails(lost)
    recorder = Recorder(takes_evidence=False, takes_controls=False)
    stability.test_the_end_of_time(Evidence(recorder), lost)
    stability.test_in_short(Evidence(recorder), lost, "H5", 3)
    assert {audit.outcome for audit in recorder.audits.values()} == {"deviates"}
    assert "no normal direction in 100%" in [audit.measured for audit in recorder.audits.values()]
    assert ending(flow_of(lambda t, x: x / (1 + t))).whole is None
    assert ending(flow_of(EXACT.velocity, TARGET)).whole
    assert not ending(flow_of(turning(0.75))).whole


def test_without_a_target_a_flow_that_never_contracts_is_not_judged():
    """Data of full dimension have no normal direction, and nobody says which these are."""
    recorder = Recorder(takes_evidence=False, takes_controls=False)
    wide = flow_of(lambda t, x: x / (1 + t))
    stability.test_the_end_of_time(Evidence(recorder), wide)
    stability.test_in_short(Evidence(recorder), wide, "H5", 3)
    assert {audit.outcome for audit in recorder.audits.values()} == {"cannot be told"}


def test_an_exact_field_needs_one_step_and_a_curved_one_more():
    seen = sampling(flow_of(EXACT.velocity, TARGET))
    assert seen.steps == 1
    assert seen.error < 1e-12
    shares = np.array([0.4, 0.3, 0.2, 0.1])  # of equal ones symmetry leads all noise to the right corner
    uneven = UserTarget("uneven.npz", SQUARE, shares)
    curved = sampling(flow_of(IndependentField(SQUARE, shares).velocity, uneven))
    assert 2 < curved.steps < FINE
    assert 0.01 < curved.error < curved.bound
    assert curved.broken == 0
    assert curved.lost[1] > curved.lost[4] > curved.lost[8] >= curved.lost[64]


@pytest.mark.parametrize(("d", "most"), [(2, 255 * 200), (128, 255 * 200), (784, 255 * 32), (3072, 255 * 20)])
def test_a_large_field_is_asked_about_fewer_samples_and_not_more_leniently(monkeypatch, d, most):
    """What a step loses varies from sample to sample: many more must confirm the number of steps."""
    asked = []
    monkeypatch.setattr(flow_samples, "ending", lambda _: flow_samples.Ending(*[None] * 4, 0.9, 0.5, None))

    def velocity(t, x):
        asked.append(len(x))
        return 0.9 * x + 0.255 * np.sin(8 * np.pi * t + x[:, :1]) * np.abs(x[:, 1:2]) * np.sign(x)

    flow = UserFlow("mine:field", d, NumpyField(velocity), seed=6)
    seen = sampling(flow)
    assert sum(asked) == most
    assert seen.samples * 255 == most
    noise = np.random.default_rng(99).standard_normal((2000 if d == 2 else 400, d))
    fine = steps_to(flow, noise, FINE, 0.9)[0]
    truth = {n: flow_samples._lost(steps_to(flow, noise, n, 0.9)[0], fine)[0] for n in seen.lost}
    for n, (lost, above) in seen.lost.items():
        assert abs(lost**2 - truth[n] ** 2) <= 2 * (above**2 - lost**2), "four standard errors"
        assert lost < above < 1.4 * lost
    assert truth.get(seen.steps, 0.0) <= 0.05
    lenient = next(n for n, (lost, _) in seen.lost.items() if lost <= 0.05)
    assert (lenient, seen.steps) == ((8, 16) if d == 3072 else (lenient, lenient)), (
        "a lucky draw decides nothing"
    )
    recorder = Recorder(takes_evidence=False, takes_controls=False)
    stability.test_sampling(Evidence(recorder), flow)
    (audit,) = recorder.audits.values()
    assert f"that move {most // 255} samples by at most 0.05" in audit.because
    assert "two standard errors included" in audit.because


def test_a_known_error_is_is_bounded():
    """A constant kick e on the field: the ends move by at most Σ δ_k|e|/t_{k+1}."""
    kick = np.array([0.3, 0.0])
    flow = flow_of(lambda t, x: EXACT.velocity(t, x) + kick, TARGET)
    noise = np.random.default_rng(0).standard_normal((300, 2))
    end, allowed = steps_to(flow, noise, 8, 0.9, EXACT)
    times = np.append(np.linspace(0, 0.9, 8), 1.0)
    np.testing.assert_allclose(allowed, 0.3 * (np.diff(times) / times[1:]).sum())
    off = np.linalg.norm(end - EXACT.potential.transport(noise), axis=1)
    assert (off <= allowed).all() or (off[off > allowed] > 1.9).all()
    assert sampling(flow).broken == 0
    assert flow_samples.steps_to(flow, noise, 1, 0.9, EXACT)[1].max() == pytest.approx(0.3)


def test_the_first_lines():
    recorder = Recorder(takes_evidence=False, takes_controls=False)
    independent = flow_of(IndependentField(SQUARE, np.full(4, 0.25)).velocity, TARGET)
    for place, claim in stability.PLACES:
        stability.test_in_short(Evidence(recorder), independent, claim, place)
    for audit in (stability.test_the_end_of_time, stability.test_sampling):
        audit(Evidence(recorder), independent)
    stability.test_the_samples_error(Evidence(recorder), independent, TARGET)
    said = {audit.question: (audit.outcome, str(audit.measured)) for audit in recorder.audits.values()}
    outcome, words = said["In short (1 of 4): how OT-like is it?"]
    assert outcome == "deviates"
    informing = {question[:17] for question, (outcome, _) in said.items() if outcome == "informs"}
    assert informing == {"In short (2 of 4)", "In short (4 of 4)", "N3: is every samp"}
    assert "on square.npz" in words
    assert (
        "no nearer than independent coupling" in words
        or "perfectly learned batches of about 1 pairs" in words
    )
    assert "dimension 0 for" in said["In short (2 of 4): what does it generate?"][1]
    assert "in space: a tenth of the points holds" in said["In short (3 of 4): where does it fail?"][1]
    assert "in all lose" in said["In short (4 of 4): what to do?"][1]
    assert "N3 allows" in said["In short (4 of 4): what to do?"][1]
    assert len(said) == 7
