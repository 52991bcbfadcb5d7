"""∂φ of a finite convex envelope: noise that keeps a face's atoms best (docs/theory.md §4.2, family 1)."""

from copy import copy

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from scipy.optimize import linprog, nnls

from numerics.accuracy import EPS
from numerics.checks import as_points
from numerics.geometry import norms
from numerics.potentials.support_geometry import Subdifferential


class LaguerreCell(Subdifferential):
    """{x0 : ⟨x0, y_i⟩ − g_i is the maximum for every atom i of the face that holds x₁}.

    The face is given by some of its atoms with x₁ in their relative interior. Others may tie on the whole
    set (the second diagonal of a flat square, say); these implicit equalities are found by one linear
    program, so that ``dimension`` and ``boundary_distance`` are those of the true set.

    Accuracy: x₀ violates a border, ⟨x₀,a_j⟩ ≤ b_j with a_j = y_j − y_0 and b_j = g_j − g_0, by e_j; then
    |b_j| ≤ |a_j|(|x₀| + e_j). a_j rounds once, the product d times, b_j and the slack once each, and e_j with
    the length d/2 + 3 times: (d + 3)(|x₀| + e_j) + (d/2 + 3)e_j roundings, and heights that are off move b_j.
    16d eps, 32d roundings, of |x₀| + 1 cover that while e_j ≤ 1 + |x₀|. An x₀ that violates no border by
    more is told to be in the set though the distance from all of them together may be more; else
    ``distance`` solves for it.

    Args:
        points: (N,d) all atoms.
        heights: (N,) their heights.
        support: Indices of affinely independent atoms with x₁ in the relative interior of their hull.
        tied: Indices that tie at some member of the set; contains ``support``.
        blur: How far x₁ may be from the hull of the support.
        off: By how much differences of heights may miss what they are meant to be.
    """

    def __init__(
        self,
        points: Float[np.ndarray, "N d"],
        heights: Float[np.ndarray, " N"],
        support: Int[np.ndarray, " k"],
        tied: Int[np.ndarray, " l"],
        blur: float = 0.0,
        off: float = 0.0,
    ) -> None:
        self._dim = points.shape[1]
        first = support[0]
        self._normals = points - points[first]
        self._rises = heights - heights[first]
        lengths = norms(self._normals)
        nearest = float(lengths.min(where=lengths > 0, initial=np.inf))
        self.rounding = 16 * self._dim * EPS + off / nearest  # borders lie at rises over lengths
        self.blur = blur
        self._face = np.union1d(support, self._always_tied(support, np.setdiff1d(tied, support)))
        left, sizes, _ = np.linalg.svd(self._normals[self._face].T, full_matrices=True)
        rank = int((sizes > 1e-10 * max(float(norms(self._normals).max()), np.finfo(float).tiny)).sum())
        self._across = left[:, :rank]
        self._free = left[:, rank:]
        self._others = np.setdiff1d(np.arange(len(points)), self._face)

    def _always_tied(
        self, support: Int[np.ndarray, " k"], tied: Int[np.ndarray, " l"]
    ) -> Int[np.ndarray, " q"]:
        """The tied atoms that no direction within the set makes slack.

        Maximise Σ ε_j over directions δ with ⟨δ, normal_j⟩ + ε_j ≤ 0 and 0 ≤ ε_j ≤ 1, ⟨δ, normal⟩ = 0 on the
        support: δ scales freely, so every ε_j ends at 0 (always tied) or at 1.
        """
        if not tied.size:
            return tied
        normals = self._normals[tied] / norms(self._normals[tied])[:, None]
        cost = np.concatenate([np.zeros(self._dim), -np.ones(len(tied))])
        upper = np.concatenate([normals, np.eye(len(tied))], axis=1)
        equal = np.concatenate([self._normals[support[1:]], np.zeros((len(support) - 1, len(tied)))], axis=1)
        program = linprog(
            cost,
            A_ub=upper,
            b_ub=np.zeros(len(tied)),
            A_eq=equal if len(equal) else None,
            b_eq=np.zeros(len(equal)) if len(equal) else None,
            bounds=[(None, None)] * self._dim + [(0, 1)] * len(tied),
        )
        if program.status != 0 or program.x is None:
            raise RuntimeError(f"Laguerre cell: linear program ended with {program.message}")
        return tied[program.x[self._dim :] < 0.5]

    def blurred(self, blur: float) -> "LaguerreCell":
        """The set of a point of the same face that is known as well as ``blur`` says."""
        cell = copy(self)
        cell.blur = blur
        return cell

    @property
    def dimension(self) -> int:
        """D minus the dimension of the face."""
        return int(self._free.shape[1])

    def _slacks(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n N"]:
        return self._rises - x0 @ self._normals.T

    def distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of x0 (n,d) from the cell: a nonnegative least-squares problem for each point outside.

        The least-distance problem min |x − x0| subject to ⟨x, a_j⟩ ≤ b_j is dual to nonnegative least
        squares with the slacks as extra row [@lawson1995solving, ch. 23].
        """
        points = as_points("x0", x0, self._dim)
        slacks = self._slacks(points)
        length = norms(self._normals)
        length[length == 0] = 1.0
        inequality, equality = -slacks[:, self._others], np.abs(slacks[:, self._face])
        worst = np.concatenate([inequality / length[self._others], equality / length[self._face]], axis=1)
        depth = np.maximum(worst.max(axis=1), 0.0)
        allowed = self.rounding * (1 + norms(points))
        far = np.flatnonzero(depth > allowed)
        for i in far:
            depth[i] = self._project(slacks[i])
        return depth

    def _project(self, slack: Float[np.ndarray, " N"]) -> float:
        rows = np.concatenate([self._others, self._face, self._face])
        sign = np.concatenate([np.ones(len(self._others) + len(self._face)), -np.ones(len(self._face))])
        a, b = sign[:, None] * self._normals[rows], sign * slack[rows]
        keep = norms(a) > 0
        unit = norms(a[keep])
        a, b = a[keep] / unit[:, None], b[keep] / unit
        reach = max(float(-b.min()), np.finfo(float).tiny)
        system = np.concatenate([-a, -b[:, None] / reach], axis=1).T
        multipliers, _ = nnls(system, np.concatenate([np.zeros(self._dim), [1.0]]))
        residual = system @ multipliers
        residual[-1] -= 1.0
        return float(reach * norms(residual[:-1]) / abs(residual[-1]))

    def boundary_distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Smallest slack over the length of its normal within the set's affine hull; +inf without others."""
        points = as_points("x0", x0, self._dim)
        within = norms(self._normals[self._others] @ self._free)
        cuts = within > 1e-10 * np.maximum(norms(self._normals[self._others]), np.finfo(float).tiny)
        if not cuts.any():
            return np.full(len(points), np.inf)
        slacks = self._slacks(points)[:, self._others[cuts]] / within[cuts]
        return np.maximum(slacks.min(axis=1), 0.0)
