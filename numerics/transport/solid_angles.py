"""How much of all directions each cell of atoms in space reaches: the normal cones of their hull."""

import numpy as np
from jaxtyping import Float, Int

from numerics.transport.diagram import norms


def cones(
    points: Float[np.ndarray, "n 3"],
    pairs: Int[np.ndarray, "m 2"],
    outgoing: Float[np.ndarray, "3 m"],
    incoming: Float[np.ndarray, "3 m"],
) -> Float[np.ndarray, " n"]:
    """(n,), the solid angle of each cell at infinity, over 4π; they sum to 1.

    Args:
        points: The atoms y, spanning space.
        pairs: The cells i, j on the two sides of each face.
        outgoing: Where its boundary, counter-clockwise about i → j, goes to infinity; 0 if it does not.
        incoming: Where it comes back.

    The arc at infinity of a face makes a spherical triangle with c, the direction of y_i from the middle of
    the cloud; all arcs of a cell make up its cone, whatever c is. A triangle (c, u, v) is twice the argument
    of 1 + ⟨c,u⟩ + ⟨u,v⟩ + ⟨v,c⟩ + i·det(c, u, v) [@vanoosterom1983solid].
    """
    reaching = np.flatnonzero((outgoing != 0).any(axis=0))
    u, v = incoming[:, reaching].T, outgoing[:, reaching].T
    centred = points - points.mean(axis=0)
    centred /= np.maximum(norms(centred), np.finfo(float).tiny)[:, None]
    cone = np.zeros(len(points))
    for cell, side in zip(pairs[reaching].T, (1.0, -1.0), strict=True):
        c = centred[cell]
        volume = side * (c * np.cross(u, v)).sum(axis=1)
        angle = np.arctan2(volume, 1 + (c * u).sum(axis=1) + (u * v).sum(axis=1) + (v * c).sum(axis=1))
        cone += np.bincount(cell, angle, minlength=len(points)) / (2 * np.pi)
    return cone
