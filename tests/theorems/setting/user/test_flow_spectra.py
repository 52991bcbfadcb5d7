"""A flow in a large dimension, asked by products: the same answers as by its known, whole Jacobians."""

import numpy as np
import pytest
import torch

from reports.evidence.fixture import Evidence
from reports.evidence.recorder import Recorder
from theorems.normal_hyperbolicity import test_user_flow as hyperbolicity
from theorems.normal_hyperbolicity import test_user_flow_by_products as products
from theorems.setting.user import flow_audits
from theorems.setting.user.flow_references import beside_spectra, independent
from theorems.setting.user.flow_samples import ending
from theorems.setting.user.flow_spectra import POINTS, VECTORS, is_large, spectra
from theorems.setting.user.flow_words import what_dimension
from theorems.setting.user.flows import UserFlow
from theorems.setting.user.reading import USUAL
from theorems.setting.user.targets import UserTarget
from theorems.setting.user.torch_field import ways
from theorems.setting.user.trying import ARRAYS, BLIND, DOUBLE, HIDDEN, NumpyField, obstacle
from theorems.stability import test_user_flow as stability

D, M = 130, 5
FRAME = np.linalg.qr(np.random.default_rng(0).standard_normal((D, D)))[0]


def flow_of(spin=0.0, factor=1.0):
    """The exact field of N(0, 4I) on M directions and 0 on the others, turned; with a spin of two of them."""
    frame = torch.tensor(FRAME)

    def velocity(t, x):
        y = x @ frame
        along = torch.cat([factor * y[:, :M] / (1 + t), -factor * y[:, M:] / (1 - t)], dim=1)
        turned = torch.cat([-y[:, 1:2], y[:, :1], torch.zeros_like(y[:, 2:])], dim=1)
        return (along + spin * turned) @ frame.T

    field = next(iter(ways(velocity, "cpu", USUAL)))
    return UserFlow("mine:field", D, field, differentiates=True)


@torch.no_grad()
def without(t, x):
    return -0.1 * x / (1 + t)


def inside(_, x):
    at = x.detach().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad((at**2).sum() / 20, at)[0]


WHY = {
    without: BLIND,
    inside: BLIND,
    lambda _, x: -0.02 * x.detach(): BLIND,
    lambda _, x: -0.1 * x + (0.1 * x * x).detach(): HIDDEN,
    lambda _, x: -0.1 * x: "",
    lambda t, x: torch.ones_like(x) * t: "",
}


def answers(flow):
    recorder = Recorder(takes_evidence=False, takes_controls=False)
    for claim, answered in products.ANSWERS.items():
        products.test_spectra_by_products(Evidence(recorder), flow, claim, answered)
    return {audit.question[:2]: (audit.outcome, audit.measured) for audit in recorder.audits.values()}


def test_the_exact_field_has_no_number_and_nothing_to_tell_it_apart_without_a_target():
    flow = flow_of()
    assert is_large(flow)
    found = answers(flow)
    assert set(found) == {"P4", "P5", "H1", "H5"}
    assert {outcome for outcome, _ in found.values()} == {"cannot be told"}
    for name in ("P4", "P5", "H1"):
        assert found[name][1] < 1e-6, name
    for one in spectra(flow):
        np.testing.assert_allclose(one.least, -1, atol=1e-8)
        np.testing.assert_allclose(one.largest, (1 - one.t) / (1 + one.t), atol=1e-8)
        counts, errors = one.count_above(-0.5, D)
        assert counts.shape == errors.shape == (POINTS,)
        assert np.abs(counts.mean() - M) < 6 * np.sqrt(2 * M / (POINTS * VECTORS))
    assert ending(flow).t_max == 0.99
    assert "by products" in what_dimension(flow)


def test_a_spin_and_a_wrong_factor_deviate_by_what_is_known():
    """Size of the antisymmetric part: ω√2 over √(|sym|² + 2ω²), mean over times, to the vectors' scatter."""
    found = answers(flow_of(spin=20.0))
    assert found["P4"][0] == "deviates"
    times = np.array([one.t for one in spectra(flow_of())])
    squares = M / (1 + times) ** 2 + (D - M) / (1 - times) ** 2
    predicted = (20 * np.sqrt(2) / np.sqrt(squares + 2 * 20**2)).mean()
    assert found["P4"][1] == pytest.approx(predicted, rel=0.4)
    wrong = answers(flow_of(factor=1.5))
    assert {name for name, (outcome, _) in wrong.items() if outcome == "deviates"} >= {"P5", "H1", "H5"}
    assert wrong["P5"][1] == pytest.approx(0.5, abs=1e-6)
    assert wrong["P4"][1] < 1e-9


def audited(flow):
    """Outcome and expectation of each claim."""
    recorder = Recorder(takes_evidence=False, takes_controls=False)
    for claim, answered in products.ANSWERS.items():
        products.test_spectra_by_products(Evidence(recorder), flow, claim, answered)
    return {audit.question[:2]: (audit.outcome, str(audit.expected)) for audit in recorder.audits.values()}


