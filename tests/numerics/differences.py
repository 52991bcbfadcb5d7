"""Derivatives without trusting the code: complex steps where a map is analytic, secants where it isn't.

A secant is the mean of the derivative over its segment (Newton and Leibniz), so it needs no small step: the
mean is taken by Gauss–Legendre rules with 4 and 8 nodes, whose difference bounds the error of the second.
It is large where the derivative has a kink or a jump inside the segment; such segments are counted.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Map = Callable[[np.ndarray], np.ndarray]


def complex_step(function: Map, x: np.ndarray) -> np.ndarray:
    """Jacobians (n,k,d) of a map (n,d) → (n,k), exact to rounding where it is analytic."""
    tiny = 1e-30
    steps = [function(x + 1j * tiny * axis).imag / tiny for axis in np.eye(x.shape[1])]
    return np.stack(steps, axis=-1)


@dataclass(frozen=True)
class Secants:
    """Difference quotients (f(x+wv) − f(x−wv))/2w against the mean of the stated Jacobian, per row.

    Attributes:
        error: |quotient − mean|.
        truncation: |4-node mean − 8-node mean|, which bounds the 8-node mean's error.
        size: |quotient|.
        mean: |8-node mean|.
    """

    error: np.ndarray
    truncation: np.ndarray
    size: np.ndarray
    mean: np.ndarray


def secants(
    function: Map, jacobian: Map, x: np.ndarray, width: np.ndarray, rng: np.random.Generator
) -> Secants:
    """Secants of f through x (n,d) along random directions of length ``width`` (n,) to both sides."""
    direction = rng.standard_normal(x.shape)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    arm = width[:, None] * direction
    ahead, behind = x + arm, x - arm
    run = np.linalg.norm(ahead - behind, axis=1, keepdims=True)
    quotient = (function(ahead) - function(behind)) / run
    coarse, fine = (_mean(jacobian, x, arm, direction, nodes) for nodes in (4, 8))
    return Secants(*(np.linalg.norm(v, axis=1) for v in (quotient - fine, coarse - fine, quotient, fine)))


def _mean(jacobian: Map, x: np.ndarray, arm: np.ndarray, direction: np.ndarray, nodes: int) -> np.ndarray:
    places, weights = np.polynomial.legendre.leggauss(nodes)
    total = np.zeros_like(x)
    for place, weight in zip(places, weights, strict=True):
        total += weight / 2 * np.einsum("nij,nj->ni", jacobian(x + place * arm), direction)
    return total
