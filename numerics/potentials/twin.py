r"""The twin: a law on a compact set with A1, A2, A3, A5 at a point, where A4 is missed (docs/theory.md H9).

$φ^*(v) = \max(\max_{|s| ≤ a} ⟨v, g(s)⟩ - f(s),\ v_1)$ with $g(s) = (s, s^2/2)$, $a = .45$,
$f(s) = s^2/2 + s^3$ for s > 0 and $s^2/2 + 8|s|^3$ for s < 0. The law lives on the arc g and an atom
e₁ = (1, 0): near x₁ = g(0) its support is the parabola.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Inexact

from numerics.accuracy import EPS, UNIT, Rounding
from numerics.geometry import norms
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.solved_once import SolvedOnce
from numerics.potentials.spectral import real, refuse_where
from numerics.potentials.support_geometry import ManifoldGroup, Subdifferential
from numerics.potentials.twin_cells import clearance, subdifferential
from numerics.potentials.twin_faces import (
    ATOM,
    END,
    Face,
    bend,
    cubic,
    face_at,
    face_of,
    jumps,
    larger_root,
    place,
    turning,
)
from numerics.potentials.twin_moves import beside_an_end, moved, ties, turned
from numerics.solvers.crossings import crossing

Points = Float[np.ndarray, "n 2"]
Numbers = Float[np.ndarray, " n"]
_BESIDE = 1e-300
"""A ball so small reaches the jumps that rounding does."""
_ROOT = 7  # relative roundings of the root of a quadratic


class Twin(SolvedOnce):
    r"""The law of T(x₀) on the parabola (s, s²/2), |s| ≤ .45, and at the atom (1, 0), in the plane.

    At g(0) for x₀ = 0: φ is C² on the support near it with H = 1, ∂φ(g(0)) = {0} × (−∞, 1] has dimension
    d − m and 0 in its relative interior; but ∂φ(g(s)), s > 0, is a segment near (0, 1), at a distance from
    0 that tends to 1. The noise 0 is a tie with the atom, and P₀-null.

    T is a root of a quadratic between two jumps at given v₂ (twin_faces.py). prox solves
    $z_2 = λv_2 + u_2(v_2)$, with u₁ + λv₁ = z₁ in closed form: the right side increases strictly.

    Accuracy (`roundings`): T's root errs by 7 roundings relatively; v₁ is compared with a jump, so where they
    differ by less than their own rounding, the other side of the jump is added. u and v = (z−u)/λ found by
    the search are a pair of gph ∂φ up to 12 roundings of u and of the terms of v; prox is nonexpansive, so
    it errs by |z − u − λv| and these. φ is a sum of terms of one sign, 40 roundings of the largest cubic.
    D prox and the envelope follow from the error of the pair, the first to first order.

    `Raises`: ValueError at complex noise or points, for K at (0, 1), where it is infinite, and where
    `manifold` gets an x₁ that is not T(x₀).

    Example:
        >>> abs(Twin().transport([[2.0, 0.0], [0.0, -2.0]])).tolist()  # the atom, and the parabola's vertex
        [[1.0, 0.0], [0.0, 0.0]]
    """

    dim = 2
    scale = 1.0

    def __repr__(self) -> str:
        return "Twin()"

    # --- values -------------------------------------------------------------------------------

    def _value(self, x: Points) -> Numbers:
        return np.where(self._outside(x) <= self._rounding, face_of(x).value, np.inf)

    @staticmethod
    def _outside(x: Points) -> Numbers:
        """How far x is beyond one of the four sides of the hull, at least."""
        chord = END**2 / 2 / (1 - END)
        sides = [
            np.where(x[:, 0] < 0, x[:, 0] ** 2 / 2, 0.0) - x[:, 1],
            x[:, 1] - END**2 / 2,
            x[:, 1] - chord * (1 - x[:, 0]),
            -END - x[:, 0],
        ]
        return np.max(sides, axis=0)

    def _value_rounding(self, x: Points) -> Rounding:
        found = face_of(x)
        size = np.maximum(cubic(found.left), cubic(found.right)) + np.abs(x[:, 1])
        return Rounding(size, 40, "weights and cubes of a face")

    def _conjugate(self, x0: Inexact[np.ndarray, "n 2"]) -> Numbers:
        noise = real("x0", x0)
        s = self._parameter(noise)
        return (noise * place(s)).sum(axis=1) - (place(s)[:, 1] + cubic(s))

    def _conjugate_rounding(self, x0: Points) -> Rounding:
        """The terms at the maximiser, where errors of s are of second order; at a tie, also the side's.

        v₁s rounds twice with the sum of ⟨v, g⟩, v₂s²/2 three times; s²/2 and the cube, which errs by 2, once
        more each with their sum.

        On the wrong side of a jump the other end's score is larger by v₁'s distance from the tie, which the
        16 roundings of its terms bound, times the jump.
        """
        s = self._parameter(x0)
        at, height = np.abs(place(s)), cubic(s)
        terms = np.abs(x0 * at) @ [2.0, 3.0] + 2 * at[:, 1] + 3 * height
        _, short = self._across_a_jump(x0)
        return (
            Rounding(terms, 1, "⟨v, g⟩ and f at the maximiser")
            + Rounding(np.abs(self._conjugate(x0)), 1, "their difference")
            + Rounding(short, 16, "the tie, by the jump")
        )

    def _conjugate_slope(self, x0: Points) -> Numbers:
        return np.full(len(x0), self.scale)

    # --- transport ----------------------------------------------------------------------------

    @staticmethod
    def _parameter(v: Points) -> Numbers:
        """The parameter of T(v)."""
        first, delta = v[:, 0], v[:, 1] - 1
        at, one = jumps(delta), np.ones_like(delta)
        left = -np.clip(larger_root(24 * one, -delta, -first), -at.left, END)
        right = np.clip(larger_root(3 * one, -delta, first), at.right, at.last)
        return np.select([first <= at.first, first <= at.second], [left, right], ATOM)

    def _transport(self, x0: Inexact[np.ndarray, "n 2"]) -> Points:
        return place(self._parameter(real("x0", x0)))

    def _transport_rounding(self, x0: Points) -> Rounding:
        s = self._parameter(x0)
        arc = np.abs(s) <= END
        root = (np.abs(s) < END) | beside_an_end(x0, s)
        own = np.where(arc, np.where(root, np.abs(s) * np.hypot(1, s), s**2 / _ROOT), 0.0)
        tied, _ = self._across_a_jump(x0)
        size = own + tied / (_ROOT * UNIT)
        return Rounding(size, _ROOT, "a root of a quadratic; at a tie, the jump")

    def _across_a_jump(self, v: Points) -> tuple[Numbers, Numbers]:
        """The length of a jump within rounding of v, and that times its v₁'s terms; else 0."""
        s, found, short = self._parameter(v), np.zeros(len(v)), np.zeros(len(v))
        for tie in ties(v, np.zeros(len(v))):
            far = np.maximum(*(norms(place(e) - place(s)) for e in tie.ends))
            found = np.where(tie.near, np.maximum(found, far), found)
            short = np.where(tie.near, np.maximum(short, far * tie.terms), short)
        return found, short

    def _transport_change(self, x0: Points, radius: Numbers) -> Numbers:
        return moved(x0, self._parameter(x0), radius)

    def _transport_jacobian_change(self, x0: Points, radius: Numbers) -> Numbers:
        return turned(x0, self._parameter(x0), radius)

    def _curvature(self, s: Numbers, delta: Numbers) -> Numbers:
        """c''(s) − δ, +inf at an atom: 1/K along v₁."""
        return np.where(np.abs(s) < END, bend(s) - delta, np.inf)

    def _refuse_cusp(self, x0: Points) -> None:
        cusp = (x0 == np.array([0.0, 1.0])).all(axis=1)
        refuse_where(cusp, "x0", "is (0, 1), where K is infinite; perturb it")

    def _transport_jacobian(self, x0: Points) -> Float[np.ndarray, "n 2 2"]:
        self._refuse_cusp(x0)
        s = self._parameter(x0)
        tangent = np.stack([np.ones_like(s), s], axis=1)
        curvature = self._curvature(s, x0[:, 1] - 1)
        return tangent[:, :, None] * tangent[:, None, :] / curvature[:, None, None]

    def _transport_jacobian_rounding(self, x0: Points) -> Rounding:
        """That of s, 7u, and of c'' − δ, of which c'' = 6s or 48|s| errs by 8u, δ and the difference by 1u.

        ττᵀ, τ = (1, s), errs by 7u in two entries s and by 15u in s²; the quotient rounds once more. Beside a
        jump or an end it may be that of the other side, where the line of an end is an arc's.
        """
        self._refuse_cusp(x0)
        s = self._parameter(x0)
        delta, end = x0[:, 1] - 1, beside_an_end(x0, s)
        curvature = np.where(end, bend(s) - delta, self._curvature(s, delta))
        most = np.minimum(np.abs(s), END)
        size = (1 + most**2) / curvature
        apart = (8 * np.abs(bend(s)) + np.abs(delta)) / curvature + 1
        turned_by = np.hypot(np.sqrt(2) * _ROOT * most, (2 * _ROOT + 1) * most**2) / (1 + most**2)
        tied = np.where(end, size, 0.0)
        jump = np.flatnonzero(self._across_a_jump(x0)[0] > 0)
        tied[jump] = np.maximum(tied[jump], turned(x0[jump], s[jump], np.full(len(jump), _BESIDE)))
        count = np.where(np.isfinite(curvature), (apart + turned_by + 1) * size, 0.0)
        return Rounding(count, 1, "K = ττᵀ/(c'' − δ)") + Rounding.measured(
            tied, "a jump or an end, where K may be that of the other side"
        )

    # --- proximal maps ----------------------------------------------------------------------------

    def _solve(self, z: Points, step: Numbers) -> Face:
        """The pair (u, v): v₂ is bracketed by 0 ≤ u₂ ≤ a²/2."""

        def excess(w: Numbers, first: Numbers, second: Numbers, step: Numbers) -> Numbers:
            return step * w + face_at(w - 1, first, step).point[:, 1] - second

        low, high = (z[:, 1] - END**2 / 2) / step, z[:, 1] / step
        slack = 4 * EPS * (np.abs(low) + np.abs(high))
        arguments = (z[:, 0], z[:, 1], step)
        w = crossing(excess, low - slack, high + slack, arguments)[0]
        return face_at(w - 1, z[:, 0], step)

    def _prox(self, z: Inexact[np.ndarray, "n 2"], step: Numbers) -> Points:
        return self._solve(real("z", z), step).point

    def _proximal_point(self, z: Points, step: Numbers) -> ProximalPoint:
        face = self._solve(z, step)
        u = face.point
        return ProximalPoint(
            z,
            step,
            u,
            envelope=lambda: face.value + ((u - z) ** 2).sum(axis=1) / (2 * step),
            jacobian=lambda: _jacobian(face, step),
            kink=lambda: self._kink_of(face, z, step),
            errors=(
                lambda: self._pair_rounding(face, z, step),
                lambda: self._envelope_error(face, z, step),
                lambda: self._jacobian_error(face, z, step),
            ),
        )

    def _pair_rounding(self, face: Face, z: Points, step: Numbers) -> Rounding:
        u, v = face.point, face.dual()
        residual = norms(z - u - step[:, None] * v)
        ends = np.abs(face.left), np.where(face.right > END, 0.0, np.abs(face.right))
        most = np.maximum(*ends)
        terms = np.abs(face.delta) * most + 24 * most**2 + np.abs(face.first)
        free = np.where(~face.on_segment & (most >= END), 0.0, 1.0)  # an end or e₁ is what it is
        of_pair = Rounding(norms(u) * free + step * terms * free, 12, "a face's atoms and noise")
        formed = Rounding(norms(z) + norms(u) + step * norms(v), 3, "z − u − λv")
        return Rounding.measured(residual, "|z − u − λv|: prox is nonexpansive") + of_pair + formed

    def _envelope_error(self, face: Face, z: Points, step: Numbers) -> Rounding:
        """The value at the pair exceeds the envelope by at most |z − u − λv|²/(2λ); and rounding."""
        off = self._pair_rounding(face, z, step).bound
        away = ((z - face.point) ** 2).sum(axis=1) / step
        value = self._value_rounding(face.point)
        second = off**2 / step + off * norms(z - face.point) / step * np.where(off > 0, UNIT, 0.0)
        sums = Rounding(away / 2, 5, "|z−u|²/(2λ)") + Rounding(away / 2 + np.abs(face.value), 1, "the sum")
        steep = norms(face.point) * (1 + norms(face.dual()))
        slope = Rounding(steep, 12, "u beside the face, where φ has slope v")
        return value + sums + slope + Rounding.measured(second, "the pair's error, squared")

    def _kink_of(self, face: Face, z: Points, step: Numbers) -> Numbers:
        """Distances of u and v from where faces change: u moves by what z does at most, v by 1/λ of it."""
        found = clearance(face, step)
        return np.maximum(found - 2 * self._pair_rounding(face, z, step).bound, 0.0)

    def _jacobian_error(self, face: Face, z: Points, step: Numbers) -> Rounding:
        off = self._pair_rounding(face, z, step).bound
        changed = self._prox_jacobian_change(z, step, off)
        near = self._kink_of(face, z, step) <= 0
        return Rounding(1.0, 32, "an outer product and a quotient") + Rounding.measured(
            np.where(near, np.sqrt(2.0), np.minimum(changed, np.sqrt(2.0))), "D prox within the pair's error"
        )

    # --- geometry ---------------------------------------------------------------------------------

    def _subdifferential(self, x1: Float[np.ndarray, " 2"]) -> Subdifferential:
        outside = float(self._outside(x1[None])[0])
        if outside > self._rounding:
            raise ValueError(f"x1: {x1.tolist()} is {outside:.3g} outside the hull; φ is +inf there")
        return subdifferential(x1, self._rounding)

    def _manifolds(self, x1: Points, x0: Points) -> Sequence[ManifoldGroup]:
        """Points, m = 0, at e₁ and g(±a); elsewhere the parabola, H = (c''(s) − δ)/(1 + s²)."""
        moved = Rounding(norms(x0), 4, "x0 as it was given").bound
        limit = self._transport_rounding(x0).bound + self._domain_rounding(x1).bound
        limit = limit + self._transport_change(x0, moved) + self._coarseness
        refuse_where(norms(x1 - self._transport(x0)) > limit, "x1", "is not T(x0); pass transport(x0)")
        s = np.where(np.abs(x1[:, 0] - ATOM) < 0.5, ATOM, x1[:, 0])
        atom = np.abs(s) >= END - self._rounding
        atoms, rest = np.flatnonzero(atom), np.flatnonzero(~atom)
        s, delta = s[rest], x0[rest, 1] - 1
        tangent = np.stack([np.ones_like(s), s], axis=1) / np.hypot(1, s)[:, None]
        hessian = self._curvature(s, delta) / (1 + s**2)
        groups = [
            ManifoldGroup(atoms, np.zeros((len(atoms), 2, 0)), np.zeros((len(atoms), 0, 0))),
            ManifoldGroup(rest, tangent[:, :, None], hessian[:, None, None]),
        ]
        return [group for group in groups if len(group.rows)]


def _jacobian(face: Face, step: Numbers) -> Float[np.ndarray, "n 2 2"]:
    """0 at an atom, ττᵀ/(1+λH) on the arc; on a face ddᵀ + nnᵀ/(1+λκ), d along it, κ by `turning`."""
    s = face.left
    arc = np.stack([np.ones_like(s), s], axis=1) / np.hypot(1, s)[:, None]
    hessian = (bend(s) - face.delta) / (1 + s**2)
    shrunk = np.where(np.abs(s) < END, 1 / (1 + step * hessian), 0.0)
    ends = place(face.left), place(face.right)
    along = np.where(face.on_segment[:, None], ends[1] - ends[0], arc)
    along /= norms(along)[:, None]
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    lifted, turned = turning(face)
    whole = lifted + step * turned
    share = lifted / np.where(whole > 0, whole, 1.0)
    on_arc = shrunk[:, None, None] * arc[:, :, None] * arc[:, None, :]
    on_face = along[:, :, None] * along[:, None, :]
    on_face = on_face + share[:, None, None] * normal[:, :, None] * normal[:, None, :]
    return np.where(face.on_segment[:, None, None], on_face, on_arc)
