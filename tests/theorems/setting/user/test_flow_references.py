"""The mark of independent coupling beside a flow's numbers: its own numbers, where they are known."""

from inspect import signature

import numpy as np
import pytest
from scipy.stats import norm

from numerics.flows.exact import ExactField
from numerics.flows.independent import IndependentField
from numerics.potentials import FiniteAtoms
from reports.evidence.fixture import Evidence
from reports.evidence.recorder import Recorder
from theorems.normal_hyperbolicity import test_user_flow as hyperbolicity
from theorems.proximal_denoiser import test_user_flow as denoiser
from theorems.setting.user import flow_batches, flow_references
from theorems.setting.user.flow_audits import answer, trajectories
from theorems.setting.user.flow_batches import scatter_of
from theorems.setting.user.flow_marks import Marks
from theorems.setting.user.flow_references import beside, beside_independent, independent
from theorems.setting.user.flows import UserFlow
from theorems.setting.user.targets import UserTarget
from theorems.setting.user.trying import NumpyField
from theorems.stability import test_user_flow as stability

pytestmark = pytest.mark.usefixtures("few_batches")
SQUARE = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
TARGET = UserTarget("square.npz", SQUARE, np.full(4, 0.25))
ANGLES = np.arange(30) * 2 * np.pi / 30
CIRCLE = UserTarget(
    "circle.npz",
    2 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1),
    np.arange(1, 31) / np.arange(1, 31).sum(),
)
ALL = {"H1", "H4", "H5", "H7", "P3", "P5", "P6"}
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


def flow_of(velocity, target=TARGET, seed=0):
    return UserFlow("mine:field", 2, NumpyField(velocity), target=target, seed=seed)


def asked(flow, monkeypatch):
    """Number and marks of each audit, by its question."""
    found = {}

    def answer(*given, beside=None, **_):
        found[given[2]] = float(given[3]), beside or given[-1]

    evidence = Evidence(Recorder(takes_evidence=False, takes_controls=False))
    for module in (hyperbolicity, denoiser):
        monkeypatch.setattr(module, "answer", answer)
    for audit in AUDITS:
        given = {"rng": np.random.default_rng(3), "user_target": flow.target}
        wanted = signature(audit).parameters.keys() & given
        audit(evidence, flow, **{name: given[name] for name in wanted})
    return found


@pytest.mark.parametrize(("target", "seed", "told"), [(TARGET, 0, ALL - {"H4", "H7"}), (CIRCLE, 5, ALL)])
def test_the_field_itself_stands_at_its_mark(monkeypatch, target, seed, told):
    """A flow of independent pairs has the numbers that are said of them, asked as a user's own field is."""
    field = IndependentField(target.points, target.weights).velocity
    itself = asked(flow_of(field, target, seed), monkeypatch)
    assert {question[:2] for question in itself} == ALL | {"P4"}
    assert len(itself) == len(AUDITS) + 3
    for question, (number, marks) in itself.items():
        mark, error = marks.places["independent coupling"]
        # exponents err by that of 100 trajectories; P3's mark is asked of a fifth of the points
        followed = {"H4": 2e-3, "H7": 0.02, "P3": 3 * error}.get(question[:2], 1e-6)
        assert mark == pytest.approx(number, rel=1e-4, abs=followed), question
        assert marks.worst == question.startswith("P5")
        assert error == 0 if marks.worst else error < mark or mark < 0.02, question
        assert error > 0 or marks.worst or mark < 1e-9, question
    rivals = [(question[:2], marks.rival) for question, (_, marks) in itself.items()]
    assert told <= {claim for claim, rival in rivals if rival and rival.number > 0.01}


def test_an_exact_field_is_at_the_place_that_is_said_of_it(monkeypatch):
    for question, (number, _) in asked(
        flow_of(ExactField(FiniteAtoms.hypercube(2)).velocity), monkeypatch
    ).items():
        assert number == pytest.approx(0.0, abs=2e-3 if question.startswith("H4") else 1e-6), question


def test_what_a_flow_leaves_of_a_limit_widens_the_tolerance_and_makes_nothing_agree():
    """N(0, .01 I) is no circle: .08 is left of its limits by H1, and other couplings have a tenth of that."""
    small = flow_of(lambda t, x: -0.9 * x / (1 - 0.9 * t), CIRCLE)
    recorder = Recorder(takes_evidence=False, takes_controls=False)
    hyperbolicity.test_the_exponents(Evidence(recorder), small)
    hyperbolicity.test_the_terminal_spectrum(Evidence(recorder), small)
    limits = [a for a in recorder.audits.values() if "close to −1 or 0" in a.question]
    assert len(limits) == 2
    for audit in limits:
        assert audit.measured > 0.05
        assert audit.outcome != "agrees"
        assert str(audit.expected).startswith("0; at most ")


