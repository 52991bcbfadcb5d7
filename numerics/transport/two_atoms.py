r"""The expected batch plan π_n for two atoms, in any dimension, and its field (docs/theory.md M4, M6).

With e = (y₁−y₀)/Δ and u = Φ(⟨x₀,e⟩), $P(x_1 = y_0 | x_0) = G_n(u, w)$: only one coordinate of the noise
matters. Integrals over it have the layer u ≈ w of width n^{−1/2}; panels of one standard deviation of the
layer resolve it, with 16 Gauss–Legendre nodes each; the same with 12 nodes gives the stated error.

The field weighs the labels by φ_N(z₀)G_n(u₀) and φ_N(z₁)(1 − G_n(u₁)), z_i the noise that would bring label
i to x. Between the labels' interpolants, where no x_t of the population lies, both are exponentially small in
n, so they are known by their logarithms (`numerics.transport.tilted`). There the field of n tends to a step,
not to the prox field of n = None (further theorem N2).
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.special import expit, ndtr, ndtri

from numerics.accuracy import EPS, Rounding
from numerics.checks import as_array, as_points, positive_integer
from numerics.potentials.normal import TAIL, both_tails
from numerics.potentials.normal import density as _normal
from numerics.schedules import Linear, Schedule
from numerics.transport.minibatch import assignment_probability, mass_below
from numerics.transport.panels import Integral, Integrand, composite
from numerics.transport.tilted import log_assignment_probability, log_assignment_rounding

_FINE, _COARSE = 16, 12
_EDGE = 9.0  # beyond the thresholds: there densities are below e^{−40} of what they are at them


class TwoAtomLaw:
    """π_n between N(0,I) and w·δ_{y₀} + (1−w)·δ_{y₁}; n = None is the optimal plan itself.

    Args:
        points: (2,d) the atoms y₀, y₁, distinct.
        weight: w in (0,1), the weight of y₀.
        n: Batch size, or None for the population.
        schedule: The interpolant's coefficients.

    Raises:
        ValueError: If there are not two distinct atoms, w is outside (0,1), or n < 1.

    Example:
        >>> law = TwoAtomLaw([[-1.0], [1.0]], weight=0.5, n=1)  # a batch of one: drawn apart
        >>> round(law.misassigned_mass().value, 12)
        0.5
    """

    def __init__(
        self, points: ArrayLike, weight: float, n: int | None, schedule: Schedule | None = None
    ) -> None:
        self.points = as_array("points", points, ndim=2)
        if len(self.points) != 2:
            raise ValueError(f"points: got {len(self.points)} atoms; give two")
        self.distance = float(np.linalg.norm(self.points[1] - self.points[0]))
        if self.distance == 0:
            raise ValueError("points: the two atoms coincide; give distinct ones")
        self.weight = float(as_array("weight", weight, ndim=0))
        if not 0 < self.weight < 1:
            raise ValueError(f"weight: got {weight}; it must lie in (0, 1)")
        self.n = None if n is None else positive_integer("n", n)
        self.schedule = schedule or Linear()
        self.direction = (self.points[1] - self.points[0]) / self.distance
        self.threshold = float(ndtri(weight))

    def probability(self, z: ArrayLike) -> Float[np.ndarray, " k"]:
        """P(x₁ = y₀ | ⟨x₀,e⟩ = z); at the threshold of the optimal plan, y₀."""
        noise = as_array("z", z, ndim=1)
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
        """W₂²(π_n, π) from above: labels kept, only noise moved, of each label rank by rank.

        For a fixed distance of the atoms it is that but for a part that is exponentially small in n
        (docs/theory.md M6); where the atoms are near, changing labels may cost less.

        The noise of label y₀ up to u has mass H(u) = ∫₀^u G_n = E min(A,B)/n, A ~ Bin(n,u), B ~ Bin(n,w), and
        goes to Φ⁻¹(H(u)); likewise from above for y₁.

        Raises:
            ValueError: If a weight is below 1e−15: 1 − w, or the noise that it holds, is lost in rounding.
        """
        if self.n is None:
            return Integral(0.0, 0.0)
        if min(self.weight, 1 - self.weight) < 1e-15:
            raise ValueError(
                f"weight: got {self.weight:g}; the plan's distance needs both weights above 1e-15"
            )
        swapped = TwoAtomLaw(self.points[::-1], 1 - self.weight, self.n, self.schedule)
        first, second = self.moved(), swapped.moved()
        value = first.value + second.value
        # H errs by 8·eps·√n, and the layer moves noise by about σ/√n, σ² = 2w(1−w), in the rank
        w = self.weight
        rounding = 16 * EPS * self.n * max(w, 1 - w) / np.sqrt(2 * w * (1 - w))
        return Integral(value, first.error + second.error + float(rounding) * value)

    def moved(self) -> Integral:
        """Of `plan_distance`, label y₀'s part; H errs by 4·eps of itself, which Φ⁻¹ divides by φ_N."""
        assert self.n is not None
        n, w = self.n, self.weight

        known: dict[bytes, tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]] = {}

        def weighed(z: Float[np.ndarray, " k"]) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
            """The label's density, and H: both rules below ask for them at the same coarse nodes."""
            key = z.tobytes()
            if key not in known:
                known[key] = _normal(z) * self.probability(z), mass_below(ndtr(z), w, n)
            return known[key]

        def integrand(z: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
            label, mass = weighed(z)
            return label * (z - ndtri(mass)) ** 2

        def misplaced(z: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
            label, mass = weighed(z)
            place = ndtri(mass)
            slope = np.maximum(_normal(place), np.finfo(float).tiny)
            return 2 * label * np.abs(z - place) * mass / slope

        found = self.integrate(integrand)
        rounding = 4 * EPS * composite(misplaced, self._cuts(0.0), _COARSE)
        return Integral(found.value, found.error + rounding)

    def log_probabilities(self, z: ArrayLike) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
        """Both of log P(x₁ = y₀ | ⟨x₀,e⟩ = z) and log P(x₁ = y₁ | …), within `log_assignment_rounding`."""
        noise = as_array("z", z, ndim=1)
        if self.n is None:
            with np.errstate(divide="ignore"):
                first = self.probability(noise)
                return np.log(first), np.log(1 - first)
        below, above = both_tails(noise)
        return log_assignment_probability(below, self.weight, self.n, above=above)

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
        """v_t(x) = E[α̇x₀ + β̇x₁ | x_t = x], x (k,d), t in (0,1), within `velocity_rounding`.

        For n = None, where no x_t lies, it is the prox field (docs/theory.md P3), which goes from one label
        to the other linearly.
        """
        noise, speeds = self.ends(t, x)
        share = self._share(noise)[:, None]
        return share * speeds[0] + (1 - share) * speeds[1]

    def log_odds(self, t: float, x: ArrayLike) -> Float[np.ndarray, " k"]:
        """The labels' odds: log P(x₁ = y₀ | x_t = x) − log P(x₁ = y₁ | x_t = x), x (k,d), t in (0,1).

        log φ_N(z₀)/φ_N(z₁) + log G_n(u₀) − log(1 − G_n(u₁)): each part falls with ⟨x,e⟩, so there is one
        place where the odds are even.

        Raises:
            ValueError: If n is None.
        """
        return self._log_odds(self.ends(t, x)[0])

    def log_odds_rounding(self, t: float, x: ArrayLike) -> Rounding:
        """What `log_odds` errs by.

        With ν the sizes (|x| + β|y|)/α: z_i errs by (2d + 8)ν, u_i by `TAIL` of itself. |d log G_n/dz| is
        at most (n−1)φ_N(z)/min(u, 1−u) ≤ (n−1)(|z| + 1), as the score of A is (A − (n−1)u)/(u(1−u)); of
        log u it is at most n − 1. So errors grow as n: they are those of x.

        Raises:
            ValueError: If n is None.
        """
        n, d, noise = self._batch, self.points.shape[1], self.ends(t, x)[0]
        size, along = self._sizes(t, x), noise @ self.direction
        odds = Rounding(size.sum(axis=0) ** 2, d + 8, "log φ_N(z₀)/φ_N(z₁)")
        for i, (z, own) in enumerate(zip(along, size, strict=True)):
            moved = (2 * d + 8) * (np.abs(z) + 1) * own + TAIL
            part = self.log_probabilities(z)[i]
            odds += Rounding((n - 1) * moved, 1, "z and Φ(z)") + log_assignment_rounding(part, n)
        return odds

    def velocity_rounding(self, t: float, x: ArrayLike) -> Rounding:
        """What `velocity` errs by: its label's speed formed, and the share of a label that log-odds give.

        The odds move the share by s(1−s), a quarter at most, and the share moves v by |ẋ₀ − ẋ₁|.
        """
        noise, speeds = self.ends(t, x)
        a, b, a_dot, b_dot = self._coefficients(t)
        size, reach = self._sizes(t, x), np.linalg.norm(self.points, axis=1)[:, None]
        speed = Rounding((np.abs(a_dot) * size + np.abs(b_dot) * reach).max(axis=0), 12, "ẋ_t of a label")
        apart = np.linalg.norm(speeds[0] - speeds[1], axis=1)
        if self.n is None:
            wide = b * self.distance / a
            count = 4 * noise.shape[2] + 24
            return speed + Rounding(
                apart * size.max(axis=0) / wide, count, "the share between the interpolants"
            )
        share, odds = self._share(noise), self.log_odds_rounding(t, x)
        weight = np.minimum(share * (1 - share) * np.exp(np.minimum(odds.bound, 1.0)), 0.25)
        return speed + odds.amplified(apart * weight, "a share times ẋ₀ − ẋ₁")

    @property
    def _batch(self) -> int:
        if self.n is None:
            raise ValueError("n: got None; the optimal plan has no odds, as its labels do not overlap")
        return self.n

    def _sizes(self, t: float, x: ArrayLike) -> Float[np.ndarray, "2 k"]:
        """(|x| + β|y|)/α of each label."""
        a, b, *_ = self._coefficients(t)
        points = as_points("x", x, self.points.shape[1])
        reach = np.linalg.norm(self.points, axis=1)[:, None]
        return np.asarray((np.linalg.norm(points, axis=1) + b * reach) / a)

    def _share(self, noise: Float[np.ndarray, "2 k d"]) -> Float[np.ndarray, " k"]:
        """Of label y₀ where x_t = x."""
        if self.n is None:
            along = noise @ self.direction
            return np.clip((self.threshold - along[1]) / (along[0] - along[1]), 0.0, 1.0)
        return np.asarray(expit(self._log_odds(noise)))

    def _log_odds(self, noise: Float[np.ndarray, "2 k d"]) -> Float[np.ndarray, " k"]:
        assert self._batch
        apart = -((noise[0] - noise[1]) * (noise[0] + noise[1])).sum(axis=1) / 2
        first, second = self._shares(*(noise @ self.direction))
        return np.asarray(apart + first - second)

    def _shares(
        self, first: Float[np.ndarray, " k"], second: Float[np.ndarray, " k"]
    ) -> Float[np.ndarray, "2 k"]:
        """Log P of y₀ at the first noises, of y₁ at the second: one sum over the steps of both."""
        found = self.log_probabilities(np.concatenate([first, second]))
        return np.stack([found[0][: len(first)], found[1][len(first) :]])

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
            first, second = np.array([_normal(z), _normal(z - shift)]) * np.exp(self._shares(z, z - shift))
            total = first + second
            return gain * first * second / np.where(total > 0, total, 1.0)

        return self._of_logarithms(self.integrate(integrand, shift))

    def energy(self, t: float) -> Integral:
        """E|v_t(x_t)|² along e: ∫ (flux along e)²/p. Across e the plan is that of one point."""
        a, b, a_dot, b_dot = self._coefficients(t)
        places, shift = self.points @ self.direction, b * self.distance / a

        def integrand(z: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
            first, second = np.array([_normal(z), _normal(z - shift)]) * np.exp(self._shares(z, z - shift))
            flux = first * (a_dot * z + b_dot * places[0])
            flux = flux + second * (a_dot * (z - shift) + b_dot * places[1])
            total = first + second
            return flux**2 / np.where(total > 0, total, 1.0)

        return self._of_logarithms(self.integrate(integrand, shift))

    def _of_logarithms(self, found: Integral) -> Integral:
        """With what logarithms of the labels' shares err by: relative, of either label, doubled."""
        if self.n is None or found.value <= 0:
            return found
        stated = log_assignment_rounding(np.log(found.value), self.n).bound
        return Integral(found.value, found.error + 4 * float(stated) * found.value)

    def _coefficients(self, t: float) -> tuple[float, float, float, float]:
        time = float(as_array("t", t, ndim=0))
        if not 0 < time < 1:
            raise ValueError(f"t: got {time:g}; it must lie in (0, 1)")
        alpha, beta, alpha_dot, beta_dot = (float(part) for part in self.schedule.coefficients(time))
        return alpha, beta, alpha_dot, beta_dot

    def _labels(self, t: float, x: ArrayLike) -> tuple[Float[np.ndarray, "2 k"], Float[np.ndarray, "2 k d"]]:
        """Of each label: the density of x_t with it, and ẋ_t where x_t = x."""
        noise, speeds = self.ends(t, x)
        along = noise @ self.direction
        shares = np.exp(self._shares(*along))
        normaliser = self._coefficients(t)[0] * np.sqrt(2 * np.pi)
        return shares * np.exp(-(noise**2).sum(axis=2) / 2) / normaliser ** noise.shape[2], speeds

    def ends(self, t: float, x: ArrayLike) -> tuple[Float[np.ndarray, "2 k d"], Float[np.ndarray, "2 k d"]]:
        """Of each label: x₀ and ẋ_t where x_t = x."""
        points = as_points("x", x, self.points.shape[1])
        a, b, a_dot, b_dot = self._coefficients(t)
        noise = (points[None] - b * self.points[:, None]) / a
        return noise, a_dot * noise + b_dot * self.points[:, None]

    # --- quadrature -------------------------------------------------------------------------------

    def integrate(self, integrand: Integrand, shift: float = 0.0) -> Integral:
        """∫ of a function of the noise over the line, with the layers at b and b + shift resolved.

        Beyond the ends, |z| ≥ 9, what is integrated has to be φ_N times a share in [0, 1] and at most a
        square of z, or 0: it falls by e^{−9} and more a unit, so that less is left out on each side than its
        value at the end.
        """
        cuts = self._cuts(shift)
        fine, coarse = (composite(integrand, cuts, order) for order in (_FINE, _COARSE))
        # of the sum, of G_n, and of the threshold b, whose 4 roundings the density multiplies by b
        rounding = 64 + 8 * np.sqrt(self.n or 0) + 2 * self.threshold**2
        left_out = float(np.abs(integrand(cuts[[0, -1]])).sum())
        return Integral(fine, abs(fine - coarse) + float(rounding) * EPS * abs(fine) + left_out)

    def _cuts(self, shift: float) -> Float[np.ndarray, " c"]:
        layers = np.array([self.threshold, self.threshold + shift])
        edge = _EDGE + abs(self.threshold)
        wide = np.arange(min(0.0, shift) - edge, max(0.0, shift) + edge + 0.25, 0.5)
        cuts = [wide, layers]
        if self.n is not None:
            spread = np.sqrt(2 * self.weight * (1 - self.weight) / self.n) / _normal(layers[:1])[0]
            steps = np.arange(-12.0, 12.5)
            fine = layers[:, None] + min(spread, 0.5) * steps
            cuts.append(fine.ravel())
        return np.unique(np.clip(np.concatenate(cuts), wide[0], wide[-1]))


def two_atom_law(points: ArrayLike, weight: float, n: int | None) -> TwoAtomLaw:
    """π_n between noise and two atoms (2,d), ``weight`` that of the first; linear schedule.

    Example:
        >>> round(two_atom_law([[-1.0], [1.0]], 0.3, 1).misassigned_mass().value, 12)  # 2·0.3·0.7
        0.42
    """
    return TwoAtomLaw(points, weight, n)
