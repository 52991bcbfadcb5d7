"""What is stated of T, D T and D prox where the argument is off, beside what they do change by.

`Roundings.transport`, ``transport_jacobian`` and ``prox_jacobian`` say by how much the answer changes where
the argument does by r, to first order. Here the argument is moved, and the change held against the mean of
what is stated at both ends: the trapezoid rule, off by O(r³).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from numerics.potentials import Potential, Sphere
from theorems.setting.vectors import frobenius, norm

Array = NDArray[np.float64]

POINTS = 10
SHORT = 1e-5
"""Of the length over which a map bends."""
REMAINDER = 1e-6
"""Of a statement, chosen: SHORT² times 1e4, far above what third derivatives add."""


class Changes(NamedTuple):
    """Along k ways at n points, each (k,n): changes, means of what both ends state, what answers err by."""

    change: Array
    mean: Array
    off: Array

    def reached(self) -> Array:
        """The largest share of a statement that some way reaches, at each point where rounding hides none."""
        clear = self.mean > 64.5 * self.off
        shares = np.where(clear, self.change / np.maximum(self.mean, np.finfo(float).tiny), 0.0)
        return np.asarray(shares.max(axis=0)[clear.any(axis=0)])

    def beyond(self) -> Array:
        """By how much changes exceed what is stated, the remainder and what answers err by: at most 0."""
        return np.asarray(self.change - self.mean * (1 + REMAINDER) - self.off / 2)


def of_transport(target: Potential, rng: np.random.Generator) -> Changes:
    """Of T, along K's first eigenvector, too."""
    x0 = rng.standard_normal((POINTS, target.dim))
    steepest = np.linalg.eigh(target.transport_jacobian(x0))[1][None, :, :, -1]
    ways, stated = np.concatenate([steepest, _ways(target, POINTS, rng)]), _stated(target.roundings.transport)
    return _changes(lambda x: target.transport(x)[:, :, None], stated, x0, SHORT * norm(x0), ways)


def of_its_jacobian(target: Potential, rng: np.random.Generator) -> Changes:
    """Of K = D T."""
    x0 = rng.standard_normal((POINTS, target.dim))
    stated = _stated(target.roundings.transport_jacobian)
    return _changes(target.transport_jacobian, stated, x0, SHORT * norm(x0), _ways(target, POINTS, rng))


def of_prox_jacobian(target: Potential, rng: np.random.Generator) -> Changes:
    """Of D prox, on this side of a kink, on and off the data, at three steps."""
    x0, x1 = target.sample(POINTS, rng)
    z = np.concatenate([x1 + target.scale * rng.standard_normal(x1.shape), x1 + x0])
    step = rng.choice([1e-2, 1.0, 30.0], len(z))
    radius = SHORT * np.minimum(np.minimum(target.scale, norm(z)), target.proximal_point(z, step).kink)

    def jacobian(x: Array) -> Array:
        return target.prox_jacobian(x, np.resize(step, len(x)))

    def stated(x: Array, moved: Array) -> Any:
        return target.roundings.prox_jacobian(x, np.resize(step, len(x)), moved=moved)

    return _changes(jacobian, _stated(stated), z, radius, _ways(target, len(z), rng))


class MisstatedSphere(Sphere):
    """A circle that states ``factor`` times by how much its answers change."""

    def __init__(self, factor: float) -> None:
        super().__init__(2, 2.0)
        self._factor = factor

    def _transport_change(self, *args: Any) -> Array:
        return self._factor * super()._transport_change(*args)

    def _transport_jacobian_change(self, *args: Any) -> Array:
        return self._factor * super()._transport_jacobian_change(*args)

    def _prox_jacobian_change(self, *args: Any) -> Array:
        return self._factor * super()._prox_jacobian_change(*args)


def _ways(target: Potential, n: int, rng: np.random.Generator) -> Array:
    """Up to four axes and two random directions, of unit length (k,n,d)."""
    axes = np.eye(target.dim)[rng.permutation(target.dim)[:4]]
    turned = rng.standard_normal((2, target.dim))
    ways = np.concatenate([axes, turned / norm(turned)[:, None]])
    return np.repeat(ways[:, None], n, axis=1)


def _changes(
    function: Callable[[Array], Array],
    stated: Callable[[Array, Array], Array],
    x: Array,
    radius: Array,
    ways: Array,
) -> Changes:
    shape, there = ways.shape[:2], (x + radius[:, None] * ways).reshape(-1, x.shape[1])
    here = function(x)
    change = frobenius(function(there) - np.tile(here, (len(ways), *(1,) * (here.ndim - 1))))
    mean = (stated(x, radius) + stated(there, np.tile(radius, len(ways))).reshape(shape)) / 2
    off = stated(x, np.zeros(len(x))) + stated(there, np.zeros(len(there))).reshape(shape)
    return Changes(change.reshape(shape), mean, off)


def _stated(rounding: Callable[..., Any]) -> Callable[[Array, Array], Array]:
    """The bounds of what is stated at x, whose argument is off by r (n,)."""
    return lambda x, r: np.broadcast_to(rounding(x, moved=r).bound, (len(x),))
