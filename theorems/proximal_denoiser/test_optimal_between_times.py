"""N4 (iv): X_{s→t} is an optimal transport from p_s to p_t, for any two times of any schedule.

Assumed: nothing beyond the contract. X_{s→t} is the gradient of f(x) = (α_t/α_s)|x|²/2 + b·ψ_s*(x), which is
convex whatever the sign of b: for finite atoms its subgradient inequality is decided in rationals, and is the
certificate of optimality for the sample. Over the grammar the identity is an optimal assignment. W₂(p_s, p_t)
is in closed form: on the line against quantiles of p_s and p_t that know no coupling, elsewhere by a level.
Control: pairs at the two times from independent noise.
"""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.special import gammaln, ndtr, ndtri

from numerics.accuracy import EPS, Rounding
from numerics.geometry import norms
from numerics.potentials import Sphere
from numerics.schedules import Linear, Polynomial, Trigonometric
from theorems.proximal_denoiser.known_costs import KNOWN_COSTS
from theorems.proximal_denoiser.rational_atoms import combine, dot
from theorems.proximal_denoiser.rational_draws import atoms_and_points, interpolant, minty, schedule_values
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SCHEDULES, SEEDS, TARGETS, for_all
from theorems.setting.values import Values
from theorems.statistics import gaussian_lipschitz, mean_of_squares, random_signs

LEVEL = 1e-9
DOMAIN = "4 points, atoms, heights in ⅛ℤ, d ≤ 3, at most 7 atoms; α, β quotients of 1…12, at t or at an end"
ends = st.sampled_from([(Fraction(1), Fraction(0)), (Fraction(0), Fraction(1))])
CLOSED_TIMES = Values(st.integers(0, 20).map(lambda k: k / 20), 0.3, (0.0, 0.3, 1.0))


@for_all(
    "N4", problem=atoms_and_points(count=4), first=schedule_values, second=st.one_of(schedule_values, ends)
)
def test_flow_is_the_gradient_of_a_convex_function_exactly(evidence, problem, first, second):
    """f(x') ≥ f(x) + ⟨X(x), x' − x⟩ for all pairs: with f, f* as duals no assignment is better."""
    atoms, points = problem
    alpha, beta = first
    ratio, b = second[0] / alpha, second[1] - second[0] * beta / alpha
    values, images = [], []
    for x in points:
        y, weights = minty(atoms, x, alpha, beta)
        u = atoms.point(weights)
        conjugate = dot(x, u) - alpha * atoms.height(weights) - beta * dot(u, u) / 2
        values.append(ratio * dot(x, x) / 2 + b * conjugate)
        images.append(interpolant(second[0], y, second[1], u))
    holds = [
        values[j] >= values[i] + dot(images[i], combine((Fraction(1), points[j]), (Fraction(-1), points[i])))
        for i in range(4)
        for j in range(4)
    ]
    evidence.on(atoms, points=points, first=first, second=second).exact(
        "f(x') ≥ f(x) + ⟨X_{s→t}(x), x' − x⟩, f = (α_t/α_s)|x|²/2 + bψ_s*(x)",
        holds,
        DOMAIN,
        clause="optimality",
    )


@for_all(
    "N4",
    target=TARGETS,
    schedule=SCHEDULES,
    s=CLOSED_TIMES.but(usual=0.3),
    t=CLOSED_TIMES.but(usual=0.8),
    seed=SEEDS,
)
def test_identity_is_an_optimal_assignment_between_two_times(evidence, target, schedule, s, t, seed):
    x0, x1 = target.sample(50, generator(seed))
    of_data = target.roundings.transport(x0).bound
    path, slip = [], []
    for time in (s, t):
        alpha, beta = float(schedule.alpha(time)), float(schedule.beta(time))
        path.append(alpha * x0 + beta * x1)
        slip.append(beta * of_data + 2 * EPS * (alpha * norms(x0) + beta * norms(x1)))
    gain = path[0] @ path[1].T
    _, best = linear_sum_assignment(-gain)
    most = [norms(x).max() for x in path]
    evidence.on(target, schedule=schedule, s=s, t=t, seed=seed).bounded(
        "what the best assignment of x_s to x_t gains over the identity",
        max(gain[np.arange(50), best].sum() - np.trace(gain), 0.0),
        Rounding.measured(2 * (slip[0].sum() * most[1] + slip[1].sum() * most[0]), "x_s and x_t round")
        + Rounding(2 * np.abs(gain).max() * 50, target.dim + 50, "two sums of 50 inner products"),
        because="the exact points are pairs of the gradient of a convex function",
        points=50,
        clause="optimality",
    )


# --- the distance in closed form ------------------------------------------------------------------------


