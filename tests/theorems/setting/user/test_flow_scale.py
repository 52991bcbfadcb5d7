"""A flow's place among couplings, on fields whose place is known in closed form."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

from numerics.flows.exact import ExactField
from numerics.flows.independent import IndependentField
from numerics.potentials import FiniteAtoms
from numerics.transport import solve
from numerics.transport.minibatch import assignment_probability
from reports.evidence.fixture import Evidence
from reports.evidence.recorder import Recorder
from theorems.minibatch_convergence import test_user_flow as couplings
from theorems.setting.user import flow_words
from theorems.setting.user.flow_scale import POINTS, Side, own_samples, placed, references, scale
from theorems.setting.user.flow_standing import BATCHES, Scale, name_of
from theorems.setting.user.flows import UserFlow
from theorems.setting.user.targets import UserTarget
from theorems.setting.user.trying import NumpyField
from theorems.stability import test_user_flow as stability

ATOMS = np.sort(np.random.default_rng(7).standard_normal(12) * 1.5)[:, None]
SHARES = np.full(12, 1 / 12)


def flow_of(velocity, target=None, seed=0, dim=1):
    return UserFlow("mine:field", dim, NumpyField(velocity), seed=seed, target=target)


def law(n):
    """The field of batches of n for atoms on a line, in closed form (M5): P(x₁ ≤ y_j | u) = G_n(u, W_j)."""

    def velocity(t, x):
        ranks = ndtr((x - t * ATOMS.T) / (1 - t))
        below = [assignment_probability(ranks, np.broadcast_to(w, ranks.shape), n) for w in sums()]
        share = np.array([below[k + 1][:, k] - below[k][:, k] for k in range(len(ATOMS))]).T
        weight = share * np.exp(-(((x - t * ATOMS.T) / (1 - t)) ** 2) / 2)
        return (weight @ ATOMS / weight.sum(axis=1, keepdims=True) - x) / (1 - t)

    return velocity


def sums():
    return np.minimum(np.concatenate([[0.0], np.cumsum(SHARES)]), 1.0)


@pytest.fixture(scope="module")
def known():
    """The exact field, and those of batches of 256, 64, 16 and of independent coupling, all closed."""
    exact = ExactField(solve(ATOMS, SHARES).potential).velocity
    fields = {"the exact field": exact} | {name_of(n): law(n) for n in BATCHES}
    return fields | {name_of(1): IndependentField(ATOMS, SHARES).velocity}


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 20_000])
def test_the_ranking_of_known_couplings(known, seed):
    """Exact < 256 < 64 < 16 < independent, each at its own mark: the marks are drawn, the flows are laws."""
    side = Side(ATOMS, SHARES, solve(ATOMS, SHARES).potential)
    noise = np.random.default_rng(seed).standard_normal((POINTS, 1))
    data = side.potential.transport(noise)
    points = [(t, (1 - t) * noise + t * data) for t in (0.1, 0.3, 0.5, 0.7, 0.9)]
    marks = references([side], points, "atoms", seed)
    seen = {name: placed(flow_of(field), marks) for name, field in known.items()}
    found = [here.found for here in seen.values()]
    assert found == sorted(found)
    assert len(set(found)) == len(found)
    assert list(marks.places.values()) == sorted(marks.places.values())
    for name, here in seen.items():
        error = marks.errors[name]
        assert abs(here.found - here.places[name]) <= 2 * error + 1e-9, name
        assert error <= 0.2 * here.places[name], name
        assert here.apart == 0
    assert seen["the exact field"].pairs == np.inf
    assert seen[name_of(1)].pairs < 2
    assert 40 < seen["batches of 64"].pairs < 100


def test_couplings_are_told_apart_in_large_dimensions():
    """28e₁, …, 28e₃₀ in R⁷⁸⁴ lie as far apart as noise: a point soon says which atom it leads to."""
    points, shares = 28.0 * np.eye(30, 784), np.full(30, 1 / 30)
    target = UserTarget("corners.npz", points, shares, given=solve(points))
    exact = ExactField(target.solution.potential).velocity
    single = scale(flow_of(lambda t, x: exact(t, x).astype(np.float32), target, dim=784))
    marks = list(single.places.values())
    assert marks == sorted(marks)
    assert marks[1] > 0.05
    assert (single.found < 1e-6, single.outcome) == (True, "agrees")
    middle = shares @ points
    nearly = scale(flow_of(lambda t, x: middle + 1.005 * (exact(t, x) - middle), target, dim=784))
    assert nearly.found == pytest.approx(0.005, rel=1e-6)
    assert nearly.outcome == "agrees"
    apart = scale(flow_of(IndependentField(points, shares).velocity, target, dim=784))
    assert apart.outcome == "deviates"


def test_own_samples_stand_in_for_a_target():
    """The exact field of N(0, 4I) is told from independent coupling's, which own samples resolve."""
    exact = scale(flow_of(lambda t, x: x / (1 + t), dim=2))
    assert exact.resolved
    assert exact.found < exact.allowed == exact.apart < 0.4
    half = scale(
        flow_of(lambda t, x: (5 * t - 1) * x / ((1 - t) ** 2 + 4 * t**2), dim=2)
    )  # N(0, 4I), coupled apart
    assert half.found > max(half.allowed, half.places["batches of 16"])
    assert half.found == pytest.approx(half.places[name_of(1)], rel=0.1)


