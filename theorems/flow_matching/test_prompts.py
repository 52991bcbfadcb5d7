"""F9: prompts. The conditioned field carries noise to the law of its class; in closed form, and learned.

Control: without the prompt the flow goes to the mixture, a predicted distance away from the class.
"""

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import kstest

from numerics.accuracy import EPS, Rounding
from numerics.flows.discrepancy import KernelDistance
from numerics.flows.integration import trajectory
from numerics.flows.mixtures import MixtureField
from numerics.flows.sampling import euler
from theorems.flow_matching.drawn import mixture
from theorems.flow_matching.marginals_on_the_line import distribution, rank_rounding, steepest
from theorems.flow_matching.prompted import MIXTURE, prompted_field
from theorems.flow_matching.quadrature import grid
from theorems.flow_matching.roundings import LIBRARY, SOLVED, TWO_STEPS, MixtureRoundings
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, for_all
from theorems.statistics import dkw, hoeffding

LEVEL, SAMPLES = 1e-10, 3000
QUANTILE = 1e-14
CLASSES = ([0, 1], [2], [3])
times = st.integers(0, 15).map(lambda k: k / 16)


def shares(field):
    """The weight of each class."""
    return np.array([field.weights[k].sum() for k in CLASSES])


def law_of_class(field, chosen):
    """The components of a class by themselves."""
    weights = field.weights[chosen] / field.weights[chosen].sum()
    return MixtureField(field.means[chosen], field.covariances[chosen], weights)


@for_all("F9", seed=SEEDS, dim=st.integers(1, 4), t=times)
def test_null_prompt_averages_over_prompts(evidence, seed, dim, t):
    """u(t,x,∅) = Σ_p P(p|x_t = x) u(t,x,p): the marginal field of the marginal fields."""
    rng = generator(seed)
    field, x = mixture(rng, dim, 4), rng.standard_normal((16, dim))
    given_prompt = [field.given(k) for k in CLASSES]
    logs = np.stack([f.log_density(t, x) for f in given_prompt], axis=1) + np.log(shares(field))
    posterior = np.exp(logs - field.log_density(t, x)[:, None])
    speeds = np.stack([f.velocity(t, x) for f in given_prompt], axis=1)
    evidence.on("four Gaussians, three classes", seed=seed, dim=dim, t=t).bounded(
        "|u(t,x,∅) − Σ_p P(p|x)u(t,x,p)|",
        np.abs(field.velocity(t, x) - np.einsum("np,npi->ni", posterior, speeds)),
        _of_average(field, given_prompt, posterior, t, x),
        because="the marginal field of marginal fields is the marginal field",
        clause="average",
    )


def _of_average(field, given_prompt, posterior, t, x):
    """(n,1): of u(t,x,∅) and Σ P(p|x) u(t,x,p), P(p|x) by two log-densities and a logarithm of a weight."""
    whole = MixtureRoundings(field, t, x)
    total = whole.velocity
    for own, share, mass in zip(given_prompt, posterior.T, shares(field), strict=True):
        of = MixtureRoundings(own, t, x)
        logs = np.abs(own.log_density(t, x)) + np.abs(np.log(mass)) + 3
        relative = of.log_density + whole.log_density + Rounding(logs, 3 * LIBRARY, "P(p|x), by exp and log")
        total = total + of.velocity.amplified(share, "weighted by P(p|x)")
        total = total + relative.amplified(share * of.speed_length, "P(p|x) times the velocity")
        total = total + Rounding(share * of.speed_length, 4, "the sum over prompts; weights of a class")
    return Rounding(total.size[:, None], total.count, total.because)


