"""P1, the push-forward of the simplest families: weights of atoms, moments and marginals, in closed form.

Assumed: nothing beyond the contract. Control: heights of the wrong sign, which swap the weights of two atoms.
"""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binom

from numerics.accuracy import Rounding
from numerics.potentials import DegenerateGaussian, FiniteAtoms, Sphere
from numerics.transport import solve
from theorems.setting.roundings import length_rounding
from theorems.setting.vectors import norm
from theorems.statistics import dkw

LEVEL = 1e-9


@pytest.mark.claim("P1")
def test_atoms_receive_their_weights(evidence, rng):
    weights = np.array([0.02, 0.28, 0.3, 0.4])
    target = FiniteAtoms.on_line([-2.0, 0.0, 1.0, 5.0], weights)
    n = 200_000
    _, x1 = target.sample(n, rng)
    counts = (x1 == target.points.T).sum(axis=0)
    tail = LEVEL / (2 * len(weights))
    high, low = binom.isf(tail, n, weights), binom.ppf(tail, n, weights)
    evidence.on(target, n=n).statistical(
        "|count of each atom − its centre| against the exact binomial range",
        np.abs(counts - (high + low) / 2),
        threshold=(high - low) / 2,
        level=LEVEL,
        because="counts are binomial with the weights; quantiles at level/8 on each side",
        points=n,
        clause="push-forward",
    )


@pytest.mark.claim("P1")
@pytest.mark.parametrize("tiny", [1e-10, 1e-18, 1e-25])
def test_both_ends_of_a_line_hold_tiny_weights(evidence, tiny):
    """From Φ⁻¹ of the smaller of W and 1 − W: in the upper tail W is 1 in doubles."""
    points, weights = np.array([[0.0], [1.0], [2.5], [4.0]]), np.array([tiny, 0.5, 0.5, tiny])
    found = solve(points, weights / weights.sum())
    wished = found.weights[[0, -1]]
    cuts = np.diff(found.heights) / np.diff(points[:, 0])
    at_ends = ndtr(np.array([cuts[0], -cuts[-1]]))
    c = np.abs(cuts[[0, -1]])
    relative = 6 * (c + 1) * c + 8 + 3 * c**2
    on = evidence.on("four atoms on a line", tiny=tiny)
    on.bounded(
        "|mass of each end, from its heights − its weight|, over the weight",
        np.abs(at_ends - wished) / wished,
        Rounding(relative, 1, "6 roundings of the cut c, which the tail has |c| + 1 times; 8 + 3c² of Φ"),
        because="g_{i+1} − g_i = Φ⁻¹(W_i)(y_{i+1} − y_i)",
        clause="push-forward",
    )
    on.bounded(
        "|mass of each end as stated − that from its heights|",
        np.abs(found.masses[[0, -1]] - at_ends),
        Rounding.measured(found.uncertainty[[0, -1]], "what the solution states"),
        because="masses are those of the heights",
        clause="push-forward",
    )


@pytest.mark.claim("P1")
@pytest.mark.parametrize(
    ("target", "weights"),
    [
        (FiniteAtoms.on_line([-2.0, 0.0, 1.0, 5.0], [0.02, 0.28, 0.3, 0.4]), [0.02, 0.28, 0.3, 0.4]),
        (FiniteAtoms.on_line([0.0, 1e-3, 7.0], [1e-8, 0.5, 0.5 - 1e-8]), [1e-8, 0.5, 0.5 - 1e-8]),
        (FiniteAtoms.two([-1.0], [3.0], 0.3), [0.3, 0.7]),
    ],
    ids=["four atoms", "tiny weight", "two atoms"],
)
def test_cells_on_the_line_have_their_weights(evidence, target, weights):
    """Where T jumps, found by bisection of T alone; the normal law of the cells between."""
    low, high = np.full(len(weights) - 1, -40.0), np.full(len(weights) - 1, 40.0)
    for _ in range(80):
        middle = (low + high) / 2
        above = target.transport(middle[:, None])[:, 0] > target.points[:-1, 0]
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    upper, lower = np.r_[high, np.inf], np.r_[-np.inf, high]
    masses = np.where(lower > 0, ndtr(-lower) - ndtr(-upper), ndtr(upper) - ndtr(lower))
    evidence.on(target).bounded(
        "|normal mass of each cell − its weight|",
        np.abs(masses - weights),
        Rounding(
            0.4 * (40 * target.scale + np.abs(target.heights).max()) / np.diff(target.points[:, 0]).min() + 1,
            8,
            "a jump is where two scores tie: their roundings over the atoms' distance, times a density ≤ 0.4",
        ),
        because="the normal mass of a cell is its weight",
        clause="push-forward",
    )


