r"""∂φ of the envelope of (a/2)|·|² on a closed set, at a point of the face with atoms y_i.

$∂φ = \{x_0 : ⟨x_0,y_i⟩ - (a/2)|y_i|^2 = \max_{y∈M} ⟨x_0,y⟩ - (a/2)|y|^2 \text{ for all } i\}$: an
intersection of half-spaces within the affine space on which the atoms tie and are stationary.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.optimize import nnls

from numerics.accuracy import UNIT
from numerics.checks import as_points
from numerics.geometry import norms
from numerics.potentials.chords import Envelope
from numerics.potentials.support_geometry import Subdifferential

_CUTS = 200


class SupportCell(Subdifferential):
    """The noise that M answers with every atom of a face.

    ``distance`` cuts with the half-space of the nearest point until none is violated. ``boundary_distance``
    is the least slack of a half-space over the length of its normal within the affine hull, by a descent
    from the best point of the net, the distance to the limit of the half-spaces next to an end of a curve,
    or the distance to the focal set, whichever is least.

    Args:
        envelope: Of the set.
        atoms: (k,d), those of the face; one for a point of M.
        blur: How far the point asked for may be from that face.
        moved: By how much of that the atoms are off beyond their own rounding: no half-space tells less.
    """

    def __init__(
        self, envelope: Envelope, atoms: Float[np.ndarray, "k d"], blur: float = 0.0, moved: float = 0.0
    ) -> None:
        self._envelope, self._atoms, self.blur, self._moved = envelope, atoms, blur, moved
        self._dim = atoms.shape[1]
        self._strata = envelope.closed_set.strata(atoms)
        normals = [atoms[1:] - atoms[0]] + [
            s.tangent.transpose(0, 2, 1).reshape(-1, self._dim) for s in self._strata
        ]
        offsets = [envelope.lift(atoms[1:]) - envelope.lift(atoms[:1])]
        offsets += [
            envelope.curvature * np.einsum("kdm,kd->km", s.tangent, atoms[s.rows]).ravel()
            for s in self._strata
        ]
        rows = np.concatenate(normals)
        length = norms(rows)
        left, sizes, right = np.linalg.svd((rows / length[:, None]).T, full_matrices=True)
        rank = int((sizes > 1e-8).sum())
        self._across, self._free = left[:, :rank], left[:, rank:]
        shift = (np.concatenate(offsets) / length) @ right.T[:, :rank] / sizes[:rank]
        self._origin = self._across @ shift
        steepest = sizes[rank - 1] if rank else 1.0
        self.rounding = self._stated(length, float(steepest))

    def _stated(self, length: Float[np.ndarray, " q"], steepest: float) -> float:
        """How far off the affine hull may be, per unit of |x₀| + 1.

        Its equations are unit rows r with offsets l. For two atoms r = (y_i − y_0)/|y_i − y_0| is turned by
        twice the atoms' distance off M over their distance, and l off by as much of its slope a·radius; for
        a tangent by 25u, by |II| times what y is off M, and by the 16u of stationarity that a nearest point
        is left with. A row turned by δ, an offset off by a·radius·δ, and the (d+3) roundings of their
        products move the intersection of q of them by √q·δ(|x₀| + a·radius) over the least singular value.
        """
        envelope = self._envelope
        off, radius = envelope.off_set, envelope.closed_set.radius
        bend = max((float(np.abs(s.second).max(initial=0.0)) for s in self._strata), default=0.0)
        turned = 2 * off / float(length.min(initial=np.inf)) + bend * off + (self._dim + 44) * UNIT
        size = 1 + envelope.curvature * radius
        return float(np.sqrt(max(len(length), 1))) * turned * size / steepest

    @property
    def dimension(self) -> int:
        """D minus the number of independent equations."""
        return int(self._free.shape[1])

    def distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of x0 (n,d) from the set."""
        points = as_points("x0", x0, self._dim)
        flat = self._origin + points @ self._free @ self._free.T
        aside = norms(points - flat)
        within = np.array([self._within(x) for x in flat])
        return np.hypot(aside, within)

    def _slack(self, x: Float[np.ndarray, " d"]) -> tuple[float, Float[np.ndarray, " d"]]:
        """By how much the nearest point beats the atoms at x, and that point."""
        best = self._envelope.transport(x[None])
        return float(self._envelope.slack(x[None], self._atoms[:1])[0]), best[0]

    def _within(self, start: Float[np.ndarray, " d"]) -> float:
        """Distance within the affine space: the least-distance problem over the cuts found so far."""
        x, normals, offsets = start, [], []
        if not self.dimension:
            return 0.0
        for _ in range(_CUTS):
            slack, best = self._slack(x)
            off = self._moved * norms(x - self._envelope.curvature * self._atoms[0])
            if slack <= self._envelope.rounding(x[None])[0] * 4 + off:
                return float(norms(x - start))
            normal = (best - self._atoms[0]) @ self._free
            rise = self._envelope.lift(best[None])[0] - self._envelope.lift(self._atoms[:1])[0]
            normals.append(normal)
            offsets.append(rise - (best - self._atoms[0]) @ start)
            x = start + self._free @ _least(np.array(normals), np.array(offsets))
        raise RuntimeError(f"distance to ∂φ: {_CUTS} cuts left a violation of {slack:.3g}")

    def boundary_distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of members x0 (n,d) to the relative boundary; +inf where there is none."""
        points = as_points("x0", x0, self._dim)
        if not self.dimension:
            return np.full(len(points), np.inf)
        return np.array([min(self._to_cuts(x), self._to_ends(x), self._to_focal(x)) for x in points])

    def _ratios(self, x: Float[np.ndarray, " d"], y: Float[np.ndarray, "k d"]) -> Float[np.ndarray, " k"]:
        """Slack of the half-space of y at x over the length of its normal; +inf too close to an atom."""
        a, origin = self._envelope.curvature, self._atoms[0]
        slack = a / 2 * ((y - origin) ** 2).sum(axis=1) - (y - origin) @ (x - a * origin)
        length = norms((y - origin) @ self._free)
        close = norms(y[:, None] - self._atoms).min(axis=1) <= 1e-6 * self._envelope.closed_set.radius
        usable = ~close & (length > 0)
        return np.where(usable, np.maximum(slack, 0.0) / np.where(usable, length, 1.0), np.inf)

    def _to_cuts(self, x: Float[np.ndarray, " d"]) -> float:
        """Descent: the nearest point, seen from the boundary of the best half-space, gives a better one."""
        net = self._envelope.closed_set.net
        ratios = self._ratios(x, net)
        best, y = float(ratios.min()), net[int(ratios.argmin())]
        for _ in range(100):
            if not np.isfinite(best):
                return best
            normal = self._free @ ((y - self._atoms[0]) @ self._free)
            y = self._envelope.transport((x + best * normal / norms(normal))[None])[0]
            ratio = float(self._ratios(x, y[None])[0])
            if not ratio < best * (1 - 16 * UNIT):
                return best
            best = ratio
        return best

    def _to_ends(self, x: Float[np.ndarray, " d"]) -> float:
        """Least −⟨u, x − a·y⟩/|u| over the atoms y that are ends, u the inward tangent within the free space.

        It is the limit of `_ratios` as a point of the curve tends to its end y. They approach it linearly,
        with slope H/2, from above where H ≥ 0; so the descent, which keeps away from y, stops short of it.
        """
        reach = np.inf
        for stratum in self._strata:
            away = x - self._envelope.curvature * self._atoms[stratum.rows]
            slack = -(stratum.inward * away).sum(axis=1)
            length = norms(stratum.inward @ self._free)
            usable = length > 1e-8
            reach = min(reach, (np.maximum(slack, 0.0)[usable] / length[usable]).min(initial=np.inf))
        return float(reach)

    def _to_focal(self, x: Float[np.ndarray, " d"]) -> float:
        """Least ρ for which H − ρ⟨n, II⟩ is singular for a unit n: exact for m = 1 and for codimension 1."""
        reach = np.inf
        for stratum in self._strata:
            if not stratum.dimension:
                continue
            y = self._atoms[stratum.rows]
            hessian = self._envelope.hessians(y, np.tile(x, (len(y), 1)), stratum.second)
            bend = stratum.second @ self._free
            for h, b in zip(hessian, bend, strict=True):
                root = np.linalg.inv(np.linalg.cholesky(h)) if np.linalg.eigvalsh(h)[0] > 0 else None
                if root is None:
                    return 0.0
                turned = np.einsum("ij,jkn,lk->iln", root, b, root)
                sizes = [np.abs(np.linalg.eigvalsh(turned[:, :, n])).max() for n in range(turned.shape[2])]
                reach = min(reach, 1 / max(float(np.linalg.norm(sizes)), np.finfo(float).tiny))
        return reach


def _least(normals: Float[np.ndarray, "q k"], offsets: Float[np.ndarray, " q"]) -> Float[np.ndarray, " k"]:
    """The smallest x with ⟨normal_j, x⟩ ≤ offset_j (Lawson & Hanson, ch. 23)."""
    length = norms(normals)
    a, b = normals / length[:, None], offsets / length
    reach = max(float(-b.min()), np.finfo(float).tiny)
    system = np.concatenate([-a, -b[:, None] / reach], axis=1).T
    target = np.append(np.zeros(normals.shape[1]), 1.0)
    multipliers, _ = nnls(system, target)
    residual = target - system @ multipliers
    return np.asarray(-reach * residual[:-1] / residual[-1])
