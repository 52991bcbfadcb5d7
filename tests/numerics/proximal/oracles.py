"""The prox of each family by elementary means; imports nothing under test."""

import itertools

import numpy as np
from scipy.optimize import brentq


def onto_ball(z, radius):
    length = np.linalg.norm(z, axis=1, keepdims=True)
    return np.where(length > radius, radius * z / np.maximum(length, 1e-300), z)


def onto_ellipsoid(z, shape):
    """A(A + μI)⁻¹z with μ ≥ 0 from bracketing, one point at a time."""

    def at(mu, point):
        return shape @ np.linalg.solve(shape + mu * np.eye(len(shape)), point)

    def excess(mu, point):
        u = at(mu, point)
        return u @ np.linalg.solve(shape, u) - 1

    found = []
    for point in z:
        mu = 0.0
        if excess(0.0, point) > 0:
            top = np.sqrt(np.linalg.eigvalsh(shape)[-1]) * np.linalg.norm(point) + 1
            mu = brentq(excess, 0.0, top, args=(point,), xtol=1e-16, rtol=1e-15, maxiter=500)
        found.append(at(mu, point))
    return np.array(found)


def gaussian(z, step, mean, root):
    """b + R(R + λI)⁻¹(z − b), R = Σ^{1/2}: minimises ½ wᵀRw over u = b + Rw."""
    eye = np.eye(len(mean))
    rows = [
        mean + root @ np.linalg.solve(root + s * eye, p - mean)
        for p, s in zip(z, np.asarray(step), strict=True)
    ]
    return np.array(rows)


def hull(z, step, points, heights):
    """The best over all sets of affinely independent atoms whose unconstrained optimum has weights ≥ 0."""
    d = points.shape[1]
    faces = [f for k in range(1, d + 2) for f in itertools.combinations(range(len(points)), k)]
    found = []
    for point, lam in zip(z, np.asarray(step), strict=True):
        best, least = None, np.inf
        for face in faces:
            corners, g = points[list(face)], heights[list(face)]
            edges = (corners[1:] - corners[0]).T
            tail = np.linalg.solve(edges.T @ edges, edges.T @ (point - corners[0]) - lam * (g[1:] - g[0]))
            weights = np.concatenate([[1 - tail.sum()], tail])
            if weights.min() < 0:
                continue
            u = weights @ corners
            # λF relative to z's own size, in a form that keeps its digits for small and large λ alike
            cost = (
                weights @ g + (u @ u / 2 - u @ point) / lam
                if lam > 1
                else lam * (weights @ g) + ((u - point) @ (u - point) / 2)
            )
            if cost < least:
                best, least = u, cost
        found.append(best)
    return np.array(found)