def test_atoms_of_its_own_are_merged():
    square = scale(flow_of(ExactField(FiniteAtoms.hypercube(2)).velocity, dim=2))
    assert square.found < square.allowed < square.places["batches of 16"]
    assert square.outcome == "agrees"


def test_the_audit_says_where_it_stands(known):
    recorder = Recorder(takes_evidence=False, takes_controls=False)
    target = UserTarget("line.npz", ATOMS, SHARES)
    for name in ("the exact field", "batches of 16"):
        flow = replace(flow_of(known[name], target), name=name)
        couplings.test_its_place_among_couplings(Evidence(recorder), flow)
    first, second = recorder.audits.values()
    assert (first.outcome, second.outcome) == ("agrees", "deviates")
    assert "of batches of 256" in str(first.expected)
    assert "on line.npz" in first.because
    assert "between the exact field and batches of 256" in first.because
    assert "standard error" in second.because


def test_words():
    places = {"the exact field": 0.0, "batches of 256": 0.1, "batches of 64": 0.2, "batches of 16": 0.4}
    seen = Scale(
        "x", (0.5,), 0.3, 0.0, places | {"independent coupling": 0.8}, {}, 0.0, {}, 0.5, 0.5, np.zeros(1)
    )
    assert seen.place == "between batches of 64 and batches of 16"
    assert 16 < seen.pairs < 64
    assert replace(seen, found=0.9).place == "beyond independent coupling"
    assert not replace(seen, apart=0.5).resolved
    assert replace(seen, apart=0.3).resolved
    assert not replace(seen, apart=0.3, places=places | {"independent coupling": 0.5}).resolved
    assert replace(seen, apart=0.5).outcome == "cannot be told"
    nearer = {0.0: "agrees", 0.1: "agrees", 0.11: "deviates", 0.5: "deviates"}
    assert {found: replace(seen, found=found).outcome for found in nearer} == nearer
    wide = replace(seen, apart=0.25)
    assert wide.rival is None, "batches of 16 are not told from the exact field"
    undecided = {0.1: "cannot be told", 0.26: "deviates"}
    assert {found: replace(wide, found=found).outcome for found in undecided} == undecided
    close = replace(seen, places=places | {"batches of 16": 0.15, "independent coupling": 0.8})
    assert replace(close, found=0.08).outcome == "cannot be told", "batches of 256 are farther off"
    assert replace(close, found=0.07).outcome == "agrees"
    collapsed = dict.fromkeys(places, 1e-9) | {"independent coupling": 5e-5}
    in_many = {2.5e-8: "agrees", 0.005: "cannot be told", 0.06: "deviates"}
    told = {found: replace(seen, places=collapsed, found=found).outcome for found in in_many}
    assert told == in_many, "rounding is no coupling"
    assert own_samples(2) == 400
    assert 4000 * own_samples(784) ** 2 * 784 <= 5e9


def test_unresolved_decides_nothing():
    seen = Scale(
        "own samples", (0.5,), 0.0, 0.0, {"the exact field": 0.0}, {}, 0.5, {}, 0.5, 0.5, np.zeros(1)
    )
    assert "nothing is decided, give --target" in couplings.because(seen)


