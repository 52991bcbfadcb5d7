"""The circle of radius 2: its exact field, and networks trained on several couplings of it.

Every network has the same size, the same first weights for a seed, and the same optimiser: only the pairs and
the number of batches differ. Trained once, kept as checkpoints.
"""

from functools import cache

import numpy as np
from hypothesis import settings
from numpy.typing import NDArray

from numerics import flows
from numerics.flows.exact import ExactField
from numerics.flows.pairs import Pairs, data_of, exact, independent, minibatch
from numerics.potentials import Sphere

Array = NDArray[np.float64]
TARGET = Sphere(2, 2.0)
FIELD = ExactField(TARGET)
THOROUGH = settings.get_current_profile_name() in ("thorough", "exhaustive")
"""Whether budgets are long: under these profiles of the report's, by name, and under no other."""
EQUAL, LONG = (2000, 12_800) if THOROUGH else (400, 3200)
"""Batches of every coupling where couplings are compared, and of the network of figure 3."""
TERMINAL_FLOOR = 2 - np.pi / 2
"""Var|x₀| in the plane: what no field can know at t = 1, where x₁ has forgotten |x₀| (docs/theory.md M4)."""
SMALL, PAPER = 16, 512
DRAWS = 200_000 if THOROUGH else 20_000
"""Of held-out noise: limits for values up to c are at least 26c/n, and longer training errs by less."""
CAP = TARGET.radius**2
"""Up to where |v_θ − v|² is counted: |x₁|². Only networks of independent pairs often err by more."""


def network(coupling: str, steps: int, seed: int = 0, device: str = "cpu") -> "flows.LearnedField":
    """A field trained on ``"independent"``, ``"minibatch 16"``, ``"minibatch 512"`` or ``"exact"`` pairs."""
    return _trained(coupling, steps, seed, device)


@cache
def _trained(coupling: str, steps: int, seed: int, device: str) -> "flows.LearnedField":
    training = flows.Training(steps=steps, batch=PAPER, learning_rate=1e-2, seed=seed)
    return flows.trained(_pairs(coupling), TARGET.dim, training, device=device)


def _pairs(coupling: str) -> Pairs:
    data = data_of(TARGET)
    if coupling == "independent":
        return independent(data)
    if coupling == "exact":
        return exact(TARGET)
    return in_blocks(minibatch(data), int(coupling.removeprefix("minibatch ")))


def in_blocks(pairs: Pairs, size: int) -> Pairs:
    """Pairs coupled in blocks of ``size``, so that the plan's batch changes and the gradient's does not."""

    def drawn(n: int, rng: np.random.Generator) -> tuple[Array, ...]:
        blocks = [pairs(size, rng) for _ in range(n // size)]
        return tuple(np.concatenate(parts) for parts in zip(*blocks, strict=True))

    return drawn


def capped_error(learned: "flows.LearnedField", t: Array | float, x0: Array, x1: Array) -> Array:
    """min(|v_θ − v|², `CAP`): its mean has proved limits (`theorems.learned_flows.conclusions`)."""
    return np.minimum(field_error(learned, t, x0, x1), CAP)


def field_error(learned: "flows.LearnedField", t: Array | float, x0: Array, x1: Array) -> Array:
    """|v_θ − v|² at the exact interpolants of optimal pairs, where v = x₁ − x₀ (P3), also at t = 1."""
    times = np.broadcast_to(np.asarray(t, dtype=float), len(x0))[:, None]
    found = learned.velocity(times[:, 0], (1 - times) * x0 + times * x1)
    return np.asarray(((found - (x1 - x0)) ** 2).sum(axis=1))
