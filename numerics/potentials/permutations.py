"""The uniform law on permutation matrices (docs/theory.md §4.2, family 1)."""

import itertools
from typing import Any

import numpy as np

from numerics.potentials.atoms import FiniteAtoms


class Permutations(FiniteAtoms):
    """The vertices of the Birkhoff polytope, which has n! atoms but only n² + 2n constraints."""

    def __init__(self, n: int) -> None:
        self._n = n
        matrices = np.eye(n)[np.array(list(itertools.permutations(range(n))))]
        super().__init__(matrices.reshape(-1, n * n), np.zeros(len(matrices)))
        self._named(f"permutations({n})")

    def conic(self, u: Any) -> tuple[Any, list[Any]]:
        """0 on the doubly stochastic matrices (Birkhoff and von Neumann)."""
        import cvxpy as cp

        eye, ones = np.eye(self._n), np.ones((self._n, 1))
        sums = np.hstack([np.kron(eye, ones), np.kron(ones, eye)])
        return cp.Constant(np.zeros(u.shape[0])), [u >= 0, u @ sums == 1]
