"""Matrix families of several sizes, their dimensions, and how symmetric matrices are flattened."""

import numpy as np

from numerics.potentials import Grassmannian, SpecialOrthogonal, Stiefel

# Not of the one list: square, tall and of one column, each with its dimension below.
FAMILIES = [
    Stiefel(1, 1),
    Stiefel(4, 1),
    Stiefel(3, 2),
    Stiefel(5, 3),
    Stiefel(3, 3),
    Grassmannian(1, 1),
    Grassmannian(3, 1),
    Grassmannian(4, 2),
    Grassmannian(5, 4),
    Grassmannian(3, 3),
    SpecialOrthogonal(),
]
DIMENSIONS = [0, 3, 3, 9, 3, 0, 2, 4, 4, 0, 3]  # np − p(p+1)/2, k(n−k), 3, written out


def symmetric(p, x):
    matrix = np.zeros((p.n, p.n))
    matrix[np.triu_indices(p.n)] = x
    off = ~np.eye(p.n, dtype=bool)
    matrix[off] /= np.sqrt(2)
    return matrix + np.triu(matrix, 1).T


def vector(p, matrix):
    weights = np.where(np.eye(p.n, dtype=bool), 1.0, np.sqrt(2))
    return (np.asarray(matrix) * weights)[np.triu_indices(p.n)]
