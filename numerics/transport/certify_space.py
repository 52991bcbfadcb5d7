r"""Proved enclosures of Gaussian masses of cells in space, for up to 25 atoms (docs/theory.md §4.3).

Atoms and heights are float64 numbers, hence rationals; which cells share a face, where its edges run and
where they end is decided in exact rational arithmetic, so ties and degenerate clouds need no care. The field
$C(r)/(4πr^3)·x$, C the law of |x₀|, is smooth, has the normal density as divergence, and its flux at infinity
through a cone is its solid angle over 4π. Hence, with $M(v) = \mathrm{erf}(\sqrt{v/2})/\sqrt v$ and h, k, s,
q, θ, ψ as in `face_integrals`,

$$P(C_i) = \frac{|\text{cone of } C_i|}{4π} + \frac1{4π}Σ_\text{faces}\Bigl[\mathrm{erf}(\tfrac h{\sqrt2})·
  (ΣΔθ + \text{angle at infinity}) - Σ_\text{edges}∫\frac{hk\,M(h^2+q)}{q}ds\Bigr],$$

where beyond |s| = 16 the integral is Δψ, but for less than π·erfc(16/√2) < 1e−56, and nearer Arb's rigorous
quadrature [@johansson2018numerical]. Nothing here uses the float cells, nor their formula: those subtract
M(h²) under the integral and measure most cells by the field that is singular at 0.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from flint import acb, arb, ctx, fmpq
from numpy.typing import ArrayLike

from numerics.checks import as_array, as_points
from numerics.transport.certify import Certificate, ends_of, rational

MOST_ATOMS = 25
PRECISION = 96
_FAR = 16

Point = tuple[fmpq, fmpq, fmpq]


def certify(points: ArrayLike, heights: ArrayLike) -> Certificate:
    """Enclose P₀(C_i) for every atom.

    Args:
        points: (n, 3), n ≤ 25, finite, no two equal, not all in one plane.
        heights: (n,), finite; taken as exact.

    Returns:
        Intervals about 1e−20 wide before they are rounded to float64; some seconds for 20 atoms.

    Raises:
        ValueError: If there are more atoms, shapes don't fit, an entry is not finite, two coincide, or all
            lie in one plane.
    """
    atoms = as_points("points", as_array("points", points, ndim=2), 3)
    g = as_array("heights", heights, ndim=1)
    if len(g) != len(atoms):
        raise ValueError(f"heights: got {len(g)} for {len(atoms)} points; give one a point")
    if len(atoms) > MOST_ATOMS:
        raise ValueError(
            f"points: got {len(atoms)} atoms; certificates in space are for at most {MOST_ATOMS}"
        )
    exact = [(rational(x), rational(y), rational(z)) for x, y, z in atoms]
    _refuse_planes(exact)
    before = ctx.prec
    ctx.prec = PRECISION
    try:
        balls = _masses(exact, [rational(height) for height in g])
    finally:
        ctx.prec = before
    ends = [ends_of(ball) for ball in balls]
    return Certificate(np.array([low for low, _ in ends]), np.array([high for _, high in ends]))


def _refuse_planes(atoms: list[Point]) -> None:
    for i, j in combinations(range(len(atoms)), 2):
        if atoms[i] == atoms[j]:
            raise ValueError(f"points: atoms {i} and {j} coincide; merge them and add their weights")
    steps = [_minus(y, atoms[0]) for y in atoms[1:]]
    normal = next((n for u in steps[1:] if _dot(n := _cross(steps[0], u), n) != 0), None)
    if normal is None or all(_dot(normal, u) == 0 for u in steps):
        raise ValueError("points: all atoms lie in one plane; certify them there")


def _masses(atoms: list[Point], heights: list[fmpq]) -> list[arb]:
    """The cones at infinity, and what passes through every face."""
    n = fmpq(1, len(atoms))
    x, y, z = (n * sum((atom[axis] for atom in atoms), fmpq(0)) for axis in range(3))
    middle = x, y, z
    mass = [arb(0) for _ in atoms]
    for i, j in combinations(range(len(atoms)), 2):
        face = _face(atoms, heights, i, j)
        if face is None:
            continue
        passed = face.passed()
        mass[i] += passed
        mass[j] -= passed
        if face.outgoing is not None and face.incoming is not None:
            arc = face.incoming, face.outgoing
            mass[i] += _triangle(_minus(atoms[i], middle), *arc) / (4 * arb.pi())
            mass[j] -= _triangle(_minus(atoms[j], middle), *arc) / (4 * arb.pi())
    return mass


# --- faces, in rational arithmetic ------------------------------------------------------------


@dataclass(frozen=True)
class _Line:
    """An edge of a face, v·room/|v|² + τU from the face's foot, ⟨·, v⟩ ≤ room inside; None is infinity."""

    normal: Point
    room: fmpq
    along: Point
    start: fmpq | None
    stop: fmpq | None


