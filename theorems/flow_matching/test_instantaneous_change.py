"""F3: log-densities by integrating the divergence along trajectories, beside closed forms.

The closed forms are SciPy's. Two couplings transport noise to the same Gaussian, and must give one density.
Control: without the divergence every log-density is off by ½ log det Σ; a divergence-free field would not
show it, which is why none is used.
"""

from itertools import product

import numpy as np
import pytest
import sympy as sp
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from numerics.accuracy import COMPLEX, Rounding
from numerics.flows.density import log_density, normal_log_density, probed_log_density
from numerics.flows.mixtures import MixtureField
from numerics.flows.paths import OptimalTransportPath, VarianceExploding, VariancePreservingPath
from theorems.flow_matching.drawn import NOTES, covariance, mixture
from theorems.flow_matching.quadrature import resolved
from theorems.flow_matching.roundings import SOLVED, MixtureRoundings
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, for_all

LEVEL = 1e-10
BY_FLOW = "the integration's error goes through the gradient of log p₀; SciPy's density rounds as ours does"


def of_mixture(field, x):
    """Log of the mixture's density, by SciPy."""
    parts = [
        np.log(w) + multivariate_normal(m, s).logpdf(x)
        for w, m, s in zip(field.weights, field.means, field.covariances, strict=True)
    ]
    return logsumexp(np.reshape(parts, (len(field.weights), len(x))), axis=0)


@for_all("F3", seed=SEEDS, dim=st.integers(1, 4))
def test_gaussian_to_gaussian_by_two_couplings(evidence, seed, dim):
    rng = generator(seed)
    mean, spread = rng.standard_normal(dim), covariance(rng, dim)
    independent = MixtureField([mean], [spread], [1.0])
    x1 = rng.multivariate_normal(mean, spread, 8)
    exact = np.atleast_1d(multivariate_normal(mean, spread).logpdf(x1))
    for name, velocity, divergence in (
        ("independent", independent.velocity, independent.divergence),
        ("optimal", *_straight(mean, spread)),
    ):
        found = log_density(velocity, divergence, x1)
        evidence.on(f"{name} coupling, Gaussian target", seed=seed, dim=dim).estimated(
            "|log p₀(x₀) − ∫div u dt − log p₁(x₁)|",
            np.abs(found.value - exact),
            resolved(found.error) + 2 * MixtureRoundings(independent, 1.0, x1).log_density.bound,
            by=SOLVED,
            because=BY_FLOW,
            clause="integrated",
        )


def _straight(mean, spread):
    """The OT field to N(m, Σ), affine, and its divergence: x_t = M_t x₀ + tm with M_t = I + t(Σ^½ − I)."""
    values, vectors = np.linalg.eigh(spread)
    slope = (vectors * (np.sqrt(values) - 1)) @ vectors.T

    def rate(t):
        return slope @ np.linalg.inv(np.eye(len(mean)) + t * slope)

    return lambda t, x: mean + (x - t * mean) @ rate(t).T, lambda t, x: np.full(len(x), np.trace(rate(t)))


@for_all("F3", seed=SEEDS, dim=st.integers(1, 3), parts=st.integers(2, 4))
def test_gaussian_to_mixture(evidence, seed, dim, parts):
    rng = generator(seed)
    field = mixture(rng, dim, parts)
    x1, _ = field.sample(8, rng)
    found, exact = log_density(field.velocity, field.divergence, x1), of_mixture(field, x1)
    evidence.on("mixture target", seed=seed, dim=dim, parts=parts).estimated(
        "|log p₀(x₀) − ∫div u dt − log p₁(x₁)|",
        np.abs(found.value - exact),
        resolved(found.error) + 2 * MixtureRoundings(field, 1.0, x1).log_density.bound,
        by=SOLVED,
        because=BY_FLOW,
        clause="integrated",
    )


@pytest.mark.claim("F3")
@pytest.mark.parametrize("dim", [2, 5])
def test_hutchinsons_estimate(evidence, rng, dim):
    field = mixture(rng, dim, 3)
    x1, _ = field.sample(6, rng)
    exact = log_density(field.velocity, field.divergence, x1)
    every = np.array(list(product((-1.0, 1.0), repeat=dim)))
    mean = probed_log_density(field.velocity, field.jacobian, x1, every, LEVEL)
    on = evidence.on("mixture target", dim=dim)
    on.estimated(
        "|log p₁ from all 2^d sign vectors − log p₁ by the trace|",
        np.abs(mean.value - exact.value),
        2 * resolved(exact.error) + Rounding(1 + np.abs(exact.value), dim + 4, "sums of log p₀").bound,
        by=f"{SOLVED}, of the one with the trace; the other is taken to err as much",
        because="the mean of εᵀJε over all signs is tr J",
        clause="probes",
    )
    probes = rng.choice([-1.0, 1.0], (4000, dim))
    found = probed_log_density(field.velocity, field.jacobian, x1, probes, LEVEL)
    on.statistical(
        "|log p₁ from 4000 probes − log p₁(x₁)|",
        np.abs(found.value - of_mixture(field, x1)),
        found.radius,
        level=LEVEL,
        because="Hoeffding: εᵀMε stays within Σ_{i≠j}|M_ij| of tr M, M = ∫Du dt",
        clause="probes",
    )


