r"""Proved enclosures of Gaussian masses of planar Laguerre cells, for up to 50 atoms (docs/theory.md §4.3).

Atoms and heights are float64 numbers, hence rationals, and which pairs of cells share an edge, and from
where to where, is decided in exact rational arithmetic. The rational ends go into Owen's function

$$T(h, a) = \frac1{2π} ∫_0^a \frac{e^{-h^2(1+x^2)/2}}{1+x^2}\,dx,$$

where both $h^2 = (g_j-g_i)^2/|y_j-y_i|^2$ and $a = s/h$ are rational, enclosed by Arb's rigorous
quadrature [@johansson2018numerical]. Nothing here uses the float cells of `numerics.transport.cells`.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from flint import acb, arb, ctx, fmpq
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.checks import as_array, as_points

MOST_ATOMS = 50
PRECISION = 128


@dataclass(frozen=True)
class Certificate:
    """Intervals that hold the masses, proved by interval arithmetic.

    Attributes:
        low: (n,), lower ends, rounded down to float64.
        high: (n,), upper ends, rounded up to float64.
    """

    low: Float[np.ndarray, " n"]
    high: Float[np.ndarray, " n"]

    def error_bound(self, weights: ArrayLike) -> Float[np.ndarray, " n"]:
        """(n,), a proved bound of |mass − weight|, rounded up.

        Raises:
            ValueError: If weights is not a vector with one entry an atom.
        """
        w = as_array("weights", weights, ndim=1)
        if len(w) != len(self.low):
            raise ValueError(f"weights: got {len(w)} for {len(self.low)} atoms; give one an atom")
        far = np.maximum(np.nextafter(self.high - w, np.inf), np.nextafter(w - self.low, np.inf))
        return np.maximum(far, 0.0)


def certify(points: ArrayLike, heights: ArrayLike) -> Certificate:
    """Enclose P₀(C_i) for every atom.

    Args:
        points: (n, 2), n ≤ 50, finite, no two equal; collinear atoms are allowed.
        heights: (n,), finite; taken as exact.

    Returns:
        Intervals about 1e−30 wide before they are rounded to float64.

    Raises:
        ValueError: If there are more atoms, shapes don't fit, an entry is not finite, or two coincide.
    """
    atoms = as_points("points", as_array("points", points, ndim=2), 2)
    g = as_array("heights", heights, ndim=1)
    if len(g) != len(atoms):
        raise ValueError(f"heights: got {len(g)} for {len(atoms)} points; give one a point")
    if len(atoms) > MOST_ATOMS:
        raise ValueError(f"points: got {len(atoms)} atoms; certificates are for at most {MOST_ATOMS}")
    exact = [(rational(x), rational(y), rational(height)) for (x, y), height in zip(atoms, g, strict=True)]
    before = ctx.prec
    ctx.prec = PRECISION
    try:
        balls = _masses(exact)
    finally:
        ctx.prec = before
    ends = [ends_of(ball) for ball in balls]
    return Certificate(np.array([low for low, _ in ends]), np.array([high for _, high in ends]))


Atom = tuple[fmpq, fmpq, fmpq]
Ray = tuple[fmpq, fmpq]


@dataclass(frozen=True)
class _Edge:
    """Where cells i and j meet: x = p + s·t, t = (y_j − y_i) turned by +90°; None is an end at infinity."""

    along: Ray
    rise: fmpq
    square: fmpq
    start: fmpq | None
    stop: fmpq | None


def _masses(atoms: list[Atom]) -> list[arb]:
    """Indicator of 0, or share in its neighbourhood, less what every edge cuts off."""
    lowest = min(height for _, _, height in atoms)
    tied = [i for i, atom in enumerate(atoms) if atom[2] == lowest]
    rays: dict[int, list[Ray]] = {i: [] for i in tied}
    mass = [arb(0) for _ in atoms]
    for i, j in combinations(range(len(atoms)), 2):
        edge = _edge(atoms, i, j)
        if edge is None:
            continue
        if edge.rise != 0:
            cut = _swept(edge, edge.stop, 1) - _swept(edge, edge.start, -1)
            mass[i] -= cut
            mass[j] += cut
        elif i in rays:
            for cell in (i, j):
                rays[cell] += _rays_from_origin(edge)
    for i in tied:
        mass[i] += arb(1) if len(tied) == 1 else _angle(rays[i])
    return mass


def _edge(atoms: list[Atom], i: int, j: int) -> _Edge | None:
    """The edge between cells i and j, clipped by every other atom; None where it has no length."""
    (xi, yi, gi), (xj, yj, gj) = atoms[i], atoms[j]
    dx, dy, rise = xj - xi, yj - yi, gj - gi
    square = dx * dx + dy * dy
    if square == 0:
        raise ValueError(f"points: atoms {i} and {j} coincide; merge them and add their weights")
    px, py = rise / square * dx, rise / square * dy
    start: fmpq | None = None
    stop: fmpq | None = None
    for k, (xk, yk, gk) in enumerate(atoms):
        if k in (i, j):
            continue
        ux, uy = xk - xi, yk - yi
        across, room = dx * uy - dy * ux, gk - gi - (px * ux + py * uy)
        if across > 0:
            stop = room / across if stop is None else min(stop, room / across)
        elif across < 0:
            start = room / across if start is None else max(start, room / across)
        elif room < 0 or (room == 0 and not 0 < ux * dx + uy * dy < square):
            # Atom k hides the edge; or i, j, k tie on one line and the outer two share the edge.
            return None
        if start is not None and stop is not None and start >= stop:
            return None
    return _Edge((-dy, dx), rise, square, start, stop)


def _rays_from_origin(edge: _Edge) -> list[Ray]:
    """The directions in which an edge whose line meets 0, and which touches 0, leaves it."""
    x, y = edge.along
    forth = [(x, y)] if edge.stop is None or edge.stop > 0 else []
    back = [(-x, -y)] if edge.start is None or edge.start < 0 else []
    return forth + back


def _angle(rays: list[Ray]) -> arb:
    """The angle of a convex cone over 2π, from its two sides; 0 for a cell that is a point."""
    if len(rays) < 2:
        return arb(0)
    (ux, uy), (vx, vy) = rays
    cross = ux * vy - uy * vx
    if cross == 0:
        return arb(1) / 2
    return arb.atan2(arb(abs(cross)), arb(ux * vx + uy * vy)) / (2 * arb.pi())


def _swept(edge: _Edge, end: fmpq | None, side: int) -> arb:
    """T(h, s/h) at one end of an edge; side is the sign of an end at infinity."""
    height = arb(edge.rise * edge.rise / edge.square)
    sign = 1 if edge.rise > 0 else -1
    if end is None:
        return sign * side * _tail(height.sqrt()) / 2
    ratio = end * edge.square / edge.rise
    return _owens_t(height, arb(abs(ratio))) * (1 if ratio >= 0 else -1)


def _tail(x: arb) -> arb:
    """1 − Φ(x)."""
    return (x / arb(2).sqrt()).erfc() / 2


def _owens_t(square: arb, slope: arb) -> arb:
    """T(h, a), h² = square > 0, a ≥ 0; for a > 1 from T(h, a) + T(ah, 1/a) = ½q(h) + ½q(ah) − q(h)q(ah)."""
    if slope > 1:
        near, far = _tail(square.sqrt()), _tail(slope * square.sqrt())
        return (near + far) / 2 - near * far - _owens_t(square * slope * slope, 1 / slope)

    def integrand(x: acb, _analytic: bool) -> acb:
        weight = 1 + x * x
        return (-weight * square / 2).exp() / weight

    return acb.integral(integrand, 0, slope).real / (2 * arb.pi())


def rational(value: float) -> fmpq:
    """The fraction that a finite float64 is, exactly."""
    return fmpq(*float(value).as_integer_ratio())


def ends_of(ball: arb) -> tuple[float, float]:
    """Float64 numbers below and above a ball; the midpoint's conversion is off by less than one step."""
    low, high = float(ball.lower()), float(ball.upper())
    return float(np.nextafter(low, -np.inf)), float(np.nextafter(high, np.inf))
