"""Couplings to train on: how noise is paired with data (docs/theory.md P2, M1; [@tong2024improving]).

Each function returns ``pairs(n, rng) → (x0, x1)``, both (n,d) float64, which is what `learned.train` wants.
``data(n, rng) → (n,d)`` draws data without noise; of a potential it is the second half of its pairs.
n is at least 1, rng a generator or the seed of one: anything else is a ValueError of the call that names it.
Data and pairs of your own need only take a generator: they are handed one.

What is returned pickles and copies wherever its potential, points or data do, so that workers of a loader
and other processes can have it; a lambda as data does not.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.checks import as_array, as_generator, positive_integer
from numerics.potentials import Potential
from numerics.transport.semidiscrete import check_weights

Cloud: TypeAlias = Float[np.ndarray, "N d"]
Shares: TypeAlias = Float[np.ndarray, " N"]
Points: TypeAlias = Float[np.ndarray, "n d"]
Data: TypeAlias = Callable[[int, np.random.Generator], np.ndarray]
Pairs: TypeAlias = Callable[[int, np.random.Generator], tuple[np.ndarray, ...]]
Seed: TypeAlias = np.random.Generator | int
SeededData: TypeAlias = Callable[[int, Seed], np.ndarray]
SeededPairs: TypeAlias = Callable[[int, Seed], tuple[np.ndarray, ...]]


def data_of(target: Potential) -> SeededData:
    """Draws from the target's law, with the noise that they came from thrown away.

    Example:
        >>> from numerics.potentials import Sphere
        >>> np.linalg.norm(data_of(Sphere(2))(3, rng=0), axis=1).round(12).tolist()
        [1.0, 1.0, 1.0]
    """
    return partial(_data_of, target)


def _data_of(target: Potential, n: int, rng: Seed) -> Points:
    return target.sample(n, rng)[1]


def cloud(points: ArrayLike, weights: ArrayLike | None = None) -> SeededData:
    """Draws from a cloud of points (N,d) with replacement, uniformly or by weights.

    Args:
        points: (N,d).
        weights: (N,), positive, summing to 1 within the rounding of their type; uniform where None.

    Raises:
        ValueError: If points or weights are malformed, or weights don't sum to 1 (naming their sum).

    Example:
        >>> cloud([[3.0, 4.0]])(2, rng=0).tolist()
        [[3.0, 4.0], [3.0, 4.0]]
        >>> bool(cloud([[0.0], [1.0]], [1e-9, 1 - 1e-9])(1000, rng=0).all())
        True
    """
    own = as_array("points", points, ndim=2).real
    return partial(_cloud, own, None if weights is None else check_weights(weights, len(own)))


def _cloud(points: Cloud, shares: Shares | None, n: int, rng: Seed) -> Points:
    return points[as_generator("rng", rng).choice(len(points), size=positive_integer("n", n), p=shares)]


def independent(data: Data) -> SeededPairs:
    """Noise and data drawn apart: P₀ ⊗ P₁, flow matching without transport.

    Example:
        >>> x0, x1 = independent(cloud([[3.0, 4.0]]))(5, rng=0)
        >>> x0.shape, x1[4].tolist()
        ((5, 2), [3.0, 4.0])
    """
    return partial(_independent, data)


def _independent(data: Data, n: int, rng: Seed) -> tuple[Points, Points]:
    generator = as_generator("rng", rng)
    x1 = data(positive_integer("n", n), generator)
    return generator.standard_normal(x1.shape), x1


def minibatch(data: Data) -> SeededPairs:
    """Pairs drawn, with replacement, from the optimal plan of a batch with torchcfm's coupling.

    It is what the paper trains on. torchcfm's sampler draws from NumPy's global state: that is seeded from
    ``rng`` for the call and put back after it.

    Raises:
        ModuleNotFoundError: If torchcfm isn't installed (the Makefile does: it is a peer, no dependency).
    """
    from torchcfm.conditional_flow_matching import ExactOptimalTransportConditionalFlowMatcher

    return partial(_minibatch, ExactOptimalTransportConditionalFlowMatcher().ot_sampler, data)


def _minibatch(sampler: Any, data: Data, n: int, rng: Seed) -> tuple[Points, Points]:
    import torch

    generator = as_generator("rng", rng)
    x1 = torch.from_numpy(data(positive_integer("n", n), generator))
    x0 = torch.from_numpy(generator.standard_normal(x1.shape))
    before = np.random.get_state()  # noqa: NPY002 - that is the generator that torchcfm draws from
    np.random.seed(generator.integers(2**32, dtype=np.uint32))  # noqa: NPY002
    try:
        left, right = sampler.sample_plan(x0, x1)
    finally:
        np.random.set_state(before)  # noqa: NPY002
    return left.numpy(), right.numpy()


def semidiscrete(potential: Potential) -> SeededPairs:
    """x₁ = T(x₀) for a potential that was solved for, such as `SemidiscreteSolution.potential`.

    Example:
        >>> from numerics.transport import solve
        >>> x0, x1 = semidiscrete(solve([[0.0], [1.0]]).potential)(4, rng=0)
        >>> bool(((x0 > 0) == (x1 == 1)).all())  # half the noise goes to either
        True
    """
    return potential.sample


def exact(target: Potential) -> SeededPairs:
    """The target's own exact optimal pairs, `Potential.sample`.

    Example:
        >>> from numerics.potentials import Sphere
        >>> x0, x1 = exact(Sphere(2))(3, rng=0)
        >>> bool(np.allclose(x1, x0 / np.linalg.norm(x0, axis=1)[:, None], rtol=1e-15))
        True
    """
    return target.sample
