"""What the checks of one draw leave out: counted on every draw, and judged by geometry alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.potentials import Potential

Array = NDArray[np.float64]


@dataclass
class LeftOut:
    """The points of one draw that a check leaves out, those of bundles without any other point among them.

    A check leaves out what rounding or a kink within its step hides, by what the library says of itself. A
    library that says too much would hide everything. So no point may be left out whose noise lies deep inside
    ∂φ(x₁): the distance to the relative boundary is that of ∂φ, and no map under test has a part in it.

    Attributes:
        target: φ.
        depth: What is deep: farther than this from the relative boundary, beside noise of deviation 1.
        points: How many there were.
        out: How many were left out.
        deep: How many of these lie deep inside.

    Example:
        >>> import numpy as np
        >>> from numerics.potentials import FiniteAtoms
        >>> left = LeftOut(FiniteAtoms.hypercube(1), depth=0.1)
        >>> x0 = np.array([[1.0], [1e-9]])
        >>> left.keep(x0, np.sign(x0), np.array([True, False])).tolist()
        [0]
        >>> left.points, left.out, left.deep
        (2, 1, 0)
    """

    target: Potential
    depth: float
    points: int = 0
    out: int = 0
    deep: int = 0

    def keep(self, x0: Array, x1: Array, kept: NDArray[np.bool_]) -> NDArray[np.intp]:
        """The rows that are kept, of noise and data (n,d); the others are counted."""
        self.points += len(kept)
        self.out += int((~kept).sum())
        self.deep += sum(self._is_deep(x0[i], x1[i]) for i in np.flatnonzero(~kept))
        return np.flatnonzero(kept)

    def _is_deep(self, x0: Array, x1: Array) -> bool:
        inside = float(self.target.subdifferential(x1).boundary_distance(x0[None])[0])
        return inside > self.depth

    def basis(self, clause: str | None) -> dict[str, object]:
        """What a record of ``deep`` beside 0 says of itself."""
        return {
            "by": "the distance of x₀ from the relative boundary of ∂φ(x₁)",
            "because": "T and prox have kinks, and are badly conditioned, near boundaries of ∂φ",
            "points": self.points,
            "left_out": self.out,
            "chosen": f"deep is more than {self.depth:g} from the boundary",
            "kind": "count",
            "clause": clause,
        }


DEEP = "points left out though x₀ lies deep inside ∂φ(x₁)"
