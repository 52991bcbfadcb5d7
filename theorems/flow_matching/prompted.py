"""A field that is learned with prompts, once for all checks that ask it."""

from dataclasses import replace
from functools import cache

import numpy as np

from numerics import flows
from numerics.flows.mixtures import MixtureField

MIXTURE = MixtureField(
    [[-2.0, 0.0], [2.0, 1.0], [0.5, -2.5]],
    [[[0.3, 0.1], [0.1, 0.2]], [[0.2, 0.0], [0.0, 0.5]], [[0.25, -0.1], [-0.1, 0.3]]],
    [0.3, 0.4, 0.3],
)
"""Three labelled Gaussians in the plane."""
TRAINING = flows.Training(steps=1000, batch=256, width=48, depth=2, unprompted=0.2, learning_rate=8e-3)


def prompted_pairs(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise, data apart from it, and the data's label as a unit vector: algorithm 1 with prompts."""
    data, labels = MIXTURE.sample(n, rng)
    return rng.standard_normal(data.shape), data, np.eye(len(MIXTURE.weights))[labels]


@cache
def prompted_field() -> "flows.LearnedField":
    """The field trained on `prompted_pairs`."""
    return flows.train(prompted_pairs, 2, TRAINING, progress=False)


@cache
def unprompted_field(steps: int) -> "flows.LearnedField":
    """A field trained for so many steps on the three Gaussians without labels: algorithm 1 as it stands."""

    def pairs(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return prompted_pairs(n, rng)[:2]

    return flows.train(pairs, 2, replace(TRAINING, steps=steps), progress=False)
