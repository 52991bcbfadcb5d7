"""Integrals by Gauss–Legendre rules on panels, and the number with its error that they give."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float
from numpy.polynomial.legendre import leggauss

Integrand: TypeAlias = Callable[[Float[np.ndarray, " k"]], Float[np.ndarray, " k"]]


@dataclass(frozen=True)
class Integral:
    """A number found by quadrature, and its error: how far a coarser rule moves it, and rounding."""

    value: float
    error: float


def composite(integrand: Integrand, cuts: Float[np.ndarray, " c"], order: int) -> float:
    """∫ over the panels between the cuts, with a rule of this order on each."""
    nodes, weights = leggauss(order)
    half = np.diff(cuts) / 2
    z = (cuts[:-1, None] + half[:, None] * (1 + nodes)).ravel()
    return float((integrand(z).reshape(len(half), order) @ weights) @ half)
