r"""Any law on the line with a second moment: $φ^{*\prime} = Q∘Φ$ (docs/theory.md §4.2, family 2)."""

from collections.abc import Sequence
from math import fsum
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.accuracy import UNIT, Rounding
from numerics.checks import as_array
from numerics.potentials.atoms_and_density import MixtureLaw
from numerics.potentials.changes import change_within
from numerics.potentials.continuous_laws import continuous_law
from numerics.potentials.discrete import DiscreteLaw, discrete_law
from numerics.potentials.interval import Interval
from numerics.potentials.line_laws import Law
from numerics.potentials.line_solution import LineSolution, solve
from numerics.potentials.normal import Values
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.scipy_tails import moments
from numerics.potentials.solved_once import LastSolve, SolvedOnce
from numerics.potentials.spectral import real, refuse_where
from numerics.potentials.support_geometry import ManifoldGroup

_LINE = "T at a noise nearby, and its own rounding"


class LinePotential(SolvedOnce):
    r"""The potential of a law on the line, d = 1: everything follows from $T = Q∘Φ$ and $∂φ = T^{-1}$.

    prox solves λs + T(s) ∋ z for the noise s (line_solution.py); then u = z − λs clipped to [T(s−), T(s+)].
    So inside a jump of T, u is z − λs, not T(s). $\mathrm{prox}' = 1/(1+λφ'')$, K = 1/φ'', H = φ''.
    Normalisation: φ\*(0) = 0.

    Accuracy: T, T' and φ\* err as their law states (`line_laws` and its forms). With an error δ of s in
    ∂φ(x), φ(x) = sx − φ\*(s) misses its supremum by at most δ·|x − T(s)|, and has φ\*'s error and 3
    roundings. What the prox, its Jacobian and the envelope err by follows from the bracket of the noise.

    Args:
        law: The law.
        call: What ``repr`` prints.

    Attributes:
        law: As given.
    """

    dim = 1

    def __init__(self, law: Law, call: str) -> None:
        self.law, self._call = law, call
        self.scale = abs(law.mean) + law.deviation or 1.0
        self._low, self._high = law.cut
        self._first, self._last = (float(x) for x in law.transport(np.array(law.cut)))
        self._last_solve = LastSolve[LineSolution]()
        self._last_interval = LastSolve[tuple[Values, Values]]()

    def __repr__(self) -> str:
        return self._call

    def _stated(self, bound: Values, because: str) -> Rounding:
        """An a-posteriori statement, with what is not proved that the law rests on."""
        return Rounding.measured(bound, "; ".join(filter(None, (because, self.law.rests_on))))

    def _inner(self, s: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        return np.clip(s, self._low, self._high)

    def _map(self, s: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        return self.law.transport(self._inner(s))

    def _noise(self, point: Values) -> Values:
        """The middle of ∂φ inside the cut."""
        low, high = self._last_interval(self.law.interval, point)
        return (self._inner(low) + self._inner(high)) / 2

    def _noise_error(self, point: Values, s: Values) -> Values:
        """By how much the noise s of ``_noise`` errs where ∂φ is a point."""
        low, high = self._last_interval(self.law.interval, point)
        return np.where(low == high, self.law.interval_error(point, s), 0.0)

    def _value(self, x: Float[np.ndarray, "n 1"]) -> Float[np.ndarray, " n"]:
        """Fenchel–Young: φ(x) = sx − φ*(s) for s in ∂φ(x)."""
        point = np.clip(x[:, 0], self._first, self._last)
        s = self._noise(point)
        value = s * point - self.law.primitive(s)
        return np.where(np.abs(x[:, 0] - point) <= self._rounding, value, np.inf)

    def _value_rounding(self, x: Float[np.ndarray, "n 1"]) -> Rounding:
        point = np.clip(x[:, 0], self._first, self._last)
        s = self._noise(point)
        off = self._noise_error(point, s)
        missed = np.abs(point - self.law.transport(s)) + self.law.error(s)
        terms = np.abs(s * point) + np.abs(self.law.primitive(s))
        bound = off * missed + self.law.primitive_error(s) + 3 * UNIT * terms
        return self._stated(bound, "φ* by quadrature, and sx − φ*(s)")

    def _conjugate(self, x0: Inexact[np.ndarray, "n 1"]) -> Float[np.ndarray, " n"]:
        s = real("x0", x0)[:, 0]
        inner = self._inner(s)
        return self.law.primitive(inner) + (s - inner) * np.where(s > 0, self._last, self._first)

    def _conjugate_rounding(self, x0: Float[np.ndarray, "n 1"]) -> Rounding:
        """φ*'s inside the cut; beyond, the line's slope errs by T's error there, and 3 roundings."""
        s = x0[:, 0]
        inner = self._inner(s)
        beyond = np.abs(s - inner)
        line = beyond * (3 * UNIT * np.abs(self._map(s)) + self.law.error(inner))
        summed = np.where(beyond > 0, UNIT * np.abs(self._conjugate(x0)), 0.0)
        bound = self.law.primitive_error(inner) + np.where(beyond > 0, line, 0.0) + summed
        return self._stated(bound, "φ* by quadrature")

    def _transport(self, x0: Inexact[np.ndarray, "n 1"]) -> Float[np.ndarray, "n 1"]:
        return self._map(real("x0", x0)[:, 0])[:, None]

    def _transport_rounding(self, x0: Float[np.ndarray, "n 1"]) -> Rounding:
        return self._stated(self.law.error(self._inner(x0[:, 0])), _LINE)

    def _transport_jacobian(self, x0: Float[np.ndarray, "n 1"]) -> Float[np.ndarray, "n 1 1"]:
        s = x0[:, 0]
        slope = self.law.slope(self._inner(s))
        return np.where((s > self._low) & (s < self._high), slope, 0.0)[:, None, None]

    def _transport_jacobian_rounding(self, x0: Float[np.ndarray, "n 1"]) -> Rounding:
        s = x0[:, 0]
        inside = (s > self._low) & (s < self._high)
        return self._stated(np.where(inside, self.law.slope_error(self._inner(s)), 0.0), "T' of the law")

    def _conjugate_slope_within(
        self, x0: Float[np.ndarray, "n 1"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """The larger |T| of the ends, as T increases; each further out by what T itself errs by."""
        found = np.zeros(len(x0))
        for sign in (-1.0, 1.0):
            end = self._inner(x0[:, 0] + sign * radius)
            end = self._inner(end + sign * (2 * self.law.backward(end) + np.spacing(np.abs(end))))
            found = np.maximum(found, np.abs(self._map(end)) + self.law.forward(end))
        return found

    def _transport_change(
        self, x0: Float[np.ndarray, "n 1"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """The oscillation of T: it increases, and may jump."""
        s = x0[:, 0]
        here = self._map(s)
        return np.maximum(np.maximum(self._map(s + radius) - here, here - self._map(s - radius)), 0.0)

    def _transport_jacobian_change(
        self, x0: Float[np.ndarray, "n 1"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """To first order between corners of T, and the jump of T' at the corners within ``radius``.

        At its ends noise is off by ``backward``, beside a corner by what that errs by.
        """
        s, (corners, _) = x0[:, 0], self.law.corners(x0[:, 0])
        away = np.abs(corners - s[:, None])
        off = np.maximum(*(self.law.backward(self._inner(s + sign * radius)) for sign in (-1, 1)))
        reach = radius + off + 2 * np.spacing(np.abs(s))
        met = (away <= reach[:, None]) & (radius > 0)[:, None]
        free = np.where(met, np.inf, away).min(axis=1)
        smooth = change_within(self._transport_jacobian, x0, radius, np.minimum(np.abs(s), free / 2))
        rows, which = np.nonzero(met)
        corner, here = corners[rows, which], self._transport_jacobian(x0)[rows, 0, 0]
        apart, jump = np.maximum(radius[rows], np.spacing(np.abs(corner))), np.zeros(len(s))
        for beside in (corner - apart, corner + apart):
            there = self._transport_jacobian(beside[:, None])[:, 0, 0]
            np.maximum.at(jump, rows, np.abs(there - here))
        return smooth + jump

    # --- proximal maps ----------------------------------------------------------------------------

    def _solve(self, z: Inexact[np.ndarray, "n 1"], step: Float[np.ndarray, " n"]) -> LineSolution:
        return self._last_solve(lambda at, each: solve(self.law, at[:, 0], each), real("z", z), step)

    def _proximal_point(self, z: Float[np.ndarray, "n 1"], step: Float[np.ndarray, " n"]) -> ProximalPoint:
        found = self._solve(z, step)
        return ProximalPoint(
            z,
            step,
            found.point[:, None].copy(),
            envelope=lambda: found.envelope.copy(),
            jacobian=lambda: found.jacobian[:, None, None].copy(),
            kink=lambda: found.kink.copy(),
            errors=(
                lambda: self._stated(found.bound, "the bracket of the noise"),
                lambda: self._stated(found.envelope_bound, "φ* by quadrature, and the bracket, squared"),
                lambda: self._stated(found.jacobian_bound, "T' within the bracket of the noise"),
            ),
        )

    def _prox(self, z: Inexact[np.ndarray, "n 1"], step: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 1"]:
        return self._solve(z, step).point[:, None].copy()

    # --- geometry ---------------------------------------------------------------------------------

    def _subdifferential(self, x1: Float[np.ndarray, " 1"]) -> Interval:
        """[s−, s+]; it may reach further by what its ends err by, and by ∂φ within what x₁ and T err by.

        As with the domain, x₁ counts as an atom when rounding can have moved it off: the set is the atom's.
        """
        point = self._on_support(x1)
        low, high = self._last_interval(self.law.interval, point)
        s = self._noise(point)
        around = self.law.error(s) + UNIT * np.abs(point) + np.abs(point - x1) + self._coarseness
        lowest = self.law.interval(np.clip(point - around, self._first, self._last))[0]
        widest = self.law.interval(np.clip(point + around, self._first, self._last))[1]
        inner, outer = np.concatenate([low, high]), np.concatenate([lowest, widest])
        reached = np.abs(self._inner(inner) - self._inner(outer))
        own = self.law.interval_error(np.repeat(point, 2), inner)
        return Interval(
            float(low[0]), float(high[0]), float((reached + own).max()), float(abs(point - x1)[0])
        )

    def _on_support(self, x1: Float[np.ndarray, " 1"]) -> Float[np.ndarray, " 1"]:
        """The point of the hull, or the atom, that rounding can have moved to x1.

        Raises:
            ValueError: If x1 is off the hull by more.
        """
        point = np.clip(x1, self._first, self._last)
        if abs(point[0] - x1[0]) > self._rounding:
            raise ValueError(
                f"x1: {x1[0]} is outside the support's hull [{self._first}, {self._last}]; φ is +inf there"
            )
        away = np.abs(self.law.atoms - x1[0])
        if away.size and away.min() <= self._rounding:
            return self.law.atoms[away.argmin()][None]
        return point

    def _manifolds(
        self, x1: Float[np.ndarray, "n 1"], x0: Float[np.ndarray, "n 1"]
    ) -> Sequence[ManifoldGroup]:
        """A point, m = 0, at atoms; elsewhere the line itself, with H = φ''(x₁)."""
        away = np.abs(x1 - self._transport(x0))[:, 0]
        moved = Rounding(np.abs(x0[:, 0]), 2, "x0 as it was given")
        limit = self._transport_rounding(x0) + self._domain_rounding(x1)
        limit = limit.bound + self._transport_change(x0, moved.bound) + self._coarseness
        refuse_where(away > limit, "x1", "is not T(x0); pass transport(x0)")
        noise = x0[:, 0]  # not x1: an isometry's rounding moves an atom off itself
        curvature = self.law.curvature(self._map(noise), self._inner(noise))
        atoms = np.flatnonzero(np.isinf(curvature))
        rest = np.flatnonzero(np.isfinite(curvature))
        groups = [
            ManifoldGroup(atoms, np.zeros((len(atoms), 1, 0)), np.zeros((len(atoms), 0, 0))),
            ManifoldGroup(rest, np.ones((len(rest), 1, 1)), curvature[rest, None, None]),
        ]
        return [group for group in groups if len(group.rows)]


class Quantile(LinePotential):
    r"""A frozen scipy law with finite second moment, continuous or discrete.

    Accuracy: proved for laws in closed form (`closed_laws`), finite lists and the normal law, from counted
    roundings. Where a law rests on tails of SciPy the reason of its rounding says so, for what those err by
    is measured: gamma, beta, t, truncnorm and what is a map of them by counts that tests hold against
    40 digits, shapes up to 100; lattices as `discrete_tails.lattice_tails` says. Of other laws the
    density is integrated (density_tails.py), so that the law is what its density says; where it has none, or
    one that does not resolve quantiles, its probabilities are compared at birth with it or with their own
    differences (scipy_tails.py). A density is taken to be continuous between the ends of the support, else
    `kink` and the Jacobians near a jump are wrong.

    The law is cut at noise ±20 (probability 3e−89), or before, where SciPy does not resolve its quantiles:
    see ``cut``. φ is +inf beyond T there.

    Attributes:
        distribution: As given.
        cut: The noise at which the law is cut, lower and upper.

    Args:
        distribution: E.g. ``scipy.stats.expon()``, ``stats.poisson(3)`` or ``stats.rv_discrete(values=…)``.

    Raises:
        ValueError: If it is no frozen scipy law, its second moment isn't finite, its quantiles aren't finite,
            fall, or aren't resolved up to noise 4, it is a point, or it has more than 2²⁰ atoms.

    Example:
        >>> from scipy import stats
        >>> Quantile(stats.uniform(1, 2)).transport([[0.0]]).tolist()  # the median of [1, 3]
        [[2.0]]
    """

    def __init__(self, distribution: Any) -> None:
        self.distribution = distribution
        call = f"Quantile({_call(distribution)})"
        _check_second_moment(distribution)
        law: Law = (
            discrete_law(distribution) if hasattr(distribution, "pmf") else continuous_law(distribution)
        )
        super().__init__(law, call)
        self.cut = law.cut

    def conic(self, u: Any) -> tuple[Any, list[Any]] | None:
        """For a discrete law φ(u) = min Σ w_i g_i over weights with Σ w_i y_i = u; else None."""
        if not isinstance(self.law, DiscreteLaw):
            return None
        import cvxpy as cp

        weights = cp.Variable((u.shape[0], len(self.law.atoms)), nonneg=True)
        on_atoms = [weights @ self.law.atoms[:, None] == u, cp.sum(weights, axis=1) == 1]
        return weights @ self.law.heights, on_atoms


class AtomAndDensity(LinePotential):
    """A mixture on the line: atoms with weights, the rest of the mass a continuous scipy law.

    Accuracy: `MixtureLaw`. With little mass left to the density, T moves fast with the noise, and so does
    what it errs by.

    Args:
        atoms: (k,) increasing.
        weights: (k,) positive, of sum less than 1.
        distribution: A frozen continuous law with finite second moment, positive density on its support.

    Raises:
        ValueError: If atoms don't increase, weights aren't positive or sum to 1 or more, or the law is
            refused by `Quantile` or discrete.

    Example:
        >>> from scipy import stats
        >>> law = AtomAndDensity([0.0], [0.5], stats.uniform(-1, 2))  # the atom takes the noise up to ±0.674
        >>> law.transport([[-0.6], [0.6]]).tolist()
        [[0.0], [0.0]]
    """

    def __init__(self, atoms: ArrayLike, weights: ArrayLike, distribution: Any) -> None:
        self.atoms = np.atleast_1d(as_array("atoms", atoms, ndim=(0, 1)))
        self.weights = np.atleast_1d(as_array("weights", weights, ndim=(0, 1)))
        if len(self.atoms) != len(self.weights):
            raise ValueError(f"weights: got {len(self.weights)} for {len(self.atoms)} atoms; give one each")
        if not (np.diff(self.atoms) > 0).all():
            raise ValueError(f"atoms: got {self.atoms.tolist()}; they must increase")
        if not (self.weights > 0).all() or fsum([1.0, *(-self.weights)]) <= 0:
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
    variance = moments(distribution)[1] ** 2
    if not np.isfinite(variance):
        raise ValueError(f"distribution: its variance is {variance}; optimal transport needs a second moment")
    if variance == 0:
        raise ValueError("distribution: its variance is 0; use FiniteAtoms for a single point")
