"""The mark of independent coupling beside a flow's numbers: its own numbers, where they are known."""

from inspect import signature

import numpy as np
import pytest

from numerics.flows.exact import ExactField
from numerics.flows.independent import IndependentField
from numerics.potentials import FiniteAtoms
from reports.evidence.fixture import Evidence
from reports.evidence.recorder import Recorder
from theorems.normal_hyperbolicity import test_user_flow as hyperbolicity
from theorems.proximal_denoiser import test_user_flow as denoiser
from theorems.setting.user import flow_references
from theorems.setting.user.flow_audits import answer, trajectories
from theorems.setting.user.flow_references import beside, independent
from theorems.setting.user.flows import UserFlow
from theorems.setting.user.targets import UserTarget
from theorems.setting.user.trying import NumpyField

pytestmark = pytest.mark.usefixtures("few_batches")
SQUARE = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
TARGET = UserTarget("square.npz", SQUARE, np.full(4, 0.25))
AUDITS = (
    hyperbolicity.test_the_spectrum_follows_the_straight_path,
    hyperbolicity.test_the_terminal_spectrum,
    hyperbolicity.test_the_exponents,
    hyperbolicity.test_the_intrinsic_dimension,
    denoiser.test_the_field_has_no_curl,
    denoiser.test_the_spectral_bounds,
    denoiser.test_trajectories_are_straight,
    denoiser.test_the_distance_to_the_exact_field,
    denoiser.test_energy_and_cost,
)


def flow_of(velocity, target=TARGET):
    return UserFlow("mine:field", 2, NumpyField(velocity), target=target)


def asked(flow):
    """Number and expectation of each audit, by the start of its question."""
    recorder = Recorder(takes_evidence=False, takes_controls=False)
    for audit in AUDITS:
        given = {"rng": np.random.default_rng(3), "user_target": flow.target}
        audit(
            Evidence(recorder),
            flow,
            **{name: given[name] for name in signature(audit).parameters.keys() & given},
        )
    return {a.question: (a.measured, str(a.expected)) for a in recorder.audits.values()}


def marked(words):
    """The number of independent coupling, to two digits; 0 where it is said to be below something."""
    said = words.partition("independent coupling ")[2].split()
    return 0.0 if said[0] == "below" else float(said[0].rstrip(","))


def test_the_field_itself_stands_at_its_mark():
    """A flow of independent pairs has the numbers that are said of them; an exact one 0 beside them."""
    field = IndependentField(SQUARE, np.full(4, 0.25)).velocity
    itself, exact = asked(flow_of(field)), asked(flow_of(ExactField(FiniteAtoms.hypercube(2)).velocity))
    assert set(itself) == set(exact)
    assert len(itself) == len(AUDITS) + 3
    for question, (number, words) in itself.items():
        assert marked(words) == pytest.approx(number, rel=0.05, abs=1e-6), question  # two digits
        assert marked(exact[question][1]) == marked(words), question
    told = {question[:2] for question, (_, words) in exact.items() if marked(words) > 0.1}
    assert told == {"H1", "H5", "P3", "P5", "P6"}
    for question in exact:
        assert question[:2] not in told or exact[question][0] < 1e-6, question
    (no_curl,) = (words for question, (_, words) in itself.items() if question.startswith("P4"))
    assert marked(no_curl) < 1e-6  # a gradient: its field is a score


def test_a_batch_stands_between_the_exact_field_and_independent_pairs():
    """The marks of P6 and H1 rise, and each question that has marks has its scale in the report."""
    recorder = Recorder(takes_evidence=False, takes_controls=False, wants_figures=True)
    denoiser.test_trajectories_are_straight(
        Evidence(recorder), flow_of(ExactField(FiniteAtoms.hypercube(2)).velocity)
    )
    (audit,) = recorder.audits.values()
    assert "batches of 16 " in str(audit.expected)
    assert [figure.title for figure in recorder.figures.values()] == [f"mine:field: {audit.question}"]
    marks = beside(flow_of(lambda _, x: -x), lambda whole: denoiser._bent(whole)[0])
    number, error = marks.places["batches of 16"]
    assert 2 * error < number < marks.places["independent coupling"][0] - 2 * error


