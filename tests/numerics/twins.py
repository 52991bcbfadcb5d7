"""Published mistakes as potentials that the laws can be run over, each beside its right version.

The formulas are those of `theorems.definitions.mistakes`, where the report's table is made from; here they
get the members of a Potential. A member that a mistake has no use for raises NotImplementedError, and a law
that asks for it does not apply.
"""

import numpy as np

from numerics.potentials import ManifoldGroup, Potential, Sphere, Stiefel
from tests.numerics import laws
from tests.numerics.conventions import ByConvention
from theorems.definitions import mistakes
from theorems.definitions.mistakes import Huber, Prox, SquaredOverlap


class ConvexFunction(ByConvention):
    """φ with a prox to be judged: what both functions below share."""

    def __init__(self, function: Huber | SquaredOverlap, prox: Prox) -> None:
        self.function, self.dim, self.scale = function, function.dim, 1.0
        self._judged = prox

    def __repr__(self) -> str:
        return f"{self._judged.__qualname__} of {self.function!r}"

    def _value(self, x):
        return self.function.value(x)

    def _conjugate(self, x0):
        return self.function.conjugate(x0)

    def _prox(self, z, step):
        if np.iscomplexobj(z):
            raise NotImplementedError
        return self._judged(z, step)

    def _prox_jacobian(self, z, step):
        raise NotImplementedError

    def _subdifferential(self, x1):
        raise NotImplementedError

    def _manifolds(self, x1, x0):
        raise NotImplementedError


class HuberTwin(ConvexFunction):
    """φ = Huber. φ* is +inf beyond ±1, so noise is uniform on (−1, 1), where T(x₀) = αx₀."""

    def _transport(self, x0):
        return self.function.alpha * np.clip(x0, -1, 1)

    def _transport_jacobian(self, x0):
        return np.full((len(x0), 1, 1), self.function.alpha)

    def sample(self, n, rng):
        x0 = rng.uniform(-1, 1, (n, 1))
        return x0, self._transport(x0)


class OverlapTwin(ConvexFunction):
    """φ = ½(k-overlap norm)²: T keeps the k largest entries, K is diagonal."""

    def _transport(self, x0):
        return self.function.transport(x0)

    def _transport_jacobian(self, x0):
        return (self.function.transport(x0) != 0)[:, :, None] * np.eye(self.dim)


class WrongDimension(Stiefel):
    """O(n), said to have n(n+1)/2 dimensions: a tangent and a Hessian are made up for the n that are not."""

    def _manifolds(self, x1, x0):
        more = mistakes.published_orthogonal_dimension(self.n) - mistakes.orthogonal_dimension(self.n)
        return [_with_more(group, more) for group in super()._manifolds(x1, x0)]


class NoCurvature(Sphere):
    """The sphere with K = R/|x₀| on all of space."""

    def _transport_jacobian(self, x0):
        return mistakes.published_sphere_jacobian(x0, self.radius)


def _with_more(group: ManifoldGroup, more: int) -> ManifoldGroup:
    """The group with ``more`` orthonormal directions across the manifold counted as tangent."""
    full = np.linalg.svd(group.tangent, full_matrices=True)[0]
    m = group.dimension
    tangent = np.concatenate([group.tangent, full[:, :, m : m + more]], axis=2)
    hessian = np.tile(np.eye(m + more), (len(tangent), 1, 1))
    hessian[:, :m, :m] = group.hessian
    return ManifoldGroup(group.rows, tangent, hessian)


# Laws that put Gaussian noise into φ* or T: Huber's φ* is finite on [−1, 1] only.
NEED_GAUSSIAN_NOISE = {
    "fenchel_young_inequality",
    "conjugate_is_convex_with_gradient",
    "transport_jacobian_is_derivative",
}

HUBER, OVERLAP = Huber(1.0), SquaredOverlap(3, 6)
RIGHT: dict[str, Potential] = {
    "Huber prox": HuberTwin(HUBER, HUBER.prox),
    "k-overlap prox": OverlapTwin(OVERLAP, OVERLAP.prox),
    "k-overlap prox by search": OverlapTwin(OVERLAP, OVERLAP.searched_prox),
    "dimension of O(3)": Stiefel(3, 3),
    "K of the sphere": Sphere(3, 2.0),
}
WRONG: dict[str, Potential] = {
    "Huber prox: switch at α": HuberTwin(HUBER, HUBER.published_prox),
    "k-overlap prox: bracket misplaced": OverlapTwin(OVERLAP, OVERLAP.published_prox),
    "dimension: n(n+1)/2": WrongDimension(3, 3),
    "K without its curvature term": NoCurvature(3, 2.0),
}


def outcome(twin: Potential, law: laws.Law) -> str:
    """What the law says of the twin: "holds", "rejects" or "does not apply"."""
    if isinstance(twin, HuberTwin) and law.__name__ in NEED_GAUSSIAN_NOISE:
        return "does not apply"
    try:
        law(twin, np.random.default_rng(7))
    except NotImplementedError:
        return "does not apply"
    except AssertionError:
        return "rejects"
    return "holds"