def test_what_cannot_be_told_does_not_deviate(monkeypatch):
    places = {"the exact field": 0.0, "batches of 256": 0.1, "independent coupling": 0.6}
    seen = Scale("own samples", (0.5,), 0.4, 0.01, places, {}, 0.5, {}, 0.5, 0.5, np.zeros(1))
    for module in (couplings, stability, flow_words):
        monkeypatch.setattr(module, "scale", lambda _: seen)
    recorder = Recorder(takes_evidence=False, takes_controls=False)
    couplings.test_its_place_among_couplings(Evidence(recorder), flow_of(lambda _, x: -x))
    stability.test_in_short(Evidence(recorder), flow_of(lambda _, x: -x), "M4", 1)
    assert {audit.outcome for audit in recorder.audits.values()} == {"cannot be told"}


@pytest.mark.parametrize("seed", range(3))
def test_rare_data_far_out_are_not_missed(seed):
    """An atom of weight 0.003 at 40 has most of E|v − Ev|²: a flow that knows nothing of it is far off."""
    near = np.random.default_rng(1).standard_normal((29, 2))
    points = np.concatenate([near, [[40.0, 0.0]]])
    target = UserTarget("rare.npz", points, np.append(np.full(29, 0.997 / 29), 0.003))
    ignorant = ExactField(solve(near).potential).velocity
    seen = scale(flow_of(ignorant, target, seed, dim=2))
    noise = np.random.default_rng(9).standard_normal((200_000, 2))
    exact = target.solution.potential.transport(noise) - noise
    wrong = ((ignorant(0.0, noise) - exact) ** 2).sum(axis=1).mean()  # as at all times soon after
    assert seen.outcome == "deviates"
    assert seen.found > 0.5
    assert wrong > 0.25 * exact.var(axis=0).sum()


@pytest.mark.parametrize("shift", [0.0, 30.0, 1000.0])
def test_a_place_does_not_depend_on_where_the_target_lies(shift):
    moved = UserTarget("moved.npz", ATOMS + shift, SHARES)
    here = scale(flow_of(IndependentField(ATOMS, SHARES).velocity, UserTarget("line.npz", ATOMS, SHARES)))
    there = scale(flow_of(IndependentField(ATOMS + shift, SHARES).velocity, moved))
    assert there.outcome == here.outcome == "deviates"
    assert there.found == pytest.approx(here.found, rel=1e-6)


def test_one_point_is_known_though_nothing_stands_beside_it():
    point = UserTarget("point.npz", np.array([[1.0, 2.0]]), np.ones(1))
    assert scale(flow_of(lambda _, x: 5 * x, point, dim=2)).outcome == "deviates"


@pytest.mark.parametrize("seed", range(4))
def test_what_is_as_good_as_batches_of_256_does_not_deviate(known, seed):
    """Its number is the tolerance itself, on either side of it by chance: it agrees or cannot be told."""
    target = UserTarget("line.npz", ATOMS, SHARES)
    assert scale(flow_of(known[name_of(256)], target, seed)).outcome != "deviates"


def test_a_mark_of_0_is_no_place_among_batch_sizes():
    places = {"the exact field": 0.0, "batches of 256": 0.0, "batches of 64": 0.05, "batches of 16": 0.15}
    seen = Scale(
        "x", (0.5,), 0.3, 0.0, places | {"independent coupling": 0.8}, {}, 0.0, {}, 0.5, 0.5, np.zeros(1)
    )
    assert 1 < seen.pairs < 16
    assert replace(seen, found=0.01).pairs == np.inf
    turned = replace(seen, found=0.1, places=seen.places | {"batches of 256": 0.2})
    assert 16 < turned.pairs < 64
    lost = replace(seen, left_out={"batches of 64": 0.5, "batches of 16": 0.05})
    assert set(lost.known) == set(seen.places) - {"batches of 64"}


def test_what_a_place_errs_by_makes_nothing_agree_and_nothing_deviate():
    places = {"the exact field": 0.0, "batches of 256": 0.1, "batches of 16": 0.4}
    errors = {"batches of 256": 0.02, "batches of 16": 0.03}
    seen = Scale("x", (0.5,), 0.0, 0.0, places, errors, 0.0, {}, 0.5, 0.5, np.zeros(1))
    found = {0.09: "agrees", 0.12: "cannot be told", 0.15: "deviates"}
    assert {number: replace(seen, found=number).outcome for number in found} == found
    unsure = {0.05: "agrees", 0.09: "cannot be told", 0.15: "cannot be told", 0.17: "deviates"}
    told = {number: replace(seen, found=number, error=0.01).outcome for number in unsure}
    assert told == unsure