def test_independent_coupling_stands_beside_the_numbers_of_a_target():
    """Two points ±y: the exact field is (±y − x)/(1−t), by the side of x; both fields are known whole."""
    y = np.full(D, 1 / np.sqrt(D))
    target = UserTarget("two.npz", np.array([y, -y]), np.full(2, 0.5))
    to = torch.tensor(y)

    def velocity(t, x):
        return (torch.sign(x @ to)[:, None] * to - x) / (1 - t)

    field = next(iter(ways(velocity, "cpu", USUAL)))
    exact = UserFlow("mine:exact", D, field, differentiates=True, seed=3, target=target)
    told = audited(exact)
    assert {name for name, (outcome, _) in told.items() if outcome == "agrees"} == {"H1"}
    assert {name for name, (outcome, _) in told.items() if outcome == "deviates"} == set()
    assert "; it must be nearer to 0 than to that of independent coupling" in told["H1"][1]
    assert "batches of 256, 64 and 16 not known, as drawn" in told["H1"][1]
    mixed = UserFlow("mine:mixed", D, independent(exact).field, differentiates=True, seed=3, target=target)
    assert {name for name, (outcome, _) in audited(mixed).items() if outcome == "deviates"} == {"H1"}
    for one in spectra(mixed):
        x = flow_audits.trajectories(mixed).path[flow_audits.place(one.t), :POINTS]
        slope = one.t / (1 - one.t) ** 2
        expected = slope * (1 - np.tanh(slope * x @ y) ** 2) - 1
        np.testing.assert_allclose(one.largest, expected, rtol=1e-6, atol=1e-9)


def test_between_many_points_independent_coupling_exceeds_the_bound():
    """Only with --target: the mark stands beside P5, and the field itself deviates by that number."""
    points = 0.3 * np.random.default_rng(1).standard_normal((200, D))
    target = UserTarget("many.npz", points, np.full(200, 1 / 200))
    still = UserFlow("mine:still", D, NumpyField(lambda _, x: -x), target=target)
    field = independent(still).field
    mixed = UserFlow("mine:mixed", D, field, differentiates=True, target=target)
    excess = max(one.t * one.largest.max() / (1 - one.t) - 1 for one in spectra(mixed) if one.t)
    outcome, expected = audited(mixed)["P5"]
    assert outcome == "deviates"
    assert f"on many.npz independent coupling at least {excess:.3g}, " in expected
    assert "±" not in expected
    seen = spectra(mixed)[1]
    for each, measure in (
        (seen.least, lambda seen: float(seen[1].least.mean())),
        (
            seen.of_vectors.mean(np.abs).reshape(POINTS, VECTORS).mean(axis=1),
            lambda seen: float(seen[1].of_vectors.mean(np.abs).mean()),
        ),
    ):
        place = beside_spectra(mixed, measure).places["independent coupling"]
        assert place == pytest.approx((each.mean(), each.std(ddof=1) / np.sqrt(POINTS)), rel=1e-9)
    without_target = UserFlow("mine:mixed", D, field, differentiates=True)
    assert "near t = 1 own samples are alone: give --target" in audited(without_target)["P5"][1]


def test_derivatives_are_tried_along_directions():
    """A field of which autograd sees a part, or nothing, is found out without a Jacobian, and told."""
    assert obstacle(flow_of().field, D, DOUBLE) == ""
    assert obstacle(NumpyField(lambda _, x: -x), D, DOUBLE) == ARRAYS
    for d in (2, D):
        for velocity, why in WHY.items():
            assert obstacle(next(iter(ways(velocity, "cpu", USUAL))), d, DOUBLE) == why


def test_a_field_without_gradients_is_told_so_and_its_steps_are_counted(monkeypatch):
    """Where whole Jacobians do not fit: each question says why it is open, and Euler's steps need none."""
    monkeypatch.setattr(flow_audits, "MOST_NUMBERS", 1000)
    field = next(iter(ways(without, "cpu", USUAL)))
    flow = UserFlow("mine:field", D, field, obstacle=obstacle(field, D, DOUBLE))
    recorder = Recorder(takes_evidence=False, takes_controls=False)
    hyperbolicity.test_the_spectrum_follows_the_straight_path(Evidence(recorder), flow)
    stability.test_the_end_of_time(Evidence(recorder), flow)
    for audit in recorder.audits.values():
        assert audit.outcome == "cannot be told"
        assert "too large in dimension 130, and products do not do: no gradient reaches x" in audit.measured
    assert len(recorder.audits) == 2
    stability.test_sampling(Evidence(recorder), flow)
    stability.test_in_short(Evidence(recorder), flow, "N3", 4)
    steps, short = list(recorder.audits.values())[2:]
    assert (steps.outcome, steps.measured) == ("cannot be told", 1)
    assert "independent coupling: not known, as fewer than 100 own samples stand" in str(steps.expected)
    assert "straight from t = 0.9, chosen, as its Jacobians are too large" in steps.because
    assert "sample to t = 0.9 and take one straight step" in str(short.measured)


def test_others_are_asked_by_whole_jacobians_or_refused():
    assert not is_large(UserFlow("f", D, NumpyField(lambda _, x: -x)))
    with pytest.raises(ValueError, match="write it for torch tensors"):
        UserFlow("f", D, NumpyField(lambda _, x: -x)).products(0.5, np.zeros((1, D)), np.ones((1, D)))
    with pytest.raises(pytest.skip.Exception, match="by whole Jacobians"):
        products.test_spectra_by_products(None, UserFlow("f", 2, NumpyField(lambda _, x: -x)), "P4", None)
