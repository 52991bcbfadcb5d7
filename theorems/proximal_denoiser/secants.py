"""Derivatives of maps through which complex steps don't pass, and circulations, from values of maps alone."""

from collections.abc import Callable

import numpy as np

from numerics.potentials import Potential
from theorems.proximal_denoiser.bounds import Array, dot, norm

Map = Callable[[Array], Array]


def secant_errors(
    function: Map, jacobian: Map, x: Array, width: Array, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Difference quotients over a segment through x (n,d) against the mean of the Jacobian on it.

    They are equal for a Lipschitz map (Newton and Leibniz), however long the segment is. The mean is taken by
    Gauss–Legendre rules with 4 and 8 nodes.

    Returns:
        |quotient − 8-node mean| (n,) and |4-node mean − 8-node mean| (n,), which bounds the former's
        truncation where the Jacobian is smooth, and is of the size of its jumps elsewhere, unless these lie
        where neither rule looks; so the `roughness` of the segments (n,), too.
    """
    direction = rng.standard_normal(x.shape)
    direction /= norm(direction)[:, None]
    arm = width[:, None] * direction
    ahead, behind = x + arm, x - arm
    quotient = (function(ahead) - function(behind)) / norm(ahead - behind)[:, None]
    means = []
    for nodes in (4, 8):
        rule = zip(*np.polynomial.legendre.leggauss(nodes), strict=True)
        terms = [w / 2 * np.einsum("nij,nj->ni", jacobian(x + s * arm), direction) for s, w in rule]
        means.append(np.sum(terms, axis=0))
    return norm(quotient - means[1]), norm(means[0] - means[1]), roughness(function, x, arm)


def roughness(function: Map, x: Array, arm: Array, pieces: int = 16) -> Array:
    """How far a difference quotient on a piece of x ± arm (n,d) is from the mean of its two neighbours'.

    Values of the map alone tell where it has a kink, however short a piece lies beyond it: no Jacobian that
    is under test has a say in what is left out.
    """
    places = np.linspace(-1, 1, pieces + 1)
    values = np.stack([function(x + s * arm) for s in places])
    quotients = np.diff(values, axis=0) / (norm(arm)[:, None] * (places[1] - places[0]))
    bends = np.linalg.norm(np.diff(quotients, 2, axis=0), axis=2) / 2
    return np.asarray(bends.max(axis=0))


def circulation(target: Potential, corners: Array, step: float, panels: int) -> tuple[Array, Array, Array]:
    """∮ prox_{step·φ}·dl around triangles, by the midpoint rule with ``panels`` panels an edge.

    prox is 1-Lipschitz, so a panel of length h errs by at most h²/4.

    Args:
        target: Whose prox.
        corners: (n, 3, d).
        step: λ > 0.
        panels: Panels an edge.

    Returns:
        The sums (n,), the bounds Σh²/4 of their truncation, and the condition numbers of their rounding.
    """
    n, _, d = corners.shape
    places = ((np.arange(panels) + 0.5) / panels)[:, None]
    edges = np.roll(corners, -1, axis=1) - corners
    at = (corners[:, :, None] + places * edges[:, :, None]).reshape(-1, d)
    image = target.prox(at, step).reshape(n, 3, panels, d)
    lengths = norm(edges)
    condition = target.prox_condition(at, step).reshape(n, 3, panels).mean(axis=2)
    work = dot(image.mean(axis=2), edges).sum(axis=1)
    return work, (lengths**2).sum(axis=1) / (4 * panels), (condition * lengths).sum(axis=1)
