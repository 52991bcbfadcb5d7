r"""The expected cost c_n of batches on the line (docs/theory.md §2), each number with its own error.

With m_i = E X₍ᵢ₎ of n noises and Y₍ᵢ₎ = T(X₍ᵢ₎), $c_n = E x_0^2 + E x_1^2 - \frac2n Σ m_i E Y_{(i)}$. The sum
is one integral: $\frac1n Σ m_i E Y_{(i)} = E[b_n(x_0) T(x_0)]$, where b_n(x) is the mean of m over the ranks
that x may have among n. So

    W₂² = 1 + E x₁² − 2E x₀T,   c_n = 1 + E x₁² − 2E b_nT,   c_n − W₂² = 2E (x₀ − b_n)T,

three integrals of T with an error each, and a second moment that the law itself knows.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr
from scipy.stats import norm

from numerics.accuracy import UNIT
from numerics.checks import positive_integer
from numerics.potentials import AtomAndDensity, Cantor, FiniteAtoms, Quantile
from numerics.potentials.discrete import DiscreteLaw
from numerics.potentials.line import LinePotential
from numerics.transport.levels import Rule, rules
from numerics.transport.noise_integrals import TAIL, noise_integrals
from numerics.transport.order_statistics import step_excess, step_excess_rounding
from numerics.transport.second_moments import second_moment

Atoms = Float[np.ndarray, " k"]
Thresholds = Float[np.ndarray, " k-1"]


@dataclass(frozen=True)
class ExpectedCost:
    """c_n on the line. Each ``…error`` bounds |computed − exact| for the law as it is given, uncut.

    Attributes:
        n: Batch size.
        optimal: W₂² = E|x₀ − T(x₀)|².
        excess: c_n − W₂² = (2/n) Σ_i Cov(X₍ᵢ₎, Y₍ᵢ₎) where Y₍ᵢ₎ = T(X₍ᵢ₎).
        cost: c_n. For small excess more than ``optimal + excess`` knows, and where T has heavy tails less.
        error: Of the excess.
        optimal_error: Of W₂².
        cost_error: Of c_n.

    Example:
        >>> from scipy import stats
        >>> from numerics.potentials import Quantile
        >>> found = expected_cost(Quantile(stats.norm()), 1)  # N(0, 1) with itself, drawn apart: 1 + 1
        >>> round(found.cost, 12), round(found.optimal, 12), abs(found.cost - 2) <= found.cost_error
        (2.0, 0.0, True)
    """

    n: int
    optimal: float
    excess: float
    cost: float
    error: float
    optimal_error: float
    cost_error: float


def expected_cost(quantile: LinePotential | FiniteAtoms, n: int) -> ExpectedCost:
    """c_n, W₂² and their difference, n up to 10⁶.

    Densities, and densities mixed with atoms, by adaptive quadrature over the noise (`noise_integrals`, whose
    errors are two resolutions, roundings, what lies beyond a law's cut, and a tail of 10⁻⁴²√E x₁²) and
    `second_moment`; atoms by sums that only round; the Cantor law over its holes, by two rules. Errors are
    absolute: of the excess they are as small as rounding of T lets them be, about eps·E|T|, not relative to
    an excess of 1/n.

    A law's T is trusted within the rounding that its potential states, and atoms' thresholds within that of
    the law's own cdf and sf.

    Args:
        quantile: `Quantile`, `AtomAndDensity`, `Cantor`, or `FiniteAtoms` on the line.
        n: Batch size.

    Raises:
        ValueError: If the law is not on the line, or an atom has no mass.

    Example:
        >>> from numerics.potentials import FiniteAtoms
        >>> found = expected_cost(FiniteAtoms.hypercube(1), 1)  # ±1 drawn apart from the noise: 1 + 1
        >>> round(float(found.cost), 12), round(float(found.optimal), 4)  # the optimum is 2 − 2·√(2/π)
        (2.0, 0.4042)
    """
    n = positive_integer("n", n)
    if isinstance(quantile, Cantor):
        return _cost_by_layers(quantile, n, 0.25 + 0.125)
    atoms = _atoms(quantile)
    if atoms is not None:
        return _cost_of_atoms(*atoms, n)
    assert isinstance(quantile, Quantile | AtomAndDensity)
    return _cost_of_density(quantile, n)


def _cost_of_density(target: Quantile | AtomAndDensity, n: int) -> ExpectedCost:
    found = noise_integrals(target, n)
    square, wrong = second_moment(target, found)
    tail = TAIL * np.sqrt(square)
    cross, loss, batch = found.values[:3]
    errors = 2 * (found.errors[:3] + tail)
    if n == 1:
        batch, errors[2] = 0.0, 0.0  # b_1 = 0, whatever T is
    return _assembled(n, square, wrong, (cross, loss, batch), errors)


def _assembled(
    n: int,
    square: float,
    wrong: float,
    integrals: tuple[float, float, float],
    errors: Float[np.ndarray, " 3"],
) -> ExpectedCost:
    """From E x₁² and E of x₀T, (x₀ − b_n)T and b_nT; errors of twice these."""
    cross, loss, batch = (2 * float(part) for part in integrals)
    results = 1 + square - cross, loss, 1 + square - batch
    sizes = (1 + square + abs(cross), 0.0, 1 + square + abs(batch))
    bounds = [
        float(own + moment + 2 * UNIT * size)
        for own, moment, size in zip(errors, (wrong, 0.0, wrong), sizes, strict=True)
    ]
    return ExpectedCost(n, *results, bounds[1], bounds[0], bounds[2])


# --- atoms --------------------------------------------------------------------------------------------


def _atoms(quantile: LinePotential | FiniteAtoms) -> tuple[Atoms, Thresholds, Thresholds] | None:
    """Increasing atoms, the noise thresholds between them, and what these err by; None for other laws."""
    if isinstance(quantile, FiniteAtoms) and quantile.dim == 1:
        order = np.argsort(quantile.points[:, 0])
        points, heights = quantile.points[order, 0].real, quantile.heights[order]
        thresholds = np.diff(heights) / np.diff(points)
        if (np.diff(thresholds) <= 0).any():
            raise ValueError("quantile: an atom has no mass; drop atoms that lie above the envelope")
        return points, thresholds, 3 * UNIT * np.abs(thresholds)
    if isinstance(quantile, Quantile | AtomAndDensity):
        law = quantile.law
        if isinstance(law, DiscreteLaw):
            return law.atoms, law.steps, law.step_errors
        return None
    raise ValueError(f"quantile: got {quantile!r}; give Quantile or FiniteAtoms on the line")


def _cost_of_atoms(points: Atoms, steps: Thresholds, wrong: Thresholds, n: int) -> ExpectedCost:
    """Sums over the spacings: E x₀T = Σ Δφ_N(z), E(x₀ − b_n)T = Σ ΔD_n(z), with terms of one sign each."""
    spacings, density = np.diff(points), norm.pdf(steps)
    loss = step_excess(steps, n)
    # |d/dz| is |z|φ_N of φ_N, |z − b_n(z)|φ_N of D_n and |b_n(z)|φ_N of their difference; b_n is in [0, z]
    moved = np.abs(steps) * density * wrong
    cross_wrong = moved + UNIT * (steps**2 + 12) * density
    loss_wrong = moved + step_excess_rounding(steps)
    batch_wrong = np.zeros_like(moved) if n == 1 else cross_wrong + loss_wrong
    sums = [float(spacings @ part) for part in (density, loss, density - loss)]
    if n == 1:
        sums[2] = 0.0
    counts = UNIT * (3 + np.log2(len(spacings) + 1))
    size = spacings @ density
    errors = 2 * np.array([spacings @ part for part in (cross_wrong, loss_wrong, batch_wrong)])
    errors += 2 * counts * size * np.array([1.0, 1.0, float(n > 1)])
    square, square_wrong = _square_of_atoms(points, steps, wrong)
    return _assembled(n, square, square_wrong, (sums[0], sums[1], sums[2]), errors)


def _square_of_atoms(points: Atoms, steps: Thresholds, wrong: Thresholds) -> tuple[float, float]:
    """E x₁² about the atom c at noise 0: the probabilities beyond each spacing times what more it costs."""
    start = int(np.searchsorted(steps, 0.0))
    centre = points[start]
    away = points - centre
    rises = np.abs(np.diff(points) * (away[1:] + away[:-1]))
    beyond = ndtr(-np.abs(steps))
    # a relative error of Φ(−|z|): its own 4u, and φ_N/Φ(−|z|) ≤ |z| + 1 times that of z
    relative = 4 * UNIT + (np.abs(steps) + 1) * wrong
    first = float(np.where(steps < 0, -beyond, beyond) @ np.diff(points))
    square = float(rises @ beyond)
    total = square + 2 * centre * first + centre**2
    first_wrong = float((relative + 4 * UNIT) * beyond @ np.diff(points))
    sizes = square + 2 * abs(centre) * float(beyond @ np.diff(points)) + centre**2
    error = float((relative + 6 * UNIT) * beyond @ rises) + 2 * abs(centre) * first_wrong + 3 * UNIT * sizes
    return total, error


# --- layers -------------------------------------------------------------------------------------------


def _cost_by_layers(target: LinePotential, n: int, square: float) -> ExpectedCost:
    """A law as a mixture of two-atom steps: E x₀T = ∫φ_N(z(y))dy, E(x₀ − b_n)T = ∫D_n(z(y))dy."""
    fine, coarse = (_by_rule(rule, n) for rule in rules(target))
    errors = 2 * (np.abs(fine[0] - coarse[0]) + fine[1])
    values = (float(fine[0][0]), float(fine[0][1]), float(fine[0][2]))
    return _assembled(n, square, 2 * UNIT * square, values, errors)


def _by_rule(rule: Rule, n: int) -> tuple[Float[np.ndarray, " 3"], Float[np.ndarray, " 3"]]:
    """The three integrals, and their rounding; the nodes z err by 8u(|z| + √(π/2))."""
    z, weights = rule.nodes, rule.weights
    density, loss = norm.pdf(z), step_excess(z, n)
    moved = 8 * UNIT * (np.abs(z) + np.sqrt(np.pi / 2)) * np.abs(z) * density
    cross_wrong = moved + UNIT * (z**2 + 24) * density
    loss_wrong = moved + step_excess_rounding(z) + 12 * UNIT * np.abs(loss)
    wrong = np.stack([cross_wrong, loss_wrong, (cross_wrong + loss_wrong) * (n > 1)])
    return np.stack([density, loss, density - loss]) @ weights, wrong @ np.abs(weights)