@for_all("F9", seed=SEEDS, prompt=st.integers(0, 2))
def test_prompt_recovers_its_class(evidence, seed, prompt):
    """On the line the flow of u(·,p) keeps ranks in the class law: F_p(X_1(x₀)) = Φ(x₀)."""
    field, chosen = mixture(generator(seed), 1, 4), CLASSES[prompt]
    start = np.linspace(-3, 3, 13)[:, None]
    found = trajectory(field.given(chosen).velocity, start, [0.0, 1.0])
    own = law_of_class(field, chosen)
    evidence.on("four Gaussians, three classes", seed=seed, prompt=prompt).estimated(
        "|F_p(X_1(x₀)) − Φ(x₀)|",
        np.abs(distribution(own, 1.0, found.states[-1][:, 0]) - ndtr(start[:, 0])),
        steepest(own, 1.0) * float(found.error[-1]) + rank_rounding(own, 1.0).bound,
        by=SOLVED,
        because="F_p is Lipschitz with the largest density of the class; error of the integration",
        clause="class",
    )


@pytest.mark.claim("F9")
def test_prompts_lower_the_loss(evidence, rng):
    """(38): the loss of any v(t,x) exceeds that of u(·,p) by E|v − u(·,p)|²; here v = u(·,∅), t = ½."""
    field, t = mixture(rng, 1, 4), 0.5
    values = [_losses(field, t, step) for step in (1 / 16, 1 / 12)]
    (free, given_prompt, moved), (free_c, given_c, moved_c) = values
    bound = abs(free - free_c) + abs(given_prompt - given_c) + abs(moved - moved_c) + 1e-12
    evidence.on("four Gaussians, three classes", t=t).estimated(
        "|L(u(·,∅)) − L(u(·,p)) − E|u(·,∅) − u(·,p)|²|",
        abs(free - given_prompt - moved),
        bound,
        by=f"{TWO_STEPS}, in x₀ and x₁ or in x",
        because="u(·,p) is a conditional expectation, so v − u(·,p) is orthogonal to the rest; tails: 10⁻¹⁸",
        chosen="10⁻¹² for rounding",
        clause="loss",
    )
    assert moved > 1e6 * bound, "the prompt must matter"


def _losses(field, t, step):
    """E|u(·,∅) − ẋ|², E|u(·,p) − ẋ|² over (x₀, x₁, p), and E|u(·,∅) − u(·,p)|² over (x_t, p)."""
    z, cell = grid(9.0, step, 1)
    noise = np.exp(-(z[:, 0] ** 2) / 2) / np.sqrt(2 * np.pi) * cell
    free = given_prompt = moved = 0.0
    for k in CLASSES:
        own = field.given(k)
        for w, m, s in zip(field.weights[k], own.means, own.covariances, strict=True):
            data = m + np.sqrt(s[0, 0]) * z
            x = ((1 - t) * z + t * data.T).reshape(-1, 1)
            speed, weight = (data.T - z).ravel(), w * (noise[:, None] * noise).ravel()
            free += weight @ (field.velocity(t, x)[:, 0] - speed) ** 2
            given_prompt += weight @ (own.velocity(t, x)[:, 0] - speed) ** 2
        x, cell_x = grid(14.0, step, 1)
        density = np.exp(own.log_density(t, x)) * cell_x * field.weights[k].sum()
        moved += density @ (field.velocity(t, x)[:, 0] - own.velocity(t, x)[:, 0]) ** 2
    return free, given_prompt, moved


@pytest.mark.claim("F9")
def test_data_are_drawn_from_their_class(evidence, rng):
    """What is trained on: whitened by its class, every projection of the data is N(0,1)."""
    data, labels = MIXTURE.sample(60_000, rng)
    diagonal = np.sqrt(0.5)
    directions = np.array([[1.0, 0.0], [0.0, 1.0], [diagonal, diagonal], [diagonal, -diagonal]])
    on, level = evidence.on("three Gaussians in the plane"), LEVEL / 3
    for label, (mean, covariance) in enumerate(zip(MIXTURE.means, MIXTURE.covariances, strict=True)):
        own = data[labels == label]
        white = np.linalg.solve(np.linalg.cholesky(covariance), (own - mean).T)
        on.statistical(
            "sup|F_n − Φ| of projections of whitened data, four directions",
            [kstest(e @ white, "norm").statistic for e in directions],
            dkw(len(own), level / 4),
            level=level,
            because="Dvoretzky–Kiefer–Wolfowitz, given the labels; Cholesky's root, not the sampler's",
            points=len(own),
            clause="training",
        )
    on.statistical(
        "|share of a class − its weight|",
        np.abs(np.bincount(labels) / len(labels) - MIXTURE.weights),
        hoeffding(len(labels), 1.0, LEVEL / 3),
        level=LEVEL,
        because="Hoeffding, for each class",
        clause="training",
    )


