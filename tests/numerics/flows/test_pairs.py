"""Laws of every source of pairs and of data: it travels to other processes as it is."""

import copy
import inspect
import pickle

import numpy as np
import pytest
from torch.utils.data import DataLoader

from numerics.flows import datasets, pairs
from numerics.potentials import FiniteAtoms, Sphere

CLOUD = np.random.default_rng(0).standard_normal((7, 2))
ATOMS = FiniteAtoms.regular_polygon(5)
MAKERS = {
    "cloud": lambda: pairs.cloud(CLOUD),
    "data_of": lambda: pairs.data_of(Sphere(2)),
    "exact": lambda: pairs.exact(Sphere(2)),
    "independent": lambda: pairs.independent(pairs.cloud(CLOUD)),
    "labelled": lambda: datasets.labelled(ATOMS, np.arange(5)),
    "matched": lambda: datasets.matched(CLOUD, 4, np.arange(7)),
    "minibatch": lambda: _of_a_peer(pairs.cloud(CLOUD)),
    "semidiscrete": lambda: pairs.semidiscrete(ATOMS),
}
"""One of each public function that makes a source."""
every_source = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def _of_a_peer(data):
    pytest.importorskip("torchcfm", reason="torchcfm is a peer, not a dependency")
    return pairs.minibatch(data)


def _drawn(source, n=6, seed=3):
    found = source(n, np.random.default_rng(seed))
    return found if isinstance(found, tuple) else (found,)


def _equal(left, right):
    return len(left) == len(right) and all(map(np.array_equal, left, right))


def test_every_source_is_asked():
    functions = {
        name
        for module in (pairs, datasets)
        for name, found in inspect.getmembers(module, inspect.isfunction)
        if found.__module__ == module.__name__ and not name.startswith("_")
    }
    assert functions == set(MAKERS)


@every_source
@pytest.mark.parametrize(
    "again", [lambda source: pickle.loads(pickle.dumps(source)), copy.deepcopy], ids=["pickle", "copy"]
)
def test_a_source_comes_back_and_draws_the_same(make, again):
    source = make()
    assert _equal(_drawn(again(source)), _drawn(source))


@every_source
def test_draws_are_the_generators(make):
    source = make()
    assert all(len(array) == 6 for array in _drawn(source))
    assert _equal(_drawn(source), _drawn(source))
    assert not _equal(_drawn(source), _drawn(source, seed=4))


def test_a_worker_that_is_started_afresh_draws():
    """It inherits nothing: what it draws from came to it by pickle."""
    batches = datasets.PairBatches(datasets.matched(CLOUD, 4, np.arange(7)), 3, seed=5)
    loader = DataLoader(batches, batch_size=None, num_workers=1, multiprocessing_context="spawn")
    x0, x1, label = next(iter(loader))
    assert x0.shape == (3, 2)
    assert np.array_equal(x1.numpy(), CLOUD[label].astype(np.float32))
