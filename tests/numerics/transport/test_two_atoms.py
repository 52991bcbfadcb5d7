"""Two atoms: the field in the gap, where the density is below all rounding, and far out; masses, costs."""

import mpmath
import numpy as np
import pytest
from flint import arb, ctx
from scipy import stats
from scipy.integrate import quad

from numerics.flows.exact import ExactField
from numerics.flows.independent import IndependentField
from numerics.intervals.balls import normal_below, normal_density
from numerics.intervals.matched_pair import assignment, label_odds
from numerics.potentials import FiniteAtoms
from numerics.schedules import Linear, Trigonometric
from numerics.transport.minibatch import expected_cost
from numerics.transport.two_atoms import TwoAtomLaw, two_atom_law

PLACES, WEIGHT, TIME = (0.0, 2.0), 0.3, 0.5


def _exact_velocity(n, x, w=WEIGHT, places=PLACES, t=TIME):
    """Linear schedule on the line, by full sums in balls of 200 bits and the exact weighted mean."""
    with ctx.workprec(200):
        alpha, beta = 1 - arb(t), arb(t)
        odds = label_odds(arb(x), alpha, beta, (arb(places[0]), arb(places[1])), arb(w), n)
        share = odds / (1 + odds)
        ends = [arb(y) - (arb(x) - beta * y) / alpha for y in places]
        return share * ends[0] + (1 - share) * ends[1]


@pytest.mark.parametrize(
    ("n", "count"), [(1, 41), (2, 41), (16, 41), (64, 41), (256, 41), (1024, 17), (4096, 7)]
)
def test_field_is_right_from_the_gap_to_far_out(n, count):
    """Where 1 − G_n is formed by a difference, it errs by 0.27 at n = 256 and has the wrong label at 512."""
    edges = [-30.0, -6.0, -0.262200, -0.2622, 0.15, 0.1847, 0.5, 0.7378, 7.0, 40.0]
    x = np.array([*np.linspace(-0.3, 0.8, count), *edges])
    law = TwoAtomLaw([[p] for p in PLACES], WEIGHT, n)
    found, stated = law.velocity(TIME, x[:, None])[:, 0], law.velocity_rounding(TIME, x[:, None]).bound
    for place, value, bound in zip(x, found, stated, strict=True):
        with ctx.workprec(200):
            assert abs(arb(value) - _exact_velocity(n, place)) <= arb(bound), place


@pytest.mark.parametrize(("n", "place"), [(65536, 0.18), (65536, 0.18376), (65536, 0.19), (10**6, 0.183762)])
def test_field_is_right_to_a_million(n, place):
    """Both labels have a share at the last place, 5·10⁻⁷ left of the switch; further off one has all."""
    law = TwoAtomLaw([[p] for p in PLACES], WEIGHT, n)
    found, stated = law.velocity(TIME, [[place]])[0, 0], law.velocity_rounding(TIME, [[place]]).bound[0]
    with ctx.workprec(200):
        assert abs(arb(found) - _exact_velocity(n, place)) <= arb(stated)
    assert stated < 1e-6


def test_balls_are_those_of_mpmath():
    """Of the oracle itself, by its own normal law and sums."""
    n, x = 40, 0.21
    with mpmath.workdps(40):
        z = [(mpmath.mpf(x) - TIME * y) / (1 - TIME) for y in PLACES]
        u = [mpmath.ncdf(s) for s in z]
        data = [
            mpmath.binomial(n, k) * mpmath.mpf(WEIGHT) ** k * (1 - mpmath.mpf(WEIGHT)) ** (n - k)
            for k in range(n + 1)
        ]
        noise = [[mpmath.binomial(n - 1, k) * r**k * (1 - r) ** (n - 1 - k) for k in range(n)] for r in u]
        below = sum(noise[0][a] * sum(data[a + 1 :]) for a in range(n))
        beyond = sum(noise[1][a] * sum(data[: a + 1]) for a in range(n))
        odds = mpmath.npdf(z[0]) * below / (mpmath.npdf(z[1]) * beyond)
    with ctx.workprec(200):
        found = label_odds(arb(x), arb(TIME), arb(TIME), (arb(0), arb(2)), arb(WEIGHT), n)
        assert abs(found / arb(mpmath.nstr(odds, 35)) - 1) < arb(10) ** -30


