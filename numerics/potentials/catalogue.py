r"""A benchmark of exact optimal transport from noise: named targets with W₂² (theory.md §4).

$W_2^2(P_0, P_1) = d + E|x_1|^2 - 2E⟨x_0, T(x_0)⟩$, and $E⟨x_0, T(x_0)⟩ = E φ^*(x_0)$ where φ\* is
positively homogeneous.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats
from scipy.integrate import quad
from scipy.special import ellipe, gammaln, log_ndtr, ndtri

from numerics.potentials.atoms import FiniteAtoms
from numerics.potentials.base import Potential
from numerics.potentials.calculus import product
from numerics.potentials.cantor import Cantor
from numerics.potentials.closed_sets import Torus
from numerics.potentials.curves import Curve
from numerics.potentials.ellipsoid import Ellipsoid
from numerics.potentials.gaussian import DegenerateGaussian
from numerics.potentials.grassmannian import Grassmannian
from numerics.potentials.line import AtomAndDensity, Quantile
from numerics.potentials.nearest import NearestPoint
from numerics.potentials.rotations import SpecialOrthogonal
from numerics.potentials.sphere import Sphere
from numerics.potentials.stiefel import Stiefel

_DRAWS = 20_000
_SEED = 20261122


@dataclass(frozen=True)
class Benchmark:
    """One target with known transport.

    Attributes:
        name: Its key.
        potential: Draws exact pairs, and is the exact map.
        manifold_dimension: m of the support almost everywhere; None where it is no manifold.
        w2_squared: W₂² between N(0, I_d) and the target.
        error: Bound on the error of ``w2_squared``; four standard errors for "Monte Carlo".
        method: "closed form", "quadrature" or "Monte Carlo".
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
    """The benchmark's targets, from points to matrices; a second at first, as six entries are sampled."""
    closed: list[tuple[str, Potential, int, float]] = [
        ("two atoms", FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3), 0, _two_atoms()),
        ("cube", FiniteAtoms.hypercube(8), 0, 16 - 16 * _mean_length(1)),
        ("Gaussian on a line", DegenerateGaussian([1.0, 0.0], np.diag([4.0, 0.0])), 1, 3.0),
        ("circle", Sphere(2, 2.0), 1, _sphere(2, 2.0)),
        ("sphere", Sphere(3), 2, _sphere(3, 1.0)),
        ("sphere in 64 dimensions", Sphere(64, 8.0), 63, _sphere(64, 8.0)),
        ("Clifford torus", product(Sphere(2), Sphere(2)), 2, 2 * _sphere(2, 1.0)),
        ("ellipse", Ellipsoid(np.diag([4.0, 1.0])), 1, 5 - 8 * _mean_length(2) * float(ellipe(0.75)) / np.pi),
    ]
    sampled: list[tuple[str, Potential, int]] = [
        ("orthonormal frames", Stiefel(3, 2), 3),
        ("projective plane", Grassmannian(3, 1), 2),
        ("rotations", SpecialOrthogonal(), 3),
        ("nearest point of an ellipse", NearestPoint(Curve.ellipse(2.0, 1.0)), 1),
        ("swiss roll", NearestPoint(Curve.spiral(1.5)), 1),
        ("torus", NearestPoint(Torus(2.0, 0.5)), 2),
    ]
    mixture = AtomAndDensity([0.0], [0.4], stats.expon())
    return (
        *(Benchmark(name, p, m, w2, 1e-13 * (w2 + p.dim), "closed form") for name, p, m, w2 in closed),
        Benchmark("exponential law", Quantile(stats.expon()), 1, *_exponential(0.0), "quadrature"),
        Benchmark("atom and exponential law", mixture, None, *_exponential(0.4), "quadrature"),
        Benchmark("Cantor law", Cantor(), None, *_cantor(), "quadrature"),
        *(Benchmark(name, p, m, *_monte_carlo(p), "Monte Carlo") for name, p, m in sampled),
    )


def _mean_length(d: int) -> float:
    """E|x₀| in dimension d."""
    return float(np.sqrt(2) * np.exp(gammaln((d + 1) / 2) - gammaln(d / 2)))


def _sphere(d: int, radius: float) -> float:
    """D + R² − 2R E|x₀|."""
    return d + radius**2 - 2 * radius * _mean_length(d)


def _two_atoms() -> float:
    """Weights 0.3 at (0, 1), 0.7 at (2, 0): E⟨x₀, x₁⟩ = Δφ_N(Φ⁻¹(0.3)), Δ = √5."""
    return float(2 + 0.3 + 0.7 * 4 - 2 * np.sqrt(5) * stats.norm.pdf(ndtri(0.3)))


def _exponential(weight: float) -> tuple[float, float]:
    """An atom of this weight at 0, the rest Exp(1): Q(p) = log((1−w)/(1−p)) beyond p = w."""

    def pairing(s: float) -> float:
        return float(s * (np.log1p(-weight) - log_ndtr(-s)) * stats.norm.pdf(s))

    start = float(ndtri(weight)) if weight else -40.0
    mean, error = quad(pairing, start, 40.0, epsabs=1e-13, epsrel=1e-13, limit=200)
    return 1 + 2 * (1 - weight) - 2 * mean, 2 * error + 1e-13


def _cantor() -> tuple[float, float]:
    """E sT(s) = ∫ g dT, g(p) = φ_N(Φ⁻¹(p)): gap by gap to level 16, the rest bracketed as g is concave."""

    def g(p: np.ndarray) -> np.ndarray:
        return np.asarray(stats.norm.pdf(ndtri(p)))

    levels = 16
    gaps = sum(3.0**-k * g((2 * np.arange(2 ** (k - 1)) + 1) / 2**k).sum() for k in range(1, levels + 1))
    ends = np.arange(2**levels + 1) / 2**levels
    upper = g((ends[1:] + ends[:-1]) / 2).sum() / 3**levels
    lower = (g(ends[1:]) + g(ends[:-1])).sum() / 2 / 3**levels
    mean = gaps + (upper + lower) / 2
    return float(1 + 0.375 - 2 * mean), float(upper - lower + 1e-13)


def _monte_carlo(potential: Potential) -> tuple[float, float]:
    """E|x₁ − x₀|² from 20 000 exact pairs, with |x₀|² as a control variate; four standard errors."""
    x0, x1 = potential.sample(_DRAWS, np.random.default_rng(_SEED))
    cost = ((x1 - x0) ** 2).sum(axis=1)
    control = (x0**2).sum(axis=1) - potential.dim
    slope = float(np.cov(cost, control)[0, 1] / (2 * potential.dim))
    rest = cost - slope * control
    return float(rest.mean()), float(4 * rest.std() / np.sqrt(_DRAWS))
