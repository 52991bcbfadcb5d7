"""L1: what the loss of a learned flow is made of, and its floor.

Assumed: uniform law on the circle, linear schedule. v of independent coupling in closed form (von Mises–
Fisher). Control: exact pairs shuffled, which is independent coupling: its floor, by quadrature.
"""

from functools import cache

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.special import ive

from numerics.accuracy import Rounding
from theorems.learned_flows.circle import CAP, EQUAL, FIELD, LONG, TARGET, network
from theorems.learned_flows.conclusions import BY_BETTING, mean_limit
from theorems.setting.independent_sphere import IndependentSphere, mean_length

N, LEVEL = 20_000, 1e-10
SHARE = 1 / 20
STEPS = np.geomspace(1e-4, 0.1, 20)
"""Of Chernoff's bound: one is near the best."""


def variance(t, x):
    """Var(ẋ_t | x_t = x) = R²(1 − A(s)²)/(1−t)² of independent coupling."""
    return TARGET.radius**2 * (1 - mean_length(2, concentration(t, x)) ** 2) / (1 - t) ** 2


def concentration(t, x):
    """Concentration s = tR|x|/(1−t)² of the von Mises law that x₁/R has given x_t = x."""
    return np.maximum(t * TARGET.radius * np.linalg.norm(x, axis=1) / (1 - t) ** 2, 1e-200)


def farthest(off, t, x, level):
    """What |mean of |v_θ − ẋ|² − |v_θ − v|² − Var| exceeds with probability at most ``level``, given t and x.

    With off = v_θ − v and u = x/|x| each term is ⟨x₁/R − A(s)u, g⟩, g = −2R·off/(1−t) − 2R²A(s)u/(1−t)²; von
    Mises' law gives E exp⟨λg, x₁/R⟩ = I₀(|su + λg|)/I₀(s), and Markov's inequality the bound for every λ.
    """
    radius, left = TARGET.radius, (1 - t)[:, None]
    s, u = concentration(t, x), x / np.linalg.norm(x, axis=1, keepdims=True)
    mean = mean_length(2, s)[:, None] * u
    g = -2 * radius * off / left - 2 * radius**2 * mean / left**2
    bounds = {
        sign: [
            (
                np.log(2 / level)
                + (log_bessel(np.linalg.norm(s[:, None] * u + sign * step * g, axis=1)) - log_bessel(s)).sum()
                - sign * step * (mean * g).sum()
            )
            / (step * len(x))
            for step in STEPS
        ]
        for sign in (1, -1)
    }
    return max(min(side) for side in bounds.values())


def log_bessel(z):
    """Logarithm of I₀(z)."""
    return np.log(ive(0, z)) + z


@pytest.mark.claim("L1")
def test_exact_pairs_have_no_floor(evidence, rng, device):
    """The regression target is the field: by pairs, and by the prox, which has not seen them."""
    learned = network("exact", EQUAL, device=device)
    x0, x1 = TARGET.sample(N, rng)
    t = rng.uniform(0.05, 0.95, N)
    x = FIELD.flow(t, x0)
    found = learned.velocity(t, x)
    by_pairs = ((found - (x1 - x0)) ** 2).sum(axis=1)
    by_prox = ((found - FIELD.velocity(t, x)) ** 2).sum(axis=1)
    size = np.linalg.norm(found, axis=1) + np.linalg.norm(x1 - x0, axis=1)
    of_target = TARGET.roundings.transport(x0) + Rounding(size, 1, "x₁ − x₀")
    of_field = FIELD.roundings.velocity(t, x, moved=FIELD.roundings.flow(t, x0).bound)
    evidence.on("exact pairs of the circle", t=t).bounded(
        "| |v_θ − ẋ_t|² − |v_θ − v_t|² |, v_t by the prox",
        np.abs(by_pairs - by_prox),
        (of_target + of_field).amplified(2.01 * size, "squares")
        + Rounding(size**2, 2 * 6, "differences from v_θ, squared and added"),
        because="on optimal pairs the field is the regression target (P3)",
        clause="exact pairs",
    )


