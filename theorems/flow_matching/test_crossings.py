"""F7: conditional paths cross, trajectories do not, in time and space.

As curves in space trajectories may meet, at different times.
"""

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.special import ndtr

from numerics.accuracy import Rounding
from numerics.flows.exact import ExactField
from numerics.flows.integration import trajectory
from numerics.flows.mixtures import MixtureField
from numerics.flows.paths import OptimalTransportPath
from numerics.potentials import DegenerateGaussian
from theorems.flow_matching.drawn import NOTES, mixture
from theorems.flow_matching.figures import draw_crossings
from theorems.flow_matching.marginals_on_the_line import distribution, rank_rounding, steepest
from theorems.flow_matching.quadrature import resolved
from theorems.flow_matching.roundings import SOLVED
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, for_all
from theorems.setting.vectors import norm
from theorems.statistics import hoeffding

LEVEL, PAIRS = 1e-10, 100_000
TWO = MixtureField([[-2.0], [2.0]], [[[0.25]], [[0.25]]], [0.5, 0.5])


@pytest.mark.claim("F7")
@pytest.mark.parametrize(("spread", "end"), [(1.0, 0.0), (1.0, 0.25), (0.5, 0.5)])
def test_conditional_paths_cross(evidence, rng, spread, end):
    """Two paths cross iff Δ₀ and σ_minΔ₀ + Δ₁ differ in sign: P = ½ − arcsin(ρ)/π, ρ² = σ²/(σ²+s²)."""
    x0, x1 = rng.standard_normal((2, PAIRS)), spread * rng.standard_normal((2, PAIRS))
    expected = 0.5 - np.arcsin(end / np.hypot(end, spread)) / np.pi
    evidence.on("N(0, s²)", s=spread, smallest=end).statistical(
        "|share of crossing pairs − probability|",
        abs(_crossing(OptimalTransportPath(end), x0, x1) - expected),
        hoeffding(PAIRS, 1.0, LEVEL),
        level=LEVEL,
        because="Hoeffding: the pairs are independent",
        points=PAIRS,
        clause="crossing",
    )


def _crossing(path, x0, x1):
    """Share of pairs of conditional paths, ends (2,n), whose order changes at one of five times."""
    x = np.stack([path.flow(t, x0.reshape(-1, 1), x1.reshape(-1, 1)) for t in np.linspace(0, 1, 5)])
    order = np.sign(np.diff(x.reshape(5, 2, -1), axis=1)[:, 0])
    return float((order != order[0]).any(axis=0).mean())


@for_all("F7", seed=SEEDS, dim=st.integers(1, 3), end=st.sampled_from([0.0, 0.1]))
def test_trajectories_stay_apart(evidence, seed, dim, end):
    """Du_t ≥ (σ̇/σ)I, as the posterior's covariance is ≥ 0: |X_t(x) − X_t(y)| ≥ σ_t|x − y|, near or far.

    One atom attains it (next check); that the trajectories are those of the path is F4's.
    """
    rng = generator(seed)
    path = OptimalTransportPath(end)
    field = mixture(rng, dim, 3, path)
    x = rng.standard_normal((8, dim))
    y = x + 10.0 ** rng.uniform(-3, 0, (8, 1)) * rng.standard_normal((8, dim))
    times = np.array([0.0, 0.25, 0.5, 0.75, 0.9, 1.0])
    found = trajectory(field.velocity, np.concatenate([x, y]), times)
    on = evidence.on("mixture target", seed=seed, dim=dim, smallest=end)
    for t, states, error in zip(times[1:], found.states[1:], found.error[1:], strict=True):
        on.estimated(
            "σ_t|x − y| − |X_t(x) − X_t(y)|",
            path.deviation(t) * norm(x - y) - norm(states[:8] - states[8:]),
            2 * np.sqrt(dim) * error,
            by=SOLVED,
            because="Grönwall, downwards; error of both trajectories",
            clause="apart",
        )


@pytest.mark.claim("F7")
@pytest.mark.parametrize("end", [0.1, 0.5])
def test_the_distance_is_attained(evidence, rng, end):
    """A single atom leaves no doubt about x₁: |X_t(x) − X_t(y)| is σ_t|x − y| itself, up to t = 1."""
    path = OptimalTransportPath(end)
    field = MixtureField([[1.0, -2.0]], np.zeros((1, 2, 2)), [1.0], path)
    x, times = rng.standard_normal((16, 2)), np.linspace(0, 1, 5)
    found = trajectory(field.velocity, x, times)
    apart = norm(found.states[:, :8] - found.states[:, 8:])
    evidence.on("one atom", smallest=end).estimated(
        "||X_t(x) − X_t(y)| − σ_t|x − y||",
        np.abs(apart - np.array([path.deviation(t) for t in times])[:, None] * norm(x[:8] - x[8:])),
        2 * np.sqrt(2) * resolved(found.error)[:, None],
        by=SOLVED,
        because="Du_t = (σ̇/σ)I; error of both trajectories",
        clause="apart",
    )


