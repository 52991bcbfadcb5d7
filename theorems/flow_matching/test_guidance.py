"""F10: classifier-free guidance ũ = (1−w)u(·,∅) + w u(·,p).

Identities at w = 0 and 1, and Gaussians of equal covariance, where the flow of ũ does end at the tilted law
p^w q^{1−w}. Controls: Gaussians of unequal variance, where it ends at deviation σ_q^{1−w}σ_p^w while the tilt
has precision w/σ_p² + (1−w)/σ_q²; and two Gaussians of which one is prompted for.
"""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import strategies as st

from numerics.accuracy import Rounding
from numerics.flows.density import log_density
from numerics.flows.guidance import guided
from numerics.flows.integration import trajectory
from numerics.flows.mixtures import MixtureField
from numerics.flows.sampling import euler
from theorems.flow_matching.drawn import covariance, mixture
from theorems.flow_matching.figures import draw_guidance
from theorems.flow_matching.prompted import MIXTURE, prompted_field
from theorems.flow_matching.quadrature import grid
from theorems.flow_matching.roundings import MixtureRoundings
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, for_all

PAIR = MixtureField([[-1.0], [1.0]], [[[0.25]], [[0.25]]], [0.5, 0.5])
PROMPT = PAIR.given([1])
WEIGHTS = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0)
ratios = st.integers(0, 16).map(lambda k: k / 4)


@for_all("F10", seed=SEEDS, dim=st.integers(1, 4), t=st.integers(0, 16).map(lambda k: k / 16))
def test_identities(evidence, seed, dim, t):
    """Bit for bit: multiplication by 0 and 1 and addition of 0 are exact."""
    rng = generator(seed)
    free, x = mixture(rng, dim, 3), rng.standard_normal((16, dim))
    prompted = free.given([0])
    on = evidence.on("mixture", seed=seed, dim=dim, t=t)
    for w, field in ((0.0, free), (1.0, prompted)):
        found = guided(free.velocity, prompted.velocity, w)(t, x)
        on.exact(
            f"w = {w:g}: ũ is u(·,{'p' if w else '∅'})",
            found == field.velocity(t, x),
            "floating point, bitwise",
            clause="ends",
        )


@pytest.mark.claim("F10")
def test_identities_of_a_learned_field(evidence, rng):
    """The same for a network with a null prompt, and its samples' mean for w from 0 to 4."""
    field, x = prompted_field(), rng.standard_normal((2000, 2))
    label = np.eye(3)[1]

    def free(t, place):
        return field.velocity(t, place)

    def prompted(t, place):
        return field.velocity(t, place, condition=label)

    on = evidence.on("learned field, three Gaussians in the plane")
    for w, single in ((0.0, free), (1.0, prompted)):
        found = guided(free, prompted, w)(0.5, x)
        on.exact(
            f"w = {w:g}: ũ is u(·,{'p' if w else '∅'})",
            found == single(0.5, x),
            "floating point, bitwise",
            clause="ends",
        )
    exact = MIXTURE.given([1])
    rows = []
    for w in WEIGHTS:
        ends = [
            euler(guided(a, b, w), x, 30)[-1]
            for a, b in ((free, prompted), (MIXTURE.velocity, exact.velocity))
        ]
        rows.append([w, *(f"({m[0]:.2f}, {m[1]:.2f})" for m in (e.mean(axis=0) for e in ends))])
    on.table("Mean of 2000 guided samples, prompt at (2, 1)", ["w", "learned field", "exact field"], rows)


@pytest.mark.claim("F10")
def test_equal_covariances_symbolically(evidence):
    """Q = N(a,s²), p = N(b,s²): ũ is the field of N(m,s²), m = (1−w)a + wb, and so is the tilt."""
    t, x, a, b, w = sp.symbols("t x a b w", real=True)
    s = sp.symbols("s", positive=True)
    variance = (1 - t) ** 2 + t**2 * s**2

    def field(mean):
        return mean + sp.diff(variance, t) / (2 * variance) * (x - t * mean)

    def log_law(mean):
        return -((x - mean) ** 2) / (2 * s**2)

    middle = (1 - w) * a + w * b
    on = evidence.on("N(a,s²), N(b,s²)")
    on.exact(
        "(1−w)u_q + w u_p = u of N((1−w)a + wb, s²)",
        sp.simplify((1 - w) * field(a) + w * field(b) - field(middle)) == 0,
        domain="all t, x, a, b, s, w (symbolic, formulas; the code: test_equal_covariances)",
        clause="equal covariance",
    )
    tilt = (1 - w) * log_law(a) + w * log_law(b) - log_law(middle)
    on.exact(
        "log p^w q^{1−w} − log N((1−w)a + wb, s²) does not depend on x",
        sp.simplify(sp.diff(tilt, x)) == 0,
        domain="all x, a, b, s, w (symbolic, formulas; the code: test_equal_covariances)",
        clause="equal covariance",
    )


