"""Exact trajectories with the support's geometry at their ends, and Dv_t on them by two routes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.accuracy import Rounding
from numerics.potentials import Potential
from numerics.schedules import Linear, Polynomial, Schedule, Trigonometric, VariancePreserving
from theorems.setting.clarke import distance_to_hull, jacobians_around, through_larger_step
from theorems.setting.draws import affordable
from theorems.setting.interpolant import Interpolant, coefficients
from theorems.setting.roundings import hessian_rounding
from theorems.setting.vectors import frobenius, norm

Array = NDArray[np.float64]
HYPERBOLIC: tuple[Schedule, ...] = (
    Linear(),
    Polynomial(0.5),
    Polynomial(2.5),
    Trigonometric(),
    VariancePreserving(),
)
"""Schedules with γ = 1, p, 1 and 1/2."""
_SAYS_NOTHING = 1e-3
"""A statement of D prox, whose norm is at most 1, that lets another face pass."""


@dataclass(frozen=True)
class Bundle:
    """Trajectories that end on strata of one dimension m.

    Attributes:
        x0: (k,d) noise.
        x1: (k,d) data.
        tangent: (k,d,m) orthonormal.
        hessian: (k,m,m), H.
    """

    x0: Array
    x1: Array
    tangent: Array
    hessian: Array

    @property
    def dimension(self) -> int:
        """Dimension m."""
        return int(self.tangent.shape[2])

    def take(self, rows: NDArray[np.intp]) -> "Bundle":
        """Some of the trajectories."""
        return Bundle(self.x0[rows], self.x1[rows], self.tangent[rows], self.hessian[rows])

    def spread(self, on_tangent: Array, off_tangent: float | Array) -> Array:
        """The matrices T·A·Tᵀ + c·P_N for A (k,m,m)."""
        flipped = self.tangent.transpose(0, 2, 1)
        normal = np.eye(self.x0.shape[1]) - self.tangent @ flipped
        return np.asarray(self.tangent @ on_tangent @ flipped + off_tangent * normal)


def bundles(target: Potential, n: int, rng: np.random.Generator) -> Iterator[Bundle]:
    """N exact trajectories, or as many as are `affordable`; one bundle for each dimension of the support."""
    x0, x1 = target.sample(affordable(n, target.dim), rng)
    for group in target.manifolds(x1, x0):
        yield Bundle(x0[group.rows], x1[group.rows], group.tangent, group.hessian)


def field_jacobian(bundle: Bundle, schedule: Schedule, remaining: float) -> Array:
    """H1: (α̇/α)P_N + T(α̇H + β̇)(αH + β)⁻¹Tᵀ, which is (α̇+β̇κ)/(α+βκ) with κ = 1/h; no 1/α on T."""
    alpha, beta, fall, rise = coefficients(schedule, remaining)
    eye = np.eye(bundle.dimension)
    inner = np.linalg.solve(alpha * bundle.hessian + beta * eye, fall * bundle.hessian + rise * eye)
    return bundle.spread(np.asarray(inner, dtype=np.float64), fall / alpha)


def bend(target: Potential, z: Array, u: Array) -> Array:
    """Length over which prox bends around z, for the widths of differences."""
    return np.asarray(np.minimum(target.scale, norm(z - u) + 1e-3 * target.scale))


@dataclass(frozen=True)
class Compared:
    """Dv_t(x_t) through the prox beside H1's formula.

    Attributes:
        error: (k,) Frobenius distance; at kinks that of the formula from the set of Jacobians around x_t.
        rounding: What both err by.
        at_kinks: At how many points the rounding of x_t reaches a kink of prox.
        unknown: At how many of these D prox is not known at all, so that nothing could be refuted.
    """

    error: Array
    rounding: Rounding
    at_kinks: int
    unknown: int


def compared(
    target: Potential,
    bundle: Bundle,
    schedule: Schedule,
    remaining: float,
    found: Array | None = None,
    factor: float = 1.0,
) -> Compared:
    """Dv_t along trajectories, by `ExactField.jacobian` and by `field_jacobian`.

    Where rounding may carry x_t across a change of face nobody can say which D prox is meant: there the
    formula's D prox must lie in the hull of those around x_t (Clarke), and Dv = (α̇/α)I + (β̇/β − α̇/α)J.

    Args:
        target: φ.
        bundle: The trajectories.
        schedule: (α, β).
        remaining: 1 − t.
        found: Dv_t(x_t) (k,d,d) by another route, in place of `ExactField.jacobian`.
        factor: That route errs by so many times what the field states of its Jacobian.
    """
    at = Interpolant(target, schedule, bundle.x0, remaining)
    inner = np.asarray(np.linalg.inv(np.eye(bundle.dimension) + at.step * bundle.hessian), dtype=np.float64)
    formula = field_jacobian(bundle, schedule, remaining), bundle.spread(inner, 0.0)
    of_formula = formula_rounding(target, bundle, schedule, remaining)
    return _compared(at, *formula, of_formula, found, factor)


def compared_with_k(target: Potential, x0: Array, schedule: Schedule, remaining: float) -> Compared:
    """The same with K = DT(x₀) in place of the support's geometry: (α̇I + β̇K)(αI + βK)⁻¹, for every target.

    An error ρ of K, with that of its eigenvectors, moves the quotient by its slope in κ, which is largest at
    the least κ.
    """
    at = Interpolant(target, schedule, x0, remaining)
    alpha, beta, fall, rise = at.coefficients
    kernel = target.transport_jacobian(x0)
    kappa, axes = np.linalg.eigh((kernel + kernel.transpose(0, 2, 1)) / 2)
    kappa = np.maximum(kappa, 0.0)
    whole, flipped = alpha + beta * kappa, axes.transpose(0, 2, 1)
    field, prox = (
        axes * (part / whole)[:, None, :] @ flipped for part in (fall + rise * kappa, beta * kappa)
    )
    own = Rounding(frobenius(kernel), 16 * target.dim, "eigenvectors of K")
    stated = target.roundings.transport_jacobian(x0) + own
    least = alpha + beta * np.maximum(kappa[:, 0] - stated.bound, 0.0)
    of_kernel = stated.amplified(abs(fall * beta - rise * alpha) / least**2, "K in the formula")
    size = (abs(fall) / alpha + abs(rise) / beta) * np.sqrt(target.dim)
    return _compared(at, field, prox, of_kernel + Rounding(size, 4 * target.dim + 8, "products"))


def _compared(
    at: Interpolant,
    field: Array,
    prox: Array,
    of_formula: Rounding,
    found: Array | None = None,
    factor: float = 1.0,
) -> Compared:
    """Dv_t and, at kinks, D prox beside their formulas (k,d,d)."""
    alpha, beta, fall, rise = at.coefficients
    target, r = at.target, at.remaining
    found = at.field.jacobian(None, at.xt, remaining=r) if found is None else found
    error = frobenius(found - field)
    # x₁ enters x_t and the tangent and H at x₁: an error of it counts in both.
    stated = at.field.roundings.jacobian(None, at.xt, remaining=r, moved=2 * at.of_path.bound)
    rounding = np.broadcast_to((stated.amplified(factor) + of_formula).bound, error.shape).copy()
    kinks, unknown = np.flatnonzero(at.solved.kink <= 2 * at.of_argument.bound), 0
    if kinks.size:
        rate = rise / beta - fall / alpha
        off, own = from_the_set(target, (at.x0, at.z), at.step, 2 * at.of_argument.bound, prox, kinks)
        unknown = int((own >= 1).sum())
        error[kinks] = rate * off
        rounding[kinks] = rate * own + np.broadcast_to(of_formula.bound, error.shape)[kinks]
    return Compared(error, Rounding.measured(rounding, stated.because), len(kinks), unknown)


def from_the_set(
    target: Potential,
    pairs: tuple[Array, Array],
    step: float,
    radius: Array,
    prox: Array,
    kinks: NDArray[np.intp],
) -> tuple[Array, Array]:
    """Distance of a formula for D prox (k,d,d) from the set of Jacobians around z, at the rows ``kinks``.

    Where those of doubles around z do not hold it, or D prox(z) is stated as one of several, it must be that
    at the exact z, had from a larger step: pieces of prox may lie between two doubles.

    Args:
        target: φ.
        pairs: The noise x₀ and z (n,d).
        step: λ.
        radius: (n,) what z is off by.
        prox: The formula's (n,d,d).
        kinks: Rows.

    Returns:
        That distance, or a greater one where least squares miss the nearest member, and what it errs by.
    """
    x0, z = (part[kinks] for part in pairs)
    around = jacobians_around(target, z, step, radius[kinks], np.random.default_rng(0))
    # What is computed is the distance of one member Σw_iJ_i, so its own rounding is all that can be missing:
    # that of J_i − prox, of k products and sums and of a length. All J lie between 0 and I.
    formed = Rounding(np.sqrt(target.dim), around.shape[1] + target.dim**2 + 8, "a member of the hull")
    own = np.broadcast_to((target.roundings.prox_jacobian(z, step) + formed).bound, (len(z),)).copy()
    off = distance_to_hull(around, prox[kinks])
    rest = np.flatnonzero((off > own) | (own > _SAYS_NOTHING))
    if rest.size:
        exact, bound = through_larger_step(target, x0[rest], target.transport(x0[rest]), step)
        told = (bound < own[rest]) | (np.isfinite(bound) & (off[rest] > own[rest]))
        off[rest[told]] = frobenius(exact - prox[kinks][rest])[told]
        own[rest[told]] = bound[told]
    return off, own


def formula_rounding(target: Potential, bundle: Bundle, schedule: Schedule, remaining: float) -> Rounding:
    """Of `field_jacobian`: H's error, (α̇h+β̇)/(αh+β) having slope (α̇β − β̇α)/(αh+β)² in h, and its own.

    The slope is largest at the least h that H may have.
    """
    alpha, beta, fall, rise = coefficients(schedule, remaining)
    least = np.linalg.eigvalsh(bundle.hessian).min(axis=1, initial=np.inf)
    stated = hessian_rounding(target, bundle.x0, bundle.hessian)
    slope = abs(fall * beta - rise * alpha) / (alpha * np.maximum(least - stated.bound, 0.0) + beta) ** 2
    of_hessian = stated.amplified(slope, "H in the formula")
    size = (abs(fall) / alpha + abs(rise) / beta) * np.sqrt(target.dim)
    return of_hessian + Rounding(
        np.full(len(bundle.x0), size), 4 * target.dim + 8, "products with the tangents"
    )


def smooth_radius(target: Potential, x0: Array) -> Array:
    """How far the noise x0 (n,d) may move within its smooth piece of T.

    While it does, z = T(x₀) + x₀ moves by at most 1 + ‖K‖ times that, to first order, and prox has no kink
    there as long as that is less than the distance of z to the nearest one; half of it, for second order.
    """
    data = target.transport(x0)
    kink = target.proximal_point(data + x0, 1.0).kink
    stretch = np.linalg.norm(target.transport_jacobian(x0), ord=2, axis=(1, 2))
    return np.asarray(kink / (2 * (1 + stretch)))