@dataclass(frozen=True)
class _Face:
    """Where cells i and j meet: in the plane at rise/|D| from 0, D = y_j − y_i."""

    step: Point
    rise: fmpq
    edges: list[_Line]
    outgoing: Point | None
    incoming: Point | None

    def passed(self) -> arb:
        """What the smooth field lets through, from i to j."""
        if self.rise == 0:
            return arb(0)
        h = arb(self.rise) / arb(_dot(self.step, self.step)).sqrt()
        angle, along = arb(0), arb(0)
        for edge in self.edges:
            if edge.room != 0:
                turned, integral = _over(edge, h)
                angle += turned
                along += integral
        if self.outgoing is not None and self.incoming is not None:
            across = arb(_dot(self.step, _cross(self.outgoing, self.incoming)))
            across /= arb(_dot(self.step, self.step)).sqrt()
            angle += arb.atan2(across, arb(_dot(self.outgoing, self.incoming)))
        return ((h / arb(2).sqrt()).erf() * angle - along) / (4 * arb.pi())


def _face(atoms: list[Point], heights: list[fmpq], i: int, j: int) -> _Face | None:
    """The face between cells i and j, clipped by every other atom; None where it has no area."""
    step, rise = _minus(atoms[j], atoms[i]), heights[j] - heights[i]
    square = _dot(step, step)
    lines: list[tuple[Point, fmpq]] = []
    for k in range(len(atoms)):
        if k in (i, j):
            continue
        u = _minus(atoms[k], atoms[i])
        share = _dot(u, step) / square
        room = heights[k] - heights[i] - rise * share
        normal = _minus(u, _times(share, step))
        if _dot(normal, normal) != 0:
            lines.append((normal, room))
        elif room < 0 or (room == 0 and not 0 < share < 1):
            # Atom k hides the face; or i, j, k tie on one line and the outer two share the face.
            return None
    edges = []
    for place, (normal, room) in enumerate(lines):
        ends = _clip(lines, place, _cross(step, normal))
        if ends == "no area":
            return None
        if isinstance(ends, tuple):
            edges.append(_Line(normal, room, _cross(step, normal), *ends))
    outgoing = next((edge.along for edge in edges if edge.stop is None), None)
    incoming = next((_times(fmpq(-1), edge.along) for edge in edges if edge.start is None), None)
    return _Face(step, rise, edges, outgoing, incoming)


def _clip(lines: list[tuple[Point, fmpq]], place: int, along: Point) -> tuple[fmpq | None, fmpq | None] | str:
    """Where the line runs inside all others; "outside" where it does not, or is the same as one before it."""
    normal, room = lines[place]
    square = _dot(normal, normal)
    start: fmpq | None = None
    stop: fmpq | None = None
    for other, (across, limit) in enumerate(lines):
        if other == place:
            continue
        slope, inner = _dot(along, across), _dot(normal, across)
        left = limit - inner * room / square
        if slope > 0:
            stop = left / slope if stop is None else min(stop, left / slope)
        elif slope < 0:
            start = left / slope if start is None else max(start, left / slope)
        elif left == 0 and inner < 0:
            return "no area"
        elif left < 0 or (left == 0 and other < place):
            return "outside"
    if start is not None and stop is not None and start >= stop:
        return "outside"
    return start, stop


