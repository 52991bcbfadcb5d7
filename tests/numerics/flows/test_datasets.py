"""Batches for training: of exact pairs, of blocks, with labels, for any worker, reproducible."""

import copy
import pickle
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from numerics.flows import datasets
from numerics.flows.datasets import PairBatches, labelled, matched
from numerics.flows.pairs import exact
from numerics.potentials import FiniteAtoms, Sphere
from numerics.transport.couplings import assignment

CLOUD = np.random.default_rng(0).standard_normal((50, 3))
LABELS = np.arange(50) % 7


def _first(batches, count):
    stream = iter(batches)
    return [next(stream) for _ in range(count)]


def test_exact_pairs_stay_exact_up_to_the_type():
    target = Sphere(3, 2.0)
    for dtype in (torch.float32, torch.float64):
        ((x0, x1),) = _first(PairBatches(exact(target), 64, seed=1, dtype=dtype), 1)
        assert x0.dtype == x1.dtype == dtype
        error = np.linalg.norm(target.transport(x0.double().numpy()) - x1.double().numpy(), axis=1)
        assert error.max() <= 8 * torch.finfo(dtype).eps


def test_the_same_seed_gives_the_same_batches_and_another_gives_others():
    found = [_first(PairBatches(exact(Sphere(2)), 8, seed=seed), 3) for seed in (0, 0, 1)]
    for a, b, c in zip(*found, strict=True):
        assert torch.equal(a[0], b[0])
        assert not torch.equal(a[0], c[0])
    assert not torch.equal(found[0][0][0], found[0][1][0])


LOADERS = {
    "no workers": {},
    "two workers": {"num_workers": 2},
    "two workers that stay": {"num_workers": 2, "persistent_workers": True},
}


def _epochs(options, seed=3, epochs=3, length=4):
    """The noise of every batch of the usual loop."""
    loader = DataLoader(PairBatches(exact(Sphere(2)), 4, seed=seed), batch_size=None, **options)
    return [tuple(x0.flatten().tolist()) for _ in range(epochs) for x0, _ in islice(loader, length)]


@pytest.mark.parametrize("options", LOADERS.values(), ids=LOADERS)
def test_epochs_and_workers_draw_apart_and_reproducibly(options):
    found = _epochs(options)
    assert len(set(found)) == len(found) == 12
    torch.manual_seed(17)  # what torch draws for workers of its own is not asked
    assert _epochs(options) == found
    assert not set(_epochs(options, seed=4)) & set(found)


def test_workers_that_stay_draw_as_those_of_one_epoch():
    assert _epochs(LOADERS["two workers"]) == _epochs(LOADERS["two workers that stay"])


def test_a_spawned_worker_draws_as_a_forked_one():
    spawned = {"num_workers": 1, "multiprocessing_context": "spawn"}
    assert _epochs(spawned, epochs=2) == _epochs({"num_workers": 1}, epochs=2)


def test_an_iteration_counts_from_its_beginning():
    batches, alone = (PairBatches(exact(Sphere(2)), 4, seed=5) for _ in range(2))
    one, two = iter(batches), iter(batches)
    later, first = next(two)[0], next(one)[0]
    assert torch.equal(first, next(iter(alone))[0])
    assert torch.equal(later, next(iter(alone))[0])
    assert not torch.equal(later, first)


@pytest.mark.parametrize(
    "again", [lambda made: pickle.loads(pickle.dumps(made)), copy.deepcopy], ids=["pickle", "copy"]
)
def test_a_copy_goes_on_where_its_original_is_and_counts_for_itself(again):
    batches = PairBatches(exact(Sphere(2)), 4, seed=5)
    begun = next(iter(batches))[0]
    other = again(batches)
    of_copy = [next(iter(other))[0] for _ in range(2)]
    of_original = [next(iter(batches))[0] for _ in range(2)]
    assert all(map(torch.equal, of_copy, of_original))
    assert not any(torch.equal(begun, x0) for x0 in of_copy)
    loader = DataLoader(other, batch_size=None, num_workers=1)
    assert not torch.equal(*(next(iter(loader))[0] for _ in range(2)))


def test_torchs_default_device_is_not_where_iterations_are_counted():
    with torch.device("meta"):
        batches = PairBatches(exact(Sphere(2)), 4, seed=5)
        first, second = (next(iter(batches))[0] for _ in range(2))
    assert first.device == torch.device("cpu")
    assert not torch.equal(first, second)


