"""Sweeps over targets and batch sizes, on all cores or on a cluster, with the same numbers on either.

Every task has a generator of its own, spawned from the caller's before anything runs, and one thread for its
linear algebra; so what a task returns depends neither on how many run at once nor on where, among machines
of one kind: another processor may round otherwise. joblib runs them, and under
``joblib.parallel_config(backend="dask")`` a Dask cluster does.
"""

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import TypeAlias, TypeVar

import joblib
import numpy as np
from jaxtyping import Float
from threadpoolctl import ThreadpoolController

from numerics.checks import positive_integer
from numerics.potentials import Potential
from numerics.transport.couplings import BatchEstimate, Coupling, assignment, estimate_excess

Case = TypeVar("Case")
Result = TypeVar("Result")
Estimate: TypeAlias = Callable[[Potential, int, int, np.random.Generator, Coupling], BatchEstimate]
_POINTS_A_TASK = 2**13


def sweep(
    measure: Callable[[Case, np.random.Generator], Result],
    cases: Sequence[Case],
    rng: np.random.Generator,
    *,
    jobs: int | None = None,
) -> list[Result]:
    """[measure(case, its own generator) for case in cases], ``jobs`` at a time.

    Args:
        measure: Called once a case; with more than one job it runs in another process, so it and what it
            returns must pickle.
        cases: What to measure.
        rng: One generator a case is spawned from it (`numpy.random.SeedSequence.spawn`).
        jobs: How many at once; −1: as many as there are cores; None: what joblib is configured to (one, or
            the workers of the cluster in ``joblib.parallel_config``).

    Raises:
        ValueError: If jobs is neither None, −1 nor a positive integer.
    """
    if jobs is not None and jobs != -1:
        positive_integer("jobs", jobs)
    tasks = zip(cases, rng.spawn(len(cases)), strict=True)
    with warnings.catch_warnings():
        # A worker that imports a large library after its first task looks leaky to joblib, which replaces it.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
        return list(joblib.Parallel(n_jobs=jobs)(joblib.delayed(_alone)(measure, *task) for task in tasks))


def _alone(
    measure: Callable[[Case, np.random.Generator], Result], case: Case, rng: np.random.Generator
) -> Result:
    """One task on one thread: the order of a sum must not depend on how many cores are free."""
    with _pools(len(sys.modules)).limit(limits=1):
        return measure(case, rng)


@lru_cache(maxsize=1)
def _pools(_modules: int) -> ThreadpoolController:
    """The libraries of this process, looked for again once a module was imported: it takes milliseconds."""
    return ThreadpoolController()


def sweep_excess(
    targets: Mapping[str, Potential],
    batches: Mapping[int, int],
    rng: np.random.Generator,
    *,
    jobs: int | None = None,
    coupling: Coupling = assignment,
    estimate: Estimate = estimate_excess,
) -> dict[str, dict[int, BatchEstimate]]:
    """c_n − W₂² of every target at every batch size, each from independent batches.

    The batches of one size are split into tasks of at most 8192 points, whatever ``jobs`` is.

    Args:
        targets: By name.
        batches: How many batches of each size n.
        rng: Where the noise comes from.
        jobs: As in `sweep`.
        coupling: Of noise and data, `numerics.transport.couplings`.
        estimate: What is estimated of a batch; `estimate_cost` for c_n itself.

    Returns:
        estimates[name][n], the values in the order of the tasks.

    Raises:
        ValueError: If a batch size is not positive, or a size has fewer than two batches.

    Example:
        >>> from numerics.potentials import FiniteAtoms
        >>> target, batches = {"signs": FiniteAtoms.hypercube(1)}, {1: 400, 16: 50}
        >>> found = sweep_excess(target, batches, np.random.default_rng(0))
        >>> len(found["signs"][16].values), bool(found["signs"][16].mean < found["signs"][1].mean)
        (50, True)
    """
    places = [
        (name, n, part)
        for name in targets
        for n, count in batches.items()
        for part in _parts(positive_integer("n", n), positive_integer("batches", count, least=2))
    ]
    cases = [(targets[name], n, part) for name, n, part in places]
    found = sweep(partial(_estimate, estimate, coupling), cases, rng, jobs=jobs)
    values: dict[str, dict[int, list[Float[np.ndarray, " _"]]]] = {
        n: {k: [] for k in batches} for n in targets
    }
    for (name, n, _), part_values in zip(places, found, strict=True):
        values[name][n].append(part_values)
    return {
        name: {n: BatchEstimate(n, np.concatenate(parts)) for n, parts in row.items()}
        for name, row in values.items()
    }


def _estimate(
    estimate: Estimate, coupling: Coupling, case: tuple[Potential, int, int], rng: np.random.Generator
) -> Float[np.ndarray, " batches"]:
    target, n, batches = case
    return estimate(target, n, batches, rng, coupling).values


def _parts(n: int, batches: int) -> list[int]:
    """``batches`` in parts of nearly equal numbers, at least two each."""
    tasks = min(batches // 2, -(-batches * n // _POINTS_A_TASK))
    return [len(part) for part in np.array_split(np.arange(batches), max(1, tasks))]
