"""F4: conditional paths that start at noise mix to a path, and the posterior-averaged field transports it.

The average is taken by brute force, over the data, beside the closed form; the transport is checked by the
distribution function along trajectories on the line, F_t(x_t) = Φ(x₀), and in the plane by waves. Control:
the posterior at time 1, as the first line of (19) is printed.
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import strategies as st
from scipy.special import ndtr

from numerics.accuracy import Rounding
from numerics.flows.integration import trajectory
from numerics.flows.mixtures import MixtureField
from numerics.flows.paths import OptimalTransportPath, VarianceExploding, VariancePreservingPath
from theorems.flow_matching.drawn import NOTES, mixture
from theorems.flow_matching.marginals_on_the_line import distribution, normal, rank_rounding, steepest
from theorems.flow_matching.quadrature import gaussian_nodes, grid
from theorems.flow_matching.roundings import LIBRARY, SOLVED, TWO_STEPS, MixtureRoundings
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, for_all

EXPONENT = 4 * 250 + 4 * LIBRARY
"""Roundings of a product of densities that is not below 1e-108: those below do not count."""
PATHS = st.sampled_from([OptimalTransportPath(), OptimalTransportPath(0.1), OptimalTransportPath(0.5)])
EVERY_PATH = st.one_of(
    PATHS, st.sampled_from([VariancePreservingPath(0.1, 4.0), VarianceExploding(0.1, 3.0)])
)
"""Those that start at another law than noise, too: mixing and averaging need no (17)."""
ATOMS = MixtureField([[-1.0], [0.5], [2.0]], np.zeros((3, 1, 1)), [0.3, 0.5, 0.2], OptimalTransportPath(0.1))

PLANE = MixtureField(
    [[-1.0, 0.5], [1.0, -0.5]], [[[1.0, 0.3], [0.3, 0.6]], [[0.5, -0.2], [-0.2, 0.8]]], [0.4, 0.6]
)


@for_all("F4", seed=SEEDS, path=EVERY_PATH, t=st.integers(0, 15).map(lambda k: k / 16))
def test_field_is_the_posterior_average(evidence, seed, path, t):
    """(16) and (19) by the trapezoid rule over x₁, with the posterior at time t."""
    rng = generator(seed)
    field = mixture(rng, 1, 3, path)
    x = 2 * rng.standard_normal((6, 1))
    (p, flux), (p_coarse, flux_coarse) = (_averages(field, path, t, x, step) for step in (1 / 128, 1 / 96))
    density = np.exp(field.log_density(t, x))
    on = evidence.on("mixture on the line", seed=seed, path=path, t=t)
    of = MixtureRoundings(field, t, x)
    sharp = (1 + density) / path.deviation(t)
    own = Rounding(sharp, EXPONENT, "4 roundings of exponents up to 250; x − ax₁ over σ_t")
    of_density = of.log_density.amplified(density, "exp") + own
    on.estimated(
        "|∫p_t(x|x₁)q(x₁)dx₁ − p_t(x)|",
        np.abs(p - density),
        np.abs(p - p_coarse) + of_density.bound,
        by=TWO_STEPS,
        because="(16); rounding of densities",
        clause="mixture",
    )
    size = np.abs(flux) + density * (1 + np.abs(x[:, 0]))
    on.estimated(
        "|∫u_t(x|x₁)p_t(x|x₁)q(x₁)dx₁ − u_t(x)p_t(x)|",
        np.abs(flux - field.velocity(t, x)[:, 0] * density),
        np.abs(flux - flux_coarse)
        + of_density.amplified(of.speed_length).bound
        + of.velocity.amplified(density).bound
        + own.amplified((1 + size) / path.deviation(t), "u_t(x|x₁) has 1/σ_t").bound,
        by=TWO_STEPS,
        because="(19), the posterior at time t; rounding of densities and fields",
        clause="average",
    )


def _averages(field, path, t, x, step):
    """∫p_t(x|x₁)q(x₁) and ∫u_t(x|x₁)p_t(x|x₁)q(x₁) over x₁; q a sum of normal densities."""
    data, cell = grid(12.0, step, 1)
    q = sum(
        w * normal(data[:, 0], m[0], np.sqrt(s[0, 0]))
        for w, m, s in zip(field.weights, field.means, field.covariances, strict=True)
    )
    law = normal(x[:, :1], path.gain(t) * data[:, 0], path.deviation(t)) * q * cell
    speeds = np.stack([path.velocity(t, np.broadcast_to(p, data.shape), data)[:, 0] for p in x])
    return law.sum(axis=1), (speeds * law).sum(axis=1)


@for_all("F4", seed=SEEDS, path=PATHS)
def test_trajectories_keep_their_rank(evidence, seed, path):
    """On the line F_t(x_t) = Φ(x₀) at every t, the path's own distribution function at its own points."""
    field = mixture(generator(seed), 1, 3, path)
    _ranks(evidence.on("mixture on the line", seed=seed, path=path), field)


