"""Targets of the library beside their twins in ball arithmetic: one of every family and every rule.

The twins are written from the definitions of φ and φ* alone (`numerics.intervals`), on the very doubles that
the library's targets hold. Where a matrix is rational but not binary (3/5, 4/5) the twin has the rational
one, and ``misfit`` bounds the distance of the library's matrix from it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from flint import arb, arb_mat, ctx
from scipy import stats

from numerics.intervals import calculus, curves, line, parametrised
from numerics.intervals.atoms import ExactAtoms
from numerics.intervals.balls import PRECISION, above, distance, doubles, exact, exact_matrix, norm
from numerics.intervals.bodies import ExactEllipsoid, ExactSphere
from numerics.intervals.exact_potential import ByConjugate, ExactPotential, interpolant
from numerics.intervals.gaussian import ExactGaussian
from numerics.intervals.matrices import ExactGrassmannian, ExactRotations, ExactStiefel
from numerics.intervals.torus import ExactTorus
from numerics.intervals.twin import ExactTwin
from numerics.potentials import (
    Arc,
    AtomAndDensity,
    Bits,
    Cantor,
    Curve,
    DegenerateGaussian,
    Ellipsoid,
    FiniteAtoms,
    Grassmannian,
    NearestPoint,
    PointCloud,
    Potential,
    Quantile,
    SpecialOrthogonal,
    Sphere,
    Stiefel,
    Torus,
    Twin,
    Union,
    embed,
    product,
    rotate,
    scale,
    translate,
)
from numerics.potentials.carried import Carried
from numerics.potentials.discrete import DiscreteLaw
from numerics.potentials.product_potential import Product


def _anywhere(target: Potential, rng: np.random.Generator) -> np.ndarray:
    """A point that has nothing to do with the support."""
    return 1.5 * max(target.scale, 0.25) * rng.standard_normal(target.dim)


@dataclass(frozen=True)
class Twins:
    """A target and its exact twin.

    Attributes:
        target: The library's.
        exact: The same in balls.
        misfit: A bound of ‖V − V'‖_F where the library holds the matrix V' for the rational V.
        anywhere: Draws points off the support.
    """

    target: Potential
    exact: ExactPotential
    misfit: float = 0.0
    anywhere: Callable[[Potential, np.random.Generator], np.ndarray] = _anywhere

    def __repr__(self) -> str:
        return repr(self.target)


_SCATTER = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 2.0], [1.0, 1.0], [2.0, 2.5], [-1.0, 1.5]])
_FACTOR = np.array([[1.0, 0.5], [-0.5, 1.0], [0.25, 0.75]])
_ROOT = _FACTOR @ _FACTOR.T
_DENSE = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 0.25], [0.0, 0.25, 0.5]])
_PLANE = np.array([[2.0, 0.75], [0.75, 1.0]])
_MEAN = np.array([1.0, -0.5, 0.25])
_HADAMARD = 0.5 * np.array(
    [[1.0, 1.0, 1.0, 1.0], [1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0], [1.0, -1.0, -1.0, 1.0]]
)
_ISOLATED = np.array([[0.0, -1.0], [2.0, 0.0]])


def _atoms(target: FiniteAtoms) -> Twins:
    return Twins(target, ExactAtoms(target.points, target.heights))


def _over_torus(_: Potential, rng: np.random.Generator) -> np.ndarray:
    """By turns around the torus, where discs of its tube are met too, and over the disc in its hole."""
    if rng.random() < 0.5:
        direction = rng.standard_normal(3)
        return 6 * direction / np.linalg.norm(direction)
    return np.array([*(rng.uniform(-0.75, 0.75, 2)), rng.uniform(-2, 2)])


def _families() -> list[Twins]:
    cloud = NearestPoint(PointCloud(_SCATTER), 0.5)
    return [
        _atoms(FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3)),
        _atoms(FiniteAtoms.on_line([0.0, 1.0, 3.0], [0.2, 0.3, 0.5])),
        _atoms(FiniteAtoms.hypercube(3)),
        _atoms(FiniteAtoms.cross_polytope(3)),
        _atoms(FiniteAtoms.regular_polygon(5)),
        _atoms(FiniteAtoms(_SCATTER, [0.0, 0.4, 0.3, 0.1, 1.0, 0.2])),
        _atoms(FiniteAtoms.permutations(3)),
        Twins(cloud, ExactAtoms(_SCATTER, 0.25 * (_SCATTER**2).sum(axis=1))),
        Twins(DegenerateGaussian(_MEAN, _ROOT @ _ROOT), ExactGaussian.of_factor(_MEAN, _FACTOR)),
        Twins(DegenerateGaussian(_MEAN[:2], _PLANE), ExactGaussian.in_the_plane(_MEAN[:2], _PLANE)),
        *(
            Twins(DegenerateGaussian(_MEAN[:2], flat), ExactGaussian.in_the_plane(_MEAN[:2], flat))
            for flat in (np.diag([1.0, 2.0**-40]), np.diag([1.0, 2.0**-54]))  # the last is cut
        ),
        Twins(Sphere(3, 2.0), ExactSphere(3, 2.0)),
        Twins(Ellipsoid(np.diag([4.0, 0.25])), ExactEllipsoid(np.diag([4.0, 0.25]))),
        Twins(Ellipsoid(_DENSE), ExactEllipsoid(_DENSE)),
        Twins(Stiefel(3, 2), ExactStiefel(3, 2)),
        Twins(Stiefel(3, 3), ExactStiefel(3, 3)),
        Twins(Grassmannian(3, 1), ExactGrassmannian(3, 1)),
        Twins(Grassmannian(4, 2), ExactGrassmannian(4, 2)),
        Twins(SpecialOrthogonal(), ExactRotations()),
        Twins(Twin(), ExactTwin()),
    ]


def _laws() -> list[Twins]:
    mixtures = [
        ([0.0], [0.375], stats.expon(), line.expon()),
        ([0.25, 2.0], [0.125, 0.25], stats.uniform(-1.0, 2.0), line.uniform(-1.0, 2.0)),
    ]
    return [
        Twins(Quantile(stats.norm(1.0, 2.0)), line.ExactContinuous(line.norm(1.0, 2.0))),
        Twins(Quantile(stats.expon()), line.ExactContinuous(line.expon())),
        Twins(Quantile(stats.uniform(-1.0, 2.0)), line.ExactContinuous(line.uniform(-1.0, 2.0))),
        Twins(Quantile(stats.logistic(0.5, 0.25)), line.ExactContinuous(line.logistic(0.5, 0.25))),
        Twins(Quantile(stats.lognorm(0.5)), line.ExactContinuous(line.lognorm(0.5))),
        Twins(Quantile(stats.gumbel_r()), line.ExactContinuous(line.gumbel())),
        Twins(Quantile(stats.poisson(3.0)), line.poisson(3.0)),
        Twins(Quantile(stats.binom(4, 0.375)), line.binomial(4, 0.375)),
        *(Twins(AtomAndDensity(a, w, law), line.ExactMixture(a, w, twin)) for a, w, law, twin in mixtures),
        Twins(Cantor(), line.ExactCantor()),
        Twins(Bits(0.3), line.ExactBits(0.3)),
    ]


def _closed_sets() -> list[Twins]:
    arc = parametrised.arc(1.0, 0.25, 2.5)
    union = Union(Arc(1.0, 0.25, 2.5), PointCloud(_ISOLATED))
    return [
        Twins(NearestPoint(Arc(1.0, 0.25, 2.5), 0.75), curves.ExactNearestPoint(arc, 0.75)),
        Twins(
            NearestPoint(Curve.ellipse(2.0, 1.0), 0.75),
            curves.ExactNearestPoint(parametrised.ellipse(2.0, 1.0), 0.75),
        ),
        Twins(NearestPoint(Curve.spiral(1.5), 0.5), curves.ExactNearestPoint(parametrised.spiral(1.5), 0.5)),
        Twins(NearestPoint(Curve.trefoil(), 0.5), curves.ExactNearestPoint(parametrised.trefoil(), 0.5)),
        Twins(NearestPoint(union, 1.0), curves.ExactNearestPoint(arc, 1.0, _ISOLATED)),
        Twins(NearestPoint(Torus(2.0, 0.5), 1.0), ExactTorus(2.0, 0.5, 1.0), anywhere=_over_torus),
    ]


def _rules() -> list[Twins]:
    turn = arb_mat([[arb(3) / 5, -arb(4) / 5], [arb(4) / 5, arb(3) / 5]])
    doubles = np.array([[0.6, -0.8], [0.8, 0.6]])
    misfit = distance(turn.entries(), doubles)
    ellipse, shape = Ellipsoid(np.diag([4.0, 0.25])), np.diag([4.0, 0.25])
    polygon = FiniteAtoms.regular_polygon(3)
    frame = _HADAMARD[:, :2]
    line_law = DegenerateGaussian(_MEAN, _ROOT @ _ROOT)
    two = FiniteAtoms.two([0.0], [1.0], 0.2)
    exact_two = ExactAtoms(two.points, two.heights)
    return [
        Twins(rotate(ellipse, doubles), calculus.Carried(ExactEllipsoid(shape), turn), misfit),
        Twins(
            rotate(product(Sphere(2), Sphere(2)), _HADAMARD),
            calculus.Carried(
                calculus.Paired(ExactSphere(2, 1.0), ExactSphere(2, 1.0)), exact_matrix(_HADAMARD)
            ),
        ),
        Twins(
            embed(polygon, frame),
            calculus.Carried(ExactAtoms(polygon.points, polygon.heights), exact_matrix(frame)),
        ),
        Twins(translate(Sphere(2), [3.0, -1.0]), calculus.Moved(ExactSphere(2, 1.0), exact([3.0, -1.0]))),
        Twins(scale(line_law, 3.0), calculus.Stretched(ExactGaussian.of_factor(_MEAN, _FACTOR), arb(3))),
        Twins(product(Sphere(2), two), calculus.Paired(ExactSphere(2, 1.0), exact_two)),
    ]


@dataclass(frozen=True)
class Pair:
    """An optimal pair in balls, from noise and a step that are doubles, taken as exact.

    Attributes:
        noise: (d,) x₀ as doubles.
        step: λ, a sixteenth; t = 1/(1+λ) for the linear schedule.
        x0: x₀ as exact balls.
        x1: T(x₀).
        z: x₁ + λx₀ = x_t/β_t.
        near: (d,) z in doubles.
        rounding: A proved bound of |near − z|.
    """

    noise: np.ndarray
    step: float
    x0: list[arb]
    x1: list[arb]
    z: list[arb]
    near: np.ndarray
    rounding: float

    @property
    def length(self) -> float:
        """A bound of |z|."""
        return above(norm(self.z))


def pair(twins: Twins, rng: np.random.Generator) -> Pair:
    """Draw one pair; to be called at the working precision."""
    noise, step = rng.standard_normal(twins.target.dim), int(rng.integers(1, 33)) / 16
    x0 = exact(noise)
    x1 = twins.exact.transport(x0).point
    z = interpolant(x1, x0, arb(step))
    near = doubles(z)
    return Pair(noise, step, x0, x1, z, near, distance(z, near))


with ctx.workprec(PRECISION):
    TWINS: tuple[Twins, ...] = (*_families(), *_laws(), *_closed_sets(), *_rules())


def by_conjugate(twins: Twins) -> bool:
    """Whether φ* is known in balls, so that a wrong potential or step shows in the Fenchel–Young gap."""
    return isinstance(twins.exact, ByConjugate)


def parts(target: Potential) -> list[Potential]:
    """The families that a rule of the calculus was given; a family itself.

    Example:
        >>> parts(product(Sphere(2), scale(Sphere(3), 2.0)))
        [Sphere(2, 1.0), Sphere(3, 1.0)]
    """
    if isinstance(target, Product):
        return parts(target.first) + parts(target.second)
    return parts(target.base) if isinstance(target, Carried) else [target]


def _of_atoms(family: Potential) -> bool:
    """Whether the law has atoms alone: finitely many, or the steps of a staircase."""
    staircase = isinstance(family, Quantile) and isinstance(family.law, DiscreteLaw)
    return staircase or isinstance(family, FiniteAtoms)


def _curves(family: Potential) -> bool:
    """Whether φ is neither an indicator nor affine on every face, so that prox depends on λ."""
    if isinstance(family, NearestPoint):
        return isinstance(family.closed_set, Curve | Torus)
    return isinstance(family, DegenerateGaussian | Quantile | AtomAndDensity | Twin)


def sees_the_step(twins: Twins) -> bool:
    """Whether prox depends on λ: not where φ is an indicator, of constant |x₁| or at atoms alone."""
    return any(_curves(family) and not _of_atoms(family) for family in parts(twins.target))


def has_a_tangent(twins: Twins) -> bool:
    """Whether the support has strata of positive dimension: not atoms and staircases alone."""
    return not all(_of_atoms(family) for family in parts(twins.target))


def without_atoms(twins: Twins) -> bool:
    """Whether no family of it has atoms alone: of these D prox is known at x₁ + λx₀, not beside it."""
    clouds = (f for f in parts(twins.target) if isinstance(f, NearestPoint))
    return not any(map(_of_atoms, parts(twins.target))) and not any(
        isinstance(f.closed_set, PointCloud) for f in clouds
    )