@pytest.mark.claim("P1")
@pytest.mark.parametrize("radius", [1e-3, 2.0, 1e3])
def test_linear_and_radial_transports_have_the_stated_moments(evidence, rng, radius):
    """Deterministic where statistics are blunt: T(0) = b and DT² = Σ; |T| = R."""
    covariance = radius**2 * np.array([[4.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 0.25]])
    target = DegenerateGaussian([1.0, 2.0, -1.0], covariance)
    root = (target.transport(np.eye(3)) - target.transport(np.zeros((3, 3)))).T
    stated = target.roundings.transport(np.concatenate([np.eye(3), np.zeros((3, 3))]))
    of_root = Rounding.measured(np.sqrt((stated.bound**2).sum() * 2), "six values of T")
    evidence.on(target).bounded(
        "|DT² − Σ| by differences of T, which is affine",
        np.abs(root @ root - covariance).max(),
        of_root.amplified(2 * np.sqrt(np.trace(covariance)), "enters twice")
        + Rounding(np.trace(covariance), 5, "products"),
        because="T is affine with DT² = Σ",
        clause="push-forward",
    )
    sphere, noise = Sphere(4, radius), rng.standard_normal((2000, 4))
    evidence.on(sphere).bounded(
        "| |T(x₀)| − R |",
        np.abs(norm(image := sphere.transport(noise)) - radius),
        sphere.roundings.transport(noise) + length_rounding(image),
        because="T(x₀) lies on the sphere",
        clause="push-forward",
    )


@pytest.mark.claim("P1")
@pytest.mark.parametrize("name", ["angle on the circle", "coordinate on the sphere", "degenerate Gaussian"])
def test_push_forward_has_the_stated_law(evidence, rng, name):
    n = 100_000
    if name == "angle on the circle":
        target = Sphere(2, 2.0)
        x1 = target.sample(n, rng)[1]
        uniform = (np.arctan2(x1[:, 1], x1[:, 0]) + np.pi) / (2 * np.pi)
    elif name == "coordinate on the sphere":
        target = Sphere(3, 2.0)
        uniform = (target.sample(n, rng)[1][:, 0] / 2.0 + 1) / 2  # Archimedes: each coordinate is uniform
    else:
        target = DegenerateGaussian([1.0, 2.0], [[4.0, 2.0], [2.0, 1.0]])
        x1 = target.sample(n, rng)[1]
        uniform = ndtr((x1 - target.mean) @ [2.0, 1.0] / 5.0)  # x₁ − b = (2, 1)·N(0, 1)
    evidence.on(target, n=n).statistical(
        f"Kolmogorov distance from the stated law: {name}",
        _kolmogorov(uniform),
        threshold=dkw(n, LEVEL),
        level=LEVEL,
        because="Dvoretzky–Kiefer–Wolfowitz with Massart's constant",
        points=n,
        clause="push-forward",
    )


def _kolmogorov(uniform):
    ordered = np.sort(uniform)
    n = len(ordered)
    return max((np.arange(1, n + 1) / n - ordered).max(), (ordered - np.arange(n) / n).max())


# --- control ------------------------------------------------------------------------------------------


@pytest.mark.control("P1")
def test_heights_of_the_wrong_sign_swap_the_weights(evidence, rng):
    right, n = FiniteAtoms.two([0.0, 0.0], [1.0, 2.0], 0.2), 100_000
    wrong = FiniteAtoms(right.points, -right.heights)
    _, x1 = wrong.sample(n, rng)
    evidence.on(wrong).control(
        "heights of the wrong sign: mass of the first atom",
        predicted=0.8,
        measured=(x1[:, 0] == 0).mean(),
        agreement=np.sqrt(np.log(2 / LEVEL) / (2 * n)),
        because="−g swaps the cells, so the weight 0.2 becomes 0.8; Hoeffding",
        intact=0.2,
        level=LEVEL,
        points=n,
    )
