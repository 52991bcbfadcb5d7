"""Masses and moments of cells by other means; nothing here imports what is tested."""

from itertools import pairwise

import numpy as np
from scipy.integrate import quad
from scipy.special import ndtr


def cell_integrals(points, heights, i):
    """Mass, first moment and ∫ max(⟨x,y⟩ − g) over cell i: slices x₁ = const are intervals of x₂.

    The integrand has kinks where the binding half-planes change; they are found and quad splits there.
    """
    others = [k for k in range(len(points)) if k != i]
    u = points[others] - points[i]
    r = heights[others] - heights[i]

    def interval(x):
        room = r - u[:, 0] * x
        if (room[u[:, 1] == 0] < 0).any():
            return 0.0, 0.0
        up, down = u[:, 1] > 0, u[:, 1] < 0
        high = (room[up] / u[up, 1]).min(initial=np.inf)
        low = (room[down] / u[down, 1]).max(initial=-np.inf)
        return (low, high) if low < high else (0.0, 0.0)

    def density(t):
        return np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)

    kinks = [9.0]
    for a in range(len(u)):
        if u[a, 0] != 0 and u[a, 1] == 0:
            kinks.append(r[a] / u[a, 0])
        for b in range(a):
            det = u[a, 0] * u[b, 1] - u[a, 1] * u[b, 0]
            if det != 0:
                kinks.append((r[a] * u[b, 1] - r[b] * u[a, 1]) / det)
    breaks = np.unique([-9.0, 0.0, *[k for k in kinks if -9 < k < 9], 9.0])

    def integral(f):
        return sum(
            quad(lambda x: density(x) * f(x, *interval(x)), a, b, epsabs=1e-13, epsrel=1e-12)[0]
            for a, b in pairwise(breaks)
        )

    mass = integral(lambda _, lo, hi: ndtr(hi) - ndtr(lo))
    first = integral(lambda x, lo, hi: x * (ndtr(hi) - ndtr(lo)))
    second = integral(lambda _, lo, hi: density(lo) - density(hi))
    return mass, np.array([first, second])
