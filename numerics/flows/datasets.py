"""Endless batches of pairs (noise, data) for a training loop of torch (docs/theory.md P2, M1).

The loss of OT-CFM is least at the exact field where the pairs are exact: `pairs.exact` of a potential, or
`pairs.semidiscrete` of a solved cloud. Minibatch couplings leave a floor (M4, M8) that falls with the batch.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch.utils.data import IterableDataset, get_worker_info

from numerics.checks import as_array, as_generator, positive_integer
from numerics.flows.pairs import Pairs, Seed, SeededPairs
from numerics.potentials import FiniteAtoms
from numerics.transport.couplings import assignment
from numerics.transport.semidiscrete import check_weights

Batch: TypeAlias = tuple[torch.Tensor, ...]
_MOST_WORKERS = 1024


class PairBatches(IterableDataset[Batch]):
    """Batches (x₀, x₁, …) of tensors without end, from a source of pairs.

    Every `iter` draws anew, so each epoch of a loop over a `DataLoader` has pairs of its own. The k-th that a
    worker begins, or the process itself, draws from a child of the seed of its own: batches depend on seed,
    number of workers and how many iterations were begun before, and on nothing else: not on torch's seed, nor
    on whether workers stay, are forked or are spawned. A copy, by pickle too, goes on where its original is.
    Side by side, two loaders of one object that have workers are counted in no fixed order: give each an
    object of its own. The processes of a distributed training are no workers: give each a seed of its own.
    Each object holds a temporary file open, in which processes count the iterations begun.

    Args:
        pairs: ``pairs(n, rng) → (x0, x1, …)``, arrays with n rows; see `numerics.flows.pairs` and `labelled`.
        batch: Rows of each batch.
        seed: No two workers, and no two iterations, draw from the same child of it.
        dtype: Of floating-point tensors; integers, such as labels, become int64.
        device: Where tensors are put; the CPU where None. With workers leave it so and let the loader's
            ``pin_memory`` help your own copying: a forked worker cannot reach a GPU.

    Raises:
        ValueError: If pairs cannot be called, batch or seed is no integer or too small, dtype is no
            floating-point type of torch, or it puts none on this device; in a worker, if there are more than
            1024.

    Example:
        >>> from itertools import islice
        >>> from torch.utils.data import DataLoader
        >>> from numerics.flows.pairs import exact
        >>> from numerics.potentials import Sphere
        >>> batches = DataLoader(PairBatches(exact(Sphere(2)), 256, seed=0), batch_size=None)
        >>> x0, x1 = next(iter(batches))
        >>> x0.shape, x1.dtype
        (torch.Size([256, 2]), torch.float32)
        >>> epochs = [[x0[0, 0].item() for x0, x1 in islice(batches, 10)] for _ in range(3)]
        >>> len({number for epoch in epochs for number in epoch})
        30
    """

    def __init__(
        self,
        pairs: Pairs,
        batch: int,
        *,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> None:
        if not callable(pairs):
            raise ValueError(
                f"pairs: got {type(pairs).__name__}; give what draws n pairs from a generator, such as"
                " `potential.sample` or `labelled(potential, labels)`"
            )
        self.pairs = pairs
        self.batch = positive_integer("batch", batch)
        self.seed = positive_integer("seed", seed, least=0)
        if not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
            raise ValueError(f"dtype: got {dtype!r}; give a floating-point type, such as torch.float32")
        self.dtype, self.device = dtype, _device(device, dtype)
        self._begun = _shared(torch.zeros(1 + _MOST_WORKERS, dtype=torch.int64, device="cpu"))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Of a copy, which counts for itself; to a spawned worker the very memory was sent."""
        self.__dict__.update(state)
        self._begun = _shared(self._begun)

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        place = 0 if worker is None else 1 + worker.id
        if place > _MOST_WORKERS:
            raise ValueError(f"num_workers: got at least {place}; at most {_MOST_WORKERS} draw apart")
        child = np.random.SeedSequence(self.seed, spawn_key=(place, int(self._begun[place])))
        self._begun[place] += 1
        return self._batches(np.random.default_rng(child))

    def _batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        while True:
            yield tuple(self._tensor(array) for array in self.pairs(self.batch, rng))

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        return tensor.to(self.device, self.dtype if tensor.is_floating_point() else torch.int64)


