"""Derivatives of maps through which complex steps don't pass, and circulations, from values of maps alone."""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from numerics.accuracy import Rounding
from numerics.potentials import Potential
from theorems.setting.vectors import Array, dot, norm

Map = Callable[[Array], Array]


class Slope(NamedTuple):
    """The derivative of a map along one direction, from values of the map alone.

    Attributes:
        direction: (n,d) unit vectors.
        value: (n,d), extrapolated from central differences over h/2 and h/4.
        truncation: (n,) its distance from the extrapolation over h and h/2: an estimate, not a proof.
        rounding: (n,) by how much the rounding of the map enters, for a map that errs by 1: 6/h.
    """

    direction: Array
    value: Array
    truncation: Array
    rounding: Array


def slopes(function: Map, x: Array, width: Array, rng: np.random.Generator) -> Slope:
    """Slopes at x (n,d) in random directions, by differences over h, h/2 and h/4, h = ``width`` (n,).

    With D_h = (f(x+hv) − f(x−hv))/2h, the extrapolation (4D_{h/2} − D_h)/3 errs by O(h⁴) where f has no kink
    within h. No Jacobian that is under test has a say in the truncation or in what is left out.
    """
    direction = rng.standard_normal(x.shape)
    direction /= norm(direction)[:, None]
    quotients = []
    for h in (width, width / 2, width / 4):
        arm = h[:, None] * direction
        ahead, behind = x + arm, x - arm
        quotients.append((function(ahead) - function(behind)) / norm(ahead - behind)[:, None])
    coarse, fine = ((4 * b - a) / 3 for a, b in itertools.pairwise(quotients))
    return Slope(direction, fine, norm(fine - coarse), 6 / width)


def circulation(target: Potential, corners: Array, step: float, panels: int) -> tuple[Array, Array, Rounding]:
    """∮ prox_{step·φ}·dl around triangles, by the midpoint rule with ``panels`` panels an edge.

    prox is 1-Lipschitz, so a panel of length h errs by at most h²/4.

    Args:
        target: Whose prox.
        corners: (n, 3, d).
        step: λ > 0.
        panels: Panels an edge.

    Returns:
        The sums (n,), the bounds Σh²/4 of their truncation, and what they round.
    """
    n, _, d = corners.shape
    places = ((np.arange(panels) + 0.5) / panels)[:, None]
    edges = np.roll(corners, -1, axis=1) - corners
    at = (corners[:, :, None] + places * edges[:, :, None]).reshape(-1, d)
    found = target.proximal_point(at, step)
    image = found.point.reshape(n, 3, panels, d)
    lengths = norm(edges)
    stated = found.rounding.point.bound.reshape(n, 3, panels).mean(axis=2)
    work = dot(image.mean(axis=2), edges).sum(axis=1)
    of_prox = Rounding.measured((stated * lengths).sum(axis=1), found.rounding.point.because)
    sizes = (norm(image).max(axis=2) * lengths).sum(axis=1)
    places_moved = Rounding((norm(corners).max(axis=1) * lengths.sum(axis=1)), 4, "the nodes are rounded")
    sums = Rounding(sizes, panels + d + 3, "means of panels, and inner products")
    return work, (lengths**2).sum(axis=1) / (4 * panels), of_prox + sums + places_moved
