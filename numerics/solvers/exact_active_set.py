r"""The prox of finitely many atoms in rational arithmetic, and the value of their convex envelope.

The same method as `active_set`, on the very doubles that went in and with no rounding: weights stay
positive, so that every pivot lets the objective fall, and it ends. It is slow (milliseconds in few
dimensions, a second in 64) and meant for points where floating point cannot tell which face is active.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from flint import fmpq, fmpq_mat
from jaxtyping import Float, Int

from numerics.accuracy import UNIT

Rationals = list[fmpq]
_FIRST_STEP = fmpq(1, 2**160)
_SMALLER = fmpq(1, 2**240)
_MOST_STEPS = 8
_TINY = 1e-290  # what underflow may add


@dataclass(frozen=True)
class ExactPoint:
    """The solution on its face.

    Attributes:
        members: (k,) affinely independent atoms.
        weights: Their weights, all positive, Σ = 1.
        point: u = Σ w_i y_i.
        dual: y = (z − u)/λ, a subgradient at u.
        tied: Every atom whose score ⟨y, y_i⟩ − g_i is the largest; contains the members.
        value: Σ w_i g_i, which is φ(u).
    """

    members: list[int]
    weights: Rationals
    point: Rationals
    dual: Rationals
    tied: list[int]
    value: fmpq


class ExactAtoms:
    """Atoms and heights as rationals, converted as they are asked for.

    Args:
        points: (N,d).
        heights: (N,).
    """

    def __init__(self, points: Float[np.ndarray, "N d"], heights: Float[np.ndarray, " N"]) -> None:
        self.points, self.heights, self._off = points, heights, np.zeros(len(heights))
        self._rows: dict[int, Rationals] = {}

    def row(self, i: int) -> Rationals:
        """Atom i."""
        if i not in self._rows:
            self._rows[i] = rationals(self.points[i])
        return self._rows[i]

    def height(self, i: int) -> fmpq:
        """g_i."""
        return rational(self.heights[i])

    def combine(self, members: list[int], weights: Rationals) -> Rationals:
        """Σ w_i y_i."""
        rows = [self.row(i) for i in members]
        return [dot(weights, list(column)) for column in zip(*rows, strict=True)]

    def edges(self, members: list[int]) -> list[Rationals]:
        """y_i − y_0 for the members after the first."""
        return [minus(self.row(i), self.row(members[0])) for i in members[1:]]

    def rises(self, members: list[int]) -> Rationals:
        """g_i − g_0 for the members after the first."""
        return [self.height(i) - self.height(members[0]) for i in members[1:]]

    def coordinates(self, members: list[int], right: Callable[[Rationals, fmpq], fmpq]) -> Rationals:
        """Affine weights whose edges' combination has the inner products ``right(edge, rise)`` with edges."""
        edges = self.edges(members)
        if not edges:
            return [fmpq(1)]
        gram = fmpq_mat([[dot(a, b) for b in edges] for a in edges])
        known = [right(edge, rise) for edge, rise in zip(edges, self.rises(members), strict=True)]
        tail = gram.solve(fmpq_mat(len(edges), 1, known)).entries()
        return [1 - sum(tail, fmpq(0)), *tail]

    def projected(self, members: list[int], x: Rationals) -> tuple[Rationals, bool]:
        """Coordinates of x's projection on the members' affine hull, and whether x lies on it."""
        away = minus(x, self.row(members[0]))
        weights = self.coordinates(members, lambda edge, _: dot(edge, away))
        return weights, self.combine(members, weights) == x

    def rank(self, members: list[int]) -> int:
        """Dimension of the members' affine hull."""
        edges = self.edges(members)
        return int(fmpq_mat(edges).rank()) if edges else 0

    def best(self, dual: Rationals) -> tuple[list[int], fmpq]:
        """All atoms with the largest score ⟨y, y_i⟩ − g_i, and that score; floating point only sorts out.

        In floating point a score errs by less than (d+4)u(|y|·|y_i| + |g_i|), entry by entry.
        """
        y = doubles(dual)
        scores = self.points @ y - self.heights
        error = (len(y) + 5) * UNIT * (np.abs(self.points) @ np.abs(y) + np.abs(self.heights)) + _TINY
        error += self._off
        near = np.flatnonzero(scores + error >= (scores - error).max())
        exact = {int(i): dot(dual, self.row(int(i))) - self.height(int(i)) for i in near}
        top = max(exact.values())
        return [i for i, score in exact.items() if score == top], top

    def implied(self, members: list[int], others: list[int]) -> list[bool]:
        """Of each other atom: whether its score never exceeds the members' where these tie.

        That is so if it lies in their affine hull, and not below the affine function through their heights.
        The members are affinely independent.
        """
        base, least = self.row(members[0]), self.height(members[0])
        away = [minus(self.row(j), base) for j in others]
        raised = [self.height(j) - least for j in others]
        edges = self.edges(members)
        if not edges:
            return [not any(x) and rise >= 0 for x, rise in zip(away, raised, strict=True)]
        frame = fmpq_mat(edges)
        turned = frame.transpose()
        weights = (frame * turned).solve(frame * fmpq_mat(away).transpose())  # a column each
        missed = (turned * weights).transpose() - fmpq_mat(away)
        affine = (fmpq_mat(1, len(edges), self.rises(members)) * weights).entries()
        on = [not any(row) for row in missed.table()]
        return [lies and rise >= level for lies, rise, level in zip(on, raised, affine, strict=True)]

    def prox(self, z: Rationals, step: fmpq, members: list[int], weights: Rationals) -> ExactPoint:
        """prox_{step·φ}(z), from members with positive weights, Σ = 1; of dependent ones the first."""
        if self.rank(members) < len(members) - 1:
            members, weights = members[:1], [fmpq(1)]
        while True:
            members, weights = self._descend(z, step, members, weights)
            point = self.combine(members, weights)
            dual = [a / step for a in minus(z, point)]
            tied, top = self.best(dual)
            if dot(dual, self.row(members[0])) - self.height(members[0]) == top:
                value = dot(weights, [self.height(i) for i in members])
                return ExactPoint(members, weights, point, dual, tied, value)
            members, weights = self._enter(tied[0], members, weights)

    def _descend(
        self, z: Rationals, step: fmpq, members: list[int], weights: Rationals
    ) -> tuple[list[int], Rationals]:
        """To the optimum of the members' affine hull, leaving atoms whose weights reach 0 on the way."""
        while True:
            away = minus(z, self.row(members[0]))
            target = self.coordinates(
                members,
                lambda edge, rise, away=away: dot(edge, away) - step * rise,  # type: ignore[misc]
            )
            falls = [w / (w - t) for w, t in zip(weights, target, strict=True) if t <= 0]
            reach = min([fmpq(1), *falls])
            weights = [w + reach * (t - w) for w, t in zip(weights, target, strict=True)]
            kept = [(i, w) for i, w in zip(members, weights, strict=True) if w > 0]
            members, weights = [i for i, _ in kept], [w for _, w in kept]
            if not falls:
                return members, weights

    def _enter(self, new: int, members: list[int], weights: Rationals) -> tuple[list[int], Rationals]:
        """Bring an atom in; one in the members' affine hull takes the place of a member."""
        coordinates, on = self.projected(members, self.row(new))
        if not on:
            return [*members, new], [*weights, fmpq(0)]
        gain = min(w / c for w, c in zip(weights, coordinates, strict=True) if c > 0)
        moved = [w - gain * c for w, c in zip(weights, coordinates, strict=True)]
        kept = [(i, w) for i, w in zip(members, moved, strict=True) if w > 0]
        return [*(i for i, _ in kept), new], [*(w for _, w in kept), gain]

    def projection(self, x: Rationals, start: tuple[list[int], Rationals] | None = None) -> Rationals:
        """The point of the hull nearest to x: the prox for heights 0, from a face or the nearest atom."""
        flat = ExactAtoms(self.points, np.zeros(len(self.points)))
        first = int(((self.points - doubles(x)) ** 2).sum(axis=1).argmin())
        return flat.prox(x, fmpq(1), *(start or ([first], [fmpq(1)]))).point

    def subgradient(self, x: Rationals, near: Rationals) -> ExactPoint:
        """The face that holds x, a point of the hull, and a subgradient of φ there, close to ``near``.

        For λ → 0 the prox of x + λy tends to x along one face, whose subgradients are subgradients at x; so
        a λ small enough gives one, and x's own coordinates on that face tell whether λ is.
        """
        step = _FIRST_STEP
        first = int(((self.points - doubles(x)) ** 2).sum(axis=1).argmin())
        for _ in range(_MOST_STEPS):
            z = [a + step * b for a, b in zip(x, near, strict=True)]
            found = self.prox(z, step, [first], [fmpq(1)])
            weights, on = self.projected(found.members, x)
            if on and min(weights) >= 0:
                value = dot(weights, [self.height(i) for i in found.members])
                return ExactPoint(found.members, weights, x, found.dual, found.tied, value)
            step *= _SMALLER
        raise RuntimeError(f"envelope at {doubles(x)}: no step is small enough")


