r"""Classifier-free guidance of two fields (docs/theory.md F10).

$\tilde u = (1-w)\,u(\cdot,∅) + w\,u(\cdot,p)$ [@ho2022classifier, whose weight is w − 1]. At w = 0 it is the
unconditional field, at w = 1 the conditional one. For w > 1 its flow does not produce the tilted law
$p^w q^{1-w}$, except between Gaussians of equal covariance.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Inexact

from numerics.checks import as_array

Velocity = Callable[[float, np.ndarray], Inexact[np.ndarray, "n d"]]


def guided(unconditional: Velocity, conditional: Velocity, weight: float) -> Velocity:
    """The field ũ, (t, x (n,d)) → (n,d).

    Args:
        unconditional: u(·, ∅).
        conditional: u(·, p).
        weight: w, any finite number; beyond 1 it moves past the conditional field.

    Raises:
        ValueError: If the weight isn't finite; when asked, if the two fields return different shapes.

    Example:
        >>> guided(lambda t, x: 0 * x, lambda t, x: 0 * x + 1, weight=2.0)(0.5, np.zeros((1, 1))).tolist()
        [[2.0]]
    """
    w = float(as_array("weight", weight, ndim=0))

    def velocity(t: float, x: np.ndarray) -> Inexact[np.ndarray, "n d"]:
        free, given = np.asarray(unconditional(t, x)), np.asarray(conditional(t, x))
        if free.shape != given.shape:
            raise ValueError(
                f"conditional: got shape {given.shape} beside {free.shape} of the unconditional field"
            )
        return (1 - w) * free + w * given

    return velocity
