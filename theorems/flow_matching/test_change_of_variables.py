"""F1: densities under composed bijections.

Log-determinants by two routes: the matrix determinant lemma, and the Jacobian by complex steps. Densities by
two quadratures: the mass of a cell on the data's side, and of its preimage on the noise's side. Controls: the
determinant's sign, and determinants all taken at the last point, as equation (5) is printed.
"""

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.special import ndtr

from numerics.accuracy import COMPLEX, Rounding
from numerics.flows.residual import Composition, ResidualMap
from theorems.flow_matching.drawn import NOTES, residual_map
from theorems.flow_matching.quadrature import grid, resolved
from theorems.flow_matching.roundings import (
    LIBRARY,
    TWO_ORDERS,
    TWO_STEPS,
    bend,
    of_image,
    of_log_determinant,
    of_slope,
)
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, for_all

STEPS = (1 / 8, 1 / 4)


def stack(seed, dim, count, contraction=0.7):
    rng = generator(seed)
    return rng, Composition([residual_map(rng, dim, 1 + k % 3, contraction) for k in range(count)])


def stepped_jacobian(function, x):
    return np.stack([function(x + 1e-30j * e).imag / 1e-30 for e in np.eye(x.shape[1])], axis=2)


@for_all("F1", seed=SEEDS, dim=st.integers(1, 6), count=st.integers(1, 4))
def test_log_determinants_add(evidence, seed, dim, count):
    """The determinant of the whole Jacobian is the product of the maps', each at its own point."""
    rng, psi = stack(seed, dim, count)
    x = rng.standard_normal((20, dim))
    whole = stepped_jacobian(psi, x)
    on = evidence.on("composition of residual maps", seed=seed, dim=dim, maps=count)
    on.bounded(
        "|log|det Dψ| − Σ log|det Dφ_k||",
        np.abs(np.linalg.slogdet(whole)[1] - psi.log_determinant(x)),
        _of_determinants(psi, x, whole),
        because="the chain rule: det DΨ is the product of the det Dφ_k, each at its own point",
        clause="sum",
    )


def _of_determinants(psi, x, whole):
    """Of log|det DΨ| by complex steps, and of Σ log|det Dφ_k| by the lemma.

    Every matrix errs by what its entries do, seen through its inverse, and LU. DΨ is a product, so it errs by
    that of each map times the norms of the others, 4 times for complex operations; and their real parts may
    be off at the next map as much as the points are, where Dφ bends.
    """
    each = [(m, p, m.jacobian(p)) for m, p in zip(psi.maps, psi.intermediate(x)[:-1], strict=True)]
    sizes = [np.linalg.norm(j, axis=(1, 2)) for *_, j in each]
    through = np.linalg.norm(np.linalg.inv(whole), axis=(1, 2))
    total, moved = of_log_determinant(whole), Rounding.none()
    for i, (m, p, j) in enumerate(each):
        others = np.prod([s for k, s in enumerate(sizes) if k != i], axis=0)
        slope = of_slope(m, p) + moved.amplified(bend(m), "the point is off")
        small = np.eye(len(m.offset)) + m.step * m.slope(p)[:, :, None] * (m.inner @ m.outer)
        seen = np.linalg.norm(np.linalg.inv(small), axis=(1, 2))
        own = of_slope(m, p).amplified(1 + np.linalg.norm(m.inner) * np.linalg.norm(m.outer))
        total = total + slope.amplified(COMPLEX * others * through, "through the inverse, by complex steps")
        total = total + own.amplified(seen, "through the inverse") + of_log_determinant(small)
        moved = moved.amplified(np.linalg.norm(j, axis=(1, 2))) + of_image(m, p)
    return total


@for_all("F1", seed=SEEDS, count=st.integers(1, 4))
def test_mass_of_intervals(evidence, seed, count):
    """On the line: ∫_a^b p₁ = |Φ(ψ⁻¹(b)) − Φ(ψ⁻¹(a))|, whatever the maps."""
    rng, psi = stack(seed, 1, count)
    edges = psi(np.sort(rng.standard_normal(8))[:, None])
    left, right = edges[:-1, 0], edges[1:, 0]
    masses = [_interval_mass(psi, left, right, order) for order in (96, 64)]
    exact = np.abs(np.diff(ndtr(psi.inverse(edges)[:, 0])))
    evidence.on("composition on the line", seed=seed, maps=count).estimated(
        "|∫_a^b p₁ − P(x₀ ∈ ψ⁻¹[a, b])|",
        np.abs(masses[0] - exact),
        np.abs(masses[0] - masses[1]) + _of_masses(psi, edges).bound,
        by=f"{TWO_ORDERS}, 64 and 96 nodes",
        because="x₀ = ψ⁻¹(x₁) has the law N(0,1); rounding of Φ, of 96 densities and of the inverse",
        clause="density",
    )