def test_of_an_exact_field_that_is_not_at_the_limit_yet():
    """N(0, 4) × {0} by quantiles: exponents are off 0 as H1 says, which is within the tolerance.

    Those of independent pairs, twice as far, are within it, too, so that none of the two is told.
    """
    quantiles = 2 * norm.ppf((np.arange(1500) + 0.5) / 1500)
    flat = UserTarget("flat.npz", np.stack([quantiles, 0 * quantiles], axis=1), np.full(1500, 1 / 1500))

    def exact(t, x):
        return np.stack([x[:, 0] / (1 + t), -x[:, 1] / (1 - t)], axis=1)

    flow = flow_of(exact, flat)
    evidence = Recorder(takes_evidence=False, takes_controls=False)
    hyperbolicity.test_the_exponents(Evidence(evidence), flow)
    (audit,) = evidence.audits.values()
    assert audit.outcome == "cannot be told"
    assert 0.005 < audit.measured < 0.02


def test_a_mark_is_asked_where_its_work_is_small_enough(monkeypatch):
    """Of each number the target may be as large as its evaluations allow; batches are known all the same."""
    monkeypatch.setattr(flow_references, "MOST_EXPONENTIALS", 4e5)
    found = asked(flow_of(lambda _, x: -x), monkeypatch)
    few = {"P3": None, "H4": 2, "H7": 2, "P5": 1, "H1": 3, "H5": 3, "P4": 3}  # of 4 points
    for question, (_, marks) in found.items():
        most = few.get(question[:2], 0 if question.startswith("P6: is the") else 3)
        assert ("independent coupling" in marks.places) == (most is None), question
        assert most is None or f"as square.npz has more than {most} points" in marks.words, question
        assert ("batches of 16" in marks.places) == (
            question[:2] in ("H1", "H5", "P3", "P4") or "straight" in question
        )


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
    assert denoiser._bent(trajectories(other))[0] < 1e-3
    assert denoiser._curl(trajectories(other))[2].mean() < 1e-6


def test_in_many_dimensions_independent_pairs_alone_are_asked():
    points = 3 * np.random.default_rng(2).standard_normal((20, 130))
    weights = np.full(20, 0.05)
    field = IndependentField(points, weights).velocity
    flow = UserFlow("f", 130, NumpyField(field), target=UserTarget("wide.npz", points, weights))
    for measure in (lambda whole: denoiser._bent(whole)[0], lambda whole: denoiser._curl(whole)[2].mean()):
        marks = beside(flow, measure)
        assert marks.places.keys() == {"independent coupling"}
        assert marks.places["independent coupling"][0] == pytest.approx(
            measure(trajectories(flow)), rel=1e-4, abs=1e-6
        )
        assert (
            "batches of 256 and 16 not known, as drawn batches are followed up to dimension 128"
            in marks.words
        )


def test_few_trajectories_tell_no_error():
    marks = beside_independent(flow_of(lambda _, x: -x), lambda _: np.ones(3), 1, "why")
    assert marks.nothing == "as 3 trajectories tell no error"
    assert scatter_of(np.arange(10.0), np.mean) == pytest.approx(np.sqrt(2))  # of ½, 2½, 4½, 6½, 8½
    of_signs = beside_independent(
        flow_of(lambda _, x: -x), lambda _: np.array([-1.0, 2, -1, 2]), 1, "why", more=1
    )
    assert of_signs.places == {"independent coupling": (0.5, pytest.approx(1 + np.sqrt(3) / 2))}


def test_a_field_that_cannot_be_followed_is_asked_once(monkeypatch):
    flow, calls = flow_of(lambda _, x: -x), []

    def fails(flow):
        calls.append(flow)
        raise RuntimeError("too rough")

    monkeypatch.setattr(flow_references, "trajectories", fails)
    monkeypatch.setattr(flow_batches, "MOST_ATOMS", 3)
    for _ in range(3):
        marks = beside(flow, lambda _: 1.0)
        assert "independent coupling not known, as asking it ended in RuntimeError: too rough" in marks.words
    assert len(calls) == 1