@for_all("F10", seed=SEEDS, dim=st.integers(1, 4), w=ratios, t=st.integers(0, 16).map(lambda k: k / 16))
def test_equal_covariances(evidence, seed, dim, w, t):
    """The same in R^d with a full covariance."""
    rng = generator(seed)
    spread, (a, b) = covariance(rng, dim), rng.standard_normal((2, dim))
    x = 2 * rng.standard_normal((16, dim))
    free, prompted, tilt = (MixtureField([m], [spread], [1.0]) for m in (a, b, (1 - w) * a + w * b))
    found = guided(free.velocity, prompted.velocity, w)(t, x)
    of_free, of_prompted, of_tilt = (MixtureRoundings(f, t, x) for f in (free, prompted, tilt))
    sizes = abs(1 - w) * of_free.speed_length + w * of_prompted.speed_length
    placed = Rounding(abs(1 - w) * np.linalg.norm(a) + w * np.linalg.norm(b), 3, "(1−w)a + wb")
    steep = 1 + t * of_tilt.steepness
    evidence.on("Gaussians of one covariance", seed=seed, dim=dim, w=w, t=t).bounded(
        "|ũ − u of the tilt|",
        np.abs(found - tilt.velocity(t, x)).max(axis=1),
        of_free.velocity.amplified(abs(1 - w))
        + of_prompted.velocity.amplified(w)
        + Rounding(sizes, 3, "two fields weighted by 1 − w and w")
        + of_tilt.velocity
        + placed.amplified(steep, "the tilt's mean"),
        because="they are equal: u_t is affine in the mean for one covariance",
        clause="equal covariance",
    )


