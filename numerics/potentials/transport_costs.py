r"""W₂² between noise and the instances of the benchmark, in closed form, by quadrature or by sampling.

$W_2^2(P_0, P_1) = d + E|x_1|^2 - 2E⟨x_0, T(x_0)⟩$, and $E⟨x_0, T(x_0)⟩ = E φ^*(x_0)$ where φ\* is
positively homogeneous (docs/theory.md §4).
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy import stats
from scipy.integrate import quad
from scipy.special import ellipe, log_ndtr, ndtri

from numerics.accuracy import UNIT
from numerics.potentials.base import Potential
from numerics.potentials.sphere import Sphere

_DRAWS = 20_000
_SEED = 20261122


@dataclass(frozen=True)
class TransportCost:
    """W₂² with what it errs by.

    Attributes:
        w2_squared: W₂² between N(0, I_d) and the data.
        error: Bound on the error of ``w2_squared``; four standard errors for "Monte Carlo".
        method: "closed form", "quadrature" or "Monte Carlo".
    """

    w2_squared: float
    error: float
    method: str


def _closed(potential: Potential, moment: float, pairing: float) -> TransportCost:
    """D + E|x₁|² − 2E⟨x₀,x₁⟩; the pairing errs by 60 roundings, and twice it is at most the rest."""
    terms = potential.dim + moment
    return TransportCost(terms - 2 * pairing, 64 * UNIT * terms, "closed form")


def mean_length(d: int) -> float:
    r"""E|x₀| = √2 Γ((d+1)/2)/Γ(d/2) in dimension d, within 56 roundings of itself (u = eps/2) for any d.

    With x = d/2 and w = x − ¼, $Γ(x+½)/Γ(x) ∼ √w \exp(-Σ_k 2E_k/(k4^{k+1}w^k))$ over even k, E_k Euler's
    numbers (Stirling's series at w + ¾ and w + ¼); the first term left out is below 5e−17 from x = 24 on.
    Below that x is raised by $Γ(x+½)/Γ(x) = x/(x+½)·Γ(x+\tfrac32)/Γ(x+1)$. Logarithms of Γ would lose as
    many digits as d has, and one or two more.

    Example:
        >>> round(mean_length(2) ** 2, 12) == round(np.pi / 2, 12)
        True
    """
    x, lowered = d / 2, 1.0
    while x < 24:
        lowered *= x / (x + 0.5)
        x += 1
    w = x - 0.25
    series = 1 / 64 - (5 / 2048 - (61 / 49152 - 1385 / 1048576 / w**2) / w**2) / w**2
    return float(np.sqrt(2 * w) * np.exp(series / w**2) * lowered)


# --- closed forms -----------------------------------------------------------------------------------


def sphere(potential: Potential) -> TransportCost:
    """Of a sphere: E⟨x₀,x₁⟩ = R·E|x₀|."""
    radius = cast(Sphere, potential).radius
    return _closed(potential, radius**2, radius * mean_length(potential.dim))


def clifford_torus(potential: Potential) -> TransportCost:
    """Of the product of two unit circles: twice a circle's."""
    return _closed(potential, 2.0, 2 * mean_length(2))


def two_atoms(potential: Potential) -> TransportCost:
    """Weights 0.3 at (0, 1), 0.7 at (2, 0): E⟨x₀, x₁⟩ = Δφ_N(Φ⁻¹(0.3)), Δ = √5."""
    return _closed(potential, 0.3 + 0.7 * 4, float(np.sqrt(5) * stats.norm.pdf(ndtri(0.3))))


def cube(potential: Potential) -> TransportCost:
    """Of {−1, 1}^d: E⟨x₀,x₁⟩ = d·E|s|."""
    return _closed(potential, potential.dim, potential.dim * mean_length(1))


def gaussian_on_a_line(potential: Potential) -> TransportCost:
    """Mean (1, 0), covariance diag(4, 0): |m|² + tr Σ = 5 and tr Σ^½ = 2."""
    return _closed(potential, 5.0, 2.0)


def ellipse(potential: Potential) -> TransportCost:
    """Half-axes 2 and 1: E⟨x₀, x₁⟩ = E|x₀| times the mean of √(4cos² + sin²), 4E(¾)/(2π).

    With u the direction of (2s₁, s₂), E u₁² = 2/(2+1), so that E|x₁|² = 4·⅔ + ⅓ = 3.
    """
    return _closed(potential, 3.0, 4 * mean_length(2) * float(ellipe(0.75)) / np.pi)


# --- quadrature -------------------------------------------------------------------------------------


def exponential(_: Potential) -> TransportCost:
    """Of Exp(1)."""
    return _with_an_atom(0.0)


def atom_and_exponential(_: Potential) -> TransportCost:
    """Of an atom of weight 0.4 at 0, the rest Exp(1)."""
    return _with_an_atom(0.4)


def _with_an_atom(weight: float) -> TransportCost:
    """An atom of this weight at 0, the rest Exp(1): Q(p) = log((1−w)/(1−p)) beyond p = w."""

    def pairing(s: float) -> float:
        return float(s * (np.log1p(-weight) - log_ndtr(-s)) * stats.norm.pdf(s))

    start = float(ndtri(weight)) if weight else -40.0
    mean, error = quad(pairing, start, 40.0, epsabs=1e-13, epsrel=1e-13, limit=200)
    return TransportCost(1 + 2 * (1 - weight) - 2 * mean, 2 * error + 1e-13, "quadrature")


def cantor(_: Potential) -> TransportCost:
    """E sT(s) = ∫ g dT, g(p) = φ_N(Φ⁻¹(p)): hole by hole to generation 16, then bracketed; g is concave."""

    def g(p: np.ndarray) -> np.ndarray:
        return np.asarray(stats.norm.pdf(ndtri(p)))

    generations = 16
    holes = sum(
        3.0**-k * g((2 * np.arange(2 ** (k - 1)) + 1) / 2**k).sum() for k in range(1, generations + 1)
    )
    ends = np.arange(2**generations + 1) / 2**generations
    upper = g((ends[1:] + ends[:-1]) / 2).sum() / 3**generations
    lower = (g(ends[1:]) + g(ends[:-1])).sum() / 2 / 3**generations
    mean = holes + (upper + lower) / 2
    return TransportCost(float(1 + 0.375 - 2 * mean), float(upper - lower + 1e-13), "quadrature")


# --- sampling ---------------------------------------------------------------------------------------


def sampled(potential: Potential) -> TransportCost:
    """E|x₁ − x₀|² from 20 000 exact pairs, with |x₀|² as a control variate; four standard errors."""
    x0, x1 = potential.sample(_DRAWS, np.random.default_rng(_SEED))
    cost = ((x1 - x0) ** 2).sum(axis=1)
    control = (x0**2).sum(axis=1) - potential.dim
    slope = float(np.cov(cost, control)[0, 1] / (2 * potential.dim))
    rest = cost - slope * control
    return TransportCost(float(rest.mean()), float(4 * rest.std() / np.sqrt(_DRAWS)), "Monte Carlo")