@pytest.mark.parametrize("schedule", [Linear(), Trigonometric()], ids=repr)
def test_odds_are_those_of_the_field_in_space(schedule):
    """Across e the labels' speeds agree, along e the field is their mean at the odds."""
    points = np.array([[0.3, -1.0, 0.5], [1.0, 1.0, 0.2]])
    law, x = TwoAtomLaw(points, 0.3, 40, schedule), np.random.default_rng(0).standard_normal((50, 3))
    _, speeds = law.ends(0.4, x)
    share = 1 / (1 + np.exp(-law.log_odds(0.4, x)))
    assert np.allclose(law.velocity(0.4, x), share[:, None] * speeds[0] + (1 - share)[:, None] * speeds[1])
    apart = (speeds[0] - speeds[1]) / np.linalg.norm(speeds[0] - speeds[1], axis=1)[:, None]
    assert np.allclose(np.abs(apart @ law.direction), 1)
    assert (np.diff(law.log_odds(0.4, np.linspace(-3, 3, 99)[:, None] * law.direction)) < 0).all()


@pytest.mark.parametrize(("n", "steps"), [(64, 128), (256, 512)])
def test_floor_of_large_batches_is_relatively_right(n, steps):
    """About b(u)^{2n}, far below eps, by a trapezoid rule in balls over the gap, where it lies."""
    law, step = TwoAtomLaw([[p] for p in PLACES], WEIGHT, n), 1 / steps
    with ctx.workprec(200):
        values = []
        for k in range(-512, 640):
            x = arb(k) * arb(step)
            odds = label_odds(x, arb(TIME), arb(TIME), (arb(0), arb(2)), arb(WEIGHT), n)
            z = x / arb(TIME)
            below = assignment(normal_below(z), arb(WEIGHT), n, normal_below(-z))[0]
            values.append(float(normal_density(z) * below / (1 + odds)))  # p⁰p¹/(p⁰+p¹), α = 1/2 of dx = αdz
    fine, coarse = (16 * sum(values[::k]) * k * step / TIME for k in (1, 2))
    floor = law.loss_floor(TIME)
    assert abs(floor.value - fine) <= floor.error + abs(fine - coarse)
    assert floor.error + abs(fine - coarse) < 1e-5 * fine


def test_field_far_out_keeps_its_odds():
    """60 deviations out both labels' densities underflow; the odds do not."""
    x = np.array([[-30.0], [31.0]])
    single, apart = two_atom_law([[0.0], [1.0]], 0.3, 1), IndependentField([[0.0], [1.0]], [0.3, 0.7])
    assert np.allclose(single.velocity(0.5, x), apart.velocity(0.5, x), rtol=1e-12)


@pytest.mark.parametrize("n", [1, 5, 40, 3000])
@pytest.mark.parametrize("w", [0.02, 0.3, 0.5, 0.9])
def test_two_routes_to_the_excess_of_two_atoms(n, w):
    by_ranks = expected_cost(FiniteAtoms.two([-1.0], [1.5], w), n)
    by_layer = TwoAtomLaw([[-1.0], [1.5]], w, n).cost_excess()
    assert abs(by_ranks.excess - by_layer.value) <= by_ranks.error + by_layer.error


@pytest.mark.parametrize("n", [1, 4, 30, 200])
def test_misassigned_mass_is_the_mean_difference_of_two_counts(n):
    """E|A − B|/n: A noises below the threshold, B data at y₀; both Bin(n, w)."""
    law = stats.binom(n, 0.3).pmf(np.arange(n + 1))
    apart = np.abs(np.arange(n + 1)[:, None] - np.arange(n + 1)[None, :])
    found = TwoAtomLaw([[0.0], [1.0]], 0.3, n).misassigned_mass()
    assert found.value == pytest.approx(law @ apart @ law / n, abs=1e-14)