@pytest.mark.claim("F10")
def test_unequal_variances_symbolically(evidence):
    """Q = N(0,1), p = N(0,s²): the flow of ũ is x ↦ √(C_q^{1−w}C_p^w)x; the tilt has another deviation."""
    t, w = sp.symbols("t w", real=True)
    s = sp.symbols("s", positive=True)
    of_q, of_p = (1 - t) ** 2 + t**2, (1 - t) ** 2 + t**2 * s**2
    rate = (1 - w) * sp.diff(of_q, t) / (2 * of_q) + w * sp.diff(of_p, t) / (2 * of_p)
    growth = ((1 - w) * sp.log(of_q) + w * sp.log(of_p)) / 2
    on = evidence.on("N(0,1), N(0,s²)")
    on.exact(
        "ũ = (d/dt log g)x with g = √(C_q^{1−w}C_p^w), g(0) = 1, g(1) = s^w",
        [
            sp.simplify(sp.diff(growth, t) - rate) == 0,
            growth.subs(t, 0) == 0,
            sp.simplify(sp.expand_log(growth.subs(t, 1), force=True) - w * sp.log(s)) == 0,
        ],
        domain="all t, s, w (symbolic, formulas; the code: test_unequal_variances)",
        clause="unequal",
    )
    half, two = Fraction(1, 2), 2
    on.exact(
        "the tilt's precision is w/s² + 1 − w: 7 at s = ½, w = 2, where the flow ends with 16",
        [two / half**2 + 1 - two == 7, 1 / half ** (2 * two) == 16],
        domain="fractions",
        clause="unequal",
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("F10")
@pytest.mark.parametrize(("spread", "w"), [(0.5, 2.0), (0.5, 3.0), (0.8, 4.0), (1.25, 2.0)])
def test_unequal_variances(evidence, spread, w):
    """Q = N(0,1), p = N(0,s²): ũ integrates to s^w; the tilt has deviation (w/s² + 1 − w)^{−1/2}."""
    free, prompted = (MixtureField([[0.0]], [[[v]]], [1.0]) for v in (1.0, spread**2))
    found = trajectory(guided(free.velocity, prompted.velocity, w), np.array([[1.0]]), [0.0, 1.0])
    evidence.on("N(0,1), N(0,s²)", s=spread, w=w).control(
        f"w = {w:g}, s = {spread:g}, tilted law claimed for the flow of ũ: its deviation",
        predicted=spread**w,
        measured=found.states[-1][0, 0],
        agreement=float(found.error[-1]),
        because="∫½Ċ/C dt = log σ for each field, so the flow is x ↦ σ_q^{1−w}σ_p^w x; error of the flow",
        intact=(w / spread**2 + 1 - w) ** -0.5,
    )


@pytest.mark.control("F10")
@pytest.mark.parametrize("w", [2.0, 3.0, 4.0])
def test_two_gaussians_one_prompted(evidence, w):
    """Mean and deviation of ũ's flow by two routes, beside the tilt; one of two Gaussians is prompted."""
    forward = [_from_noise(w, step) for step in (1 / 16, 1 / 12)]
    backward = [_from_data(w, step) for step in (1 / 16, 1 / 12)]
    error = sum(np.abs(a - b) + e for (a, e), (b, _) in (forward, backward))
    for k, moment in enumerate(("mean", "deviation")):
        evidence.on("N(1,¼) of ½N(−1,¼) + ½N(1,¼)", w=w).control(
            f"w = {w:g}, tilted law claimed for the flow of ũ: its {moment}",
            predicted=backward[0][0][k],
            measured=forward[0][0][k],
            agreement=error[k],
            because="density on a grid of data by backward integration of divergence, beside the flow of "
            "a grid of noises; two steps each; error of the flow",
            intact=_of_tilt(w)[k],
        )


def _moments(places, weight):
    mean = weight @ places / weight.sum()
    return np.array([mean, np.sqrt(weight @ (places - mean) ** 2 / weight.sum())])


def _from_noise(w, step):
    """Moments of where the flow of ũ takes a grid of noises, and their error."""
    noise, _ = grid(8.0, step, 1)
    found = trajectory(guided(PAIR.velocity, PROMPT.velocity, w), noise, [0.0, 1.0])
    return _moments(found.states[-1][:, 0], np.exp(-(noise[:, 0] ** 2) / 2)), 4 * float(found.error[-1])


def _from_data(w, step):
    """Moments of the density that backward integration finds on a grid of data, and their error."""
    data, _ = grid(5.0, step, 1)
    found = log_density(
        guided(PAIR.velocity, PROMPT.velocity, w),
        lambda t, x: (1 - w) * PAIR.divergence(t, x) + w * PROMPT.divergence(t, x),
        data,
    )
    density = np.exp(found.value)
    return _moments(data[:, 0], density), 4 * 5.0**2 * float(density @ found.error / density.sum())


def _of_tilt(w):
    x, _ = grid(8.0, 1 / 64, 1)
    return _moments(x[:, 0], np.exp(w * PROMPT.log_density(1.0, x) + (1 - w) * PAIR.log_density(1.0, x)))


@pytest.mark.control("F10")
def test_guidance_from_zero_to_four(evidence):
    """The whole range of w, as a table and a figure; below 1 the tilt is missed, too."""
    found = [_from_noise(w, 1 / 16) for w in WEIGHTS]
    rows = [[w, *moments, *_of_tilt(w)] for w, (moments, _) in zip(WEIGHTS, found, strict=True)]
    on = evidence.on("N(1,¼) of ½N(−1,¼) + ½N(1,¼)")
    on.table(
        "Guidance: the law of the flow of ũ beside the tilt p^w q^{1−w}",
        ["w", "mean, flow", "deviation, flow", "mean, tilt", "deviation, tilt"],
        rows,
    )
    on.control(
        "unconditional field taken for the conditional one (w = 0 for w = 1): mean of its flow",
        predicted=0.0,
        measured=rows[0][1],
        agreement=found[0][1] + Rounding(8.0, 257, "a mean over 257 nodes up to 8").bound,
        because="q is symmetric; the grid of noises is, too; error of the flow",
        intact=1.0,
    )
    evidence.figure(
        "The flow of ũ and the tilted law, w = 1, 2, 4",
        "Three densities on the line. At w = 1 flow and tilt agree at N(1, ¼). At 2 and 4 the flow's density "
        "is narrower and farther right than the tilt's.",
        lambda figure: draw_guidance(figure, PAIR, PROMPT),
        size=(8.4, 2.8),
    )
