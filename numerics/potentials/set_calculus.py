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
        inverse = _inverse(np.where(at > 0, np.eye(s.dimension) + at * hessian, hessian))
        out[s.rows] = s.tangent @ inverse @ s.tangent.transpose(0, 2, 1)
    return out


def _inverse(matrices: Float[np.ndarray, "n m m"]) -> Float[np.ndarray, "n m m"]:
    """The inverses; at focal points, where there is none, 1/u: what rounding may make of 0."""
    focal = np.linalg.det(matrices) == 0
    return np.linalg.inv(np.where(focal[:, None, None], UNIT * np.eye(matrices.shape[1]), matrices))


def bending(envelope: Envelope, y: Points) -> Numbers:
    """‖II‖."""
    size = np.zeros(len(y))
    for s in envelope.closed_set.strata(y):
        size[s.rows] = np.linalg.norm(s.second.reshape(len(s.rows), -1), axis=1)
    return size


def rise_inwards(envelope: Envelope, y: Points, x0: Points) -> Numbers:
    """⟨x₀ − ay, τ⟩, τ the inward tangent, at points that count as ends of curves; nan at all others."""
    found = np.full(len(y), np.nan)
    for s in envelope.closed_set.strata(y):
        ends, slope = norms(s.inward) > 0, x0[s.rows] - envelope.curvature * y[s.rows]
        found[s.rows[ends]] = (slope * s.inward).sum(axis=1)[ends]
    return found


def pressure(envelope: Envelope, y: Points, x0: Points) -> Numbers:
    """x₀ − ay against the inward tangent at ends of curves, 0 at least, which stay ends until x₀ moves by it.

    At a corner where several curves end the least of all; +inf at points that are no end.
    """
    rise = rise_inwards(envelope, y, x0)
    against = np.where(np.isnan(rise), np.inf, -rise)
    for place, inward in zip(envelope.ends.places, envelope.ends.inward, strict=True):
        at = norms(y - place) <= 2 * envelope.off_set
        against[at] = np.minimum(against[at], (envelope.curvature * y[at] - x0[at]) @ inward)
    return np.maximum(against, 0.0)


def hessian_noise(envelope: Envelope, y: Points, x0: Points) -> Numbers:
    """What H = aI − ⟨x₀ − ay, II⟩ errs by: II 40 roundings, x₀ − ay 2 and y's distance off the set."""
    a, bend = envelope.curvature, bending(envelope, y)
    inner = norms(x0 - a * y) * 40 * UNIT + (norms(x0) + a * norms(y)) * 2 * UNIT + a * envelope.off_set
    return 2 * UNIT * a + bend * inner


def along(
    envelope: Envelope,
    y: Points,
    x0: Points,
    radius: Numbers,
    field: Callable[[Points], Float[np.ndarray, "n d d"]],
    usual: float,
) -> tuple[Float[np.ndarray, "n d d"], Numbers]:
    """A field at points of the set, and by how much it changes within ``radius``.

    By differences along the axes, projected on the set, over 1e−5 of its size where that is more; a
    stratum that ends there counts as it is seen. K = 1/h changes over √(h/a) of the size near a focal point:
    over 1e−8 where it is 1e6 times as large as ``usual``. An end of a curve that x₀ − ay holds does not move.
    """
    here = field(y)
    focal = np.linalg.norm(here, axis=(1, 2)) > 1e6 * usual
    width = np.maximum(radius, np.where(focal, 1e-8, 1e-5) * envelope.closed_set.radius)
    total = np.zeros(len(y))
    for axis in np.eye(envelope.closed_set.dim):
        ends = [retracted(envelope.closed_set, y, sign * width[:, None] * axis) for sign in (1, -1)]
        apart = norms(ends[0] - ends[1])
        rise = np.linalg.norm(field(ends[0]) - field(ends[1]), axis=(1, 2))
        total += np.where(apart > 1e-3 * width, rise / np.where(apart > 0, apart, 1.0), 0.0) ** 2
    moves = (radius == width) | ~held(envelope, y, x0, radius)
    return here, np.where(moves, np.sqrt(total) * radius, 0.0)


def held(envelope: Envelope, y: Points, x0: Points, radius: Numbers) -> np.ndarray:
    """Whether y is an end of curves, and the only minimum of (a/2)|·|² − ⟨x₀,·⟩ within ``radius`` along them.

    Inwards it rises by −⟨x₀−ay,τ⟩ at first, and by s(a + |x₀−ay||II|) less at s: half of the first is left.
    """
    found, left = np.zeros(len(y), dtype=bool), np.zeros(len(y), dtype=bool)
    ends, a = envelope.ends, envelope.curvature
    for place, inward, second in zip(ends.places, ends.inward, ends.second, strict=True):
        slope = x0 - a * place
        falls = (a + norms(slope) * norms(second)) * radius + _slope_noise(envelope, x0, place)
        at = norms(y - place) <= 2 * envelope.off_set
        found |= at
        left |= at & ~(-slope @ inward > 2 * falls)
    return found & ~left


def _slope_noise(envelope: Envelope, x0: Points, place: Float[np.ndarray, " d"]) -> Numbers:
    """What ⟨x₀ − ay, τ⟩ errs by at an end: 2 roundings of x₀ − ay, 40 of τ, and y's distance off the set."""
    a = envelope.curvature
    sizes = norms(x0) + a * norms(place[None])[0]
    return UNIT * (2 * sizes + 40 * norms(x0 - a * place)) + a * envelope.off_set


def across_ends(envelope: Envelope, y: Points, x0: Points, radius: Numbers) -> Numbers:
    """By how much K changes where x₀, moved by ``radius``, may lie beyond the border of an end's normal cone.

    There ⟨x₀ − ay,τ⟩ = 0 at the end y with the inward tangent τ; it is negative where T is the end, and K 0.
    Beyond K is H⁻¹, H = a − ⟨x₀ − ay, II⟩ less 32 roundings of a, 64 of the product, and what x₀ moves it by;
    where H ≤ 0 T jumps instead. Points next to an end count as the end, so that both sides are held against
    what y was seen as.
    """
    found, ends, a = np.zeros(len(y)), envelope.ends, envelope.curvature
    seen = np.zeros(len(y), dtype=bool)
    for stratum in envelope.closed_set.strata(y) if len(ends.places) else ():
        seen[stratum.rows] = norms(stratum.inward) > 0
    for place, inward, second in zip(ends.places, ends.inward, ends.second, strict=True):
        slope = x0 - a * place
        reach = radius + _slope_noise(envelope, x0, place)
        lost = 32 * UNIT * a + norms(second) * (64 * UNIT * norms(slope) + reach)
        least = a - slope @ second - lost
        stretch = 1 / np.where(least > 0, least, np.inf)
        near = norms(y - place) <= 2 * stretch * reach + 1e-3 * envelope.closed_set.spacing
        beyond = np.where(seen, 1, -1) * (slope @ inward) >= -reach
        found = np.maximum(found, np.where(near & beyond, stretch, 0.0))
    return found


def changed(envelope: Envelope, y: Points, x0: Points, stretch: Numbers, radius: Numbers) -> Numbers:
    """By how much K = H⁻¹ on the tangent space at y moves when x₀ does by ``radius``, to first order.

    Over ‖K‖·radius along the set, ‖K‖ the ``stretch``, and H's direct dependence on x₀.
    """

    def of_k(at: Points) -> Float[np.ndarray, "n d d"]:
        return bent(envelope, at, x0, np.zeros(len(x0)))

    here, change = along(envelope, y, x0, stretch * radius, of_k, 1 / envelope.curvature)
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
