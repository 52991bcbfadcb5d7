"""Random problems in rational arithmetic: atoms, heights, points and pairs (α, β) as small fractions."""

from fractions import Fraction

from hypothesis import strategies as st

from theorems.proximal_denoiser.rational_atoms import ONE, RationalAtoms, Vector, combine, dot

eighths = st.integers(-24, 24).map(lambda k: Fraction(k, 8))
sixteenths_of_time = st.integers(1, 15).map(lambda k: Fraction(k, 16))
positive = st.builds(Fraction, st.integers(1, 12), st.integers(1, 12))
schedule_values = st.tuples(positive, positive)
"""(α, β) at some time: every claim between two times holds for any positive values of a schedule."""


@st.composite
def atoms_and_points(
    draw: st.DrawFn, count: int = 1, most_dimensions: int = 3, most: int = 7
) -> tuple[RationalAtoms, list[Vector]]:
    """At most ``most`` atoms of any heights, and ``count`` points, all in ⅛ℤ."""
    d = draw(st.integers(1, most_dimensions))
    row = st.tuples(*[eighths] * d)
    atoms = tuple(draw(st.lists(row, min_size=1, max_size=most, unique=True)))
    heights = tuple(draw(st.lists(eighths, min_size=len(atoms), max_size=len(atoms))))
    return RationalAtoms(atoms, heights), [draw(row) for _ in range(count)]


@st.composite
def ties(draw: st.DrawFn, most_dimensions: int = 3, most: int = 6) -> tuple[RationalAtoms, Vector, int]:
    """Atoms of which the first k are all best at one noise x₀, the others worse by a multiple of ⅛."""
    d = draw(st.integers(1, most_dimensions))
    row = st.tuples(*[eighths] * d)
    points = tuple(draw(st.lists(row, min_size=2, max_size=most, unique=True)))
    k, x0 = draw(st.integers(2, len(points))), draw(row)
    worse = [Fraction(0)] * k
    worse += [Fraction(draw(st.integers(1, 16)), 8) for _ in points[k:]]
    heights = tuple(dot(x0, y) + w for y, w in zip(points, worse, strict=True))
    return RationalAtoms(points, heights), x0, k


@st.composite
def shares(draw: st.DrawFn, k: int) -> list[Fraction]:
    """K weights ≥ 0 that sum to 1."""
    counts = draw(st.lists(st.integers(0, 6), min_size=k, max_size=k).filter(any))
    return [Fraction(c, sum(counts)) for c in counts]


def interpolant(alpha: Fraction, y: Vector, beta: Fraction, u: Vector) -> Vector:
    """αy + βu."""
    return combine((alpha, y), (beta, u))


def minty(atoms: RationalAtoms, x: Vector, alpha: Fraction, beta: Fraction) -> tuple[Vector, list[Fraction]]:
    """The pair of x = αy + βu: y, and the weights of u."""
    weights = atoms.prox_weights([a / beta for a in x], alpha / beta)
    return combine((ONE / alpha, x), (-beta / alpha, atoms.point(weights))), weights
