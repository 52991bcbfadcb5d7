"""M1–M6 asked of torchcfm, the library that people train with: audits, which decide nothing.

The law of one pair that `ExactOptimalTransportConditionalFlowMatcher` returns is π_n while its solver reaches
the optimum, though it draws with replacement (test_torchcfm_sampling); so every claim about π_n, and every
control, can be asked of it. Batches as proximal are asked in P9 (proximal_denoiser/test_minibatch).
"""

import numpy as np
import pytest
from scipy import stats

from numerics.potentials import FiniteAtoms, Sphere
from numerics.transport.minibatch import expected_cost, normal_order_means
from numerics.transport.two_atoms import TwoAtomLaw
from theorems.betting import mean_interval
from theorems.minibatch_convergence.test_cost import measure_halves
from theorems.minibatch_convergence.test_leave_one_out import measure_leave_one_out
from theorems.minibatch_convergence.test_line import measure_matched_law
from theorems.minibatch_convergence.test_plan import TURNED, measure_turned_noise
from theorems.setting.fits import slope_of_intervals
from theorems.setting.libraries import Questions, TorchCFM, batches_of
from theorems.setting.vectors import norm
from theorems.statistics import bernstein, gaussian_lipschitz, hoeffding, hoeffding_sum, mean_of_squares

LEVEL = 1e-6  # a disagreeing library is a finding, no verdict: sharper than the levels of claims
TIME, W, DISTANCE = 0.5, 0.3, 2.0
ATOMS = FiniteAtoms.two([0.0], [DISTANCE], W)
BATCHES = {4: 2000, 16: 1200, 64: 800}
MOST = (1 + np.sqrt(2)) / 2 / (1 - TIME)  # |y − x| ≤ 1 + |x − 1|, and (1 + s)/(1 + s²) ≤ (1 + √2)/2


def returned(library, target, rng):
    """What the library makes of batches of 4, 16 and 64."""
    for n, batches in BATCHES.items():
        yield n, library.couple(*batches_of(target, n, batches, rng), TIME, int(rng.integers(2**32)))


def within(values, low, high):
    """Half-width about the mean of the interval by betting, for batches that lie in [low, high]."""
    mean, (least, most) = values.mean(), mean_interval(np.clip(values, low, high), low, high, LEVEL)
    return max(mean - least, most - mean)


@pytest.mark.asks("M1", "M2", "M4", "M5", "M6")
def test_returned_pairs_of_two_atoms(evidence, rng):
    library = TorchCFM()
    on = evidence.auditing(library.name, "M5", kind="library")
    for n, drawn in returned(library, ATOMS, rng):
        x0, x1 = drawn.x0[:, 0, 0], drawn.x1[:, 0, 0]
        measure_matched_law(on.on("two atoms", n=n), stats.bernoulli(1 - W), n, x0, x1 / DISTANCE, rng)
        ask = Questions(evidence, library, f"two atoms, n = {n}")
        _ask_marginals(ask, x0, x1)
        _ask_cost(ask, drawn, n)
        _ask_field(ask, drawn, TwoAtomLaw([[0.0], [DISTANCE]], W, n))


def _ask_marginals(ask, x0, x1):
    """Of one pair of each batch."""
    ask.number(
        "M1: share of returned data at the atom of weight 0.3",
        expected=W,
        measured=(x1 == 0).mean(),
        margin=hoeffding(len(x1), 1.0, LEVEL),
        because="the marginal holds on average over batches; one pair of each; Hoeffding",
    )
    ask.number(
        "M1: mean of the returned noise",
        expected=0.0,
        measured=x0.mean(),
        margin=gaussian_lipschitz(len(x0), 1.0, LEVEL),
        because="the marginal holds on average over batches; one pair of each; Gaussian concentration",
    )


def _ask_cost(ask, drawn, n):
    """A returned pair is a draw from its batch's plan, which costs |x₀|² + |x₁|² − 2⟨x₀,x₁⟩ on average.

    Given how many data are 2, the products are a Lipschitz function of the noise: Σ of the largest noises.
    """
    costs = ((drawn.x0 - drawn.x1) ** 2).mean(axis=(1, 2))
    noise, data = np.sort(drawn.noise[..., 0], axis=1), np.sort(drawn.data[..., 0], axis=1)
    pairs, exact = (noise - data) ** 2, expected_cost(ATOMS, n)
    batch, batches = pairs.mean(axis=1), len(pairs)
    drawing = hoeffding_sum(np.ptp(pairs, axis=1).repeat(n), LEVEL / 2) / pairs.size
    ask.number(
        "M2: mean cost of returned pairs less that of their batches' optimal assignments",
        expected=0.0,
        measured=(costs - batch).mean(),
        margin=drawing,
        because="n draws from each batch's optimal pairs, found by sorting; Hoeffding given the batches",
    )
    given, reach = _cost_given_data(n)
    likely = stats.binom(n, 1 - W).pmf(np.arange(n + 1))
    variance = likely @ given**2 - (likely @ given) ** 2
    margin = drawing + mean_of_squares(batches * n, LEVEL / 8)
    margin += gaussian_lipschitz(batches * n, 2 * DISTANCE, LEVEL / 8)
    margin += bernstein(batches, variance, reach, LEVEL / 4)
    ask.number(
        "M2: c_n of returned pairs",
        expected=exact.cost,
        measured=costs.mean(),
        margin=margin + exact.cost_error,
        because="exact order statistics; Hoeffding given the batches, χ² and Gaussian concentration given the"
        " data, Bernstein for the data",
    )