@pytest.mark.claim("L1")
def test_independent_pairs_add_their_variance(evidence, rng, device):
    learned = network("independent", EQUAL, device=device)
    x0, x1 = rng.standard_normal((N, 2)), TARGET.sample(N, rng)[1]
    t = rng.random(N) * 0.95
    x = (1 - t)[:, None] * x0 + t[:, None] * x1
    found = learned.velocity(t, x)
    best = IndependentSphere(2, TARGET.radius).velocity(1 - t, x)
    loss = ((found - (x1 - x0)) ** 2).sum(axis=1)
    rest = loss - ((found - best) ** 2).sum(axis=1) - variance(t, x)
    evidence.on("independent pairs of the circle").statistical(
        "|mean of |v_θ − ẋ_t|² − |v_θ − v_t|² − Var(ẋ_t|x_t)|",
        abs(rest.mean()),
        farthest(found - best, t, x, LEVEL),
        LEVEL,
        because="its expectation is 0 for any v_θ: the cross term vanishes given x_t; Chernoff's bound with "
        "the moments of von Mises' law given x_t",
        clause="splitting",
    )


@pytest.mark.claim("L1")
def test_training_on_exact_pairs_goes_below_the_other_floor(evidence, rng, device):
    """Held-out pairs of both couplings; the floor is what no field whatever can avoid."""
    floor, error = floor_by_quadrature()
    exact, other = network("exact", LONG, device=device), network("independent", EQUAL, device=device)
    x0, x1 = TARGET.sample(N, rng)
    y0, y1 = rng.standard_normal((N, 2)), TARGET.sample(N, rng)[1]
    t = rng.random(N)
    loss = ((exact.velocity(t, FIELD.flow(t, x0)) - (x1 - x0)) ** 2).sum(axis=1)
    y = (1 - t)[:, None] * y0 + t[:, None] * y1
    other_loss = ((other.velocity(t, y) - (y1 - y0)) ** 2).sum(axis=1)
    evidence.on("exact pairs of the circle", steps=LONG).statistical(
        "upper limit of E min(loss on exact pairs, 4), at confidence 1 − level",
        mean_limit(np.minimum(loss, CAP), CAP, LEVEL),
        SHARE * (floor - error),
        LEVEL,
        because=f"floor of independent pairs by quadrature. {BY_BETTING}",
        chosen="a twentieth of the floor, to be far below and not by a few per cent",
        clause="training",
    )
    evidence.table(
        "Held-out loss of networks of one size, and the floor of their coupling",
        ("coupling", "batches", "held-out loss", "floor E Var(ẋ_t|x_t)"),
        [
            ("exact pairs", LONG, loss.mean(), 0.0),
            ("independent", EQUAL, other_loss.mean(), floor),
        ],
    )


# --- control ------------------------------------------------------------------------------------------


@cache
def floor_by_quadrature():
    """∫₀¹ E Var(ẋ_t|x_t) dt: |x_t| has Rice's law with shift tR and scale 1 − t."""
    radius = TARGET.radius

    def integrand(z, t):
        r = t * radius + (1 - t) * z
        if r <= 0:
            return 0.0
        s = t * radius * r / (1 - t) ** 2
        density = r / (1 - t) * np.exp(-(z**2) / 2) * ive(0, s)
        left = 1 - float(mean_length(2, np.array([max(s, 1e-200)]))[0]) ** 2
        return density * radius**2 * left / (1 - t) ** 2

    return dblquad(integrand, 0, 1 - 1e-6, -9, 9, epsabs=1e-4, epsrel=1e-4)


@pytest.mark.control("L1")
def test_shuffled_pairs_have_the_independent_floor(evidence, rng, device):
    """Noise and data of exact pairs, matched at random: the network trained for it cannot do better."""
    learned = network("independent", 4 * EQUAL, device=device)
    predicted, error = floor_by_quadrature()
    n = 10 * N  # the mean then errs by a twentieth of what is allowed (the record's standard error)
    x0, x1 = TARGET.sample(n, rng)
    x1 = x1[rng.permutation(n)]
    t = rng.random(n)
    x = (1 - t)[:, None] * x0 + t[:, None] * x1
    loss = ((learned.velocity(t, x) - (x1 - x0)) ** 2).sum(axis=1)
    evidence.on("exact pairs of the circle, shuffled", standard_error=loss.std() / np.sqrt(n)).control(
        "optimal pairs matched at random: held-out loss",
        predicted=predicted,
        measured=loss.mean(),
        agreement=SHARE * predicted + error,
        because="floor by quadrature",
        chosen="a twentieth, the one that exact pairs are held to",
    )