def rational(value: float) -> fmpq:
    """The double as a fraction."""
    return fmpq(*float(value).as_integer_ratio())


def rationals(values: Float[np.ndarray, " d"]) -> Rationals:
    """Doubles as fractions."""
    return [rational(v) for v in values]


def doubles(values: Rationals) -> Float[np.ndarray, " d"]:
    """Fractions rounded to doubles."""
    return np.array([float(int(v.p) / int(v.q)) for v in values])


def dot(x: Rationals, y: Rationals) -> fmpq:
    """Σ x_i y_i."""
    return sum((a * b for a, b in zip(x, y, strict=True)), fmpq(0))


def minus(x: Rationals, y: Rationals) -> Rationals:
    """Entry by entry."""
    return [a - b for a, b in zip(x, y, strict=True)]


class ExactParabola(ExactAtoms):
    """Atoms whose heights are (a/2)|y|² exactly.

    Args:
        points: (N,d).
        heights: (N,) roundings of them, by at most two units.
        curvature: a.
    """

    def __init__(
        self, points: Float[np.ndarray, "N d"], heights: Float[np.ndarray, " N"], curvature: float
    ) -> None:
        super().__init__(points, heights)
        self._half, self._off = rational(curvature) / 2, 2 * UNIT * np.abs(heights)

    def height(self, i: int) -> fmpq:
        """(a/2)|y_i|²."""
        return self._half * dot(self.row(i), self.row(i))


def face_of(members: Int[np.ndarray, " k"], weights: Float[np.ndarray, " k"]) -> tuple[list[int], Rationals]:
    """A start for `ExactAtoms.prox` from a face in floating point: its weights, made to sum to 1."""
    exact = rationals(weights)
    total = sum(exact, fmpq(0))
    return [int(i) for i in members], [w / total for w in exact]
