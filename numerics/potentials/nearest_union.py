r"""The nearest point of a union: where one part holds the face, the prox is that part's.

φ*(p) is the larger of the parts' φ*ₖ(p). Let u be the prox of part k and p = (z−u)/λ. If φ*ₖ(p) > φ*(p) of
the other, then u ∈ ∂φ*ₖ(p) = ∂φ*(p): u is the prox of the union. Elsewhere the face has atoms of both
parts, and is found as those of any set.
"""

import numpy as np

from numerics.accuracy import UNIT, Rounding, spread_over
from numerics.geometry import norms
from numerics.potentials.closed_sets import Union
from numerics.potentials.nearest import NearestPoint
from numerics.potentials.nearest_curved import NearestCurvedPoint
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.strata import ClosedSet, Numbers, Points


class NearestUnionPoint(NearestCurvedPoint, of=Union):
    """The nearest point of a union.

    Accuracy: the part's own statements where φ*ₖ(p) exceeds the other by more than both err by and what p
    errs by (the prox's error over λ, and 3 roundings of |z|/λ) times the distance of their points, at most
    twice the radius; elsewhere those of a face. Where the parts tie to ε, u is a subgradient of φ* at
    p to ε: it errs by √(λε) more (see `face_certificate`).
    """

    closed_set: Union

    def _shape(self, closed_set: ClosedSet) -> None:
        super()._shape(closed_set)
        self._potentials = [NearestPoint(part, self.curvature) for part in self.closed_set.parts]

    def _solve(self, z: Points, step: Numbers) -> ProximalPoint:
        left = np.arange(len(z))
        pieces: list[tuple[np.ndarray, np.ndarray, ProximalPoint]] = []
        reach, extra = np.full(len(z), np.inf), np.zeros(len(z))
        for k in range(2):
            if not left.size:
                break
            found = self._potentials[k].proximal_point(z[left], step[left])
            lead, noise = self._lead(k, found)
            held = lead >= -noise
            margin = np.maximum(lead - noise, 0.0)[held]
            reach[left[held]] = step[left[held]] * margin / (2 * self.closed_set.radius)
            extra[left[held]] = np.where(margin > 0, 0.0, np.sqrt(step[left] * 2 * noise)[held])
            pieces.append((left[held], np.flatnonzero(held), found))
            left = left[~held]
        if left.size:
            pieces.append((left, np.arange(len(left)), super()._solve(z[left], step[left])))
        return _joined(z, step, pieces, reach, extra)

    def _lead(self, k: int, found: ProximalPoint) -> tuple[Numbers, Numbers]:
        """φ*ₖ − φ* of the other at the dual, and what the comparison errs by."""
        own, other = self._potentials[k], self._potentials[1 - k]
        p = found.dual
        blur = (found.rounding.point.bound + 3 * UNIT * (norms(found.z) + norms(found.point))) / found.step
        noise = own.roundings.conjugate(p).bound + other.roundings.conjugate(p).bound
        lead = np.asarray(own.conjugate(p) - other.conjugate(p))
        return lead, noise + 2 * self.closed_set.radius * blur


def _joined(
    z: Points,
    step: Numbers,
    pieces: list[tuple[np.ndarray, np.ndarray, ProximalPoint]],
    reach: Numbers,
    extra: Numbers,
) -> ProximalPoint:
    """One solution from rows of others: (where they go, which, whose); ``extra`` errors of points."""

    def gathered(name: str, shape: tuple[int, ...]) -> np.ndarray:
        out = np.zeros((len(z), *shape))
        for rows, of, found in pieces:
            out[rows] = getattr(found, name)[of]
        return out

    def stated(name: str) -> Rounding:
        return spread_over([(rows, getattr(found.rounding, name)[of]) for rows, of, found in pieces], len(z))

    def point() -> Rounding:
        return stated("point") + Rounding.measured(extra, "parts that are level to rounding")

    def envelope() -> Rounding:
        """The dual value at the part's p is short of the maximum by at most extra²/λ."""
        return stated("envelope") + Rounding.measured(extra**2 / step, "parts that are level to rounding")

    def jacobian() -> Rounding:
        """On a kink, or within rounding of one, it may be that of the other side."""
        return stated("jacobian") + Rounding.measured(np.where(extra > 0, np.sqrt(d), 0.0), "a kink")

    d = z.shape[1]
    return ProximalPoint(
        z,
        step,
        gathered("point", (d,)),
        envelope=lambda: gathered("envelope", ()),
        jacobian=lambda: gathered("jacobian", (d, d)),
        kink=lambda: np.minimum(gathered("kink", ()), reach),
        errors=(point, envelope, jacobian),
    )