@pytest.mark.claim("F4")
def test_trajectories_towards_atoms_keep_their_rank(evidence):
    """Atoms, σ_min = 0.1: q has no density, p_t has one at every t."""
    _ranks(evidence.on("three atoms, σ_min = 0.1"), ATOMS)


def _ranks(on, field):
    start = np.linspace(-3, 3, 13)[:, None]
    times = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    path = trajectory(field.velocity, start, times)
    for t, x, error in zip(times[1:], path.states[1:], path.error[1:], strict=True):
        on.estimated(
            "|F_t(x_t) − Φ(x₀)|, t = ¼, ½, ¾, 1",
            np.abs(distribution(field, t, x[:, 0]) - ndtr(start[:, 0])),
            steepest(field, t) * error + rank_rounding(field, t).bound,
            by=SOLVED,
            because="F_t is Lipschitz with the largest density; error of the integration",
            clause="transport",
        )


@pytest.mark.claim("F4")
def test_plane_is_transported(evidence):
    """E cos⟨k, X₁(x₀)⟩ over the flow of a grid of noises, beside the mixture's characteristic function."""
    field, waves = PLANE, np.array([[1.0, 0.0], [0.5, -0.5], [-1.0, 2.0]])
    exact = sum(
        w * np.cos(waves @ m) * np.exp(-np.einsum("ki,ij,kj->k", waves, s, waves) / 2)
        for w, m, s in zip(field.weights, field.means, field.covariances, strict=True)
    )
    (found, error), (coarse, _) = (_waves(field, waves, step) for step in (1 / 6, 3 / 10))
    evidence.on("mixture in the plane", k=waves).estimated(
        "|E cos⟨k, X₁(x₀)⟩ − Re of the characteristic function|",
        np.abs(found - exact),
        np.abs(found - coarse) + 2 * error + 1e-7,
        by=f"{TWO_STEPS} in the noise; {SOLVED}",
        because="X₁ has the mixture's law; 2·10⁻⁸ of the noise lies beyond 6",
        chosen="10⁻⁷ for the noise beyond 6",
        clause="transport",
    )


def _waves(field, waves, step):
    noise, cell = grid(6.0, step, 2)
    noise = noise[(noise**2).sum(axis=1) < 36.0]
    weight = np.exp(-(noise**2).sum(axis=1) / 2) / (2 * np.pi) * cell
    flow = trajectory(field.velocity, noise, [0.0, 1.0])
    return weight @ np.cos(flow.states[-1] @ waves.T), float(flow.error[-1])


@for_all("F4", seed=SEEDS, path=PATHS, dim=st.integers(1, 4))
def test_path_starts_at_noise(evidence, seed, path, dim):
    """(17): p_0(x|x₁) = N(0,I) for every x₁, so that p_0 = N(0,I) whatever q is."""
    rng = generator(seed)
    field, x = mixture(rng, dim, 3, path), 2 * rng.standard_normal((16, dim))
    exact = -(x**2).sum(axis=1) / 2 - dim * np.log(2 * np.pi) / 2
    evidence.on("mixture", seed=seed, path=path, dim=dim).bounded(
        "|log p_0(x) − log of N(0,I)|",
        np.abs(field.log_density(0.0, x) - exact),
        MixtureRoundings(field, 0.0, x).log_density
        + Rounding(np.abs(exact) + dim, dim + LIBRARY, "d squares, and log 2π"),
        because="every conditional path starts at N(0,I), so that their mixture does",
        clause="ends",
    )