@pytest.mark.claim("F3")
@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_one_probe_may_be_off_by_all_that_hoeffding_allows_for(evidence, level):
    """Du = [[0, a], [a, 0]]: εᵀDuε = ±2a is a fair coin, off by Σ_{i≠j}|M_ij| whatever it shows.

    A radius below that would be missed always, whatever its level; Hoeffding's of one toss is above it.
    """
    a = 0.7
    turn = np.array([[0.0, a], [a, 0.0]])
    x1 = np.array([[0.3, -0.2]])
    found = probed_log_density(
        lambda _, x: x @ turn, lambda _, x: np.broadcast_to(turn, (len(x), 2, 2)), x1, [[1.0, -1.0]], level
    )
    start = x1 @ expm(-turn)
    exact = -(start**2).sum(axis=1) / 2 - np.log(2 * np.pi)
    on = evidence.on("linear field, one probe", level=level)
    on.estimated(
        "|log p₁ from one probe − log p₁|",
        np.abs(found.value - exact),
        found.radius,
        by=SOLVED,
        because="2 exp(−½) > 1: a coin is never farther off than Hoeffding's radius of one toss",
        clause="probes",
    )
    on.estimated(
        "| |log p₁ from one probe − log p₁| − 2a |",
        np.abs(np.abs(found.value - exact) - 2 * a),
        1e-9,
        by=SOLVED,
        because="M = Du, and εᵀMε = ±2a whatever the signs are",
        chosen="the tolerance, far above the integrator's",
        clause="probes",
    )


@for_all(
    "F3",
    "F4",
    seed=SEEDS,
    dim=st.integers(1, 4),
    parts=st.integers(1, 4),
    t=st.integers(0, 15).map(lambda k: k / 16),
    path=st.sampled_from(
        [OptimalTransportPath(), VariancePreservingPath(0.1, 4.0), VarianceExploding(0.1, 3.0)]
    ),
)
def test_transport_equation(evidence, seed, dim, parts, t, path):
    """(∂_t p + div(up))/p = ∂_t log p + ⟨u, ∇log p⟩ + div u, each by complex steps of its own."""
    rng = generator(seed)
    field = mixture(rng, dim, parts, path)
    x = 2 * rng.standard_normal((16, dim))
    h, axes = 1e-30, np.eye(dim)
    in_time = field.log_density(t + 1j * h, x).imag / h
    slope = np.stack([field.log_density(t, x + 1j * h * e).imag / h for e in axes], axis=1)
    div = sum(field.velocity(t, x + 1j * h * e).imag[:, i] / h for i, e in enumerate(axes))
    along = np.einsum("ni,ni->n", field.velocity(t, x), slope)
    evidence.on("mixture target", seed=seed, dim=dim, parts=parts, t=t, path=path).bounded(
        "|∂_t log p + ⟨u, ∇log p⟩ + div u|",
        np.abs(in_time + along + div),
        _of_transport(MixtureRoundings(field, t, x), dim),
        because="the mixture solves the transport equation, and complex steps have no truncation",
        clause="transport",
    )


def _of_transport(of, dim):
    """Of ∂_t log p, ⟨u, ∇log p⟩ and div u, d entries of Du.

    The first is an average of ⟨s_k, u_k⟩ and d rates, which have the form and the sizes of Du's trace; all
    derivatives are by complex steps.
    """
    stepped = of.jacobian.amplified(COMPLEX * 2 * dim, "∂_t log p and d entries of Du, by complex steps")
    slope = of.score.amplified(COMPLEX * of.speed_length, "∇log p by complex steps")
    along = of.velocity.amplified(of.score_length)
    own = Rounding(of.score_length * of.speed_length, dim + 2, "⟨u, ∇log p⟩ and the sum")
    return stepped + slope + along + own


@for_all(
    "F3",
    seed=SEEDS,
    dim=st.integers(2, 4),
    parts=st.integers(1, 4),
    t=st.integers(0, 15).map(lambda k: k / 16),
)
def test_jacobian_that_probes_meet(evidence, seed, dim, parts, t):
    """Every entry of Du_t, as probes see ε⊤Du ε: beside complex steps of the field."""
    rng = generator(seed)
    field = mixture(rng, dim, parts)
    x = 2 * rng.standard_normal((16, dim))
    stepped = np.stack([field.velocity(t, x + 1e-30j * e).imag / 1e-30 for e in np.eye(dim)], axis=2)
    evidence.on("mixture target", seed=seed, dim=dim, parts=parts, t=t).bounded(
        "|∂u_i/∂x_j − complex step|",
        np.abs(field.jacobian(t, x) - stepped).max(axis=(1, 2)),
        MixtureRoundings(field, t, x).jacobian.amplified(1 + COMPLEX, "once more by complex steps"),
        because="they are equal, and complex steps have no truncation",
        clause="probes",
    )