@pytest.mark.claim("N4")
def test_gaussians_have_the_stated_distance(evidence):
    """p_t = N(βb, (αI + βK)²), K = Σ^{1/2}: the distance of commuting Gaussians, in K's eigenbasis."""
    a, b, c, d = sp.symbols("alpha_s beta_s alpha_t beta_t", nonnegative=True)
    kappa, mean = sp.symbols("kappa_1:4", nonnegative=True), sp.symbols("b_1:4", real=True)
    bures = sum((c + d * k - a - b * k) ** 2 for k in kappa) + sum((d * m - b * m) ** 2 for m in mean)
    square = sum(k**2 for k in kappa) + sum(m**2 for m in mean)
    stated = (c - a) ** 2 * 3 + (d - b) ** 2 * square + 2 * (c - a) * (d - b) * sum(kappa)
    evidence.on("DegenerateGaussian").exact(
        "W₂²(p_s, p_t) = (Δα)²d + (Δβ)²E|x₁|² + 2ΔαΔβE⟨x₀,x₁⟩",
        sp.expand(bures - stated) == 0,
        "symbolic in both times, the mean and the three eigenvalues of K",
        clause="distance",
    )


def _quantiles(law, alpha, beta, noise):
    """Q_t(Φ(r)) by bisection of P(αx₀ + βx₁ ≤ x), a sum over cells that does not know the order of paths."""
    y, limits, _ = law
    low = alpha * noise + beta * (y[0] - 1e-9) - 1e-9
    high = alpha * noise + beta * (y[-1] + 1e-9) + 1e-9
    lower, upper = (np.full(len(noise), x) for x in (min(low), max(high)))
    for _ in range(90):
        middle = (lower + upper) / 2
        reach = (middle[:, None] - beta * y) / alpha
        # from the nearer tail, where Φ keeps its digits
        below = np.maximum(ndtr(np.minimum(reach, limits[1:])) - ndtr(limits[:-1]), 0.0).sum(axis=1)
        above = np.maximum(ndtr(-np.maximum(reach, limits[:-1])) - ndtr(-limits[1:]), 0.0).sum(axis=1)
        short = np.where(noise < 0, below < ndtr(noise), above > ndtr(-noise))
        lower, upper = np.where(short, middle, lower), np.where(short, upper, middle)
    return (lower + upper) / 2


def _beyond_eight(fall, rise, widest):
    """E(Δα r + Δβ y)² over |r| > 8, at most 2Δα²·2(8φ(8) + Φ(−8)) + 2Δβ²max|y|²·2Φ(−8)."""
    density, mass = np.exp(-32.0) / np.sqrt(2 * np.pi), ndtr(-8.0)
    return 4 * fall**2 * (8 * density + mass) + 4 * rise**2 * widest**2 * mass


def _rounded(values, widest, stated):
    """Of the integral 2W₂δ + δ², δ of both quantiles, of the 120 nodes and of the closed form.

    Φ from the nearer tail, a sum of six values of SciPy's Φ within 8 units, moves Q by that over its density,
    α·Φ/φ ≤ 1.26α; its argument by three roundings of |x| + β|y|, and bisection by its width, below one.
    """
    size = sum(alpha * 8 + 2 * beta * widest for alpha, beta in values)
    off = Rounding(1.26 * sum(alpha for alpha, _ in values), 6 * 8, "Φ") + Rounding(size, 4, "x and y")
    ends = Rounding(1 + 4 * widest**2, 125 + 20, "nodes, atoms and the closed form")
    return 2 * np.sqrt(stated) * off.bound + off.bound**2 + ends.bound


@pytest.mark.claim("N4")
@pytest.mark.parametrize("schedule", [Linear(), Trigonometric(), Polynomial(2.0)], ids=repr)
@pytest.mark.parametrize(("s", "t"), [(0.3, 0.8), (0.0, 0.6), (0.9, 0.2)])
def test_distance_on_the_line_by_quantiles(evidence, schedule, s, t):
    """Atoms 0, 1, 3 of weights .2, .3, .5: ∫(Q_s − Q_t)² against the closed form."""
    y, w = np.array([0.0, 1.0, 3.0]), np.array([0.2, 0.3, 0.5])
    limits = np.concatenate([[-np.inf], ndtri(np.cumsum(w)[:-1]), [np.inf]])
    density = np.exp(-(limits**2) / 2) / np.sqrt(2 * np.pi)
    correlation = y @ (density[:-1] - density[1:])
    values = [(float(schedule.alpha(time)), float(schedule.beta(time))) for time in (s, t)]
    fall, rise = values[1][0] - values[0][0], values[1][1] - values[0][1]
    stated = fall**2 + rise**2 * (w @ y**2) + 2 * fall * rise * correlation

    def integral(nodes):
        points, weights = np.polynomial.legendre.leggauss(nodes)
        total = 0.0
        for a, b in zip([-8.0, *limits[1:-1]], [*limits[1:-1], 8.0], strict=True):
            r = a + (b - a) * (points + 1) / 2
            mass = weights * (b - a) / 2 * np.exp(-(r**2) / 2) / np.sqrt(2 * np.pi)
            first, second = (_quantiles((y, limits, w), alpha, beta, r) for alpha, beta in values)
            total += float(mass @ (first - second) ** 2)
        return total

    found = integral(40)
    evidence.on("atoms 0, 1, 3 on the line", schedule=schedule, s=s, t=t).estimated(
        "|∫(Q_s − Q_t)² − the closed form of W₂²(p_s, p_t)|",
        abs(found - stated),
        bound=abs(found - integral(30)) + _beyond_eight(fall, rise, y[-1]) + _rounded(values, y[-1], stated),
        by="40 and 30 Gauss nodes a cell",
        because="on the line W₂ is the distance of quantiles; what |r| > 8 carries and rounding are counted",
        points=120,
        clause="distance",
    )


