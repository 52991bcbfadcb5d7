"""Small flows trained on couplings of known kind: by hand, by torchcfm's matchers, by Meta's path.

A kind is the number n of pairs that an optimal assignment sees: 0 for exact pairs, 1 for independent ones.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch

from numerics.transport.couplings import assignment
from theorems.setting.libraries import seeded

BATCH, STEPS, RATE = 256, 200, 1e-2
KINDS = 0, 256, 64, 16, 1
"""From the exact field away: a batch's plan costs no less than a larger one's (M2, M8)."""
Draw = Callable[[int, np.random.Generator], tuple[np.ndarray, np.ndarray]]
"""n and randomness to `BATCH` noises and data (m,d): optimal pairs for n = 0, else drawn apart."""
Regression = Callable[[np.ndarray, np.ndarray, int], list[torch.Tensor]]
"""Noise and data as drawn, and n, to t, x_t and its velocity."""


class Network(torch.nn.Module):
    """Two hidden layers of 32 units."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        widths = dim + 1, 32, 32, dim
        layers = [torch.nn.Linear(a, b) for a, b in pairwise(widths)]
        self.layers = torch.nn.Sequential(layers[0], torch.nn.SiLU(), layers[1], torch.nn.SiLU(), layers[2])

    def forward(self, t: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """v(t, x), t a scalar or (n,)."""
        return self.layers(torch.cat([x, t.expand(len(x))[:, None]], dim=1))


def matched(x0: np.ndarray, x1: np.ndarray, n: int) -> np.ndarray:
    """The data in the order of the optimal assignment of each n pairs."""
    dim = x0.shape[1]
    blocks = zip(x0.reshape(-1, n, dim), x1.reshape(-1, n, dim), strict=True)
    return np.concatenate([b[assignment(a, b)] for a, b in blocks])


def single(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.tensor(array, dtype=torch.float32) for array in arrays]


def plain(x0: np.ndarray, x1: np.ndarray, n: int) -> list[torch.Tensor]:
    """t, x_t and its velocity, by hand."""
    first, second = single(x0, matched(x0, x1, n) if n > 1 else x1)
    t = torch.rand(len(x0))
    return [t, (1 - t[:, None]) * first + t[:, None] * second, second - first]


def by_torchcfm(x0: np.ndarray, x1: np.ndarray, n: int) -> list[torch.Tensor]:
    """The same by torchcfm's matchers; batches by its own, which solves each n pairs."""
    from torchcfm import conditional_flow_matching as matching

    if n <= 1:
        return list(
            matching.ConditionalFlowMatcher(0.0).sample_location_and_conditional_flow(*single(x0, x1))
        )
    matcher = matching.ExactOptimalTransportConditionalFlowMatcher(0.0)
    blocks = zip(*(part.reshape(-1, n, part.shape[1]) for part in single(x0, x1)), strict=True)
    parts = [matcher.sample_location_and_conditional_flow(*block) for block in blocks]
    return [torch.cat(list(part)) for part in zip(*parts, strict=True)]


def by_flow_matching(x0: np.ndarray, x1: np.ndarray, n: int) -> list[torch.Tensor]:
    """The same by Meta's path, which couples nothing itself."""
    from flow_matching.path import CondOTProbPath

    first, second = single(x0, matched(x0, x1, n) if n > 1 else x1)
    sample = CondOTProbPath().sample(x_0=first, x_1=second, t=torch.rand(len(first)))
    return [sample.t, sample.x_t, sample.dx_t]


def trained(regression: Regression, draw: Draw, n: int, seed: int) -> Network:
    """A network after `STEPS` steps on pairs of one kind."""
    rng = np.random.default_rng(seed)
    with seeded(seed):
        network = Network(draw(n, np.random.default_rng(0))[0].shape[1])
        optimizer = torch.optim.Adam(network.parameters(), RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
        for _ in range(STEPS):
            t, x, velocity = regression(*draw(n, rng), n)
            loss = (network(t, x) - velocity).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network
