"""Laws of every source of pairs and of data: what it takes, and that it travels to other processes."""

import copy
import inspect
import pickle

import numpy as np
import pytest
from scipy.stats import binomtest
from torch.utils.data import DataLoader

from numerics.flows import datasets, pairs
from numerics.potentials import FiniteAtoms, Sphere

CLOUD = np.random.default_rng(0).standard_normal((7, 2))
SHARES = np.array([0.3, 0.2, 0.05, 0.1, 0.1, 0.1, 0.15])
ATOMS = FiniteAtoms.regular_polygon(5)
MAKERS = {
    "cloud": lambda: pairs.cloud(CLOUD, SHARES),
    "data_of": lambda: pairs.data_of(Sphere(2)),
    "exact": lambda: pairs.exact(Sphere(2)),
    "independent": lambda: pairs.independent(pairs.cloud(CLOUD)),
    "labelled": lambda: datasets.labelled(ATOMS, np.arange(5)),
    "matched": lambda: datasets.matched(CLOUD, 4, np.arange(7), weights=SHARES),
    "minibatch": lambda: _of_a_peer(pairs.cloud(CLOUD)),
    "semidiscrete": lambda: pairs.semidiscrete(ATOMS),
}
"""One of each public function that makes a source."""
every_source = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def _of_a_peer(data):
    pytest.importorskip("torchcfm", reason="torchcfm is a peer, not a dependency")
    return pairs.minibatch(data)


def _drawn(source, n=6, seed=3):
    return _drawn_by(source, n, np.random.default_rng(seed))


def _drawn_by(source, n, rng):
    found = source(n, rng)
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


@every_source
def test_a_seed_stands_for_its_generator(make):
    source = make()
    for seed in (3, np.int64(3)):
        assert _equal(_drawn_by(source, 6, seed), _drawn(source, seed=3))


@every_source
@pytest.mark.parametrize("rng", [None, -1, 1.5, True, "0", np.random.RandomState(0)])
def test_what_is_no_generator_is_refused_by_name(make, rng):
    with pytest.raises(ValueError, match=r"^rng: got .*give numpy\.random\.default_rng\(seed\), or a seed"):
        make()(6, rng)


@every_source
@pytest.mark.parametrize("n", [0, -2, 1.5, True, "6"])
def test_what_is_no_number_of_rows_is_refused_by_name(make, n):
    with pytest.raises(ValueError, match=r"^n: got .*; it must be an integer of at least 1"):
        make()(n, 0)


@pytest.mark.parametrize("make", [pairs.independent, lambda data: _of_a_peer(data)])
def test_data_of_ones_own_are_handed_a_generator(make):
    x0, x1 = make(lambda n, rng: rng.uniform(2.0, 3.0, (n, 2)))(6, 0)
    assert x0.shape == x1.shape == (6, 2)
    assert ((x1 >= 2) & (x1 <= 3)).all()


WEIGHED = {
    "cloud": lambda weights: pairs.cloud(CLOUD, weights),
    "independent": lambda weights: pairs.independent(pairs.cloud(CLOUD, weights)),
    "matched": lambda weights: datasets.matched(CLOUD, 8, weights=weights),
}
every_weighing = pytest.mark.parametrize("weigh", WEIGHED.values(), ids=WEIGHED)


@every_weighing
@pytest.mark.parametrize("weights", [None, SHARES, SHARES.astype(np.float32)], ids=["none", "64", "32"])
def test_points_are_drawn_by_their_weights(weigh, weights):
    """Counts are binomial, of a last block too, of which three in eight are kept; each is missed at 1e−10."""
    *_, x1 = _drawn(weigh(weights), n=8003)
    counts = (x1[:, None] == CLOUD).all(axis=2).sum(axis=0)
    assert counts.sum() == 8003
    for count, share in zip(counts, np.full(7, 1 / 7) if weights is None else SHARES, strict=True):
        assert binomtest(int(count), 8003, share).pvalue > 1e-10


@every_weighing
@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (SHARES[:6], "got 6 for 7 points"),
        (2 * SHARES, r"they sum to 2\.0"),
        (SHARES - 0.05, "entry 2 is 0.0"),
        (np.where(SHARES > 0.2, np.nan, SHARES), r"entry \(0,\) is nan"),
    ],
)
def test_bad_weights_are_named(weigh, weights, said):
    with pytest.raises(ValueError, match=f"^weights: {said}"):
        weigh(weights)


def test_a_worker_that_is_started_afresh_draws():
    """It inherits nothing: what it draws from came to it by pickle."""
    batches = datasets.PairBatches(datasets.matched(CLOUD, 4, np.arange(7), weights=SHARES), 3, seed=5)
    loader = DataLoader(batches, batch_size=None, num_workers=1, multiprocessing_context="spawn")
    x0, x1, label = next(iter(loader))
    assert x0.shape == (3, 2)
    assert np.array_equal(x1.numpy(), CLOUD[label].astype(np.float32))