def _of_masses(psi, edges):
    """Of an interval's mass: Φ's slope is at most 0.4; a density is off by |x₀|'s and log|det|'s errors.

    The point x₀ errs by each inverse's stated error, magnified by those after it.
    """
    y, off = edges, np.zeros(len(edges))
    for m in reversed(psi.maps):
        off = (off + of_image(m, y).bound) / (1 - m.contraction)
        found = m.inverse(y)
        y, off = found.points, off + found.error
    far, slack = 1 + np.abs(y).max(), off.max()
    turned = sum(bend(m) / (1 - m.contraction) for m in psi.maps)
    density = Rounding.measured(slack * (far + turned), "the inverse")
    own = Rounding(far**2 + len(psi.maps), 4 * LIBRARY + 96, "exp, log, 96 terms of a mass of at most 1")
    return (
        density + own + Rounding.measured(2 * 0.4 * slack, "Φ of the inverse") + Rounding(2.0, LIBRARY, "Φ")
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
    evidence.on("composition in the plane", maps=count, k=waves).estimated(
        "|∫cos⟨k,x⟩p₁ − E cos⟨k,ψ(x₀)⟩|, k = 0 (the mass) and two more",
        np.abs(data[0] - noise[0]),
        np.abs(data[0] - data[1]) + np.abs(noise[0] - noise[1]) + 1e-13,
        by=f"{TWO_STEPS} on either side",
        because="change of variables; tails, noise beyond 8 and data beyond its image, 4·10⁻¹⁵, and rounding",
        chosen="10⁻¹³ for tails and rounding",
        clause="density",
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
@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_determinants_at_the_last_point(evidence, noise):
    """Equation (5) as printed, φ(x) = x + ½tanh x twice: the error of log p₁ in closed form.

    At x₁ = φ(φ(a)) both inverses have their determinant at φ⁻¹(x₁) = φ(a): the first should have it at a.
    """
    psi = Composition([ResidualMap.planar([0.5], [1.0], 0.0, 1.0)] * 2)
    between = noise + np.tanh(noise) / 2
    last = np.array([[between + np.tanh(between) / 2]])
    on = evidence.on("x + ½tanh x, twice", x0=noise)
    on.control(
        "every determinant at x₁: error of log p₁",
        predicted=np.log1p(0.5 / np.cosh(noise) ** 2) - np.log1p(0.5 / np.cosh(between) ** 2),
        measured=_as_printed(psi, last)[0] - psi.log_density(last)[0],
        agreement=Rounding(
            noise + 4, 16 * LIBRARY, "two inverses of 16 roundings over 1 − ½, exp, log"
        ).bound,
        because="log(1 + ½sech²a) − log(1 + ½sech²φ(a)); rounding of two inverses",
    )


@pytest.mark.control("F1")
def test_mass_of_equation_5_as_printed(evidence):
    """The same determinants at every x₁, the constant restored: the mass is E|det Dφ(x₀)|/|det Dφ(φ(x₀))|."""
    psi = Composition([ResidualMap.planar([0.5], [1.0], 0.0, 1.0)] * 2)
    masses, predicted = [], []
    for step in (1 / 64, 1 / 48):
        x1, cell = grid(12.0, step, 1)
        masses.append(cell * float(np.exp(_as_printed(psi, x1)).sum()))
        x0, cell = grid(9.0, step, 1)
        slopes = [np.log1p(0.5 / np.cosh(x) ** 2)[:, 0] for x in (x0, x0 + np.tanh(x0) / 2)]
        weight = np.exp(-(x0[:, 0] ** 2) / 2) / np.sqrt(2 * np.pi) * cell
        predicted.append(float(weight @ np.exp(slopes[0] - slopes[1])))
    on = evidence.on("x + ½tanh x, twice")
    moved = abs(masses[0] - masses[1]) + abs(predicted[0] - predicted[1])
    on.control(
        "every determinant at x₁: total mass of the density",
        predicted=predicted[0],
        measured=masses[0],
        agreement=resolved(moved + 1e-12),
        because="change of variables x₁ = ψ(x₀); trapezoid rule at two steps on either side; tails",
        intact=1.0,
    )
    on.audit(
        "(5): determinants all at x₁, the constant restored: total mass of the density",
        "agrees" if abs(masses[0] - 1) < 1e-9 else "deviates",
        1.0,
        masses[0],
        because="a density has mass 1; trapezoid rule on [−12, 12]",
        subject=f"{NOTES}, equation (5)",
        kind="equation",
    )


def _as_printed(psi, x1):
    """Log p₀(ψ⁻¹(x₁)) − Σ log|det Dφ_k(φ_k⁻¹(x₁))|."""
    slopes = sum(m.log_determinant(m.inverse(x1).points) for m in psi.maps)
    return -(psi.inverse(x1)[:, 0] ** 2) / 2 - np.log(2 * np.pi) / 2 - slopes
