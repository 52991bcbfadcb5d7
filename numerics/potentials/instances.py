r"""The one list of instances: what the tests' laws, the theorems' checks and the benchmark run over.

A family is declared once here, with what is known of the instance from its construction. The views are
`instances` with a use, `numerics.potentials.catalogue` (benchmark) and `theorems.setting.instances`
(representatives); a test fails if a public family or rule is absent from one of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Flag, auto
from functools import cache, cached_property

import numpy as np
from scipy import stats

from numerics.potentials import transport_costs as costs
from numerics.potentials.atoms import FiniteAtoms
from numerics.potentials.base import Potential
from numerics.potentials.bits import Bits
from numerics.potentials.calculus import embed, product, rotate, scale, translate
from numerics.potentials.cantor import Cantor
from numerics.potentials.closed_sets import Arc, PointCloud, Union
from numerics.potentials.curves import Curve
from numerics.potentials.ellipsoid import Ellipsoid
from numerics.potentials.gaussian import DegenerateGaussian
from numerics.potentials.grassmannian import Grassmannian
from numerics.potentials.line import AtomAndDensity, Quantile
from numerics.potentials.nearest import NearestPoint
from numerics.potentials.rotations import SpecialOrthogonal
from numerics.potentials.sphere import Sphere
from numerics.potentials.stiefel import Stiefel
from numerics.potentials.torus import Torus
from numerics.potentials.transport_costs import TransportCost
from numerics.potentials.twin import Twin


class Use(Flag):
    """Where an instance is met."""

    LAW = auto()
    """By every law of the potential contract (tests/numerics/test_potential_laws.py)."""
    REPRESENTATIVE = auto()
    """By every check of the theorems, whatever is drawn: small, and quick to ask."""
    BENCHMARK = auto()
    """In the catalogue of known transport; needs a name."""
    NAMED = auto()
    """By checks that ask for it by its name; needs one."""


@dataclass(frozen=True)
class Instance:
    """One potential, and what its construction says of it.

    Attributes:
        potential: φ.
        strata: The dimensions m of the pieces of the support that have positive probability, in order; empty
            where the support is a manifold nowhere.
        uses: Where it is met.
        name: A short name; unique.
        known: W₂² between N(0, I_d) and the data, from the potential; sampled if nothing better is known.

    Raises:
        ValueError: If it is of no use, a stratum is no dimension, or its use needs a name that it lacks.
    """

    potential: Potential
    strata: tuple[int, ...]
    uses: Use
    name: str = ""
    known: Callable[[Potential], TransportCost] = costs.sampled

    def __post_init__(self) -> None:
        if not self.uses:
            raise ValueError(f"uses of {self!r}: it is met nowhere")
        if list(self.strata) != sorted({m for m in self.strata if 0 <= m <= self.dim}):
            raise ValueError(f"strata: got {self.strata}, must increase from 0 to at most d = {self.dim}")
        if bool(self.strata) != self.potential.traits.manifold:
            raise ValueError(f"strata: got {self.strata}; {self.potential!r} says {self.potential.traits}")
        if self.uses & (Use.BENCHMARK | Use.NAMED) and not self.name:
            raise ValueError(f"{self.potential!r}: a benchmark, or what checks ask for by name, needs a name")

    @property
    def dim(self) -> int:
        """Dimension d of the space."""
        return self.potential.dim

    @cached_property
    def cost(self) -> TransportCost:
        """W₂² with its error and method."""
        return self.known(self.potential)


@cache
def instances(use: Use | None = None) -> tuple[Instance, ...]:
    """All instances, or those with a use, always in the same order.

    Args:
        use: Where they are met; None for all.

    Example:
        >>> from numerics.potentials.instances import Use, instances
        >>> {instance.name for instance in instances(Use.BENCHMARK)} >= {"circle", "two atoms"}
        True
    """
    if use is not None:
        return tuple(instance for instance in instances() if use in instance.uses)
    rng = np.random.default_rng(20261122)
    scatter = rng.standard_normal((40, 3))
    families = (*_atoms(scatter, rng), *_smooth(), *_on_the_line(), *_matrices(), *_curved())
    return (*families, *_derived(scatter, rng), *_asked_for_by_name())


_TILTED = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 0.3], [0.0, 0.3, 0.1]])
_MILD = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 0.25], [0.0, 0.25, 0.5]])
_BODY = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 0.3], [0.0, 0.3, 0.5]])
_SIX = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 2.0], [1.0, 1.0], [2.0, 2.5], [-1.0, 1.5]])
_PLANE = np.array([[1.0, 0.0], [0.0, 0.6], [0.0, 0.8]])
_ELLIPSE = np.array([[4.0, 1.0], [1.0, 0.5]])
_TURN = np.array([[0.6, -0.8], [0.8, 0.6]])
_ISOLATED = PointCloud([[0.0, -1.0], [2.0, 0.0]])
_LAW, _REPRESENTATIVE, _BENCHMARK, _NAMED = Use.LAW, Use.REPRESENTATIVE, Use.BENCHMARK, Use.NAMED
_BOTH, _ALL = _LAW | _REPRESENTATIVE, _LAW | _REPRESENTATIVE | _BENCHMARK


def _digits() -> np.ndarray:
    """Sixty handwritten digits, centred."""
    from sklearn.datasets import load_digits

    pixels = load_digits().data
    return np.asarray((pixels[:60] - pixels.mean(axis=0)) / 16)


def _atoms(scatter: np.ndarray, rng: np.random.Generator) -> list[Instance]:
    lifted = (scatter**2).sum(axis=1) / 3 + rng.uniform(0, 0.3, 40)
    points, three = (0,), FiniteAtoms.on_line([0.0, 1.0, 3.0], [0.2, 0.3, 0.5])
    return [
        Instance(FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3), points, _ALL, "two atoms", costs.two_atoms),
        Instance(FiniteAtoms.two([-1.0], [1.0], 1e-6), points, _LAW),
        Instance(FiniteAtoms.on_line([0.0, 1.0, 3.0, 10.0], [0.1, 0.2, 0.3, 0.4]), points, _LAW),
        Instance(three, points, _REPRESENTATIVE, "three atoms on a line"),
        Instance(FiniteAtoms.hypercube(1), points, _LAW),
        Instance(FiniteAtoms.hypercube(3), points, _REPRESENTATIVE, "cube in 3 dimensions"),
        Instance(FiniteAtoms.hypercube(4), points, _LAW),
        Instance(FiniteAtoms.hypercube(8), points, _BENCHMARK, "cube", costs.cube),
        Instance(FiniteAtoms.cross_polytope(3), points, _BOTH),
        Instance(FiniteAtoms.regular_polygon(5), points, _REPRESENTATIVE, "pentagon"),
        Instance(FiniteAtoms.regular_polygon(7), points, _LAW),
        Instance(FiniteAtoms.permutations(3), points, _BOTH),
        Instance(FiniteAtoms([[1.0, 2.0]], [3.0]), points, _BOTH, "one atom"),
        Instance(FiniteAtoms([[0.0], [1.0], [2.0]], [0.0, 5.0, 0.0]), points, _REPRESENTATIVE, "hidden atom"),
        Instance(FiniteAtoms(_SIX, [0.0, 0.4, 0.3, 0.1, 1.0, 0.2]), points, _REPRESENTATIVE),
        Instance(FiniteAtoms(scatter, lifted), points, _LAW),
        Instance(FiniteAtoms(scatter + 1e3, scatter[:, 0] ** 2), points, _LAW),
        Instance(NearestPoint(PointCloud(_SIX), 0.5), points, _REPRESENTATIVE),
        Instance(NearestPoint(PointCloud(scatter[:, :2]), 0.7), points, _LAW),
        Instance(NearestPoint(PointCloud(_digits()), 1.0), points, _LAW, "digits"),
    ]


def _smooth() -> list[Instance]:
    line = DegenerateGaussian([1.0, 0.0], np.diag([4.0, 0.0]))
    ellipse = Ellipsoid(np.diag([4.0, 1.0]))
    return [
        Instance(DegenerateGaussian([1.0, -2.0, 0.5], np.diag([4.0, 0.0, 1e-4])), (2,), _LAW),
        Instance(DegenerateGaussian([0.0, 0.0, 0.0], _TILTED), (3,), _LAW),
        Instance(DegenerateGaussian([3.0, 4.0], np.zeros((2, 2))), (0,), _LAW),
        Instance(DegenerateGaussian([1.0, 2.0], np.zeros((2, 2))), (0,), _REPRESENTATIVE),
        Instance(_tilted_line(), (1,), _REPRESENTATIVE, "tilted line"),
        Instance(line, (1,), _BENCHMARK, "Gaussian on a line", costs.gaussian_on_a_line),
        Instance(Sphere(1, 0.5), (0,), _LAW),
        Instance(Sphere(2, 2.0), (1,), _LAW | _BENCHMARK, "circle", costs.sphere),
        Instance(Sphere(3), (2,), _BENCHMARK, "sphere", costs.sphere),
        Instance(Sphere(3, 2.0), (2,), _REPRESENTATIVE, "sphere of radius 2"),
        Instance(Sphere(5, 1e-3), (4,), _LAW),
        Instance(Sphere(64, 8.0), (63,), _BENCHMARK, "sphere in 64 dimensions", costs.sphere),
        Instance(Ellipsoid(_TILTED), (2,), _LAW),
        Instance(Ellipsoid(_MILD), (2,), _REPRESENTATIVE, "ellipsoid"),
        Instance(Ellipsoid(np.diag([1e4, 1.0])), (1,), _LAW),
        Instance(ellipse, (1,), _BENCHMARK, "ellipse", costs.ellipse),
    ]


def _tilted_line() -> DegenerateGaussian:
    return DegenerateGaussian([1.0, -0.5], [[4.0, 2.0], [2.0, 1.0]])


def _long_ellipse() -> Ellipsoid:
    return Ellipsoid([[4.0, 0.0], [0.0, 0.25]])


def _on_the_line() -> list[Instance]:
    mixture = AtomAndDensity([0.0], [0.4], stats.expon())
    heavy = AtomAndDensity([0.0], [0.375], stats.norm(1.0))
    return [
        Instance(Quantile(stats.norm(1.0, 2.0)), (1,), _LAW),
        Instance(Quantile(stats.expon()), (1,), _ALL, "exponential law", costs.exponential),
        Instance(Quantile(stats.gamma(2.5, scale=0.5)), (1,), _LAW),
        Instance(Quantile(stats.uniform(-1.0, 2.0)), (1,), _LAW),
        Instance(Quantile(stats.t(5.0)), (1,), _BOTH),
        Instance(Quantile(stats.lognorm(0.5)), (1,), _LAW),
        Instance(Quantile(stats.poisson(2.0)), (0,), _REPRESENTATIVE, "Poisson law"),
        Instance(Quantile(stats.poisson(3.0)), (0,), _LAW),
        Instance(Quantile(stats.binom(4, 0.3)), (0,), _LAW),
        Instance(Quantile(stats.rv_discrete(values=([-2, 0, 5], [0.5, 0.2, 0.3]))), (0,), _LAW),
        Instance(mixture, (0, 1), _LAW | _BENCHMARK, "atom and exponential law", costs.atom_and_exponential),
        Instance(heavy, (0, 1), _REPRESENTATIVE, "atom and normal law"),
        Instance(AtomAndDensity([-1.0, 3.0], [0.2, 0.1], stats.norm(0.0, 1.0)), (0, 1), _LAW),
        Instance(Cantor(), (), _ALL, "Cantor law", costs.cantor),
        Instance(Bits(0.3), (), _BOTH, "biased bits"),
        Instance(Bits(0.5), (1,), _LAW, "fair bits"),
    ]


def _matrices() -> list[Instance]:
    return [
        Instance(Stiefel(3, 2), (3,), _ALL, "orthonormal frames", costs.sampled),
        Instance(Stiefel(3, 3), (3,), _LAW),
        Instance(Stiefel(4, 1), (3,), _LAW),
        Instance(Stiefel(1, 1), (0,), _LAW),
        Instance(Grassmannian(3, 1), (2,), _LAW | _BENCHMARK, "projective plane", costs.sampled),
        Instance(Grassmannian(4, 2), (4,), _BOTH, "planes in 4 dimensions"),
        Instance(Grassmannian(3, 3), (0,), _LAW),
        Instance(SpecialOrthogonal(), (3,), _ALL, "rotations", costs.sampled),
    ]


def _curved() -> list[Instance]:
    unit_ellipse = NearestPoint(Curve.ellipse(2.0, 1.0))
    roll = NearestPoint(Curve.spiral(1.5))
    apart = NearestPoint(Union(Arc(1.0, 0.25, 2.5), _ISOLATED), 1.0)
    return [
        Instance(NearestPoint(Arc(1.0, 0.3, 2.5), 0.7), (0, 1), _LAW),
        Instance(NearestPoint(Arc(2.0, 0.25, 2.5), 0.75), (0, 1), _REPRESENTATIVE, "arc"),
        Instance(NearestPoint(Curve.ellipse(2.0, 1.0), 0.7), (1,), _LAW),
        Instance(NearestPoint(Curve.ellipse(2.0, 1.0), 0.75), (1,), _REPRESENTATIVE, "ellipse as a curve"),
        Instance(unit_ellipse, (1,), _BENCHMARK, "nearest point of an ellipse", costs.sampled),
        Instance(NearestPoint(Curve.spiral(1.5), 0.5), (0, 1), _LAW),
        Instance(roll, (0, 1), _BENCHMARK, "swiss roll", costs.sampled),
        Instance(NearestPoint(Torus(2.0, 0.5), 1.0), (2,), _ALL, "torus", costs.sampled),
        Instance(NearestPoint(Union(Arc(1.0, 0.3, 2.5), _ISOLATED), 1.0), (0, 1), _LAW),
        Instance(apart, (0, 1), _REPRESENTATIVE, "arc and two points"),
        Instance(Twin(), (0, 1), _BOTH, "twin"),
    ]


def _derived(scatter: np.ndarray, rng: np.random.Generator) -> list[Instance]:
    def frame(rows: int, columns: int) -> np.ndarray:
        return np.linalg.qr(rng.standard_normal((rows, columns)))[0]

    circle, two = Sphere(2), FiniteAtoms.two([0.0], [1.0], 0.2)
    circles = product(translate(scale(circle, 3.0), [1.0, 1.0]), circle)
    mixed = product(scale(Stiefel(2, 2), 3.0), translate(Quantile(stats.expon()), [-1.0]))
    torus = product(circle, circle)
    return [
        Instance(rotate(Ellipsoid(_TILTED), frame(3, 3)), (2,), _LAW),
        Instance(rotate(_long_ellipse(), _TURN), (1,), _REPRESENTATIVE, "turned ellipse"),
        Instance(embed(FiniteAtoms.regular_polygon(5), frame(4, 2)), (0,), _LAW),
        Instance(embed(FiniteAtoms.regular_polygon(3), _PLANE), (0,), _REPRESENTATIVE),
        Instance(translate(Sphere(3, 2.0), [10.0, 0.0, -1.0]), (2,), _LAW),
        Instance(translate(circle, [3.0, -1.0]), (1,), _REPRESENTATIVE, "shifted circle"),
        Instance(scale(DegenerateGaussian([0.5, 0.0], np.diag([2.0, 0.0])), 7.0), (1,), _LAW),
        Instance(scale(_tilted_line(), 3.0), (1,), _REPRESENTATIVE, "stretched line"),
        Instance(scale(two, 0.5), (0,), _REPRESENTATIVE),
        Instance(scale(FiniteAtoms(scatter, np.zeros(40)), 1e-3), (0,), _LAW),
        Instance(product(circle, two), (1,), _BOTH, "two circles"),
        Instance(torus, (2,), _BENCHMARK, "Clifford torus", costs.clifford_torus),
        Instance(rotate(circles, frame(4, 4)), (2,), _LAW),
        Instance(rotate(mixed, frame(5, 5)), (2,), _LAW),
        Instance(embed(product(Cantor(), circle), frame(4, 3)), (), _LAW),
        Instance(rotate(translate(scale(Twin(), 3.0), [1.0, -2.0]), _TURN), (0, 1), _LAW),
    ]


def _asked_for_by_name() -> list[Instance]:
    """What single checks look at, beside the instances above."""
    line = DegenerateGaussian([1.0, 0.0], [[4.0, 2.0], [2.0, 1.0]])
    flat = DegenerateGaussian([0.0, 1.0, 0.0], np.diag([4.0, 1.0, 0.0]))
    mixture = AtomAndDensity([0.0], [0.375], stats.expon())
    blocks = product(rotate(Ellipsoid(_ELLIPSE), _TURN), translate(Sphere(2, 2.0), [1.0, 0.0]))
    return [
        Instance(flat, (2,), _NAMED, "flat Gaussian"),
        Instance(line, (1,), _NAMED, "line through (1, 0)"),
        Instance(DegenerateGaussian([1.0, 2.0], _ELLIPSE), (2,), _NAMED, "Gaussian in the plane"),
        Instance(Sphere(4, 1.5), (3,), _NAMED, "sphere in 4 dimensions"),
        Instance(Sphere(5, 0.5), (4,), _NAMED, "small sphere in 5 dimensions"),
        Instance(_long_ellipse(), (1,), _NAMED, "long ellipse"),
        Instance(Ellipsoid(_ELLIPSE), (1,), _NAMED, "tilted ellipse"),
        Instance(Ellipsoid(_BODY), (2,), _NAMED, "second ellipsoid"),
        Instance(mixture, (0, 1), _NAMED, "atom of 3/8 and exponential law"),
        Instance(Stiefel(2, 2), (1,), _NAMED, "orthogonal matrices of the plane"),
        Instance(Grassmannian(2, 1), (1,), _NAMED, "lines of the plane"),
        Instance(NearestPoint(Curve.spiral(1.0), 1.0), (0, 1), _NAMED, "spiral"),
        Instance(NearestPoint(Curve.trefoil(), 0.5), (1,), _NAMED, "trefoil"),
        Instance(embed(Sphere(2), _PLANE), (1,), _NAMED, "circle in space"),
        Instance(product(Sphere(2), _tilted_line()), (2,), _NAMED, "cylinder"),
        Instance(product(Cantor(), Sphere(2)), (), _NAMED, "Cantor law times circle"),
        Instance(blocks, (2,), _NAMED, "ellipse times circle"),
    ]
