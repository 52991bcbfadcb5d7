"""Flows trained on couplings of known kind stand in their order, by their distance from the exact field.

The target is N(0, diag(4, 4, ¼, ¼)), whose exact field is linear in x: what a small network misses of it is
less than what batches do. A batch's plan costs no less than a larger one's (M2), and that excess bounds the
field's error (M8): exact pairs < batches of 256 < 64 < 16 < independent pairs. On targets whose exact field
jumps (corners, a ring of atoms) networks of this size miss more than batches do, and no order comes out.
"""

import importlib.util
from itertools import pairwise

import numpy as np
import pytest
import torch

from numerics.flows.exact import ExactField
from numerics.potentials import DegenerateGaussian
from tests.theorems.setting.user.trainings import (
    BATCH,
    KINDS,
    Regression,
    by_flow_matching,
    by_torchcfm,
    plain,
    trained,
)
from theorems.setting.user.flow_scale import ASKED, POINTS, References, placed
from theorems.setting.user.flows import UserFlow
from theorems.setting.user.reading import USUAL
from theorems.setting.user.torch_field import ways

SPREAD = np.array([2.0, 2.0, 0.5, 0.5])
DIM = len(SPREAD)
TARGET = DegenerateGaussian(np.zeros(DIM), np.diag(SPREAD**2))


def drawn(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Noise and data of one step: optimal pairs for n = 0, else drawn apart."""
    x0 = rng.standard_normal((BATCH, DIM))
    return x0, TARGET.transport(x0) if n == 0 else SPREAD * rng.standard_normal((BATCH, DIM))


def flow_of(regression: Regression, n: int, seed: int) -> UserFlow:
    """A trained network as a flow of the user's."""
    network = trained(regression, drawn, n, seed)
    return UserFlow(f"trained:{n}", DIM, next(iter(ways(network, "cpu", USUAL))))


def known(seed: int) -> References:
    """The exact field where a flow's distance from it is asked; its marks are tried elsewhere."""
    noise = np.random.default_rng(seed + 1000).standard_normal((POINTS, DIM))
    data, field = TARGET.transport(noise), ExactField(TARGET)
    points = [(t, (1 - t) * noise + t * data) for t in ASKED]
    exact = [field.velocity(t, x) for t, x in points]
    size = np.sum([(v**2).sum(axis=1) for v in exact], axis=0)
    return References("N(0, diag(4, 4, ¼, ¼))", points, [exact], np.ones(len(size)), size, {}, {}, {})


@pytest.mark.parametrize("seed", range(5))
def test_flows_trained_by_torch_rank_as_their_couplings(seed: int) -> None:
    """Five trainings of each; the smallest gap, 256 to 64, is about ten standard errors."""
    marks = known(seed)
    flows = [flow_of(plain, n, seed) for n in KINDS]
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
    found = [placed(flow_of(regression, n, 0), marks).found for n in (0, 64, 16, 1)]
    assert all(nearer < further for nearer, further in pairwise(found)), found


def test_a_flow_on_the_wrong_pairs_loses_its_place() -> None:
    """Optimal pairs whose noise is turned by 180° are a plan of the same marginals, the worst one."""
    marks = known(0)

    def turned(x0: np.ndarray, x1: np.ndarray, n: int) -> list[torch.Tensor]:
        return plain(-x0, x1, n)

    right, independent, wrong = (
        placed(flow_of(how, n, 0), marks).found for how, n in ((plain, 0), (plain, 1), (turned, 0))
    )
    assert right < independent < wrong
