"""P1: φ is the potential of an optimal transport from noise to data.

Assumed: nothing but the contract. In the order of the proof: the Fenchel–Young gap, cyclical monotonicity
of samples with its dual certificate, strong duality against closed forms. The push-forward: `test_weights`,
`test_laws`, `test_push_forward`.
"""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.special import gammaln

from numerics.accuracy import Rounding
from numerics.potentials import FiniteAtoms, Sphere
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, TARGETS, for_all
from theorems.setting.roundings import gap_rounding
from theorems.setting.vectors import dot, norm
from theorems.statistics import gaussian_lipschitz

LEVEL = 1e-9


@for_all("P1", target=TARGETS, seed=SEEDS)
def test_gap_vanishes_on_optimal_pairs(evidence, target, seed):
    x0, x1 = target.sample(300, generator(seed))
    gap = target.value(x1) + target.conjugate(x0) - dot(x0, x1)
    evidence.on(target, seed=seed).bounded(
        "|φ(x₁) + φ*(x₀) − ⟨x₀, x₁⟩|",
        np.abs(gap),
        gap_rounding(target, x1, x0) + _of_image(target, x0),
        because="the gap of (x₀, T(x₀)) is 0 exactly",
        clause="gap",
    )


def _of_image(target, x0):
    """An error δ of x₁ moves ⟨x₀, x₁⟩ − φ(x₁) by at most 2|x₀||δ|, to first order: x₀ ∈ ∂φ(x₁)."""
    return target.roundings.transport(x0).amplified(2 * norm(x0), "an error of x₁ moves the gap")


@for_all("P1", target=TARGETS, seed=SEEDS)
def test_gap_is_nonnegative_on_all_pairs(evidence, target, seed):
    x0, x1 = target.sample(40, generator(seed))
    rows, columns = (i.ravel() for i in np.indices((40, 40)))
    noise, data = x0[rows], x1[columns]
    value = target.value(x1)
    assert np.isfinite(value).all(), "φ is +inf on the data"
    gap = value[columns] + target.conjugate(x0)[rows] - dot(noise, data)
    evidence.on(target, seed=seed).bounded(
        "how far the gap falls below 0",
        np.maximum(-gap, 0.0),
        gap_rounding(target, data, noise),
        because="the exact gap is nonnegative at every point of dom φ",
        clause="gap",
    )


@for_all("P1", target=TARGETS, seed=SEEDS)
def test_identity_is_an_optimal_assignment(evidence, target, seed):
    x0, x1 = target.sample(60, generator(seed))
    gain = x0 @ x1.T
    _, best = linear_sum_assignment(-gain)
    improvement = gain[np.arange(60), best].sum() - np.trace(gain)
    gaps = target.value(x1) + target.conjugate(x0) - dot(x0, x1)
    of_gaps = gap_rounding(target, x1, x0).bound.sum()
    sums = Rounding(2 * np.abs(gain).max() * 60, target.dim + 60, "two sums of 60 inner products")
    evidence.on(target, seed=seed).bounded(
        "what the best assignment gains over the identity",
        max(improvement, 0.0),
        Rounding.measured(of_gaps, "the gaps of the pairs") + sums,
        because="(φ*(x₀ⁱ), φ(x₁ʲ)) is dual feasible, so no assignment gains more than the sum of the gaps",
        main=np.abs(gaps).sum(),
        points=60,
        clause="assignment",
    )


def _mean_length(d):
    """E|x₀| for x₀ ~ N(0, I_d)."""
    return np.sqrt(2) * np.exp(gammaln((d + 1) / 2) - gammaln(d / 2))


EXPECTED_CONJUGATES = [
    (Sphere(2, 2.0), 2.0 * _mean_length(2), 2.0),
    (Sphere(7), _mean_length(7), 1.0),
    (FiniteAtoms.hypercube(5), 5 * np.sqrt(2 / np.pi), np.sqrt(5)),
    (FiniteAtoms.two([0.0, 0.0], [3.0, 4.0], 0.3), None, 5.0),
]


def _two_atom_mean(weight, distance):
    """E max(0, Δp − bΔ) for p ~ N(0,1), b = Φ⁻¹(weight): Δ(density(b) − b(1 − weight))."""
    from scipy.stats import norm as normal

    b = normal.ppf(weight)
    return distance * (normal.pdf(b) - b * (1 - weight))


