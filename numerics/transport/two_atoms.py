r"""The expected batch plan π_n for two atoms, in any dimension, and its field (theory.md M4, M6).

With e = (y₁−y₀)/Δ and u = Φ(⟨x₀,e⟩), $P(x_1 = y_0 | x_0) = G_n(u, w)$: only one coordinate of the noise
matters. Integrals over it have the layer u ≈ w of width n^{−1/2}; panels of one standard deviation of the
layer resolve it, with 16 Gauss–Legendre nodes each; the same with 12 nodes gives the stated error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float
from numpy.polynomial.legendre import leggauss
from numpy.typing import ArrayLike
from scipy.special import expit, ndtr, ndtri

from numerics.accuracy import EPS
from numerics.checks import as_array, as_points, positive_integer
from numerics.schedules import Linear, Schedule
from numerics.transport.binomials import binomial_windows, half_width, survival
from numerics.transport.minibatch import assignment_probability

Integrand: TypeAlias = Callable[[Float[np.ndarray, " k"]], Float[np.ndarray, " k"]]
_FINE, _COARSE = 16, 12
_EDGE = 9.0  # P(|x₀| > 9) = 2e−19


@dataclass(frozen=True)
class Integral:
    """A number found by quadrature, and its error: how far a coarser rule moves it, and rounding."""

    value: float
    error: float


class TwoAtomLaw:
    """π_n between N(0,I) and w·δ_{y₀} + (1−w)·δ_{y₁}; n = None is the optimal plan itself.

    Args:
        points: (2,d) the atoms y₀, y₁, distinct.
        weight: w in (0,1), the weight of y₀.
        n: Batch size, or None for the population.
        schedule: The interpolant's coefficients.

    Raises:
        ValueError: If there are not two distinct atoms, w is outside (0,1), or n < 1.
    """

    def __init__(
        self, points: ArrayLike, weight: float, n: int | None, schedule: Schedule | None = None
    ) -> None:
        self.points = as_array("points", points, ndim=2).real
        if len(self.points) != 2:
            raise ValueError(f"points: got {len(self.points)} atoms; give two")
        self.distance = float(np.linalg.norm(self.points[1] - self.points[0]))
        if self.distance == 0:
            raise ValueError("points: the two atoms coincide; give distinct ones")
        if not 0 < weight < 1:
            raise ValueError(f"weight: got {weight}; it must lie in (0, 1)")
        self.weight, self.n = float(weight), None if n is None else positive_integer("n", n)
        self.schedule = schedule or Linear()
        self.direction = (self.points[1] - self.points[0]) / self.distance
        self.threshold = float(ndtri(weight))

    def probability(self, z: ArrayLike) -> Float[np.ndarray, " k"]:
        """P(x₁ = y₀ | ⟨x₀,e⟩ = z); at the threshold of the optimal plan, y₀."""
        noise = as_array("z", z, ndim=1).real
        if self.n is None:
            return (noise <= self.threshold).astype(float)
        return assignment_probability(ndtr(noise), self.weight, self.n)

    # --- the plan ---------------------------------------------------------------------------------

    def misassigned_mass(self) -> Integral:
        """∫|G_n(u,w) − 1{u<w}| du: the share of noise not matched as in the optimal plan."""
        return self.integrate(lambda z: _normal(z) * self._deviation(z))

    def cost_excess(self) -> Integral:
        """c_n − W₂² = 2Δ ∫|z−b||G_n − 1{u<w}| φ_N(z) dz: every term is positive."""
        return self.integrate(
            lambda z: 2 * self.distance * np.abs(z - self.threshold) * self._deviation(z) * _normal(z)
        )

    def plan_distance(self) -> Integral:
        """W₂²(π_n, π) when labels are kept and only noise is moved: of each label, rank by rank.

        The noise of label y₀ up to u has mass H(u) = ∫₀^u G_n = E min(A,B)/n, A ~ Bin(n,u), B ~ Bin(n,w), and
        goes to Φ⁻¹(H(u)); likewise from above for y₁.
        """
        if self.n is None:
            return Integral(0.0, 0.0)
        swapped = TwoAtomLaw(self.points[::-1], 1 - self.weight, self.n, self.schedule)
        first, second = self.moved(), swapped.moved()
        value = first.value + second.value
        # H errs by 8·eps·√n, and the layer moves noise by about σ/√n, σ² = 2w(1−w), in the rank
        w = self.weight
        rounding = 16 * EPS * self.n * max(w, 1 - w) / np.sqrt(2 * w * (1 - w))
        return Integral(value, first.error + second.error + float(rounding) * value)

    def moved(self) -> Integral:
        """The part of `plan_distance` that label y₀ has."""
        assert self.n is not None
        n, w = self.n, self.weight

        def integrand(z: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
            return _normal(z) * self.probability(z) * (z - ndtri(_mass_below(ndtr(z), w, n))) ** 2

        return self.integrate(integrand)

    def _deviation(self, z: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
        """|G_n(u,w) − 1{u<w}|; below the threshold 1 − G_n(u,w) = G_n(1−u, 1−w), which loses no digits."""
        if self.n is None:
            return np.zeros(len(z))
        below, result = z < self.threshold, np.empty(len(z))
        result[below] = assignment_probability(ndtr(-z[below]), 1 - self.weight, self.n)
        result[~below] = assignment_probability(ndtr(z[~below]), self.weight, self.n)
        return result

    # --- the field --------------------------------------------------------------------------------

    def density(self, t: float, x: ArrayLike) -> Float[np.ndarray, " k"]:
        """p_t(x) of x_t = α x₀ + β x₁, x (k,d), t in (0,1)."""
        return self._labels(t, x)[0].sum(axis=0)

    def velocity(self, t: float, x: ArrayLike) -> Float[np.ndarray, "k d"]:
        """v_t(x) = E[α̇x₀ + β̇x₁ | x_t = x], x (k,d), t in (0,1).

        The population's gap, where no x_t lies, has the prox field (theory.md P3), which goes from one label
        to the other linearly. Where finite n rounds both labels' shares to 0, their noise alone decides.
        """
        noise, speeds = self._ends(t, x)
        along = noise @ self.direction
        if self.n is None:
            share = np.clip((self.threshold - along[1]) / (along[0] - along[1]), 0.0, 1.0)[:, None]
            return share * speeds[0] + (1 - share) * speeds[1]
        # log of p⁰/p¹ rather than p⁰ and p¹, which underflow 38 deviations out
        apart = -((noise[0] - noise[1]) * (noise[0] + noise[1])).sum(axis=1) / 2
        first, second = self.probability(along[0]), 1 - self.probability(along[1])
        neither = (first == 0) & (second == 0)
        with np.errstate(divide="ignore"):
            odds = apart + np.where(neither, 0.0, np.log(first) - np.log(np.where(neither, 1.0, second)))
        share = expit(odds)[:, None]
        return share * speeds[0] + (1 - share) * speeds[1]

    def flux(self, t: float, x: ArrayLike) -> Float[np.ndarray, "k d"]:
        """v_t(x) p_t(x), x (k,d), t in (0,1)."""
        densities, speeds = self._labels(t, x)
        return (densities[:, :, None] * speeds).sum(axis=0)

    def loss_floor(self, t: float) -> Integral:
        """E Var(ẋ_t|x_t) = (β̇ − α̇β/α)²Δ² ∫ p⁰p¹/(p⁰+p¹), p⁰, p¹ the densities of the two labels."""
        a, b, a_dot, b_dot = self._coefficients(t)
        gain, shift = ((b_dot - a_dot * b / a) * self.distance) ** 2, b * self.distance / a

        # in z, the noise if the label is y₀; it is z − shift if the label is y₁
        def integrand(z: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
            first = _normal(z) * self.probability(z)
            second = _normal(z - shift) * (1 - self.probability(z - shift))
            total = first + second
            return gain * first * second / np.where(total > 0, total, 1.0)

        return self.integrate(integrand, shift)

    def energy(self, t: float) -> Integral:
        """E|v_t(x_t)|² along e: ∫ (flux along e)²/p. Across e the plan is that of one point."""
        a, b, a_dot, b_dot = self._coefficients(t)
        places, shift = self.points @ self.direction, b * self.distance / a

        def integrand(z: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
            first = _normal(z) * self.probability(z)
            second = _normal(z - shift) * (1 - self.probability(z - shift))
            flux = first * (a_dot * z + b_dot * places[0])
            flux = flux + second * (a_dot * (z - shift) + b_dot * places[1])
            total = first + second
            return flux**2 / np.where(total > 0, total, 1.0)

        return self.integrate(integrand, shift)

    def _coefficients(self, t: float) -> tuple[float, float, float, float]:
        if not 0 < t < 1:
            raise ValueError(f"t: got {t}; it must lie in (0, 1)")
        s = self.schedule
        return float(s.alpha(t)), float(s.beta(t)), float(s.alpha_dot(t)), float(s.beta_dot(t))

    def _labels(self, t: float, x: ArrayLike) -> tuple[Float[np.ndarray, "2 k"], Float[np.ndarray, "2 k d"]]:
        """Of each label: the density of x_t with it, and ẋ_t where x_t = x."""
        noise, speeds = self._ends(t, x)
        along = noise @ self.direction
        shares = np.stack([self.probability(along[0]), 1 - self.probability(along[1])])
        scale = self._coefficients(t)[0] * np.sqrt(2 * np.pi)
        return shares * np.exp(-(noise**2).sum(axis=2) / 2) / scale ** noise.shape[2], speeds

    def _ends(self, t: float, x: ArrayLike) -> tuple[Float[np.ndarray, "2 k d"], Float[np.ndarray, "2 k d"]]:
        """Of each label: x₀ and ẋ_t where x_t = x."""
        points = as_points("x", x, self.points.shape[1]).real
        a, b, a_dot, b_dot = self._coefficients(t)
        noise = (points[None] - b * self.points[:, None]) / a
        return noise, a_dot * noise + b_dot * self.points[:, None]

    # --- quadrature -------------------------------------------------------------------------------

    def integrate(self, integrand: Integrand, shift: float = 0.0) -> Integral:
        """∫ of a function of the noise over the line, with the layers at b and b + shift resolved."""
        cuts = self._cuts(shift)
        fine, coarse = (_composite(integrand, cuts, order) for order in (_FINE, _COARSE))
        rounding = 64 + 8 * np.sqrt(self.n or 0)  # of the sum, and of G_n
        return Integral(fine, abs(fine - coarse) + float(rounding) * EPS * abs(fine))

    def _cuts(self, shift: float) -> Float[np.ndarray, " c"]:
        layers = np.array([self.threshold, self.threshold + shift])
        wide = np.arange(min(0.0, shift) - _EDGE, max(0.0, shift) + _EDGE + 0.25, 0.5)
        cuts = [wide, layers]
        if self.n is not None:
            spread = np.sqrt(2 * self.weight * (1 - self.weight) / self.n) / _normal(layers[:1])[0]
            steps = np.arange(-12.0, 12.5)
            fine = layers[:, None] + min(spread, 0.5) * steps
            cuts.append(fine.ravel())
        return np.unique(np.clip(np.concatenate(cuts), wide[0], wide[-1]))


def two_atom_law(points: ArrayLike, weight: float, n: int | None) -> TwoAtomLaw:
    """π_n between noise and two atoms (2,d), ``weight`` that of the first; linear schedule."""
    return TwoAtomLaw(points, weight, n)


def _mass_below(u: Float[np.ndarray, " k"], w: float, n: int) -> Float[np.ndarray, " k"]:
    """H(u) = ∫₀^u G_n(·,w) = E min(A,B)/n, a sum of positive terms."""
    rows = max(1, 2**22 // (2 * half_width(n, np.array([0.5])) + 1))
    return np.concatenate([_mass_of_block(u[i : i + rows], w, n) for i in range(0, len(u), rows)])


def _mass_of_block(u: Float[np.ndarray, " k"], w: float, n: int) -> Float[np.ndarray, " k"]:
    """E min(A,B) = Σ_a P(A=a) E min(a,B), and E min(a,B) = Σ_{j<a} P(B > j), where P(B > j) = 1 at first."""
    start, law = binomial_windows(n, u)
    first, data = binomial_windows(n, np.array([w]))
    a = start[:, None] + np.arange(law.shape[1])
    sure = max(0, min(int(a.min()), int(first[0])))
    above = survival(first, data, np.arange(sure, max(sure, min(n, int(a.max()))))[None, :])[0]
    least = sure + np.concatenate([[0.0], np.cumsum(above)])
    return (law * least[np.clip(a - sure, 0, len(above))]).sum(axis=1) / n


def _composite(integrand: Integrand, cuts: Float[np.ndarray, " c"], order: int) -> float:
    nodes, weights = leggauss(order)
    half = np.diff(cuts) / 2
    z = (cuts[:-1, None] + half[:, None] * (1 + nodes)).ravel()
    return float((integrand(z).reshape(len(half), order) @ weights) @ half)


def _normal(z: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
