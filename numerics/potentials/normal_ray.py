r"""∂φ of smooth convex bodies: rays of outward normals (docs/theory.md §4.2, family 4)."""

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.accuracy import Rounding
from numerics.checks import as_points
from numerics.geometry import norms
from numerics.potentials.support_geometry import Subdifferential


class NormalRay(Subdifferential):
    """∂φ(x₁) of a smooth convex body: the ray of outward normals on the boundary, {0} inside.

    Args:
        dim: The ambient dimension d.
        direction: (d,) the unit outward normal, or None inside the body.
        condition_number: By how much rounding x₁ by eps turns the normal, in eps: ‖A⁻¹‖|x₁|/|A⁻¹x₁|.
    """

    def __init__(
        self, dim: int, direction: Float[np.ndarray, " d"] | None, condition_number: float = 1.0
    ) -> None:
        self._dim = dim
        self._direction = direction
        # x₁ errs by 2d + 6 roundings of |x₁| (two products with axes, a length, a quotient), and the normal
        # is formed from it by as many; then an inner product, d, a product, a difference, a length, d/2 + 3.
        self.rounding = float(
            Rounding(condition_number, 5.5 * dim + 15, "the normal at x₁, and a distance").bound
        )

    @property
    def dimension(self) -> int:
        """1 on the boundary of the body, 0 inside."""
        return 0 if self._direction is None else 1

    def _along(self, x0: ArrayLike) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, " n"]]:
        points = as_points("x0", x0, self._dim)
        along = np.zeros(len(points)) if self._direction is None else points @ self._direction
        return points, np.maximum(along, 0.0)

    def distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of x0 (n,d) from the ray."""
        points, along = self._along(x0)
        direction = np.zeros(self._dim) if self._direction is None else self._direction
        return norms(points - along[:, None] * direction)

    def boundary_distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of x0 (n,d) from the ray's end, the origin; +inf for the single point {0}."""
        points, along = self._along(x0)
        return along if self._direction is not None else np.full(len(points), np.inf)


def nonzero(name: str, length: Inexact[np.ndarray, " n"]) -> Inexact[np.ndarray, " n"]:
    """The lengths, refused where one is 0.

    Raises:
        ValueError: Naming the first row where the transport has no single value.
    """
    if (length == 0).any():
        row = int(np.argmax(length == 0))
        raise ValueError(f"{name}: row {row} is 0, where the transport has no single value; perturb it")
    return length


def signs(x: Inexact[np.ndarray, "n 1"]) -> Float[np.ndarray, "n 1"]:
    """x/|x| on the line, ±1, of derivative 0: no quotient rounds, by complex steps neither."""
    return np.asarray(np.sign(x.real))
