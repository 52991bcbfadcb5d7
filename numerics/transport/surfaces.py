r"""Potentials of uniform laws on surfaces in space, from exact semidiscrete solutions (docs/theory.md §4.3).

n atoms of weight 1/n stand at the golden-angle places of a sphere or a torus: the area below atom k is
(k + ½)/n, its azimuth $2πk(\sqrt5-1)/2$, which spreads them evenly [@swinbank2006fibonacci]. Their exact
heights are values of φ up to the discretisation. Moving each piece of the surface to its atom costs O(1/n) in
W₂², in φ and in φ*, as pieces are O(n^{-1/2}) wide and atoms their centres to the next order; T itself is off
by O(n^{-1/2}). The same with n/2 atoms shows by how much: it is twice as far.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.checks import as_points, positive_integer, positive_number
from numerics.potentials import FiniteAtoms
from numerics.transport.semidiscrete import solve
from numerics.transport.solution import SemidiscreteSolution

FEWEST = 32
_GOLDEN = (float(np.sqrt(5)) - 1) / 2

Placing = Callable[[int], Float[np.ndarray, "n 3"]]


def sphere_places(n: int, radius: float = 1.0) -> Float[np.ndarray, "n 3"]:
    """(n, 3), golden-angle points of the sphere about 0; each stands for the same area.

    Raises:
        ValueError: If n or radius is not positive.

    Example:
        >>> bool(np.allclose((sphere_places(100, 2.0) ** 2).sum(axis=1), 4.0))
        True
    """
    size = positive_number("radius", radius)
    height = 1 - (2 * np.arange(positive_integer("n", n)) + 1) / n
    around = 2 * np.pi * _GOLDEN * np.arange(n)
    flat = np.sqrt(1 - height**2)
    return size * np.column_stack([flat * np.cos(around), flat * np.sin(around), height])


def torus_places(n: int, major: float = 2.0, minor: float = 1.0) -> Float[np.ndarray, "n 3"]:
    """(n, 3), golden-angle points of the torus about the third axis; each stands for the same area.

    The area up to the angle v of the tube is proportional to v + (minor/major)·sin v, inverted by Newton.

    Raises:
        ValueError: If n or a radius is not positive, or minor is not below major.

    Example:
        >>> x, y, z = torus_places(100, 2.0, 0.5).T
        >>> bool(np.allclose((np.hypot(x, y) - 2.0) ** 2 + z**2, 0.25))
        True
    """
    wide, thin = positive_number("major", major), positive_number("minor", minor)
    if thin >= wide:
        raise ValueError(f"minor: got {minor}; it must be below major, {major}")
    area = 2 * np.pi * (np.arange(positive_integer("n", n)) + 0.5) / n
    v, ratio = area.copy(), thin / wide
    for _ in range(60):
        # Steps of at most ½ keep Newton near where 1 + ratio·cos v is small.
        v -= np.clip((v + ratio * np.sin(v) - area) / (1 + ratio * np.cos(v)), -0.5, 0.5)
    around = 2 * np.pi * _GOLDEN * np.arange(n)
    distance = wide + thin * np.cos(v)
    return np.column_stack([distance * np.cos(around), distance * np.sin(around), thin * np.sin(v)])


@dataclass(frozen=True)
class SurfaceLift:
    """The potential of a uniform law on a surface from n atoms, with n/2 beside it for the error.

    Attributes:
        fine: The exact solution with n atoms.
        coarse: That with n/2.

    Example:
        >>> lifted = lift_surface(sphere_places, 64)
        >>> lifted.potential.dim, len(lifted.fine.points), len(lifted.coarse.points)
        (3, 64, 32)
    """

    fine: SemidiscreteSolution
    coarse: SemidiscreteSolution

    @property
    def potential(self) -> FiniteAtoms:
        """The potential of the n atoms; their heights have mean 0."""
        return _centred(self.fine)

    @property
    def w2_squared(self) -> float:
        """W₂² of the surface's law: fine and coarse extrapolated for an error of order 1/n."""
        return 2 * self.fine.w2_squared - self.coarse.w2_squared

    @property
    def w2_error(self) -> float:
        """|fine − coarse|: the error of the fine value where that is O(1/n), above that of ``w2_squared``."""
        return abs(self.fine.w2_squared - self.coarse.w2_squared)

    def error(self, x0: ArrayLike) -> Float[np.ndarray, " k"]:
        """(k,), |φ*_n − φ*_{n/2}| at x0 (k, 3): about the error of φ*_n, as that is O(1/n)."""
        noise = as_points("x0", x0, 3)
        return np.abs(_centred(self.fine).conjugate(noise) - _centred(self.coarse).conjugate(noise))


def lift_surface(places: Placing, n: int) -> SurfaceLift:
    """φ of the law that ``places(n)`` samples evenly, from n and from n/2 atoms of equal weights.

    Args:
        places: As `sphere_places` and `torus_places`: n points of the surface for any n.
        n: Even, at least 64.

    Raises:
        ValueError: If n is odd or too small, or places returns the wrong shape.
        RuntimeError: As `semidiscrete.solve`.

    Example:
        >>> lifted = lift_surface(sphere_places, 128)
        >>> bool(abs(lifted.w2_squared - (4 - 2 * np.sqrt(8 / np.pi))) < lifted.w2_error)  # E|x₀| = √(8/π)
        True
    """
    positive_integer("n", n)
    if n % 2 or n < 2 * FEWEST:
        raise ValueError(f"n: got {n}; it must be even and at least {2 * FEWEST}")
    solutions = []
    for size in (n, n // 2):
        points = as_points("places(n)", places(size), 3)
        if len(points) != size:
            raise ValueError(f"places: returned {len(points)} points for n = {size}")
        solutions.append(solve(points))
    return SurfaceLift(*solutions)


def _centred(solution: SemidiscreteSolution) -> FiniteAtoms:
    return FiniteAtoms(solution.points, solution.heights - solution.weights @ solution.heights)