def _cost_given_data(n):
    """E|x₁|² − 2E⟨x₀,x₁⟩ of a batch of which k data are 2, k = 0 … n, and its range."""
    top = np.concatenate([[0.0], np.cumsum(normal_order_means(n)[::-1])])
    given = (DISTANCE**2 * np.arange(n + 1) - 2 * DISTANCE * top) / n
    return given, np.ptp(given)


def _ask_field(ask, drawn, law):
    """E f(x_t)u_t is the flux against f, whatever the plan; f(x) = 1/(1 + (x−1)²) bounds f·u by `MOST`."""
    flux, mass = _flux(law), law.misassigned_mass()
    found = (_weight(drawn.xt) * drawn.ut).mean(axis=(1, 2))
    wrong = ((drawn.x0 < law.threshold) != (drawn.x1 == 0)).mean(axis=(1, 2))
    ask.number(
        f"M4: flux of the returned x_t, u_t against 1/(1 + (x−1)²) at t = {TIME}",
        expected=flux.value,
        measured=found.mean(),
        margin=within(found, -MOST, MOST) + flux.error,
        because="quadrature of v⁽ⁿ⁾p⁽ⁿ⁾; betting over batches",
    )
    ask.number(
        "M6: misassigned mass of the returned pairs",
        expected=mass.value,
        measured=wrong.mean(),
        margin=within(wrong, 0.0, 1.0) + mass.error,
        because="∫|G_n − 1{u<w}|du; betting over batches",
    )


def _weight(x):
    return 1 / (1 + (x - 1) ** 2)


def _flux(law):
    """∫f v⁽ⁿ⁾p⁽ⁿ⁾dx = Σ_i ∫f(αz + βy_i)(y_i − z)P(y_i|z)φ_N(z)dz."""

    def integrand(z):
        lower = law.probability(z)
        normal = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        at = [_weight((1 - TIME) * z + TIME * y) * (y - z) for y in (0.0, DISTANCE)]
        return normal * (lower * at[0] + (1 - lower) * at[1])

    return law.integrate(integrand)


@pytest.mark.asks("M2")
def test_halves_cost_no_less_than_the_whole(evidence, rng):
    library = TorchCFM()
    on = evidence.auditing(library.name, "M2", kind="library")
    for n, d in ((1, 2), (8, 2), (64, 2), (1, 6), (8, 6), (64, 6)):
        noise, data = (part[0] for part in batches_of(Sphere(d), 2 * n, 1, rng))
        measure_halves(on.on(Sphere(d), n=n), noise, data, library.match)


@pytest.mark.asks("N8")
def test_a_batch_costs_at_most_the_mean_of_its_leave_one_out_batches(evidence, rng):
    library = TorchCFM()
    on = evidence.auditing(library.name, "N8", kind="library")
    for n, d in ((1, 2), (8, 2), (32, 2), (8, 6)):
        noise, data = (part[0] for part in batches_of(Sphere(d), n + 1, 1, rng))
        drop = rng.permutation(n + 1)
        measure_leave_one_out(on.on(Sphere(d), n=n), noise, data, drop, library.match, "leave one out")


@pytest.mark.asks("M3")
def test_returned_data_tend_to_the_transport_on_the_circle(evidence, rng):
    library, target, means, intervals = TorchCFM(), Sphere(2), [], []
    for _, drawn in returned(library, target, rng):
        ideal = target.transport(drawn.x0.reshape(-1, 2)).reshape(drawn.x0.shape)
        moved = np.minimum(((drawn.x1 - ideal) ** 2).sum(axis=2).mean(axis=1), 4.0)
        means.append(moved.mean())
        intervals.append(mean_interval(moved, 0.0, 4.0, LEVEL / 3))
    slope, interval = slope_of_intervals(list(BATCHES), means, intervals)
    evidence.auditing(library.name, "M3", kind="library").on(target).trend(
        "log E|x₁ − T(x₀)|² of returned pairs against log n on the circle, n = 4 … 64; betting on batches",
        slope=slope,
        interval=interval,
        theory=-0.5,
        rule="interval lies below theory",
        points=len(means),
    )


# --- the controls of M1–M6, through the library ------------------------------------------------------


@pytest.mark.asks("M2")
def test_independent_matcher_gains_nothing(evidence, rng):
    library, target = TorchCFM(), Sphere(2)
    x0, x1 = (part.reshape(-1, 2) for part in batches_of(target, 64, 80, rng))
    velocity = library.apart(x0, x1, int(rng.integers(2**32)))
    Questions(evidence, library, "circle").number(
        "M2, control: excess of the cost of ConditionalFlowMatcher, pairs as drawn",
        expected=np.sqrt(2 * np.pi),
        measured=(norm(velocity) ** 2 - norm(target.transport(x0) - x0) ** 2).mean(),
        margin=gaussian_lipschitz(len(x0), 4.0, LEVEL),
        because="2E|x₀| = √(2π), as for one pair, whatever n is; Gaussian concentration",
    )


@pytest.mark.asks("M3")
def test_turned_noise_converges_to_the_wrong_plan(evidence, rng):
    library = TorchCFM()
    predicted, measured, reach, _ = measure_turned_noise(60, library.match, rng, LEVEL, batches=60)
    Questions(evidence, library, "circle").number(
        "M3, control: excess of the cost when the noise is turned by 60° before it is matched",
        expected=predicted,
        measured=measured,
        margin=reach,
        because=TURNED,
    )
