r"""What the projection on an ellipsoid errs by, from the very multiplier that was found.

In the axes of A: $u_i = a_i w_i/(a_i+μ)$, μ ≥ 0 the root of $f(μ) = Σ a_i w_i^2/(a_i+μ)^2 = 1$, or 0 inside.
The derivations are in `Ellipsoid`.
"""

from functools import cached_property

import numpy as np
from jaxtyping import Float, Inexact

from numerics.accuracy import EPS, UNIT, Rounding
from numerics.geometry import norms

Points = Float[np.ndarray, "n d"]
Numbers = Float[np.ndarray, " n"]
_DOUBLINGS = 80


def secular(
    squares: Float[np.ndarray, " d"], w: Inexact[np.ndarray, "n d"], mu: Numbers
) -> tuple[Inexact[np.ndarray, " n"], Inexact[np.ndarray, " n"]]:
    """f(μ) and f'(μ), the latter −1 where w = 0."""
    shifted = squares + mu[:, None]
    terms = squares * (w / shifted) ** 2
    slope = -2 * (terms / shifted).sum(axis=1)
    return terms.sum(axis=1), np.where(slope == 0, -1.0, slope)


class EllipsoidSolve:
    """One solved batch: Jacobians in the axes of A, the kink, and the statements.

    Args:
        squares: (d,) a, increasing.
        moduli: (d,d) |V|.
        products: How often a product with V rounds.
        z: (n,d).
        w: (n,d) Vᵀz as computed.
        mu: (n,) the multipliers found; 0 inside.
    """

    def __init__(
        self,
        squares: Float[np.ndarray, " d"],
        moduli: Float[np.ndarray, "d d"],
        products: float,
        z: Points,
        w: Points,
        mu: Numbers,
    ) -> None:
        self.squares, self.moduli, self.products = squares, moduli, products
        self.z, self.w, self.mu = z, w, mu
        self.dim = len(squares)
        self._turned = products * UNIT * (np.abs(z) @ moduli)

    def _secular_error(self, mu: Numbers, e: Points) -> Numbers:
        """By how much f at a double μ is off: its own roundings, and what w errs by."""
        size, _ = secular(self.squares, self.w, mu)
        moved = (self.squares * (2 * np.abs(self.w) + e) * e / (self.squares + mu[:, None]) ** 2).sum(axis=1)
        return (self.dim + 6) * UNIT * size + moved * (1 + 16 * EPS)

    def _bracket(self, e: Points) -> tuple[Numbers, Numbers]:
        """μ⁻ ≤ root ≤ μ⁺ proved by the signs of f − 1, for every w within e of that computed."""
        size, slope = secular(self.squares, self.w, self.mu)
        error = self._secular_error(self.mu, e)
        unsure = (self.mu > 0) | (size + error > 1)
        reach = np.where(unsure, (np.abs(size - 1) + error) / -slope, 0.0)
        below, above = reach.copy(), reach.copy()
        for _ in range(_DOUBLINGS):
            low, high = np.maximum(self.mu - below, 0.0), self.mu + above
            at_low, at_high = secular(self.squares, self.w, low)[0], secular(self.squares, self.w, high)[0]
            wrong_low = (low > 0) & (at_low - self._secular_error(low, e) < 1)
            wrong_high = unsure & (at_high + self._secular_error(high, e) > 1)
            if not (wrong_low | wrong_high).any():
                return low, high
            below, above = (
                np.where(wrong_low, _wider(below), below),
                np.where(wrong_high, _wider(above), above),
            )
        raise RuntimeError("projection on an ellipsoid: the multiplier is not bracketed")

    @cached_property
    def _ends(self) -> tuple[Numbers, Numbers]:
        """The bracket with what w errs by."""
        return self._bracket(self._turned)

    @cached_property
    def point_rounding(self) -> Rounding:
        """Of prox."""
        low, high = self._bracket(np.zeros_like(self.w))
        a, size = self.squares, np.abs(self.w)
        off = np.maximum(self.mu - low, high - self.mu)[:, None]
        shifted = a + self.mu[:, None]
        moved = norms(a * size * off / ((a + low[:, None]) * shifted))
        entries = a * size / shifted
        own = 4 * UNIT * norms(entries) + self.products * UNIT * norms(entries @ self.moduli.T)
        least = self._ends[0][:, None]
        root = np.sqrt(a / (a + least))
        turned = root[:, -1] * norms(root * self._turned)
        inside = norms((size + self._turned) * self._ends[1][:, None] / (a + self._ends[1][:, None]))
        bound = np.where(self.mu > 0, turned + moved + own, inside)
        return Rounding.measured(bound * (1 + 16 * EPS), "products with the axes, and f(μ) = 1")

    @cached_property
    def inner(self) -> Float[np.ndarray, "n d d"]:
        """D prox in the axes of A."""
        resolvent, normal, weight = self._parts
        image = resolvent * normal
        curved = resolvent[:, :, None] * np.eye(self.dim) - image[:, :, None] * (
            image[:, None, :] / weight[:, None, None]
        )
        return np.where((self.mu > 0)[:, None, None], curved, np.eye(self.dim))

    @cached_property
    def _parts(self) -> tuple[Points, Points, Numbers]:
        """R, n = w/(a+μ) and nᵀRn."""
        resolvent = self.squares / (self.squares + self.mu[:, None])
        normal = self.w / (self.squares + self.mu[:, None])
        weight = (normal * resolvent * normal).sum(axis=1)
        return resolvent, normal, np.where(self.mu > 0, weight, 1.0)

    @cached_property
    def jacobian_rounding(self) -> Rounding:
        """Of D prox."""
        resolvent, normal, weight = self._parts
        image, inner = np.abs(resolvent * normal), np.abs(self.inner)
        relative, direction, wide = self._direction_error()
        root = np.sqrt(resolvent)
        form = root[:, :, None] * direction * root[:, None, :]
        form += inner * (relative[:, :, None] + relative[:, None, :] + UNIT)
        form += (self.dim + 5) * UNIT * image[:, :, None] * image[:, None, :] / weight[:, None, None]
        own = np.linalg.norm(form, axis=(1, 2)) * (1 + 2 * relative.max(axis=1))
        back = np.linalg.norm(self.moduli @ inner, axis=(1, 2))
        back += np.linalg.norm(self.moduli @ inner @ self.moduli.T, axis=(1, 2))
        bound = own + self.products * UNIT * back
        cap = np.linalg.norm(self.inner, axis=(1, 2)) + np.sqrt(self.dim)
        bound = np.where(wide, cap, np.minimum(bound, cap))
        inside = (self.mu == 0) & ~wide
        return Rounding.measured(np.where(inside, 0.0, bound * (1 + 16 * EPS)), "R and the direction of R½n")

    def _direction_error(self) -> tuple[Points, Float[np.ndarray, "n d d"], np.ndarray]:
        """Relative errors of R; of mmᵀ by entries; and where z may be on either side, or nothing is known."""
        low, high = self._ends
        resolvent, normal, weight = self._parts
        a = self.squares
        relative = np.maximum(self.mu - low, high - self.mu)[:, None] / (a + low[:, None]) + 3 * UNIT
        length = np.sqrt(weight)[:, None]
        m = np.abs(np.sqrt(resolvent) * normal) / length
        part = np.sqrt(resolvent) * self._turned / (a + low[:, None]) / length + 1.5 * relative * m
        part *= (1 + relative.max(axis=1)[:, None]) ** 2
        turn = norms(part)
        off = (part + m * (m * part).sum(axis=1)[:, None]) / np.maximum(1 - turn, 0.5)[:, None]
        across = off[:, :, None] * m[:, None, :]
        products = across + across.transpose(0, 2, 1) + off[:, :, None] * off[:, None, :]
        wide = ((low == 0) & (high > 0)) | ((self.mu > 0) & ((turn > 0.25) | (relative.max(axis=1) > 0.25)))
        return relative, products, wide

    def kink(self, away: Numbers) -> Numbers:
        """Distance of z to the surface, from below; ``away`` is |z − u|."""
        outside = np.maximum(away * (1 - (self.dim + 4) * EPS) - self.point_rounding.bound, 0.0)
        size, a = np.abs(self.w) + self._turned, self.squares
        room = np.maximum(1 - norms(size / np.sqrt(a)) ** 2 * (1 + (self.dim + 8) * EPS), 0.0)
        normal = norms(size / a)
        inside = room / (normal + np.sqrt(normal**2 + room / a[0])) * (1 - 32 * EPS)
        return np.where(self.mu > 0, outside, inside)


def _wider(reach: Numbers) -> Numbers:
    return np.where(reach > 0, 2 * reach, np.finfo(float).tiny)
