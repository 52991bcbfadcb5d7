r"""Any law on the line with a second moment: $φ^{*\prime} = Q∘Φ$ (theory.md §4.2, family 2)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike
from scipy.optimize.elementwise import find_root

from numerics.accuracy import EPS
from numerics.checks import as_array, as_points
from numerics.potentials.base import ManifoldGroup, Potential, Subdifferential
from numerics.potentials.laws import CUT, MILLS, ContinuousLaw, DiscreteLaw, Law, MixtureLaw, discrete_law
from numerics.potentials.spectral import real, refuse_where


class LinePotential(Potential):
    r"""The potential of a law on the line, d = 1: everything follows from $T = Q∘Φ$ and $∂φ = T^{-1}$.

    prox solves λs + T(s) ∋ z for the noise s, bracketed by 0, (z − T(0))/λ and the noise of z, to
    neighbouring doubles; then u = z − λs clipped to [T(s−), T(s+)]. So inside a jump of T, u is z − λs, not
    T(s). $\mathrm{prox}' = 1/(1+λφ'')$, K = 1/φ'', H = φ''. Normalisation: φ\*(0) = 0.

    Conditioning: a double s, or the double Φ(s), fixes the noise to δ = 2eps(|s| + √(π/2)) (√(π/2) bounds
    Mills' ratio), so T errs by its oscillation T(s+δ) − T(s−δ), which `transport_condition` measures, and
    prox by the smaller of it and 2λδ.

    Args:
        law: The law.
        call: What ``repr`` prints.
    """

    dim = 1

    def __init__(self, law: Law, call: str) -> None:
        self._law, self._call = law, call
        self.scale = abs(law.mean) + law.deviation or 1.0
        self._first, self._middle, self._last = (float(x) for x in law.transport(np.array([-CUT, 0.0, CUT])))

    def __repr__(self) -> str:
        return self._call

    def _map(self, s: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        return self._law.transport(np.clip(s, -CUT, CUT))

    def _value(self, x: Float[np.ndarray, "n 1"]) -> Float[np.ndarray, " n"]:
        """Fenchel–Young: φ(x) = sx − φ*(s) for s in ∂φ(x); an error δ of s costs only δ·|x − T(s)|."""
        point = np.clip(x[:, 0], self._first, self._last)
        low, high = self._law.interval(point)
        s = (np.clip(low, -CUT, CUT) + np.clip(high, -CUT, CUT)) / 2
        value = s * point - self._law.primitive(s)
        return np.where(np.abs(x[:, 0] - point) <= self._rounding, value, np.inf)

    def _conjugate(self, x0: Inexact[np.ndarray, "n 1"]) -> Float[np.ndarray, " n"]:
        s = real("x0", x0)[:, 0]
        inner = np.clip(s, -CUT, CUT)
        return self._law.primitive(inner) + (s - inner) * np.where(s > 0, self._last, self._first)

    def _transport(self, x0: Inexact[np.ndarray, "n 1"]) -> Float[np.ndarray, "n 1"]:
        return self._map(real("x0", x0)[:, 0])[:, None]

    def _transport_jacobian(self, x0: Float[np.ndarray, "n 1"]) -> Float[np.ndarray, "n 1 1"]:
        s = x0[:, 0]
        curvature = self._law.curvature(self._map(s), np.clip(s, -CUT, CUT))
        return np.where(np.abs(s) < CUT, 1 / curvature, 0.0)[:, None, None]

    def transport_condition(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Oscillation of T over the rounding of s and Φ(s), per eps, and the size of the data."""
        s = as_points("x0", x0, 1).real[:, 0]
        return self._oscillation(s)[1] / EPS + np.abs(self._map(s)) + self.scale

    def _oscillation(
        self, s: Float[np.ndarray, " n"]
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """δ and T(s+δ) − T(s−δ)."""
        delta = 2 * EPS * (np.abs(s) + MILLS)
        return delta, np.maximum(self._map(s + delta) - self._map(s - delta), 0.0)

    # --- proximal maps ----------------------------------------------------------------------------

    def _prox(self, z: Inexact[np.ndarray, "n 1"], step: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 1"]:
        target = real("z", z)[:, 0]
        below, above = self._noise_brackets(target, step)
        point = target - step * np.where(target < self._middle, above, below)
        return np.clip(point, self._map(below), self._map(above))[:, None]

    def _noise_brackets(
        self, z: Float[np.ndarray, " n"], step: Float[np.ndarray, " n"]
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Neighbouring s with λs + T(s) ≤ z and ≥ z; ±20 and the end of the domain beyond."""

        def excess(
            s: Float[np.ndarray, " n"], z: Float[np.ndarray, " n"], step: Float[np.ndarray, " n"]
        ) -> Float[np.ndarray, " n"]:
            return step * s + self._map(s) - z

        low, high = self._law.interval(np.clip(z, self._first, self._last))
        ratio = (z - self._middle) / step
        slack = 4 * EPS * np.minimum(np.abs(ratio), CUT) + 1e-300
        below = np.clip(np.minimum(0.0, np.maximum(ratio, low)) - slack, -CUT, 0.0)
        above = np.clip(np.maximum(0.0, np.minimum(ratio, high)) + slack, 0.0, CUT)
        at_below, at_above = excess(below, z, step), excess(above, z, step)
        below, above = np.where(at_above <= 0, above, below), np.where(at_below >= 0, below, above)
        inner = (at_below < 0) & (at_above > 0)
        if inner.any():
            found = find_root(
                excess,
                (below[inner], above[inner]),
                args=(z[inner], step[inner]),
                tolerances={"xatol": 1e-300, "xrtol": 4 * EPS, "fatol": 0.0, "frtol": 0.0},
                maxiter=4000,
            )
            ends = np.sort(np.stack(found.bracket), axis=0)
            exact = found.f_x == 0
            below[inner] = np.where(exact, found.x, ends[0])
            above[inner] = np.where(exact, found.x, ends[1])
        return below, above

    def _prox_jacobian(
        self, z: Float[np.ndarray, "n 1"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n 1 1"]:
        u = self._prox(z, step)[:, 0]
        noise = np.clip((z[:, 0] - u) / step, -CUT, CUT)
        return (1 / (1 + step * self._law.curvature(u, noise)))[:, None, None]

    def _prox_condition(
        self, z: Float[np.ndarray, "n 1"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        s = (z - self._prox(z, step))[:, 0] / step
        delta, oscillation = self._oscillation(s)
        return super()._prox_condition(z, step) + np.minimum(2 * step * delta, oscillation) / EPS

    # --- geometry ---------------------------------------------------------------------------------

    def _subdifferential(self, x1: Float[np.ndarray, " 1"]) -> "Interval":
        point = np.clip(x1, self._first, self._last)
        if abs(point[0] - x1[0]) > self._rounding:
            raise ValueError(
                f"x1: {x1[0]} is outside the support's hull [{self._first}, {self._last}]; φ is +inf there"
            )
        low, high = self._law.interval(point)
        around = 4 * EPS * (np.abs(point) + self.scale)
        widest = self._law.interval(np.clip(point + around, self._first, self._last))[1]
        lowest = self._law.interval(np.clip(point - around, self._first, self._last))[0]
        spread = np.clip(widest, -CUT, CUT) - np.clip(high, -CUT, CUT)
        spread += np.clip(low, -CUT, CUT) - np.clip(lowest, -CUT, CUT)
        return Interval(float(low[0]), float(high[0]), float(spread[0]))

    def _manifolds(
        self, x1: Float[np.ndarray, "n 1"], x0: Float[np.ndarray, "n 1"]
    ) -> Sequence[ManifoldGroup]:
        """A point, m = 0, at atoms; elsewhere the line itself, with H = φ''(x₁)."""
        away = np.abs(x1 - self._transport(x0))[:, 0]
        limit = 64 * EPS * self.transport_condition(x0)
        refuse_where(away > limit, "x1", "is not T(x0); pass transport(x0)")
        noise = x0[:, 0]  # not x1: an isometry's rounding moves an atom off itself
        curvature = self._law.curvature(self._map(noise), np.clip(noise, -CUT, CUT))
        atoms = np.flatnonzero(np.isinf(curvature))
        rest = np.flatnonzero(np.isfinite(curvature))
        groups = [
            ManifoldGroup(atoms, np.zeros((len(atoms), 1, 0)), np.zeros((len(atoms), 0, 0))),
            ManifoldGroup(rest, np.ones((len(rest), 1, 1)), curvature[rest, None, None]),
        ]
        return [group for group in groups if len(group.rows)]


class Quantile(LinePotential):
    r"""A frozen scipy law with finite second moment, continuous or discrete.

    Accuracy: norm, uniform, expon, gamma, chi2, beta, logistic, laplace, lognorm, t, weibull_min, gumbel_r,
    gumbel_l, pareto, arcsine, rayleigh, halfnorm, maxwell, powerlaw and truncnorm among continuous
    laws, and all discrete ones, have quantiles within 64 eps·(|x| + deviation·√(π/2)) for |x₀| ≤ 8. Other
    laws are as accurate as their own ppf and isf. φ and φ\* carry 64 eps·∫|T|. K needs the density at T(x₀),
    which a double cannot place within eps·|end| of a finite end of the support that is not 0.

    The law is cut at noise ±20 (probability 3e−89), and φ is +inf beyond T(±20).

    Args:
        distribution: E.g. ``scipy.stats.expon()``, ``stats.poisson(3)`` or ``stats.rv_discrete(values=…)``.

    Raises:
        ValueError: If it is no frozen scipy law, its second moment isn't finite, its quantiles aren't finite,
            it is a point, or it has more than 2²⁰ atoms.
    """

    def __init__(self, distribution: Any) -> None:
        self.distribution = distribution
        call = f"Quantile({_call(distribution)})"
        _check_second_moment(distribution)
        law: Law = discrete_law(distribution) if hasattr(distribution, "pmf") else ContinuousLaw(distribution)
        super().__init__(law, call)

    def _prox(self, z: Inexact[np.ndarray, "n 1"], step: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 1"]:
        if isinstance(self._law, DiscreteLaw):
            return self._law.prox(real("z", z)[:, 0], step)[:, None]
        return super()._prox(z, step)

    def conic(self, u: Any) -> tuple[Any, list[Any]] | None:
        """For a discrete law φ(u) = min Σ w_i g_i over weights with Σ w_i y_i = u; else None."""
        if not isinstance(self._law, DiscreteLaw):
            return None
        import cvxpy as cp

        weights = cp.Variable((u.shape[0], len(self._law.atoms)), nonneg=True)
        on_atoms = [weights @ self._law.atoms[:, None] == u, cp.sum(weights, axis=1) == 1]
        return weights @ self._law.heights, on_atoms


class AtomAndDensity(LinePotential):
    """A mixture on the line: atoms with weights, the rest of the mass a continuous scipy law.

    Args:
        atoms: (k,) increasing.
        weights: (k,) positive, of sum less than 1.
        distribution: A frozen continuous law with finite second moment, positive density on its support.

    Raises:
        ValueError: If atoms don't increase, weights aren't positive or sum to 1 or more, or the law is
            refused by `Quantile` or discrete.
    """

    def __init__(self, atoms: ArrayLike, weights: ArrayLike, distribution: Any) -> None:
        self.atoms = np.atleast_1d(as_array("atoms", atoms, ndim=(0, 1)).real)
        self.weights = np.atleast_1d(as_array("weights", weights, ndim=(0, 1)).real)
        if len(self.atoms) != len(self.weights):
            raise ValueError(f"weights: got {len(self.weights)} for {len(self.atoms)} atoms; give one each")
        if not (np.diff(self.atoms) > 0).all():
            raise ValueError(f"atoms: got {self.atoms.tolist()}; they must increase")
        if not (self.weights > 0).all() or self.weights.sum() >= 1:
            raise ValueError(
                f"weights: got {self.weights.tolist()}; they must be positive and leave mass to the density"
            )
        call = _call(distribution)
        if hasattr(distribution, "pmf"):
            raise ValueError(f"distribution: {call} is discrete; give a law with a density")
        _check_second_moment(distribution)
        self.distribution = distribution
        super().__init__(
            MixtureLaw(self.atoms, self.weights, distribution),
            f"AtomAndDensity({self.atoms.tolist()}, {self.weights.tolist()}, {call})",
        )


class Interval(Subdifferential):
    """∂φ(x₁) on the line: [low, high].

    Args:
        low: −inf at the lower end of the support.
        high: +inf at the upper end.
        spread: How far ∂φ reaches beyond it within rounding of x₁.
    """

    def __init__(self, low: float, high: float, spread: float) -> None:
        self.low, self.high = low, high
        self.rounding = 64 * EPS + 2 * spread

    @property
    def dimension(self) -> int:
        """1 at atoms and ends of the support, 0 elsewhere."""
        return int(self.high > self.low)

    def distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of x0 (n,1) from the interval."""
        s = as_points("x0", x0, 1).real[:, 0]
        return np.maximum(np.maximum(self.low - s, s - self.high), 0.0)

    def boundary_distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of a member x0 (n,1) from the nearer end; +inf for a single point."""
        s = as_points("x0", x0, 1).real[:, 0]
        if not self.dimension:
            return np.full(len(s), np.inf)
        return np.maximum(np.minimum(s - self.low, self.high - s), 0.0)


def _call(distribution: Any) -> str:
    """A frozen law as the call that makes it.

    Raises:
        ValueError: If it isn't a frozen scipy law.
    """
    needed = ("ppf", "isf", "cdf", "sf", "support")
    if hasattr(distribution, "xk"):
        return f"stats.rv_discrete(values=({distribution.xk.tolist()}, {distribution.pk.tolist()}))"
    if not hasattr(distribution, "args") or not all(hasattr(distribution, name) for name in needed):
        raise ValueError(
            f"distribution: got {distribution!r}; give a frozen scipy law such as stats.norm(0, 1)"
        )
    arguments = [repr(float(a)) for a in distribution.args]
    arguments += [f"{name}={float(a)!r}" for name, a in distribution.kwds.items()]
    return f"stats.{distribution.dist.name}({', '.join(arguments)})"


def _check_second_moment(distribution: Any) -> None:
    variance = float(distribution.var())
    if not np.isfinite(variance):
        raise ValueError(f"distribution: its variance is {variance}; optimal transport needs a second moment")
    if variance == 0:
        raise ValueError("distribution: its variance is 0; use FiniteAtoms for a single point")