def test_more_workers_than_are_told_apart_are_refused(monkeypatch):
    monkeypatch.setattr(datasets, "get_worker_info", lambda: SimpleNamespace(id=1023))
    iter(PairBatches(exact(Sphere(2)), 4))
    monkeypatch.setattr(datasets, "get_worker_info", lambda: SimpleNamespace(id=1024))
    with pytest.raises(ValueError, match="num_workers: got at least 1025; at most 1024"):
        iter(PairBatches(exact(Sphere(2)), 4))


@pytest.mark.parametrize(("n", "block"), [(8, 8), (3, 16), (20, 8), (16, 8), (1, 1), (5, 1)])
def test_blocks_serve_any_size_of_batch(n, block):
    x0, x1, label = matched(CLOUD, block, LABELS)(n, np.random.default_rng(2))
    assert x0.shape == x1.shape == (n, 3)
    own = (x1[:, None] == CLOUD).all(axis=2).argmax(axis=1)
    assert np.array_equal(CLOUD[own], x1)
    assert np.array_equal(LABELS[own], label)


def test_pairs_of_a_block_are_its_optimal_assignment():
    """The data that each noise gets: an atom that was drawn twice may go to either by another number."""
    x0, x1 = matched(CLOUD, 12)(12, np.random.default_rng(4))
    assert np.array_equal(x1[assignment(x0, x1)], x1)
    x0, x1 = matched(CLOUD, 6)(12, np.random.default_rng(4))
    assert np.array_equal(x1[:6][assignment(x0[:6], x1[:6])], x1[:6])
    assert not np.array_equal(x1[assignment(x0, x1)], x1)


def test_labels_follow_the_exact_map():
    atoms = FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3)
    x0, x1, label = labelled(atoms, [5, 9])(200, np.random.default_rng(5))
    assert np.array_equal(x1, atoms.transport(x0))
    assert np.array_equal(label, np.where((x1 == atoms.points[0]).all(axis=1), 5, 9))
    ((_, _, tensor),) = _first(PairBatches(labelled(atoms, [5, 9]), 4), 1)
    assert tensor.dtype == torch.int64


@pytest.mark.parametrize("device", [None, "cpu", torch.device("cpu"), "meta"])
def test_tensors_land_on_the_device(device):
    atoms = FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3)
    made = PairBatches(labelled(atoms, [5, 9]), 4, dtype=torch.float64, device=device)
    for batches in (made, pickle.loads(pickle.dumps(made))):
        ((x0, x1, label),) = _first(batches, 1)
        assert {tensor.device for tensor in (x0, x1, label)} == {torch.device(device or "cpu")}
        assert (x0.dtype, x1.dtype, label.dtype) == (torch.float64, torch.float64, torch.int64)


@pytest.mark.parametrize("device", ["quantum", "cuda:99", 3.5, ""])
def test_a_device_that_is_not_there_is_named(device):
    with pytest.raises(
        ValueError, match=r"device: got .*; torch .* puts no torch\.float32 there; use 'cpu'$"
    ):
        PairBatches(exact(Sphere(2)), 4, device=device)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: PairBatches(exact(Sphere(2)), 0), "batch"),
        (lambda: PairBatches(exact(Sphere(2)), 4, seed=-1), "seed"),
        (lambda: PairBatches(exact(Sphere(2)), 4, dtype=torch.int64), "dtype"),
        (lambda: PairBatches(exact(Sphere(2)), 4, dtype="float32"), "dtype"),
        (lambda: matched(CLOUD, 0), "block"),
        (lambda: matched(CLOUD[0], 4), "points"),
        (lambda: matched(CLOUD, 4, LABELS[:9]), "labels"),
        (lambda: matched(CLOUD, 4, LABELS / 2), "labels"),
        (lambda: labelled(FiniteAtoms.two([0.0], [1.0], 0.5), [1]), "labels"),
    ],
)
def test_bad_input_is_refused_by_name(make, named):
    with pytest.raises(ValueError, match=f"^{named}: got"):
        make()


def test_what_draws_no_pairs_is_told_what_does():
    """Before a batch is asked for: a potential or a solution in place of its `sample` or its atoms."""
    with pytest.raises(ValueError, match=r"pairs: got int; .*potential\.sample"):
        PairBatches(3, 4)
    with pytest.raises(ValueError, match=r"potential: got Sphere; .*solution\.potential"):
        labelled(Sphere(2), [1])
