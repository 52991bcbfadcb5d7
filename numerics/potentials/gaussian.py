r"""Degenerate Gaussians: $P_1 = N(b, Σ)$ with any rank (docs/theory.md §4.2, family 3)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.accuracy import EPS, UNIT, Rounding
from numerics.checks import as_array, as_points, symmetric_matrix
from numerics.geometry import norms
from numerics.potentials.base import Potential
from numerics.potentials.support_geometry import ManifoldGroup, Subdifferential
from numerics.potentials.traits import Traits
from numerics.symmetric import symmetric_frame

Points = Float[np.ndarray, "n d"]
Weights = Float[np.ndarray, "... d"]
_CUT = "variances below d·eps of the largest are cut"


class DegenerateGaussian(Potential):
    r"""$T(x_0) = Σ^{1/2}x_0 + b$ and $φ(x) = ½(x-b)^⊤(Σ^{1/2})^+(x-b) + δ_{b+\mathrm{range}\,Σ}(x)$.

    M is the affine subspace b + range Σ. Variances up to d·eps times the largest count as 0 and are cut: a
    covariance formed in doubles has such where it is meant to have none.

    Accuracy (`roundings`), with u = eps/2, for Σ = V diag(σ²) Vᵀ, whose σ² and V are rounded once
    (`symmetric_frame`), so that σ errs by 1.5u relatively. w = Vᵀx errs by e = (d+1)u·|x||V|, entry by entry;
    a product back by (d+1)u·|V||·|; neither rounds where Σ is diagonal. V being orthogonal, what an
    entry of w errs by costs no more in Vw. So T errs by |σe| + 2.5u|σw| + (d+1)u||V||σw|| and one rounding of
    |T| for the sum with b; prox likewise with σ/(σ+λ) for σ, 4.5u, and e of z − b, one rounding more.
    K = V diag(σ) Vᵀ errs by (d+4.5)u·|V|diag(σ)|V|ᵀ, D prox by (d+6.5)u of the like.
    φ, φ* and the envelope, ½Σ w_i²/(σ_i+λ), are quadratic forms with weights: e_i costs (|w_i| + e_i/2)e_i
    times the weight, and the sum d + 3.5 roundings of itself.
    What is cut is in the statement: T errs by |τw| beside, τ the root of the variances cut, prox by τ/(τ+λ)
    of w, the forms by the cut axes' terms. An exact kernel has τ < 2**−115 of the largest σ, so that it
    costs nothing; φ speaks of the nearest point of M.
    The worst seen of T, prox and K is a third to a tenth of the bound: terms that are added seldom align.

    Args:
        mean: (d,), b.
        covariance: (d,d), Σ, symmetric positive semidefinite.

    Raises:
        ValueError: If a shape is wrong, an entry isn't finite, or Σ isn't symmetric semidefinite.

    Example:
        >>> law = DegenerateGaussian([1.0, 2.0], [[4.0, 0.0], [0.0, 0.0]])  # a line; Σ^{1/2} = diag(2, 0)
        >>> law.transport([[1.0, 5.0]]).tolist()
        [[3.0, 2.0]]
        >>> law.prox([[4.0, 9.0]], 1.0).tolist()  # 1 + (4 − 1)·2/(2 + 1), on the line
        [[3.0, 2.0]]
    """

    _traits = Traits(analytic=True)

    def __init__(self, mean: ArrayLike, covariance: ArrayLike) -> None:
        self.mean = as_array("mean", mean, ndim=1)
        self.covariance = symmetric_matrix("covariance", covariance, definite=False)
        self.dim = len(self.mean)
        if len(self.covariance) != self.dim:
            raise ValueError(f"covariance: got {self.covariance.shape} for a mean of length {self.dim}")
        frame = symmetric_frame(self.covariance)
        variances, self._axes = frame.values, frame.axes
        negligible = variances <= self.dim * EPS * max(variances[-1], 0.0)
        self._deviations = np.sqrt(np.where(negligible, 0.0, variances))
        self._cut = np.sqrt(np.where(negligible, np.abs(variances), 0.0))
        self._rank = int((self._deviations > 0).sum())
        self._moduli = np.abs(self._axes)
        self._products = 0.0 if frame.exact else self.dim + 1.0
        self.scale = float(np.linalg.norm(self.mean) + self._deviations[-1]) or 1.0

    def __repr__(self) -> str:
        return f"DegenerateGaussian({self.mean.tolist()}, {self.covariance.tolist()})"

    def _value(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        w = (x - self.mean) @ self._axes
        flat = self._deviations == 0
        off = np.linalg.norm(w[:, flat], axis=1)
        rounding = self._rounding + 16 * self.dim * EPS * np.linalg.norm(x, axis=1)
        quadratic = (w[:, ~flat] ** 2 / self._deviations[~flat]).sum(axis=1) / 2
        return np.where(off <= rounding, quadratic, np.inf)

    def _conjugate(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, " n"]:
        return ((x0 @ self._axes) ** 2 * self._deviations).sum(axis=1) / 2 + x0 @ self.mean

    def _transport(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, "n d"]:
        return ((x0 @ self._axes) * self._deviations) @ self._axes.T + self.mean

    def _transport_jacobian(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d d"]:
        root = (self._axes * self._deviations) @ self._axes.T
        return np.broadcast_to(root, (len(x0), self.dim, self.dim)).copy()

    def _prox(
        self, z: Inexact[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Inexact[np.ndarray, "n d"]:
        shrink = self._deviations / (self._deviations + step[:, None])
        return (((z - self.mean) @ self._axes) * shrink) @ self._axes.T + self.mean

    def _prox_jacobian(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n d d"]:
        shrink = self._deviations / (self._deviations + step[:, None])
        return np.einsum("ik,nk,jk->nij", self._axes, shrink, self._axes)

    def _envelope(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """½Σ w_i²/(σ_i + λ), flat axes included, whose σ is 0."""
        w = (z - self.mean) @ self._axes
        return (w**2 / (self._deviations + step[:, None])).sum(axis=1) / 2

    # --- accuracy ---------------------------------------------------------------------------------

    def _kink(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """None: prox is affine."""
        return np.full(len(z), np.inf)

    def _transport_jacobian_change(
        self, x0: Float[np.ndarray, "n d"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        return np.zeros(len(x0))

    def _prox_jacobian_change(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        return np.zeros(len(z))

    def _turned(self, x: Points, more: float = 0.0) -> tuple[Points, Points]:
        """|w| for w = Vᵀx, and what its entries err by, x itself being rounded ``more`` times."""
        return np.abs(x @ self._axes), (self._products + more) * UNIT * (np.abs(x) @ self._moduli)

    def _map_rounding(self, w: Points, e: Points, weights: Weights, count: float, cut: Weights) -> Rounding:
        """Of V(weights·w): weights and their product round ``count`` times; ``cut`` are those of cut axes."""
        turned = Rounding.measured(norms(weights * e), "products with the axes")
        weighed = Rounding(norms(weights * w), count, "weights of the axes")
        back = Rounding(norms((weights * w) @ self._moduli.T), self._products, "products with the axes")
        return turned + weighed + back + Rounding.measured(norms(cut * (w + e)), _CUT)

    def _matrix_rounding(self, n: int, weights: Weights, count: float, cut: Weights) -> Rounding:
        """Of V diag(weights) Vᵀ, with ``count`` roundings an entry."""
        size = np.linalg.norm((self._moduli * weights[..., None, :]) @ self._moduli.T, axis=(-2, -1))
        return Rounding(np.broadcast_to(size, (n,)), count, "products with the axes") + Rounding.measured(
            np.broadcast_to(norms(cut), (n,)), _CUT
        )

    def _form_rounding(self, w: Points, e: Points, weights: Weights, cut: Weights) -> Rounding:
        """Of ½Σ weights·w²."""
        turned = Rounding.measured(((w + e / 2) * e * weights).sum(axis=1), "products with the axes")
        own = Rounding((w**2 * weights).sum(axis=1) / 2, self.dim + 3.5, "a quadratic form")
        return turned + own + Rounding.measured(((w + e) ** 2 * cut).sum(axis=1) / 2, _CUT)

    def _transport_rounding(self, x0: Points) -> Rounding:
        products = self._map_rounding(*self._turned(x0), self._deviations, 2.5, self._cut)
        return products + Rounding(norms(self._transport(x0)), 1, "the mean is added")

    def _transport_jacobian_rounding(self, x0: Points) -> Rounding:
        count = self._products + 3.5
        return self._matrix_rounding(len(x0), self._deviations, count, self._cut)

    def _conjugate_rounding(self, x0: Points) -> Rounding:
        w, e = self._turned(x0)
        linear = Rounding(np.abs(x0) @ np.abs(self.mean), self.dim, "⟨x₀, b⟩")
        added = Rounding(np.abs(self._conjugate(x0)), 1, "the sum with ⟨x₀, b⟩")
        return self._form_rounding(w, e, self._deviations, self._cut) + linear + added

    def _value_rounding(self, x: Points) -> Rounding:
        inverse = np.divide(1.0, self._deviations, out=np.zeros(self.dim), where=self._deviations > 0)
        return self._form_rounding(*self._turned(x - self.mean, 1), inverse, np.zeros(self.dim))

    def _shrinking(self, step: Float[np.ndarray, " n"]) -> tuple[Points, Points]:
        """σ/(σ+λ), and τ/(τ+λ) on the axes that are cut."""
        kept, cut = self._deviations, self._cut
        return kept / (kept + step[:, None]), cut / (cut + step[:, None])

    def _prox_rounding(self, z: Points, step: Float[np.ndarray, " n"]) -> Rounding:
        shrink, cut = self._shrinking(step)
        products = self._map_rounding(*self._turned(z - self.mean, 1), shrink, 4.5, cut)
        return products + Rounding(norms(self._prox(z, step)), 1, "the mean is added")

    def _prox_jacobian_rounding(self, z: Points, step: Float[np.ndarray, " n"]) -> Rounding:
        shrink, cut = self._shrinking(step)
        return self._matrix_rounding(len(z), shrink, self._products + 5.5, cut)

    def _envelope_rounding(self, z: Points, step: Float[np.ndarray, " n"]) -> Rounding:
        weights = 1 / (self._deviations + step[:, None])
        cut = self._shrinking(step)[1] * weights
        return self._form_rounding(*self._turned(z - self.mean, 1), weights, cut)

    # --- geometry ---------------------------------------------------------------------------------

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> "_Fibre":
        if not np.isfinite(self._value(x1[None])[0]):
            raise ValueError(f"x1: {x1.tolist()} is not in the support's affine hull; φ is +inf there")
        return _Fibre(self, x1)

    def _manifolds(
        self, x1: Float[np.ndarray, "n d"], x0: Float[np.ndarray, "n d"]
    ) -> Sequence[ManifoldGroup]:
        curved = self._deviations > 0
        n, m = len(x1), self._rank
        tangent = np.broadcast_to(self._axes[:, curved], (n, self.dim, m))
        hessian = np.broadcast_to(np.diag(1 / self._deviations[curved]), (n, m, m))
        return [ManifoldGroup(np.arange(n), tangent, hessian)]

    def conic(self, u: Any) -> tuple[Any, list[Any]]:
        """Weighted squares along the axes of Σ, and an equation for every flat axis."""
        import cvxpy as cp

        curved = self._deviations > 0
        centred = u - np.tile(self.mean, (u.shape[0], 1))
        whitened = centred @ (self._axes[:, curved] / np.sqrt(self._deviations[curved]))
        value = cp.sum(cp.square(whitened), axis=1) / 2 if self._rank else np.zeros(u.shape[0])
        flat = self._axes[:, ~curved]
        return value, [centred @ flat == 0] if flat.size else []


class _Fibre(Subdifferential):
    """∂φ(x₁) = (Σ^{1/2})⁺(x₁ − b) + ker Σ: an affine subspace, without relative boundary."""

    def __init__(self, potential: DegenerateGaussian, x1: Float[np.ndarray, " d"]) -> None:
        curved = potential._deviations > 0
        self._range = potential._axes[:, curved]
        self._centre = ((x1 - potential.mean) @ self._range) / potential._deviations[curved]
        self._dim = potential.dim
        # x₁ is two products away from its noise, 2d + 5.5 roundings of moduli, which sum to √d|x₀| at most,
        # and one of |x₁|; divided by the least σ they come back. Then d + 2 for w, and as many for x₀'s own.
        spread = potential._deviations[curved]
        condition_number = 1 + potential.scale / spread.min() if spread.size else 1.0
        count = np.sqrt(potential.dim) * (4 * potential.dim + 10.5)
        self.rounding = float(Rounding(condition_number, count, "x₁, and products with the axes").bound)

    @property
    def dimension(self) -> int:
        return self._dim - self._range.shape[1]

    def distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        return np.linalg.norm(as_points("x0", x0, self._dim) @ self._range - self._centre, axis=1)

    def boundary_distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        return np.full(len(as_points("x0", x0, self._dim)), np.inf)
