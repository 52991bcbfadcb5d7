"""What T and prox do along a closed set: Jacobians from H = aI − ⟨x₀ − ay, II⟩, and what they err by."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from numerics.accuracy import UNIT
from numerics.geometry import norms
from numerics.potentials.chords import Envelope
from numerics.potentials.strata import Numbers, Points, retracted


def bent(envelope: Envelope, y: Points, x0: Points, step: Numbers) -> Float[np.ndarray, "n d d"]:
    """P_T(I + λH)⁻¹P_T, and P_T H⁻¹ P_T for λ = 0."""
    out = np.zeros((len(y), envelope.closed_set.dim, envelope.closed_set.dim))
    for s in envelope.closed_set.strata(y):
        hessian = envelope.hessians(y[s.rows], x0[s.rows], s.second)
        at = step[s.rows, None, None]
        inverse = np.linalg.inv(np.where(at > 0, np.eye(s.dimension) + at * hessian, hessian))
        out[s.rows] = s.tangent @ inverse @ s.tangent.transpose(0, 2, 1)
    return out


def bending(envelope: Envelope, y: Points) -> Numbers:
    """‖II‖."""
    size = np.zeros(len(y))
    for s in envelope.closed_set.strata(y):
        size[s.rows] = np.linalg.norm(s.second.reshape(len(s.rows), -1), axis=1)
    return size


def hessian_noise(envelope: Envelope, y: Points, x0: Points) -> Numbers:
    """What H = aI − ⟨x₀ − ay, II⟩ errs by: II 40 roundings, x₀ − ay 2 and y's distance off the set."""
    a, bend = envelope.curvature, bending(envelope, y)
    inner = norms(x0 - a * y) * 40 * UNIT + (norms(x0) + a * norms(y)) * 2 * UNIT + a * envelope.off_set
    return 2 * UNIT * a + bend * inner


def along(
    envelope: Envelope, y: Points, radius: Numbers, field: Callable[[Points], Float[np.ndarray, "n d d"]]
) -> tuple[Float[np.ndarray, "n d d"], Numbers]:
    """A field at points of the set, and by how much it changes within ``radius``.

    By differences along the axes, projected on the set, over 1e−5 of its size where that is more; a
    stratum that ends there counts as it is seen.
    """
    here = field(y)
    width = np.maximum(radius, 1e-5 * envelope.closed_set.radius)
    total = np.zeros(len(y))
    for axis in np.eye(envelope.closed_set.dim):
        ends = [retracted(envelope.closed_set, y, sign * width[:, None] * axis) for sign in (1, -1)]
        apart = norms(ends[0] - ends[1])
        rise = np.linalg.norm(field(ends[0]) - field(ends[1]), axis=(1, 2))
        total += np.where(apart > 1e-3 * width, rise / np.where(apart > 0, apart, 1.0), 0.0) ** 2
    return here, np.sqrt(total) * radius
