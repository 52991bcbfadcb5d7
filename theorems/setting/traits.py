"""Properties of a target that a statement may suppose, and how many points it can afford."""

from numerics.potentials import (
    Cantor,
    DegenerateGaussian,
    Ellipsoid,
    FiniteAtoms,
    NearestPoint,
    Potential,
    Sphere,
)


def parts(target: Potential) -> list[Potential]:
    """The families that a target is composed of."""
    inner = [getattr(target, name) for name in ("base", "first", "second") if hasattr(target, name)]
    return [family for part in inner for family in parts(part)] or [target]


def is_analytic(target: Potential) -> bool:
    """Whether complex steps pass: not through singular values, quantiles and nearest points of curves."""
    return all(isinstance(p, FiniteAtoms | DegenerateGaussian | Sphere | Ellipsoid) for p in parts(target))


def has_a_manifold(target: Potential) -> bool:
    """Whether A1 can hold: the Cantor law's support is a manifold near none of its points."""
    return not any(isinstance(p, Cantor) for p in parts(target))


def few(target: Potential, n: int) -> int:
    """N points, or n/25 where prox off the support is found for one point at a time (20 ms each)."""
    curved = any(isinstance(p, NearestPoint) and not isinstance(p, FiniteAtoms) for p in parts(target))
    return max(4, n // 25) if curved else n
