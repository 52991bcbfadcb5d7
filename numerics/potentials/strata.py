"""What a closed set says of its points: strata, their tangents and second fundamental form II."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

Points = Float[np.ndarray, "n d"]
Parameters = Float[np.ndarray, " n"]
Numbers = Float[np.ndarray, " n"]


@dataclass(frozen=True)
class Stratum:
    """Points of a batch that lie on strata of one dimension m.

    Attributes:
        rows: (k,) which points.
        tangent: (k,d,m), orthonormal.
        second: (k,m,m,d), II in this basis, normal-valued.
        inward: (k,d), at an end of a curve the unit tangent into the curve; zero at all other points.
    """

    rows: Int[np.ndarray, " k"]
    tangent: Float[np.ndarray, "k d m"]
    second: Float[np.ndarray, "k m m d"]
    inward: Float[np.ndarray, "k d"]

    @property
    def dimension(self) -> int:
        """Dimension m."""
        return int(self.tangent.shape[2])


@runtime_checkable
class ClosedSet(Protocol):
    """What `NearestPoint` needs to know of a closed set in R^d.

    Attributes:
        dim: The ambient dimension d.
        radius: The largest |y| on the set (or a bound).
        net: (N,d) points of the set, no two equal, so dense that chords bend little between neighbours.
        spacing: Distance between neighbours in the net; 0 where the net is the whole set.
        error: How far off the set a computed point of it may be.

    A set may also have ``retract(points, moves)``: see `retracted`. A curve may have ends, a surface no edge
    (`refuse_edges`); what a union of several is made of stands in its ``parts``.
    """

    dim: int
    radius: float
    error: float
    net: Float[np.ndarray, "N d"]
    spacing: float

    def nearest(self, points: Points) -> Points:
        """The nearest point of the set for every row, any one where several are nearest."""

    def strata(self, points: Points) -> Sequence[Stratum]:
        """The strata of points on the set, grouped by dimension."""

    def nearest_rounding(self, points: Points, images: Points, moved: Parameters) -> Parameters:
        """What ``nearest`` errs by: |images − the nearest point of any point within ``moved`` of a point|.

        Where another part of the set is as near to rounding (the medial axis), the distance to it is added.
        """

    def rivals(self, points: Points) -> Float[np.ndarray, "n k d"]:
        """The nearest points of the set within each of its parts: one for every local minimum of |x − y|."""


def retracted(closed_set: ClosedSet, points: Points, moves: Points) -> Points:
    r"""Points of the set that agree with y + move to first order, for points y of it and small moves.

    The set's own ``retract(points, moves)`` where it has one (a curve steps along its parameter), else the
    nearest point, which searches the whole set.
    """
    own = getattr(closed_set, "retract", None)
    return np.asarray(own(points, moves) if own else closed_set.nearest(points + moves))


def refuse_edges(closed_set: ClosedSet) -> None:
    """Beside an edge of a surface T, K and faces change as no statement allows for: there is no conormal.

    Raises:
        ValueError: If strata of lower dimension lie in the net of a surface.
    """
    if parts := getattr(closed_set, "parts", ()):
        for part in parts:
            refuse_edges(part)
        return
    found = sorted({s.dimension for s in closed_set.strata(closed_set.net) if len(s.rows)})
    if found[-1] > 1 and len(found) > 1:
        raise ValueError(
            f"closed_set: {closed_set!r} is a surface with an edge (strata of dimensions {found}), of which "
            "nothing is stated; close it, or make a union of its parts"
        )


def isolated(rows: Int[np.ndarray, " k"], inward: Float[np.ndarray, "k d"]) -> Stratum:
    """Points that are strata of dimension 0: ends of a curve, or isolated where ``inward`` is zero."""
    k, dim = inward.shape
    return Stratum(rows, np.zeros((k, dim, 0)), np.zeros((k, 0, 0, dim)), inward)


def curved(
    rows: Int[np.ndarray, " k"], tangent: Float[np.ndarray, "k d m"], second: Float[np.ndarray, "k m m d"]
) -> Stratum:
    """Points inside a stratum of dimension m ≥ 1."""
    return Stratum(rows, tangent, second, np.zeros(tangent.shape[:2]))


def merged(strata: list[Stratum]) -> list[Stratum]:
    """One stratum for each dimension."""
    joined = []
    for m in sorted({s.dimension for s in strata}):
        same = [s for s in strata if s.dimension == m]
        joined.append(
            Stratum(
                np.concatenate([s.rows for s in same]),
                np.concatenate([s.tangent for s in same]),
                np.concatenate([s.second for s in same]),
                np.concatenate([s.inward for s in same]),
            )
        )
    return joined


def farther(
    points: Float[np.ndarray, "*#n d"], one: Float[np.ndarray, "*#n d"], other: Float[np.ndarray, "*#n d"]
) -> Float[np.ndarray, "*n"]:
    """|x − other|² − |x − one|² as one product: it errs by |x| roundings, where squares err by |x|²."""
    return ((other - one) * (other + one - 2 * points)).sum(axis=-1)
