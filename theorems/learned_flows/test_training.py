"""L2: the error of the learned field falls with training and with better coupling.

Assumed: uniform law on the circle; networks of one size, from the same first weights. The statements are
about these networks, over all noise: paired differences of |v_θ − v|² at held-out noise, by Student's limits.
How far seeds differ is in the tables. Control: independent coupling, which converges to another field.
"""

import numpy as np
import pytest

from numerics.flows.sampling import euler
from theorems.learned_flows.circle import EQUAL, PAPER, SMALL, TARGET, THOROUGH, field_error, network
from theorems.learned_flows.comparison import ratio_limit
from theorems.learned_flows.figures import draw_losses
from theorems.normal_hyperbolicity.independent import IndependentSphere

N, LEVEL = 8000, 1e-10
BUDGETS = (400, 1600, 6400) if THOROUGH else (100, 400, 1600)
SEEDS = (0, 1)
COUPLINGS = ("independent", f"minibatch {SMALL}", f"minibatch {PAPER}", "exact")
MORE = 4


def held_out(rng):
    """Noise that was not trained on, its data and times."""
    return (rng.random(N), *TARGET.sample(N, rng))


@pytest.mark.claim("L2")
@pytest.mark.parametrize("seed", SEEDS)
def test_error_falls_with_training(evidence, rng, device, seed):
    t, x0, x1 = held_out(rng)
    networks = [network("exact", steps, seed, device) for steps in BUDGETS]
    errors = np.stack([field_error(learned, t, x0, x1) for learned in networks], axis=1)
    evidence.on("exact pairs of the circle", seed=seed).statistical(
        "upper limit of E(error after more batches)/E(error after fewer)",
        ratio_limit(errors[:, 1:], errors[:, :-1], 1.0, LEVEL / (len(BUDGETS) - 1)),
        1.0,
        LEVEL,
        because="paired over held-out noise; Student's limits over 40 blocks, conservative",
    )
    ends = [euler(learned.velocity, x0[:1000], 100)[-1] for learned in networks]
    off = [np.abs(np.linalg.norm(end, axis=1) - TARGET.radius).mean() for end in ends]
    evidence.table(
        f"Exact pairs: error of the field and of its samples, seed {seed}",
        ("batches", "E|v_θ − v|², t uniform", "mean distance of samples to the circle"),
        [(steps, errors[:, i].mean(), off[i]) for i, steps in enumerate(BUDGETS)],
    )


@pytest.mark.claim("L2")
def test_error_falls_with_better_coupling(evidence, rng, device):
    """At equal batches: pairs matched in ever larger blocks, up to all of them."""
    t, x0, x1 = held_out(rng)
    networks = [network(coupling, EQUAL, device=device) for coupling in COUPLINGS]
    errors = np.stack([field_error(learned, t, x0, x1) for learned in networks], axis=1)
    on = evidence.on("circle", steps=EQUAL, couplings=" > ".join(COUPLINGS))
    on.statistical(
        "upper limit of E(error with the better coupling)/E(error with the worse)",
        ratio_limit(errors[:, 1:], errors[:, :-1], 1.0, LEVEL / (len(COUPLINGS) - 1)),
        1.0,
        LEVEL,
        because="paired over held-out noise; Student's limits over 40 blocks, conservative",
    )
    tails = [learned.losses[-50:].mean() for learned in networks]
    on.table(
        "Equal batches, better coupling: error against the exact field",
        ("coupling", "batches of 512", "E|v_θ − v|²", "last losses"),
        [
            (name, EQUAL, error, tail)
            for name, error, tail in zip(COUPLINGS, errors.mean(axis=0), tails, strict=True)
        ],
    )
    curves = {name: learned.losses for name, learned in zip(COUPLINGS, networks, strict=True)}
    on.figure(
        "Losses during training: only exact pairs have no floor",
        "Loss against batches on logarithmic axes for four couplings; independent pairs stay near 3.7, "
        "blocks of 16 near 0.7, exact pairs go on falling.",
        lambda figure: draw_losses(figure, curves),
    )


@pytest.mark.claim("L2")
def test_exact_pairs_win_at_equal_time(evidence, rng, device):
    """Four times as many exact batches take less time: benchmarks/RESULTS.md, training."""
    t, x0, x1 = held_out(rng)
    quick = field_error(network("exact", MORE * EQUAL, device=device), t, x0, x1)
    slow = field_error(network(f"minibatch {PAPER}", EQUAL, device=device), t, x0, x1)
    evidence.on("circle", exact_batches=MORE * EQUAL, minibatches=EQUAL).statistical(
        "upper limit of E(error with exact pairs)/E(error with minibatch pairs)",
        ratio_limit(quick, slow, 0.5, LEVEL),
        0.5,
        LEVEL,
        because="paired over held-out noise; Student's limit over 40 blocks, conservative",
    )


# --- control ------------------------------------------------------------------------------------------


@pytest.mark.control("L2")
@pytest.mark.parametrize("t", [0.1, 0.2, 0.3])
def test_independent_coupling_converges_to_another_field(evidence, rng, device, t):
    """More of the wrong pairs do not help: the distance of the two fields is in closed form."""
    x0, x1 = TARGET.sample(N, rng)
    learned = network("independent", MORE * EQUAL, device=device)
    found = field_error(learned, t, x0, x1)
    other = IndependentSphere(2, TARGET.radius).velocity(np.full(N, 1 - t), (1 - t) * x0 + t * x1)
    apart = ((other - (x1 - x0)) ** 2).sum(axis=1)
    evidence.on("independent pairs of the circle", steps=MORE * EQUAL, t=t).control(
        "optimal pairs replaced by independent ones: E|v_θ − v|² of the optimal field v",
        predicted=apart.mean(),
        measured=found.mean(),
        agreement=0.25 * apart.mean(),
        because="E|v_ind − v|² by Bessel functions at the same points; margin of a quarter stated in advance",
    )