def test_one_point_leaves_no_choice_of_a_coupling():
    """All plans are one, so that independent pairs are optimal: every number is 0."""
    point = UserTarget("point.npz", np.array([[1.0, 2.0]]), np.ones(1))
    other = independent(flow_of(lambda _, x: -x, point))
    assert other is not None
    assert denoiser._bent(trajectories(other))[0] < 1e-3
    assert denoiser._curl(trajectories(other))[2].mean() < 1e-6


def test_in_many_dimensions_independent_pairs_alone_are_asked_and_of_trajectories_alone():
    points = 3 * np.random.default_rng(2).standard_normal((20, 130))
    weights = np.full(20, 0.05)
    field = IndependentField(points, weights).velocity
    flow = UserFlow("f", 130, NumpyField(field), target=UserTarget("wide.npz", points, weights))
    marks = beside(flow, lambda whole: denoiser._bent(whole)[0], jacobians=False)
    assert marks.places.keys() == {"independent coupling"}
    assert marks.places["independent coupling"][0] == pytest.approx(denoiser._bent(trajectories(flow))[0])
    assert "batches of 16 not known, as drawn batches are followed up to dimension 128" in marks.words
    undecided(beside(flow, lambda _: 1.0), "as they are asked up to dimension 128")


def test_own_samples_stand_in_only_where_they_suffice(monkeypatch):
    """Of N(0, 4I) along x/(1+t): x₁ = 2x₀; near the end of time atoms are alone, so nothing is said."""
    flow = flow_of(lambda t, x: x / (1 + t), None)
    marks = beside(flow, lambda whole: denoiser._bent(whole)[0])
    assert marks.words.startswith("; on 400 of its own samples batches of 16 ")
    assert 0.05 < marks.places["independent coupling"][0] < 0.9
    monkeypatch.setattr(flow_references, "MOST_WORK", 700)
    large = UserTarget("square.npz", SQUARE, np.full(4, 0.25))
    of_many = {d: UserFlow("f", d, NumpyField(lambda _, x: -x)) for d in (126, 129)}
    for nothing, why in (
        (beside(flow, lambda _: 1.0, own=False), "near t = 1 own samples are alone: give --target"),
        (beside(of_many[126], lambda _: 1.0), "as fewer than 100 own samples stand in for a target in dim"),
        (beside(of_many[129], lambda _: 1.0), "as they are asked up to dimension 128"),
        (beside(flow_of(lambda _, x: -x, large), lambda _: 1.0), "as square.npz has more than 3 points"),
    ):
        undecided(nothing, why)


def undecided(marks, why):
    """Without marks nothing within a tolerance agrees, and the words say why there are none."""
    assert why in marks.words
    assert (marks.places, marks.rival) == ({}, None)


def test_a_flow_that_cannot_be_followed_has_no_mark_of_own_samples():
    rough = flow_of(lambda _, x: 1e3 * np.sign(np.sin(1e4 * x)), None)
    undecided(beside(rough, lambda _: 1.0), "ended in RuntimeError: integration needs more than")


def test_independent_coupling_deviates_where_its_own_mark_is_told_from_0():
    """However small a tolerance would have let it agree: it is at its mark, not at 0."""
    flow = flow_of(IndependentField(SQUARE, np.full(4, 0.25)).velocity)
    exact = flow_of(ExactField(FiniteAtoms.hypercube(2)).velocity)
    for one, outcome in ((flow, "deviates"), (exact, "agrees")):
        whole, marks = trajectories(one), beside(one, lambda other: denoiser._bent(other)[0])
        recorder = Recorder(takes_evidence=False, takes_controls=False)
        answer(Evidence(recorder), one, "straight?", denoiser._bent(whole)[0], "why", 10.0, marks)
        (audit,) = recorder.audits.values()
        assert audit.outcome == outcome
        assert "it must be nearer to 0 than to that of " in str(audit.expected)
