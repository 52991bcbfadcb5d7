"""A law in another unit of length: the potential of c·x₁, built anew with parameters in that unit.

Products with a power of two round nothing, so that whatever is computed in the new unit is computed of
doubles that are c times the old ones, operation by operation: c∇φ* for ∇φ*, and whatever is stated of it.
"""

from functools import singledispatch
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import stats

from numerics.potentials import (
    Arc,
    AtomAndDensity,
    Curve,
    DegenerateGaussian,
    Ellipsoid,
    FiniteAtoms,
    NearestPoint,
    PointCloud,
    Potential,
    Quantile,
    Sphere,
    Torus,
    product,
    scale,
    translate,
)
from numerics.potentials.curves import Ellipse
from numerics.potentials.product_potential import Product
from numerics.potentials.scaled import Scaled
from numerics.potentials.translated import Translated


@singledispatch
def in_unit(target: Potential, unit: float) -> Potential:
    """The potential of unit·x₁. A family whose size is given, as rotations are, is stretched by `scale`.

    Args:
        target: Of x₁.
        unit: A power of two.

    Example:
        >>> from numerics.potentials import Sphere, SpecialOrthogonal
        >>> in_unit(Sphere(3, 0.5), 4.0), in_unit(SpecialOrthogonal(), 4.0)
        (Sphere(3, 2.0), scale(SpecialOrthogonal(), 4.0))
    """
    return scale(target, unit)


@in_unit.register
def _(target: FiniteAtoms, unit: float) -> Potential:
    return FiniteAtoms(unit * target.points, unit * target.heights)


@in_unit.register
def _(target: DegenerateGaussian, unit: float) -> Potential:
    return DegenerateGaussian(unit * target.mean, unit**2 * target.covariance)


@in_unit.register
def _(target: Sphere, unit: float) -> Potential:
    return type(target)(target.dim, unit * target.radius)


@in_unit.register
def _(target: Ellipsoid, unit: float) -> Potential:
    return Ellipsoid(unit**2 * target.shape_matrix)


@in_unit.register
def _(target: NearestPoint, unit: float) -> Potential:
    found = _set_in_unit(target.closed_set, unit)
    return scale(target, unit) if found is None else NearestPoint(found, target.curvature / unit)


@in_unit.register
def _(target: Quantile, unit: float) -> Potential:
    law = _law_in_unit(_given(target)[0], unit)
    return scale(target, unit) if law is None else Quantile(law)


@in_unit.register
def _(target: AtomAndDensity, unit: float) -> Potential:
    atoms, weights, density = _given(target)
    law = _law_in_unit(density, unit)
    return scale(target, unit) if law is None else AtomAndDensity(unit * np.asarray(atoms), weights, law)


@in_unit.register
def _(target: Scaled, unit: float) -> Potential:
    return scale(target.base, unit * target.factor)


@in_unit.register
def _(target: Translated, unit: float) -> Potential:
    return translate(in_unit(target.base, unit), unit * target.shift)


@in_unit.register
def _(target: Product, unit: float) -> Potential:
    return product(in_unit(target.first, unit), in_unit(target.second, unit))


def _given(target: Potential) -> tuple[Any, ...]:
    """What the constructor was given, as it is pickled."""
    _, (_, given, _, _) = target.__reduce__()
    return tuple(given)


def _set_in_unit(closed_set: Any, unit: float) -> Any:
    """The same set, larger; None for curves of given size, and for unions: pivots follow the unit."""
    match closed_set:
        case PointCloud():
            return PointCloud(unit * closed_set.points)
        case Arc():
            centre = tuple(unit * closed_set.centre)
            return Arc(unit * closed_set.length, closed_set.start, closed_set.stop, centre)
        case Torus():
            return Torus(unit * closed_set.major, unit * closed_set.minor)
        case Ellipse():
            return Curve.ellipse(*(unit * closed_set.semi_axes))
    return None


def _law_in_unit(law: Any, unit: float) -> Any:
    """SciPy's law with loc and scale in the new unit; None for a discrete one."""
    if not isinstance(getattr(law, "dist", None), stats.rv_continuous):
        return None
    shapes, loc, size = law.dist._parse_args(*law.args, **law.kwds)
    return law.dist(*shapes, loc=unit * loc, scale=unit * size)


Numbers = Float[np.ndarray, "..."]


def in_both_units(
    target: Potential, unit: float, noise: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
) -> dict[str, tuple[Numbers, Numbers]]:
    """Every number and statement of a target, in two units: (c times the first, the second), by its name.

    Both are built with parameters of eight units, so that neither is the one in which nothing is multiplied.
    """
    old, new = (_seen(in_unit(target, 8 * c), c, noise, step) for c in (1.0, unit))
    return {name: (unit**power * np.asarray(value), new[name][1]) for name, (power, value) in old.items()}


def _seen(
    target: Potential, unit: float, noise: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
) -> dict[str, tuple[int, Numbers]]:
    """By name, the power of the unit that a number has, and the number."""
    data, said = target.transport(noise), target.roundings
    moved = 1e-3 * np.ones(len(noise))
    z, steps = data + 1.5 * unit * step[:, None] * noise, unit * step
    solved = target.proximal_point(z, steps)
    face = target.subdifferential(data[0])
    return {
        "T": (1, data),
        "DT": (1, target.transport_jacobian(noise)),
        "φ*": (1, target.conjugate(noise)),
        "φ": (1, target.value(data)),
        "prox": (1, solved.point),
        "its dual": (0, solved.dual),
        "the envelope": (1, solved.envelope),
        "D prox": (0, solved.jacobian),
        "the distance of a kink": (1, solved.kink),
        "the distance of a face's boundary": (0, face.boundary_distance(noise)),
        "what is stated of T": (1, said.transport(noise, moved).bound),
        "what is stated of DT": (1, said.transport_jacobian(noise, moved).bound),
        "what is stated of φ*": (1, said.conjugate(noise).bound),
        "what is stated of φ": (1, said.value(data).bound),
        "what is stated of the domain": (1, said.domain(data).bound),
        "what is stated of prox": (1, solved.rounding.point.bound),
        "what is stated of the dual": (0, solved.rounding.dual.bound),
        "what is stated of the envelope": (1, solved.rounding.envelope.bound),
        "what is stated of D prox": (0, said.prox_jacobian(z, steps, unit * moved).bound),
    }
