"""F8: algorithm 1, training: what a step is given, the gradient that it follows, and what 600 steps achieve.

After training the law of the samples lies within half of the noise's kernel distance of the target.
Control: noise that is not moved at all.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest

from numerics.accuracy import Rounding
from numerics.flows.discrepancy import KernelDistance
from numerics.flows.mixtures import MixtureField
from numerics.flows.sampling import euler
from theorems.flow_matching.figures import draw_training
from theorems.flow_matching.prompted import MIXTURE, TRAINING, prompted_pairs, unprompted_field
from theorems.statistics import dkw, hoeffding

LEVEL, SAMPLES = 1e-10, 2500
DISTANCE = KernelDistance(1.0)
NOISE = MixtureField([[0.0, 0.0]], [np.eye(2)], [1.0])


def _drawn(training, rng):
    """A batch as training is given it, in float64, and the pairs with labels that it was formed from."""
    import torch  # a second for every run that asks something else

    from numerics.flows.learned import draw

    recorded = []

    def pairs(n, generator):
        recorded[:] = prompted_pairs(n, generator)
        return recorded

    given = draw(pairs, training, rng, torch.device("cpu"))
    return [part.numpy().astype(float) for part in given], recorded


@pytest.mark.claim("F8")
def test_what_training_is_given(evidence, rng):
    """Algorithm 1's draw: t uniform, (1−t)x₀ + tx₁ and x₁ − x₀ of the pairs drawn, prompts kept by share."""
    training = replace(TRAINING, batch=20_000)
    (t, x, speed, condition, kept), (x0, x1, labels) = _drawn(training, rng)
    on = evidence.on("draw", batch=training.batch, unprompted=training.unprompted)
    sizes = np.abs(x0) + np.abs(x1)
    for quantity, error, size in (
        ("|x − ((1−t)x₀ + tx₁)|", x - x0 - t[:, None] * (x1 - x0), 2 * sizes),
        ("|ẋ − (x₁ − x₀)|", speed - (x1 - x0), sizes),
        ("|prompt − that of x₁|", condition - labels, labels),
    ):
        on.bounded(
            quantity,
            np.abs(error),
            Rounding(size, 2.0**30 + 4, "t and results rounded to float32, 2⁻²³ of the size together"),
            because="algorithm 1's interpolant and speed are these",
            clause="training",
        )
    on.statistical(
        "sup|F_n(t) − t|",
        kstest(t, "uniform").statistic,
        dkw(len(t), LEVEL) + 2.0**-23,
        level=LEVEL,
        because="t uniform on [0, 1): Dvoretzky–Kiefer–Wolfowitz; rounding to float32",
        clause="training",
    )
    on.statistical(
        "|share of prompts kept − (1 − unprompted)|",
        abs(kept.mean() - (1 - training.unprompted)),
        hoeffding(len(kept), 1.0, LEVEL),
        level=LEVEL,
        because="Hoeffding: prompts are dropped independently",
        clause="training",
    )


@pytest.mark.claim("F8")
def test_gradient_that_training_follows(evidence, rng):
    """Algorithm 1's step: torch's gradient of the loss (37) is 2·mean (u_θ − ẋ)zᵀ for a linear model."""
    import torch

    from numerics.flows.learned import flow_matching_loss

    weights = torch.tensor(rng.standard_normal((2, 4)), requires_grad=True)
    t, x0, x1 = rng.random(200), *rng.standard_normal((2, 200, 2))
    x, speed = (1 - t)[:, None] * x0 + t[:, None] * x1, x1 - x0
    inputs = np.column_stack([np.ones(200), t, x])

    def model(time, place):
        return torch.cat([torch.ones_like(place[:, :1]), time[:, None], place], dim=1) @ weights.T

    flow_matching_loss(model, *map(torch.tensor, (t, x, speed))).backward()
    missed = inputs @ weights.detach().numpy().T - speed
    sizes = np.abs(inputs) @ np.abs(weights.detach().numpy()).T + np.abs(speed)
    evidence.on("linear model, batch of 200").bounded(
        "|∇ by torch − 2·mean (u_θ − ẋ)zᵀ|",
        np.abs(weights.grad.numpy() - 2 * missed.T @ inputs / 200),
        Rounding(
            2 * sizes.T @ np.abs(inputs) / 200, 2 * (200 + 4 + 4), "twice 200 products of sums of 4 and x − ẋ"
        ),
        because="(37) is quadratic in the weights of a linear model",
        clause="training",
    )


@pytest.mark.claim("F8")
def test_distance_falls_with_training(evidence, rng):
    """Algorithm 1 for 1, 100 and 600 steps of Adam, then algorithm 2: half of D(noise, target) goes."""
    x0 = rng.standard_normal((SAMPLES, 2))
    radius, counts = DISTANCE.radius(SAMPLES, LEVEL), (1, 100, 600)
    fields = [unprompted_field(k) for k in counts]
    samples = [euler(f.velocity, x0, 50)[-1] for f in fields]
    found = [DISTANCE.to_mixture(x, MIXTURE) for x in samples]
    on = evidence.on("learned fields, three Gaussians in the plane", samples=SAMPLES)
    on.statistical(
        "D(samples, target) after 600 steps",
        found[-1],
        DISTANCE.between(NOISE, MIXTURE) / 2 + radius,
        level=LEVEL,
        chosen="half of the noise's distance",
        because="claimed: the samples' law is within ½·D(noise, target), in closed form; McDiarmid's radius",
        clause="training",
    )
    on.table(
        f"Training: distance of {SAMPLES} samples from three Gaussians (radius {radius:.3f})",
        ["steps of Adam", "D", "mean loss, last 20 batches"],
        [[k, d, float(f.losses[-20:].mean())] for k, d, f in zip(counts, found, fields, strict=True)],
    )
    evidence.figure(
        "Samples after 1, 100 and 600 steps of training",
        "Three scatter plots in the plane over contours of the target. After one step one cloud; after "
        "600 the samples fill the three Gaussians.",
        lambda figure: draw_training(figure, MIXTURE, dict(zip(counts, samples, strict=True))),
        size=(8.4, 3.0),
        format="png",
    )


# --- control ------------------------------------------------------------------------------------------


@pytest.mark.control("F8")
def test_without_training(evidence, rng):
    """The field 0 in place of a trained one: the samples are noise, and D is all of D(noise, target)."""
    samples = euler(lambda _, x: np.zeros_like(x), rng.standard_normal((SAMPLES, 2)), 50)[-1]
    apart = DISTANCE.between(NOISE, MIXTURE)
    evidence.on("three Gaussians in the plane").control(
        "no training: D(samples, target)",
        predicted=apart,
        measured=DISTANCE.to_mixture(samples, MIXTURE),
        agreement=DISTANCE.radius(SAMPLES, LEVEL),
        because="closed form of the kernel between N(0,I) and the mixture; McDiarmid",
        intact=apart / 2,
        level=LEVEL,
    )