@for_all("F4", seed=SEEDS, smallest=st.sampled_from([0.05, 0.1, 0.5]), dim=st.integers(1, 4))
def test_path_ends_at_the_data_blurred(evidence, seed, smallest, dim):
    """(18): p_1 = q*N(0, σ_min²I), here by Cholesky's root of each S_k + σ_min²I, where the library turns."""
    rng = generator(seed)
    field = mixture(rng, dim, 3, OptimalTransportPath(smallest))
    x = field.means[rng.integers(3, size=16)] + rng.standard_normal((16, dim))
    parts, worst = [], 0.0
    for w, m, s in zip(field.weights, field.means, field.covariances, strict=True):
        root = np.linalg.cholesky(s + smallest**2 * np.eye(dim))
        white = np.linalg.solve(root, (x - m).T).T
        logs = np.log(2 * np.pi) * dim / 2 + np.log(np.diagonal(root)).sum()
        parts.append(np.log(w) - (white**2).sum(axis=1) / 2 - logs)
        size = float((white**2).sum(axis=1).max()) + dim + abs(logs)
        worst = max(worst, size * np.linalg.cond(root) ** 2)
    exact = np.log(np.exp(np.array(parts)).sum(axis=0))
    evidence.on("mixture", seed=seed, dim=dim, smallest=smallest).bounded(
        "|log p_1(x) − log of q*N(0, σ_min²I)|",
        np.abs(field.log_density(1.0, x) - exact),
        MixtureRoundings(field, 1.0, x).log_density
        + Rounding(worst, 4 * dim**2 + 3 * LIBRARY, "Cholesky and a triangular solution, seen through it"),
        because="every conditional path ends at N(x₁, σ_min²I), so that their mixture is q blurred",
        clause="ends",
    )


@pytest.mark.claim("F4")
def test_superposition(evidence):
    """If each (p_i, u_i) solves the transport equation, so does (Σq_i p_i, Σq_i u_i p_i / Σq_i p_i)."""
    t, x = sp.symbols("t x", real=True)
    q = sp.symbols("q1:4", positive=True)
    p = [sp.Function(f"p{i}", positive=True)(t, x) for i in range(3)]
    u = [sp.Function(f"u{i}")(t, x) for i in range(3)]
    total = sum(a * b for a, b in zip(q, p, strict=True))
    field = sum(a * b * c for a, b, c in zip(q, p, u, strict=True)) / total
    residual = sp.diff(total, t) + sp.diff(field * total, x)
    solved = {sp.diff(b, t): -sp.diff(b * c, x) for b, c in zip(p, u, strict=True)}
    evidence.on("three conditional paths").exact(
        "∂_t p + ∂_x(up) = 0",
        sp.simplify(residual.subs(solved)) == 0,
        "any p_i > 0, u_i, q_i (symbolic, formulas; the code: test_transport_equation)",
        clause="transport",
    )


# --- controls -----------------------------------------------------------------------------------------


def _printed(path, mean, spread):
    """The field with (19)'s first line as its posterior, by quadrature over data N(mean, spread²)."""
    data, cell = grid(16.0 * spread, spread / 100, 1)
    data += mean
    prior = normal(data[:, 0], mean, spread) * cell

    def field(t, x):
        law = normal(x, data[:, 0], path.smallest) * prior
        law /= law.sum(axis=1, keepdims=True)
        return path.velocity(t, x, law @ data)

    return field


