"""Sweeps give the same numbers one after another, on several processes and on a Dask cluster."""

import joblib
import numpy as np
import pytest
from scipy import stats

from numerics.potentials import FiniteAtoms, Quantile, Sphere
from numerics.transport.couplings import estimate_cost, independent
from numerics.transport.sweeps import sweep, sweep_excess

TARGETS = {"circle": Sphere(2), "atoms": FiniteAtoms.two([0.0], [2.0], 0.3), "S³": Sphere(4)}
BATCHES = {4: 30, 64: 300, 100: 3}


def _draw(case, rng):
    return case, rng.standard_normal(3)


def _values(estimates):
    return [(name, n, e.n, e.values.tolist()) for name, row in estimates.items() for n, e in row.items()]


def _run(jobs=None):
    return _values(sweep_excess(TARGETS, BATCHES, np.random.default_rng(7), jobs=jobs))


@pytest.fixture(scope="module")
def serial():
    return _run(jobs=1)


def test_results_keep_the_order_of_the_cases():
    found = sweep(_draw, "edcba", np.random.default_rng(0))
    assert [case for case, _ in found] == list("edcba")


def test_generators_are_spawned_one_a_case():
    found = [values for _, values in sweep(_draw, range(4), np.random.default_rng(3))]
    own = [child.standard_normal(3) for child in np.random.default_rng(3).spawn(4)]
    assert np.array_equal(found, own)
    assert len(np.unique(found)) == 12


def test_every_size_has_its_batches(serial):
    assert [(n, len(values)) for _, n, _, values in serial] == list(BATCHES.items()) * len(TARGETS)
    assert all(n == own for _, n, own, _ in serial)


def test_two_sweeps_from_one_generator_differ():
    rng = np.random.default_rng(7)
    first, second = (_values(sweep_excess(TARGETS, {4: 30}, rng)) for _ in range(2))
    assert first != second


def test_processes_give_the_serial_numbers(serial):
    assert _run(jobs=2) == serial


def test_dask_cluster_gives_the_serial_numbers(serial):
    distributed = pytest.importorskip(
        "distributed", reason="dask is not installed: pip install 'otcfm-theorems[cluster]'"
    )
    # Two workers with their scheduler between them, in threads: as processes they take 4 s to be killed.
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
    )
    with cluster, distributed.Client(cluster), joblib.parallel_config(backend="dask"):
        assert _run() == serial


@pytest.mark.parametrize("jobs", [0, -2, 1.5, True, "2"])
def test_jobs_are_minus_one_or_positive(jobs):
    with pytest.raises(ValueError, match="jobs: got"):
        sweep(_draw, [1], np.random.default_rng(0), jobs=jobs)


@pytest.mark.parametrize(("batches", "name"), [({0: 4}, "n"), ({4: 1}, "batches")])
def test_bad_sizes_are_named_before_work(batches, name):
    with pytest.raises(ValueError, match=f"{name}: got"):
        sweep_excess({"circle": Sphere(2)}, batches, np.random.default_rng(0))


def test_other_couplings_and_estimates_pass_through():
    """Pairs as drawn on the line: E|x₀ − x₁|² = 1 + E x₁²."""
    target = {"law": Quantile(stats.norm(1, 2))}
    found = sweep_excess(
        target, {8: 2000}, np.random.default_rng(1), coupling=independent, estimate=estimate_cost
    )
    low, high = found["law"][8].interval(1e-9)
    assert low <= 1 + 1 + 4 <= high
