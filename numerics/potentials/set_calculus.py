"""What T and prox do along a closed set: Jacobians from H = aI − ⟨x₀ − ay, II⟩, and what they err by."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from numerics.accuracy import UNIT
from numerics.geometry import norms
from numerics.potentials.chords import Envelope
from numerics.potentials.strata import Numbers, Points, farther, retracted


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


def changed(envelope: Envelope, y: Points, x0: Points, stretch: Numbers, radius: Numbers) -> Numbers:
    """By how much K = H⁻¹ on the tangent space at y moves when x₀ does by ``radius``, to first order.

    Over ‖K‖·radius along the set, ‖K‖ the ``stretch``, and H's direct dependence on x₀.
    """
    here, change = along(envelope, y, stretch * radius, lambda at: bent(envelope, at, x0, np.zeros(len(x0))))
    return change + np.linalg.norm(here, axis=(1, 2)) ** 2 * bending(envelope, y) * radius


def across_ties(envelope: Envelope, y: Points, x0: Points, radius: Numbers) -> Numbers:
    """By how much K changes where x₀ moves by ``radius`` over a tie of y with a rival; 0 where it meets none.

    |x−y'|² − |x−y|² at x = x₀/a changes by 2|y − y'| times what x moves by, and it errs by d + 5 roundings
    of its terms and by y and y' being off the set. K of the other side changes to first order.
    """
    image = x0 / envelope.curvature
    rivals = envelope.closed_set.rivals(image)
    apart = norms(rivals - y[:, None])
    terms = (envelope.closed_set.dim + 5) * UNIT * norms(rivals + y[:, None] - 2 * image[:, None])
    off = 4 * envelope.off_set * (norms(image - y)[:, None] + norms(image[:, None] - rivals))
    near = 2 * (radius / envelope.curvature)[:, None] * apart + terms * apart + off
    tied = (farther(image[:, None], y[:, None], rivals) <= near) & (apart > 0)
    found, step = np.zeros(len(y)), np.zeros(len(y))
    here = bent(envelope, y, x0, step)
    for k in np.flatnonzero(tied.any(axis=0)):
        rows = np.flatnonzero(tied[:, k])
        there = bent(envelope, rivals[rows, k], x0[rows], step[rows])
        stretch = np.linalg.norm(there, 2, axis=(1, 2))
        jump = np.linalg.norm(there - here[rows], axis=(1, 2))
        jump = jump + changed(envelope, rivals[rows, k], x0[rows], stretch, radius[rows])
        found[rows] = np.maximum(found[rows], jump)
    return found