def test_own_samples_stand_in_only_where_they_suffice():
    """Of N(0, 4I) along x/(1+t): x₁ = 2x₀; near the end of time atoms are alone, so nothing is said."""
    flow = flow_of(lambda t, x: x / (1 + t), None)
    marks = beside(flow, lambda whole: denoiser._bent(whole)[0])
    assert marks.words.startswith("; on 400 of its own samples batches of 256 ")
    assert 0.05 < marks.places["independent coupling"][0] < 0.9
    of_many = {d: UserFlow("f", d, NumpyField(lambda _, x: -x)) for d in (126, 129)}
    for nothing, why in (
        (beside(flow, lambda _: 1.0, own=False), "near t = 1 own samples are alone: give --target"),
        (beside(of_many[126], lambda _: 1.0), "as fewer than 100 own samples stand in for a target in dim"),
        (beside(of_many[129], lambda _: 1.0), "as fewer than 100 own samples stand in for a target in dim"),
    ):
        undecided(nothing, why)


def undecided(marks, why):
    """Without marks nothing within a tolerance agrees, and the words say why there are none."""
    assert why in marks.words
    assert (marks.places, marks.rival) == ({}, None)


def test_a_flow_that_cannot_be_followed_has_no_mark_of_own_samples():
    rough = flow_of(lambda _, x: 1e3 * np.sign(np.sin(1e4 * x)), None)
    undecided(beside(rough, lambda _: 1.0), "ended in RuntimeError: integration needs more than")


@pytest.mark.parametrize(("allowed", "itself"), [(0.05, "deviates"), (10.0, "cannot be told")])
def test_independent_coupling_agrees_within_no_tolerance(allowed, itself):
    """It is at its mark, not at 0; where that is within the tolerance, nothing at a mark is told apart."""
    flow = flow_of(IndependentField(SQUARE, np.full(4, 0.25)).velocity)
    exact = flow_of(ExactField(FiniteAtoms.hypercube(2)).velocity)
    for one, outcome in ((flow, itself), (exact, "agrees")):
        whole, marks = trajectories(one), beside(one, lambda other: denoiser._bent(other)[0])
        recorder = Recorder(takes_evidence=False, takes_controls=False)
        answer(Evidence(recorder), one, "straight?", denoiser._bent(whole)[0], "why", allowed, marks)
        (audit,) = recorder.audits.values()
        assert audit.outcome == outcome
        assert "it must be nearer to 0 than to that of " in str(audit.expected)


def test_a_flow_as_good_as_the_largest_batches_deviates_in_nothing(monkeypatch):
    """Their number widens the tolerance; within twice its error it is not told on which side a flow is."""
    known = {"batches of 256": (0.2, 0.04), "batches of 16": (0.6, 0.01), "independent coupling": (0.9, 0.01)}
    monkeypatch.setattr(flow_batches, "DRAWN", {256: (8, 1), 16: (8, 1)})
    outcomes = {
        0.04: "agrees",
        0.19: "agrees",
        0.23: "cannot be told",
        0.27: "cannot be told",
        0.29: "deviates",
    }
    for measured, outcome in outcomes.items():
        recorder = Recorder(takes_evidence=False, takes_controls=False)
        answer(Evidence(recorder), flow_of(lambda _, x: -x), "q", measured, "why", 0.05, Marks("t", known))
        (audit,) = recorder.audits.values()
        assert audit.outcome == outcome
        assert "at most 0.2 of the largest batches counts as agreement" in str(audit.expected)
    unknown = Marks("t", {"batches of 256": (0.06, 0.05), "independent coupling": (0.9, 0.01)})
    assert unknown.best == pytest.approx((0.0, 0.16)), "not told from 0, it may be as large"


def test_steps_and_the_end_agree_only_where_independent_coupling_does_not():
    """Independent pairs bend on the square, so that one step agrees; both end at its points alike."""
    exact = flow_of(ExactField(FiniteAtoms.hypercube(2)).velocity)
    itself = flow_of(IndependentField(SQUARE, np.full(4, 0.25)).velocity)
    said = {}
    for name, flow in (("exact", exact), ("itself", itself)):
        recorder = Recorder(takes_evidence=False, takes_controls=False)
        stability.test_sampling(Evidence(recorder), flow)
        stability.test_the_end_of_time(Evidence(recorder), flow)
        stability.test_in_short(Evidence(recorder), flow, "H5", 3)
        said[name] = {
            a.question[:2]: (a.outcome, a.measured, str(a.expected)) for a in recorder.audits.values()
        }
    steps = said["itself"]["N3"][1]
    assert steps > 1
    assert said["itself"]["N3"][0] == "deviates"
    assert said["exact"]["N3"] == (
        "agrees",
        1,
        f"1: an exact field is straight; independent coupling: {steps}",
    )
    for name in said:
        outcome, measured, expected = said[name]["H5"]
        assert (outcome, measured) == ("cannot be told", "0.99"), name
        assert expected.endswith("; independent coupling: follows to the end, too"), name
        assert said[name]["In"][0] == "cannot be told", name