@pytest.mark.claim("F3")
def test_log_density_falls_by_the_divergence(evidence):
    """(11) ⇒ (12), (13), for any p and u in three dimensions; with ∇·, where the notes print ∇."""
    t = sp.symbols("t", real=True)
    x = sp.symbols("x1:4", real=True)
    p = sp.Function("p", positive=True)(t, *x)
    u = [sp.Function(f"u{i}")(t, *x) for i in range(3)]
    div = sum(sp.diff(u[i], x[i]) for i in range(3))
    in_time = -sum(sp.diff(u[i] * p, x[i]) for i in range(3))
    total = in_time + sum(u[i] * sp.diff(p, x[i]) for i in range(3))
    on = evidence.on("p and u in R³")
    on.exact(
        "(12): d/dt p_t(x_t) = −p div u",
        sp.expand(total + p * div) == 0,
        "any C¹ p > 0, u (symbolic, formulas; the code: test_transport_equation)",
        clause="divergence",
    )
    on.exact(
        "(13): d/dt log p_t(x_t) = −div u",
        sp.simplify(total / p + div) == 0,
        "any C¹ p > 0, u (symbolic, formulas; the code: test_transport_equation)",
        clause="divergence",
    )
    printed = sp.Matrix(u).jacobian(sp.Matrix(x))
    on.audit(
        "(13) with ∇u as printed, in R³: how many numbers is the right side? The left side is one",
        "deviates" if len(printed) != 1 else "agrees",
        1,
        len(printed),
        because="∇u is the matrix ∂u_i/∂x_j; its trace, the divergence, is meant",
        subject=f"{NOTES}, equations (11)–(13)",
        kind="equation",
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("F3")
@pytest.mark.parametrize("dim", [1, 3])
def test_without_the_divergence(evidence, rng, dim):
    """The flow to a Gaussian is affine with determinant √det Σ: every point is off by the same number."""
    spread = covariance(rng, dim)
    field = MixtureField([np.ones(dim)], [spread], [1.0])
    x1 = rng.multivariate_normal(np.ones(dim), spread, 8)
    found = log_density(field.velocity, field.divergence, x1)
    exact = np.atleast_1d(multivariate_normal(np.ones(dim), spread).logpdf(x1))
    half = np.linalg.slogdet(spread)[1] / 2
    on = evidence.on("independent coupling, Gaussian target", dim=dim)
    for name, wrong, predicted in (
        ("no divergence", normal_log_density(found.noise), half),
        ("+∫div in place of −∫div", normal_log_density(found.noise) + found.integral, 2 * half),
    ):
        on.control(
            f"{name}: log p₁ found above log p₁",
            predicted=predicted,
            measured=wrong - exact,
            agreement=found.error + 2 * MixtureRoundings(field, 1.0, x1).log_density.bound,
            because="∫div u dt = ½ log det Σ along every trajectory; error of the integration",
        )


@pytest.mark.control("F3")
def test_a_divergence_free_field_sees_nothing(evidence, rng):
    """Rotation keeps N(0,I): there the dropped term is 0, and a check on such fields would be blind."""
    turn = np.array([[0.0, -2.0], [2.0, 0.0]])
    x1 = rng.standard_normal((8, 2))
    found = log_density(lambda _, x: x @ turn.T, lambda _, x: np.zeros(len(x)), x1)
    spread = np.diag([0.25, 0.5])
    evidence.on("rotation").control(
        "no divergence, on a divergence-free field: error",
        predicted=0.0,
        measured=normal_log_density(found.noise) - multivariate_normal(np.zeros(2), np.eye(2)).logpdf(x1),
        agreement=found.error,
        because="|x₀| = |x₁|; on diag(¼, ½) the same error is ½ log det Σ",
        intact=abs(np.linalg.slogdet(spread)[1]) / 2,
    )


@pytest.mark.control("F3")
def test_probes_of_the_wrong_variance(evidence, rng):
    """Uniform probes on [−1, 1] have variance ⅓: two thirds of ∫div are lost."""
    dim, count, spread = 3, 20000, np.diag([0.05, 0.1, 0.2])
    field = MixtureField([np.zeros(dim)], [spread], [1.0])
    x1 = np.array([[0.1, -0.2, 0.3]])
    probes = rng.uniform(-1, 1, (count, dim))
    found = probed_log_density(field.velocity, field.jacobian, x1, probes, LEVEL)
    width = np.abs(np.log(np.diag(spread))).sum() / 2
    exact = log_density(field.velocity, field.divergence, x1)
    evidence.on("Gaussian target, diagonal", probes=count).control(
        "probes uniform on [−1, 1]: log p₁ found above log p₁",
        predicted=2 / 3 * np.log(np.diag(spread)).sum() / 2,
        measured=found.value[0] - of_mixture(field, x1)[0],
        agreement=width * np.sqrt(np.log(2 / LEVEL) / (2 * count)) + exact.error[0],
        because="E ε_i² = ⅓, so ∫div/3 is subtracted; Hoeffding, εᵀMε in an interval of width Σ|M_ii|",
        level=LEVEL,
    )