@pytest.mark.parametrize("n", [1, 4, 12])
def test_plan_distance_by_adaptive_quadrature(n):
    """Noise of each label moved rank by rank, with H from an ordinary quadrature of rational-exact G."""
    w = 0.3

    def part(w):
        def below(u):
            return quad(
                lambda s: stats.binom.sf(np.arange(n), n, w) @ stats.binom.pmf(np.arange(n), n - 1, s), 0, u
            )[0]

        def integrand(z):
            u = stats.norm.cdf(z)
            g = stats.binom.sf(np.arange(n), n, w) @ stats.binom.pmf(np.arange(n), n - 1, u)
            return stats.norm.pdf(z) * g * (z - stats.norm.ppf(below(u))) ** 2

        return quad(integrand, -7, 7, points=[stats.norm.ppf(w)], epsabs=1e-9, limit=200)[0]

    found = TwoAtomLaw([[0.0], [2.0]], w, n).plan_distance()
    assert found.value == pytest.approx(part(w) + part(1 - w), abs=1e-7)


SMALL = [1e-300, 1e-100, 1e-19, 1e-12, 1e-6, 0.01, 0.7, 1 - 1e-9]


@pytest.mark.parametrize("w", SMALL)
@pytest.mark.parametrize("n", [1, 2, 5])
def test_errors_of_masses_and_costs_of_small_weights(n, w):
    """E|A − B|/n in 60 digits; of one pair c₁ − W₂² = 2Δφ_N(b). At 1e-19 all lies beyond ±9."""
    law = TwoAtomLaw([[0.0], [1.5]], w, n)
    with mpmath.workdps(60):
        exact_w = mpmath.mpf(w)
        counts = [mpmath.binomial(n, k) * exact_w**k * (1 - exact_w) ** (n - k) for k in range(n + 1)]
        mass = sum(p * q * abs(i - j) for i, p in enumerate(counts) for j, q in enumerate(counts)) / n
        found = law.misassigned_mass()
        assert abs(found.value - mass) <= found.error < 1e-10 * mass
        if n == 1:
            b = mpmath.mpf(law.threshold)
            for _ in range(3):
                b -= mpmath.log(mpmath.ncdf(b) / exact_w) * mpmath.ncdf(b) / mpmath.npdf(b)
            found, cost = law.cost_excess(), 3 * mpmath.npdf(b)
            assert abs(found.value - cost) <= found.error < 1e-8 * cost


def _inverse(below, above):
    """Φ⁻¹ of a probability given with its complement, by Newton's iteration."""
    p = min(below, above)
    z = mpmath.mpf(float(stats.norm.ppf(float(p))))
    for _ in range(3):
        z -= mpmath.log(mpmath.ncdf(z) / p) * mpmath.ncdf(z) / mpmath.npdf(z)
    return z if below < above else -z


@pytest.mark.parametrize("w", [1e-14, 1e-9, 1e-3, 0.3])
def test_errors_of_the_distance_of_one_pair(w):
    """Noise of a label of weight w moves from rank u to rank wu, E w(z − Φ⁻¹(wu))², in 30 digits."""

    def part(w):
        def integrand(z):
            u, rest = mpmath.ncdf(z), mpmath.ncdf(-z)
            return mpmath.npdf(z) * w * (z - _inverse(w * u, rest + (1 - w) * u)) ** 2

        return mpmath.quad(integrand, [-16, -10, -7, -4, -2, 0, 2, 4, 5, 6, 7, 8, 10, 16])

    with mpmath.workdps(30):
        exact = part(mpmath.mpf(w)) + part(1 - mpmath.mpf(w))
        found = TwoAtomLaw([[0.0], [2.0]], w, 1).plan_distance()
        assert abs(found.value - exact) <= found.error < 0.1 * exact


POINTS = np.array([[0.3, -1.0, 0.5], [1.0, 1.0, 0.2]])


