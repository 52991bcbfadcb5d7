"""F3, F8: confidence radii, and errors of integration, where nothing of them may be left out.

A radius that forgets the mean of what it bounds, or that all points are to be covered at once, passes
wherever it is slack. Each is asked here of a case that attains what it allows for, whatever is drawn.
"""

import numpy as np
import pytest
from scipy.linalg import expm

from numerics.flows.density import probed_log_density
from numerics.flows.discrepancy import KernelDistance
from numerics.flows.integration import trajectory
from numerics.flows.mixtures import MixtureField
from numerics.flows.sampling import integrate
from theorems.flow_matching.roundings import SOLVED

NEVER = 1e-15


@pytest.mark.claim("F8")
@pytest.mark.parametrize("n", [4, 100])
@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_a_kernel_that_sees_single_points_is_off_by_the_mean(evidence, rng, n, level):
    """Of width h = 10⁻³ in R⁸ it is 1 on the diagonal and 0 off it: D of n draws from their law is 1/√n.

    That is the mean which the radius allows for, so none without it covers D at every level. Two of n draws
    are within 9h with probability below n²/2·(4π)⁻⁴·(π⁴/24)(9h)⁸ < 4·10⁻²¹·n²; beyond, k < e^{−40}.
    """
    law, distance = MixtureField([np.zeros(8)], [np.eye(8)], [1.0]), KernelDistance(1e-3)
    found = distance.to_mixture(law.sample(n, rng)[0], law)
    on = evidence.on("normal law in R⁸, kernel of width 1e−3", n=n, level=level)
    on.statistical(
        "D of n draws from their own law",
        found,
        distance.radius(n, level),
        level=NEVER,
        because="1/√n, the mean of the embedding's error, and √log(1/level)/√n besides; no two draws meet",
        points=n,
    )
    on.statistical(
        "the stated radius over D",
        distance.radius(n, level) / found,
        (1 + np.sqrt(np.log(1 / level))) * (1 + 1e-6),
        level=NEVER,
        because="D = 1/√n, so the radius is 1 + √log(1/level) times that; |x−y|²/2h² errs by 1e−8",
        points=n,
    )


@pytest.mark.claim("F3")
@pytest.mark.parametrize("level", [0.5, 0.9])
def test_two_probes_are_off_by_all_at_one_of_three_points(evidence, rng, level):
    """Du = a(e_ie_jᵀ + e_je_iᵀ), another pair (i,j) at each of three points, two probes ε, ε'.

    Of the three signs ε_kε'_k two are equal, so at one point both probes show the same sign: it is off by 2a,
    whatever is drawn. A radius that speaks of each point alone, 4a√(log(2/level)/4), is less at level 0.9.
    """
    a, pairs = 0.4, ((0, 1), (0, 2), (1, 2))
    slope = np.zeros((3, 3, 3))
    for k, (i, j) in enumerate(pairs):
        slope[k, i, j] = slope[k, j, i] = a
    x1 = np.array([[0.3, -0.2, 0.1], [0.5, 0.4, -0.6], [-0.1, 0.2, 0.7]])
    probes = rng.choice([-1.0, 1.0], (2, 3))
    found = probed_log_density(
        lambda _, x: np.einsum("nij,nj->ni", slope, x), lambda *_: slope, x1, probes, level
    )
    start = np.stack([expm(-s) @ x for s, x in zip(slope, x1, strict=True)])
    exact = -(start**2).sum(axis=1) / 2 - 3 * np.log(2 * np.pi) / 2
    off = np.abs(found.value - exact)
    on = evidence.on("a linear field at each of three points, two probes", level=level)
    on.estimated(
        "|log p₁ from two probes − log p₁|",
        off,
        found.radius,
        by=SOLVED,
        because="the radii cover all points at once: 4a√(log(6/level)/4) > 2a",
    )
    on.estimated(
        "| max |log p₁ from two probes − log p₁| − 2a |",
        abs(off.max() - 2 * a),
        1e-9,
        by=SOLVED,
        because="at one point both probes show the same sign",
        chosen="the tolerance, far above the integrator's",
    )
    on.estimated(
        "the radius over 2a",
        found.radius / (2 * a),
        np.sqrt(np.log(6 / level)) * (1 + 1e-6),
        by=SOLVED,
        because="Hoeffding's of two values in an interval of width 4a, for three points",
        chosen="a millionth for the integration",
    )


TURN = np.array([[0.0, -1.0], [1.0, 0.0]])


@pytest.mark.claim("F3", "F8")
@pytest.mark.parametrize("turns", [1.0, 20.0, 100.0])
def test_errors_of_trajectories_are_stated_and_little_more(evidence, rng, turns):
    """By z' = 2πkJz, which turns z k times: errors of steps add up, beyond what one tolerance allows for."""
    start, times = rng.standard_normal((5, 2)), np.array([1.0, 0.5, 0.0])
    found = trajectory(lambda _, z: 2 * np.pi * turns * z @ TURN.T, start, times)
    exact = [start @ expm(2 * np.pi * turns * (t - 1.0) * TURN).T for t in times]
    off, size = np.abs(found.states - exact).max(axis=(1, 2)), np.abs(start).max()
    on = evidence.on("a turning field, backwards", turns=turns)
    on.estimated(
        "|states − exact|",
        off,
        found.error,
        by=SOLVED,
        because="the coarser solution is far less accurate, so its distance is an upper estimate",
    )
    on.estimated(
        "the stated error over size and turns",
        found.error / (size * (1 + turns)),
        1e-6,
        by="tolerances of 1e−9 a step, some ten steps a turn",
        because="each step errs by its tolerance, and a turn keeps lengths",
        chosen="a hundred times that",
    )


@pytest.mark.claim("F8")
@pytest.mark.parametrize("tolerance", [1e-4, 1e-7, 1e-10])
def test_samples_are_integrated_to_their_tolerance(evidence, rng, tolerance):
    x0 = rng.standard_normal((50, 2))
    found = integrate(lambda _, x: 2 * np.pi * x @ TURN.T, x0, [0.5, 1.0], tolerance=tolerance)
    off = np.abs(found - [-x0, x0]).max(axis=(1, 2))
    evidence.on("a turning field", tolerance=tolerance).estimated(
        "|samples after half a turn and a whole one − exact| over the tolerance and their size",
        off / (tolerance * (1 + np.abs(x0).max())),
        100.0,
        by="a local error of the tolerance a step, of which a turn takes less than a hundred",
        because="a turn keeps lengths, so errors of steps add up",
    )