def _device(device: torch.device | str | None, dtype: torch.dtype) -> torch.device:
    """The device of this name, by trying it: torch knows more names than it was built for."""
    try:
        return torch.empty(0, dtype=dtype, device="cpu" if device is None else device).device
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(
            f"device: got {device!r}; torch {torch.__version__} puts no {dtype} there; use 'cpu'"
        ) from error


def _shared(counts: Any) -> Any:
    """Where workers count, too: most of them live for one epoch, and their copies of a dataset with them."""
    return counts.share_memory_()


def matched(
    points: ArrayLike, block: int, labels: ArrayLike | None = None, *, weights: ArrayLike | None = None
) -> SeededPairs:
    """Optimal assignments of blocks of ``block`` noises and data, whatever the size of a training batch.

    A batch smaller than a block is drawn from one block, a larger one from several, so that every pair has
    the law π_block (M1). Labels travel with their data.

    Args:
        points: (N,d), drawn with replacement.
        block: How many pairs are matched together.
        labels: (N,) integers, or None.
        weights: (N,) by which points are drawn, positive, summing to 1 within the rounding of their type;
            uniform where None.

    Raises:
        ValueError: If points or weights are malformed, weights don't sum to 1, block is no positive integer,
            or there is not one label a point.

    Example:
        >>> x0, x1 = matched([[-1.0], [1.0]], block=4)(4, rng=0)  # on the line, so sorted
        >>> bool((np.diff(x1[np.argsort(x0[:, 0]), 0]) >= 0).all())
        True
    """
    cloud = as_array("points", points, ndim=2)
    size = positive_integer("block", block)
    own = None if labels is None else _labels(labels, len(cloud))
    shares = None if weights is None else check_weights(weights, len(cloud))
    return partial(_matched, cloud, size, own, shares)


def _matched(
    cloud: np.ndarray, size: int, labels: np.ndarray | None, shares: np.ndarray | None, n: int, rng: Seed
) -> tuple[np.ndarray, ...]:
    count, generator = positive_integer("n", n), as_generator("rng", rng)
    x0, chosen = [], []
    for _ in range(-(-count // size)):
        noise = generator.standard_normal((size, cloud.shape[1]))
        drawn = generator.choice(len(cloud), size=size, p=shares)
        x0.append(noise)
        chosen.append(drawn[assignment(noise, cloud[drawn])])
    kept = _kept(len(x0), size, count, generator)
    index = np.concatenate(chosen)[kept]
    found = np.concatenate(x0)[kept], cloud[index]
    return found if labels is None else (*found, labels[index])


def labelled(potential: object, labels: ArrayLike) -> SeededPairs:
    """Exact pairs of a law of atoms, each with the label of its atom: (x₀, T(x₀), label).

    Args:
        potential: `FiniteAtoms`, such as `SemidiscreteSolution.potential`.
        labels: (N,) integers, one an atom, in their order.

    Raises:
        ValueError: If the potential has no atoms, or there is not one label an atom.

    Example:
        >>> from numerics.potentials import FiniteAtoms
        >>> pairs = labelled(FiniteAtoms([[-1.0], [1.0]], [0.0, 0.0]), [7, 9])  # −1 is a seven, 1 a nine
        >>> x0, x1, label = pairs(100, rng=0)
        >>> bool(((x0 > 0)[:, 0] == (label == 9)).all() and (x1[:, 0] == label - 8).all())
        True
    """
    if not isinstance(potential, FiniteAtoms):
        raise ValueError(
            f"potential: got {type(potential).__name__}; give FiniteAtoms, such as `solution.potential`"
        )
    return partial(_labelled, potential, _labels(labels, len(potential.points)))


def _labelled(potential: FiniteAtoms, labels: np.ndarray, n: int, rng: Seed) -> tuple[np.ndarray, ...]:
    x0 = as_generator("rng", rng).standard_normal((positive_integer("n", n), potential.dim))
    atom = (x0 @ potential.points.T - potential.heights).argmax(axis=1)
    return x0, potential.points[atom], labels[atom]


def _kept(blocks: int, size: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Which n of the pairs are kept: all of every block but the last, and some of that."""
    last = (blocks - 1) * size
    return np.concatenate([np.arange(last), last + rng.permutation(size)[: n - last]])


def _labels(labels: ArrayLike, n: int) -> np.ndarray:
    own = np.asarray(labels)
    if own.shape != (n,) or not np.issubdtype(own.dtype, np.integer):
        raise ValueError(f"labels: got shape {own.shape} of {own.dtype}; give {n} integers, one a point")
    return own