def _minus(x: Point, y: Point) -> Point:
    return x[0] - y[0], x[1] - y[1], x[2] - y[2]


def _times(factor: fmpq, x: Point) -> Point:
    return factor * x[0], factor * x[1], factor * x[2]


def _dot(x: Point, y: Point) -> fmpq:
    return x[0] * y[0] + x[1] * y[1] + x[2] * y[2]


def _cross(x: Point, y: Point) -> Point:
    return x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]


# --- integrals, in balls ----------------------------------------------------------------------


def _over(edge: _Line, h: arb) -> tuple[arb, arb]:
    """Δθ, and ∫hkM(h² + q)/q ds, over an edge whose line misses the foot."""
    k = arb(edge.room) / arb(_dot(edge.normal, edge.normal)).sqrt()
    size = arb(_dot(edge.along, edge.along)).sqrt()
    start = None if edge.start is None else arb(edge.start) * size
    stop = None if edge.stop is None else arb(edge.stop) * size
    turned = _arctan(stop, k, 1) - _arctan(start, k, -1)
    if (start is not None and start > _FAR) or (stop is not None and stop < -_FAR):
        return turned, _leaning(stop, h, k, 1) - _leaning(start, h, k, -1) + _beyond()
    low = start if start is not None and start > -_FAR else arb(-_FAR)
    high = stop if stop is not None and stop < _FAR else arb(_FAR)
    near = k * h * _kernel_integral(h * h, k * k, low, high)
    far = (
        _leaning(stop, h, k, 1)
        - _leaning(high, h, k, 1)
        + _leaning(low, h, k, -1)
        - _leaning(start, h, k, -1)
    )
    return turned, near + far + _beyond()


def _beyond() -> arb:
    """All that erfc adds beyond _FAR: |h/r| ≤ 1, ∫|k|/q ≤ π."""
    return arb(0, float(4 * (arb(_FAR) / arb(2).sqrt()).erfc().upper()))


def _arctan(s: arb | None, k: arb, side: int) -> arb:
    """arctan(s/k); side is the sign of an end at infinity."""
    if s is None:
        return side * (arb.pi() / 2 if k > 0 else -arb.pi() / 2)
    return (s / k).atan()


def _leaning(s: arb | None, h: arb, k: arb, side: int) -> arb:
    """ψ = arctan(hs/(kr)); side is the sign of an end at infinity."""
    if s is None:
        return side * (h / k).atan()
    return (h * s / (k * (h * h + k * k + s * s).sqrt())).atan()


def _kernel_integral(h_square: arb, k_square: arb, low: arb, high: arb) -> arb:
    """∫M(h² + k² + s²)/(k² + s²) ds; M is even in r, so that either root serves."""
    root_two = arb(2).sqrt()
    factor = (2 / arb.pi()).sqrt()

    def integrand(s: acb, _analytic: bool) -> acb:
        q = k_square + s * s
        square = h_square + q
        r = square.sqrt()
        if r.contains(0):
            return factor * (-square / 2).hypgeom_1f1(acb(0.5), acb(1.5)) / q
        return (r / root_two).erf() / (r * q)

    return acb.integral(integrand, low, high, abs_tol=arb(2) ** -76, rel_tol=arb(2) ** -76).real


def _triangle(c: Point, u: Point, v: Point) -> arb:
    """Solid angle of the spherical triangle; c is in the cone's dual, so the denominator is positive."""
    a, b, d = (arb(_dot(x, x)).sqrt() for x in (c, u, v))
    volume = arb(_dot(c, _cross(u, v))) / (a * b * d)
    below = 1 + arb(_dot(c, u)) / (a * b) + arb(_dot(u, v)) / (b * d) + arb(_dot(v, c)) / (a * d)
    return 2 * (volume / below).atan()