@pytest.mark.claim("F9")
def test_learned_prompts(evidence, rng):
    """A small network, trained once: each prompt's samples are within half of the way to any other law.

    Nearer than half of D(own, other) is nearer to the own law than to the other, by the triangle inequality.
    """
    field, distance = prompted_field(), KernelDistance(1.0)
    radius = distance.radius(SAMPLES, LEVEL / 4)
    laws = {**{f"class {k}": MIXTURE.given([k]) for k in range(3)}, "all classes": MIXTURE}
    on, rows = evidence.on("learned field, three Gaussians in the plane", samples=SAMPLES), []
    for prompt, own in [(0, "class 0"), (1, "class 1"), (2, "class 2"), (None, "all classes")]:
        condition = None if prompt is None else np.eye(3)[prompt]
        samples = euler(
            lambda t, x, c=condition: field.velocity(t, x, condition=c), rng.standard_normal((SAMPLES, 2)), 30
        )[-1]
        found = {name: distance.to_mixture(samples, law) for name, law in laws.items()}
        nearest = min(distance.between(laws[own], law) for name, law in laws.items() if name != own)
        on.statistical(
            "D(samples, law of the prompt)",
            found[own],
            nearest / 2 + radius,
            level=LEVEL / 4,
            chosen="half of the way, the farthest that tells the laws apart",
            because="claimed: the samples' law is within ½·D(law of the prompt, any other), in closed form; "
            "McDiarmid's radius",
            clause="training",
        )
        rows.append(["∅" if prompt is None else f"class {prompt}", *found.values()])
    on.table(
        f"Kernel distance D of {SAMPLES} samples by prompt (radius {radius:.3f})", ["prompt", *laws], rows
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("F9")
@pytest.mark.parametrize("prompt", [0, 1, 2])
def test_without_the_prompt(evidence, rng, prompt):
    """The flow of u(·,∅) in place of u(·,p) keeps the mixture's ranks: F_p(X_1(x₀)) = F_p(F⁻¹(Φ(x₀))).

    At the one of 13 noises where that is furthest from Φ(x₀).
    """
    field, chosen = mixture(rng, 1, 4), CLASSES[prompt]
    own, starts = law_of_class(field, chosen), np.linspace(-3, 3, 13)
    ends = np.array([_quantile(field, rank) for rank in ndtr(starts)])
    predicted = distribution(own, 1.0, ends)
    furthest = int(np.argmax(np.abs(predicted - ndtr(starts))))
    found = trajectory(field.velocity, starts[furthest, None, None], [0.0, 1.0])
    apart = float(found.error[-1]) + QUANTILE + 4 * EPS * abs(ends[furthest])
    # F = Σ_p P(p)F_p, so that F_p is at most 1/P(p) as steep as F, and so is what F's rounding moves
    of_ranks = rank_rounding(own, 1.0).bound + rank_rounding(field, 1.0).bound / field.weights[chosen].sum()
    evidence.on("four Gaussians, three classes", prompt=prompt).control(
        "the prompt dropped: rank of a sample in its class",
        predicted=float(predicted[furthest]),
        measured=float(distribution(own, 1.0, found.states[-1][:, 0])[0]),
        agreement=steepest(own, 1.0) * apart + float(of_ranks),
        because="u(·,∅) carries noise to the mixture; F_p is Lipschitz; error of the flow, and of F⁻¹",
        intact=float(ndtr(starts[furthest])),
    )


def _quantile(field, rank):
    """F⁻¹ at a rank, by brackets 12 deviations beyond the means."""
    reach = 12 * float(np.sqrt(field.covariances.max()) + 1)
    low, high = float(field.means.min()) - reach, float(field.means.max()) + reach
    return brentq(
        lambda x: float(distribution(field, 1.0, np.array([x]))[0]) - rank, low, high, xtol=QUANTILE
    )