@pytest.mark.claim("P1")
@pytest.mark.parametrize("case", range(len(EXPECTED_CONJUGATES)))
def test_strong_duality_against_closed_forms(evidence, rng, case):
    target, expected, lipschitz = EXPECTED_CONJUGATES[case]
    expected = _two_atom_mean(0.3, 5.0) if expected is None else expected
    n = 100_000
    x0, x1 = target.sample(n, rng)
    primal = (dot(x0, x1) - target.value(x1)).mean()
    evidence.on(target, n=n).statistical(
        "|mean of ⟨x₀, x₁⟩ − φ(x₁), less E φ*(x₀) in closed form|",
        abs(primal - expected),
        threshold=gaussian_lipschitz(n, lipschitz, LEVEL),
        level=LEVEL,
        because="φ* is max|y|-Lipschitz: Gaussian concentration of the mean",
        points=n,
        clause="duality",
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("P1")
@pytest.mark.parametrize(("dim", "degrees"), [(2, 30), (2, 90), (2, 120), (6, 60)])
def test_rotated_coupling_costs_more(evidence, rng, dim, degrees):
    """x₁ = R·Q_θ·x₀/|x₀|: the same marginals, a larger cost. In even dimension Q_θ turns every plane."""
    target, n = Sphere(dim, 2.0), 100_000
    theta = np.deg2rad(degrees)
    x0, x1 = target.sample(n, rng)
    turned = _turn(x1, theta)
    excess = (norm(x0 - turned) ** 2 - norm(x0 - x1) ** 2).mean()
    slope = 2 * target.radius * (1 - np.cos(theta))
    evidence.on(target, degrees=degrees).control(
        "optimal coupling replaced by a rotated one: excess cost",
        predicted=slope * _mean_length(dim),
        measured=excess,
        agreement=gaussian_lipschitz(n, slope, LEVEL),
        because="excess is 2R|x₀|(1 − cos θ), a Lipschitz function of the noise",
        level=LEVEL,
        points=n,
    )


def _turn(x, theta):
    """Rotate the planes of coordinates (1,2), (3,4), … by θ."""
    turned = np.empty_like(x)
    turned[:, ::2] = np.cos(theta) * x[:, ::2] - np.sin(theta) * x[:, 1::2]
    turned[:, 1::2] = np.sin(theta) * x[:, ::2] + np.cos(theta) * x[:, 1::2]
    return turned


@pytest.mark.control("P1")
def test_independent_pairs_leave_a_gap(evidence, rng):
    """With x₁ drawn apart from x₀ the mean gap is E|x₀|₁ = d√(2/π) on the cube."""
    target, n = FiniteAtoms.hypercube(4), 100_000
    x0, apart = target.sample(n, rng)[0], target.sample(n, rng)[1]
    gap = (target.conjugate(x0) - dot(x0, apart)).mean()
    evidence.on(target).control(
        "optimal pairs replaced by independent ones: mean Fenchel–Young gap",
        predicted=4 * np.sqrt(2 / np.pi),
        measured=gap,
        agreement=gaussian_lipschitz(n, 4.0, LEVEL),
        because="given the data the gap is 2√d-Lipschitz in the noise, with mean E|x₀|₁ whatever they are",
        level=LEVEL,
        points=n,
    )


# --- figure 2 -----------------------------------------------------------------------------------------


@pytest.mark.claim("P1")
def test_normal_rays_carry_the_noise(evidence, rng):
    """∂φ at points of an ellipse: the rays along which noise is sent to them (the paper's figure 2)."""
    from numerics.potentials import Ellipsoid
    from theorems.proximal_denoiser.figures import draw_normal_rays

    target = Ellipsoid([[4.0, 1.2], [1.2, 1.0]])
    x0, x1 = target.sample(200, rng)
    distance = np.array([target.subdifferential(x1[i]).distance(x0[i])[0] for i in range(200)])
    stated = np.array([target.subdifferential(x1[i]).rounding for i in range(200)])
    evidence.on(target).bounded(
        "distance of x₀ from the normal ray ∂φ(T(x₀))",
        distance,
        Rounding.measured((1 + norm(x0)) * stated, "the ray's direction turns by the rounding of A⁻¹x₁"),
        because="x₀ lies on the ray",
        clause="gap",
    )
    evidence.figure(
        "A one-dimensional support in the plane: its normal subdifferentials over the noise",
        "An ellipse; from its points rays run outwards along the normals, over the round Gaussian density.",
        lambda figure: draw_normal_rays(figure, target, x0[:60], x1[:60]),
    )