@pytest.mark.claim("N4")
@pytest.mark.parametrize("known", KNOWN_COSTS, ids=lambda known: known.name)
@pytest.mark.parametrize(
    ("schedule", "s", "t"), [(Linear(), 0.2, 0.9), (Trigonometric(), 0.9, 0.3)], ids=repr
)
def test_distance_in_space_by_a_level(evidence, rng, known, schedule, s, t):
    """Mean of |x_t − x_s|² over optimal pairs; the cost is known by a route of its own."""
    n = 400_000
    fall = float(schedule.alpha(t) - schedule.alpha(s))
    rise = float(schedule.beta(t) - schedule.beta(s))
    x0, x1 = known.target.sample(n, rng)
    on = evidence.on(known.target, schedule=schedule, s=s, t=t)
    on.statistical(
        f"|mean of |x_t − x_s|² − W₂²(p_s, p_t) in closed form|, {known.name}",
        abs(((fall * x0 + rise * x1) ** 2).sum(axis=1).mean() - known.mean(fall, rise)),
        threshold=known.deviation(n, fall, rise, LEVEL),
        level=LEVEL,
        because="χ² for squares of noise, Gaussian concentration for φ*, Hoeffding for what atoms fix",
        points=n,
        clause="distance",
    )
    if isinstance(schedule, Linear):
        on.bounded(
            "|W₂²(p_s, p_t) − (t−s)²W₂²(P₀, P₁)|, linear schedule",
            abs(known.mean(fall, rise) - (t - s) ** 2 * known.cost),
            Rounding(
                known.target.dim + known.square + 2 * abs(known.correlation), 8, "sums of three products"
            ),
            because="Δα = −Δβ = −(t−s)",
            clause="distance",
        )


# --- control ----------------------------------------------------------------------------------------------


@pytest.mark.control("N4")
def test_independent_noise_at_the_two_times_costs_more(evidence, rng):
    """The pair of different noise costs E|x_s|² + E|x_t|², in closed form on the sphere."""
    target, n, s, t = Sphere(3, 2.0), 200_000, 0.3, 0.8
    drawn = [target.sample(n, rng) for _ in range(2)]
    first, second = ((1 - time) * x0 + time * x1 for time, (x0, x1) in zip((s, t), drawn, strict=True))
    mean = np.sqrt(2) * np.exp(gammaln(2.0) - gammaln(1.5))
    square = [(1 - time) ** 2 * 3 + 4 * time**2 + 4 * time * (1 - time) * mean for time in (s, t)]
    cost = (t - s) ** 2 * (3 + 4 - 4 * mean)
    evidence.on(target, s=s, t=t).control(
        "x_s and x_t from independent noise: mean of |x_t − x_s|² less W₂²(p_s, p_t)",
        predicted=sum(square) - cost,
        measured=((first - second) ** 2).sum(axis=1).mean() - cost,
        agreement=_spread(n, s, t) + 2 * random_signs((first * second).sum(axis=1), LEVEL / 5) / n,
        because="both have mean 0 and are independent: E|x_s|² + E|x_t|². χ² for |x₀|², Gaussian"
        " concentration for |x₀|, and x₀ ↦ −x₀ makes the signs of ⟨x_s, x_t⟩ fair given sizes: Hoeffding",
        level=LEVEL,
        points=n,
    )


def _spread(n, s, t):
    """Deviation of the mean of |x_s|² + |x_t|², |x_t|² = (1−t)²|x₀|² + 4t(1−t)|x₀| + 4t²; 4 of 5 levels."""
    return sum(
        (1 - time) ** 2 * 3 * mean_of_squares(3 * n, LEVEL / 5)
        + gaussian_lipschitz(n, 4 * time * (1 - time), LEVEL / 5)
        for time in (s, t)
    )
