"""torchcfm as the coupling under test: its batches, drawn reproducibly, with the indices of their pairs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest
from jaxtyping import Float, Int

from numerics.potentials import Potential

MISSING = "torchcfm is not installed: python -m pip install --no-deps torchcfm"


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """The global generators of NumPy and torch, seeded for a while, then as they were."""
    import torch

    before, torch_before = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
        torch.set_rng_state(torch_before)


@dataclass(frozen=True)
class Batches:
    """What a matcher of torchcfm makes of B batches of n noises and n data.

    Attributes:
        noise: (B,n,d) what it was given.
        data: (B,n,d) what it was given.
        first: (B,n) which noise of its batch each returned pair has.
        second: (B,n) which datum.
        xt: (B,n,d) the returned locations at t.
        ut: (B,n,d) the returned velocities.
    """

    noise: Float[np.ndarray, "b n d"]
    data: Float[np.ndarray, "b n d"]
    first: Int[np.ndarray, "b n"]
    second: Int[np.ndarray, "b n"]
    xt: Float[np.ndarray, "b n d"]
    ut: Float[np.ndarray, "b n d"]

    @property
    def x0(self) -> Float[np.ndarray, "b n d"]:
        """The noises of the pairs."""
        return np.take_along_axis(self.noise, self.first[:, :, None], axis=1)

    @property
    def x1(self) -> Float[np.ndarray, "b n d"]:
        """Their data."""
        return np.take_along_axis(self.data, self.second[:, :, None], axis=1)


class Questions:
    """Audits of one library on one case.

    Args:
        evidence: The fixture of the test.
        library: Who is asked.
        case: What it is given.
    """

    def __init__(self, evidence: Any, library: "TorchCFM", case: str) -> None:
        self._on, self._subject = evidence.on(case), library.name

    def number(self, question: str, expected: float, measured: float, margin: float, because: str) -> None:
        """Is a number within ``margin`` of what is expected?"""
        near = abs(float(measured) - float(expected)) <= float(margin)
        self.holds(question, near, float(expected), float(measured), f"within {margin:.2g}: {because}")

    def holds(
        self, question: str, answer: bool, expected: float | str, measured: float | str, because: str
    ) -> None:
        """Does what is expected hold?"""
        outcome = "agrees" if answer else "deviates"
        self._on.audit(question, outcome, expected, measured, because, subject=self._subject, kind="library")


class TorchCFM:
    """torchcfm's matchers, asked for float64 batches of NumPy; skips the test where it is not installed."""

    def __init__(self) -> None:
        self._matchers: Any = pytest.importorskip("torchcfm.conditional_flow_matching", reason=MISSING)
        self.name = f"torchcfm {version('torchcfm')}"
        self._optimal = self._matchers.ExactOptimalTransportConditionalFlowMatcher(sigma=0.0)

    def plan(self, x0: Float[np.ndarray, "n d"], x1: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n n"]:
        """`OTPlanSampler.get_map`, in the precision of x0."""
        import torch

        return np.asarray(self._optimal.ot_sampler.get_map(torch.from_numpy(x0), torch.from_numpy(x1)))

    def match(self, x0: Float[np.ndarray, "n d"], x1: Float[np.ndarray, "n d"]) -> Int[np.ndarray, " n"]:
        """The plan as a coupling: the datum on which each noise has most of its mass."""
        return self.plan(x0, x1).argmax(axis=1)

    def pairs(
        self, x0: Float[np.ndarray, "n d"], x1: Float[np.ndarray, "n d"], *, replace: bool
    ) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
        """`OTPlanSampler.sample_map` of that plan."""
        return self._optimal.ot_sampler.sample_map(self.plan(x0, x1), len(x0), replace=replace)

    def couple(
        self, noise: Float[np.ndarray, "b n d"], data: Float[np.ndarray, "b n d"], t: float, seed: int
    ) -> Batches:
        """`guided_sample_location_and_conditional_flow` with the indices as labels, batch by batch.

        It returns what `sample_location_and_conditional_flow` returns from the same state, and the labels.
        """
        import torch

        labels, times = torch.arange(noise.shape[1]), torch.full((noise.shape[1],), t, dtype=torch.float64)
        rows = []
        with seeded(seed):
            for x0, x1 in zip(torch.from_numpy(noise), torch.from_numpy(data), strict=True):
                rows.append(
                    self._optimal.guided_sample_location_and_conditional_flow(x0, x1, labels, labels, times)
                )
        xt, ut, first, second = (np.stack([row[k].numpy() for row in rows]) for k in (1, 2, 3, 4))
        return Batches(noise, data, first, second, xt, ut)

    def apart(
        self, noise: Float[np.ndarray, "n d"], data: Float[np.ndarray, "n d"], seed: int
    ) -> Float[np.ndarray, "n d"]:
        """The velocities of `ConditionalFlowMatcher`, which leaves the pairs as they were drawn."""
        import torch

        matcher = self._matchers.ConditionalFlowMatcher(sigma=0.0)
        with seeded(seed):
            found = matcher.sample_location_and_conditional_flow(
                torch.from_numpy(noise), torch.from_numpy(data)
            )
        return np.asarray(found[2])

    def unlabelled(
        self, x0: Float[np.ndarray, "n d"], x1: Float[np.ndarray, "n d"], t: float, seed: int
    ) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "n d"]]:
        """(x_t, u_t) of `sample_location_and_conditional_flow`, the call that trainings make."""
        import torch

        times = torch.full((len(x0),), t, dtype=torch.float64)
        with seeded(seed):
            _, xt, ut = self._optimal.sample_location_and_conditional_flow(
                torch.from_numpy(x0), torch.from_numpy(x1), times
            )
        return xt.numpy(), ut.numpy()


def batches_of(
    target: Potential, n: int, batches: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "b n d"], Float[np.ndarray, "b n d"]]:
    """Noise and data of independent batches, drawn apart."""
    shape = (batches, n, target.dim)
    return rng.standard_normal(shape), target.sample(batches * n, rng)[1].reshape(shape)
