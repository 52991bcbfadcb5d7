"""A benchmark of exact optimal transport from noise: instances whose W₂² is known (docs/theory.md §4)."""

from dataclasses import dataclass
from functools import cache

from numerics.potentials.base import Potential
from numerics.potentials.instances import Instance, Use, instances


@dataclass(frozen=True)
class Benchmark:
    """One target with known transport.

    Attributes:
        name: Its key.
        potential: Draws exact pairs, and is the exact map.
        manifold_dimension: m of the support almost everywhere; None where it is no manifold, or has strata.
        w2_squared: W₂² between N(0, I_d) and the target.
        error: Bound on the error of ``w2_squared``; four standard errors for "Monte Carlo".
        method: "closed form", "quadrature" or "Monte Carlo".

    Example:
        >>> from numerics.potentials import DegenerateGaussian
        >>> wide = DegenerateGaussian([0.0], [[4.0]])
        >>> Benchmark("wide", wide, 1, w2_squared=(2 - 1) ** 2, error=0.0, method="closed form").dim
        1
    """

    name: str
    potential: Potential
    manifold_dimension: int | None
    w2_squared: float
    error: float
    method: str

    @property
    def dim(self) -> int:
        """Dimension d of the space."""
        return self.potential.dim


@cache
def catalogue() -> tuple[Benchmark, ...]:
    """The benchmark's targets, from points to matrices; a second at first, as six entries are sampled.

    Example:
        >>> found = {entry.name: entry for entry in catalogue()}
        >>> found["circle"].potential, round(found["circle"].w2_squared, 4)  # 2 + 2² − 2·2·√(π/2)
        (Sphere(2, 2.0), 0.9867)
    """
    return tuple(_benchmark(instance) for instance in instances(Use.BENCHMARK))


def _benchmark(instance: Instance) -> Benchmark:
    cost, strata = instance.cost, instance.strata
    dimension = strata[0] if len(strata) == 1 else None
    return Benchmark(instance.name, instance.potential, dimension, cost.w2_squared, cost.error, cost.method)
