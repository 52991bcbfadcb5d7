"""Flows trained on couplings of known kind stand in their order, by their distance from the exact field.

The target is N(0, diag(4, 4, ¼, ¼)), whose exact field is linear in x: what a small network misses of it is
less than what batches do. A batch's plan costs no less than a larger one's (M2), and that excess bounds the
field's error (M8): exact pairs < batches of 256 < 64 < 16 < independent pairs. On targets whose exact field
jumps (corners, a ring of atoms) networks of this size miss more than batches do, and no order comes out.
"""

import importlib.util
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch

from numerics.flows.exact import ExactField
from numerics.potentials import DegenerateGaussian
from numerics.transport.couplings import assignment
from theorems.setting.libraries import seeded
from theorems.setting.user.flow_scale import ASKED, POINTS, References, placed
from theorems.setting.user.flows import UserFlow
from theorems.setting.user.reading import USUAL
from theorems.setting.user.torch_field import ways

SPREAD = np.array([2.0, 2.0, 0.5, 0.5])
DIM, BATCH, STEPS, RATE, WIDTH = 4, 256, 200, 1e-2, 32
TARGET = DegenerateGaussian(np.zeros(DIM), np.diag(SPREAD**2))
Regression = Callable[[np.ndarray, np.ndarray, int], list[torch.Tensor]]
"""Noise and data as drawn, and n, to t, x_t and its velocity."""


class Network(torch.nn.Module):
    """Two hidden layers of `WIDTH` units."""

    def __init__(self) -> None:
        super().__init__()
        widths = DIM + 1, WIDTH, WIDTH, DIM
        layers = [torch.nn.Linear(a, b) for a, b in pairwise(widths)]
        self.layers = torch.nn.Sequential(layers[0], torch.nn.SiLU(), layers[1], torch.nn.SiLU(), layers[2])

    def forward(self, t: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """v(t, x), t a scalar or (n,)."""
        return self.layers(torch.cat([x, t.expand(len(x))[:, None]], dim=1))


def drawn(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Noise and data of one step: optimal pairs for n = 0, else drawn apart."""
    x0 = rng.standard_normal((BATCH, DIM))
    return x0, TARGET.transport(x0) if n == 0 else SPREAD * rng.standard_normal((BATCH, DIM))


def matched(x0: np.ndarray, x1: np.ndarray, n: int) -> np.ndarray:
    """The data in the order of the optimal assignment of each n pairs."""
    blocks = zip(x0.reshape(-1, n, DIM), x1.reshape(-1, n, DIM), strict=True)
    return np.concatenate([b[assignment(a, b)] for a, b in blocks])


def single(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.tensor(array, dtype=torch.float32) for array in arrays]


def plain(x0: np.ndarray, x1: np.ndarray, n: int) -> list[torch.Tensor]:
    """t, x_t and its velocity, by hand."""
    first, second = single(x0, matched(x0, x1, n) if n > 1 else x1)
    t = torch.rand(BATCH)
    return [t, (1 - t[:, None]) * first + t[:, None] * second, second - first]


def by_torchcfm(x0: np.ndarray, x1: np.ndarray, n: int) -> list[torch.Tensor]:
    """The same by torchcfm's matchers; batches by its own, which solves each n pairs."""
    from torchcfm import conditional_flow_matching as matching

    if n <= 1:
        return list(
            matching.ConditionalFlowMatcher(0.0).sample_location_and_conditional_flow(*single(x0, x1))
        )
    matcher = matching.ExactOptimalTransportConditionalFlowMatcher(0.0)
    blocks = zip(*(part.reshape(-1, n, DIM) for part in single(x0, x1)), strict=True)
    parts = [matcher.sample_location_and_conditional_flow(*block) for block in blocks]
    return [torch.cat(list(part)) for part in zip(*parts, strict=True)]


def by_flow_matching(x0: np.ndarray, x1: np.ndarray, n: int) -> list[torch.Tensor]:
    """The same by Meta's path, which couples nothing itself."""
    from flow_matching.path import CondOTProbPath

    first, second = single(x0, matched(x0, x1, n) if n > 1 else x1)
    sample = CondOTProbPath().sample(x_0=first, x_1=second, t=torch.rand(BATCH))
    return [sample.t, sample.x_t, sample.dx_t]


def trained(regression: Regression, n: int, seed: int) -> UserFlow:
    """A flow of the user's, trained for `STEPS` steps."""
    rng = np.random.default_rng(seed)
    with seeded(seed):
        network = Network()
        optimizer = torch.optim.Adam(network.parameters(), RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
        for _ in range(STEPS):
            t, x, velocity = regression(*drawn(n, rng), n)
            loss = (network(t, x) - velocity).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return UserFlow(f"trained:{n}", DIM, next(iter(ways(network, "cpu", USUAL))))


def known(seed: int) -> References:
    """The exact field where a flow's distance from it is asked; its marks are tried elsewhere."""
    noise = np.random.default_rng(seed + 1000).standard_normal((POINTS, DIM))
    data, field = TARGET.transport(noise), ExactField(TARGET)
    points = [(t, (1 - t) * noise + t * data) for t in ASKED]
    exact = [field.velocity(t, x) for t, x in points]
    size = np.sum([(v**2).sum(axis=1) for v in exact], axis=0)
    return References("N(0, diag(4, 4, ¼, ¼))", points, [exact], size, {}, {})


@pytest.mark.parametrize("seed", range(5))
def test_flows_trained_by_torch_rank_as_their_couplings(seed: int) -> None:
    """Five trainings of each; the smallest gap, 256 to 64, is about ten standard errors."""
    marks = known(seed)
    flows = [trained(plain, n, seed) for n in (0, 256, 64, 16, 1)]
    found = [placed(flow, marks).found for flow in flows]
    assert all(nearer < further for nearer, further in pairwise(found)), found
    np.testing.assert_allclose(found, [distance(flow, seed) for flow in flows], rtol=1e-6)


def distance(flow: UserFlow, seed: int) -> float:
    """√(E|f − v|²/E|v|²) by its definition; T(x₀) = κx₀ coordinate by coordinate, so v(x_t) = (κ−1)x₀."""
    noise = np.random.default_rng(seed + 1000).standard_normal((POINTS, DIM))
    wrong, size = 0.0, 0.0
    for t in ASKED:
        x = noise * (1 + t * (SPREAD - 1))
        v = noise * (SPREAD - 1)
        wrong, size = wrong + ((flow.velocity(t, x) - v) ** 2).sum(), size + (v**2).sum()
    return float(np.sqrt(wrong / size))


@pytest.mark.parametrize(
    ("name", "regression"), [("torchcfm", by_torchcfm), ("flow_matching", by_flow_matching)]
)
def test_flows_trained_by_libraries_rank_as_their_couplings(name: str, regression: Regression) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed: pip install .[peers], or see the Makefile")
    marks = known(0)
    found = [placed(trained(regression, n, 0), marks).found for n in (0, 64, 16, 1)]
    assert all(nearer < further for nearer, further in pairwise(found)), found


def test_a_flow_on_the_wrong_pairs_loses_its_place() -> None:
    """Optimal pairs whose noise is turned by 180° are a plan of the same marginals, the worst one."""
    marks = known(0)

    def turned(x0: np.ndarray, x1: np.ndarray, n: int) -> list[torch.Tensor]:
        return plain(-x0, x1, n)

    right, independent, wrong = (
        placed(trained(how, n, 0), marks).found for how, n in ((plain, 0), (plain, 1), (turned, 0))
    )
    assert right < independent < wrong