@pytest.mark.claim("F7")
def test_trajectories_on_the_line_do_not_cross(evidence):
    """Sixty noises keep their ranks, F_t(X_t(x₀)) = Φ(x₀), so that F_t, which rises, keeps their order."""
    start = np.linspace(-3.5, 3.5, 60)[:, None]
    times = np.linspace(0, 1, 9)
    found = trajectory(TWO.velocity, start, times)
    resolved(found.error)
    on = evidence.on("two Gaussians")
    for t, x, error in zip(times, found.states[:, :, 0], found.error, strict=True):
        on.estimated(
            "|F_t(X_t(x₀)) − Φ(x₀)|",
            np.abs(distribution(TWO, t, x) - ndtr(start[:, 0])),
            steepest(TWO, t) * error + rank_rounding(TWO, t).bound,
            by=SOLVED,
            because="F_t is Lipschitz with the largest density; error of the integration",
            clause="apart",
        )
    evidence.figure(
        "Conditional paths, marginal trajectories and OT trajectories (the notes' Figure 2, on the line)",
        "Position against time. Left: straight lines from noise to one of two clouds, crossing. Middle: "
        "curved lines that part between the clouds and never cross. Right: straight lines that do not cross.",
        draw_crossings,
        size=(8.4, 3.2),
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("F7")
def test_sorted_pairs_do_not_cross(evidence, rng):
    """The crossing count sees the coupling: for the monotone pairs it is 0 in place of ½."""
    x0, x1 = np.sort(rng.standard_normal((2, 2, 2000)), axis=1)
    evidence.on("N(0, 1)").control(
        "monotone pairs taken for independent ones: share of crossing pairs",
        predicted=0.0,
        measured=_crossing(OptimalTransportPath(), x0, x1),
        agreement=0.0,
        because="(x₀−x₀')(x₁−x₁') ≥ 0, and products of floats by t keep the order; a count",
        intact=0.5,
    )


def _of_shift(field, x0, shift, times):
    """∫ of what the field b states of itself along the two trajectories, at most: t is below 1."""
    at = np.array([[x0 + shift], [x0 + 1.5 * shift]])
    return max(field.roundings.velocity(t, at).bound.max() for t in times[1:])


@pytest.mark.control("F7")
def test_crossing_needs_the_time(evidence):
    """A translation by b: the trajectories of x₀ and x₀ + b/2 share points of space, at times ½ apart."""
    shift, x0, times = 3.0, -0.5, np.linspace(0, 1, 9)
    field = ExactField(DegenerateGaussian([shift], [[1.0]]))
    first, second = (
        trajectory(field.velocity, [[x]], times[:-1]).states[:, 0, 0] for x in (x0, x0 + shift / 2)
    )
    moved = "64 steps of order 8 to either solution at most, 16 roundings each"
    rounding = 2 * (Rounding(shift + abs(x0), 64 * 16, moved).bound + _of_shift(field, x0, shift, times[:-1]))
    on = evidence.on("N(0,1) to N(3,1), OT")
    on.control(
        "crossing meant in space alone: gap between a point of one trajectory and one of another",
        predicted=0.0,
        measured=abs(second[0] - first[4]),
        agreement=rounding,
        because="X_0(x₀ + b/2) = X_½(x₀), as the field is b",
        intact=abs(second[4] - first[4]),
    )
    on.bounded(
        "||X_t(x₀ + b/2) − X_t(x₀)| − b/2| at equal times",
        np.abs(np.abs(second - first) - shift / 2),
        Rounding.measured(rounding, f"{moved}; what the field states, integrated"),
        because="the field is b: both are moved alike, and Runge–Kutta is exact for it",
    )
    on.audit(
        "Do marginal trajectories have no point of space in common?",
        "deviates" if abs(second[0] - first[4]) <= rounding else "agrees",
        "none",
        f"{second[0]:.6g} at t = 0 and {first[4]:.6g} at t = 1/2",
        because="the field depends on t: uniqueness forbids meeting at equal times alone",
        subject=f"{NOTES}, Figure 2",
        kind="equation",
    )