def test_field_of_one_pair_is_the_independent_one():
    x = np.random.default_rng(0).standard_normal((60, 3))
    single, apart = two_atom_law(POINTS, 0.3, 1), IndependentField(POINTS, [0.3, 0.7])
    assert np.abs(single.velocity(0.4, x) - apart.velocity(0.4, x)).max() < 1e-13
    assert np.allclose(single.flux(0.4, x), single.velocity(0.4, x) * single.density(0.4, x)[:, None])


@pytest.mark.parametrize("schedule", [Linear(), Trigonometric()], ids=repr)
def test_field_of_the_population_is_the_exact_one(schedule):
    """On the interpolants, in the gap between them, and off the line through the atoms."""
    target = FiniteAtoms.two(POINTS[0], POINTS[1], 0.3)
    exact, whole = ExactField(target, schedule), TwoAtomLaw(POINTS, 0.3, None, schedule)
    rng = np.random.default_rng(0)
    alpha, beta = float(schedule.alpha(0.4)), float(schedule.beta(0.4))
    ends = alpha * whole.threshold * whole.direction + beta * POINTS
    gap = ends[0] + rng.random((60, 1)) * (ends[1] - ends[0])
    aside = rng.standard_normal((60, 3))
    aside -= (aside @ whole.direction)[:, None] * whole.direction
    for x in (exact.flow(0.4, rng.standard_normal((60, 3))), gap, gap + aside):
        assert np.abs(whole.velocity(0.4, x) - exact.velocity(0.4, x)).max() < 1e-13
    assert whole.plan_distance().value == whole.misassigned_mass().value == whole.cost_excess().value == 0


def test_density_integrates_to_one_in_the_plane():
    grid = np.linspace(-7, 9, 321)
    x = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    total = two_atom_law([[0.0, 0.0], [1.0, 1.0]], 0.4, 7).density(0.5, x).sum() * (grid[1] - grid[0]) ** 2
    assert total == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("n", [1, 4, 50, None])
def test_energy_and_floor_share_the_cost(n, t):
    """Linear schedule: E|ẋ|² = c_n at every t. The quadrature in x_t meets the one in ranks."""
    law = two_atom_law([[0.0], [2.0]], 0.3, n)
    target = FiniteAtoms.two([0.0], [2.0], 0.3)
    cost = expected_cost(target, n or 1).optimal if n is None else expected_cost(target, n).cost
    assert law.energy(t).value + law.loss_floor(t).value == pytest.approx(cost, abs=1e-12)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="points: got 3 atoms"):
        TwoAtomLaw([[0.0], [1.0], [2.0]], 0.3, 4)
    with pytest.raises(ValueError, match="coincide"):
        TwoAtomLaw([[1.0], [1.0]], 0.3, 4)
    with pytest.raises(ValueError, match="weight"):
        TwoAtomLaw([[0.0], [1.0]], 1.0, 4)
    with pytest.raises(ValueError, match="t: got 1"):
        TwoAtomLaw([[0.0], [1.0]], 0.5, 4).velocity(1.0, [[0.0]])
    law = TwoAtomLaw([[0.0], [2.0]], 0.3, 4)
    with pytest.raises(ValueError, match="t: got shape"):
        law.velocity([0.5, 0.5], [[0.0]])
    with pytest.raises(ValueError, match="t: entry"):
        law.velocity(np.nan, [[0.0]])
    with pytest.raises(ValueError, match=r"x: got shape \(1, 2\)"):
        law.velocity_rounding(0.5, [[0.0, 1.0]])
    with pytest.raises(ValueError, match="x: entry"):
        law.velocity(0.5, [[np.inf]])
    with pytest.raises(ValueError, match="weight"):
        TwoAtomLaw([[0.0], [2.0]], np.nan, 4)
    with pytest.raises(ValueError, match="weight: got 1e-19; the plan's distance needs"):
        TwoAtomLaw([[0.0], [2.0]], 1e-19, 4).plan_distance()
    with pytest.raises(ValueError, match="n: got None"):
        TwoAtomLaw([[0.0], [2.0]], 0.3, None).log_odds(0.5, [[0.0]])
