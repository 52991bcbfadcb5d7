"""Couplings to train on: how noise is paired with data (docs/theory.md P2, M1; [@tong2024improving]).

Each function returns ``pairs(n, rng) → (x0, x1)``, both (n,d) float64, which is what `learned.train` wants.
``data(n, rng) → (n,d)`` draws data without noise; of a potential it is the second half of its pairs.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from numerics.potentials import Potential

Points: TypeAlias = Float[np.ndarray, "n d"]
Data: TypeAlias = Callable[[int, np.random.Generator], np.ndarray]
Pairs: TypeAlias = Callable[[int, np.random.Generator], tuple[np.ndarray, ...]]


def data_of(target: Potential) -> Data:
    """Draws from the target's law, with the noise that they came from thrown away."""
    return lambda n, rng: target.sample(n, rng)[1]


def cloud(points: Points) -> Data:
    """Draws from a cloud of points (N,d), uniformly and with replacement."""
    return lambda n, rng: points[rng.integers(len(points), size=n)]


def independent(data: Data) -> Pairs:
    """Noise and data drawn apart: P₀ ⊗ P₁, flow matching without transport."""

    def pairs(n: int, rng: np.random.Generator) -> tuple[Points, Points]:
        x1 = data(n, rng)
        return rng.standard_normal(x1.shape), x1

    return pairs


def minibatch(data: Data) -> Pairs:
    """Pairs drawn, with replacement, from the optimal plan of a batch with torchcfm's coupling.

    It is what the paper trains on. torchcfm's sampler draws from NumPy's global state: that is seeded from
    ``rng`` for the call and put back after it.

    Raises:
        ModuleNotFoundError: If torchcfm isn't installed (the Makefile does: it is a peer, no dependency).
    """
    import torch
    from torchcfm.conditional_flow_matching import ExactOptimalTransportConditionalFlowMatcher

    sampler = ExactOptimalTransportConditionalFlowMatcher().ot_sampler

    def pairs(n: int, rng: np.random.Generator) -> tuple[Points, Points]:
        x1 = torch.from_numpy(data(n, rng))
        x0 = torch.from_numpy(rng.standard_normal(x1.shape))
        before = np.random.get_state()  # noqa: NPY002 - that is the generator that torchcfm draws from
        np.random.seed(rng.integers(2**32, dtype=np.uint32))  # noqa: NPY002
        try:
            left, right = sampler.sample_plan(x0, x1)
        finally:
            np.random.set_state(before)  # noqa: NPY002
        return left.numpy(), right.numpy()

    return pairs


def semidiscrete(potential: Potential) -> Pairs:
    """x₁ = T(x₀) for a potential that was solved for, such as `SemidiscreteSolution.potential`."""

    def pairs(n: int, rng: np.random.Generator) -> tuple[Points, Points]:
        x0 = rng.standard_normal((n, potential.dim))
        return x0, potential.transport(x0)

    return pairs


def exact(target: Potential) -> Pairs:
    """The target's own exact optimal pairs, `Potential.sample`."""
    return target.sample
