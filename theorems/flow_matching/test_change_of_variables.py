"""F1: densities under composed bijections.

Log-determinants by two routes: the matrix determinant lemma, and the Jacobian by complex steps. Densities by
two quadratures: the mass of a cell on the data's side, and of its preimage on the noise's side. Controls: the
determinant's sign, and determinants all taken at the last point, as equation (5) is printed.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from numerics.flows.residual import Composition, ResidualMap
from theorems.flow_matching.examples import NOTES, residual_map
from theorems.flow_matching.quadrature import grid
from theorems.targets import generator, seeds

EPS = np.finfo(float).eps
STEPS = (1 / 8, 1 / 4)


def stack(seed, dim, count, contraction=0.7):
    rng = generator(seed)
    return rng, Composition([residual_map(rng, dim, 1 + k % 3, contraction) for k in range(count)])


def stepped_jacobian(function, x):
    return np.stack([function(x + 1e-30j * e).imag / 1e-30 for e in np.eye(x.shape[1])], axis=2)


@pytest.mark.claim("F1")
@given(seed=seeds, dim=st.integers(1, 6), count=st.integers(1, 4))
def test_log_determinants_add(evidence, seed, dim, count):
    """The determinant of the whole Jacobian is the product of the maps', each at its own point."""
    rng, psi = stack(seed, dim, count)
    x = rng.standard_normal((20, dim))
    whole = stepped_jacobian(psi, x)
    sizes = [np.linalg.cond(m.jacobian(p)) for m, p in zip(psi.maps, psi.intermediate(x)[:-1], strict=True)]
    on = evidence.on("composition of residual maps", seed=seed, dim=dim, maps=count)
    on.bounded(
        "|log|det Dψ| − Σ log|det Dφ_k||",
        np.abs(np.linalg.slogdet(whole)[1] - psi.log_determinant(x)),
        condition=dim * (np.linalg.cond(whole) + sum(sizes)),
        multiple=64,
        because="LU of a d×d and of k×k matrices: d ulps times each condition number",
    )


@pytest.mark.claim("F1")
@given(seed=seeds, count=st.integers(1, 4))
def test_mass_of_intervals(evidence, seed, count):
    """On the line: ∫_a^b p₁ = |Φ(ψ⁻¹(b)) − Φ(ψ⁻¹(a))|, whatever the maps."""
    rng, psi = stack(seed, 1, count)
    edges = psi(np.sort(rng.standard_normal(8))[:, None])
    left, right = edges[:-1, 0], edges[1:, 0]
    masses = [_interval_mass(psi, left, right, order) for order in (96, 64)]
    exact = np.abs(np.diff(ndtr(psi.inverse(edges)[:, 0])))
    evidence.on("composition on the line", seed=seed, maps=count).certified(
        "|∫_a^b p₁ − P(x₀ ∈ ψ⁻¹[a, b])|",
        np.abs(masses[0] - exact),
        np.abs(masses[0] - masses[1]) + 64 * count * EPS,
        because="how far 64 Gauss nodes are from 96, and rounding of the sum",
    )


def _interval_mass(psi, left, right, order):
    nodes, weights = np.polynomial.legendre.leggauss(order)
    half = np.abs(right - left) / 2
    y = (left + right)[:, None] / 2 + half[:, None] * nodes
    density = np.exp(psi.log_density(y.reshape(-1, 1))).reshape(y.shape)
    return (density @ weights) * half


@pytest.mark.claim("F1")
@pytest.mark.parametrize("count", [1, 3])
def test_total_mass_and_moments_in_the_plane(evidence, rng, count):
    """∫p₁ = 1, and ∫f p₁ = E f(ψ(x₀)) for f = cos⟨k, x⟩: one side on a grid of data, one in the noise."""
    psi = Composition([residual_map(rng, 2, 2, 0.5) for _ in range(count)])
    waves = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, -1.5]])
    data, noise = ([side(psi, waves, step) for step in STEPS] for side in (_over_data, _over_noise))
    evidence.on("composition in the plane", maps=count, k=waves).certified(
        "|∫cos⟨k,x⟩p₁ − E cos⟨k,ψ(x₀)⟩|, k = 0 (the mass) and two more",
        np.abs(data[0] - noise[0]),
        np.abs(data[0] - data[1]) + np.abs(noise[0] - noise[1]) + 1e-13,
        because="trapezoid rule at two steps on either side; tails: noise beyond 8, data beyond its image",
    )


