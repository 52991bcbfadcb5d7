"""Trained flows, audited by the command with the cloud that they learned from, rank as their couplings do.

What is compared is what the reports say. The cloud is 2000 draws of N(0, diag(4, ¼)), whose exact transport
is solved for: the field of so many atoms is smooth enough, at the times that are asked, for a small network.
"""

import importlib.util
import inspect
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from numerics.transport import solve
from tests.reports.house import run_audits
from tests.theorems.setting.user import trainings
from tests.theorems.setting.user.trainings import BATCH, KINDS, Draw, Network, Regression, trained

CLOUD = np.array([2.0, 0.5]) * np.random.default_rng(5).standard_normal((2000, 2))
MODULE = f"""from itertools import pairwise

import torch


{inspect.getsource(Network)}

def made():
    return Network(2)
"""
QUESTION = "M4: how far is its field from the exact one, beside those of batches?"


@pytest.fixture(scope="module")
def draw() -> Draw:
    """Noise and data of one step: the cloud's exact pairs for n = 0, else drawn apart."""
    potential = solve(CLOUD).potential

    def of_the_cloud(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x0 = rng.standard_normal((BATCH, 2))
        return x0, potential.transport(x0) if n == 0 else CLOUD[rng.integers(len(CLOUD), size=BATCH)]

    return of_the_cloud


def audited(folder: Path, network: Network) -> dict:
    """What the report of the user's command says of a network's place."""
    folder.mkdir()
    (folder / "my_flow.py").write_text(MODULE, encoding="utf-8")
    np.savez(folder / "cloud.npz", points=CLOUD)
    torch.save(network.state_dict(), folder / "weights.pt")
    given = ["--flow=my_flow:made()", "--checkpoint=weights.pt", "--target=cloud.npz"]
    ran = run_audits(folder, "theorems.minibatch_convergence.test_user_flow", *given)
    assert ran.status == 0, ran.output
    (audit,) = (a for a in ran.report["audits"] if a["question"] == QUESTION)
    return audit


@pytest.mark.parametrize(
    ("library", "regression", "kinds"),
    [
        ("torch", trainings.plain, KINDS),
        ("torchcfm", trainings.by_torchcfm, (256, 16, 1)),
        ("flow_matching", trainings.by_flow_matching, (0, 16, 1)),
    ],
)
def test_reports_rank_flows_as_their_couplings(
    tmp_path: Path, draw: Draw, library: str, regression: Regression, kinds: tuple[int, ...]
) -> None:
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed: pip install .[peers], or see the Makefile")
    audits = [audited(tmp_path / str(n), trained(regression, draw, n, 0)) for n in kinds]
    found = [audit["measured"] for audit in audits]
    assert all(nearer < further for nearer, further in pairwise(found)), found
    assert audits[-1]["outcome"] == "deviates", audits[-1]
    assert [audit["subject"] for audit in audits] == ["my_flow:made() of weights.pt"] * len(kinds)