@pytest.mark.control("F4")
@pytest.mark.parametrize(("mean", "spread", "smallest"), [(0.5, 1.0, 0.1), (-1.0, 2.0, 0.25)])
def test_posterior_at_time_one(evidence, mean, spread, smallest):
    """Gaussian data N(m, s²): u = (cx + e)/σ_t with c = k − 1 + σ, e = (1−k)m, k = s²/(s²+σ²).

    Its flow is x ↦ e^{cL}x + (e/c)(e^{cL} − 1), L = −log σ/(1−σ); the right one has deviation √(s²+σ²).
    """
    path = OptimalTransportPath(smallest)
    k = spread**2 / (spread**2 + smallest**2)
    c, e, length = k - 1 + smallest, (1 - k) * mean, -np.log(smallest) / (1 - smallest)
    flow = trajectory(_printed(path, mean, spread), np.array([[0.0], [1.0]]), [0.0, 1.0])
    at_zero, at_one = flow.states[-1][:, 0]
    on = evidence.on("N(m, s²)", m=mean, s=spread, smallest=smallest)
    error = 2 * float(flow.error[-1])
    on.control(
        "p_1(x₁|x) in (19): deviation of the law it transports noise to",
        predicted=np.exp(c * length),
        measured=at_one - at_zero,
        agreement=error,
        because="the field is affine; error of the integration",
        intact=np.hypot(spread, smallest),
    )
    on.control(
        "p_1(x₁|x) in (19): mean of the law it transports noise to",
        predicted=e / c * np.expm1(c * length),
        measured=at_zero,
        agreement=error,
        because="the field is affine; error of the integration",
        intact=mean,
    )
    right = MixtureField([[mean]], [[[spread**2]]], [1.0], path)
    found = trajectory(right.velocity, np.array([[0.0], [1.0]]), [0.0, 1.0]).states[-1][:, 0]
    for question, expected, measured in (
        ("(19), first line: deviation of the transported law", np.hypot(spread, smallest), at_one - at_zero),
        ("(19), posterior at time t: the same", np.hypot(spread, smallest), found[1] - found[0]),
    ):
        on.audit(
            question,
            "agrees" if abs(expected - measured) <= error else "deviates",
            float(expected),
            float(measured),
            because="q convolved with N(0, σ_min²), transported from noise",
            subject=f"{NOTES}, equation (19)",
            kind="equation",
        )


@pytest.mark.control("F4")
@pytest.mark.parametrize("smallest", [0.1, 0.5])
def test_variance_at_the_end(evidence, smallest):
    """(18): the variance of p_1(x|x₁) is σ_min², where σ_min is printed."""
    path = OptimalTransportPath(smallest)
    noise, weights = gaussian_nodes(4, 1)
    x = path.flow(1.0, noise, [[3.0]])
    variance = float(weights @ (x[:, 0] - weights @ x[:, 0]) ** 2)
    on = evidence.on("OT path", smallest=smallest)
    on.control(
        "variance σ_min I of p_1(x|x₁): how much is missing from the path's own variance",
        predicted=smallest - smallest**2,
        measured=smallest - variance,
        agreement=Rounding(
            9.0, 4 * 4 + 8, "four weighted squares of differences of numbers up to 3 ± σ"
        ).bound,
        because="ψ_1 = σ_min x₀ + x₁ has variance σ_min²; quadrature exact for squares",
    )
    on.audit(
        f"(18): variance of p_1(x|x₁), σ_min = {smallest}",
        "agrees" if abs(variance - smallest) < 1e-12 else "deviates",
        smallest,
        variance,
        because="printed as N(x₁, σ_min I); the path of (34) ends with deviation σ_min",
        subject=f"{NOTES}, equation (18)",
        kind="equation",
    )


@pytest.mark.control("F4")
def test_a_path_that_does_not_start_at_noise(evidence):
    """Variance preserving, started at N(0,1) all the same: Gaussian data end in another place.

    For data N(m, s²) it is x ↦ √(C₁/C₀)(x − a₀m) + m: noise of mean 0 ends at m(1 − a₀√(C₁/C₀)).
    """
    path, mean, spread = VariancePreservingPath(0.1, 4.0), 2.0, 0.5
    field = MixtureField([[mean]], [[[spread**2]]], [1.0], path)
    flow = trajectory(field.velocity, np.array([[0.0], [1.0]]), [0.0, 1.0])
    gain = path.gain(0.0)
    stretch = spread / np.sqrt(gain**2 * spread**2 + 1 - gain**2)
    evidence.on(path, mean=mean, spread=spread).control(
        "p_0 = N(a₀x₁, (1−a₀²)I) started at N(0,1): mean of the law it ends at",
        predicted=mean * (1 - gain * stretch),
        measured=flow.states[-1][0, 0],
        agreement=float(flow.error[-1]),
        because="affine flow of a Gaussian path; error of the integration",
        intact=mean,
    )