def _data_grid(psi, step):
    """A grid over ψ of the square |x₀| ≤ 8: |u| ≤ ‖V‖√k, so that no map moves a point by more than δ‖V‖√k."""
    reach = 8 + sum(m.step * np.linalg.norm(m.outer, 2) * np.sqrt(len(m.offset)) for m in psi.maps)
    return grid(reach, step, 2)


def _over_data(psi, waves, step):
    points, cell = _data_grid(psi, step)
    return cell * np.exp(psi.log_density(points)) @ np.cos(points @ waves.T)


def _over_noise(psi, waves, step):
    noise, weight = _weighted(step)
    return weight @ np.cos(psi(noise) @ waves.T)


def _weighted(step):
    noise, cell = grid(8.0, step, 2)
    return noise, np.exp(-(noise**2).sum(axis=1) / 2) / (2 * np.pi) * cell


# --- controls and audits ------------------------------------------------------------------------------


@pytest.mark.control("F1")
def test_determinant_with_the_wrong_sign(evidence, rng):
    """p₀(x₀)·|det Dψ|: its mass is E|det Dψ|² in place of 1."""
    psi = Composition([residual_map(rng, 2, 2, 0.5) for _ in range(2)])
    masses, predicted = [], []
    for step in STEPS:
        points, cell = _data_grid(psi, step)
        wrong = psi.log_density(points) + 2 * psi.log_determinant(psi.inverse(points))
        masses.append(cell * float(np.exp(wrong).sum()))
        noise, weight = _weighted(step)
        predicted.append(float(weight @ np.exp(2 * psi.log_determinant(noise))))
    evidence.on("composition in the plane").control(
        "log p₁ = log p₀ + log|det Dψ|: total mass",
        predicted=predicted[0],
        measured=masses[0],
        agreement=abs(masses[0] - masses[1]) + abs(predicted[0] - predicted[1]) + 1e-12,
        because="∫p₀(ψ⁻¹)|det Dψ| dx₁ = E|det Dψ|² in the noise; two steps on either side",
        intact=1.0,
    )


@pytest.mark.control("F1")
@pytest.mark.parametrize("shift", [0.5, 2.0])
def test_determinants_at_the_last_point(evidence, shift):
    """Equation (5) as printed, φ₁(x) = x + ½tanh x, φ₂(x) = x + s: the factor of p₁ in closed form.

    φ₂ has determinant 1, and φ₁'s is 1 + ½sech². At x₁ = s, x₀ = 0: taken at φ₁⁻¹(x₁ − s) = 0 it is 3/2.
    """
    first = ResidualMap.planar([0.5], [1.0], 0.0, 1.0)
    x1, far = np.array([[shift]]), first.inverse([[shift]]).points
    printed = -(0.0**2) / 2 - first.log_determinant(far)[0]
    right = -(0.0**2) / 2 - first.log_determinant(first.inverse(x1 - shift).points)[0]
    preimage = _root_of_tanh_map(shift)
    predicted = np.log(1.5) - np.log1p(0.5 / np.cosh(preimage) ** 2)
    on = evidence.on("x + ½tanh x, then x + s", shift=shift)
    on.control(
        "every determinant at x₁: error of log p₁(s)",
        predicted=predicted,
        measured=printed - right,
        agreement=64 * EPS,
        because="log(3/2) − log(1 + ½sech²a), a + ½tanh a = s by bisection; rounding",
    )
    masses = {
        "(3): log p₁ without −(d/2)log 2π: total mass of the density": _line_mass(first, shift, "constant"),
        "(5): determinants all at x₁, the constant restored: total mass of the density": _line_mass(
            first, shift, "points"
        ),
    }
    if shift == 2.0:
        for question, mass in masses.items():
            on.audit(
                question,
                "agrees" if abs(mass - 1) < 1e-9 else "deviates",
                1.0,
                mass,
                because="a density has mass 1; trapezoid rule on [−12, 12]",
                subject=f"{NOTES}, equation {question[:3]}",
                kind="equation",
            )


def _root_of_tanh_map(y):
    low, high = 0.0, y
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (middle, high) if middle + np.tanh(middle) / 2 < y else (low, middle)
    return low


def _line_mass(first, shift, mistake):
    y, cell = grid(12.0, 0.02, 1)
    noise = first.inverse(y - shift).points
    at = first.inverse(y).points if mistake == "points" else noise
    constant = 0.0 if mistake == "constant" else np.log(2 * np.pi) / 2
    return cell * float(np.exp(-(noise[:, 0] ** 2) / 2 - constant - first.log_determinant(at)).sum())
