r"""Degenerate Gaussians: $P_1 = N(b, Σ)$ with any rank (theory.md §4.2, family 3)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.accuracy import EPS, UNIT, Rounding
from numerics.checks import as_array, as_points, symmetric_matrix
from numerics.geometry import norms
from numerics.potentials.base import ManifoldGroup, Potential, Subdifferential
from numerics.symmetric import symmetric_frame


class DegenerateGaussian(Potential):
    r"""$T(x_0) = Σ^{1/2}x_0 + b$ and $φ(x) = ½(x-b)^⊤(Σ^{1/2})^+(x-b) + δ_{b+\mathrm{range}\,Σ}(x)$.

    M is the affine subspace b + range Σ. Variances up to d·eps times the largest count as 0: they are set to
    0, and the law is the one so made.

    Accuracy (`roundings`): Σ = V diag(σ²) Vᵀ is known as `symmetric_frame` states; a product with V rounds
    d + 1 times each term of Σ|V||x|, its own entries' rounding included; σ rounds twice. With moduli
    q = (|x₀||V|)σ the two products of T err by 2d + 5 roundings of |q||V|ᵀ, and the sum with b by one of |T|.
    prox and the Jacobians likewise, with σ/(σ+λ) for σ, three roundings more. φ, φ* and the envelope
    ½Σ w_i²/(σ_i+λ) are quadratic forms: an error e_i of w_i costs |w_i|e_i + e_i²/2 times the weight. From
    order 9 on, Σ is off by a matrix E, and Σ^{1/2} by ‖E‖/σ_min over the deviations that are not 0.

    Args:
        mean: (d,), b.
        covariance: (d,d), Σ, symmetric positive semidefinite.

    Raises:
        ValueError: If a shape is wrong, an entry isn't finite, or Σ isn't symmetric semidefinite.
    """

    def __init__(self, mean: ArrayLike, covariance: ArrayLike) -> None:
        self.mean = as_array("mean", mean, ndim=1).real
        self.covariance = symmetric_matrix("covariance", covariance, definite=False)
        self.dim = len(self.mean)
        if len(self.covariance) != self.dim:
            raise ValueError(f"covariance: got {self.covariance.shape} for a mean of length {self.dim}")
        frame = symmetric_frame(self.covariance)
        variances, self._axes = frame.values, frame.axes
        negligible = variances <= self.dim * EPS * max(variances[-1], 0.0)
        self._deviations = np.sqrt(np.where(negligible, 0.0, variances))
        self._rank = int((self._deviations > 0).sum())
        self._moduli = np.abs(self._axes)
        least = self._deviations[self._deviations > 0].min(initial=np.inf)
        self._root_error = frame.backward / float(least)
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

    def _turned(self, x: Float[np.ndarray, "n d"]) -> tuple[np.ndarray, np.ndarray]:
        """|w| and the errors of w = Vᵀx, entry by entry."""
        return np.abs(x @ self._axes), (self.dim + 1) * UNIT * (np.abs(x) @ self._moduli)

    def _back(self, x: Float[np.ndarray, "n d"], weights: Float[np.ndarray, "... d"]) -> np.ndarray:
        """Length of the moduli of V diag(weights) Vᵀx."""
        return norms(((np.abs(x) @ self._moduli) * weights) @ self._moduli.T)

    def _form_rounding(self, x: Float[np.ndarray, "n d"], weights: Float[np.ndarray, "... d"]) -> Rounding:
        """Of ½Σ weights·w²: what w errs by, and d + 6 roundings of the sum."""
        w, error = self._turned(x)
        moved = ((w * error + error**2 / 2) * weights).sum(axis=1)
        own = Rounding((w**2 * weights).sum(axis=1) / 2, self.dim + 6, "a quadratic form of d terms")
        return Rounding.measured(moved, "products with the axes") + own

    def _transport_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        products = Rounding(self._back(x0, self._deviations), 2 * self.dim + 5, "two products with the axes")
        added = Rounding(norms(self._transport(x0)), 1, "the mean is added")
        return products + added + Rounding.measured(self._root_error * norms(x0), "the factors of Σ")

    def _transport_jacobian_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        return self._matrix_rounding(len(x0), self._deviations, self.dim + 5)

    def _matrix_rounding(self, n: int, weights: Float[np.ndarray, "... d"], count: int) -> Rounding:
        """Of V diag(weights) Vᵀ."""
        size = np.linalg.norm((self._moduli * weights[..., None, :]) @ self._moduli.T, axis=(-2, -1))
        whole = Rounding(np.broadcast_to(size, (n,)), count, "two products with the axes")
        backward = np.sqrt(self.dim) * self._root_error
        return whole + Rounding.measured(np.full(n, backward), "the factors of Σ")

    def _prox_rounding(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> Rounding:
        shrink, centred = self._deviations / (self._deviations + step[:, None]), z - self.mean
        products = Rounding(self._back(centred, shrink), 2 * self.dim + 8, "two products with the axes")
        sums = Rounding(norms(self._prox(z, step)) + norms(centred), 1, "the mean is taken off and added")
        backward = self._root_error / (self._deviations[-1] + step) * norms(centred)
        return products + sums + Rounding.measured(backward, "the factors of Σ")

    def _prox_jacobian_rounding(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> Rounding:
        shrink = self._deviations / (self._deviations + step[:, None])
        return self._matrix_rounding(len(z), shrink, self.dim + 8)

    def _envelope_rounding(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> Rounding:
        weights, centred = 1 / (self._deviations + step[:, None]), z - self.mean
        taken = Rounding(norms(centred) * self._steepest(centred, weights), 1, "the mean is taken off")
        return self._form_rounding(centred, weights) + taken

    def _steepest(self, x: Float[np.ndarray, "n d"], weights: Float[np.ndarray, "... d"]) -> np.ndarray:
        """Length of the gradient of ½Σ weights·w²."""
        return norms((x @ self._axes) * weights)

    def _value_rounding(self, x: Float[np.ndarray, "n d"]) -> Rounding:
        inverse = np.divide(1.0, self._deviations, out=np.zeros(self.dim), where=self._deviations > 0)
        centred = x - self.mean
        taken = Rounding(norms(centred) * self._steepest(centred, inverse), 1, "the mean is taken off")
        return self._form_rounding(centred, inverse) + taken

    def _conjugate_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        linear = Rounding(np.abs(x0) @ np.abs(self.mean), self.dim + 1, "⟨x₀, b⟩ and the sum")
        own = Rounding((self._turned(x0)[0] ** 2 * self._deviations).sum(axis=1) / 2, 1, "the sum")
        return self._form_rounding(x0, self._deviations) + linear + own

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
        spread = potential._deviations[curved]
        condition = 1 + potential.scale / spread.min() if spread.size else 1.0
        # x₁, two products away from its noise, and one more product here: 3d + 10 roundings.
        self.rounding = (3 * potential.dim + 10) * EPS * float(condition)

    @property
    def dimension(self) -> int:
        return self._dim - self._range.shape[1]

    def distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        return np.linalg.norm(as_points("x0", x0, self._dim) @ self._range - self._centre, axis=1)

    def boundary_distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        return np.full(len(as_points("x0", x0, self._dim)), np.inf)
