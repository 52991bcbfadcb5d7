"""Derivatives without trusting the code: complex steps where a map is analytic, secants where it isn't.

A secant is the mean of the derivative over its segment (Newton and Leibniz), so it needs no small step: the
mean is taken by Gauss and Legendre's rule with 5 nodes and by Lobatto's with 8, whose difference bounds the
error of the second. It is large where the derivative has a kink or a jump inside the segment, wherever that
is: no place has the same share of both rules on one side. Such segments are counted.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import Legendre, leggauss

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
        truncation: |5-node mean − 8-node mean|, which bounds the 8-node mean's error.
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
    coarse, fine = (_mean(jacobian, x, arm, direction, *rule) for rule in (leggauss(5), _lobatto(8)))
    return Secants(*(np.linalg.norm(v, axis=1) for v in (quotient - fine, coarse - fine, quotient, fine)))


def _lobatto(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss and Lobatto's rule, with both ends: a kink beside one does not pass between the nodes."""
    highest = Legendre.basis(nodes - 1)
    places = np.concatenate([[-1.0], np.sort(highest.deriv().roots().real), [1.0]])
    return places, 2 / (nodes * (nodes - 1) * highest(places) ** 2)


def _mean(
    jacobian: Map,
    x: np.ndarray,
    arm: np.ndarray,
    direction: np.ndarray,
    places: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    total = np.zeros_like(x)
    for place, weight in zip(places, weights, strict=True):
        total += weight / 2 * np.einsum("nij,nj->ni", jacobian(x + place * arm), direction)
    return total
